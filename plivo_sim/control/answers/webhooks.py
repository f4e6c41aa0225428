"""Callbacks, their signatures, and the inboxes."""

from __future__ import annotations

from typing import TypedDict

from plivo_sim.control.answers.words import Headers, Instant
from plivo_sim.domain.records import DeliveryState, Method
from plivo_sim.scenarios.language import WebhookPolicy as WebhookPolicy  # answered as it is


class AttemptOut(TypedDict):
    """``answer``: the start of what the receiver said, bytes that are no text as ``\\xNN``;
    ``damage``: what is wrong with it: it ended early, is longer, or is no text."""

    at: Instant
    url: str
    headers: Headers
    body: str
    status: int | None
    answer: str
    damage: str
    error: str | None
    latency_s: float


class WebhookOut(TypedDict):
    """``payload``: the fields of the callback, by their names; ``retries``: how many it gets at
    most, after the first attempt."""

    id: str
    application: str
    url: str
    method: Method
    payload: dict[str, str]
    state: DeliveryState
    why: str
    created_at: Instant
    retries: int
    attempts: list[AttemptOut]


class WebhooksOut(TypedDict):
    """``forgotten``: how many are not kept any more."""

    total_count: int
    webhooks: list[WebhookOut]
    forgotten: int


class SignatureOut(TypedDict):
    valid: bool
    covers: str | None
    wrong: list[str]


class SignaturesOut(TypedDict):
    v2: SignatureOut
    v3: SignatureOut
    ma_v3: SignatureOut


class MessageOut(TypedDict):
    """``arrived``: in real time."""

    method: str
    url: str
    headers: Headers
    query: dict[str, str]
    body: str
    arrived: Instant


class InboxOut(TypedDict):
    """``forgotten``: how many older ones are not kept any more. ``uncertain``: how many messages
    went with whole inboxes, of which nobody can tell whether they were this one's; 0 once it was
    emptied since."""

    name: str
    messages: list[MessageOut]
    forgotten: int
    uncertain: int


class ReceivedOut(TypedDict):
    received: bool
