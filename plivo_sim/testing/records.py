"""What verbs return: the records as the control API shows them, with instants as ``datetime``.

Times are simulated, aware UTC. A simulator that is newer may tell more; that is passed over.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from plivo_sim.domain.typed import Instant, convert
from plivo_sim.web.bodies import FORM, UNSET
from plivo_sim.web.kept_bodies import DATA, MULTIPART


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
    ``blocked``, ``dropped`` or ``cancelled``. ``retries``: how many it gets at most.
    ``taken_back``: it was sent, and an undo or a restore has made an earlier moment the present."""

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
    taken_back: bool = False


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


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request to an imitated API, and its answer.

    ``at`` is simulated, ``arrived`` real time. ``body``: JSON as values, or the parts of a form;
    ``sent``: how the body came, and what of it is kept; ``answer``: its text, as far as it was
    kept; secrets are masked in all of them.
    """

    id: str
    at: Instant
    arrived: Instant
    method: str
    url: str
    headers: dict[str, str]
    body: Any
    sent: dict[str, Any] | None = None
    status: int
    answer: str
    answer_type: str
    dialect: str
    operation: str
    fault: str | None
    why: str
    took_ms: float

    @property
    def is_let_in(self) -> bool:
        """Whether its credentials were those of the account; a fault answers 401 all the same."""
        return self.status != HTTPStatus.UNAUTHORIZED or self.fault is not None

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))

    @property
    def data(self) -> Any:
        """What was sent: the JSON body, the JSON of a form's part ``data``, or a form's texts by
        name; None without a body. Of what was sent several times, what the API takes."""
        return next(self.every_data)

    @property
    def every_data(self) -> Iterator[Any]:
        """``data``, then the JSON of further parts of this name, which no API takes."""
        if self._parts is None:
            yield self.body
            return
        sent = self.texts
        first, *others = sent.get(DATA, [""])
        try:
            yield json.loads(first)
        except ValueError:  # a form of texts, or one that was cut or is no JSON
            yield {name: self._taken(texts) for name, texts in sent.items()}
        for each in others:
            with suppress(ValueError):
                yield json.loads(each)

    @property
    def texts(self) -> dict[str, list[str]]:
        """Those of a form, by name, in their order."""
        return _by_name(self._parts or (), "text")

    def _taken(self, texts: Sequence[str]) -> str:
        """The first one; the legacy API takes the last one that says anything."""
        said = [each for each in texts if each not in UNSET] if self.dialect == "legacy" else ()
        return said[-1] if said else texts[0]

    @property
    def _parts(self) -> list[dict[str, Any]] | None:
        """Those of a form; None of another body."""
        kind = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return self.body if kind in (FORM, MULTIPART) and isinstance(self.body, list) else None

    @property
    def is_of_texts(self) -> bool:
        """Whether ``data`` are a form's texts by name."""
        parts = self._parts
        return parts is not None and all(part["name"] != DATA for part in parts)

    @property
    def is_data_whole(self) -> bool:
        """Whether all that was sent is kept, of which ``data`` are made."""
        if self._parts is None:
            return "cut" not in (self.sent or {}).get("changed", ())
        made_of = [part for part in self._parts if part["name"] == DATA] or self._parts
        return not any(part.get("is_cut") for part in made_of)

    @property
    def files(self) -> dict[str, str | list[str]]:
        """The names of the files that were sent, by the names of their parts; where several parts
        have the same, a list."""
        sent = _by_name(self._parts or (), "filename")
        return {name: files if len(files) > 1 else files[0] for name, files in sent.items()}

    def json(self) -> Any:
        """The answer. Raises ValueError if it is none, or was not kept whole."""
        return json.loads(self.answer)


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """The status machine in use. ``chosen_by``: ``scenario``, ``account`` or ``server``;
    ``machine``: whole, as its file."""

    name: str
    chosen_by: str
    machine: dict[str, Any]


def application_of(shown: Mapping[str, Any]) -> Application:
    return convert(shown, Application)


def delivery_of(shown: Mapping[str, Any], *, taken_back: bool = False) -> Delivery:
    return convert({**shown, "taken_back": taken_back}, Delivery)


def machine_of(shown: Mapping[str, Any]) -> Machine:
    return convert(shown, Machine)


def request_of(shown: Mapping[str, Any]) -> Request:
    return convert(shown, Request)


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


def _by_name(parts: Iterable[Mapping[str, Any]], key: str) -> dict[str, list[str]]:
    """What the parts have there, by their names."""
    found: dict[str, list[str]] = {}
    for part in parts:
        if key in part:
            found.setdefault(part["name"], []).append(part[key])
    return found
