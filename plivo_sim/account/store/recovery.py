"""Reading a journal back, line by line, up to its end or to the first damage.

What a journal says after a damage cannot be trusted to fit what is before it: an application may
lack its end user, a decision its application. So the state is that of the last line before the
damage. The rest, damaged and whole lines alike, is moved to a file beside the journal that is
named after the place, ``journal.line-12.byte-3456.damaged``, and told of at every start for as
long as that file lies there.

A damaged header alone costs nothing: the second line's checksum proves what it said.
"""

from __future__ import annotations

import gc
import logging
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from plivo_sim.account.interfaces import Damage, Record
from plivo_sim.account.store.format import (
    FORMAT,
    HEADER,
    RECORD_TYPES,
    apply_line,
    format_of,
    is_whole,
    stated_checksum,
)
from plivo_sim.domain.errors import StateUnreadable

logger = logging.getLogger("plivo_sim")


MANY_RECORDS = 50_000


_ASIDE = re.compile(r"\.line-(\d+)\.byte-(\d+)(?:\.\d+)?\.damaged$")


@dataclass
class Kept:
    """What a journal held: up to ``size`` it is whole, ``checksum`` is that of its last line."""

    rows: dict[str, dict[str, Record]] = field(
        default_factory=lambda: {name: {} for name in RECORD_TYPES}
    )
    size: int = 0
    checksum: int = 0
    lines: int = 0


def read_journal(path: Path) -> Kept:
    """What the journal holds; its damaged rest is moved aside, and told of in the log.

    Raises StateUnreadable for a file that is no journal, is of a newer format or holds what this
    version does not know; OSError. Then the file is as it was.
    """
    with path.open("rb") as file, _collector_at_rest():
        kept = _read_header(path, file)
        file.seek(kept.size)
        for line in file:
            if not is_whole(line, kept.checksum):
                break
            _apply(path, kept, line)
        end = file.seek(0, os.SEEK_END)
        if kept.size < end:
            _keep_aside(path, file, kept)
    if sum(map(len, kept.rows.values())) > MANY_RECORDS:
        gc.freeze()  # or the collector walks through all of them, again and again, for nothing
    return kept


def damages_of(path: Path) -> list[Damage]:
    """The damaged rests of a journal that lie beside it, oldest first."""
    found = [p for p in path.parent.glob(f"{path.stem}.*.damaged") if _ASIDE.search(p.name)]
    return [_damage(path, each) for each in sorted(found, key=lambda p: p.stat().st_mtime_ns)]


def _apply(path: Path, kept: Kept, line: bytes) -> None:
    try:
        apply_line(line, kept.rows)
    except ValueError as error:
        raise StateUnreadable(
            f"{path} does not fit this version of plivo-sim (line {kept.lines + 1}: {error}); "
            f"use another --state"
        ) from None
    kept.size += len(line)
    kept.lines += 1
    kept.checksum = stated_checksum(line) or 0


# --- the header ------------------------------------------------------------------------------


def _read_header(path: Path, file: IO[bytes]) -> Kept:
    first = file.readline()
    format = format_of(first)
    if format is None:
        return _without_header(path, file, first)
    if format != FORMAT:
        other = "was written by a newer plivo-sim" if format > FORMAT else "is no journal"
        raise StateUnreadable(
            f"{path} {other}: its format is {format}, this one reads {FORMAT}; use another "
            f"--state, or the plivo-sim that wrote it"
        )
    return _after_header()


def _after_header() -> Kept:
    return Kept(size=len(HEADER), checksum=stated_checksum(HEADER) or 0, lines=1)


def _without_header(path: Path, file: IO[bytes], first: bytes) -> Kept:
    """A header that is damaged, or torn in the very first write."""
    if HEADER.startswith(first):
        return Kept()
    file.seek(len(HEADER))
    kept = _after_header()
    if is_whole(file.readline(), kept.checksum):
        _mend_header(path)
        return kept
    file.seek(0)
    if is_whole(first, 0) or not any(True for _ in _whole_lines(file)):
        raise StateUnreadable(f"{path} is not a plivo-sim journal; use another --state")
    return Kept()


def _mend_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(HEADER)
    logger.warning("%s: line 1, the header, was damaged and is mended; nothing is lost", path)


# --- the damaged rest ------------------------------------------------------------------------


def _keep_aside(path: Path, file: IO[bytes], kept: Kept) -> None:
    """Move what follows ``kept.size`` to a file of its own; only then is the journal cut."""
    aside = _free_name(path, kept.lines + 1, kept.size)
    file.seek(kept.size)
    new = aside.with_suffix(".new")
    with new.open("wb") as copy:
        shutil.copyfileobj(file, copy, 1 << 20)
        copy.flush()
        os.fsync(copy.fileno())
    new.replace(aside)
    os.truncate(path, kept.size)
    _tell(_damage(path, aside))


def _free_name(path: Path, line: int, offset: int) -> Path:
    for n in range(1, 1000):
        again = "" if n == 1 else f".{n}"
        aside = path.with_name(f"{path.stem}.line-{line}.byte-{offset}{again}.damaged")
        if not aside.exists():
            return aside
    raise StateUnreadable(f"{aside} and 998 like it are in the way; move them elsewhere")


def _damage(path: Path, aside: Path) -> Damage:
    place = _ASIDE.search(aside.name)
    assert place is not None
    with aside.open("rb") as file:
        first = file.readline()
        torn = not first.endswith(b"\n")
        file.seek(0)
        whole = sum(1 for _ in _whole_lines(file))
    return Damage(
        file=str(path),
        line=int(place[1]),
        offset=int(place[2]),
        size_bytes=aside.stat().st_size,
        whole_lines=whole,
        torn=torn,
        kept_in=str(aside),
    )


def _whole_lines(file: IO[bytes]) -> Iterator[bytes]:
    """Lines whose checksum holds, after whatever the line before them says of itself."""
    before = 0
    for line in file:
        if is_whole(line, before) or is_whole(line, 0):
            yield line
        before = stated_checksum(line) or 0


def _tell(damage: Damage) -> None:
    logger.log(logging.WARNING if damage.torn else logging.ERROR, "%s", damage)


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Nothing of what is read becomes garbage, so looking for garbage is only cost."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
