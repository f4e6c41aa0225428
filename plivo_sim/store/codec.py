"""Records to JSON and back. One place knows which table holds which record."""

from __future__ import annotations

from typing import Any

import msgspec

from plivo_sim.domain.atoms import AtomsApplication
from plivo_sim.domain.models import (
    Application,
    Delivery,
    Document,
    EndUser,
    Explanation,
    Ledger,
    PhoneNumber,
    Policy,
    Timer,
)
from plivo_sim.ports import Record
from plivo_sim.typed import decoder_of
from plivo_sim.wording import decoded, fitted

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

_decoders = {name: decoder_of(type_) for name, type_ in RECORD_TYPES.items()}


def to_plain(record: Record) -> dict[str, Any]:
    """A record as the plain JSON-able mapping that TinyDB stores and queries."""
    plain: dict[str, Any] = msgspec.to_builtins(record)
    return plain


def from_plain(table: str, plain: object) -> Record:
    """The reverse; raises ValueError with the path of what does not fit."""
    record: Record = fitted(plain, RECORD_TYPES[table])
    return record


def from_json(table: str, raw: bytes | msgspec.Raw) -> Record:
    """A record from its JSON text. Raises ValueError as ``from_plain`` does."""
    record: Record = decoded(_decoders[table], raw)
    return record
