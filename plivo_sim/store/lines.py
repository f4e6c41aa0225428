"""The lines of a journal: one transaction each, behind a checksum that chains them.

``crc32 json\\n``, the checksum begun with that of the line before: so a flipped bit is seen, and so
is a line that is missing, twice there or out of its place. The first line is the header, which
names the format. What each format holds:

1. ``{"ops": [[table, id, record or null], ...]}``; each checksum for itself. Read and migrated.
2. ``{"table": [record, ...], ..., "gone": {"table": [id, ...]}}``: a whole line is decoded at
   once, which makes opening a large journal several times faster.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any

import msgspec

from plivo_sim.jsontext import encode_json
from plivo_sim.ports import Record
from plivo_sim.store.codec import RECORD_TYPES, from_json
from plivo_sim.typed import decoder_of
from plivo_sim.wording import decoded

FORMAT = 2
OLDEST = 1

Op = tuple[str, str, Record | None]
"""Table, id, the record as it is now (None: removed)."""


class _Header(msgspec.Struct):
    format: int


class _OldLine(msgspec.Struct, forbid_unknown_fields=True):
    ops: list[tuple[str, str, msgspec.Raw]]


_Line = msgspec.defstruct(
    "_Line",
    [
        *((name, list[type_], []) for name, type_ in RECORD_TYPES.items()),  # type: ignore[valid-type]  # types known at run time
        ("gone", dict[str, list[str]], {}),
    ],
    forbid_unknown_fields=True,
)

_header_decoder = decoder_of(_Header)
_old_decoder = decoder_of(_OldLine)
_decoder: msgspec.json.Decoder[Any] = decoder_of(_Line)  # noqa: TID251  # the type's name


def line_of(content: object, before: int) -> tuple[bytes, int]:
    """A line and its checksum; ``before``: that of the line before it."""
    text = encode_json(content)
    checksum = zlib.crc32(text, before)
    return b"%08x %s\n" % (checksum, text), checksum


HEADERS = {number: line_of({"format": number}, 0)[0] for number in range(OLDEST, FORMAT + 1)}
HEADER = HEADERS[FORMAT]


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


def format_of(line: bytes) -> int | None:
    """Which format a first line names; None if it is no header."""
    if not is_whole(line, 0):
        return None
    try:
        return _header_decoder.decode(line[9:-1]).format
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


def apply_line(line: bytes, format: int, rows: dict[str, dict[str, Any]]) -> None:
    """Do to the rows what a whole line says. Raises ValueError for what is not known here."""
    text = memoryview(line)[9:-1]
    if format == 1:
        _apply_old(text, rows)
        return
    content = decoded(_decoder, text)
    for name in RECORD_TYPES:
        records = getattr(content, name)
        if records:
            kept = rows[name]
            for record in records:
                kept[record.id] = record
    for name, ids in content.gone.items():
        if name not in rows:
            raise ValueError(f"no table {name!r}")
        for id in ids:
            rows[name].pop(id, None)


def _apply_old(text: memoryview, rows: dict[str, dict[str, Any]]) -> None:
    for table, id, raw in decoded(_old_decoder, text).ops:
        if table not in rows:
            raise ValueError(f"no table {table!r}")
        if bytes(raw) == b"null":
            rows[table].pop(id, None)
        else:
            rows[table][id] = from_json(table, raw)
