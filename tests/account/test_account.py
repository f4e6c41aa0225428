"""An account: its transactions, settings, marks and resets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from plivo_sim.account.account import PAUSED_START, Account
from plivo_sim.assembly import make_simulator
from plivo_sim.domain.errors import ClockRefused, StorageFailed
from plivo_sim.domain.records import ApplicationDeleted
from plivo_sim.settings import Settings
from plivo_sim.simulator import Simulator
from plivo_sim.webhooks.transport import MemoryTransport
from tests.account.store.records import application, end_user, ids
from tests.fakes import START, Wall, all_at_once
from tests.support import AUTH_ID, PDF, Http


@pytest.fixture
def account(sim: Simulator) -> Account:
    """An account that nobody has written to."""
    return sim.account(AUTH_ID)


class Failed(Exception):
    """What goes wrong here."""


def put(account: Account) -> str:
    """An end user under the next id."""
    with account.transaction():
        id = account.ids.next("end_user")
        account.store.end_users.put(end_user(account.next_seq(), id=id))
        return id


def put_and_fail(account: Account) -> str:
    put(account)
    raise Failed


# --- transactions ----------------------------------------------------------------------------


def test_the_ids_of_a_failed_transaction_are_drawn_again(account: Account) -> None:
    """It leaves no gap."""
    first = put(account)
    with pytest.raises(Failed), account.transaction():
        put_and_fail(account)
    counts = dict(account.ids.counts)
    second = put(account)
    assert (counts["end_user"], counts["seq"]) == (1, 1)
    assert ids(account.store.end_users.every()) == [first, second]


def test_an_inner_failure_that_is_caught_gives_no_id_twice(account: Account) -> None:
    """What it wrote stays with the outer transaction, and so do its ids."""
    with account.transaction():
        try:
            with account.transaction():
                put_and_fail(account)
        except Failed:
            put(account)
    assert len({record.id for record in account.store.end_users.every()}) == 2


def test_the_ledger_goes_with_every_write(account: Account) -> None:
    """A crash right after it draws no id twice."""
    put(account)
    ledger = account.store.ledger.fetch("ledger")
    assert ledger is not None
    assert (ledger.counts["end_user"], ledger.counts["seq"]) == (1, 1)


def test_a_transaction_without_a_write_writes_no_ledger(account: Account) -> None:
    """A read stores nothing."""
    with account.transaction():
        account.store.applications.fetch("nobody")
    assert len(account.store.ledger) == 0


def test_a_listener_that_fails_takes_the_change_back(account: Account) -> None:
    """Event and change are one."""

    def fail(*_: Any) -> None:
        raise Failed

    def write() -> None:
        with account.transaction():
            account.store.applications.put(application(account.next_seq()))
            account.publish(ApplicationDeleted(application=application(1), at=account.now()))

    account.listeners.append(fail)
    with pytest.raises(Failed):
        write()
    assert (len(account.store.applications), len(account.store.ledger)) == (0, 0)


def test_api_ids_are_drawn_once_each_under_threads(account: Account) -> None:
    """No lock of the caller's is needed."""
    drawn = all_at_once(*[lambda: [account.next_api_id() for _ in range(300)]] * 8)
    assert len({id for each in drawn for id in each}) == 2400


def test_the_clock_is_only_asked_under_the_lock() -> None:
    """Asking moves it; two threads at once would move it twice."""
    owned: list[bool] = []
    accounts: list[Any] = []

    def real() -> datetime:
        if accounts:
            owned.append(accounts[0].lock.raw._is_owned())
        return START

    sim = make_simulator(Settings(), transport=MemoryTransport(), real=real)
    accounts.append(sim.account(AUTH_ID))
    accounts[0].now()
    sim.runner.catch_up(accounts[0])
    sim.advance(accounts[0])
    sim.close()
    assert owned
    assert all(owned)


# --- settings of its own ---------------------------------------------------------------------


def test_a_new_account_starts_by_its_own_settings() -> None:
    """Paused at the Monday morning, or at its own start, though others run in the present."""
    sim = make_simulator(Settings(), transport=MemoryTransport(), real=Wall(START.replace(2031)))
    paused, started = sim.account("MAXXXXXXXXXXXXXXXXX1"), sim.account("MAXXXXXXXXXXXXXXXXX2")
    paused.configure({"paused": "true"})
    started.configure({"start": "2020-02-03T04:05:06Z"})
    sim.close()
    assert (paused.now(), paused.clock.paused) == (PAUSED_START, True)
    assert started.now() == datetime(2020, 2, 3, 4, 5, 6, tzinfo=UTC)


def test_settings_change_the_clock_of_an_account_that_has_one(account: Account) -> None:
    """Rate, pause and a later start; what is not named stays."""
    put(account)
    account.configure({"warp": "60"})
    assert (account.clock.rate, account.clock.paused, account.now()) == (60, True, PAUSED_START)
    account.configure({"start": "2026-02-01"})
    assert (account.now(), account.clock.rate) == (datetime(2026, 2, 1, tzinfo=UTC), 60)
    account.configure({"paused": "false"})
    assert account.clock.paused is False


@pytest.mark.parametrize(
    ("overrides", "error"),
    [
        ({"warp": "60", "strict": "perhaps"}, ValueError),
        ({"warp": "60", "port": "8700"}, ValueError),
        ({"warp": "60", "nonsense": "1"}, ValueError),
        ({"warp": "60", "paused": "false", "start": "2020-01-01"}, ClockRefused),
    ],
    ids=["wrong value", "not an account's", "unknown", "start in the past"],
)
def test_refused_settings_change_nothing(
    account: Account, overrides: dict[str, str], error: type[Exception]
) -> None:
    """Not even those named beside the wrong one."""
    put(account)
    with pytest.raises(error):
        account.configure(overrides)
    assert (account.overrides, account.settings.warp) == ({}, 1.0)
    assert (account.clock.rate, account.clock.paused, account.now()) == (1.0, True, PAUSED_START)


