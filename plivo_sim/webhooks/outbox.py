"""Deliveries of one account: queued with the change that caused them, attempted, retried, logged.

A delivery and its timer are written in the transaction of the status change, so a crash loses
none. Sending happens outside every lock: ``prepare`` makes the request, ``record`` writes down
what came back. A crash in between sends again; the delivery id in the headers lets the receiver
see the repeat.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlencode, urlsplit, urlunsplit

from plivo_sim import __version__
from plivo_sim.domain.events import ApplicationDeleted, Event, StatusChanged
from plivo_sim.domain.models import (
    Application,
    Attempt,
    Delivery,
    DeliveryState,
    Pairs,
    Timer,
    TimerKind,
)
from plivo_sim.durations import Duration
from plivo_sim.ids import draw_uuid
from plivo_sim.jsontext import encode_json
from plivo_sim.ports import Answer, Outgoing
from plivo_sim.services.callback_urls import looks_local
from plivo_sim.webhooks.signature import signature_headers
from plivo_sim.world import World

Encoder = Callable[[Application], Pairs]
"""An application's callback in the language of the API that made it: flat fields."""

KEPT_DELIVERIES = 2000
FAST_WARP = 60.0


@dataclass(frozen=True, slots=True)
class Attempted:
    """A callback was tried; ``delivery`` is the record after it."""

    delivery: Delivery
    at: datetime


class Outbox:
    """See the module. One for all worlds; it keeps nothing itself."""

    def __init__(self, encode: Encoder) -> None:
        self._encode = encode

    def on_event(self, world: World, event: Event) -> None:
        """Queue a callback for what the reviewer did; cancel those of a deleted application."""
        if isinstance(event, ApplicationDeleted):
            self._cancel_all(world, event.application.id)
        elif isinstance(event, StatusChanged) and event.by_reviewer:
            self._queue(world, event)

    def _queue(self, world: World, event: StatusChanged) -> None:
        application = event.application
        url = application.callback_url or world.settings.callback_url
        if not url:
            return
        method = application.callback_method if application.callback_url else (
            world.settings.callback_method.upper()
        )  # fmt: skip
        delivery = Delivery(
            id=world.ids.next("delivery"),
            seq=world.next_seq(),
            application_id=application.id,
            url=url,
            method=method,
            payload=self._encode(application),
            why=f"{event.previous} -> {application.status}",
            created_at=event.at,
        )
        self.send_at(world, delivery, event.at)
        _prune(world)

    def send_at(self, world: World, delivery: Delivery, at: datetime) -> Delivery:
        """Keep a delivery and attempt it at that instant, unless its host is not allowed."""
        host = urlsplit(delivery.url).hostname or ""
        if not looks_local(host, world.settings.allow_callback_hosts):
            why = f"{delivery.why}; {blocked_text(host)}"
            delivery = replace(delivery, state=DeliveryState.BLOCKED, why=why)
            world.store.deliveries.put(delivery)
            return delivery
        world.store.deliveries.put(delivery)
        world.agenda.add(
            Timer(
                id=world.ids.next("timer"),
                seq=world.next_seq(),
                due_at=at,
                kind=TimerKind.CALLBACK,
                subject_id=delivery.id,
            )
        )
        return delivery

    def replay(self, world: World, delivery: Delivery) -> Delivery:
        """Queue the same callback once more, as a new delivery; call within a transaction."""
        again = replace(
            delivery,
            id=world.ids.next("delivery"),
            seq=world.next_seq(),
            state=DeliveryState.PENDING,
            attempts=(),
            why=f"replay of {delivery.id}",
            created_at=world.now(),
        )
        return self.send_at(world, again, world.now())

    def _cancel_all(self, world: World, application_id: str) -> None:
        for delivery in world.store.deliveries.having("application_id", application_id):
            if delivery.state is DeliveryState.PENDING:
                world.agenda.cancel(delivery.id)
                world.store.deliveries.put(replace(delivery, state=DeliveryState.CANCELLED))

    def prepare(self, world: World, timer: Timer) -> Outgoing | None:
        """The request of a due attempt, signed; None if its delivery is gone."""
        delivery = world.store.deliveries.fetch(timer.subject_id)
        if delivery is None:
            with world.transaction():
                world.store.timers.drop(timer.id)
            return None
        return compose(world, delivery)

    def record(
        self, world: World, timer: Timer, request: Outgoing, answer: Answer
    ) -> Attempted | None:
        """Write down how an attempt went; on failure set the timer of the next one."""
        with world.transaction():
            world.store.timers.drop(timer.id)
            delivery = world.store.deliveries.fetch(timer.subject_id)
            if delivery is None or delivery.state is DeliveryState.CANCELLED:
                return None
            tried = _with_attempt(delivery, timer, request, answer)
            if tried.state is DeliveryState.PENDING:
                tried = self._retry(world, tried, timer)
            world.store.deliveries.put(tried)
            return Attempted(tried, timer.due_at)

    def _retry(self, world: World, delivery: Delivery, timer: Timer) -> Delivery:
        waits = world.settings.callback_retries
        tried = len(delivery.attempts)
        if tried > len(waits):
            return replace(delivery, state=DeliveryState.FAILED)
        due_at = _stretched(world, waits[tried - 1]).after(timer.due_at)
        world.agenda.add(replace(timer, id=world.ids.next("timer"), due_at=due_at))
        return delivery


