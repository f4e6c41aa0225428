"""The damaged rest of a journal, told of and kept aside; which lines are whole.

What a journal says after a damage cannot be trusted to fit what is before it: an application may
lack its end user, a decision its application. So the state is that of the last line before the
damage. The rest, damaged and whole lines alike, is moved to a file beside the journal that is named
after the place, ``journal.line-12.byte-3456.damaged``, and told of at every start for as long as
that file lies there. A rest that is too large to copy, such as the hole that ``truncate`` makes,
stays where it is: the journal itself becomes ``journal.line-12.byte-3456.whole.damaged``, and a
copy of what is good of it takes its place. If no record is left, uploaded files would be swept:
their folder becomes ``journal.line-1.byte-0.files.damaged``.

A line of more than ``PIECE_BYTES`` is not taken into memory before its checksum was found right.
"""

from __future__ import annotations

import logging
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO

from plivo_sim.account.interfaces import FILES, WHOLE, Damage
from plivo_sim.account.store.disk import is_folder, is_regular, open_file
from plivo_sim.domain.errors import StateUnreadable
from plivo_sim.domain.limits import DAMAGED_REST
from plivo_sim.domain.records import is_hash

logger = logging.getLogger("plivo_sim")

PIECE_BYTES = 1 << 20
LEAST_LINE_BYTES = 64
"""Hardly a transaction's line is shorter: those that are count as so long."""
LEAST_DAMAGED_BYTES = 1024
"""So long counts a line that is not whole: a damage spoils few, and all that is none is slow."""
_ASIDE = re.compile(r"\.line-(\d+)\.byte-(\d+)(?:\.\d+)?(\.whole|\.files)?\.damaged$")


# --- lines -----------------------------------------------------------------------------------


def stated_checksum(line: bytes) -> int | None:
    """What a line says its checksum is; None if it does not say."""
    try:
        return int(line[:8], 16) if len(line) > 9 and line[8:9] == b" " else None
    except ValueError:
        return None


def is_whole(line: bytes, before: int) -> bool:
    """Whether the line is as it was written, after a line with that checksum."""
    if not line.endswith(b"\n"):
        return False
    checksum = zlib.crc32(memoryview(line)[9:-1], before)
    return line[:9] == b"%08x " % checksum


def whole_line(file: IO[bytes], start: int, before: int) -> bytes:
    """The line that begins there, after one with that checksum; empty if none does, or a damaged
    one. The file is there already."""
    head, is_proven = _read_line(file, before)
    if not is_proven or head.endswith(b"\n"):
        return head if is_proven else b""
    file.seek(start)
    return file.readline()


def _read_line(file: IO[bytes], *befores: int) -> tuple[bytes, bool]:
    """The next line, or its first piece if it is longer; and whether it is whole, after a line with
    one of these checksums. Of one that cannot be, no more is read than shows that, so that the next
    one may begin within it."""
    head = file.readline(PIECE_BYTES)
    if stated_checksum(head) is None:
        return head, False
    if len(head) < PIECE_BYTES or head.endswith(b"\n"):
        return head, any(is_whole(head, before) for before in befores)
    sums = [zlib.crc32(memoryview(head)[9:], before) for before in befores]
    # No text of JSON has a zero byte; a hole in a file, however large, has nothing else.
    while (piece := file.readline(PIECE_BYTES)) and b"\0" not in piece:
        text = piece.removesuffix(b"\n")
        sums = [zlib.crc32(text, each) for each in sums]
        if len(text) < len(piece):
            return head, head[:9] in [b"%08x " % each for each in sums]
    return head, False


def whole_lines(file: IO[bytes]) -> Iterator[bytes]:
    """The beginnings of lines whose checksum holds, after whatever the line before them says of
    itself, as far as a rest is looked through."""
    before, ends_at = 0, file.tell() + DAMAGED_REST.most
    while file.tell() < ends_at:
        head, is_proven = _read_line(file, before, 0)
        if is_proven:
            yield head
        elif not head:
            return
        before = stated_checksum(head) or 0
        least = LEAST_LINE_BYTES if is_proven else LEAST_DAMAGED_BYTES
        ends_at -= max(least - len(head), 0)


# --- the rest --------------------------------------------------------------------------------


