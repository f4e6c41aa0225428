"""A journal that was damaged: recovered up to the damage, the rest kept aside and told of."""

from __future__ import annotations

import errno
import logging
import random
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from plivo_sim.account.store import damage
from plivo_sim.account.store import format as lines
from plivo_sim.account.store.database import Database
from plivo_sim.account.store.disk import open_file
from plivo_sim.account.store.files import DiskFiles
from plivo_sim.domain.errors import StateUnreadable
from plivo_sim.domain.limits import DAMAGED_REST
from tests.account.store.records import application, ids, keep
from tests.fakes import FULL, Disk


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a journal is kept."""
    (tmp_path / "account").mkdir()
    return tmp_path / "account" / "journal.jsonl"


@pytest.fixture
def whole(path: Path) -> bytes:
    """A journal of four transactions, each an application."""
    with Database(path) as db:
        for n in (1, 2, 3, 4):
            keep(db, application(n, alias=f"ü {n}\n\r"))
    return path.read_bytes()


def start_of(whole: bytes, number: int) -> int:
    """The byte at which a line begins; the header is line 1."""
    return len(b"".join(whole.splitlines(keepends=True)[: number - 1]))


def flipped(whole: bytes, at: int) -> bytes:
    changed = bytearray(whole)
    changed[at] ^= 1 << at % 8
    return bytes(changed)


def held(path: Path) -> list[str]:
    """The ids of what a journal holds."""
    with Database(path) as db:
        return ids(db.applications.every())


def rest(path: Path) -> bytes:
    """What was kept aside."""
    (aside,) = path.parent.glob("*.damaged")
    return aside.read_bytes()


# --- a torn tail -----------------------------------------------------------------------------


def test_a_tail_torn_at_any_byte_costs_that_line_only(path: Path, whole: bytes) -> None:
    """Cut in the last line: the lines before it are there, the piece is kept aside, and writing
    goes on cleanly."""
    good = start_of(whole, 5)
    for end in (*range(good, len(whole), 19), *range(good, good + 12), len(whole) - 1):
        shutil.rmtree(path.parent)
        path.parent.mkdir()
        path.write_bytes(whole[:end])
        with Database(path) as db:
            assert ids(db.applications.every()) == ["app-1", "app-2", "app-3"], end
            keep(db, application(9))
            told = [(d.torn, d.line, d.offset, d.size_bytes) for d in db.journal.damages]
        assert told == ([(True, 5, good, end - good)] if end > good else [])
        if end > good:
            assert rest(path) == whole[good:end]
        assert held(path) == ["app-1", "app-2", "app-3", "app-9"]


def test_a_torn_header_is_an_empty_journal(path: Path, whole: bytes) -> None:
    """The process died in its very first write."""
    for end in range(whole.index(b"\n") + 1):
        path.write_bytes(whole[:end])
        with Database(path) as db:
            keep(db, application(7))
        assert held(path) == ["app-7"]


def test_two_torn_tails_are_both_kept_aside(path: Path, whole: bytes) -> None:
    """The second does not overwrite the first, though it is in the same place."""
    for piece in (b"12345678 first", b"12345678 second"):
        path.write_bytes(whole + piece)
        held(path)
    pieces = sorted(each.read_bytes() for each in path.parent.glob("*.damaged"))
    assert pieces == [b"12345678 first", b"12345678 second"]


# --- damage in the middle --------------------------------------------------------------------


def test_a_flipped_bit_anywhere_costs_that_line_and_what_follows(path: Path, whole: bytes) -> None:
    """Every 17th byte: never a crash, and the state is that of the lines before it."""
    starts = [start_of(whole, number) for number in range(1, 7)]
    for at in range(starts[1], len(whole), 17):
        shutil.rmtree(path.parent)
        path.parent.mkdir()
        path.write_bytes(flipped(whole, at))
        line = sum(start <= at for start in starts[:5])
        assert held(path) == [f"app-{n}" for n in range(1, line - 1)], at
        assert rest(path) == flipped(whole, at)[starts[line - 1] :]
        assert path.read_bytes() == whole[: starts[line - 1]]


def test_the_damage_is_told_with_its_place(
    path: Path, whole: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """File, line, byte, how much is kept where, and how many whole lines are among it."""
    third = start_of(whole, 3)
    path.write_bytes(flipped(whole, third + 30))
    with Database(path) as db:
        (told,) = db.journal.damages
    aside = path.with_name(f"journal.line-3.byte-{third}.damaged")
    assert (told.file, told.kept_in) == (str(path), str(aside))
    assert (told.line, told.offset, told.whole_lines) == (3, third, 2)
    assert (told.size_bytes, told.torn) == (len(whole) - third, False)
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == (
        f"{path} was DAMAGED; everything from there on is not in the state, 2 whole lines after "
        f"the damage among it, at line 3, byte {third}: {len(whole) - third} bytes are in {aside}"
    )


def test_whole_lines_are_counted_whatever_is_before_them(path: Path, whole: bytes) -> None:
    """Behind a damaged line, and behind the header of another journal that follows."""
    lines = whole.count(b"\n")
    path.write_bytes(flipped(whole, start_of(whole, 3) + 30) + whole)
    with Database(path) as db:
        (told,) = db.journal.damages
    assert told.whole_lines == lines - 3 + lines


def test_it_is_told_as_long_as_the_rest_lies_there(path: Path, whole: bytes) -> None:
    """At every start, until somebody has looked and taken the file away."""
    path.write_bytes(flipped(whole, start_of(whole, 3) + 30))
    held(path)
    with Database(path) as again:
        (told,) = again.journal.damages
    assert (told.line, told.whole_lines) == (3, 2)
    Path(told.kept_in).unlink()
    with Database(path) as db:
        assert db.journal.damages == []


@pytest.mark.parametrize(
    ("order", "left"),
    [
        ([0, 1, 3, 4], 1),
        ([0, 2, 3, 4], 0),
        ([0, 1, 2, 2, 3, 4], 2),
        ([0, 1, 3, 2, 4], 1),
    ],
    ids=["a line is missing", "the first is missing", "one is there twice", "two are swapped"],
)
def test_whole_lines_in_a_wrong_order_are_damage(
    path: Path, whole: bytes, order: list[int], left: int
) -> None:
    """Each line is right by itself; the chain of checksums sees it."""
    all_lines = whole.splitlines(keepends=True)
    path.write_bytes(b"".join(all_lines[number] for number in order))
    assert held(path) == [f"app-{n}" for n in range(1, left + 1)]


def test_a_cut_out_piece_is_damage(path: Path, whole: bytes) -> None:
    """Some bytes of the middle are gone, newlines too."""
    path.write_bytes(whole[: start_of(whole, 2) + 50] + whole[start_of(whole, 4) + 7 :])
    assert held(path) == []


def test_any_garbage_over_any_place_is_survived(path: Path, whole: bytes) -> None:
    """Eighty blocks of noise, zeros or nothing: what is before them is there."""
    dice = random.Random(7)
    for _ in range(80):
        shutil.rmtree(path.parent)
        path.parent.mkdir()
        at, length = dice.randrange(len(whole)), dice.choice([1, 2, 17, 300])
        noise = dice.choice([dice.randbytes(length), b"\x00" * length, b"", b"\n" * length])
        spoilt = whole[:at] + noise + whole[at + length :]
        path.write_bytes(spoilt)
        before = sum(start_of(whole, number + 1) <= at for number in range(2, 6))
        try:
            assert held(path)[:before] == [f"app-{n}" for n in range(1, before + 1)]
        except StateUnreadable:
            assert at < start_of(whole, 2)
            assert path.read_bytes() == spoilt


def test_what_cannot_be_kept_aside_is_not_cut(path: Path, whole: bytes, disk: Disk) -> None:
    """On a full disk the journal stays as it is, and the start is refused."""
    spoilt = flipped(whole, start_of(whole, 3) + 30)
    path.write_bytes(spoilt)
    disk.room = 3
    with pytest.raises(StateUnreadable, match=FULL):
        Database(path)
    disk.room = 1 << 30
    assert path.read_bytes() == spoilt
    assert held(path) == ["app-1"]


def test_what_follows_a_recovery_is_kept(path: Path, whole: bytes) -> None:
    """The chain goes on from the last good line."""
    path.write_bytes(flipped(whole, start_of(whole, 3) + 30))
    with Database(path) as db:
        keep(db, application(8))
    assert held(path) == ["app-1", "app-8"]


# --- uploaded files of which no record is left -----------------------------------------------


@pytest.mark.parametrize("left", ["nothing", "a header", "what is before a damage"])
def test_files_without_a_record_are_kept_aside(
    path: Path, whole: bytes, caplog: pytest.LogCaptureFixture, left: str
) -> None:
    """They would be swept, though what says whose they are may only be lost, not gone."""
    header = whole[: start_of(whole, 2)]
    if left == "what is before a damage":  # which somebody has looked at, and moved away
        path.write_bytes(flipped(whole, len(header) + 30))
        held(path)
        rest(path)
        (moved,) = path.parent.glob("*.damaged")
        moved.unlink()
    else:
        path.write_bytes(header if left == "a header" else b"")
    name = DiskFiles(path.with_name("files")).keep(b"%PDF-")
    assert held(path) == []
    aside = path.with_name("journal.line-1.byte-0.files.damaged")
    told = (
        f"{path} was DAMAGED; none of its records is left: 5 bytes of uploaded files are in {aside}"
    )
    assert (logging.ERROR, told) in [(each.levelno, each.getMessage()) for each in caplog.records]
    assert (aside / name).read_bytes() == b"%PDF-"
    for _ in range(2):
        with Database(path) as db:
            assert told in map(str, db.journal.damages)
            keep(db, application(7))


def test_files_of_a_journal_of_zeros_are_kept_aside_with_it(path: Path, whole: bytes) -> None:
    """Both are told of; those of a torn first line, which was not acknowledged, stay."""
    name = DiskFiles(path.with_name("files")).keep(b"%PDF-")
    path.write_bytes(whole[:40])
    with Database(path) as db:
        assert [each.torn for each in db.journal.damages] == [True]
    assert path.with_name("files").is_dir()
    path.write_bytes(bytes(len(whole)))
    with Database(path) as db:
        assert sorted(each.size_bytes for each in db.journal.damages) == [5, 40, len(whole)]
    assert (path.with_name("journal.line-1.byte-0.files.damaged") / name).read_bytes() == b"%PDF-"


@pytest.mark.parametrize("beside", ["no folder", "an empty one", "what is not ours", "a link"])
def test_an_empty_journal_without_files_is_no_damage(
    path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, beside: str
) -> None:
    """Such as a kill leaves when it was just made. The log says that there is one, as a loss of
    power may leave it, too."""
    path.touch(mode=0o600)
    folder = path.with_name("files")
    if beside == "a link":
        DiskFiles(tmp_path / "other" / "files").keep(b"%PDF-")
        folder.symlink_to(tmp_path / "other" / "files")
    elif beside != "no folder":
        folder.mkdir()
    if beside == "what is not ours":
        (folder / "thesis.txt").touch()
    before = sorted(tmp_path.rglob("*"))
    with Database(path) as db:
        assert db.journal.damages == []
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith(f"{path} has no record: ")
    assert sorted(tmp_path.rglob("*")) == before


# --- the header ------------------------------------------------------------------------------


def test_a_damaged_header_costs_nothing(
    path: Path, whole: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """The second line proves what it said: any bit of it is mended, and told."""
    for at in range(start_of(whole, 2)):
        path.write_bytes(flipped(whole, at))
        assert held(path) == ["app-1", "app-2", "app-3", "app-4"]
        assert path.read_bytes() == whole
    assert "the header, was damaged and is mended" in caplog.text


def test_a_damaged_beginning_costs_all_but_is_told(path: Path, whole: bytes) -> None:
    """Header and first line: nothing can be trusted, and nothing is thrown away."""
    spoilt = flipped(flipped(whole, 5), 60)
    path.write_bytes(spoilt)
    assert held(path) == []
    assert rest(path) == spoilt


@pytest.mark.parametrize("kind", ["all", "some", "the header and more", "half of the header"])
def test_zeros_in_the_place_of_the_header_are_damage(path: Path, whole: bytes, kind: str) -> None:
    """As a loss of power leaves them: kept aside and told like any other, not taken for a file that
    is not ours."""
    header, length = start_of(whole, 2), len(whole)
    spoilt = {
        "all": bytes(length),
        "some": bytes(7),
        "the header and more": bytes(header + 9) + whole[header + 9 : header + 50],
        "half of the header": whole[: header // 2] + bytes(length),
    }[kind]
    path.write_bytes(spoilt)
    with Database(path) as db:
        assert ids(db.applications.every()) == []
        (told,) = db.journal.damages
        assert (told.line, told.offset, told.size_bytes) == (1, 0, len(spoilt))
        assert not told.torn
        keep(db, application(7))
    assert (rest(path), held(path)) == (spoilt, ["app-7"])


def test_a_header_of_zeros_costs_nothing(path: Path, whole: bytes) -> None:
    """The second line proves what it said."""
    header = start_of(whole, 2)
    path.write_bytes(bytes(header) + whole[header:])
    assert held(path) == ["app-1", "app-2", "app-3", "app-4"]
    assert (path.read_bytes(), [*path.parent.glob("*.damaged")]) == (whole, [])


def test_a_whole_line_that_no_record_can_be_is_damage(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Told like any other, with what is wrong; the state is that of the line before it."""
    with Database(path) as db:
        keep(db, application(1))
        checksum = damage.stated_checksum(path.read_bytes().splitlines()[-1])
    wrong, _ = lines.line_of({"applications": [{"id": "a"}]}, checksum or 0)
    path.write_bytes(path.read_bytes() + wrong)
    assert held(path) == ["app-1"]
    assert rest(path) == wrong
    assert "line 3: applications[0].seq: is required" in caplog.text


