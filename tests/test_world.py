"""An account: its transactions, settings, marks and resets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from plivo_sim.bootstrap import make_simulator
from plivo_sim.domain.events import ApplicationDeleted
from plivo_sim.errors import ClockRefused, StorageFailed
from plivo_sim.settings import Settings
from plivo_sim.simulator import Simulator
from plivo_sim.webhooks.transport import MemoryTransport
from plivo_sim.world import PAUSED_START, World
from tests.fakes import START, Wall, all_at_once
from tests.store.records import application, end_user, ids
from tests.support import AUTH_ID, PDF, Http


@pytest.fixture
def world(sim: Simulator) -> World:
    """An account that nobody has written to."""
    return sim.world(AUTH_ID)


class Failed(Exception):
    """What goes wrong here."""


def put(world: World) -> str:
    """An end user under the next id."""
    with world.transaction():
        id = world.ids.next("end_user")
        world.store.end_users.put(end_user(world.next_seq(), id=id))
        return id


def put_and_fail(world: World) -> str:
    put(world)
    raise Failed


# --- transactions ----------------------------------------------------------------------------


def test_the_ids_of_a_failed_transaction_are_drawn_again(world: World) -> None:
    """It leaves no gap."""
    first = put(world)
    with pytest.raises(Failed), world.transaction():
        put_and_fail(world)
    counts = dict(world.ids.counts)
    second = put(world)
    assert (counts["end_user"], counts["seq"]) == (1, 1)
    assert ids(world.store.end_users.every()) == [first, second]


def test_an_inner_failure_that_is_caught_gives_no_id_twice(world: World) -> None:
    """What it wrote stays with the outer transaction, and so do its ids."""
    with world.transaction():
        try:
            with world.transaction():
                put_and_fail(world)
        except Failed:
            put(world)
    assert len({record.id for record in world.store.end_users.every()}) == 2


def test_the_ledger_goes_with_every_write(world: World) -> None:
    """A crash right after it draws no id twice."""
    put(world)
    ledger = world.store.ledger.fetch("ledger")
    assert ledger is not None
    assert (ledger.counts["end_user"], ledger.counts["seq"]) == (1, 1)


def test_a_transaction_without_a_write_writes_no_ledger(world: World) -> None:
    """A read stores nothing."""
    with world.transaction():
        world.store.applications.fetch("nobody")
    assert len(world.store.ledger) == 0


def test_a_listener_that_fails_takes_the_change_back(world: World) -> None:
    """Event and change are one."""

    def fail(*_: Any) -> None:
        raise Failed

    def write() -> None:
        with world.transaction():
            world.store.applications.put(application(world.next_seq()))
            world.publish(ApplicationDeleted(application=application(1), at=world.now()))

    world.listeners.append(fail)
    with pytest.raises(Failed):
        write()
    assert (len(world.store.applications), len(world.store.ledger)) == (0, 0)


def test_api_ids_are_drawn_once_each_under_threads(world: World) -> None:
    """No lock of the caller's is needed."""
    drawn = all_at_once(*[lambda: [world.next_api_id() for _ in range(300)]] * 8)
    assert len({id for each in drawn for id in each}) == 2400


def test_the_clock_is_only_asked_under_the_lock() -> None:
    """Asking moves it; two threads at once would move it twice."""
    owned: list[bool] = []
    worlds: list[Any] = []

    def real() -> datetime:
        if worlds:
            owned.append(worlds[0].lock._is_owned())
        return START

    sim = make_simulator(Settings(), transport=MemoryTransport(), real=real)
    worlds.append(sim.world(AUTH_ID))
    worlds[0].now()
    sim.runner.catch_up(worlds[0])
    sim.advance(worlds[0])
    sim.close()
    assert owned
    assert all(owned)


# --- settings of its own ---------------------------------------------------------------------


def test_a_new_account_starts_by_its_own_settings() -> None:
    """Paused at the Monday morning, or at its own start, though others run in the present."""
    sim = make_simulator(Settings(), transport=MemoryTransport(), real=Wall(START.replace(2031)))
    paused, started = sim.world("MAXXXXXXXXXXXXXXXXX1"), sim.world("MAXXXXXXXXXXXXXXXXX2")
    paused.configure({"paused": "true"})
    started.configure({"start": "2020-02-03T04:05:06Z"})
    sim.close()
    assert (paused.now(), paused.clock.paused) == (PAUSED_START, True)
    assert started.now() == datetime(2020, 2, 3, 4, 5, 6, tzinfo=UTC)


def test_settings_change_the_clock_of_an_account_that_has_one(world: World) -> None:
    """Rate, pause and a later start; what is not named stays."""
    put(world)
    world.configure({"warp": "60"})
    assert (world.clock.rate, world.clock.paused, world.now()) == (60, True, PAUSED_START)
    world.configure({"start": "2026-02-01"})
    assert (world.now(), world.clock.rate) == (datetime(2026, 2, 1, tzinfo=UTC), 60)
    world.configure({"paused": "false"})
    assert world.clock.paused is False


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
    world: World, overrides: dict[str, str], error: type[Exception]
) -> None:
    """Not even those named beside the wrong one."""
    put(world)
    with pytest.raises(error):
        world.configure(overrides)
    assert (world.overrides, world.settings.warp) == ({}, 1.0)
    assert (world.clock.rate, world.clock.paused, world.now()) == (1.0, True, PAUSED_START)


