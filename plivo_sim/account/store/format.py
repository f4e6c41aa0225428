"""The lines of a journal: one transaction each, behind a checksum that chains them.

``crc32 json\n``, the checksum begun with that of the line before: so a flipped bit is seen, and so
is a line that is missing, twice there or out of its place. The first line is the header, which
names the format and the account, after which the journal's folder is called. The others are
``{"table": [record, ...], ..., "gone": {"table": [id, ...]}}``: a whole line is decoded at once,
which makes opening a large journal several times faster.

Reading a journal back, line by line, up to its end or to the first damage (see ``damage``). A line
that is whole, but holds what no record can be, is damage too.

A damaged header alone costs nothing: the second line's checksum proves what it said. Zero bytes in
its place are damage, too; what else is not a header, with no whole line behind it, is no journal.
"""

from __future__ import annotations

import gc
import logging
import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import msgspec

from plivo_sim.account.interfaces import Record
from plivo_sim.account.store.damage import (
    PIECE_BYTES,
    is_whole,
    keep_aside,
    stated_checksum,
    whole_line,
    whole_lines,
)
from plivo_sim.account.store.directory import account_of
from plivo_sim.account.store.disk import open_file
from plivo_sim.domain.errors import StateUnreadable
from plivo_sim.domain.records import (
    Application,
    AtomsApplication,
    Delivery,
    Document,
    EndUser,
    Explanation,
    Ledger,
    PhoneNumber,
    Policy,
    Timer,
)
from plivo_sim.domain.text import decode_json, encode_json
from plivo_sim.domain.typed import decoded, decoder_of, fitted

RECORD_TYPES: dict[str, type[Any]] = {
    "ledger": Ledger,
    "end_users": EndUser,
    "documents": Document,
    "applications": Application,
    "numbers": PhoneNumber,
    "timers": Timer,
    "deliveries": Delivery,
    "policies": Policy,
    "explanations": Explanation,
    "atoms_applications": AtomsApplication,
}


def to_plain(record: Record) -> dict[str, Any]:
    """A record as the plain JSON-able mapping that TinyDB stores and queries."""
    plain: dict[str, Any] = msgspec.to_builtins(record)
    return plain


def from_plain(table: str, plain: object) -> Record:
    """The reverse; raises ValueError with the path of what does not fit."""
    record: Record = fitted(plain, RECORD_TYPES[table])
    return record


FORMAT = 3

Op = tuple[str, str, Record | None]
"""Table, id, the record as it is now (None: removed)."""


class _Header(msgspec.Struct):
    format: int
    account: str = ""


_Line = msgspec.defstruct(
    "_Line",
    [
        *((name, list[type_], []) for name, type_ in RECORD_TYPES.items()),  # type: ignore[valid-type]  # types known at run time
        ("gone", dict[str, list[str]], {}),
    ],
    forbid_unknown_fields=True,
)

_header_decoder = decoder_of(_Header)
_decoder: msgspec.json.Decoder[Any] = decoder_of(_Line)  # noqa: TID251  # the type's name


def line_of(content: object, before: int) -> tuple[bytes, int]:
    """A line and its checksum; ``before``: that of the line before it."""
    text = encode_json(content)
    checksum = zlib.crc32(text, before)
    return b"%08x %s\n" % (checksum, text), checksum


def header_of(path: Path) -> bytes:
    """The first line of the journal at this place."""
    return line_of({"format": FORMAT, "account": account_of(path.parent.name)}, 0)[0]


def _stated_header(line: bytes) -> _Header | None:
    """What a first line says; None if it is no header."""
    if not is_whole(line, 0):
        return None
    try:
        return _header_decoder.decode(line[9:-1])
    except msgspec.DecodeError:
        return None


def content_of(ops: Iterable[Op]) -> dict[str, Any]:
    """What the line of a transaction holds."""
    content: dict[str, Any] = {}
    gone: dict[str, list[str]] = {}
    for table, id, record in ops:
        if record is None:
            gone.setdefault(table, []).append(id)
        else:
            content.setdefault(table, []).append(record)
    if gone:
        content["gone"] = gone
    return content


class UnknownTable(ValueError):
    """Another version's: this one has no such table."""


