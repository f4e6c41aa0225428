"""What is said of a URL, once, beside the function that answers it.

From a row come the route, the entry of the OpenAPI document, the reference pages, the console's
command lines, and the name of the operation that faults and coverage use. Shapes are named, not
imported: input schemas need marshmallow, which a start does without.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any, TypeVar

import msgspec
from flask import Blueprint, Response

JSON = "application/json"
MULTIPART = "multipart/form-data"
FORM = "application/x-www-form-urlencoded"

TEXT = {"type": "string"}
FILE = {"type": "string", "format": "binary"}

BASIC = {"type": "http", "scheme": "basic", "description": "Auth id and auth token."}
BEARER = {"type": "http", "scheme": "bearer"}

View = Callable[..., Response]
V = TypeVar("V", bound=View)
_ROWS = "endpoints"


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """A query parameter, or a header; ``enum`` lists its words, if it has any; ``words``: which of
    the machine's words it takes (``domain.machine.words_of``); ``many``: whether it may be given
    several times."""

    name: str
    place: str = "query"
    type: str = "string"
    required: bool = False
    enum: tuple[str, ...] = ()
    words: str = ""
    many: bool = False
    description: str = ""


class Form(msgspec.Struct, frozen=True):
    """The fields of an input schema as a form; with ``documents``, their types and files are
    fields of it. ``more``: further fields, as OpenAPI schema objects. ``open``: it takes text
    fields of any other name too."""

    schema: str
    documents: bool = False
    more: Mapping[str, Any] = {}
    open: bool = False


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One method of one URL.

    ``name``: the operation, unique within its surface. ``path``: below the surface's own
    prefix, with parameters in braces, and a converter where it needs one:
    ``/Number/{number:number}/``. ``bodies``: media type -> the name of an input schema, a
    ``Form``, or an OpenAPI schema object. ``answers``: status -> the name of a type, a media type
    of a text that is no JSON, or None for a file. ``errors``: the statuses that answer with the
    surface's error. ``source``: where the behaviour is from, in the words of the fidelity table;
    empty for what is the simulator's own. ``operation_id``: what the OpenAPI document calls a
    second spelling of the URL of an operation, because ids are unique there. ``is_moment``: it
    puts another moment in the place of what was there; the next such call does not undo it.
    """

    method: str
    path: str
    name: str
    view: View
    summary: str
    query: tuple[Query, ...] = ()
    bodies: Mapping[str, Any] = {}
    body_required: bool = True
    answers: Mapping[int, Any] = {}
    errors: tuple[int, ...] = ()
    source: str = ""
    operation_id: str = ""
    is_moment: bool = False


class Surface(msgspec.Struct, frozen=True, kw_only=True):
    """One API: its endpoints, how to authenticate, how it words an error.

    ``prefix``: what every path begins with. ``answers`` and ``bodies``: the modules in which the
    named types and input schemas stand; a body may be a function that makes a schema object or a
    type, and types may stand within one. ``error``: the name of the type of an error. ``always``:
    the statuses that every operation may answer with. ``components``: input schemas that only an
    OpenAPI schema object refers to, by the name that it uses. ``mount``: the path under which
    nothing but this surface answers, where its own paths are shared.
    """

    name: str
    title: str
    description: str
    prefix: str
    endpoints: tuple[Endpoint, ...]
    answers: str
    bodies: str = ""
    error: Any = "ErrorOut"
    error_type: str = JSON
    security: Mapping[str, Any] | None = None
    always: tuple[int, ...] = ()
    components: Mapping[str, Any] = {}
    mount: str = ""


def endpoint(method: str, path: str, summary: str, **more: Any) -> Callable[[V], V]:
    """Declare the function below as what answers this URL; ``more``: fields of ``Endpoint``.

    ``name`` is that of the function unless it is given. A function may answer several.
    """

    def declare(view: V) -> V:
        rows = view.__dict__.setdefault(_ROWS, [])
        name = more.get("name") or view.__name__.strip("_")
        rows.insert(0, Endpoint(**{**more, "method": method, "path": path, "name": name,
                                   "view": view, "summary": summary}))  # fmt: skip
        return view

    return declare


def endpoints_of(*modules: ModuleType) -> tuple[Endpoint, ...]:
    """What these modules declare, in the order in which it stands there."""
    return tuple(row for module in modules for row in _declared(module))


def _declared(module: ModuleType) -> Iterator[Endpoint]:
    for each in vars(module).values():
        if getattr(each, "__module__", "") == module.__name__:
            yield from rows_of(each)


def rows_of(view: object) -> list[Endpoint]:
    """What is declared of a function: nothing, if it is no view."""
    rows: list[Endpoint] = getattr(view, "__dict__", {}).get(_ROWS, [])
    return rows


def add_routes(blueprint: Blueprint, endpoints: tuple[Endpoint, ...]) -> None:
    """Route every endpoint to its view, under its name."""
    for row in endpoints:
        rule = row.path.replace("{", "<").replace("}", ">")
        blueprint.add_url_rule(rule, row.name, row.view, methods=[row.method])


def full_path(surface: Surface, row: Endpoint) -> str:
    """The whole path of an endpoint, as OpenAPI writes it: without converters."""
    return re.sub(r"\{\w+:(\w+)\}", r"{\1}", surface.prefix + row.path)
