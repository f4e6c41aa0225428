"""The scenario language as types: the one schema, from which the JSON Schema is made.

Pure data; what it means is in ``matching`` and ``deciding``, how it is read in ``loader``.

Faults and the webhook policy as types; part of the scenario language, and on their own.

The fields of a fault as a person is asked for them: on the command line, and in the console.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta, Struct
from msgspec.inspect import Field, Metadata, NoneType, StructType, Type, UnionType, type_info

from plivo_sim.domain import limits
from plivo_sim.domain.machine import WORDS_KEY, Machine, with_words
from plivo_sim.machines import default_machine

CUTTING = frozenset({"reset", "empty"})
REFUSING = ("error", "rate_limited", "expired_credentials", "unavailable")
SPOILING = frozenset({"truncated", "invalid_json", "wrong_content_type"})


class Part(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A part of the language: immutable, and strict about unknown keys."""


def _long(limit: limits.Limit, **more: Any) -> Meta:
    """A text or a list of at most so many; the schema names the limit, and so does the refusal."""
    return Meta(max_length=limit.most, extra_json_schema={limits.SCHEMA_KEY: limit.name}, **more)


def _upto(limit: limits.Limit, **more: Any) -> Meta:
    """A number of at most so much, likewise."""
    return Meta(le=limit.most, extra_json_schema={limits.SCHEMA_KEY: limit.name}, **more)


def _word(kind: str) -> Meta:
    return Meta(max_length=limits.STATUS_NAME.most, extra_json_schema={WORDS_KEY: kind})


Name = Annotated[str, _long(limits.NAME)]
Reason = Annotated[str, _long(limits.REASON)]
Glob = Annotated[str, _long(limits.GLOB)]


class Quota(Part, frozen=True):
    """After ``calls`` matching calls within ``per_s`` real seconds, the fault strikes."""

    calls: Annotated[int, _upto(limits.QUOTA_CALLS, ge=1)]
    per_s: Annotated[float, _upto(limits.SECONDS, gt=0)] = 60.0


Effect = Literal[
    "error", "reset", "empty", "truncated", "invalid_json", "wrong_content_type",
    "rate_limited", "expired_credentials", "unavailable", "slow",
]  # fmt: skip
EFFECTS: tuple[Effect, ...] = get_args(Effect)


class FaultRule(Part, frozen=True):
    """One fault: which calls it hits, how often, and what happens to them.

    ``effect``:
      ``error`` answers ``status`` in the dialect's own words; ``slow`` only delays the answer;
      ``rate_limited`` is 429, ``expired_credentials`` 401, ``unavailable`` 503 (502 in Atoms);
      ``reset`` cuts the connection, ``empty`` answers nothing and closes, ``truncated`` stops
      half-way, ``invalid_json`` and ``wrong_content_type`` spoil the answer.

    ``latency_s``: real seconds that the answer, or the cut, waits for; the call is done or refused,
    and among the requests, before that, whether or not its client is still there.

    ``applied``: the work is done first and only its answer is lost or replaced ("applied, answer
    lost"). Spoilt answers always are; cut connections are unless this is false; errors are not
    unless it is true.

    ``api``: ``new`` (Link too), ``numbers``, ``legacy``, ``atoms``, or ``plivo-for-atoms``: the
    calls that Atoms itself makes to Plivo, which only that very word hits (``*`` does not).
    """

    effect: Effect
    name: Name = ""
    status: Annotated[int, Meta(ge=400, le=599)] = 500
    message: Reason = ""
    latency_s: Annotated[float, Meta(ge=0, le=120)] = 0.0
    retry_after_s: Annotated[int, _upto(limits.SECONDS, ge=0)] | None = None
    applied: bool | None = None
    api: Glob = "*"
    operation: Glob = "*"
    method: Glob = "*"
    path: Glob = "*"
    application: Glob = "*"
    times: Annotated[int, _upto(limits.COUNT, ge=1)] | None = None
    skip: Annotated[int, _upto(limits.COUNT, ge=0)] = 0
    every: Annotated[int, _upto(limits.COUNT, ge=1)] = 1
    probability: Annotated[float, Meta(ge=0, le=1)] = 1.0
    quota: Quota | None = None

    @property
    def strikes_late(self) -> bool:
        """Whether the work is done first, and only its answer suffers."""
        if self.effect in SPOILING:
            return True
        return self.effect in CUTTING if self.applied is None else self.applied


class WebhookPolicy(Part, frozen=True):
    """What happens to callbacks on their way.

    ``drop``: how many callbacks of the account are lost before one gets through (``-1``: all);
    ``duplicate``: extra copies of each; ``delay`` holds each back; ``reorder`` holds back every
    first of two until the second has gone; ``signature`` spoils or leaves out the signatures;
    ``age`` dates the callback back (its ``Date`` header).
    """

    retries: Annotated[list[str], _long(limits.RETRIES)] | None = None
    success: Annotated[list[Annotated[int, Meta(ge=100, le=599)]], _long(limits.SUCCESS)] | None = (
        None
    )
    timeout_s: Annotated[float, Meta(gt=0, le=120)] | None = None
    delay: str = ""
    drop: Annotated[int, _upto(limits.COUNT, ge=-1)] = 0
    duplicate: Annotated[int, _upto(limits.DUPLICATES, ge=0)] = 0
    reorder: bool = False
    signature: Literal["valid", "wrong", "missing"] = "valid"
    age: str = ""


