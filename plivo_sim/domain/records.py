"""The records. All are frozen: a change makes a new one, so nobody can hold a stale alias
(``msgspec.structs.replace``). They refer to nothing in a circle, so the collector passes them by.

``seq`` is the record's place in its account's history; lists are oldest first by it
(decision "Order and paging"). Times are aware UTC. Collections are tuples, so that records share
safely.

What comes from outside, in a journal or a snapshot, is read into these types, so they say what is
valid: words, lengths, bounds. Lengths are checked when they are read; how records refer to each
other: ``services/integrity.py``.

What the Atoms facade keeps of an application: a record of its own beside the core's.

It stands here and not with the facade because the store must know it; nothing in the core uses it.

What services tell the rest of the account, in the past tense.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import StrEnum
from itertools import combinations
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from plivo_sim.domain import limits
from plivo_sim.domain.durations import Duration, as_float
from plivo_sim.domain.machine import NOTHING
from plivo_sim.domain.typed import Instant

MOST_COUNT = 2**53
Seq = Annotated[int, Meta(ge=0, le=MOST_COUNT)]
Count = Annotated[int, Meta(ge=0, le=MOST_COUNT)]
Name = Annotated[str, Meta(max_length=255)]
"""What the APIs take no more characters of."""
Text = Annotated[str, Meta(max_length=1 << 24)]
"""Such as a reason, or the body of a callback: no longer than a request makes it."""
Id = Annotated[str, Meta(min_length=1, max_length=1 << 20)]
CountryIso = Annotated[str, Meta(min_length=2, max_length=2)]
Status = Annotated[str, Meta(min_length=1, max_length=limits.STATUS_NAME.most)]
"""The name of a status of the account's machine (``domain/machine.py``)."""
Method = Literal["GET", "POST"]
By = Literal["client", "reviewer", "time", "hand"]
PolicyKind = Literal["scenario", "webhooks", "fault", "next_outcome", "machine"]
MediaType = Literal["application/pdf", "image/png", "image/jpeg"]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", max_length=64)]
_HASH = re.compile(r"[0-9a-f]{64}")


def is_hash(text: str) -> bool:
    """Whether it is the SHA-256 of something: 64 lower-case hex digits."""
    return _HASH.fullmatch(text) is not None


def checked_hash(text: str) -> str:
    """The text, if it is the SHA-256 of something. Raises ValueError."""
    if not is_hash(text):
        raise ValueError(no_hash(text))
    return text


def no_hash(text: str) -> str:
    """What is said of a text that should be one."""
    return f"{text[:80]!r} is no SHA-256: 64 lower-case hex digits"


