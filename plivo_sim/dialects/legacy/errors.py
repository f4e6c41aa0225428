"""Errors of the legacy API: ``{"api_id", "error": "text"}``, paths in its own names (observed)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from plivo_sim.dialects.calls import Call
from plivo_sim.dialects.plain_errors import plain_error
from plivo_sim.errors import Fault, Invalid, Path, Problem, SimError

_WIRE = {
    "requirement_id": "compliance_requirement_id",
    "country_iso": "country_iso2",
    "user_type": "end_user_type",
    "documents": "document_ids",
}
_DOMAIN = {wire: name for name, wire in _WIRE.items() if name != "documents"}


def error_body(call: Call, error: SimError) -> tuple[int, dict[str, Any]]:
    """Status and body; ``error`` is always a string that names every problem."""
    if isinstance(error, Invalid):
        error = Invalid([_in_wire_words(problem) for problem in error.problems])
    status, text = plain_error(error)
    return status, {"api_id": call.api_id, "error": text}


def to_domain(path: Path) -> Path:
    """A path of a body in the domain's names, so that one complaint a path is made."""
    return tuple(_DOMAIN.get(step, step) if isinstance(step, str) else step for step in path)


def _in_wire_words(problem: Problem) -> Problem:
    """The problem with a path as the caller knows it: data fields are flat here."""
    steps = [_WIRE.get(step, step) if isinstance(step, str) else step for step in problem.path]
    path = tuple(step for step in steps if step != "data_fields")
    if problem.fault is Fault.MISSING_DATA_FIELD:
        id = problem.facts["type"].id
        text = f"{problem.text}; GET ComplianceDocumentType/{id}/ lists its fields"
        return replace(problem, fault=Fault.BAD_VALUE, path=path, text=text)
    return replace(problem, path=path)