HELP = {
    "effect": "What happens to a call that it strikes.",
    "name": "What to call it, instead of fault-N.",
    "status": "HTTP status of the effect error.",
    "message": "Text of the error.",
    "latency_s": "Real seconds that the answer waits for; the call is done before, or refused.",
    "retry_after_s": "Send Retry-After; 429 and 503 do, with 60 seconds, unless told otherwise.",
    "applied": "Do the work first and lose only its answer.",
    "api": "new, numbers, legacy, atoms, or plivo-for-atoms; a glob.",
    "operation": "Such as compliance.create; a glob.",
    "method": "HTTP method; a glob.",
    "path": "Path of the URL; a glob.",
    "application": "Id of an application; a glob.",
    "times": "How often it strikes in all.",
    "skip": "Let this many calls through first.",
    "every": "Strike every n-th matching call only: 10 is every tenth.",
    "probability": "Chance that a matching call is struck; repeatable, drawn from the seed.",
    "quota.calls": "Strike when more calls than this come within the window of the quota.",
    "quota.per_s": "Real seconds of the quota's window.",
}


def fault_fields(type_: type = FaultRule, prefix: str = "") -> Iterator[tuple[str, Field]]:
    """Every field with its path; those of a part stand on their own (``quota.calls``)."""
    info = type_info(type_)
    assert isinstance(info, StructType)
    for field in info.fields:
        inner = plain_type(field.type)
        if isinstance(inner, StructType):
            yield from fault_fields(inner.cls, f"{prefix}{field.encode_name}.")
        else:
            yield prefix + field.encode_name, field


def plain_type(type_: Type) -> Type:
    """The type without ``| None``, and without the name of its limit."""
    if isinstance(type_, UnionType):
        (type_,) = (each for each in type_.types if not isinstance(each, NoneType))
    return type_.type if isinstance(type_, Metadata) else type_


Scalar = str | int | bool
Count = Annotated[int, Meta(ge=0)]


class Comparison(Part, frozen=True, rename={"is_": "is"}):
    """Ways to compare a value; all that are given must hold. ``differs_from``: another text of the
    submission; ``passed``: whether a date is before today, by the simulated clock."""

    is_: Scalar | None = None
    glob: str | None = None
    regex: str | None = None
    one_of: list[Scalar] | None = None
    has: str | None = None
    at_least: float | None = None
    at_most: float | None = None
    missing: bool | None = None
    differs_from: Literal["name", "alias", "registration_number"] | None = None
    passed: bool | None = None


Test = Annotated[
    Scalar | list[Scalar] | Comparison,
    Meta(description="A value or glob, a list of them (any), or a comparison"),
]


class When(Part, frozen=True, rename={"not_": "not"}):
    """What a submission must look like; every condition given must hold. ``repeated_files``: names
    of files that stand for more than one document; ``changed``: what it has otherwise than
    the first attempt."""

    country: Test | None = None
    number_type: Test | None = None
    user_type: Test | None = None
    api: Test | None = None
    dialect: Test | None = None
    alias: Test | None = None
    name: Test | None = None
    registration_number: Test | None = None
    document_types: Test | None = None
    file_names: Test | None = None
    repeated_files: Test | None = None
    data_fields: dict[str, Test] | None = None
    account: Test | None = None
    application: Test | None = None
    attempt: Test | None = None
    changed: Test | None = None
    submission: Test | None = None
    any: list[When] | None = None
    all: list[When] | None = None
    not_: When | None = None


class Delay(Part, frozen=True):
    """A delay that is no plain duration: a fixed simulated instant (``at``), or a random one, the
    same for the same submission and seed: evenly ``between`` two durations, or normally ``about``
    one, ``give_or_take`` another."""

    at: str | None = None
    between: tuple[str, str] | None = None
    about: str | None = None
    give_or_take: str | None = None


After = Annotated[str | Delay, Meta(description="'2d', '2 business days', a spread, or an instant")]


class DocumentVerdict(Part, frozen=True):
    """What the reviewer says of one document; a ``reason`` may be a preset."""

    status: Literal["verified", "rejected"]
    reason: Reason = ""


class Then(Part, frozen=True):
    """What follows a decision, counted from the step before it; ``status`` is one that the machine
    lets follow."""

    status: Annotated[str, _word("following")]
    after: str
    reason: Reason = ""


