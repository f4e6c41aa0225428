"""Errors of this dialect: ``{"error": {type, code, message, param, doc_url}}`` (documented).

The object is the page's. ``problems`` beside it lists everything that is wrong with an input
(invented); ``error`` is the first of them in schema order. There is no ``api_id`` in the body,
because the page prints none; ``X-Request-Id`` carries it. The page lists seven codes; those for
everything that it has an HTTP status but no code for are invented.

Paths are translated in both directions. The page nests what the domain keeps flat (documented):
``end_user.address.line1`` is ``address_line1``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NotRequired, TypedDict

from plivo_sim.apis.errors import ErrorObjectOut, ProblemOut
from plivo_sim.apis.words import row_of, word_of
from plivo_sim.domain.errors import (
    AlreadyRented,
    ApplicationRequired,
    Busy,
    InUse,
    Invalid,
    MainAccountOnly,
    Mismatch,
    NotFound,
    NotServed,
    Path,
    Problem,
    ProblemKind,
    SimError,
    WrongCoding,
    WrongState,
)
from plivo_sim.domain.requirements import Requirement, Slot
from plivo_sim.domain.typed import dotted
from plivo_sim.web.calls import (
    Injected,
    NoSuchPage,
    RateLimited,
    Refused,
    TooLarge,
    TooSlow,
    Unauthenticated,
    Untrusted,
    WrongMethod,
)

ADDRESS = {
    "line1": "address_line1",
    "line2": "address_line2",
    "city": "city",
    "state": "state",
    "postal_code": "postal_code",
    "country": "country",
}
_WIRE_ADDRESS = {attribute: name for name, attribute in ADDRESS.items()}

_ORDER = (
    ("country_iso", "number_type", "alias", "end_user", "documents", "callback_url",
     "callback_method"),
    ("type", "name", "email", "address", "registration_number", "file", "data_fields"),
    tuple(ADDRESS),
)  # fmt: skip


def to_domain(path: Path) -> Path:
    """The domain's path for a path of this dialect's schemas."""
    match path:
        case ("end_user", "address", str(name)) if name in ADDRESS:
            return ("end_user", ADDRESS[name])
        case ("documents", int(index), "type"):
            return ("documents", index, "document_type_id")
    return path


def to_wire(path: Path) -> Path:
    """This dialect's path for a domain path."""
    match path:
        case ("end_user", str(name)) if name in _WIRE_ADDRESS:
            return ("end_user", "address", _WIRE_ADDRESS[name])
        case ("documents", int(index), "document_type_id"):
            return ("documents", index, "type")
    return path


def param(path: Path) -> str | None:
    """The value of ``param``: this dialect's path as text; None for the whole body."""
    return dotted(to_wire(path)) or None


def schema_order(path: Path) -> tuple[int, ...]:
    """The sort key of a problem: its place in the schema. A problem of the list of documents as a
    whole comes after those of single documents."""
    wire = to_wire(path)
    if not wire:
        return ()
    first = _place(0, wire[0])
    if wire[0] == "documents":
        index = wire[1] if len(wire) > 1 and isinstance(wire[1], int) else 10**6
        return (first, index, *(_place(1, step) for step in wire[2:3]))
    return (first, *(_place(level, step) for level, step in enumerate(wire[1:3], 1)))


def _place(level: int, step: str | int) -> int:
    order = _ORDER[level]
    return order.index(step) if step in order else len(order)


_DOCS = "https://www.plivo.com/docs/numbers/compliance"

_REQUEST = (400, "invalid_request_error")
_VALIDATION = (422, "validation_error")

