"""The journal on disk: what survives, what is refused, what is taken back."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from plivo_sim.account.store import compaction, journal
from plivo_sim.account.store import format as lines
from plivo_sim.account.store.database import Database
from plivo_sim.account.store.disk import open_file
from plivo_sim.account.store.journal import OpenJournals
from plivo_sim.domain.errors import StateUnreadable, StorageFailed
from tests.account.store.records import application, end_user, ids, keep
from tests.fakes import FULL, Disk, OnDisk, meanwhile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a journal is kept; its folder does not exist yet."""
    return tmp_path / "account" / "journal.jsonl"


def write(path: Path, *batches: list[Any]) -> bytes:
    """A journal with one transaction a batch; returns its bytes."""
    with Database(path) as db:
        for batch in batches:
            keep(db, *batch)
    return path.read_bytes()


def aliases(path: Path) -> list[str]:
    """What a journal holds."""
    with Database(path) as db:
        return [record.alias for record in db.applications.every()]


def test_a_transaction_is_one_line(path: Path) -> None:
    """After the header; each begins with a checksum."""
    lines = write(path, [application(1), application(2)], [application(3)]).splitlines()
    assert [len(line.split(b" ", 1)[0]) for line in lines] == [8, 8, 8]


def test_nothing_is_written_before_the_first_change(path: Path) -> None:
    """Opening and reading leave no file and no folder."""
    with Database(path) as db:
        assert list(db.applications.every()) == []
        with db.transaction():
            pass
    assert not path.parent.exists()


def test_a_failed_transaction_writes_nothing(path: Path) -> None:
    """The file stays as it is, byte for byte."""
    before = write(path, [application(1)])
    with Database(path) as db, pytest.raises(ValueError, match="not its own"):
        keep(db, application(2), application(1, id="app-3"))
    assert path.read_bytes() == before


def test_opening_changes_nothing(path: Path) -> None:
    """A whole journal is read, not rewritten."""
    before = write(path, [application(1)])
    assert aliases(path) == ["alias 1"]
    assert (path.read_bytes(), os.listdir(path.parent)) == (before, ["journal.jsonl"])


# --- files of another kind -------------------------------------------------------------------


def journal_of(*contents: Any, header: Any = None) -> bytes:
    """A journal with these lines, rightly checksummed."""
    named = {"format": lines.FORMAT, "account": "account"}
    whole, checksum = lines.line_of(header or named, 0)
    for content in contents:
        line, checksum = lines.line_of(content, checksum)
        whole += line
    return whole


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (journal_of(header={"format": 4}), "a newer plivo-sim: its format is 4, .* reads 3;"),
        (journal_of(header={"format": 2}), "an older plivo-sim: its format is 2, .* reads 3;"),
        (
            journal_of(header={"format": 3, "account": "MA1"}),
            "is the journal of account MA1, in the folder of another",
        ),
        (journal_of(header={"ops": []}), "not a plivo-sim journal"),
        (b'{"_default": {"1": {}}}', "not a plivo-sim journal"),
        (b"not ours\n" * 9, "not a plivo-sim journal"),
        (journal_of({"lost": [{"id": "a"}]}), "does not fit"),
        (journal_of({"gone": {"lost": ["a"]}}), "does not fit"),
        (journal_of([]), "does not fit"),
    ],
    ids=[
        "newer", "older", "another account's", "no header", "stock TinyDB", "text",
        "unknown table", "gone from an unknown table", "no object",
    ],
)  # fmt: skip
def test_a_file_of_another_kind_is_refused(path: Path, content: bytes, sentence: str) -> None:
    """Clearly, with what to do, and without touching it."""
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(StateUnreadable, match=f"(?s){sentence}.*another --state"):
        Database(path)
    assert (path.read_bytes(), os.listdir(path.parent)) == (content, [path.name])