class Decision(Part, frozen=True):
    """What the reviewer does. ``decide``: a status that the machine lets a review end in, or
    ``nothing``. ``reason`` and ``reasons``: free text or names of presets."""

    decide: Annotated[str, _word("outcomes")] = "accepted"
    reason: Reason = ""
    reasons: Annotated[list[Reason], _long(limits.REASONS)] = []
    after: After | None = None
    documents: dict[str, DocumentVerdict] = {}
    then: Annotated[list[Then], _long(limits.THEN)] = []


class Rule(Decision, frozen=True):
    """A decision for the submissions that match. ``times``: how often it may fire."""

    name: Name = ""
    when: When = When()
    times: Annotated[int, _upto(limits.COUNT, ge=1)] | None = None


NumberWord = Literal["local", "mobile", "tollfree", "national"]
UserWord = Literal["individual", "business"]
StatusWord = Annotated[str, _word("statuses")]
EndWord = Annotated[str, _word("ends")]
"""A status, or ``absent``: it was never filed."""

CallbackWord = Annotated[str, _word("callbacks")]
"""How callbacks say it in the current dialect: for more information they say ``rejected``."""


class Correct(Part, frozen=True):
    """A step of a scenario: correct a rejected application and send it again.

    What is given replaces what was sent before; with neither ``alias`` nor ``name`` nor
    ``registration_number``, all documents are sent anew.
    """

    app: Name = "app"
    alias: str = ""
    name: str = ""
    registration_number: str = ""
    files: dict[str, str] = {}
    data_fields: dict[str, str] = {}


class Submit(Correct, frozen=True):
    """A step of a scenario: submit a complete application.

    ``app`` is what the scenario calls it; ``name`` is the end user's; ``files`` says under which
    name the document of a type is uploaded. What is not given is filled in.
    """

    country: str = "IN"
    number_type: NumberWord = "local"
    user_type: UserWord = "business"


class Deliveries(Part, frozen=True):
    """How many callbacks ended in each state; a state that is not given is not looked at."""

    pending: Count | None = None
    delivered: Count | None = None
    failed: Count | None = None
    blocked: Count | None = None
    dropped: Count | None = None
    cancelled: Count | None = None


class Expect(Part, frozen=True):
    """What must hold, at the end of a replay or at a step of it.

    ``reasons``: presets, or parts of the texts, one for each change that told a reason, in order;
    ``callbacks``: those that the receiver took, in the order in which they arrived;
    ``signatures``: of every callback that was sent; ``refusals``: the calls that failed, in
    order (a status, ``cut`` for a lost connection, ``garbled`` for an unreadable answer). At the
    end, refusals that are listed neither there nor by a step are a failure, also in a scenario
    that expects nothing else.
    """

    status: dict[str, EndWord] = {}
    timeline: dict[str, list[StatusWord]] = {}
    reasons: dict[str, list[str]] = {}
    callbacks: list[CallbackWord] | None = None
    deliveries: Deliveries | None = None
    signatures: Literal["valid", "wrong", "missing"] | None = None
    refusals: list[int | Literal["cut", "garbled"]] | None = None


class StepEntry(Part, frozen=True):
    """One step of a scenario: one of these. ``get`` reads an application as its owner would."""

    submit: Submit | None = None
    correct: Correct | None = None
    advance: str | None = None
    get: str | None = None
    expect: Expect | None = None


AnyMachine = Annotated[
    dict[str, Any],
    Meta(description="A machine file", extra_json_schema={"additionalProperties": True}),
]


class Scenario(Part, frozen=True):
    """A scenario: one sentence, its rules in order, and what happens to callbacks and calls.

    ``machine``: the status machine for as long as the scenario is in use, one that ships by its
    name, or a machine file (docs/machine.md). ``title`` and ``theme``: what lists of scenarios call
    it, and under which heading; they change nothing else.
    """

    scenario: Annotated[str, _long(limits.REASON, min_length=8)]
    title: Name = ""
    theme: Name = ""
    machine: str | AnyMachine | None = None
    rules: Annotated[list[Rule], _long(limits.RULES)] = []
    default: Decision | None = None
    webhooks: WebhookPolicy = WebhookPolicy()
    faults: Annotated[list[FaultRule], _long(limits.FAULTS)] = []
    steps: Annotated[list[StepEntry], _long(limits.STEPS)] = []
    expect: Expect | None = None


def shape_schema() -> dict[str, Any]:
    """The JSON Schema of the shape of a scenario; which statuses there are, its machine says."""
    schema: dict[str, Any] = msgspec.json.schema(Scenario)
    return schema


def json_schema(machine: Machine | None = None) -> dict[str, Any]:
    """The JSON Schema of a scenario file, for editors; the words that they offer are those of this
    machine, or of the default one. Others may be written: a scenario may have its own machine."""
    machine = machine or default_machine()
    schema: dict[str, Any] = with_words(shape_schema(), machine, closed=False)
    for part in schema["$defs"].values():
        if "description" in part:
            part["description"] = " ".join(part["description"].replace("``", "`").split())
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "plivo-sim scenario",
        **schema,
    }