_BY_KIND: dict[ProblemKind, tuple[tuple[int, str], str]] = {
    ProblemKind.MISSING_FIELD: (_VALIDATION, "missing_required_field"),
    ProblemKind.MISSING_DATA_FIELD: (_VALIDATION, "missing_required_field"),
    ProblemKind.MISSING_FILE: (_VALIDATION, "missing_required_field"),
    ProblemKind.MISSING_DOCUMENT: (_VALIDATION, "missing_required_document"),
    ProblemKind.BAD_FILE: (_VALIDATION, "invalid_file"),
    ProblemKind.BAD_LENGTH: (_VALIDATION, "invalid_field"),
    ProblemKind.BAD_VALUE: (_VALIDATION, "invalid_field"),
    ProblemKind.NO_REQUIREMENT: (_VALIDATION, "invalid_field"),
    ProblemKind.UNKNOWN_RECORD: (_VALIDATION, "invalid_field"),
    ProblemKind.WRONG_TYPE: (_REQUEST, "wrong_type"),
    ProblemKind.NOT_ALLOWED: (_REQUEST, "invalid_value"),
    ProblemKind.UNKNOWN_DOCUMENT_TYPE: (_REQUEST, "unknown_document_type"),
    ProblemKind.UNKNOWN_PARAMETER: (_REQUEST, "unknown_parameter"),
    ProblemKind.BAD_PARAMETER: (_REQUEST, "invalid_parameter"),
    ProblemKind.UNREADABLE: (_REQUEST, "unreadable_body"),
}
"""Every kind of problem: HTTP status, ``type`` and ``code`` (decision "HTTP codes")."""

_BY_STATUS = {
    400: ("invalid_request_error", "invalid_request"),
    401: ("authentication_error", "invalid_credentials"),
    403: ("permission_error", "insufficient_permissions"),
    404: ("not_found_error", "not_found"),
    405: ("invalid_request_error", "method_not_allowed"),
    408: ("invalid_request_error", "request_timeout"),
    409: ("state_error", "state_conflict"),
    413: ("invalid_request_error", "request_too_large"),
    414: ("invalid_request_error", "url_too_long"),
    415: ("invalid_request_error", "unsupported_encoding"),
    421: ("invalid_request_error", "misdirected_request"),
    422: ("validation_error", "invalid_field"),
    429: ("rate_limit_error", "rate_limit_exceeded"),
    431: ("invalid_request_error", "headers_too_large"),
    501: ("invalid_request_error", "unsupported_encoding"),
    505: ("invalid_request_error", "unsupported_version"),
}
_STATUS: dict[type[SimError], int] = {
    Unauthenticated: 401, MainAccountOnly: 403, Untrusted: 403, TooSlow: 408, TooLarge: 413,
    WrongCoding: 415, NotServed: 421, RateLimited: 429, Busy: 409,
}  # fmt: skip
_BROKEN = ("api_error", "internal_error")


class ErrorOut(TypedDict):
    error: ErrorObjectOut
    problems: NotRequired[list[ProblemOut]]


@dataclass(frozen=True, slots=True)
class _Error:
    """The content of the error object, and the HTTP status."""

    status: int
    type: str
    code: str
    message: str
    param: str | None = None
    anchor: str = "error-handling"

    def shown(self) -> ErrorObjectOut:
        return {
            "type": self.type,
            "code": self.code,
            "message": self.message,
            "param": self.param,
            "doc_url": f"{_DOCS}#{self.anchor}",
        }


def error_body(error: SimError, api_id: str) -> tuple[int, ErrorOut]:
    """Status and body; the body has no ``api_id``, see the module."""
    if not isinstance(error, Invalid):
        found = _error_of(error)
        return found.status, {"error": found.shown()}
    problems = sorted(error.problems, key=lambda problem: schema_order(problem.path))
    errors = [_error_of_problem(each) for each in problems if not _follows(each, problems)]
    first = errors[0]
    listed: list[ProblemOut] = [
        {"code": each.code, "message": each.message, "param": each.param} for each in errors
    ]
    return first.status, {"error": first.shown(), "problems": listed}


def _error_of(error: SimError) -> _Error:
    message = f"{str(error)[:1].upper()}{str(error)[1:]}"
    match error:
        case NotFound():
            return _not_found(error)
        case NoSuchPage():
            text = "The requested URL does not exist"
            return _Error(404, "not_found_error", "url_not_found", text)
        case WrongMethod():
            return _Error(405, "invalid_request_error", "method_not_allowed", message)
        case WrongState():
            return _wrong_state(error)
        case InUse():
            return _Error(409, "state_error", "resource_in_use", message, anchor="status-flow")
        case Mismatch():
            return _mismatch(error)
        case ApplicationRequired():
            return _Error(*_VALIDATION, "missing_required_field", message, "compliance_id")
        case AlreadyRented():
            return _Error(409, "state_error", "number_already_rented", message)
    if isinstance(error, Injected | Refused):
        status = error.status
    else:
        status = _STATUS.get(type(error), 500)
    anchor = "rate-limits" if status == 429 else "error-handling"
    return _Error(status, *_BY_STATUS.get(status, _BROKEN), message, anchor=anchor)