# --- rests and lines that are huge -----------------------------------------------------------

PIECE = 64
MOST = 2000


class Taken:
    """A file that counts what it gives."""

    def __init__(self, file: Any, sizes: list[int]) -> None:
        self._file, self._sizes = file, sizes

    def read(self, most: int) -> bytes:
        return self._noted(self._file.read(most))

    def readline(self, most: int = -1) -> bytes:
        return self._noted(self._file.readline(most))

    def _noted(self, piece: bytes) -> bytes:
        self._sizes.append(len(piece))
        return piece

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> Taken:
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()


def over_a_piece(whole: bytes) -> list[int]:
    """The lengths of the lines that are longer."""
    return [len(line) for line in whole.splitlines(keepends=True) if len(line) > PIECE]


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes of a journal were taken at once, each time; with limits that are small."""
    sizes: list[int] = []

    def opened(*args: Any) -> Any:
        return Taken(open_file(*args), sizes)

    for module in (damage, lines):
        monkeypatch.setattr(module, "PIECE_BYTES", PIECE)
        monkeypatch.setattr(module, "open_file", opened)
    monkeypatch.setattr(damage, "LEAST_DAMAGED_BYTES", 100)
    monkeypatch.setattr(damage, "DAMAGED_REST", replace(DAMAGED_REST, most=MOST))
    return sizes


def test_lines_longer_than_a_piece_are_read(path: Path, whole: bytes, taken: list[int]) -> None:
    """Their checksums are found right in pieces; each is then taken as one."""
    assert held(path) == ["app-1", "app-2", "app-3", "app-4"]
    assert max(taken) == max(map(len, whole.splitlines(keepends=True))) > PIECE
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    "tail",
    [bytes(500), b"x" * 500, b'01234567 {"a": "' + b"x" * 500, b"01234567 {" + bytes(500)],
    ids=["zeros", "text", "text that begins as a line does", "zeros in a line"],
)
def test_a_tail_without_a_line_is_read_and_copied_in_pieces(
    path: Path, whole: bytes, taken: list[int], tail: bytes
) -> None:
    """It is not taken as one line, which could be of any size."""
    path.write_bytes(whole + tail)
    assert held(path) == ["app-1", "app-2", "app-3", "app-4"]
    assert [size for size in taken if size > PIECE] == over_a_piece(whole)
    assert rest(path) == tail


def test_zeros_are_no_torn_line(path: Path, whole: bytes) -> None:
    """After a loss of power they may be in the place of lines that were acknowledged."""
    for zeros in (bytes(20), b"01234567 {" + bytes(20)):
        path.write_bytes(whole + zeros)
        with Database(path) as db:
            assert not db.journal.damages[-1].torn


def test_of_a_rest_that_is_too_large_to_copy_the_journal_itself_is_kept(
    path: Path, whole: bytes, taken: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    """Under a name that says so, as it was; it is told with its place, at every start."""
    end = start_of(whole, 3)
    spoilt = flipped(whole, end + 30) + bytes(MOST + len(whole))
    path.write_bytes(spoilt)
    before = path.stat()
    assert held(path) == ["app-1"]
    assert path.read_bytes() == whole[:end]
    assert sum(taken) < 3 * len(whole) + 3 * MOST
    aside = path.with_name(f"journal.line-3.byte-{end}.whole.damaged")
    assert aside.read_bytes() == spoilt
    assert (aside.stat().st_ino, aside.stat().st_nlink) == (before.st_ino, 1)
    with Database(path) as db:
        keep(db, application(8))
        (told,) = db.journal.damages
    assert (told.kept_in, told.line, told.offset) == (str(aside), 3, end)
    assert (told.size_bytes, told.whole_lines, told.torn) == (len(spoilt) - end, 2, False)
    assert f"{told.size_bytes} bytes are in {aside}, which is all of the old journal" in caplog.text
    assert held(path) == ["app-1", "app-8"]


def test_a_rest_that_is_smaller_than_what_is_good_is_copied(
    path: Path, whole: bytes, taken: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever its size: it is less work than copying the other."""
    monkeypatch.setattr(damage, "DAMAGED_REST", replace(DAMAGED_REST, most=10))
    path.write_bytes(whole + bytes(20))
    assert held(path) == ["app-1", "app-2", "app-3", "app-4"]
    assert rest(path) == bytes(20)


