"""Errors of the current dialect, the legacy API and numbers: ``{"api_id", "error": "text"}``.

``error`` is a string (observed: the object form breaks Ruby and PHP). Everything that the caller
can correct is 400, wrong states too, because 400 is the code whose text every SDK shows
(decision "HTTP codes"). Recorded texts are used where there are any (docs/wire-facts.md,
"Errors of the new API"); the rest is invented.
"""

from __future__ import annotations

from typing import TypedDict

from plivo_sim.apis.words import Url, word_of
from plivo_sim.domain.errors import (
    Busy,
    InUse,
    Invalid,
    NotFound,
    NotServed,
    Problem,
    ProblemKind,
    SimError,
    WrongCoding,
    WrongState,
)
from plivo_sim.domain.machine import Dialect
from plivo_sim.domain.text import joined
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


class ErrorObjectOut(TypedDict):
    """The error of the beta dialect, which numbers show for a beta application, too."""

    type: str
    code: str
    message: str
    param: str | None
    doc_url: Url


class ProblemOut(TypedDict):
    code: str
    message: str
    param: str | None


_STATUS: tuple[tuple[type[SimError], int], ...] = (
    (Unauthenticated, 401),
    (Untrusted, 403),
    (NotFound, 404),
    (NoSuchPage, 404),
    (WrongMethod, 405),
    (NotServed, 421),
    (Invalid, 400),
    (WrongState, 400),
    (InUse, 400),
    (Busy, 409),
    (TooLarge, 400),
    (TooSlow, 408),
    (WrongCoding, 415),
    (RateLimited, 429),
)

NAMES = {
    "application": "Compliance application",
    "document": "Compliance document",
    "document_type": "Compliance document type",
    "end_user": "End user",
    "requirement": "Compliance requirement",
    "number": "Number",
}


def plain_error(error: SimError, dialect: Dialect = "current") -> tuple[int, str]:
    """The HTTP status and the text of ``error``; a status in it is in the words of ``dialect``."""
    if isinstance(error, Injected):
        return error.status, str(error)
    if isinstance(error, Refused):
        return error.status, _text(error, dialect)
    status = next((code for type_, code in _STATUS if isinstance(error, type_)), 500)
    return status, _text(error, dialect)


def _text(error: SimError, dialect: Dialect) -> str:
    if isinstance(error, Invalid):
        return joined(word(problem) for problem in error.problems)
    if isinstance(error, NotFound):
        return f"{NAMES.get(error.kind, error.kind.capitalize())} not found."
    if isinstance(error, WrongState):
        return _wrong_state(error, dialect)
    if isinstance(error, InUse):
        used_by = ", ".join(error.used_by)
        return f"Cannot {error.verb} {NAMES[error.kind].lower()}: it is used by {used_by}."
    if isinstance(error, NoSuchPage):
        return "The requested URL does not exist."
    return f"{str(error)[:1].upper()}{str(error)[1:]}."


def _wrong_state(error: WrongState, dialect: Dialect) -> str:
    """The text of a correction in a wrong state is the live service's, without the status that it
    has (documented: docs/wire-facts.md, "Update replaces all documents"). The other texts name the
    status in the words of this API (inferred)."""
    if error.verb == "correct":
        return "Compliance application must be in 'rejected' status"
    status = word_of(error, dialect)
    text = f"Cannot {error.verb} {NAMES[error.kind].lower()} in {status} status."
    return text + (f" {error.detail.capitalize()}." if error.detail else "")


def word(problem: Problem) -> str:
    """One problem as a sentence that names its path."""
    path = dotted(problem.path)
    if problem.fault is ProblemKind.MISSING_DATA_FIELD:
        # Field-reported (wire-facts.md, "Errors of the new API"): the text of the live service.
        return (
            f"Field '{problem.facts['field']}' is required for document type "
            f"'{problem.facts['type'].id}'. Check GET /Requirements for required fields."
        )
    if problem.fault is ProblemKind.UNKNOWN_PARAMETER:
        # Observed (wire-facts.md, "Errors of the new API")
        return f"Unknown query parameter '{path}'"
    if problem.fault is ProblemKind.NO_REQUIREMENT:
        return problem.text  # it names what is wrong, and clients match on its beginning
    if problem.fault is ProblemKind.MISSING_FIELD:
        return f"Field '{path}' is required."
    if problem.fault is ProblemKind.WRONG_TYPE and not path:
        return f"The data {problem.text}"
    return f"{path}: {problem.text}" if path else problem.text
