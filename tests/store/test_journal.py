"""The journal on disk: what survives, what is refused, what is taken back."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from plivo_sim.domain.statuses import Status
from plivo_sim.errors import StateUnreadable, StorageFailed
from plivo_sim.store import journal
from plivo_sim.store.database import Database
from tests.store.records import application, end_user, ids, keep


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


# --- a torn tail -----------------------------------------------------------------------------


def test_a_tail_torn_at_any_byte_costs_that_line_only(path: Path) -> None:
    """Cut anywhere in the last line: the lines before it are there, the piece is kept aside, and
    writing goes on cleanly."""
    whole = write(path, [application(1)], [application(2)], [application(3, alias="ü\n\r torn")])
    good = len(b"".join(whole.splitlines(keepends=True)[:3]))
    for end in range(good, len(whole)):
        shutil.rmtree(path.parent)
        path.parent.mkdir()
        path.write_bytes(whole[:end])
        with Database(path) as db:
            assert ids(db.applications.every()) == ["app-1", "app-2"], end
            assert db.journal.damaged_bytes == end - good
            keep(db, application(4))
        damaged = path.with_suffix(".damaged")
        assert (damaged.read_bytes() if damaged.exists() else b"") == whole[good:end]
        with Database(path) as db:
            assert ids(db.applications.every()) == ["app-1", "app-2", "app-4"]


def test_a_torn_header_is_an_empty_journal(path: Path) -> None:
    """The process died in its very first write."""
    whole = write(path, [application(1)])
    for end in range(whole.index(b"\n") + 1):
        path.write_bytes(whole[:end])
        with Database(path) as db:
            keep(db, application(2))
        assert aliases(path) == ["alias 2"]


def test_two_torn_tails_are_both_kept_aside(path: Path) -> None:
    """The second does not overwrite the first."""
    whole = write(path, [application(1)])
    for piece in (b"12345678 first", b"12345678 second"):
        path.write_bytes(whole + piece)
        assert aliases(path) == ["alias 1"]
    assert path.with_suffix(".damaged").read_bytes() == b"12345678 first12345678 second"


def test_a_torn_tail_is_told(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The log names the file and how much is gone."""
    path.write_bytes(write(path, [application(1)]) + b"torn")
    aliases(path)
    assert "4 bytes moved" in caplog.text
    assert str(path) in caplog.text


def test_a_flipped_bit_in_the_last_line_costs_that_line(path: Path) -> None:
    """Any bit of it; the checksum sees each."""
    whole = write(path, [application(1)], [application(2)])
    start = whole.rindex(b"\n", 0, -1) + 1
    for at in range(start, len(whole)):
        flipped = bytearray(whole)
        flipped[at] ^= 1 << at % 8
        path.write_bytes(flipped)
        assert aliases(path) == ["alias 1"], at


def test_damage_before_whole_lines_is_refused(path: Path) -> None:
    """Cutting there would lose acknowledged transactions: the file is left alone."""
    damaged = bytearray(write(path, [application(1)], [application(2)], [application(3)]))
    damaged[damaged.index(b"alias 1")] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(StateUnreadable, match="damaged at byte"):
        Database(path)
    assert path.read_bytes() == damaged


@pytest.mark.parametrize("flipped", [0, 9, 20])
def test_a_damaged_header_is_refused(path: Path, flipped: int) -> None:
    """And the file is left alone."""
    damaged = bytearray(write(path, [application(1)]))
    damaged[flipped] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(StateUnreadable, match=r"journal\.jsonl"):
        Database(path)
    assert path.read_bytes() == damaged


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (journal._line({"format": journal.FORMAT + 1}), "newer plivo-sim"),
        (journal._line({"ops": []}), "not a plivo-sim journal"),
        (b'{"_default": {"1": {}}}', "not a plivo-sim journal"),
        (b"\x00" * 100, "not a plivo-sim journal"),
        (journal._HEADER + journal._line({"ops": [["lost", "a", {}]]}), "does not fit"),
        (
            journal._HEADER + journal._line({"ops": [["applications", "a", {"id": "a"}]]}),
            "does not fit",
        ),
    ],
    ids=["newer", "no header", "stock TinyDB", "zeros", "unknown table", "other record"],
)
def test_a_file_of_another_kind_is_refused(path: Path, content: bytes, sentence: str) -> None:
    """Clearly, with what to do, and without touching it."""
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(StateUnreadable, match=f"(?s){sentence}.*another --state"):
        Database(path)
    assert path.read_bytes() == content


