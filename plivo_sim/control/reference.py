"""The OpenAPI documents, and a page to read them that needs nothing from outside."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from flask import Response

from plivo_sim.control.surface import CONTROL
from plivo_sim.dialects.calls import current_call
from plivo_sim.errors import NotFound
from plivo_sim.openapi.build import build
from plivo_sim.openapi.surfaces import SURFACES

ALL = {**SURFACES, CONTROL.name: CONTROL}
_STYLE = (
    "body{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}td,th{padding:.3rem .6rem;text-align:left;"
    "border-bottom:1px solid #ddd;vertical-align:top}code{overflow-wrap:anywhere}"
)


@lru_cache(maxsize=16)
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
        yield f"<h2>{html.escape(surface.title)}</h2><p>{html.escape(surface.description)} "
        yield f"<a href='{link}'>OpenAPI</a></p><table><tr><th>Call<th>What<th>Answers</tr>"
        for operation in surface.operations:
            statuses = sorted({*operation.answers, *operation.errors, *surface.always})
            told = ", ".join(map(str, statuses))
            yield f"<tr><td><code>{operation.method} {html.escape(operation.path)}</code>"
            yield f"<td>{html.escape(operation.summary)}<td>{told}</tr>"
        yield "</table>"


ROUTES: list[tuple[str, str, Callable[..., Response]]] = [
    ("GET", "/openapi/", get_page),
    ("GET", "/openapi/<name>.json", get_document),
]
