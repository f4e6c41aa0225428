"""Calls of the imitated APIs, and what a run has covered."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from plivo_sim.control.answers.words import Api, Headers, Instant, Json, Operation


class StoppedOut(TypedDict):
    """Where the reading of a body stopped: ``offset`` in bytes, ``line`` and ``column`` from 1."""

    offset: int
    line: int
    column: int
    why: str


class SentOut(TypedDict):
    """The body of a request as it came. ``size_bytes``: of all of it; ``text``: what is kept of it,
    or ``base64`` where it is no text; both are empty for a form with files, whose parts are in
    ``body``. ``changed``: how that differs from what came: only the start is kept, secrets are
    masked, it is without its Content-Encoding, or in UTF-8. ``is_read``: whether it was taken for
    what it says to be; if not, ``stopped`` says where that ended, if it is among what is kept."""

    size_bytes: int
    text: str | None
    base64: str | None
    changed: list[Literal["cut", "masked", "unpacked", "recoded"]]
    is_read: bool
    stopped: StoppedOut | None


class ExchangeOut(TypedDict):
    """``at`` is simulated, ``arrived`` real time; ``body``: what was meant by what was sent,
    secrets masked; of a form its parts, of a file name, type, size and hash; null for what could
    not be read. ``sent``: the same as it came. Of ``Authorization`` the user name is shown, if it
    may be one, and never a token. ``answer``: the start of the answer's JSON; ``answer_end``: the
    end of one that a fault has spoilt and that is longer; ``answer_size``: how many bytes it has.
    """

    id: str
    at: Instant
    arrived: Instant
    method: str
    url: str
    headers: Headers
    body: Json
    sent: SentOut | None
    status: int
    answer: str
    answer_end: str
    answer_size: int | None
    answer_type: str
    answer_headers: list[list[str]]
    dialect: Literal["current", "beta", "legacy", "numbers", "atoms", ""]
    operation: Operation
    fault: str | None
    why: str
    took_ms: float


class RequestsOut(TypedDict):
    """``forgotten``: how many older ones are not kept any more."""

    account: str
    requests: list[ExchangeOut]
    forgotten: int


class UnmatchedOut(ExchangeOut):
    """``nearest``: the path that was probably meant, if the one that was called is none. Here
    ``at`` is real time, too."""

    nearest: str | None


class UnmatchedListOut(TypedDict):
    """``forgotten``: how many older ones are not kept any more."""

    unmatched: list[UnmatchedOut]
    forgotten: int


class OperationOut(TypedDict):
    """``operation``: as faults, scenarios and the journal of requests name it; ``api``: as faults
    do."""

    operation: Operation
    api: Api
    method: str
    path: str
    summary: str


class OperationsOut(TypedDict):
    operations: list[OperationOut]


TransitionCountOut = TypedDict("TransitionCountOut", {"from": str, "to": str, "count": int})


class ReasonCountsOut(TypedDict):
    presets: dict[str, int]
    others: dict[str, int]


class CoverageOut(TypedDict):
    """``forgotten``: how many transitions and reasons are not kept any more, as too many others
    were counted since."""

    statuses: dict[str, bool]
    transitions: list[TransitionCountOut]
    rejection_reasons: ReasonCountsOut
    errors: dict[str, int]
    callbacks: dict[str, int]
    faults: dict[str, int]
    forgotten: int


class ReportOut(TypedDict):
    """``lines``: for people to read."""

    account: str
    lines: list[str]


EventOut = TypedDict(
    "EventOut",
    {
        "number": int,
        "kind": Literal["request", "transition", "callback", "clock", "unmatched"],
        "account": str,
        "at": Instant,
        "id": NotRequired[str],
        "method": NotRequired[str],
        "url": NotRequired[str],
        "operation": NotRequired[str],
        "dialect": NotRequired[str],
        "status": NotRequired[int | None],
        "fault": NotRequired[str | None],
        "took_ms": NotRequired[float],
        "application": NotRequired[str],
        "from": NotRequired[str],
        "to": NotRequired[str],
        "reason": NotRequired[str | None],
        "delivery": NotRequired[str],
        "attempt": NotRequired[int],
        "retries": NotRequired[int],
        "state": NotRequired[str],
        "told": NotRequired[str | None],
        "error": NotRequired[str | None],
        "paused": NotRequired[bool],
        "rate": NotRequired[float],
        "why": NotRequired[str],
        "nearest": NotRequired[str | None],
    },
)
EventOut.__doc__ = """A request, a transition, a callback (``told``: the status in it; ``retries``:
how many it gets at most; with ``attempt`` 0 it is never tried, and ``why`` says why), a move of a
clock (``from`` and ``to`` are instants) or a request that is ``unmatched``: of no account, at a
real instant, with the path that was probably meant (``nearest``); what the others have is absent.
``number``: its place among all of the server."""


class EventsOut(TypedDict):
    """``next``: what to give as ``after`` to get what follows. ``missed``: how many events behind
    ``after`` are not kept any more, ``forgotten``: how many of all."""

    events: list[EventOut]
    next: int
    missed: int
    forgotten: int
