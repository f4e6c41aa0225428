"""The OpenAPI document of a surface, made from its endpoints.

Input schemas are marshmallow's and go in through apispec; answers are typed dictionaries, which
mypy reads too, and go in through msgspec. Forms are schema objects: the fields of an input schema,
those of nested ones in brackets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module, resources
from inspect import isfunction
from typing import Any

import msgspec
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin

from plivo_sim import __version__
from plivo_sim.apis.fields import Fields, Many, Nested
from plivo_sim.apis.schema import Country, EmbeddedFile, TextMap, Word, schema_of
from plivo_sim.domain.machine import WORDS_KEY, Machine, with_words
from plivo_sim.domain.text import decode_json, encode_json
from plivo_sim.domain.typed import schema_of_time
from plivo_sim.machines import default_machine
from plivo_sim.web.endpoints import FILE, JSON, TEXT, Endpoint, Form, Query, Surface, full_path


def build(surface: Surface, machine: Machine | None = None) -> dict[str, Any]:
    """The OpenAPI 3.1 document of a surface, as plain values; statuses are the words of this
    machine, or of the default one.

    Raises AttributeError when a row names a shape that its module does not have.
    """
    return worded(unworded(surface), machine or default_machine())


def unworded(surface: Surface) -> dict[str, Any]:
    """The same for any machine: where its words are to stand, it says which."""
    plain: dict[str, Any] = decode_json(encode_json(_Builder(surface).document()))
    return plain


def worded(document: dict[str, Any], machine: Machine) -> dict[str, Any]:
    """A document that lacks its words, with those of this machine."""
    return dict(with_words(document, machine, closed=True))


class _Builder:
    """One document in the making."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface
        self._answers = frozenset(
            name.removesuffix("Out")
            for name in vars(import_module(surface.answers))
            if name.endswith("Out")
        )
        plugin = MarshmallowPlugin(schema_name_resolver=_name_of)
        self._spec = APISpec(
            title=surface.title,
            version=__version__,
            openapi_version="3.1.0",
            plugins=[plugin],
            info={"description": surface.description},
        )
        assert plugin.converter is not None
        plugin.converter.add_attribute_function(_custom_field)  # type: ignore[no-untyped-call]  # apispec's

    def document(self) -> dict[str, Any]:
        surface, spec = self._surface, self._spec
        for name, schema in surface.components.items():
            spec.components.schema(name, schema=schema_of(_shape(surface.bodies, schema)))
        if surface.security is not None:
            spec.components.security_scheme("credentials", dict(surface.security))
            spec.options["security"] = [{"credentials": []}]
        if surface.mount:
            spec.options["servers"] = [{"url": surface.mount}]
        for path, operations in self._paths().items():
            spec.path(path=path, parameters=_path_parameters(path), operations=operations)
        made: dict[str, Any] = spec.to_dict()
        return made

    def _paths(self) -> dict[str, dict[str, Any]]:
        paths: dict[str, dict[str, Any]] = {}
        examples = _examples().get(self._surface.name, {})
        for row in self._surface.endpoints:
            told = self._operation(row)
            _illustrate(told, examples.get(row.name, {}))
            paths.setdefault(full_path(self._surface, row), {})[row.method.lower()] = told
        return paths

    def _operation(self, row: Endpoint) -> dict[str, Any]:
        refused = sorted({*row.errors, *self._surface.always, *_of_body(row)})
        told: dict[str, Any] = {
            "operationId": row.operation_id or row.name,
            "summary": row.summary,
            "parameters": [_parameter(query) for query in row.query],
            "responses": {
                **{str(status): self._answer(body) for status, body in row.answers.items()},
                **{str(status): self._error(status) for status in refused},
            },
        }
        if row.bodies:
            content = {kind: {"schema": self._body(body)} for kind, body in row.bodies.items()}
            told["requestBody"] = {"required": row.body_required, "content": content}
        return told

    def _answer(self, answer: Any) -> dict[str, Any]:
        if answer is None:
            binary = {"schema": {"type": "string", "format": "binary"}}
            kinds = ("application/pdf", "image/png", "image/jpeg")
            return {"description": "The file.", "content": dict.fromkeys(kinds, binary)}
        if isinstance(answer, str) and "/" in answer:
            return {"description": "Done.", "content": {answer: {"schema": TEXT}}}
        return {"description": "Done.", "content": {JSON: {"schema": self._answered(answer)}}}

    def _error(self, status: int) -> dict[str, Any]:
        content = {self._surface.error_type: {"schema": self._answered(self._surface.error)}}
        return {"description": _REASONS.get(status, "Refused."), "content": content}

    def _answered(self, answer: Any) -> Any:
        """The schema of an answer: of the type that it names, or as it is."""
        return self._typed(_shape(self._surface.answers, answer))

    def _typed(self, kind: Any) -> Any:
        if isinstance(kind, dict):
            return kind
        if isinstance(kind, type) and issubclass(kind, Fields):
            return schema_of(kind)()
        (schema,), components = msgspec.json.schema_components(
            [kind], ref_template=_REF + "{name}", schema_hook=schema_of_time
        )
        for name, component in components.items():
            plain, made = self._plain_name(name), _closed(self._plain_names(component))
            known = self._spec.components.schemas.setdefault(plain, made)
            assert known == made, f"two types are called {plain}"
        return self._plain_names(schema)

    def _body(self, body: Any) -> Any:
        if isinstance(body, Form):
            schema = _shape(self._surface.bodies, body.schema)
            made = form(schema, documents=body.documents, **body.more)
            return made | ({"additionalProperties": TEXT} if body.open else {})
        found = _shape(self._surface.bodies, body)
        found = found() if isfunction(found) else found
        if isinstance(found, type) and issubclass(found, msgspec.Struct):
            return self._spec.components.schemas.pop(self._typed(found)["$ref"].removeprefix(_REF))
        return self._resolved(found)

    def _resolved(self, schema: Any) -> Any:
        """A schema object with the schemas of the types that stand in it."""
        if isinstance(schema, dict):
            return {key: self._resolved(value) for key, value in schema.items()}
        if isinstance(schema, list):
            return [self._resolved(value) for value in schema]
        plain = schema is None or isinstance(schema, str | int | float)
        return schema if plain else self._typed(schema)

    def _plain_name(self, name: str) -> str:
        """What a type is called: an answer without its ``Out``, a record of the same name as an
        answer with ``Record`` behind it."""
        if name in self._answers:
            return f"{name}Record"
        return name.removesuffix("Out")

    def _plain_names(self, schema: Any) -> Any:
        """A schema of msgspec with the names of components as the document has them."""
        if isinstance(schema, list):
            return [self._plain_names(each) for each in schema]
        if not isinstance(schema, dict):
            return schema
        plain: dict[str, Any] = {
            key: {name: self._plain_names(each) for name, each in value.items()}
            if key == "properties"
            else self._plain_names(value)
            for key, value in schema.items()
            if key not in _LEFT_OUT
        }
        if "$ref" in plain:
            plain["$ref"] = _REF + self._plain_name(plain["$ref"].removeprefix(_REF))
        if entries := plain.pop("prefixItems", None):
            plain["items"] = _any_of(entries)
        enum = plain.get("enum")
        texts = isinstance(enum, list) and all(isinstance(word, str) for word in enum)
        return {"type": "string", **plain} if texts else plain


