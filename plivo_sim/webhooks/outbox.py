"""Deliveries of one account: queued with the change that caused them, attempted, retried, logged.

A delivery and its timer are written in the transaction of the status change, so a crash loses
none. Sending happens outside every lock: ``prepare`` makes the request, ``record`` writes down
what came back. A crash in between sends again; the delivery id in the headers lets the receiver
see the repeat.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace

from plivo_sim.account.account import FORGOTTEN_DELIVERY, Account
from plivo_sim.account.interfaces import Answer, Outgoing
from plivo_sim.domain import limits
from plivo_sim.domain.durations import Duration, parse_duration
from plivo_sim.domain.machine import Machine
from plivo_sim.domain.records import (
    Application,
    ApplicationDeleted,
    Attempt,
    CallbackWithheld,
    Delivery,
    DeliveryState,
    Event,
    Method,
    Origin,
    Pairs,
    StatusChanged,
    Timer,
    TimerKind,
    standing,
)
from plivo_sim.domain.secrets import MASK, without_secrets
from plivo_sim.domain.text import draw_uuid
from plivo_sim.domain.urls import blocked_text, looks_local
from plivo_sim.scenarios.language import WebhookPolicy
from plivo_sim.services.policies import webhook_policy
from plivo_sim.webhooks.composing import compose

Encoder = Callable[[StatusChanged, Machine], Pairs]
"""The callback of a change in the language of the API that made the application, and in the words
of the account's machine: flat fields."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Somebody within this process whom callbacks reach without a socket, under the lock.

    ``receive`` gets the request as it would go over the wire, and the instant at which it comes.
    """

    address: str
    receive: Callable[[Account, Outgoing, datetime], Answer]


logger = logging.getLogger("plivo_sim")

KEPT_DELIVERIES = limits.DELIVERIES.most
KEPT_DELIVERY_BYTES = limits.DELIVERY_BYTES.most
HELD_FOR = timedelta(hours=1)
"""How long a callback that waits to be overtaken waits at most."""
AFTER_THE_OTHER = timedelta(seconds=1)
FAST_WARP = 60.0


class Attempted(msgspec.Struct, frozen=True, gc=False):
    """A callback was tried; ``delivery`` is the record after it. ``retries``: how many it gets at
    most."""

    delivery: Delivery
    at: datetime
    retries: int

    @property
    def standing(self) -> str:
        """See ``standing_of``."""
        return standing(self.delivery.state, len(self.delivery.attempts), self.retries)


class Outbox:
    """See the module. One for all accounts; it keeps nothing itself.

    ``receivers``: who within this process made the applications of an origin and is told of them,
    unless they have a callback URL of their own.
    """

    def __init__(self, encode: Encoder, receivers: Mapping[Origin, Receiver] | None = None) -> None:
        self._encode = encode
        self._receivers = receivers or {}
        self._by_address = {each.address: each for each in self._receivers.values()}

    def on_event(self, account: Account, event: Event) -> None:
        """Queue a callback for what the reviewer did; cancel those of a deleted application."""
        if isinstance(event, ApplicationDeleted):
            self._cancel_all(account, event.application.id)
        elif isinstance(event, StatusChanged) and event.by_reviewer:
            self._queue(account, event)

    def _queue(self, account: Account, event: StatusChanged) -> None:
        application = event.application
        url, method = self._destination(account, application)
        if not url:
            return
        delivery = self.delivery_of(account, event, url, method)
        policy = webhook_policy(account)
        for copy in (delivery, *_copies(account, delivery, policy.duplicate)):
            self._send_by_policy(account, copy, policy, event.at)

    def delivery_of(
        self, account: Account, event: StatusChanged, url: str, method: Method
    ) -> Delivery:
        """The callback that tells a receiver of a change; it is not kept yet."""
        application = event.application
        return Delivery(
            id=account.ids.next("delivery"),
            seq=account.next_seq(),
            application_id=application.id,
            url=url,
            method=method,
            payload=self._encode(event, account.machine),
            why=f"{event.previous} -> {application.status}",
            created_at=event.at,
        )

    def _destination(self, account: Account, application: Application) -> tuple[str, Method]:
        """Where an application's callbacks go, and with which method; no URL means nowhere."""
        if application.callback_url:
            return application.callback_url, application.callback_method
        if application.origin in self._receivers:
            return self._receivers[application.origin].address, "POST"
        method: Method = "GET" if account.settings.callback_method == "get" else "POST"
        return account.settings.callback_url, method

    def _send_by_policy(
        self, account: Account, delivery: Delivery, policy: WebhookPolicy, at: datetime
    ) -> None:
        """Send, lose or hold back a callback, as the account's policy has it."""
        if policy.drop == -1 or account.ids.counts.get("dropped", 0) < policy.drop:
            account.ids.next_n("dropped")
            lost = replace(delivery, state=DeliveryState.DROPPED, why=f"{delivery.why}; {_LOST}")
            _keep_new(account, lost)
            account.publish(CallbackWithheld(delivery=lost))
            logger.info("callback %s %s - %s", lost.method, without_secrets(lost.url), lost.why)
            return
        due_at = at
        if policy.delay:
            due_at = parse_duration(policy.delay).after(at, account.settings.holidays)
        if policy.reorder and not self._release_held(account, due_at):
            delivery = replace(delivery, why=f"{delivery.why}; {_HELD}")
            due_at += HELD_FOR
        self.send_at(account, delivery, due_at)

    def _release_held(self, account: Account, at: datetime) -> bool:
        """Let the callback that is held back follow the one that goes out now."""
        for delivery in account.store.deliveries.having("state", DeliveryState.PENDING):
            if delivery.why.endswith(_HELD) and not delivery.attempts:
                for timer in account.store.timers.having("subject_id", delivery.id):
                    account.agenda.add(replace(timer, due_at=at + AFTER_THE_OTHER))
                account.store.deliveries.put(replace(delivery, why=f"{delivery.why}, overtaken"))
                return True
        return False

    def send_at(self, account: Account, delivery: Delivery, at: datetime) -> Delivery:
        """Keep a delivery and attempt it at that instant, unless its host is not allowed."""
        inside = delivery.url in self._by_address
        host = urlsplit(delivery.url).hostname or ""
        if not inside and not looks_local(host, account.settings.allow_callback_hosts):
            why = f"{delivery.why}; {blocked_text(host, account.settings.way)}"
            delivery = replace(delivery, state=DeliveryState.BLOCKED, why=why)
            _keep_new(account, delivery)
            account.publish(CallbackWithheld(delivery=delivery))
            shown = without_secrets(delivery.url)
            logger.warning("callback %s %s - %s", delivery.method, shown, why)
            return delivery
        _keep_new(account, delivery)
        account.agenda.add(
            Timer(
                id=account.ids.next("timer"),
                seq=account.next_seq(),
                due_at=at,
                kind=TimerKind.NOTICE if inside else TimerKind.CALLBACK,
                subject_id=delivery.id,
            )
        )
        return delivery

    def replay(self, account: Account, delivery: Delivery) -> Delivery:
        """Queue the same callback once more, as a new delivery; call within a transaction."""
        again = replace(
            delivery,
            id=account.ids.next("delivery"),
            seq=account.next_seq(),
            state=DeliveryState.PENDING,
            repeats=None,
            attempts=(),
            why=f"replay of {delivery.id}",
            created_at=account.now(),
        )
        return self.send_at(account, again, account.now())

    def _cancel_all(self, account: Account, application_id: str) -> None:
        for delivery in account.store.deliveries.having("application_id", application_id):
            if delivery.state is DeliveryState.PENDING:
                account.agenda.cancel(delivery.id)
                account.store.deliveries.put(replace(delivery, state=DeliveryState.CANCELLED))

    def prepare(self, account: Account, timer: Timer) -> Outgoing | None:
        """The request of a due attempt, signed; None if its delivery is gone or was cancelled."""
        if account.store.timers.fetch(timer.id) is None:
            return None
        delivery = account.store.deliveries.fetch(timer.subject_id)
        if delivery is None:
            with account.transaction():
                account.store.timers.drop(timer.id)
            return None
        return compose(account, delivery)

    def hand_over(self, account: Account, timer: Timer) -> Attempted | None:
        """A due attempt to a receiver within this process, and what came of it: all at once."""
        with account.transaction():
            request = self.prepare(account, timer)
            if request is None:
                return None
            answer = self._by_address[request.url].receive(account, request, timer.due_at)
            return self.record(account, timer, request, answer)

    def record(
        self, account: Account, timer: Timer, request: Outgoing, answer: Answer
    ) -> Attempted | None:
        """Write down how an attempt went; on failure set the timer of the next one."""
        with account.transaction():
            account.store.timers.drop(timer.id)
            delivery = account.store.deliveries.fetch(timer.subject_id)
            if delivery is None:
                return None
            policy = webhook_policy(account)
            tried = _with_attempt(delivery, timer, request, answer, policy)
            if delivery.state is DeliveryState.CANCELLED:  # while it was on its way
                tried = replace(tried, state=DeliveryState.CANCELLED)
            if tried.state is DeliveryState.PENDING:
                tried = self._retry(account, tried, timer, policy)
            account.store.deliveries.put(tried)
            _prune(account, 0)
            return Attempted(tried, timer.due_at, len(waits_of(account, policy)))

    def _retry(
        self, account: Account, delivery: Delivery, timer: Timer, policy: WebhookPolicy
    ) -> Delivery:
        waits = waits_of(account, policy)
        tried = len(delivery.attempts)
        if tried > len(waits):
            return replace(delivery, state=DeliveryState.FAILED)
        due_at = _stretched(account, waits[tried - 1]).after(
            timer.due_at, account.settings.holidays
        )
        # Drawn from the delivery, not counted: attempts that are sent at once end in any order.
        id = draw_uuid(account.settings.seed, delivery.id, "timer", tried)
        account.agenda.add(replace(timer, id=id, due_at=due_at))
        return delivery