def _not_found(error: NotFound) -> _Error:
    kind = {"application": "compliance"}.get(error.kind, error.kind)
    message = f"{kind.capitalize().replace('_', ' ')} '{error.id}' does not exist"
    return _Error(404, "not_found_error", f"{kind}_not_found", message, f"{kind}_id")


def _wrong_state(error: WrongState) -> _Error:
    """The message names the status in the page's words, and what hides behind ``rejected`` as the
    reason of such a record does (decision "Correctable applications"; inferred)."""
    code, verb = {
        "correct": ("compliance_not_editable", "modified"),
        "delete": ("compliance_not_deletable", "deleted"),
        "link": ("compliance_not_approved", "linked to numbers"),
    }.get(error.verb, ("state_conflict", f"used to {error.verb}"))
    row, word = row_of(error), word_of(error, "beta")
    if row is not None and row.beta_reason:
        word = f"{word} ({row.beta_reason})"
    detail = f"; {error.detail}" if error.detail else ""
    message = f"Compliance cannot be {verb} in current status: {word}{detail}"
    return _Error(409, "state_error", code, message, "compliance_id", "status-flow")


def _mismatch(error: Mismatch) -> _Error:
    """Worded as the page's table of error codes (documented)."""
    what = error.aspect.removeprefix("number_").replace("_", " ")
    message = (
        f"Number {what} doesn't match compliance {what}: the number's is {error.number_has}, "
        f"the compliance's {error.application_has}"
    )
    return _Error(*_VALIDATION, f"{error.aspect}_mismatch", message, "compliance_id")


# --- problems ------------------------------------------------------------------------------


def _follows(problem: Problem, problems: Sequence[Problem]) -> bool:
    """Whether a problem only repeats that an object above it has a wrong type. The domain, which
    keeps flat what the page nests, cannot see that."""
    path = to_wire(problem.path)
    above = {to_wire(each.path) for each in problems if each.fault is ProblemKind.WRONG_TYPE}
    return any(path[:length] in above for length in range(len(path)))


def _error_of_problem(problem: Problem) -> _Error:
    (status, type_), code = _BY_KIND[problem.fault]
    where = param(problem.path)
    anchor = "requirements" if status == 422 else "error-handling"
    return _Error(status, type_, code, _message(problem, where), where, anchor)


def _message(problem: Problem, where: str | None) -> str:
    facts, text = problem.facts, problem.text
    match problem.fault:
        case ProblemKind.MISSING_DOCUMENT:
            return _missing_document(facts["slot"], facts["requirement"])
        case ProblemKind.MISSING_FIELD:
            return f"{facts.get('label') or where} is required"
        case ProblemKind.MISSING_DATA_FIELD:
            return f"{facts['field']} {text}"
        case ProblemKind.UNKNOWN_PARAMETER:
            # Observed (wire-facts.md, "Errors of the new API")
            return f"Unknown query parameter '{where}'"
        case ProblemKind.WRONG_TYPE if where is None:
            return f"The body {text}"
        case (
            ProblemKind.BAD_PARAMETER
            | ProblemKind.WRONG_TYPE
            | ProblemKind.NOT_ALLOWED
            | ProblemKind.BAD_LENGTH
        ):
            return f"{where} {text}"
        case ProblemKind.BAD_VALUE:
            return f"{where} {text}"
    return f"{text[:1].upper()}{text[1:]}"


def _missing_document(slot: Slot, requirement: Requirement) -> str:
    """Worded as the page's "Address proof is required for German local numbers" (documented)."""
    kind = f"{requirement.adjective} {requirement.number_type}"
    return f"{slot.name} is required for {kind} numbers"