def test_without_another_name_for_it_the_start_is_refused(
    path: Path, whole: bytes, taken: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a file system that has no hard links; the journal is as it was."""

    def fail(*args: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    spoilt = whole + bytes(MOST + len(whole))
    path.write_bytes(spoilt)
    monkeypatch.setattr("os.link", fail)
    told = f"from byte {len(whole)} on it is damaged, {MOST + len(whole)} bytes that are too many"
    with pytest.raises(StateUnreadable, match=told):
        Database(path)
    assert path.read_bytes() == spoilt


def test_a_full_disk_keeps_no_half_copy(path: Path, whole: bytes, disk: Disk) -> None:
    """Which would take the last of its room."""
    path.write_bytes(whole + bytes(200))
    disk.room = 3
    with pytest.raises(StateUnreadable, match=FULL):
        Database(path)
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_huge_file_that_is_no_journal_is_refused_at_once(path: Path, taken: list[int]) -> None:
    """Looked through as far as a rest is."""
    path.write_bytes(b"x" * 100 * MOST)
    with pytest.raises(StateUnreadable, match="is not a plivo-sim journal"):
        Database(path)
    assert sum(taken) < 2 * MOST
    assert max(taken) == PIECE


def test_lines_too_short_to_be_any_are_not_all_looked_at(
    path: Path, whole: bytes, taken: list[int]
) -> None:
    """Each costs as much time as a longer one."""
    path.write_bytes(whole + b"\n" * MOST + whole)
    with Database(path) as db:
        (told,) = db.journal.damages
    assert (told.whole_lines, told.torn) == (0, False)
    assert 0 < taken.count(1) <= MOST // 100 + 2  # once: each takes time


def test_a_hole_in_the_middle_of_a_line_is_not_read_through(
    path: Path, whole: bytes, taken: list[int]
) -> None:
    """It may be of any size; nothing that was written has a zero byte."""
    path.write_bytes(whole + b"01234567 {" + bytes(100 * MOST))
    assert held(path) == ["app-1", "app-2", "app-3", "app-4"]
    assert sum(taken) < 6 * len(whole) + 6 * MOST