def test_settings_that_cannot_be_written_change_nothing(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full."""
    put(account)

    def fail(*_: Any) -> None:
        raise StorageFailed("full")

    monkeypatch.setattr(account.store.journal, "append", fail)  # type: ignore[attr-defined]  # ours
    with pytest.raises(StorageFailed):
        account.configure({"warp": "60"})
    assert (account.overrides, account.clock.rate) == ({}, 1.0)


# --- marks, restores, resets -----------------------------------------------------------------


def test_a_restore_brings_everything_back(http: Http) -> None:
    """Records, timers, clock, settings, ids: what follows is what followed the first time."""
    account: Account = http.account
    id = http.sdk_created()
    with account.lock:
        mark = account.mark()
    histories = []
    for _ in range(2):
        http.advance("2 business days")
        account.configure({"review_delay": "1h"})
        second = http.sdk_created()
        happened = http.advance("5d")["happenings"]
        histories.append((second, happened, account.now(), dict(account.ids.counts)))
        account.restore(mark)
        assert (account.now(), account.overrides) == (PAUSED_START, {})
        assert ids(account.store.applications.every()) == [id]
    assert histories[0] == histories[1]
    assert len(histories[0][1]) == 2


def test_a_mark_outlives_deletions(http: Http) -> None:
    """Its files too."""
    id = http.sdk_created()
    account: Account = http.account
    with account.lock:
        account.marks["before"] = account.mark()
    assert http.decide(id, "rejected").status_code == 200
    assert http.delete(f"PhoneNumber/Compliance/{id}/").status_code == 200
    account.restore(account.marks["before"])
    first = next(account.store.documents.every())
    assert first.file is not None
    assert account.files.read(first.file.sha256) == PDF


def test_a_reset_account_is_as_if_never_used(http: Http) -> None:
    """It does not exist; the same calls give the same ids again."""
    account: Account = http.account
    account.configure({"review_delay": "1h"})
    first = http.sdk_created()
    with account.lock:
        account.marks["before"] = account.mark()
    http.advance("1d")
    http.sim.remove(account)
    assert http.sim.accounts() == []
    assert (account.overrides, account.marks, account.now()) == ({}, {}, PAUSED_START)
    assert len(account.exchanges) == 0
    assert len(account.store.applications) == 0
    assert http.sdk_created() == first
    assert http.sim.accounts() == [account]


def test_a_reset_lets_go_of_the_files(http: Http) -> None:
    """Nobody refers to them."""
    http.sdk_created()
    account: Account = http.account
    (document, _) = account.store.documents.every()
    assert document.file is not None
    assert account.files.read(document.file.sha256) is not None
    account.reset()
    assert account.files.read(document.file.sha256) is None


def test_a_reset_cancels_what_was_due(http: Http, transport: MemoryTransport) -> None:
    """Nothing of before happens after."""
    http.sdk_created(callback_url="http://127.0.0.1:9/cb")
    http.sim.remove(http.account)
    assert http.advance("30d")["happenings"] == []
    assert transport.sent == []


def test_a_restore_into_an_account_that_does_not_exist_makes_it(http: Http) -> None:
    """It is listed, and its applications are found."""
    id = http.sdk_created()
    account: Account = http.account
    with account.lock:
        mark = account.mark()
    http.sim.remove(account)
    account.restore(mark)
    assert http.sim.accounts() == [account]
    assert http.sim.account_of_application(id) is account


def test_a_restore_that_cannot_be_written_changes_nothing(
    http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The present stays, clock and ids included."""
    account: Account = http.account
    with account.lock:
        mark = account.mark()
    id = http.sdk_created()
    http.advance("1h")
    now = account.now()

    def fail(*_: Any) -> None:
        raise StorageFailed("full")

    monkeypatch.setattr(account.store, "restoring", fail)
    with pytest.raises(StorageFailed):
        account.restore(mark)
    assert (account.now(), ids(account.store.applications.every())) == (now, [id])


# --- on disk ---------------------------------------------------------------------------------


@pytest.fixture
def restarted(tmp_path: Path) -> Iterator[Any]:
    """Calls that open the same state again, closing what was open."""
    wall, running = Wall(), []

    def start(**changes: Any) -> Simulator:
        for sim in running:
            sim.close()
        running[:] = [
            make_simulator(
                Settings(state=tmp_path, **changes), transport=MemoryTransport(), real=wall
            )
        ]
        return running[0]

    start.wall = wall  # type: ignore[attr-defined]  # for tests that let time pass
    yield start
    for sim in running:
        sim.close()


def test_an_account_goes_on_after_a_restart(restarted: Any) -> None:
    """Clock, rate, settings, token, counters; simulated time stood still while it was down."""
    account = restarted().account(AUTH_ID)
    account.token = "secret"
    account.configure({"warp": "10", "review_delay": "2h"})
    first = put(account)
    restarted.wall.pass_s(6)
    assert account.now() == START + timedelta(seconds=60)
    sim = restarted()
    restarted.wall.pass_s(100)
    sim = restarted()
    account = sim.account(AUTH_ID)
    assert account.now() == START + timedelta(seconds=60 + 1000)
    assert (account.token, account.overrides) == ("secret", {"warp": "10", "review_delay": "2h"})
    assert put(account) != first
    assert ids(account.store.end_users.every())[0] == first


def test_a_reset_survives_a_restart(restarted: Any) -> None:
    """The account is gone."""
    sim = restarted()
    put(sim.account(AUTH_ID))
    sim.remove(sim.account(AUTH_ID))
    assert restarted().accounts() == []
