"""Forms as schema objects: the fields of a schema, those of nested ones in brackets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from marshmallow import Schema, fields

from plivo_sim.openapi.model import SchemaType

FILE = {"type": "string", "format": "binary"}
TEXT = {"type": "string"}
FILES = 3
"""As many documents as a form shows; more are taken."""


def form(schema: SchemaType, *, documents: bool = False, **more: Any) -> dict[str, Any]:
    """A form; with ``documents``, their types and files are fields of it."""
    names = list(_names(schema()))
    told: dict[str, Any] = {name: TEXT for name, _ in names}
    for index in range(FILES if documents else 0):
        told |= {f"documents[{index}][type]": TEXT, f"documents[{index}][file]": FILE}
    required = [name for name, needed in names if needed]
    return {
        "type": "object",
        "properties": told | more,
        **({"required": required} if required else {}),
    }


def _names(schema: Schema, prefix: str = "") -> Iterator[tuple[str, bool]]:
    """Every field of the form, and whether it has to be there."""
    for name, field in schema.fields.items():
        full = f"{prefix}[{name}]" if prefix else name
        if isinstance(field, fields.Nested):
            inner = _names(field.schema, full)
            yield from ((each, needed and field.required) for each, needed in inner)
        elif not isinstance(field, fields.List):
            yield full, field.required
