"""Errors of numbers and of Link: a string that begins with the page's code, where it has one.

``country_mismatch``, ``number_type_mismatch`` and ``compliance_not_approved`` and their sentences
are the page's (documented), the form of a string is what every SDK can read (observed), together
they are DECISIONS 31 (inferred). The page's own object answers those who speak as the page does:
``compliance_id`` in the body, and no SDK.
"""

from __future__ import annotations

from typing import Any

from plivo_sim.dialects.calls import Call
from plivo_sim.dialects.plain_errors import plain_error
from plivo_sim.errors import (
    AlreadyRented,
    ApplicationRequired,
    MainAccountOnly,
    Mismatch,
    SimError,
    WrongState,
)

_STATUS: tuple[tuple[type[SimError], int], ...] = (
    (Mismatch, 400),
    (ApplicationRequired, 400),
    (AlreadyRented, 400),
    (MainAccountOnly, 403),
)

_MISMATCHES = {
    "country": "country_mismatch: Number country doesn't match compliance country",
    "number_type": "number_type_mismatch: Number type doesn't match compliance type",
}
_REQUIRED = "compliance_application_id is required to rent this number."
"""Field-reported: the text of the live service."""


def error_body(call: Call, error: SimError) -> tuple[int, dict[str, Any]]:
    """Status and ``{"api_id", "error": "text"}``."""
    status = next((code for type_, code in _STATUS if isinstance(error, type_)), None)
    if status is None:
        status, _ = plain_error(error)
    return status, {"api_id": call.api_id, "error": text_of(error)}


def text_of(error: SimError) -> str:
    """The sentence for an error; ``remarks`` of Link use the same."""
    match error:
        case Mismatch():
            return (
                f"{_MISMATCHES[error.aspect]} (number: {error.number_has}, "
                f"compliance: {error.application_has})."
            )
        case WrongState(verb="link"):
            return (
                "compliance_not_approved: Only approved compliance records can be linked to "
                f"numbers ({error.id} is {error.status})."
            )
        case ApplicationRequired():
            return _REQUIRED
    return plain_error(error)[1]
