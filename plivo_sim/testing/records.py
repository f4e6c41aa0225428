"""What verbs return: the records as the control API shows them, with instants as ``datetime``.

Times are simulated, aware UTC. A simulator that is newer may tell more; that is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from plivo_sim.domain.typed import Instant, convert


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an application's timeline. ``by``: ``client``, ``reviewer``, ``time`` or
    ``hand``."""

    at: Instant
    status: str
    by: str = ""
    why: str = ""
    reason: str | None = None


class Application(msgspec.Struct, frozen=True, kw_only=True):
    """An application. Of one that was deleted meanwhile, only what happened to it is known."""

    id: str
    status: str
    alias: str = ""
    rejection_reason: str | None = None
    account: str = ""
    origin: str = ""
    country_iso: str = ""
    number_type: str = ""
    user_type: str = ""
    requirement_id: str = ""
    end_user_id: str = ""
    document_ids: tuple[str, ...] = ()
    callback_url: str | None = None
    callback_method: str = "POST"
    attempt: int = 0
    created_at: Instant | None = None
    updated_at: Instant | None = None
    submitted_at: Instant | None = None
    timeline: tuple[Change, ...] = ()


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One try to deliver a callback. ``status``: what the receiver answered; ``damage``: what is
    wrong with the body of that; ``latency_s``: in real seconds."""

    at: Instant
    url: str
    headers: dict[str, str]
    body: str
    status: int | None = None
    answer: str = ""
    damage: str = ""
    error: str | None = None
    latency_s: float = 0.0


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A callback with every attempt. ``state``: ``pending``, ``delivered``, ``failed``,
    ``blocked``, ``dropped`` or ``cancelled``. ``retries``: how many it gets at most."""

    id: str
    application_id: str = msgspec.field(name="application")
    url: str = ""
    method: str = "POST"
    payload: dict[str, str] = {}
    state: str = "pending"
    why: str = ""
    created_at: Instant | None = None
    retries: int = 0
    attempts: tuple[Attempt, ...] = ()


class StatusChanged(msgspec.Struct, frozen=True, kw_only=True):
    """An application (as it was after it) got another status than ``previous``."""

    at: Instant
    application: Application
    previous: str


class Attempted(msgspec.Struct, frozen=True, kw_only=True):
    """A callback (as it was after it) was tried."""

    at: Instant
    delivery: Delivery


Happening = StatusChanged | Attempted


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """The status machine in use. ``chosen_by``: ``scenario``, ``account`` or ``server``;
    ``machine``: whole, as its file."""

    name: str
    chosen_by: str
    machine: dict[str, Any]


def application_of(shown: Mapping[str, Any]) -> Application:
    return convert(shown, Application)


def delivery_of(shown: Mapping[str, Any]) -> Delivery:
    return convert(shown, Delivery)


def machine_of(shown: Mapping[str, Any]) -> Machine:
    return convert(shown, Machine)


def happening_of(
    told: Mapping[str, Any],
    applications: Mapping[str, Application],
    deliveries: Mapping[str, Delivery],
) -> Happening:
    """One thing that an advance tells of, with the record that it is about: as it was then, made of
    what it is now."""
    at, id = datetime.fromisoformat(told["at"]), told["application"]
    if told["type"] == "callback":
        found = deliveries.get(told["delivery"]) or Delivery(id=told["delivery"], application_id=id)
        attempts = found.attempts[: told["attempt"]]
        then = msgspec.structs.replace(found, state=told["state"], attempts=attempts)
        return Attempted(at=at, delivery=then)
    known = applications.get(id) or Application(id=id, status=told["to"])
    after = msgspec.structs.replace(
        known,
        status=told["to"],
        rejection_reason=told["reason"],
        timeline=_until(known.timeline, at, told["to"]),
    )
    return StatusChanged(at=at, application=after, previous=told["from"])


def _until(timeline: tuple[Change, ...], at: datetime, status: str) -> tuple[Change, ...]:
    """The timeline up to this change."""
    for place, change in enumerate(timeline, 1):
        if (change.at, change.status) == (at, status):
            return timeline[:place]
    return timeline