_REF = "#/components/schemas/"
_LEFT_OUT = frozenset({"title", "default"})
"""What msgspec says and clients are better off without: a title is the type's name again, and a
property with a default counts as always there, for generators of TypeScript."""


def _any_of(entries: list[Any]) -> Any:
    """The schema of what stands in a tuple; generators of clients do not know ``prefixItems``, and
    the length is there anyway."""
    distinct = [each for index, each in enumerate(entries) if each not in entries[:index]]
    return distinct[0] if len(distinct) == 1 else {"anyOf": distinct}


def _shape(module: str, named: Any) -> Any:
    """The type or schema of this name in a module; what is no name is taken as it is."""
    return getattr(import_module(module), named) if isinstance(named, str) else named


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    """An object with nothing beyond its properties."""
    return schema | ({"additionalProperties": False} if "properties" in schema else {})


def _examples() -> dict[str, Any]:
    """Surface -> operation -> ``request`` or a status -> example. Those of Plivo's answers, and
    what is asked for them, are as the pages print them (documented); files are embedded, since a
    printed path means nothing to a server. Those of the control API are ours."""
    text = resources.files("plivo_sim.openapi").joinpath("examples.json").read_bytes()
    examples: dict[str, Any] = decode_json(text)
    return examples


def _illustrate(operation: dict[str, Any], examples: dict[str, Any]) -> None:
    for part, example in examples.items():
        body = operation["requestBody"] if part == "request" else operation["responses"][part]
        body["content"][JSON]["example"] = example