def apply_line(line: bytes, rows: dict[str, dict[str, Any]]) -> None:
    """Do to the rows what a whole line says. Raises UnknownTable, and ValueError for a record that
    is not as it must be."""
    try:
        content = decoded(_decoder, memoryview(line)[9:-1])
    except ValueError as error:
        named = decode_json(line[9:-1])
        if not isinstance(named, dict) or named.keys() - {*RECORD_TYPES, "gone"}:
            raise UnknownTable(str(error)) from None
        raise
    for name in content.gone:
        if name not in rows:
            raise UnknownTable(f"no table {name!r}")
    for name in RECORD_TYPES:
        records = getattr(content, name)
        if records:
            kept = rows[name]
            for record in records:
                kept[record.id] = record
    for name, ids in content.gone.items():
        for id in ids:
            rows[name].pop(id, None)


logger = logging.getLogger("plivo_sim")

MANY_RECORDS = 50_000


@dataclass
class Kept:
    """What a journal held: up to ``size`` it is whole, ``checksum`` is that of its last line."""

    rows: dict[str, dict[str, Record]] = field(
        default_factory=lambda: {name: {} for name in RECORD_TYPES}
    )
    size: int = 0
    checksum: int = 0
    lines: int = 0
    aside: Path | None = None


def read_journal(path: Path) -> Kept:
    """What the journal holds; its damaged rest is moved to the file ``aside``.

    Raises StateUnreadable for a file that is no journal, is of a newer format or holds what this
    version does not know; OSError. Then the file is as it was.
    """
    with open_file(path, "rb") as file, _collector_at_rest():
        kept = _read_header(path, file)
        file.seek(kept.size)
        while line := whole_line(file, kept.size, kept.checksum):
            if not _apply(path, kept, line):
                break
        end = file.seek(0, os.SEEK_END)
    if kept.size < end:
        kept.aside = keep_aside(path, kept.size, end, kept.lines + 1)
    if sum(map(len, kept.rows.values())) > MANY_RECORDS:
        gc.freeze()  # or the collector walks through all of them, again and again, for nothing
    return kept


def _apply(path: Path, kept: Kept, line: bytes) -> bool:
    """Whether the line could be applied; else it is damage, and why is told."""
    number = kept.lines + 1
    try:
        apply_line(line, kept.rows)
    except UnknownTable as error:
        raise StateUnreadable(
            f"{path} does not fit this version of plivo-sim (line {number}: {error}); "
            f"use another --state"
        ) from None
    except ValueError as error:
        logger.error("%s, line %d: %s", path, number, error)
        return False
    kept.size += len(line)
    kept.lines += 1
    kept.checksum = stated_checksum(line) or 0
    return True


# --- the header ------------------------------------------------------------------------------


def _read_header(path: Path, file: IO[bytes]) -> Kept:
    first = file.readline(PIECE_BYTES)
    stated = _stated_header(first)
    if stated is None:
        return _without_header(path, file, first)
    if stated.format != FORMAT:
        other = f"was written by {'a newer' if stated.format > FORMAT else 'an older'} plivo-sim"
        raise StateUnreadable(
            f"{path} {other}: its format is {stated.format}, this one reads {FORMAT}; use another "
            f"--state, or the plivo-sim that wrote it"
        )
    if stated.account != account_of(path.parent.name):
        raise StateUnreadable(
            f"{path} is the journal of account {stated.account}, in the folder of another; put it "
            f"back, or use another --state"
        )
    return _after(header_of(path))


def _after(header: bytes) -> Kept:
    return Kept(size=len(header), checksum=stated_checksum(header) or 0, lines=1)


def _without_header(path: Path, file: IO[bytes], first: bytes) -> Kept:
    """A header that is damaged, or torn in the very first write."""
    header = header_of(path)
    if header.startswith(first):
        return Kept()
    kept = _after(header)
    file.seek(kept.size)
    if whole_line(file, kept.size, kept.checksum):
        _mend_header(path, header)
        return kept
    if _may_have_been(header, first):
        return Kept()
    file.seek(0)
    if is_whole(first, 0) or not any(True for _ in whole_lines(file)):
        raise StateUnreadable(f"{path} is not a plivo-sim journal; use another --state")
    return Kept()


def _may_have_been(header: bytes, first: bytes) -> bool:
    """Whether a file begins with zero bytes where it is not as the header: a loss of power leaves
    them in the place of what was written."""
    return all(found in (0, written) for found, written in zip(first, header, strict=False))


def _mend_header(path: Path, header: bytes) -> None:
    with open_file(path, "r+b") as file:
        file.write(header)
    logger.warning("%s: line 1, the header, was damaged and is mended; nothing is lost", path)


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