def test_swapped_journals_are_refused(tmp_path: Path) -> None:
    """Each names its account; and a damaged header is not mended into another's."""
    first, second = (tmp_path / name / "journal.jsonl" for name in ("MA1", "MA2"))
    for path in (first, second):
        write(path, [application(1)])
    second.write_bytes(first.read_bytes())
    with pytest.raises(StateUnreadable, match="is the journal of account MA1"):
        Database(second)
    second.write_bytes(b"x" + first.read_bytes()[1:])
    with pytest.raises(StateUnreadable, match="is not a plivo-sim journal"):
        Database(second)


@pytest.mark.parametrize("kind", ["link", "dangling link", "fifo", "device"])
def test_what_is_no_file_is_refused(path: Path, kind: str) -> None:
    """At once: neither followed, nor waited for, nor read without end."""
    path.parent.mkdir()
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "link":
        elsewhere = path.parent / "elsewhere"
        elsewhere.write_bytes(journal_of())
        path.symlink_to(elsewhere)
    else:
        path.symlink_to({"device": "/dev/zero"}.get(kind, "nowhere"))
    with pytest.raises(StateUnreadable, match=r"cannot use .*: it is a link, a FIFO or a device"):
        Database(path)


def test_a_folder_in_its_place_is_refused(path: Path) -> None:
    """As unreadable state, not as a traceback."""
    path.mkdir(parents=True)
    with pytest.raises(StateUnreadable, match="cannot use"):
        Database(path)


# --- writing that fails ----------------------------------------------------------------------


@pytest.mark.parametrize("room", [0, 1, 8, 9, 100, 250])
def test_a_full_disk_takes_the_change_back(path: Path, disk: Disk, room: int) -> None:
    """However much of the line still went through; the next write works, and so does the file."""
    with Database(path) as db:
        keep(db, application(1))
        before = path.read_bytes()
        disk.room = room
        with pytest.raises(StorageFailed, match=FULL):
            keep(db, application(2), application(1, alias="changed"))
        disk.room = 1 << 30
        assert (path.read_bytes(), [a.alias for a in db.applications.every()]) == (
            before,
            ["alias 1"],
        )
        keep(db, application(3))
    assert aliases(path) == ["alias 1", "alias 3"]


@pytest.mark.parametrize("room", [0, 30, 100, 250])
def test_a_first_write_that_is_refused_leaves_no_journal(path: Path, disk: Disk, room: int) -> None:
    """One without a record, beside files that were uploaded for it, would be taken for damaged."""
    with Database(path) as db:
        disk.room = room
        for _ in range(2):
            with pytest.raises(StorageFailed, match=FULL):
                keep(db, application(1))
        assert not path.parent.exists()
        disk.room = 1 << 30
        keep(db, application(2))
    assert aliases(path) == ["alias 2"]


def test_a_line_taken_in_pieces_is_whole(path: Path) -> None:
    """A short write is not an error: the rest follows."""
    with Database(path) as db:
        keep(db, application(1))
        file: Any = db.journal._file

        class Slow(OnDisk):
            def write(self, content: Any) -> int:
                return super().write(content[:7])

        db.journal._file = Slow(Disk(), file)  # type: ignore[assignment]  # a fake
        keep(db, application(2))
    assert aliases(path) == ["alias 1", "alias 2"]


def test_a_half_line_that_cannot_be_cut_now_is_cut_later(
    path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It never stays between two good lines."""
    with Database(path) as db:
        keep(db, application(1))
        disk.room = 50
        with monkeypatch.context() as patch:
            patch.setattr(os, "truncate", _refuse)
            for _ in range(2):
                with pytest.raises(StorageFailed):
                    keep(db, application(2))
        disk.room = 1 << 30
        keep(db, application(3))
    assert aliases(path) == ["alias 1", "alias 3"]


def _refuse(*_: Any, **__: Any) -> None:
    raise OSError(5, "Input/output error")


LIMITED = """
    import resource, sys
    from pathlib import Path
    from plivo_sim.domain.errors import StorageFailed
    from plivo_sim.account.store.database import Database
    from tests.account.store.records import application, ids, keep

    with Database(Path(sys.argv[1])) as db:
        keep(db, application(1))
        size = Path(sys.argv[1]).stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, resource.RLIM_INFINITY))
        try:
            keep(db, application(2))
        except StorageFailed as error:
            print(error)
        print(Path(sys.argv[1]).stat().st_size == size, ids(db.applications.every()))
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        keep(db, application(3))
    with Database(Path(sys.argv[1])) as db:
        print(ids(db.applications.every()))
