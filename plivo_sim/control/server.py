"""What an account holds, to look through: applications by filter, requirements, an export.

Whether the simulator lives, and whether it is ready: for whoever starts and stops it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
from flask import Response

from plivo_sim import __version__
from plivo_sim.domain.records import Version
from plivo_sim.domain.requirements import DocumentType, Requirement
from plivo_sim.web.calls import current_call


def list_requirements() -> Response:
    """What the catalogue asks for, as the SDKs and the legacy API publish it; for each demand
    the types of document that satisfy it. The same for every account."""
    shown = [
        _requirement(each)
        for each in current_call().sim.catalogue.requirements
        if each.version is Version.CURRENT
    ]
    return current_call().answer({"requirements": shown})


def _requirement(requirement: Requirement) -> dict[str, Any]:
    return {
        "requirement_id": requirement.id,
        "country_iso": requirement.country_iso,
        "number_type": requirement.number_type,
        "user_type": requirement.user_type,
        "source": requirement.source,
        "estimated_review_days": requirement.estimated_review_days,
        "documents": [
            {"name": slot.name, "any_of": [_type(type_) for type_ in slot.types]}
            for slot in requirement.slots
        ],
    }


def _type(type_: DocumentType) -> dict[str, Any]:
    return {
        "document_type_id": type_.id,
        "word": type_.word,
        "name": type_.name,
        "proof_required": type_.proof_required,
        "fields": msgspec.to_builtins(type_.fields),
    }


PROBE_BYTES = 4096


def live() -> Response:
    """It answers: nothing else is asked of it."""
    return current_call().answer({"status": "ok"})


def ready() -> Response:
    """200 while it takes calls and keeps what they write; 503 with the reasons while it does not.

    Before a kept state is recovered it does not listen at all.
    """
    call = current_call()
    reasons = ["is shutting down"] if call.sim.stopping else []
    reasons += _disk_problems(call.sim.settings.state)
    call.why = "; ".join(reasons)
    told = {"status": "unready" if reasons else "ready", "reasons": reasons}
    return call.answer(told, 503 if reasons else 200)


def _disk_problems(state: Path | None) -> list[str]:
    """Why nothing can be written where the state is kept."""
    if state is None:
        return []
    probe = state / f".ready-{os.getpid()}"
    try:
        try:
            probe.write_bytes(bytes(PROBE_BYTES))
        finally:
            probe.unlink(missing_ok=True)
    except OSError as error:
        return [f"cannot write to {state}: {error.strerror}"]
    return []


ROUTES: list[tuple[str, str, Callable[..., Response]]] = [
    ("GET", "/health/live", live),
    ("GET", "/health/ready", ready),
]


def get_reference() -> Response:
    from plivo_sim.control.reference import get_page  # here: it needs every schema of every API

    return get_page()


def get_openapi(name: str) -> Response:
    from plivo_sim.control import reference  # here, as above

    return reference.get_document(name)


def health() -> Response:
    """Alive, and which version; needs no account. ``damages``: state that was found damaged."""
    call = current_call()
    state = call.sim.settings.state
    return call.answer(
        {
            "status": "ok",
            "version": __version__,
            "state": "memory" if state is None else str(state),
            "accounts": len(call.sim.accounts()),
            "damages": [asdict(damage) for damage in call.sim.damages],
        }
    )