def _name_of(schema: Any) -> str:
    kind = schema if isinstance(schema, type) else type(schema)
    return re.sub(r"(In|Out)$", "", kind.__name__) + (
        "Request" if kind.__name__.endswith("In") else ""
    )


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{(\w+)\}", path)
    ]


def _parameter(query: Query) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": query.type}
    if query.enum:
        schema["enum"] = list(query.enum)
    if query.words:
        schema[WORDS_KEY] = query.words
    told = {"name": query.name, "in": query.place, "required": query.required, "schema": schema}
    return told | ({"description": query.description} if query.description else {})


def _of_body(row: Endpoint) -> tuple[int, ...]:
    """What only a call that sends something is told."""
    return (415,) if row.bodies else ()


def _custom_field(converter: Any, field: Any, **_: Any) -> dict[str, Any]:
    """What apispec cannot know of our own fields. Words are taken in any case, so none is an
    ``enum``: the answer to another one is a 400 that lists them."""
    if isinstance(field, Word):
        return {"type": "string", "description": f"One of {', '.join(field.words)}."}
    if isinstance(field, Country):
        return {"pattern": "^[A-Za-z]{2}$"}
    if isinstance(field, EmbeddedFile):
        content = {"type": "string", "contentEncoding": "base64"}
        embedded = {"type": "object", "properties": {"name": TEXT, "content": content}}
        return {"anyOf": [{"type": "string"}, embedded | {"required": ["content"]}]}
    if isinstance(field, TextMap):
        return {"type": "object", "additionalProperties": {"type": "string"}}
    return {}


_REASONS = {
    400: "The request has problems.",
    401: "Credentials are missing or wrong.",
    403: "Forbidden.",
    404: "No such record.",
    405: "Method not allowed.",
    409: "The state does not allow this.",
    413: "The body is too large.",
    415: "The body has another Content-Encoding than gzip or deflate.",
    421: "The account is another server's.",
    422: "Validation failed.",
    429: "Too many requests.",
    500: "The server failed.",
    502: "Plivo is unavailable.",
}

FILES = 3
"""As many documents as a form shows; more are taken."""


def form(kind: type[Fields], *, documents: bool = False, **more: Any) -> dict[str, Any]:
    """A form; with ``documents``, their types and files are fields of it."""
    names = list(_names(kind))
    told: dict[str, Any] = {name: TEXT for name, _ in names}
    for index in range(FILES if documents else 0):
        told |= {f"documents[{index}][type]": TEXT, f"documents[{index}][file]": FILE}
    required = [name for name, needed in names if needed]
    return {
        "type": "object",
        "properties": told | more,
        **({"required": required} if required else {}),
    }


def _names(kind: type[Fields], prefix: str = "") -> Iterator[tuple[str, bool]]:
    """Every field of the form, and whether it has to be there."""
    for name, field in kind.fields.items():
        full = f"{prefix}[{name}]" if prefix else name
        if isinstance(field, Nested):
            inner = _names(field.kind, full)
            yield from ((each, needed and field.required) for each, needed in inner)
        elif not isinstance(field, Many):
            yield full, field.required