def test_settings_that_cannot_be_written_change_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full."""
    put(world)

    def fail(*_: Any) -> None:
        raise StorageFailed("full")

    monkeypatch.setattr(world.store.journal, "append", fail)  # type: ignore[attr-defined]  # ours
    with pytest.raises(StorageFailed):
        world.configure({"warp": "60"})
    assert (world.overrides, world.clock.rate) == ({}, 1.0)


# --- marks, restores, resets -----------------------------------------------------------------


def test_a_restore_brings_everything_back(http: Http) -> None:
    """Records, timers, clock, settings, ids: what follows is what followed the first time."""
    world: World = http.world
    id = http.sdk_created()
    with world.lock:
        mark = world.mark()
    histories = []
    for _ in range(2):
        http.advance("2 business days")
        world.configure({"review_delay": "1h"})
        second = http.sdk_created()
        happened = http.advance("5d")["happenings"]
        histories.append((second, happened, world.now(), dict(world.ids.counts)))
        world.restore(mark)
        assert (world.now(), world.overrides) == (PAUSED_START, {})
        assert ids(world.store.applications.every()) == [id]
    assert histories[0] == histories[1]
    assert len(histories[0][1]) == 2


def test_a_mark_outlives_deletions(http: Http) -> None:
    """Its files too."""
    id = http.sdk_created()
    world: World = http.world
    with world.lock:
        world.marks["before"] = world.mark()
    assert http.decide(id, "rejected").status_code == 200
    assert http.delete(f"PhoneNumber/Compliance/{id}/").status_code == 200
    world.restore(world.marks["before"])
    first = next(world.store.documents.every())
    assert first.file is not None
    assert world.files.read(first.file.sha256) == PDF


def test_a_reset_account_is_as_if_never_used(http: Http) -> None:
    """It does not exist; the same calls give the same ids again."""
    world: World = http.world
    world.configure({"review_delay": "1h"})
    first = http.sdk_created()
    with world.lock:
        world.marks["before"] = world.mark()
    http.advance("1d")
    http.sim.remove(world)
    assert http.sim.accounts() == []
    assert (world.overrides, world.marks, world.now()) == ({}, {}, PAUSED_START)
    assert len(world.store.applications) == 0
    assert http.sdk_created() == first
    assert http.sim.accounts() == [world]


def test_a_reset_lets_go_of_the_files(http: Http) -> None:
    """Nobody refers to them."""
    http.sdk_created()
    world: World = http.world
    (document, _) = world.store.documents.every()
    assert document.file is not None
    assert world.files.read(document.file.sha256) is not None
    world.reset()
    assert world.files.read(document.file.sha256) is None


def test_a_reset_cancels_what_was_due(http: Http, transport: MemoryTransport) -> None:
    """Nothing of before happens after."""
    http.sdk_created(callback_url="http://127.0.0.1:9/cb")
    http.sim.remove(http.world)
    assert http.advance("30d")["happenings"] == []
    assert transport.sent == []


def test_a_restore_into_an_account_that_does_not_exist_makes_it(http: Http) -> None:
    """It is listed, and its applications are found."""
    id = http.sdk_created()
    world: World = http.world
    with world.lock:
        mark = world.mark()
    http.sim.remove(world)
    world.restore(mark)
    assert http.sim.accounts() == [world]
    assert http.sim.world_of_application(id) is world


def test_a_restore_that_cannot_be_written_changes_nothing(
    http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The present stays, clock and ids included."""
    world: World = http.world
    with world.lock:
        mark = world.mark()
    id = http.sdk_created()
    http.advance("1h")
    now = world.now()

    def fail(*_: Any) -> None:
        raise StorageFailed("full")

    monkeypatch.setattr(world.store, "restore", fail)
    with pytest.raises(StorageFailed):
        world.restore(mark)
    assert (world.now(), ids(world.store.applications.every())) == (now, [id])


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
    world = restarted().world(AUTH_ID)
    world.token = "secret"
    world.configure({"warp": "10", "review_delay": "2h"})
    first = put(world)
    restarted.wall.pass_s(6)
    assert world.now() == START + timedelta(seconds=60)
    sim = restarted()
    restarted.wall.pass_s(100)
    sim = restarted()
    world = sim.world(AUTH_ID)
    assert world.now() == START + timedelta(seconds=60 + 1000)
    assert (world.token, world.overrides) == ("secret", {"warp": "10", "review_delay": "2h"})
    assert put(world) != first
    assert ids(world.store.end_users.every())[0] == first


def test_a_reset_survives_a_restart(restarted: Any) -> None:
    """The account is gone."""
    sim = restarted()
    put(sim.world(AUTH_ID))
    sim.remove(sim.world(AUTH_ID))
    assert restarted().accounts() == []
