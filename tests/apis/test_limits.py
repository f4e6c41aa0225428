"""The windows of the new API's rate limits."""

from __future__ import annotations

import gc
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import freezegun
import pytest

from plivo_sim.apis.phone_number import limits as module
from plivo_sim.apis.phone_number.limits import RateLimits

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


OPERATIONS = "/v1/Account/MA1/PhoneNumber/Compliance/"
REQUIREMENTS = f"{OPERATIONS}Requirements"


class Account:
    """What the limits know of one."""

    era = 1


ACCOUNT: Any = Account()


def remaining(limits: RateLimits, account: Any = ACCOUNT, path: str = OPERATIONS) -> int:
    return int(limits.hit(account, path).headers["X-RateLimit-Remaining"])


@pytest.fixture
def limits() -> RateLimits:
    return RateLimits()


def test_a_window_ends_a_minute_after_its_first_call(limits: RateLimits) -> None:
    """Not with the minute of the clock."""
    with freezegun.freeze_time(NOON) as time:
        time.tick(30)
        assert remaining(limits) == 59
        time.tick(59)
        assert remaining(limits) == 58
        time.tick(1)
        assert remaining(limits) == 59


@pytest.mark.parametrize(
    ("path", "limit"), [(OPERATIONS, 60), (REQUIREMENTS, 100), (f"{REQUIREMENTS}/", 100)]
)
def test_one_call_too_many_is_counted_and_told_when_to_come_back(
    limits: RateLimits, path: str, limit: int
) -> None:
    """Until the window ends."""
    with freezegun.freeze_time(NOON) as time:
        counted = [limits.hit(ACCOUNT, path) for _ in range(limit)]
        assert [each.calls for each in counted] == [*range(1, limit + 1)]
        time.tick(45)
        window = limits.hit(ACCOUNT, path)
        assert (window.calls, window.limit, window.retry_after_s) == (limit + 1, limit, 15)
        assert window.headers["X-RateLimit-Reset"] == str(int(NOON.timestamp()) + 60)
        time.tick(15)
        assert limits.hit(ACCOUNT, path).calls == 1


def test_looking_counts_nothing(limits: RateLimits) -> None:
    """It shows the window that the next call would be counted in."""
    with freezegun.freeze_time(NOON) as time:
        assert limits.look(ACCOUNT, OPERATIONS).headers["X-RateLimit-Remaining"] == "60"
        assert remaining(limits) == 59
        time.tick(20)
        seen = limits.look(ACCOUNT, OPERATIONS)
        assert (seen.calls, seen.retry_after_s) == (1, 40)
        time.tick(40)
        assert limits.look(ACCOUNT, OPERATIONS).calls == 0


def test_accounts_and_kinds_count_for_themselves(limits: RateLimits) -> None:
    """Requirements have a limit of their own."""
    assert remaining(limits) == 59
    assert remaining(limits, Account()) == 59
    assert remaining(limits, path=OPERATIONS.replace("MA1", "SA1")) == 59
    assert remaining(limits, path=REQUIREMENTS) == 99


def test_the_time_is_read_by_one_call_after_the_other(
    limits: RateLimits, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read before the lock, two times could open windows in the wrong order, and pass more."""
    held: list[bool] = []

    def now_s() -> float:
        held.append(limits._lock.locked())
        return 1000.0

    monkeypatch.setattr(module, "time", SimpleNamespace(time=now_s))
    limits.hit(ACCOUNT, OPERATIONS)
    limits.look(ACCOUNT, OPERATIONS)
    assert held == [True, True]


def test_a_clock_that_steps_back_a_little_opens_no_window(limits: RateLimits) -> None:
    """As an adjusted machine's does: the calls before count on."""
    with freezegun.freeze_time(NOON) as time:
        for _ in range(13):
            remaining(limits)
        time.move_to(NOON - timedelta(milliseconds=2))
        assert remaining(limits) == 46


def test_a_clock_that_is_set_back_opens_a_new_window(limits: RateLimits) -> None:
    """Nobody waits for years."""
    with freezegun.freeze_time(NOON) as time:
        remaining(limits)
        time.move_to(datetime(2025, 3, 1, tzinfo=UTC))
        a_minute_later = datetime(2025, 3, 1, 0, 1, tzinfo=UTC)
        headers = limits.hit(ACCOUNT, OPERATIONS).headers
        assert headers["X-RateLimit-Remaining"] == "59"
        assert headers["X-RateLimit-Reset"] == str(int(a_minute_later.timestamp()))


def test_a_reset_opens_new_windows(limits: RateLimits) -> None:
    """They were kept by auth id, whatever became of the account."""
    account = Account()
    assert [remaining(limits, account) for _ in range(2)] == [59, 58]
    account.era += 1
    assert limits.look(account, OPERATIONS).calls == 0
    assert remaining(limits, account) == 59


def test_windows_go_with_their_account(limits: RateLimits) -> None:
    """Ten thousand accounts leave nothing behind."""
    for _ in range(10_000):
        remaining(limits, Account())
    gc.collect()
    assert len(limits._windows) == 0
