"""Builds a document with apispec and its marshmallow plugin."""

from __future__ import annotations

import re
from importlib import resources
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema

from plivo_sim import __version__
from plivo_sim.dialects.schema import Country, TextMap, Word
from plivo_sim.jsontext import decode_json
from plivo_sim.openapi.model import JSON, Operation, Query, Surface

BASIC = {"type": "http", "scheme": "basic", "description": "Auth id and auth token."}
BEARER = {"type": "http", "scheme": "bearer"}


def build(surface: Surface) -> dict[str, Any]:
    """The OpenAPI 3.1 document of a surface, as plain values."""
    plugin = MarshmallowPlugin(schema_name_resolver=_name_of)
    spec = APISpec(
        title=surface.title,
        version=__version__,
        openapi_version="3.1.0",
        plugins=[plugin],
        info={"description": surface.description},
    )
    assert plugin.converter is not None
    plugin.converter.add_attribute_function(_custom_field)  # type: ignore[no-untyped-call]  # apispec's
    for name, schema in surface.components.items():
        spec.components.schema(name, schema=schema)
    if surface.security is not None:
        spec.components.security_scheme("credentials", dict(surface.security))
        spec.options["security"] = [{"credentials": []}]
    if surface.mount:
        spec.options["servers"] = [{"url": surface.mount}]
    paths: dict[str, dict[str, Any]] = {}
    examples = _examples().get(surface.name, {})
    for operation in surface.operations:
        told = _operation(surface, operation)
        _illustrate(told, examples.get(operation.id, {}))
        paths.setdefault(operation.path, {})[operation.method.lower()] = told
    for path, operations in paths.items():
        spec.path(path=path, parameters=_path_parameters(path), operations=operations)
    document: dict[str, Any] = spec.to_dict()
    return document


def _examples() -> dict[str, Any]:
    """Surface -> operation -> ``request`` or a status -> example. Those of Plivo's answers, and
    what is asked for them, are as the pages print them (documented); files are embedded, since a
    printed path means nothing to a server. Those of the control API are ours."""
    text = resources.files("plivo_sim.data").joinpath("openapi-examples.json").read_bytes()
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


def _operation(surface: Surface, operation: Operation) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": [_parameter(query) for query in operation.query],
        "responses": {
            **{str(status): _answer(body) for status, body in operation.answers.items()},
            **{
                str(status): _error(surface, status)
                for status in sorted({*operation.errors, *surface.always, *_of_body(operation)})
            },
        },
    }
    if operation.bodies:
        told["requestBody"] = {
            "required": operation.body_required,
            "content": {kind: {"schema": _schema(body)} for kind, body in operation.bodies.items()},
        }
    return told


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{(\w+)\}", path)
    ]


def _parameter(query: Query) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": query.type}
    if query.enum:
        schema["enum"] = list(query.enum)
    told = {"name": query.name, "in": query.place, "required": query.required, "schema": schema}
    return told | ({"description": query.description} if query.description else {})


def _answer(body: Any) -> dict[str, Any]:
    if body is None:
        binary = {"schema": {"type": "string", "format": "binary"}}
        kinds = ("application/pdf", "image/png", "image/jpeg")
        return {"description": "The file.", "content": dict.fromkeys(kinds, binary)}
    return {"description": "Done.", "content": {"application/json": {"schema": _schema(body)}}}


def _error(surface: Surface, status: int) -> dict[str, Any]:
    content = {surface.error_type: {"schema": _schema(surface.error)}}
    return {"description": _REASONS.get(status, "Refused."), "content": content}


def _of_body(operation: Operation) -> tuple[int, ...]:
    """What only a call that sends something is told."""
    return (415,) if operation.bodies else ()


def _schema(body: Any) -> Any:
    if isinstance(body, type) and issubclass(body, Schema):
        return body()
    return body


def _custom_field(converter: Any, field: Any, **_: Any) -> dict[str, Any]:
    """What apispec cannot know of our own fields. Words are taken in any case, so none is an
    ``enum``: the answer to another one is a 400 that lists them."""
    if isinstance(field, Word):
        return {"type": "string", "description": f"One of {', '.join(field.words)}."}
    if isinstance(field, Country):
        return {"pattern": "^[A-Za-z]{2}$"}
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
    422: "Validation failed.",
    429: "Too many requests.",
    500: "The server failed.",
    502: "Plivo is unavailable.",
}
