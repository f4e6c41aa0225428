"""When state is forced to disk, counted with an fsync that counts."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from plivo_sim.account.lock import AccountLock, set_asker
from plivo_sim.account.store.database import Database
from plivo_sim.account.store.directory import Claim, in_use
from plivo_sim.account.store.disk import Identity, identity_at, identity_of
from plivo_sim.account.store.files import DiskFiles
from plivo_sim.account.store.journal import OpenJournals
from plivo_sim.account.store.syncing import Syncing
from plivo_sim.domain.errors import StorageFailed
from tests.account.store.records import application, ids, keep
from tests.fakes import FULL, Disk, meanwhile


class Timers:
    """Threads that wait, until a test says that their second is over."""

    def __init__(self) -> None:
        self.waiting: list[Timers.One] = []

    class One:
        daemon = False

        def __init__(self, run: Callable[[], None]) -> None:
            self.run = run
            self.started = self.cancelled = False

        def start(self) -> None:
            self.started = True

        def cancel(self) -> None:
            self.cancelled = True

    def __call__(self, seconds: float, work: Callable[..., None], args: list[Any]) -> Timers.One:
        self.waiting.append(self.One(lambda: work(*args)))
        return self.waiting[-1]


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each fsync."""
    calls: list[int] = []
    monkeypatch.setattr(os, "fsync", calls.append)
    return calls


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a journal is kept."""
    return tmp_path / "account" / "journal.jsonl"


def counted(db: Database, synced: list[int]) -> list[int]:
    """How many fsyncs each of three writes costs, then a restore, and a reset."""
    costs, fewer = [], {"applications": {each.id: each for each in (application(4),)}}
    for work in (
        *(lambda n=n: keep(db, application(n)) for n in (1, 2, 3)),
        lambda: db.restore(fewer),
        db.reset,
    ):
        synced.clear()
        work()
        costs.append(len(synced))
    return costs


@pytest.mark.parametrize(
    ("fsync", "costs"),
    [("always", [3, 1, 1, 2, 1]), ("interval", [2, 0, 0, 3, 1]), ("never", [0, 0, 0, 1, 0])],
)
def test_what_a_write_costs(path: Path, synced: list[int], fsync: str, costs: list[int]) -> None:
    """``always``: one each, and two more when the file and its folder are new; ``interval``: none
    of its own; a rewritten file is forced before it takes the old one's place, and the folder
    then and when it is gone, unless ``never``."""
    with Database(path, fsync) as db:
        assert counted(db, synced) == costs


class Caller:
    """A request that notes what it gives back in the order in which the disk is waited for."""

    may_leave, may_wait, patience_s = False, True, 0.0

    def __init__(self) -> None:
        self.order: list[str] = []

    def waits(self) -> None:
        self.order.append("waits")

    def goes_on(self) -> None: ...

    def entered(self) -> None: ...

    def leave(self, lock: AccountLock) -> None: ...


@pytest.mark.parametrize("fsync", ["always", "interval"])
def test_a_call_that_waits_for_the_disk_gives_its_turn_back(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch, fsync: str
) -> None:
    """Before each fsync, of journals and of files."""
    caller = Caller()
    monkeypatch.setattr(os, "fsync", lambda _: caller.order.append("fsync"))
    files = DiskFiles(tmp_path / "files", fsync)
    with Database(path, fsync) as db:
        set_asker(caller)
        try:
            files.keep(b"content")
            counted(db, [])
        finally:
            set_asker(None)
    assert caller.order[:2] == ["waits", "fsync"]
    assert caller.order[::2] == ["waits"] * (len(caller.order) // 2)


def test_nothing_is_forced_by_default(path: Path, synced: list[int]) -> None:
    """A killed process needs none."""
    with Database(path) as db:
        keep(db, application(1))
    assert synced == []


def test_an_interval_forces_once_for_all_writes_of_its_second(
    tmp_path: Path, synced: list[int]
) -> None:
    """And again for those after it."""
    timers = Timers()
    syncing = Syncing("interval", timers)
    with (tmp_path / "file").open("wb") as file:
        for _ in range(5):
            syncing.appended(file)
        (first,) = timers.waiting
        assert (first.started, first.daemon, synced) == (True, True, [])
        first.run()
        assert len(synced) == 1
        syncing.appended(file)
        assert len(timers.waiting) == 2


def test_what_still_waits_is_forced_when_the_file_is_closed(
    tmp_path: Path, synced: list[int]
) -> None:
    """A stopped simulator leaves nothing to the system; a late timer does nothing."""
    timers = Timers()
    syncing = Syncing("interval", timers)
    file = (tmp_path / "file").open("wb")
    syncing.appended(file)
    syncing.closing(file)
    (timer,) = timers.waiting
    assert (len(synced), timer.cancelled, file.closed) == (1, True, True)
    timer.run()
    assert len(synced) == 1


def test_no_write_waits_for_what_is_forced_behind_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk may be slow; what is written meanwhile is forced the next time."""
    begun, goes_on = threading.Event(), threading.Event()
    monkeypatch.setattr(os, "fsync", lambda _: (begun.set(), goes_on.wait(120)))
    timers = Timers()
    syncing = Syncing("interval", timers)
    with (tmp_path / "file").open("wb") as file:
        syncing.appended(file)
        with meanwhile(timers.waiting[0].run) as forcing:
            assert begun.wait(60)
            with meanwhile(lambda: syncing.appended(file)) as writing:
                try:
                    writing.result(60)
                    assert not forcing.done()
                finally:
                    goes_on.set()
        assert len(timers.waiting) == 2


