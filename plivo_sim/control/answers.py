"""What the control API answers: mypy checks the views by it, and the OpenAPI document shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, NotRequired, TypedDict

from msgspec import Meta

from plivo_sim.scenarios.language import FaultRule, WebhookPolicy

__all__ = ["WebhookPolicy"]  # which a call answers as it is; the other types stand below

Instant = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]


# --- time ------------------------------------------------------------------------------------


class ClockOut(TypedDict):
    account: str
    now: Instant
    paused: bool
    rate: float
    advancing: bool
    next_due: Instant | None
    due_count: int
    sending: int


class SettledOut(ClockOut):
    """``settled``: whether all of it was over in time."""

    settled: bool


HappeningOut = TypedDict(
    "HappeningOut",
    {
        "type": str,
        "at": Instant,
        "application": str,
        "from": NotRequired[str],
        "to": NotRequired[str],
        "reason": NotRequired[str | None],
        "delivery": NotRequired[str],
        "attempt": NotRequired[int],
        "state": NotRequired[str],
        "status": NotRequired[int | None],
        "error": NotRequired[str | None],
    },
)
HappeningOut.__doc__ = "A ``transition`` or a ``callback``; the other's keys are absent."


class AdvanceOut(ClockOut):
    pending: bool
    happenings: list[HappeningOut]


# --- applications ----------------------------------------------------------------------------


class ChangeOut(TypedDict):
    at: Instant
    status: str
    by: str
    why: str
    reason: str | None


class NextOut(TypedDict):
    status: str
    reason: str | None
    why: str
    at: NotRequired[Instant]
    after: NotRequired[str]


class ApplicationOut(TypedDict):
    id: str
    account: str
    origin: str
    alias: str
    status: str
    rejection_reason: str | None
    country_iso: str
    number_type: str
    user_type: str
    requirement_id: str
    end_user_id: str
    document_ids: list[str]
    callback_url: str | None
    callback_method: str
    attempt: int
    created_at: Instant
    updated_at: Instant
    submitted_at: Instant | None
    timeline: list[ChangeOut]
    next: list[NextOut]


class ApplicationsOut(TypedDict):
    total_count: int
    applications: list[ApplicationOut]


class VerdictOut(TypedDict):
    rule: str
    matched: bool
    why: str
    conditions_met: NotRequired[int]


class AttemptWhyOut(TypedDict):
    attempt: int
    decided_by: str
    rules: list[VerdictOut]
    near_misses: list[VerdictOut]


class WhyOut(TypedDict):
    id: str
    status: str
    attempts: list[AttemptWhyOut]


class PathProblemOut(TypedDict):
    path: str
    message: str


class PlannedStepOut(TypedDict):
    status: str
    after: str
    reason: str | None


class EvaluationOut(TypedDict):
    """``would``: ``refused``, ``stuck``, or the status that the reviewer would decide on.

    A refusal has ``status``, ``answer`` and ``problems``; otherwise the plan of the review is
    there: ``by``, ``steps``, ``warnings`` and ``rules``.
    """

    would: str
    dialect: str
    status: NotRequired[int]
    answer: NotRequired[Mapping[str, Any]]
    problems: NotRequired[list[PathProblemOut]]
    by: NotRequired[str]
    steps: NotRequired[list[PlannedStepOut]]
    warnings: NotRequired[list[str]]
    rules: NotRequired[list[VerdictOut]]


# --- callbacks -------------------------------------------------------------------------------


class AttemptOut(TypedDict):
    at: Instant
    url: str
    headers: dict[str, str]
    body: str
    status: int | None
    answer: str
    error: str | None
    latency_s: float


class WebhookOut(TypedDict):
    id: str
    application: str
    url: str
    method: str
    payload: dict[str, str]
    state: str
    why: str
    created_at: Instant
    attempts: list[AttemptOut]


class WebhooksOut(TypedDict):
    total_count: int
    webhooks: list[WebhookOut]


class SignatureOut(TypedDict):
    valid: bool
    covers: str | None
    wrong: list[str]


class SignaturesOut(TypedDict):
    v2: SignatureOut
    v3: SignatureOut
    ma_v3: SignatureOut


class MessageOut(TypedDict):
    method: str
    url: str
    headers: dict[str, str]
    query: dict[str, str]
    body: str


class InboxOut(TypedDict):
    name: str
    messages: list[MessageOut]


class ReceivedOut(TypedDict):
    received: bool


# --- accounts --------------------------------------------------------------------------------


class AccountOut(TypedDict):
    """``machine``: the name of the status machine in use."""

    auth_id: str
    now: Instant
    applications: int
    end_users: int
    documents: int
    numbers: int
    machine: str
    settings: dict[str, str]


class AccountsOut(TypedDict):
    accounts: list[AccountOut]


class MarkedOut(AccountOut):
    """``kept``: until when the simulator keeps it."""

    account: str
    name: str
    kept: str


class ResetOut(TypedDict):
    reset: list[str]


ExportOut = dict[str, dict[str, dict[str, Any]]]
"""Table -> document number -> document."""


# --- scenarios, faults -----------------------------------------------------------------------


class SentenceOut(TypedDict):
    name: str
    scenario: str


class ScenariosOut(TypedDict):
    scenarios: list[SentenceOut]


class ShippedScenarioOut(TypedDict):
    name: str
    yaml: str


class ScenarioOut(TypedDict):
    """``fired``: how often each rule has decided."""

    account: str
    scenario: dict[str, Any] | None
    fired: dict[str, int]


class AboutOut(TypedDict):
    name: str
    about: str


class MachinesOut(TypedDict):
    machines: list[AboutOut]


class MachineOut(TypedDict):
    """``chosen_by``: ``scenario``, ``account`` or ``server``; ``machine``: whole."""

    account: str
    name: str
    chosen_by: str
    machine: dict[str, Any]


class WordsOut(TypedDict):
    magic_values: dict[str, dict[str, Any]]
    presets: dict[str, str]


class NextOutcomeOut(TypedDict):
    waiting: int


class FaultOut(FaultRule, frozen=True, kw_only=True):
    """A fault that is on, with every field that it sets; ``struck``: how many calls it has hit
    since the server started."""

    id: str
    struck: int


class FaultsOut(TypedDict):
    account: str
    faults: list[FaultOut]


class FaultAddedOut(TypedDict):
    id: str
    faults: list[FaultOut]


# --- requests --------------------------------------------------------------------------------


class ExchangeOut(TypedDict):
    """``at`` is simulated, ``arrived`` real time."""

    id: str
    at: Instant
    arrived: Instant
    method: str
    url: str
    headers: dict[str, str]
    body: Any
    status: int
    answer: str
    answer_type: str
    dialect: str
    operation: str
    fault: str | None
    why: str
    took_ms: float


class ReportOut(TypedDict):
    """``lines``: for people to read."""

    account: str
    lines: list[str]


class RequestsOut(TypedDict):
    account: str
    requests: list[ExchangeOut]


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


# --- server ----------------------------------------------------------------------------------


class DamageOut(TypedDict):
    """A state file that was damaged: up to ``line`` all is there, the rest is in ``kept_in``."""

    file: str
    line: int
    offset: int
    size_bytes: int
    whole_lines: int
    torn: bool
    kept_in: str


class HealthOut(TypedDict):
    """``machine``: the name of the server's status machine."""

    status: str
    version: str
    state: str
    machine: str
    accounts: int
    damages: list[DamageOut]