"""


def test_a_limit_of_the_operating_system_takes_the_change_back(path: Path) -> None:
    """The real thing: the kernel takes a part of the line, then refuses."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(LIMITED), str(path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    failure, *rest = done.stdout.splitlines()
    assert "File too large" in failure
    assert rest == ["True ['app-1']", "['app-1', 'app-3']"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_takes_the_change_back(path: Path) -> None:
    """And works once it has it."""
    path.parent.mkdir()
    path.parent.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with Database(path) as db:
        with pytest.raises(StorageFailed, match="Permission denied"):
            keep(db, application(1))
        path.parent.chmod(stat.S_IRWXU)
        keep(db, application(2))
    assert aliases(path) == ["alias 2"]


def test_a_folder_that_cannot_be_made_takes_the_change_back(path: Path) -> None:
    """Here a file is in its place; once it is gone, writing works."""
    path.parent.write_text("in the way")
    db = Database(path.parent / "sub" / path.name)
    with pytest.raises(StorageFailed, match="cannot write"):
        keep(db, application(1))
    assert len(db.applications) == 0
    path.parent.unlink()
    keep(db, application(2))
    db.close()
    assert aliases(path.parent / "sub" / path.name) == ["alias 2"]


def test_a_header_that_cannot_be_written_is_tried_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A journal never begins without one."""
    with Database(path) as db:
        with monkeypatch.context() as patch:
            patch.setattr(journal, "_write_all", _refuse)
            with pytest.raises(StorageFailed):
                keep(db, application(1))
        keep(db, application(2))
    assert aliases(path) == ["alias 2"]


# --- compaction ------------------------------------------------------------------------------


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Compaction begins early and goes in small pieces."""
    monkeypatch.setattr(journal, "COMPACT_OVER_BYTES", 2000)
    monkeypatch.setattr(compaction, "COMPACT_CHUNK", 3)
    return


@pytest.mark.usefixtures("tiny")
def test_compaction_keeps_everything_and_saves_space(path: Path) -> None:
    """The same records changed over and over do not fill the disk."""
    with Database(path) as db:
        for turn in range(100):
            keep(db, *(application(n, alias=f"{n} {turn}") for n in range(1, 8)))
        with db.transaction():
            db.end_users.put(end_user(9))
            db.applications.drop("app-7")
        expected = list(db.applications.every())
        largest = 6 * db.journal._size_compacted
        assert 0 < path.stat().st_size < largest < 45_000
    with Database(path) as db:
        assert (list(db.applications.every()), len(db.end_users)) == (expected, 1)


@pytest.mark.usefixtures("tiny")
def test_writing_goes_on_after_a_compaction(path: Path) -> None:
    """In the new file, not in the one that was replaced."""
    with Database(path) as db:
        while db.journal._size_compacted == 0:
            keep(db, application(1))
        keep(db, application(2))
    assert aliases(path) == ["alias 1", "alias 2"]


def _until_compaction(db: Database) -> None:
    for turn in range(20):
        keep(db, application(1, alias=f"turn {turn}"))


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize(
    ("part", "failing"),
    [(compaction.Compaction, "step"), (compaction.Compaction, "finish"), (os, "fsync"),
     (Path, "replace")],
)  # fmt: skip
def test_a_crash_during_compaction_leaves_the_old_journal(
    path: Path, monkeypatch: pytest.MonkeyPatch, part: Any, failing: str
) -> None:
    """Anywhere between its beginning and the renaming: what was acknowledged is there."""

    class Crash(BaseException):
        pass

    def crash(*_: Any) -> None:
        raise Crash

    db = Database(path)
    with monkeypatch.context() as patch:
        patch.setattr(part, failing, crash)
        with pytest.raises(Crash):
            _until_compaction(db)
    last = int(path.read_bytes().rpartition(b"turn ")[2].partition(b'"')[0])
    assert path.with_suffix(".new").exists()
    assert aliases(path) == [f"turn {last}"]
    assert not path.with_suffix(".new").exists()
    db.close()


@pytest.mark.usefixtures("tiny")
def test_the_directory_is_whole_at_every_step_of_a_compaction(path: Path, tmp_path: Path) -> None:
    """Copied after each write, as if the process had died there: every write is in the copy, and
    changes that were made while the compaction was under way are not undone by it."""
    seen = []
    with Database(path) as db:
        for turn in range(60):
            with db.transaction():
                db.applications.put(application(turn % 7 + 1, alias=f"turn {turn}"))
                db.applications.drop(f"app-{(turn + 3) % 7 + 1}")
            seen.append(path.with_suffix(".new").exists())
            copy = tmp_path / f"copy-{turn}" / path.parent.name
            shutil.copytree(path.parent, copy)
            with Database(copy / path.name) as died:
                assert list(died.applications.every()) == list(db.applications.every())
    assert {True, False} <= set(seen)
    assert seen.count(True) > 5


@pytest.mark.usefixtures("tiny")
def test_a_compaction_that_fails_fails_no_write(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It saves space, nothing else."""
    with Database(path) as db:
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", _refuse)
            _until_compaction(db)
        keep(db, application(2))
    assert aliases(path) == ["turn 19", "alias 2"]


def test_leftovers_of_a_compaction_are_ignored(path: Path) -> None:
    """Whatever is in them."""
    write(path, [application(1)])
    path.with_suffix(".new").write_bytes(b"half a file")
    assert aliases(path) == ["alias 1"]


@pytest.mark.parametrize(
    ("kept", "fails"), [({}, "unlink"), ({"app-2": application(2)}, "replace")]
)
def test_a_restore_that_cannot_be_written_changes_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch, kept: dict[str, Any], fails: str
) -> None:
    """Neither in memory nor on disk, and the store goes on."""
    with Database(path) as db:
        keep(db, application(1, status="accepted"))
        with monkeypatch.context() as patch:
            patch.setattr(Path, fails, _refuse)
            with pytest.raises(StorageFailed, match="Input/output"):
                db.restore({"applications": kept})
        assert ids(db.applications.having("status", "accepted")) == ["app-1"]
        keep(db, application(2))
    assert aliases(path) == ["alias 1", "alias 2"]


@pytest.mark.parametrize(
    "change",
    [
        lambda db: db.restore({}),
        lambda db: keep(db, application(2)),
        lambda db: db.drop_tables(),
    ],
    ids=["restore", "put", "drop_tables"],
)
def test_a_closed_journal_is_never_written(path: Path, change: Callable[[Database], None]) -> None:
    """Late threads of a stopped server must not write into a file that is another's now."""
    before = write(path, [application(1)])
    db = Database(path)
    db.close()
    with pytest.raises(StorageFailed, match="closed"):
        change(db)
    assert path.read_bytes() == before


# --- descriptors and folders -------------------------------------------------------------------


def descriptors() -> int:
    """How many this process has open."""
    return len(os.listdir("/dev/fd"))


def test_journals_that_rest_take_no_descriptor(tmp_path: Path) -> None:
    """Many accounts write in turn, some in the middle of a compaction, and nothing is lost."""
    opened = OpenJournals(3)
    with ExitStack() as stack:
        paths = [tmp_path / f"MA{n}" / "journal.jsonl" for n in range(12)]
        before = descriptors()
        stores = [stack.enter_context(Database(path, opened=opened)) for path in paths]
        for n in range(1, 4):
            for db in stores:
                keep(db, application(n))
            assert descriptors() - before == 3
    assert [aliases(path) for path in paths] == [["alias 1", "alias 2", "alias 3"]] * 12


def test_the_docs_say_how_many_journals_are_open() -> None:
    """Each more closes the one that was written to longest ago."""
    page = (Path(__file__).parents[3] / "docs" / "state.md").read_text()
    told = re.search(r"at most (\d+) are open", page)
    assert told is not None
    opened, rested = OpenJournals(), []
    for n in range(int(told[1]) + 1):
        assert rested == []
        opened.used(lambda _, n=n: rested.append(n) or True)  # type: ignore[misc]
    assert rested == [0]


def test_a_journal_whose_disk_is_slow_stays_open_longer(tmp_path: Path) -> None:
    """Another is closed instead: nobody waits for the write of somebody else."""
    opened = OpenJournals(2)
    with ExitStack() as stack:
        paths = [tmp_path / f"MA{n}" / "journal.jsonl" for n in range(4)]
        slow, *others = [stack.enter_context(Database(path, opened=opened)) for path in paths]
        before = descriptors()
        keep(slow, application(1))
        for guard in (slow.journal._guard, slow.journal._syncing._forcing):
            with guard:
                for db in others:
                    stack.enter_context(meanwhile(partial(keep, db, application(1)))).result(30)
                assert slow.journal._file is not None
                assert descriptors() - before == 2
        for db in others:
            keep(db, application(2))
        assert slow.journal._file is None


def test_a_journal_that_rests_goes_on_with_its_compaction(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which has a file open of its own. With many accounts each rests after each of its writes: if
    it began anew, it would never come to an end."""
    monkeypatch.setattr(journal, "COMPACT_OVER_BYTES", 1000)
    monkeypatch.setattr(compaction, "COMPACT_CHUNK", 1)
    before = descriptors()
    with Database(path) as db:
        for n in range(1, 5):
            keep(db, application(n))
        assert descriptors() - before == 2
        db.journal.rest()
        assert descriptors() == before
        for turn in range(200):
            for n in range(1, 8):
                keep(db, application(n, alias=f"{n} {turn}"))
                db.journal.rest()
        assert descriptors() == before
        assert 0 < path.stat().st_size < 6 * db.journal._size_compacted
    assert aliases(path) == [f"{n} 199" for n in range(1, 8)]


def test_a_compaction_whose_file_was_changed_meanwhile_is_given_up(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal stays as it is, and nothing is lost."""
    monkeypatch.setattr(journal, "COMPACT_OVER_BYTES", 1000)
    monkeypatch.setattr(compaction, "COMPACT_CHUNK", 1)
    with Database(path) as db:
        for n in range(1, 5):
            keep(db, application(n))
        db.journal.rest()
        aside = path.with_suffix(".new")
        aside.write_bytes(aside.read_bytes() + b"more")
        keep(db, application(5))
        assert not aside.exists()
    assert len(aliases(path)) == 5


@pytest.mark.skipif(sys.platform == "win32", reason="looks at hard links")
def test_what_has_another_name_is_not_emptied(path: Path, tmp_path: Path) -> None:
    """A file elsewhere that somebody put in the place of one that is written anew."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"precious")
    elsewhere.chmod(0o644)
    os.link(elsewhere, tmp_path / "linked")
    with pytest.raises(OSError, match="hard link"):
        open_file(tmp_path / "linked", "wb")
    assert elsewhere.read_bytes() == b"precious"
    assert elsewhere.stat().st_mode & 0o777 == 0o644


def test_a_journal_without_records_is_none(path: Path) -> None:
    """After a reset nothing is left on disk; the next write begins it."""
    with Database(path) as db:
        keep(db, application(1))
        db.reset()
        assert not path.exists()
        keep(db, application(2))
    assert aliases(path) == ["alias 2"]