def waits_of(account: Account, policy: WebhookPolicy) -> tuple[Duration, ...]:
    """How long a callback waits before each retry."""
    if policy.retries is not None:
        return tuple(parse_duration(text) for text in policy.retries)
    return account.settings.callback_retries


def standing_of(account: Account, delivery: Delivery) -> str:
    """Its state for people to read; of one that is tried again, which retry is next."""
    return standing(delivery.state, len(delivery.attempts), retries_of(account))


def retries_of(account: Account) -> int:
    """How many retries a callback gets at most."""
    return len(waits_of(account, webhook_policy(account)))


def _copies(account: Account, delivery: Delivery, count: int) -> list[Delivery]:
    """Duplicates, each a delivery of its own that repeats the id of the first."""
    return [
        replace(
            delivery, id=account.ids.next("delivery"), seq=account.next_seq(), repeats=delivery.id
        )
        for _ in range(count)
    ]


_FINISHED = tuple(state for state in DeliveryState if state is not DeliveryState.PENDING)
_LOST = "dropped by the webhook policy"
_HELD = "held back by the webhook policy"


def _with_attempt(
    delivery: Delivery, timer: Timer, request: Outgoing, answer: Answer, policy: WebhookPolicy
) -> Delivery:
    """The status alone says whether it was delivered: a body that ended early is kept with what is
    wrong with it, and changes nothing (inferred)."""
    attempt = Attempt(
        at=timer.due_at,
        url=request.url,
        headers=tuple(
            (name, MASK if name == "Authorization" else text) for name, text in request.headers
        ),
        body=request.body.decode("utf-8", "replace"),
        status=answer.status,
        answer=answer.body,
        damage=answer.damage,
        error=answer.error,
        latency_s=round(answer.latency_s, 6),
    )
    success = policy.success or range(200, 300)
    done = answer.status is not None and answer.status in success
    state = DeliveryState.DELIVERED if done else DeliveryState.PENDING
    return replace(delivery, attempts=(*delivery.attempts, attempt), state=state)