class LiveOut(TypedDict):
    status: str


class ReadyOut(TypedDict):
    status: str
    reasons: list[str]


class DocumentTypeOut(TypedDict):
    document_type_id: str
    word: str
    name: str
    proof_required: bool
    fields: list[dict[str, Any]]


class SlotOut(TypedDict):
    name: str
    any_of: list[DocumentTypeOut]


class RequirementOut(TypedDict):
    requirement_id: str
    country_iso: str
    number_type: str
    user_type: str
    source: str
    evidence: str
    observed: str | None
    estimated_review_days: int
    documents: list[SlotOut]


class RequirementsOut(TypedDict):
    requirements: list[RequirementOut]
    countries: dict[str, dict[str, Any]]


class FidelityRowOut(TypedDict):
    """``observed``: the day, ``yyyy-mm-dd``."""

    confidence: str
    text: str
    place: str
    observed: str | None


class FidelityOut(TypedDict):
    """``words``: what the words of ``confidence`` mean; ``counts``: how many rows have each."""

    words: dict[str, str]
    counts: dict[str, int]
    rows: list[FidelityRowOut]


class ProblemDetailsOut(TypedDict):
    """Problem details, RFC 9457."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    problems: NotRequired[list[PathProblemOut]]
    accounts: NotRequired[list[str]]
    kind: NotRequired[str]
    id: NotRequired[str]
