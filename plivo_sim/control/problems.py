"""Errors of the control API: problem details (RFC 9457)."""

from __future__ import annotations

from typing import Any

from plivo_sim.dialects.calls import Call
from plivo_sim.dialects.words import dotted
from plivo_sim.errors import (
    AccountRequired,
    Busy,
    ClockRefused,
    Invalid,
    NoSuchPage,
    NotFound,
    NotReached,
    SimError,
    TooLarge,
    Untrusted,
    WrongCoding,
    WrongMethod,
    WrongState,
)

MEDIA_TYPE = "application/problem+json"

_KINDS: tuple[tuple[type[SimError], int, str, str], ...] = (
    (NotFound, 404, "not_found", "No such record"),
    (NoSuchPage, 404, "no_such_page", "No such page"),
    (WrongMethod, 405, "wrong_method", "Method not allowed"),
    (AccountRequired, 400, "account_required", "Say which account"),
    (Invalid, 400, "invalid", "The request has problems"),
    (TooLarge, 413, "too_large", "The body is too large"),
    (WrongCoding, 415, "wrong_coding", "The body's encoding is not taken"),
    (WrongState, 409, "wrong_state", "The status does not allow this"),
    (ClockRefused, 409, "clock_refused", "The clock cannot do that"),
    (NotReached, 409, "not_reached", "The status was not reached"),
    (Busy, 409, "busy", "Another call is doing this"),
    (Untrusted, 403, "untrusted", "Not from here"),
)


def problem_details(call: Call, error: SimError) -> tuple[int, dict[str, Any]]:
    """Status and body of a refusal."""
    call.media_type = MEDIA_TYPE
    status, code, title = next(
        (
            (status, code, title)
            for type_, status, code, title in _KINDS
            if isinstance(error, type_)
        ),
        (500, "internal", "The simulator failed"),
    )
    body: dict[str, Any] = {
        "type": f"urn:plivo-sim:problem:{code}",
        "title": title,
        "status": status,
        "code": code,
        "detail": str(error),
    }
    if isinstance(error, AccountRequired):
        body["accounts"] = list(error.accounts)
    if isinstance(error, Invalid):
        problems = [(dotted(problem.path), problem.text) for problem in error.problems]
        body["detail"] = "; ".join(": ".join(filter(None, told)) for told in problems)
        body["problems"] = [{"path": path, "message": text} for path, text in problems]
    if isinstance(error, NotFound):
        body["kind"], body["id"] = error.kind, error.id
    return status, body