def compose(world: World, delivery: Delivery) -> Outgoing:
    """The HTTP request of the next attempt: POST carries the fields, GET puts them in the query.

    Source: ``callback_method`` GET or POST (documented); the encodings are inferred.
    """
    number = len(delivery.attempts) + 1
    nonce = _nonce(world, delivery, number)
    url, body, content_type = delivery.url, b"", ""
    params = delivery.payload
    if delivery.method == "GET":
        url, params = _with_query(delivery.url, delivery.payload), ()
    elif world.settings.callback_encoding == "form":
        body, content_type = urlencode(delivery.payload).encode(), _FORM
    else:
        body, content_type = encode_json(dict(delivery.payload)), "application/json"
    token = world.token or ""
    headers = [
        ("User-Agent", f"plivo-sim/{__version__}"),
        ("Accept", "*/*"),
        *signature_headers(token, delivery.method, url, nonce, params),
        ("X-Plivo-Sim-Delivery", delivery.id),
        ("X-Plivo-Sim-Attempt", str(number)),
    ]
    if content_type:
        headers.append(("Content-Type", content_type))
    return Outgoing(
        method=delivery.method,
        url=url,
        headers=tuple(headers),
        body=body,
        timeout_s=world.settings.callback_timeout_s,
        allowed_hosts=world.settings.allow_callback_hosts,
    )


_FORM = "application/x-www-form-urlencoded"


def blocked_text(host: str) -> str:
    """Why a callback did not go out, and what would let it."""
    return (
        f"blocked: {host} is not a local host; allow it with --allow-callback-hosts {host} "
        f"or PLIVO_SIM_ALLOW_CALLBACK_HOSTS={host}"
    )


def _with_attempt(delivery: Delivery, timer: Timer, request: Outgoing, answer: Answer) -> Delivery:
    attempt = Attempt(
        at=timer.due_at,
        url=request.url,
        headers=request.headers,
        body=request.body.decode("utf-8", "replace"),
        status=answer.status,
        answer=answer.body,
        error=answer.error,
        latency_s=round(answer.latency_s, 6),
    )
    done = answer.status is not None and 200 <= answer.status < 300
    state = DeliveryState.DELIVERED if done else DeliveryState.PENDING
    return replace(delivery, attempts=(*delivery.attempts, attempt), state=state)


def _stretched(world: World, wait: Duration) -> Duration:
    """Retries wait in real time when simulated time flies (DECISIONS 14)."""
    clock = world.clock
    if world.settings.retry_clock == "auto" and not clock.paused and clock.rate > FAST_WARP:
        return Duration(seconds=wait.seconds * clock.rate)
    return wait


def _nonce(world: World, delivery: Delivery, number: int) -> str:
    """20 digits, as the SDKs' own test vectors have."""
    drawn = draw_uuid(world.settings.seed, delivery.id, "nonce", number)
    return str(int(drawn.replace("-", ""), 16))[:20].zfill(20)


def _with_query(url: str, fields: Pairs) -> str:
    parts = urlsplit(url)
    query = "&".join(part for part in (parts.query, urlencode(fields)) if part)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def _prune(world: World) -> None:
    """The log is a ring: the oldest finished delivery goes when there are too many."""
    deliveries = world.store.deliveries
    if len(deliveries) <= KEPT_DELIVERIES:
        return
    for delivery in deliveries.every():
        if delivery.state is not DeliveryState.PENDING:
            deliveries.drop(delivery.id)
            return
