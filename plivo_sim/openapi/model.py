"""What a surface is made of: operations with the schemas of what goes in and out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from marshmallow import Schema

SchemaType = type[Schema]
JSON = "application/json"
MULTIPART = "multipart/form-data"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A query parameter, or a header; ``enum`` lists its words, if it has any."""

    name: str
    place: str = "query"
    type: str = "string"
    required: bool = False
    enum: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One call. ``bodies``: content type -> a schema, or an OpenAPI schema object by hand.

    ``answers``: status -> a schema, an OpenAPI schema object, or None for a file. ``errors``: the
    statuses that answer with the surface's error schema.
    """

    id: str
    method: str
    path: str
    summary: str
    query: tuple[Query, ...] = ()
    bodies: Mapping[str, Any] = field(default_factory=dict)
    body_required: bool = True
    answers: Mapping[int, Any] = field(default_factory=dict)
    errors: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """One API: its operations, how to authenticate, how it words an error.

    ``always``: the statuses that every operation may answer with. ``components``: schemas that
    only a hand-written schema object refers to. ``mount``: the path under which nothing but this
    surface answers, where its own paths are shared.
    """

    name: str
    title: str
    description: str
    operations: tuple[Operation, ...]
    error: Any
    error_type: str = JSON
    security: Mapping[str, Any] | None = None
    always: tuple[int, ...] = ()
    components: Mapping[str, SchemaType] = field(default_factory=dict)
    mount: str = ""