def _stretched(account: Account, wait: Duration) -> Duration:
    """Retries wait in real time when simulated time flies (decision "Retries in fast time")."""
    clock = account.clock
    if account.settings.retry_clock == "auto" and not clock.paused and clock.rate > FAST_WARP:
        return replace(wait, seconds=wait.seconds * clock.rate)
    return wait


def _keep_new(account: Account, delivery: Delivery) -> None:
    _prune(account, 1)
    account.store.deliveries.put(delivery)


def _prune(account: Account, more: int) -> None:
    """The log is bounded in number and in bytes: the oldest finished deliveries go when there are
    too many, or would be with so many more. Their applications count them."""
    deliveries = account.store.deliveries
    while len(deliveries) + more > KEPT_DELIVERIES or deliveries.weight > KEPT_DELIVERY_BYTES:
        finished = deliveries.page({"state": _FINISHED}, limit=1).records
        if not finished:
            return
        deliveries.drop(finished[0].id)
        account.ids.next_n(FORGOTTEN_DELIVERY)
        application = account.store.applications.fetch(finished[0].application_id)
        if application is not None:
            more_forgotten = application.forgotten_callbacks + 1
            account.store.applications.put(replace(application, forgotten_callbacks=more_forgotten))


def forgotten(account: Account) -> int:
    """How many deliveries the log has forgotten."""
    return account.ids.counts.get(FORGOTTEN_DELIVERY, 0)
