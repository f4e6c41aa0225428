"""The same place in a record by its domain path and by this dialect's.

The page nests what the domain keeps flat (documented): ``end_user.address.line1`` is
``address_line1``.
"""

from __future__ import annotations

from plivo_sim.dialects.words import dotted
from plivo_sim.errors import Path

ADDRESS = {
    "line1": "address_line1",
    "line2": "address_line2",
    "city": "city",
    "state": "state",
    "postal_code": "postal_code",
    "country": "country",
}
_WIRE_ADDRESS = {attribute: name for name, attribute in ADDRESS.items()}

_ORDER = (
    ("country_iso", "number_type", "alias", "end_user", "documents", "callback_url",
     "callback_method"),
    ("type", "name", "email", "address", "registration_number", "file", "data_fields"),
    tuple(ADDRESS),
)  # fmt: skip


def to_domain(path: Path) -> Path:
    """The domain's path for a path of this dialect's schemas."""
    match path:
        case ("end_user", "address", str(name)) if name in ADDRESS:
            return ("end_user", ADDRESS[name])
        case ("documents", int(index), "type"):
            return ("documents", index, "document_type_id")
    return path


def to_wire(path: Path) -> Path:
    """This dialect's path for a domain path."""
    match path:
        case ("end_user", str(name)) if name in _WIRE_ADDRESS:
            return ("end_user", "address", _WIRE_ADDRESS[name])
        case ("documents", int(index), "document_type_id"):
            return ("documents", index, "type")
    return path


def param(path: Path) -> str | None:
    """What ``param`` says: the wire's path as text; None for the whole body."""
    return dotted(to_wire(path)) or None


def schema_order(path: Path) -> tuple[int, ...]:
    """Sorts problems by the schema's order; what is wrong with the list of documents as a whole
    comes after what is wrong with one of them."""
    wire = to_wire(path)
    if not wire:
        return ()
    first = _place(0, wire[0])
    if wire[0] == "documents":
        index = wire[1] if len(wire) > 1 and isinstance(wire[1], int) else 10**6
        return (first, index, *(_place(1, step) for step in wire[2:3]))
    return (first, *(_place(level, step) for level, step in enumerate(wire[1:3], 1)))


def _place(level: int, step: str | int) -> int:
    order = _ORDER[level]
    return order.index(step) if step in order else len(order)
