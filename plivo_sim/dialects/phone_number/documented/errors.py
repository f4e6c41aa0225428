"""Errors of this dialect: ``{"error": {type, code, message, param, doc_url}}`` (documented).

The object is the page's. ``problems`` beside it lists everything that is wrong with an input
(invented); ``error`` is the first of them in schema order. There is no ``api_id`` in the body,
because the page prints none; ``X-Request-Id`` carries it. The page lists seven codes; those for
everything that it has an HTTP status but no code for are invented.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from plivo_sim.dialects.phone_number.documented.paths import param, schema_order, to_wire
from plivo_sim.dialects.phone_number.documented.presenters import STATUS_WORDS
from plivo_sim.domain.requirements import Requirement, Slot
from plivo_sim.errors import (
    AlreadyRented,
    ApplicationRequired,
    Fault,
    Injected,
    InUse,
    Invalid,
    MainAccountOnly,
    Mismatch,
    NoSuchPage,
    NotFound,
    Problem,
    RateLimited,
    SimError,
    TooLarge,
    Unauthenticated,
    WrongCoding,
    WrongMethod,
    WrongState,
)

_DOCS = "https://www.plivo.com/docs/numbers/compliance"

_REQUEST = (400, "invalid_request_error")
_VALIDATION = (422, "validation_error")

_FAULTS: dict[Fault, tuple[tuple[int, str], str]] = {
    Fault.MISSING_FIELD: (_VALIDATION, "missing_required_field"),
    Fault.MISSING_DATA_FIELD: (_VALIDATION, "missing_required_field"),
    Fault.MISSING_FILE: (_VALIDATION, "missing_required_field"),
    Fault.MISSING_DOCUMENT: (_VALIDATION, "missing_required_document"),
    Fault.BAD_FILE: (_VALIDATION, "invalid_file"),
    Fault.BAD_LENGTH: (_VALIDATION, "invalid_field"),
    Fault.BAD_VALUE: (_VALIDATION, "invalid_field"),
    Fault.NO_REQUIREMENT: (_VALIDATION, "invalid_field"),
    Fault.UNKNOWN_RECORD: (_VALIDATION, "invalid_field"),
    Fault.WRONG_TYPE: (_REQUEST, "wrong_type"),
    Fault.NOT_ALLOWED: (_REQUEST, "invalid_value"),
    Fault.UNKNOWN_DOCUMENT_TYPE: (_REQUEST, "unknown_document_type"),
    Fault.UNKNOWN_PARAMETER: (_REQUEST, "unknown_parameter"),
    Fault.BAD_PARAMETER: (_REQUEST, "invalid_parameter"),
    Fault.UNREADABLE: (_REQUEST, "unreadable_body"),
}
"""Every kind of problem: HTTP status, ``type`` and ``code`` (DECISIONS 29)."""

_ADJECTIVES = {
    "AE": "Emirati", "AU": "Australian", "BR": "Brazilian", "CA": "Canadian", "DE": "German",
    "ES": "Spanish", "FR": "French", "GB": "British", "IN": "Indian", "IT": "Italian",
    "NL": "Dutch", "US": "American",
}  # fmt: skip
"""As in the page's "for German local numbers" (documented); other countries by their code."""

_BY_STATUS = {
    400: ("invalid_request_error", "invalid_request"),
    401: ("authentication_error", "invalid_credentials"),
    403: ("permission_error", "insufficient_permissions"),
    404: ("not_found_error", "not_found"),
    409: ("state_error", "state_conflict"),
    413: ("invalid_request_error", "request_too_large"),
    415: ("invalid_request_error", "unsupported_encoding"),
    422: ("validation_error", "invalid_field"),
    429: ("rate_limit_error", "rate_limit_exceeded"),
}
_STATUS: dict[type[SimError], int] = {Unauthenticated: 401, TooLarge: 413, RateLimited: 429,
                                      WrongCoding: 415, MainAccountOnly: 403}  # fmt: skip
_BROKEN = ("api_error", "internal_error")

_LACKING = {"user_type": "end_user.type"}


@dataclass(frozen=True, slots=True)
class _Told:
    """What the error object says, and under which HTTP status."""

    status: int
    type: str
    code: str
    message: str
    param: str | None = None
    anchor: str = "error-handling"

    def shown(self) -> dict[str, Any]:
        return {
            "type": self.type,
            "code": self.code,
            "message": self.message,
            "param": self.param,
            "doc_url": f"{_DOCS}#{self.anchor}",
        }


def error_body(error: SimError, api_id: str) -> tuple[int, dict[str, Any]]:
    """Status and body; the body has no ``api_id``, see the module."""
    if not isinstance(error, Invalid):
        told = _tell(error)
        return told.status, {"error": told.shown()}
    problems = sorted(error.problems, key=lambda problem: schema_order(problem.path))
    all_told = [_tell_problem(each) for each in problems if not _follows(each, problems)]
    first = all_told[0]
    listed = [{"code": t.code, "message": t.message, "param": t.param} for t in all_told]
    return first.status, {"error": first.shown(), "problems": listed}


