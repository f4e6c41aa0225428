"""The server itself: whether it lives and is ready, its catalogue, its documents."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import msgspec
from flask import Response, current_app

from plivo_sim import __version__
from plivo_sim.account.store.directory import PROBE
from plivo_sim.account.store.disk import open_file
from plivo_sim.catalogue.shape import json_schema
from plivo_sim.control.inputs import OF_MACHINE, machine_named
from plivo_sim.domain.errors import NotFound
from plivo_sim.domain.records import Version
from plivo_sim.domain.requirements import DocumentType, Requirement
from plivo_sim.web.calls import current_call
from plivo_sim.web.endpoints import Surface, endpoint, full_path
from plivo_sim.web.long_work import answer_for_all

if TYPE_CHECKING:  # a start needs none
    from plivo_sim.control.answers import (
        DocumentLinkOut,
        DocumentTypeOut,
        HealthOut,
        ReadyOut,
        RequirementOut,
        RequirementsOut,
    )

PROBE_BYTES = 4096


@endpoint("GET", "/health", "Alive, and which version.", answers={200: "HealthOut"})
def health() -> Response:
    """Alive, and which version; needs no account. ``damages``: state that was found damaged."""
    call = current_call()
    state = call.sim.settings.state
    shown: HealthOut = {
        "status": "ok",
        "version": __version__,
        "state": "memory" if state is None else str(state),
        "machine": call.sim.machine.name,
        "accounts": len(call.sim.accounts()),
        "damages": msgspec.to_builtins(call.sim.damages),
    }
    return call.answer(shown)


@endpoint("GET", "/health/live", "Whether the server is alive.", answers={200: "LiveOut"})
def live() -> Response:
    """That it answers is all that it checks."""
    return current_call().answer({"status": "ok"})


@endpoint(
    "GET", "/health/ready", "Whether the server is ready for calls.",
    answers={200: "ReadyOut", 503: "ReadyOut"},
)  # fmt: skip
def ready() -> Response:
    """200 while it takes calls and keeps what they write; 503 with the reasons while it does not.

    While it recovers a kept state, it does not listen at all.
    """
    call = current_call()
    reasons = ["is shutting down"] if call.sim.stopping else []
    reasons += _disk_problems(call.sim.settings.state)
    call.why = "; ".join(reasons)
    shown: ReadyOut = {"status": "unready" if reasons else "ready", "reasons": reasons}
    return call.answer(shown, 503 if reasons else 200)


def _disk_problems(state: Path | None) -> list[str]:
    """Why nothing can be written where the state is kept."""
    if state is None:
        return []
    probe = state / f"{PROBE}{token_hex(8)}"
    try:
        try:
            with open_file(probe, "xb") as file:
                file.write(bytes(PROBE_BYTES))
        finally:
            probe.unlink(missing_ok=True)
    except OSError as error:
        return [f"cannot write to {state}: {error.strerror}"]
    return []


@endpoint(
    "GET",
    "/schema/catalogue.json",
    "The JSON Schema of a catalogue file.",
    answers={200: "JsonSchemaOut"},
)
def catalogue_schema() -> Response:
    """The JSON Schema of files for ``--catalogue``, for editors."""
    return answer_for_all("schema of catalogues", None, json_schema)


@endpoint("GET", "/requirements", "What the catalogue asks for.", answers={200: "RequirementsOut"})
def list_requirements() -> Response:
    """What the catalogue asks for, as the SDKs and the legacy API publish it; for each demand
    the types of document that satisfy it; and what else is known of these countries. The same for
    every account."""
    return answer_for_all("requirements", current_call().sim.catalogue, published)


def published() -> RequirementsOut:
    """What the catalogue of the simulator that is called asks for."""
    shown = [
        _requirement(each)
        for each in current_call().sim.catalogue.requirements
        if each.version is Version.CURRENT
    ]
    countries = {each["country_iso"]: _country(each["country_iso"]) for each in shown}
    return {"requirements": shown, "countries": countries}


def _country(country_iso: str) -> Any:
    known: Any = msgspec.to_builtins(current_call().sim.catalogue.country(country_iso))
    return known


def _requirement(requirement: Requirement) -> RequirementOut:
    return {
        "requirement_id": requirement.id,
        "country_iso": requirement.country_iso,
        "number_type": requirement.number_type,
        "user_type": requirement.user_type,
        "source": requirement.source,
        "evidence": requirement.evidence,
        "observed": requirement.observed or None,
        "estimated_review_days": requirement.estimated_review_days,
        "documents": [
            {"name": slot.name, "any_of": [_type(type_) for type_ in slot.types]}
            for slot in requirement.slots
        ],
    }


def _type(type_: DocumentType) -> DocumentTypeOut:
    return {
        "document_type_id": type_.id,
        "word": type_.word,
        "name": type_.name,
        "proof_required": type_.proof_required,
        "fields": msgspec.to_builtins(type_.fields),
    }


def get_reference() -> Response:
    """Every operation of every surface, as a page that needs nothing from outside."""
    body = "".join(_reference(current_app.extensions["surfaces"]))
    return Response(body, content_type="text/html; charset=utf-8", headers={
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
        "X-Content-Type-Options": "nosniff",
    })  # fmt: skip


_STYLE = (
    ":root{color-scheme:light dark;background:#fff;color:#1a211c}a{color:#0b5d3b}"
    "@media(prefers-color-scheme:dark){:root{background:#131815;color:#e8eee9}a{color:#7fd6a8}}"
    "body{font:16px/1.5 system-ui;max-width:72rem;margin:2rem auto;padding:0 1rem;"
    "overflow-wrap:break-word}h1,h2{line-height:1.2}h2{margin-top:2.5rem}"
    "table{border-collapse:collapse;width:100%;table-layout:fixed}"
    "td,th{padding:.4rem .8rem .4rem 0;text-align:left;border-bottom:1px solid #8885;"
    "vertical-align:top}th:first-child{width:55%}th:last-child{width:17%}"
    "@media(max-width:48rem){tr:first-child{display:none}td{display:block;border:0;padding:0}"
    "tr{display:block;padding:.6rem 0;border-bottom:1px solid #8885}}"
)


def _reference(surfaces: Mapping[str, Surface]) -> Iterator[str]:
    yield "<!doctype html><html lang=en><meta charset=utf-8><title>plivo-sim</title>"
    yield "<meta name=viewport content='width=device-width,initial-scale=1'>"
    yield f"<style>{_STYLE}</style><main><h1>plivo-sim: reference</h1>"
    for name, surface in surfaces.items():
        link = _url_of(html.escape(name))
        alone = (
            f" Nothing else answers below <code>{surface.mount}</code>." if surface.mount else ""
        )
        yield f"<h2>{_breakable(surface.title)}</h2><p>{html.escape(surface.description)}{alone} "
        yield f"<a href='{link}' aria-label='OpenAPI: {html.escape(name)}'>OpenAPI</a></p>"
        yield "<table><tr><th>Call<th>What<th>Answers</tr>"
        for operation in surface.endpoints:
            statuses = sorted({*operation.answers, *operation.errors, *surface.always})
            listed = ", ".join(map(str, statuses))
            path = _breakable(full_path(surface, operation))
            yield f"<tr><td><code><b>{operation.method}</b> {path}</code>"
            yield f"<td>{html.escape(operation.summary)}<td>{listed}</tr>"
        yield "</table>"
    yield "</main>"


def _breakable(text: str) -> str:
    """Lines may end after a slash, and nowhere else within a path."""
    return html.escape(text).replace("/", "/<wbr>")


@endpoint("GET", "/openapi.json", "Where the OpenAPI documents are.", answers={200: "DocumentsOut"})
def list_documents() -> Response:
    """The OpenAPI documents of the imitated APIs and of the control API."""
    shown: list[DocumentLinkOut] = [
        {
            "name": name,
            "title": surface.title,
            "description": surface.description,
            "url": _url_of(name),
        }
        for name, surface in current_app.extensions["surfaces"].items()
    ]
    return current_call().answer({"documents": shown})


def _url_of(name: str) -> str:
    return f"/_sim/openapi/{name}.json"


@endpoint(
    "GET", "/openapi/{name}.json", "An OpenAPI document.", query=(OF_MACHINE,),
    answers={200: "OpenApiOut"}, errors=(404,),
)  # fmt: skip
def get_document(name: str) -> Response:
    """One document: ``legacy``, ``beta``, ``current``, ``numbers``, ``atoms`` or ``control``; the
    statuses in it are those of a machine."""
    if name not in current_app.extensions["surfaces"]:
        raise NotFound("openapi document", name, current_app.extensions["surfaces"])
    machine, document = machine_named(), current_app.extensions["document"]
    return answer_for_all(f"document {name}", machine, lambda: document(name, machine))
