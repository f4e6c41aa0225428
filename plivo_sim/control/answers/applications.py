"""Applications, why they were decided so, and what would happen to one that is not sent."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from plivo_sim.apis.words import JsonObject
from plivo_sim.control.answers.server import PathProblemOut
from plivo_sim.control.answers.words import Dialect, Instant, Status
from plivo_sim.domain.records import By, Method, NumberType, Origin, UserType


class ChangeOut(TypedDict):
    at: Instant
    status: Status
    by: By
    why: str
    reason: str | None


class NextOut(TypedDict):
    status: Status
    reason: str | None
    why: str
    at: NotRequired[Instant]
    after: NotRequired[str]


class ApplicationOut(TypedDict):
    """``verdict``: where it stands, in sentences for people. ``forgotten_callbacks``: how many of
    its callbacks the account's list has let go."""

    id: str
    account: str
    origin: Origin
    alias: str
    status: Status
    rejection_reason: str | None
    country_iso: str
    number_type: NumberType
    user_type: UserType
    requirement_id: str
    end_user_id: str
    document_ids: list[str]
    callback_url: str | None
    callback_method: Method
    attempt: int
    created_at: Instant
    updated_at: Instant
    submitted_at: Instant | None
    timeline: list[ChangeOut]
    next: list[NextOut]
    forgotten_callbacks: int
    verdict: str


class ApplicationsOut(TypedDict):
    total_count: int
    applications: list[ApplicationOut]


class VerdictOut(TypedDict):
    rule: str
    matched: bool
    why: str
    conditions_met: NotRequired[int]


class DifferenceOut(TypedDict):
    """``path``: as ``end_user.name``. The texts are cut where they are long, and empty where there
    was nothing."""

    path: str
    before: str
    after: str


class ExplainedOut(TypedDict):
    attempt: int
    decided_by: str
    rules: list[VerdictOut]
    near_misses: list[VerdictOut]


class AttemptWhyOut(ExplainedOut):
    """``decided``: whether it was; until then ``decided_by`` is what will decide it. ``changed``:
    what this attempt changed, where the one before it is known."""

    decided: bool
    changed: list[DifferenceOut]


class WhyOut(TypedDict):
    id: str
    status: Status
    verdict: str
    attempts: list[AttemptWhyOut]


class PlannedStepOut(TypedDict):
    status: Status
    after: str
    reason: str | None


class EvaluationOut(TypedDict):
    """``would``: ``refused``, ``stuck``, or the status that the reviewer would decide on.

    A refusal has ``status``, ``answer`` (that of the API) and ``problems``; otherwise the plan of
    the review is there: ``by``, ``steps``, ``warnings`` and ``rules``.
    """

    would: Literal["refused", "stuck"] | Status
    dialect: Dialect
    status: NotRequired[int]
    answer: NotRequired[JsonObject]
    problems: NotRequired[list[PathProblemOut]]
    by: NotRequired[str]
    steps: NotRequired[list[PlannedStepOut]]
    warnings: NotRequired[list[str]]
    rules: NotRequired[list[VerdictOut]]
