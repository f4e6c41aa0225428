"""The windows of the new API's rate limits."""

from __future__ import annotations

from datetime import UTC, datetime

import freezegun
import pytest

from plivo_sim.apis.phone_number.limits import RateLimits

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def remaining(limits: RateLimits, auth_id: str = "MA1", kind: str = "operations") -> int:
    return int(limits.hit(auth_id, kind)[0]["X-RateLimit-Remaining"])


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


@pytest.mark.parametrize(("kind", "amount"), [("operations", 60), ("requirements", 100)])
def test_one_call_too_many_is_refused(limits: RateLimits, kind: str, amount: int) -> None:
    """Until the window ends, and it says when."""
    with freezegun.freeze_time(NOON) as time:
        assert [limits.hit("MA1", kind)[1] for _ in range(amount)] == [None] * amount
        time.tick(45)
        _, refusal = limits.hit("MA1", kind)
        assert refusal is not None
        assert refusal.retry_after_s == 15
        time.tick(15)
        assert limits.hit("MA1", kind)[1] is None


def test_accounts_and_kinds_count_for_themselves(limits: RateLimits) -> None:
    """Requirements have a limit of their own."""
    assert remaining(limits) == 59
    assert remaining(limits, "MA2") == 59
    assert remaining(limits, kind="requirements") == 99


def test_a_clock_that_is_set_back_opens_a_new_window(limits: RateLimits) -> None:
    """Nobody waits for years."""
    with freezegun.freeze_time(NOON) as time:
        remaining(limits)
        time.move_to(datetime(2025, 3, 1, tzinfo=UTC))
        a_minute_later = datetime(2025, 3, 1, 0, 1, tzinfo=UTC)
        headers, _ = limits.hit("MA1", "operations")
        assert headers["X-RateLimit-Remaining"] == "59"
        assert headers["X-RateLimit-Reset"] == str(int(a_minute_later.timestamp()))


def test_windows_that_ended_are_forgotten(limits: RateLimits) -> None:
    """Ten thousand accounts leave nothing behind."""
    with freezegun.freeze_time(NOON) as time:
        for n in range(10_000):
            remaining(limits, f"MA{n}")
        time.tick(60)
        remaining(limits)
        assert len(limits._windows) == 1