def _tell(error: SimError) -> _Told:
    message = f"{str(error)[:1].upper()}{str(error)[1:]}"
    match error:
        case NotFound():
            return _not_found(error)
        case NoSuchPage():
            text = "The requested URL does not exist"
            return _Told(404, "not_found_error", "url_not_found", text)
        case WrongMethod():
            return _Told(405, "invalid_request_error", "method_not_allowed", message)
        case WrongState():
            return _wrong_state(error)
        case InUse():
            return _Told(409, "state_error", "resource_in_use", message, anchor="status-flow")
        case Mismatch():
            return _mismatch(error)
        case ApplicationRequired():
            return _Told(*_VALIDATION, "missing_required_field", message, "compliance_id")
        case AlreadyRented():
            return _Told(409, "state_error", "number_already_rented", message)
    status = error.status if isinstance(error, Injected) else _STATUS.get(type(error), 500)
    anchor = "rate-limits" if status == 429 else "error-handling"
    return _Told(status, *_BY_STATUS.get(status, _BROKEN), message, anchor=anchor)


def _not_found(error: NotFound) -> _Told:
    kind = {"application": "compliance"}.get(error.kind, error.kind)
    message = f"{kind.capitalize().replace('_', ' ')} '{error.id}' does not exist"
    return _Told(404, "not_found_error", f"{kind}_not_found", message, f"{kind}_id")


def _wrong_state(error: WrongState) -> _Told:
    """The message names the true status, which the printed one may hide (DECISIONS 17)."""
    code, verb = {
        "update": ("compliance_not_editable", "modified"),
        "delete": ("compliance_not_deletable", "deleted"),
        "link": ("compliance_not_approved", "linked to numbers"),
    }.get(error.verb, ("state_conflict", f"used to {error.verb}"))
    word = next((word for status, word in STATUS_WORDS.items() if status == error.status), "")
    shown = f" (shown as {word})" if word not in ("", error.status) else ""
    detail = f"; {error.detail}" if error.detail else ""
    message = f"Compliance cannot be {verb} in current status: {error.status}{shown}{detail}"
    return _Told(409, "state_error", code, message, "compliance_id", "status-flow")


def _mismatch(error: Mismatch) -> _Told:
    """Worded as the page's table of error codes (documented)."""
    what = error.aspect.removeprefix("number_")
    message = (
        f"Number {what} doesn't match compliance {what}: the number's is {error.number_has}, "
        f"the compliance's {error.application_has}"
    )
    return _Told(*_VALIDATION, f"{error.aspect}_mismatch", message, "compliance_id")


# --- problems ------------------------------------------------------------------------------


def _follows(problem: Problem, problems: Sequence[Problem]) -> bool:
    """Whether a problem only says again that something above it is of a wrong type: the page
    nests what the domain keeps flat, so nobody noticed before."""
    path = to_wire(problem.path)
    above = {to_wire(each.path) for each in problems if each.fault is Fault.WRONG_TYPE}
    return any(path[:length] in above for length in range(len(path)))


def _tell_problem(problem: Problem) -> _Told:
    (status, type_), code = _FAULTS[problem.fault]
    where = param(problem.path)
    if problem.fault is Fault.NO_REQUIREMENT and "lacking" in problem.facts:
        lacking = str(problem.facts["lacking"])
        where = _LACKING.get(lacking, lacking)
    anchor = "requirements" if status == 422 else "error-handling"
    return _Told(status, type_, code, _message(problem, where), where, anchor)


def _message(problem: Problem, where: str | None) -> str:
    facts, text = problem.facts, problem.text
    match problem.fault:
        case Fault.MISSING_DOCUMENT:
            return _missing_document(facts["slot"], facts["requirement"])
        case Fault.MISSING_FIELD:
            return f"{facts.get('label') or where} is required"
        case Fault.MISSING_DATA_FIELD:
            return f"{facts['field']} {text}"
        case Fault.UNKNOWN_PARAMETER:
            return f"Unknown query parameter '{where}'"  # observed (wire-facts 2.8)
        case Fault.WRONG_TYPE if where is None:
            return f"The body {text}"
        case Fault.BAD_PARAMETER | Fault.WRONG_TYPE | Fault.NOT_ALLOWED | Fault.BAD_LENGTH:
            return f"{where} {text}"
        case Fault.BAD_VALUE:
            return f"{where} {text}"
    return f"{text[:1].upper()}{text[1:]}"


def _missing_document(slot: Slot, requirement: Requirement) -> str:
    """Worded as the page's "Address proof is required for German local numbers" (documented)."""
    country = _ADJECTIVES.get(requirement.country_iso, requirement.country_iso)
    return f"{slot.name} is required for {country} {requirement.number_type} numbers"
