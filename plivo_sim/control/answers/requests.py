"""Calls of the imitated APIs, and what a run has covered."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from plivo_sim.control.answers.words import Api, Headers, Instant, Json, Operation


class ExchangeOut(TypedDict):
    """``at`` is simulated, ``arrived`` real time; ``body``: what was sent, secrets masked; of a
    form its parts."""

    id: str
    at: Instant
    arrived: Instant
    method: str
    url: str
    headers: Headers
    body: Json
    status: int
    answer: str
    answer_type: str
    dialect: Literal["current", "beta", "legacy", "numbers", "atoms", ""]
    operation: Operation
    fault: str | None
    why: str
    took_ms: float


class RequestsOut(TypedDict):
    account: str
    requests: list[ExchangeOut]


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
    statuses: dict[str, bool]
    transitions: list[TransitionCountOut]
    rejection_reasons: ReasonCountsOut
    errors: dict[str, int]
    callbacks: dict[str, int]
    faults: dict[str, int]


class ReportOut(TypedDict):
    """``lines``: for people to read."""

    account: str
    lines: list[str]


EventOut = TypedDict(
    "EventOut",
    {
        "number": int,
        "kind": Literal["request", "transition", "callback", "clock"],
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
        "state": NotRequired[str],
        "told": NotRequired[str | None],
        "error": NotRequired[str | None],
        "paused": NotRequired[bool],
        "rate": NotRequired[float],
        "why": NotRequired[str],
    },
)
EventOut.__doc__ = """A request, a transition, a callback (``told``: the status in it; with
``attempt`` 0 it is never tried, and ``why`` says why) or a move of a clock (``from`` and ``to`` are
instants); what the others have is absent. ``number``: its place among all of the server."""


class EventsOut(TypedDict):
    """``next``: what to give as ``after`` to get what follows. ``missed``: how many events behind
    ``after`` are not kept any more."""

    events: list[EventOut]
    next: int
    missed: int
