"""The server: its health, its catalogue, its documents, what it is sure of, and refusals."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from plivo_sim.apis.words import JsonObject
from plivo_sim.control.answers.words import Confidence
from plivo_sim.domain.countries import Country
from plivo_sim.domain.records import NumberType, UserType
from plivo_sim.domain.requirements import FieldRule


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

    status: Literal["ok"]
    version: str
    state: str
    machine: str
    accounts: int
    damages: list[DamageOut]


class LiveOut(TypedDict):
    status: Literal["ok"]


class ReadyOut(TypedDict):
    status: Literal["ready", "unready"]
    reasons: list[str]


JsonSchemaOut = TypedDict(
    "JsonSchemaOut", {"$schema": str, "title": str, "$ref": str, "$defs": dict[str, JsonObject]}
)


class DocumentLinkOut(TypedDict):
    """One OpenAPI document: whose, and where it is."""

    name: str
    title: str
    description: str
    url: str


class DocumentsOut(TypedDict):
    documents: list[DocumentLinkOut]


class OpenApiOut(TypedDict):
    """An OpenAPI 3.1 document."""

    openapi: str
    info: JsonObject
    paths: dict[str, JsonObject]
    components: JsonObject
    servers: NotRequired[list[JsonObject]]
    security: NotRequired[list[JsonObject]]


class DocumentTypeOut(TypedDict):
    document_type_id: str
    word: str
    name: str
    proof_required: bool
    fields: list[FieldRule]


class SlotOut(TypedDict):
    name: str
    any_of: list[DocumentTypeOut]


class RequirementOut(TypedDict):
    requirement_id: str
    country_iso: str
    number_type: NumberType
    user_type: UserType
    source: Confidence
    evidence: str
    observed: str | None
    estimated_review_days: int
    documents: list[SlotOut]


class RequirementsOut(TypedDict):
    requirements: list[RequirementOut]
    countries: dict[str, Country]


class FidelityRowOut(TypedDict):
    """``observed``: the day, ``yyyy-mm-dd``."""

    confidence: Confidence
    text: str
    place: str
    observed: str | None


class FidelityOut(TypedDict):
    """``words``: what the words of ``confidence`` mean; ``counts``: how many rows have each."""

    words: dict[str, str]
    counts: dict[str, int]
    rows: list[FidelityRowOut]


class PathProblemOut(TypedDict):
    path: str
    message: str


Code = Literal[
    "account_required", "busy", "clock_refused", "internal", "invalid", "misdirected",
    "no_such_page", "not_found", "not_reached", "refused", "replaced", "too_large", "too_slow",
    "untrusted", "would_lose", "wrong_coding", "wrong_method", "wrong_state",
]  # fmt: skip


class ProblemDetailsOut(TypedDict):
    """Problem details, RFC 9457."""

    type: str
    title: str
    status: int
    code: Code
    detail: str
    problems: NotRequired[list[PathProblemOut]]
    accounts: NotRequired[list[str]]
    kind: NotRequired[str]
    id: NotRequired[str]


class IdOut(TypedDict):
    id: str
    account: str
    about: str


class IdsOut(TypedDict):
    kind: str
    total_count: int
    ids: list[IdOut]
