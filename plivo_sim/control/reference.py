"""A page on which to read what every surface answers, which needs nothing from outside.

Also the bodies of control calls that are parts of the scenario language: described by its types.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from inspect import getdoc
from typing import Any

import msgspec
from flask import Response

from plivo_sim.control.inputs import IN_BODY, object_of
from plivo_sim.openapi.build import full_path
from plivo_sim.scenarios.language import Decision, FaultRule, WebhookPolicy
from plivo_sim.web.endpoints import Surface


def _part(part: Any, *required: str, **more: Any) -> dict[str, Any]:
    """A part of the scenario language as the body of a call; of a type that it refers to, nothing
    is said."""
    found = msgspec.json.schema(part)["$defs"][part.__name__]["properties"]
    fields = {name: {} if "$ref" in str(each) else each for name, each in found.items()}
    text = f"{getdoc(part)}\n\nThe whole language: docs/scenarios.md."
    return object_of(*required, **fields, **more) | {"description": text}


WEBHOOK_POLICY = _part(WebhookPolicy, account=IN_BODY)
FAULT = _part(FaultRule, "effect", account=IN_BODY)
NEXT_OUTCOME = _part(Decision, account=IN_BODY)

_STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui;max-width:72rem;margin:2rem auto;padding:0 1rem;"
    "overflow-wrap:break-word}h1,h2{line-height:1.2}h2{margin-top:2.5rem}"
    "table{border-collapse:collapse;width:100%;table-layout:fixed}"
    "td,th{padding:.4rem .8rem .4rem 0;text-align:left;border-bottom:1px solid #8885;"
    "vertical-align:top}th:first-child{width:55%}th:last-child{width:17%}"
    "@media(max-width:48rem){tr:first-child{display:none}td{display:block;border:0;padding:0}"
    "tr{display:block;padding:.6rem 0;border-bottom:1px solid #8885}}"
)


def page(surfaces: Mapping[str, Surface]) -> Response:
    """Every operation of every surface, as a page."""
    body = "".join(_html(surfaces))
    return Response(body, content_type="text/html; charset=utf-8", headers={
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
        "X-Content-Type-Options": "nosniff",
    })  # fmt: skip


def _html(surfaces: Mapping[str, Surface]) -> Iterator[str]:
    yield "<!doctype html><html lang=en><meta charset=utf-8><title>plivo-sim</title>"
    yield "<meta name=viewport content='width=device-width,initial-scale=1'>"
    yield f"<style>{_STYLE}</style><h1>plivo-sim: reference</h1>"
    for name, surface in surfaces.items():
        link = f"/_sim/openapi/{html.escape(name)}.json"
        alone = (
            f" Nothing else answers below <code>{surface.mount}</code>." if surface.mount else ""
        )
        yield f"<h2>{_breakable(surface.title)}</h2><p>{html.escape(surface.description)}{alone} "
        yield f"<a href='{link}'>OpenAPI</a></p><table><tr><th>Call<th>What<th>Answers</tr>"
        for operation in surface.endpoints:
            statuses = sorted({*operation.answers, *operation.errors, *surface.always})
            listed = ", ".join(map(str, statuses))
            path = _breakable(full_path(surface, operation))
            yield f"<tr><td><code><b>{operation.method}</b> {path}</code>"
            yield f"<td>{html.escape(operation.summary)}<td>{listed}</tr>"
        yield "</table>"


def _breakable(text: str) -> str:
    """Lines may end after a slash, and nowhere else within a path."""
    return html.escape(text).replace("/", "/<wbr>")
