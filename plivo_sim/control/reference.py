"""The OpenAPI documents, and a page to read them that needs nothing from outside."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Any

from flask import Response

from plivo_sim.control.surface import CONTROL
from plivo_sim.dialects.calls import current_call
from plivo_sim.errors import NotFound
from plivo_sim.once import once
from plivo_sim.openapi.build import build
from plivo_sim.openapi.surfaces import SURFACES

ALL = {**SURFACES, CONTROL.name: CONTROL}
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


@once
def document(name: str) -> dict[str, Any]:
    """The OpenAPI document of a surface. Raises KeyError. Nobody changes it once it is made."""
    return build(ALL[name])


def get_document(name: str) -> Response:
    """One document: ``legacy``, ``documented``, ``sdk``, ``numbers``, ``atoms`` or ``control``."""
    if name not in ALL:
        raise NotFound("openapi document", name)
    return current_call().answer(document(name))


def get_page() -> Response:
    """Every operation of every surface, as a page."""
    body = "".join(_page())
    return Response(body, content_type="text/html; charset=utf-8", headers={
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
        "X-Content-Type-Options": "nosniff",
    })  # fmt: skip


def _page() -> Iterator[str]:
    yield "<!doctype html><html lang=en><meta charset=utf-8><title>plivo-sim</title>"
    yield "<meta name=viewport content='width=device-width,initial-scale=1'>"
    yield f"<style>{_STYLE}</style><h1>plivo-sim: reference</h1>"
    for name, surface in ALL.items():
        link = f"/_sim/openapi/{html.escape(name)}.json"
        alone = (
            f" Nothing else answers below <code>{surface.mount}</code>." if surface.mount else ""
        )
        yield f"<h2>{_breakable(surface.title)}</h2><p>{html.escape(surface.description)}{alone} "
        yield f"<a href='{link}'>OpenAPI</a></p><table><tr><th>Call<th>What<th>Answers</tr>"
        for operation in surface.operations:
            statuses = sorted({*operation.answers, *operation.errors, *surface.always})
            told = ", ".join(map(str, statuses))
            path = _breakable(operation.path)
            yield f"<tr><td><code><b>{operation.method}</b> {path}</code>"
            yield f"<td>{html.escape(operation.summary)}<td>{told}</tr>"
        yield "</table>"


def _breakable(text: str) -> str:
    """Lines may end after a slash, and nowhere else within a path."""
    return html.escape(text).replace("/", "/<wbr>")