def test_a_folder_in_its_place_is_refused(path: Path) -> None:
    """As unreadable state, not as a traceback."""
    path.mkdir(parents=True)
    with pytest.raises(StateUnreadable, match="cannot use"):
        Database(path)


# --- writing that fails ----------------------------------------------------------------------


class FullDisk:
    """A file that takes only so many bytes more, as on a disk that fills up."""

    def __init__(self, file: Any, room: int) -> None:
        self._file = file
        self.room = room

    def write(self, content: Any) -> int:
        if self.room == 0:
            raise OSError(28, "No space left on device")
        written: int = self._file.write(bytes(content[: self.room]))
        self.room -= written
        return written

    def close(self) -> None:
        self._file.close()


@pytest.mark.parametrize("room", [0, 1, 8, 9, 100, 250])
def test_a_full_disk_takes_the_change_back(path: Path, room: int) -> None:
    """However much of the line still went through; the next write works, and so does the file."""
    with Database(path) as db:
        keep(db, application(1))
        before = path.read_bytes()
        db.journal._file = FullDisk(db.journal._file, room)  # type: ignore[assignment]  # a fake
        with pytest.raises(StorageFailed, match="No space left"):
            keep(db, application(2), application(1, alias="changed"))
        assert (path.read_bytes(), [a.alias for a in db.applications.every()]) == (
            before,
            ["alias 1"],
        )
        keep(db, application(3))
    assert aliases(path) == ["alias 1", "alias 3"]


def test_a_line_taken_in_pieces_is_whole(path: Path) -> None:
    """A short write is not an error: the rest follows."""
    with Database(path) as db:
        keep(db, application(1))
        file = db.journal._file

        class Slow(FullDisk):
            def write(self, content: Any) -> int:
                return super().write(content[:7])

        db.journal._file = Slow(file, 10**6)  # type: ignore[assignment]  # a fake
        keep(db, application(2))
    assert aliases(path) == ["alias 1", "alias 2"]


def test_a_half_line_that_cannot_be_cut_now_is_cut_later(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It never stays between two good lines."""
    with Database(path) as db:
        keep(db, application(1))
        db.journal._file = FullDisk(db.journal._file, 50)  # type: ignore[assignment]  # a fake
        with monkeypatch.context() as patch:
            patch.setattr(os, "truncate", _refuse)
            for _ in range(2):
                with pytest.raises(StorageFailed):
                    keep(db, application(2))
        keep(db, application(3))
    assert aliases(path) == ["alias 1", "alias 3"]


def _refuse(*_: Any) -> None:
    raise OSError(5, "Input/output error")


LIMITED = """
    import resource, sys
    from pathlib import Path
    from plivo_sim.errors import StorageFailed
    from plivo_sim.store.database import Database
    from tests.store.records import application, ids, keep

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
        cwd=Path(__file__).parents[2],
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
    monkeypatch.setattr(journal, "COMPACT_CHUNK", 3)
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
        assert 0 < path.stat().st_size < largest < 40_000
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
@pytest.mark.parametrize("failing", ["replace", "fsync"])
def test_a_crash_during_compaction_leaves_the_old_journal(
    path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    """Between writing aside and renaming: what was acknowledged is there."""

    class Crash(BaseException):
        pass

    def crash(*_: Any) -> None:
        raise Crash

    db = Database(path)
    with monkeypatch.context() as patch:
        patch.setattr(Path if failing == "replace" else os, failing, crash)
        with pytest.raises(Crash):
            _until_compaction(db)
    last = int(path.read_bytes().rpartition(b"turn ")[2].partition(b'"')[0])
    assert path.with_suffix(".new").exists()
    assert aliases(path) == [f"turn {last}"]
    db.close()


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


def test_a_restore_that_cannot_be_written_changes_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in memory nor on disk, and the store goes on."""
    with Database(path) as db:
        mark = db.mark()
        keep(db, application(1, status=Status.ACCEPTED))
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", _refuse)
            with pytest.raises(StorageFailed, match="Input/output"):
                db.restore(mark)
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