def keep_aside(path: Path, start: int, end: int, line: int) -> Path:
    """Have what is between ``start`` and the end in another file, which is returned; only then is
    it not in the journal any more. Raises OSError, StateUnreadable; then the journal is as it was.
    """
    rest = end - start
    if rest > max(DAMAGED_REST.most, start):
        aside = _free_name(path, line, start, WHOLE)
        new = _copy(path, 0, start, path.with_suffix(".new"))
        try:
            os.link(path, aside)
        except OSError as error:
            raise StateUnreadable(
                f"{path}: from byte {start} on it is damaged, {rest} bytes that are too many to"
                f" copy, and it cannot get another name here ({error.strerror}); move it elsewhere,"
                f" and a copy of its first {start} bytes into its place"
            ) from None
        new.replace(path)
    else:
        aside = _free_name(path, line, start, ".damaged")
        _copy(path, start, rest, aside.with_suffix(".new")).replace(aside)
        os.truncate(path, start)
    return aside


def keep_files_aside(path: Path) -> Path | None:
    """Have the uploaded files of a journal without records in a folder of another name, which is
    returned; None when there are none. Raises OSError, StateUnreadable; then they are where they
    were."""
    folder = path.with_name("files")
    if not is_folder(folder) or not any(map(is_hash, os.listdir(folder))):
        return None
    return folder.rename(_free_name(path, 1, 0, FILES))


def _copy(path: Path, start: int, left: int, to: Path) -> Path:
    """So many bytes of a file, from there on, as another file. Raises OSError."""
    with open_file(path, "rb") as file, open_file(to, "wb") as copy:
        file.seek(start)
        try:
            while left and (piece := file.read(min(left, PIECE_BYTES))):
                copy.write(piece)
                left -= len(piece)
            copy.flush()
            os.fsync(copy.fileno())
        except OSError:
            with suppress(OSError):
                to.unlink()
            raise
    return to


def _free_name(path: Path, line: int, start: int, suffix: str) -> Path:
    for n in range(1, 1000):
        place = f"line-{line}.byte-{start}{'' if n == 1 else f'.{n}'}"
        aside = path.with_name(f"{path.stem}.{place}{suffix}")
        if not os.path.lexists(aside):
            return aside
    raise StateUnreadable(f"{aside} and 998 like it are in the way; move them elsewhere")


def _damage(path: Path, aside: Path) -> Damage:
    place = _ASIDE.search(aside.name)
    assert place is not None
    offset = int(place[2])
    size, whole, torn = (
        (sum(each.lstat().st_size for each in aside.iterdir()), 0, False)
        if aside.name.endswith(FILES)
        else _look_through(aside, offset if place[3] else 0)
    )
    return Damage(
        file=str(path),
        line=int(place[1]),
        offset=offset,
        size_bytes=size,
        whole_lines=whole,
        torn=torn,
        kept_in=str(aside),
    )


def _look_through(aside: Path, start: int) -> tuple[int, int, bool]:
    """Of what is there from a byte on: its size, how many lines are whole, whether it is a torn
    one."""
    with open_file(aside, "rb") as file:
        size = max(os.fstat(file.fileno()).st_size - start, 0)
        file.seek(start)
        whole = sum(1 for _ in whole_lines(file))
        file.seek(start)
        return size, whole, size <= DAMAGED_REST.most and _is_torn(file)


def _is_torn(file: IO[bytes]) -> bool:
    """Whether all that follows is the beginning of a line; zeros are of none."""
    pieces = iter(partial(file.readline, PIECE_BYTES), b"")
    return not any(piece.endswith(b"\n") or b"\0" in piece for piece in pieces)


def _tell(damage: Damage) -> None:
    logger.log(logging.WARNING if damage.torn else logging.ERROR, "%s", damage)


def damages_of(path: Path, new: Path | None) -> list[Damage]:
    """The damaged rests of a journal that lie beside it, oldest first; of the new one the log tells
    too."""
    found = [
        each
        for each in path.parent.glob(f"{path.stem}.*.damaged")
        if _ASIDE.search(each.name)
        and (is_folder(each) if each.name.endswith(FILES) else is_regular(each))
    ]
    damages = {
        each: _damage(path, each) for each in sorted(found, key=lambda p: p.stat().st_mtime_ns)
    }
    if new is not None:
        _tell(damages[new])
    return [*damages.values()]
