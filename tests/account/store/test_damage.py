"""A journal that was damaged: recovered up to the damage, the rest kept aside and told of."""

from __future__ import annotations

import logging
import random
import shutil
from pathlib import Path

import pytest

from plivo_sim.account.store import format as lines
from plivo_sim.account.store.database import Database
from plivo_sim.domain.errors import StateUnreadable
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
        (damage,) = db.journal.damages
    aside = path.with_name(f"journal.line-3.byte-{third}.damaged")
    assert (damage.file, damage.kept_in) == (str(path), str(aside))
    assert (damage.line, damage.offset, damage.whole_lines) == (3, third, 2)
    assert (damage.size_bytes, damage.torn) == (len(whole) - third, False)
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
        (damage,) = db.journal.damages
    assert damage.whole_lines == lines - 3 + lines


def test_it_is_told_as_long_as_the_rest_lies_there(path: Path, whole: bytes) -> None:
    """At every start, until somebody has looked and taken the file away."""
    path.write_bytes(flipped(whole, start_of(whole, 3) + 30))
    held(path)
    with Database(path) as again:
        (damage,) = again.journal.damages
    assert (damage.line, damage.whole_lines) == (3, 2)
    Path(damage.kept_in).unlink()
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


def test_a_whole_line_that_no_record_can_be_is_damage(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Told like any other, with what is wrong; the state is that of the line before it."""
    with Database(path) as db:
        keep(db, application(1))
        checksum = lines.stated_checksum(path.read_bytes().splitlines()[-1])
    wrong, _ = lines.line_of({"applications": [{"id": "a"}]}, checksum or 0)
    path.write_bytes(path.read_bytes() + wrong)
    assert held(path) == ["app-1"]
    assert rest(path) == wrong
    assert "line 3: applications[0].seq: is required" in caplog.text