class ClockReading(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What must be kept to continue a clock after a restart: it stood still in between."""

    now: Instant
    rate: Annotated[float, Meta(ge=limits.SLOWEST, le=limits.FASTEST)]
    paused: bool

    def __post_init__(self) -> None:
        as_float(self, "rate")


Pairs = tuple[tuple[Text, Text], ...]
"""Ordered name-value pairs: a small frozen mapping."""


class UserType(StrEnum):
    INDIVIDUAL = "individual"
    BUSINESS = "business"


class NumberType(StrEnum):
    LOCAL = "local"
    MOBILE = "mobile"
    TOLLFREE = "tollfree"
    NATIONAL = "national"


class Origin(StrEnum):
    """The API through which a record was made; an application's callbacks speak its language.

    End users and documents made by one call of the new API belong to their application and go
    with it; those made through the legacy API stand alone.
    """

    LEGACY = "legacy"
    BETA = "beta"
    CURRENT = "current"
    ATOMS = "atoms"


class Version(StrEnum):
    """Which of the two sets of requirements: the beta page's, or the one the SDKs recorded."""

    BETA = "beta"
    CURRENT = "current"


class DocumentReview(StrEnum):
    """What the reviewer said of one document. Source: the page's ``documents[].status``."""

    PENDING = "pending"
    VERIFIED = "verified"
    REJECTED = "rejected"


class EndUser(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    id: Id
    seq: Seq
    origin: Origin
    type: UserType
    name: Name
    last_name: Name | None = None
    email: Name | None = None
    address_line1: Name | None = None
    address_line2: Name | None = None
    city: Name | None = None
    state: Name | None = None
    postal_code: Name | None = None
    country: Name | None = None
    registration_number: Name | None = None
    created_at: Instant
    updated_at: Instant


END_USER_DETAILS = (
    "name", "last_name", "email", "address_line1", "address_line2",
    "city", "state", "postal_code", "country", "registration_number",
)  # fmt: skip


class StoredFile(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An uploaded file: its content lives in the file store under its hash."""

    sha256: Annotated[str, Meta(min_length=1, max_length=255)]
    name: Name
    size_bytes: Count
    media_type: MediaType


class Document(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    id: Id
    seq: Seq
    origin: Origin
    end_user_id: Id
    document_type_id: Id
    alias: Name | None = None
    data_fields: Pairs = ()
    file: StoredFile | None = None
    created_at: Instant
    updated_at: Instant

    @property
    def file_sha256(self) -> str:
        """Of its file; empty without one. Documents are found by it."""
        return self.file.sha256 if self.file is not None else ""


class Change(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One line of an application's timeline.

    ``by`` says who: ``client`` (its own call), ``reviewer``, ``time``, ``hand`` (a manual
    decision); ``why`` names the rule or the call.
    """

    at: Instant
    status: Status
    by: By
    why: Text
    reason: Text | None = None


class Application(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """``acceptance``: which of the account's acceptances was its last, from 1; clocks that stand
    still cannot tell. ``reviewed``: what the reviewer said of its documents, id -> reason ("":
    verified); documents of the legacy API are of several applications, each reviewed for itself.
    ``forgotten_callbacks``: how many of its callbacks are no longer in the account's list."""

    id: Id
    seq: Seq
    origin: Origin
    requirement_id: Id
    country_iso: CountryIso
    number_type: NumberType
    user_type: UserType
    alias: Name
    end_user_id: Id
    document_ids: tuple[Id, ...]
    status: Status
    rejection_reason: Text | None = None
    callback_url: Text | None = None
    callback_method: Method = "POST"
    attempt: Count = 0
    created_at: Instant
    updated_at: Instant
    submitted_at: Instant | None = None
    acceptance: Count = 0
    timeline: tuple[Change, ...] = ()
    subaccount: Text | None = None
    reviewed: Pairs = ()
    forgotten_callbacks: Count = 0

    def reviews(self) -> dict[str, DocumentReview]:
        """What the reviewer said of its documents, by their ids; of the others nothing yet."""
        return {
            id: DocumentReview.REJECTED if reason else DocumentReview.VERIFIED
            for id, reason in self.reviewed
        }


class PhoneNumber(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A rented number; its id is its digits without ``+``."""

    id: Id
    seq: Seq
    country_iso: CountryIso
    number_type: NumberType
    application_id: Id | None = None
    alias: Text | None = None
    app_id: Text | None = None
    cnam_lookup: Text | None = None
    subaccount: Text | None = None
    rented_at: Instant

    @property
    def beginnings(self) -> tuple[str, ...]:
        """What its digits start with, by which it is found."""
        return tuple(self.id[:length] for length in range(1, len(self.id) + 1))

    @property
    def services(self) -> tuple[str, ...]:
        """What it can be used for; see ``services_of``."""
        return services_of(self.id, self.number_type)

    @property
    def service_sets(self) -> tuple[str, ...]:
        """Every set of services that it has, each as one word, by which it is found."""
        return tuple(
            service_set(each)
            for size in range(1, len(self.services) + 1)
            for each in combinations(self.services, size)
        )

    @property
    def rented_on(self) -> str:
        """The day of the month, from which its renewal follows."""
        return str(self.rented_at.day)


def services_of(digits: str, number_type: NumberType) -> tuple[str, ...]:
    """What a number can be used for: all have voice, North American ones (calling code 1) SMS and
    MMS, mobile ones SMS (invented)."""
    if digits.startswith("1"):
        return ("mms", "sms", "voice")
    return ("sms", "voice") if number_type is NumberType.MOBILE else ("voice",)


def service_set(services: Collection[str]) -> str:
    """A set of services as one word."""
    return "+".join(sorted(set(services)))


class Step(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A change of status that the reviewer will make ``after`` the one before it.

    ``documents``: what is said of single ones, type word -> reason ("": verified).
    """

    after: Duration
    status: Status
    reason: Text | None = None
    why: Text = ""
    documents: Pairs = ()


class TimerKind(StrEnum):
    """``REVIEW``: the reviewer's next step; ``AUTOMATIC``: an arrow that is taken by itself.
    ``NOTICE``: a callback to a receiver within this process, which needs no socket."""

    REVIEW = "review"
    AUTOMATIC = "automatic"
    NOTICE = "notice"
    CALLBACK = "callback"


STEPPING = frozenset({TimerKind.REVIEW, TimerKind.AUTOMATIC})
"""Timers that change the status of an application."""


class Timer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Due work. ``subject_id`` is the application of a change of status, else the delivery of a
    callback.

    ``steps`` of a review: the first is what happens at ``due_at``, the rest follows it; an
    automatic arrow is one step.
    """

    id: Id
    seq: Seq
    due_at: Instant
    kind: TimerKind
    subject_id: Id
    steps: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        if (self.kind in STEPPING) != bool(self.steps):
            raise ValueError("a review has steps, and nothing else has")


class Verdict(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Whether a rule matched a submission; ``why`` names the first condition that did not hold.

    ``met``: how many conditions held before it, which ranks near misses.
    """

    rule: Text
    matched: bool
    why: Text
    met: Count = 0


class Explanation(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Why one attempt of an application was decided as it was. ``instead_of``: what was planned,
    while the account has a machine without a way to it, and is planned by that; a step to
    ``nothing`` where the default was to decide nothing. ``sent``: what was
    submitted, path -> a short text; empty where that is not known."""

    id: Id
    seq: Seq
    application_id: Id
    attempt: Count
    decided_by: Text
    verdicts: tuple[Verdict, ...] = ()
    instead_of: tuple[Step, ...] = ()
    sent: Pairs = ()

    @property
    def told(self) -> str:
        """Who decided, in words."""
        if not self.instead_of:
            return self.decided_by
        first = self.instead_of[0].status
        why = "nothing was planned" if first == NOTHING else f"no way to {first}"
        return f"the machine's default: {why} ({self.decided_by})"


class Policy(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something that steers an account: the active scenario, a fault, a next outcome, the webhook
    policy. ``kind`` says which, ``body`` is its JSON in the scenario language."""

    id: Id
    seq: Seq
    kind: PolicyKind
    body: Text


ATOMS_ADDRESS = "atoms://compliance/callback"
"""Where Atoms takes its callbacks, without a socket."""


class DeliveryState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    BLOCKED = "blocked"
    DROPPED = "dropped"
    CANCELLED = "cancelled"


RETRY = "retry"
"""What people call the state of a callback that was tried and goes out again."""


ENDED_EARLY = "it ended early"
"""How the damage of an answer begins whose body was cut."""


def standing(state: str, tried: int, retries: int) -> str:
    """The state of a callback for people to read; that of one that was tried and goes out again is
    the retry that is due, such as ``retry 2 of 3``. ``retries``: how many there are."""
    if state != DeliveryState.PENDING or not tried:
        return str(state)
    return f"{RETRY} {tried} of {max(retries, tried)}"


class Attempt(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One try to deliver a callback. ``at`` is simulated, ``latency_s`` real. ``damage``: what is
    wrong with the body of its answer: it ended early, is cut, or is no text."""

    at: Instant
    url: Text
    headers: Pairs
    body: Text
    status: Annotated[int, Meta(ge=0, le=999)] | None = None
    answer: Text = ""
    damage: Text = ""
    error: Text | None = None
    latency_s: Annotated[float, Meta(ge=0, le=2**40)] = 0.0

    def __post_init__(self) -> None:
        as_float(self, "latency_s")

    @property
    def outcome(self) -> str:
        """What was answered, in few words: the status, whether the body was cut; else the error."""
        if self.status is None:
            return self.error or "no answer"
        return f"{self.status}{' (body cut)' if self.damage.startswith(ENDED_EARLY) else ''}"


class Delivery(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A callback to be sent: what, where, and every attempt so far.

    ``repeats``: the id of the delivery that this is a duplicate of; receivers see that id.
    """

    id: Id
    seq: Seq
    application_id: Id
    url: Text
    method: Method
    payload: Pairs
    repeats: Id | None = None
    state: DeliveryState = DeliveryState.PENDING
    attempts: tuple[Attempt, ...] = ()
    why: Text = ""
    created_at: Instant

    @property
    def size_bytes(self) -> int:
        """About how much memory this takes."""
        return _DELIVERY_BYTES + sum(
            _ATTEMPT_BYTES + len(each.body) + len(each.answer) for each in self.attempts
        )


_DELIVERY_BYTES = 2000
_ATTEMPT_BYTES = 1000
"""Beside its body and its answer: the headers, mostly."""


class Ledger(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What an account keeps beside its records: clock, counters, token, its own settings.

    ``move``: the id of the move in which it came. ``leaving_to``: the URL of the server that it is
    being moved to, ``leaving_by`` the id of that move.
    """

    id: str = "ledger"
    seq: int = 0
    clock: ClockReading
    counts: dict[str, int]
    token: str | None = None
    subaccount_token: Text | None = None
    overrides: dict[str, str]
    move: Text = ""
    leaving_to: Text | None = None
    leaving_by: Text = ""


class AtomsApplication(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """``status`` (a word of Atoms) and ``rejection_reason`` are what it was last told: Plivo may
    know better.

    ``plivo_compliance_id`` is the core's application. ``refreshed_at``: the last refresh.
    """

    id: Id
    seq: Seq
    organization_id: Text
    plivo_compliance_id: Id
    alias: Name
    status: Status
    country_iso: CountryIso
    number_type: NumberType
    user_type: UserType
    end_user_name: Text
    end_user_last_name: Text | None
    end_user_email: Text | None
    end_user_country: Text
    document_file_names: tuple[Name, ...]
    rejection_reason: Text | None
    created_by: Text
    created_at: Instant
    updated_at: Instant
    refreshed_at: Instant | None = None


class StatusChanged(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An application got another status. ``by_reviewer``: a callback follows
    (decision "Callbacks follow the reviewer")."""

    application: Application
    previous: Status
    at: Instant
    by_reviewer: bool


class ApplicationDeleted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    application: Application
    at: Instant


class ClockChanged(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An account's clock was moved or steered."""

    before: ClockReading
    after: ClockReading


class CallbackWithheld(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A callback was dropped by a policy, or blocked: it is never tried."""

    delivery: Delivery


Event = StatusChanged | ApplicationDeleted | ClockChanged | CallbackWithheld