def test_no_call_forces_the_journal_of_another_account(tmp_path: Path, synced: list[int]) -> None:
    """Unless many are open: a file that is to be forced within its second stays open until then."""
    opened = OpenJournals(2)
    with ExitStack() as stack:
        costs = []
        for n in range(5):
            path = tmp_path / f"account-{n}" / "journal.jsonl"
            db = stack.enter_context(Database(path, "interval", opened=opened))
            synced.clear()
            keep(db, application(1))
            costs.append(len(synced))
        assert costs == [2, 2, 2, 2, 3]  # the folder and its file, when they are made


def test_a_disk_that_cannot_force_takes_the_change_back(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With ``always``, what is not safe is not acknowledged."""

    def broken(_: int) -> None:
        raise OSError(5, "Input/output error")

    with Database(path, "always") as db:
        keep(db, application(1))
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", broken)
            with pytest.raises(StorageFailed, match="Input/output"):
                keep(db, application(2))
        assert ids(db.applications.every()) == ["app-1"]
        keep(db, application(3))
    with Database(path) as again:
        assert ids(again.applications.every()) == ["app-1", "app-3"]


@pytest.mark.parametrize(("fsync", "cost"), [("always", 3), ("interval", 3), ("never", 0)])
def test_a_file_is_forced_before_its_record(
    tmp_path: Path, synced: list[int], fsync: str, cost: int
) -> None:
    """Content, folder, and the one above when that is new; again is free."""
    files = DiskFiles(tmp_path / "files", fsync)
    for _ in range(2):
        files.keep(b"content")
    assert len(synced) == cost


@pytest.mark.skipif(sys.platform == "win32", reason="no folder is forced there")
@pytest.mark.parametrize("fsync", ["always", "interval", "never"])
def test_what_is_made_is_forced_with_its_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fsync: str
) -> None:
    """A file is nowhere after a loss of power, if a folder above it is not in its own."""
    forced: set[Identity] = set()
    monkeypatch.setattr(os, "fsync", lambda file: forced.add(identity_of(os.fstat(file))))
    state = tmp_path / "above" / "state"
    account = state / "accounts" / "MA"

    def claim() -> None:
        Claim(state, fsync).release()

    def write() -> None:
        with Database(account / "journal.jsonl", fsync) as db:
            keep(db, application(1))

    def keep_file() -> None:
        DiskFiles(account / "files", fsync).keep(b"content")

    for work, folders in (
        (claim, [tmp_path, state.parent, state]),
        (write, [account.parent, account]),
        (keep_file, [account, account / "files"]),
    ):
        forced.clear()
        work()
        wanted = {identity_at(each) for each in folders if fsync != "never"}
        assert wanted <= forced, work
        assert bool(forced) == (fsync != "never"), work


def test_a_folder_that_cannot_be_forced_is_not_made(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next write makes it, and forces it again."""

    def broken(_: int) -> None:
        raise OSError(5, "Input/output error")

    with Database(path, "always") as db:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", broken)
            with pytest.raises(StorageFailed, match="Input/output"):
                keep(db, application(1))
        assert not path.parent.exists()
        keep(db, application(1))


@pytest.mark.parametrize("room", [0, 3])
def test_a_full_disk_leaves_no_half_file(tmp_path: Path, disk: Disk, room: int) -> None:
    """Neither under the hash nor aside, and no folder for it."""
    files = DiskFiles(tmp_path / "MA" / "files")
    disk.room = room
    with pytest.raises(StorageFailed, match=FULL):
        files.keep(b"content")
    assert list(tmp_path.iterdir()) == []


def test_a_state_directory_needs_no_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container with a read-only root may have none that can be written."""
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", list)
    monkeypatch.setattr(tempfile, "tempdir", None)
    for name in [each for each in sys.modules if each.partition(".")[0] == "portalocker"]:
        monkeypatch.delitem(sys.modules, name)
    claim = Claim(tmp_path / "state")
    assert in_use(tmp_path / "state")
    claim.release()
    with pytest.raises(FileNotFoundError):
        tempfile.gettempdir()
