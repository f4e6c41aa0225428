"""The lines of a journal: one transaction each, behind a checksum that chains them.

``crc32 json\n``, the checksum begun with that of the line before: so a flipped bit is seen, and so
is a line that is missing, twice there or out of its place. The first line is the header, which
names the format. The others are ``{"table": [record, ...], ..., "gone": {"table": [id, ...]}}``: a
whole line is decoded at once, which makes opening a large journal several times faster.

Records to JSON and back. One place knows which table holds which record.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any

import msgspec

from plivo_sim.account.interfaces import Record
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
from plivo_sim.domain.text import encode_json
from plivo_sim.domain.typed import decoder_of
from plivo_sim.domain.wording import decoded, fitted

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


FORMAT = 2


Op = tuple[str, str, Record | None]
"""Table, id, the record as it is now (None: removed)."""


class _Header(msgspec.Struct):
    format: int


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


HEADER = line_of({"format": FORMAT}, 0)[0]


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


def apply_line(line: bytes, rows: dict[str, dict[str, Any]]) -> None:
    """Do to the rows what a whole line says. Raises ValueError for what is not known here."""
    content = decoded(_decoder, memoryview(line)[9:-1])
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
