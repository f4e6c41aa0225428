"""Calls of the imitated APIs, and what a run has covered."""

from __future__ import annotations

from typing import Literal, TypedDict

from plivo_sim.control.answers.words import Api, Headers, Instant, Json, Operation


class ExchangeOut(TypedDict):
    """``body``: what was sent, secrets masked; of a form its parts."""

    id: str
    at: Instant
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
