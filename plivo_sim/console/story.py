"""What happened around one application, in the order in which it came, as steps of a sequence:
calls and their answers, changes of its status, callbacks and what was answered to them, and what is
to come.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from plivo_sim.account.account import Account
from plivo_sim.console.pictures.sequence import Step
from plivo_sim.domain.durations import parse_duration
from plivo_sim.domain.records import (
    STEPPING,
    Application,
    Attempt,
    Delivery,
    DeliveryState,
    StatusChanged,
    Timer,
)
from plivo_sim.services.policies import webhook_policy
from plivo_sim.services.verdicts import cause_of
from plivo_sim.web.request_log import Exchange
from plivo_sim.webhooks.outbox import Attempted

Link = Callable[[str], str]
"""The URL of a page below the account's; "" where there is nothing to lead to."""

_BY = {"client": "by the applicant", "hand": "by hand", "time": "by time"}
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class _Came(NamedTuple):
    """Something that came: when it was simulated, when it was really (0: not known), its place
    among those that neither tells apart, and its steps. ``same``: what repeated reads share."""

    at: datetime
    arrived_s: float
    place: float
    steps: tuple[Step, ...]
    same: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of an application, for ``story_of``. ``coming``: its own timers, as they will
    come true; ``exchanges``: the requests that are about it, oldest first."""

    application: Application
    deliveries: Sequence[Delivery]
    coming: Sequence[Timer]
    exchanges: Sequence[Exchange]


def exchanges_about(account: Account, id: str) -> list[Exchange]:
    """The kept requests that name an application, oldest first."""
    text = id.encode()
    return [each for each in account.exchanges if id in each.url or text in each.answer]


def story_of(account: Account, told: Told, link: Link) -> list[Step]:
    """The steps. Caller holds the lock."""
    moments = _arrivals(account, told.application.id)
    came = [
        *_calls(told.exchanges, told.application.id, link),
        *_changes(account, told.application, moments),
        *_attempts(told, moments, link),
    ]
    if all(each.arrived_s for each in came):
        came.sort(key=lambda each: each.arrived_s)
    else:
        came.sort(key=lambda each: (each.at, each.arrived_s, each.place))
    past = [step for each in _merged(_in_time(came)) for step in each.steps]
    return [*past, *sorted(_to_come(account, told, link), key=lambda step: step.at)]


def _in_time(came: Iterable[_Came]) -> list[_Came]:
    """An answer is noted at its end, so what a call did may be told a moment earlier: it stands
    where it came, at the instant of what follows."""
    found: list[_Came] = []
    limit: datetime | None = None
    for each in reversed(list(came)):
        limit = each.at if limit is None else min(limit, each.at)
        steps = tuple(replace(step, at=min(step.at, limit)) for step in each.steps)
        found.append(each._replace(at=limit, steps=steps))
    return found[::-1]


def _merged(came: Iterable[_Came]) -> Iterator[_Came]:
    """The same read again and again, with nothing in between, is told once."""
    last: _Came | None = None
    count = 0
    for each in came:
        if last is not None and each.same and each.same == last.same:
            count += 1
            last = each
            continue
        if last is not None:
            yield _times(last, count)
        last, count = each, 1
    if last is not None:
        yield _times(last, count)


def _times(each: _Came, count: int) -> _Came:
    if count == 1:
        return each
    first, *rest = each.steps
    return each._replace(steps=(replace(first, text=f"{first.text} × {count}"), *rest))


# --- calls -------------------------------------------------------------------------------------


def _calls(exchanges: Iterable[Exchange], id: str, link: Link) -> Iterator[_Came]:
    for place, each in enumerate(exchanges):
        text = f"{each.method} {_short(each.url, id)}"
        tone = "bad" if each.status >= 500 else "wait" if each.status >= 400 else "good"
        href, fault = link(f"requests/{each.id}"), f", fault {each.fault}" if each.fault else ""
        steps = (
            Step(
                at=each.at,
                origin="client",
                target="plivo",
                text=text,
                tone="idle",
                detail=each.why,
                href=href,
            ),
            Step(
                at=each.at,
                origin="plivo",
                target="client",
                text=f"{each.status}{fault}",
                tone=tone,
                detail=each.why,
                href=href,
                is_answer=True,
            ),
        )
        read = f"{each.at.date()} {each.url} {each.status}"
        same = read if each.method == "GET" else ""
        yield _Came(each.at, each.arrived_s, place, steps, same)


def _short(url: str, id: str) -> str:
    """The path below the account, without what is long in it."""
    path = urlsplit(url).path
    _, _, below = path.partition("/v1/Account/")
    tail = below.partition("/")[2] or path
    tail = tail.replace("PhoneNumber/Compliance", "Compliance").replace(id, "…")
    return _ID.sub("…", tail)


# --- changes and callbacks ---------------------------------------------------------------------

_Moments = dict[tuple[str, int], float]


def _arrivals(account: Account, id: str) -> _Moments:
    """When what is remembered really came: changes by the application's id and their place,
    attempts by that of the delivery."""
    found: _Moments = {}
    for moment in account.moments:
        what = moment.what
        if isinstance(what, StatusChanged) and what.application.id == id:
            found[id, len(what.application.timeline) - 1] = moment.arrived_s
        elif isinstance(what, Attempted) and what.delivery.application_id == id:
            found[what.delivery.id, len(what.delivery.attempts) - 1] = moment.arrived_s
    return found


def _changes(account: Account, application: Application, moments: _Moments) -> Iterator[_Came]:
    for place, change in enumerate(application.timeline):
        by = _BY.get(change.by, change.why)
        detail = f"{by}: {change.reason}" if change.reason else by
        step = Step(
            at=change.at,
            origin="plivo",
            target="plivo",
            detail=detail,
            text=change.status.replace("_", " "),
            tone=_tone(account, change.status),
        )
        yield _Came(change.at, moments.get((application.id, place), 0.0), place, (step,))


def _tone(account: Account, status: str) -> str:
    row = account.machine.statuses.get(status)
    return row.tone if row is not None else "idle"


def _attempts(told: Told, moments: _Moments, link: Link) -> Iterator[_Came]:
    for delivery in told.deliveries:
        place = cause_of(told.application, delivery) + 0.5
        href, says = link(f"webhooks/{delivery.id}"), _says(delivery)
        for number, attempt in enumerate(delivery.attempts, 1):
            arrived = moments.get((delivery.id, number - 1), 0.0)
            nth = f", try {number}" if len(delivery.attempts) > 1 else ""
            steps = (
                Step(
                    at=attempt.at,
                    origin="plivo",
                    target="webhook",
                    text=f"{says}{nth}",
                    tone="idle",
                    href=href,
                ),
                _answer(delivery, number, attempt, href),
            )
            yield _Came(attempt.at, arrived, place, steps)
        if not delivery.attempts and delivery.state is not DeliveryState.PENDING:
            text = f"{delivery.state}: {says}"
            step = Step(
                at=delivery.created_at,
                origin="plivo",
                target="plivo",
                tone="bad",
                text=text,
                detail=delivery.why,
                href=href,
            )
            arrived = moments.get((told.application.id, int(place)), 0.0)
            yield _Came(delivery.created_at, arrived, place, (step,))


def _answer(delivery: Delivery, number: int, attempt: Attempt, href: str) -> Step:
    is_last = number == len(delivery.attempts)
    taken = is_last and delivery.state is DeliveryState.DELIVERED
    text = attempt.outcome if attempt.status is not None else f"no answer: {attempt.error}"
    if is_last and delivery.state is DeliveryState.FAILED:
        text += ", given up"
    return Step(
        at=attempt.at,
        origin="webhook",
        target="plivo",
        text=text,
        href=href,
        tone="good" if taken else "bad",
        detail=attempt.answer[:200],
        is_answer=True,
    )


def _says(delivery: Delivery) -> str:
    told = dict(delivery.payload)
    return told.get("event") or told.get("status") or "callback"


# --- to come -----------------------------------------------------------------------------------


def _to_come(account: Account, told: Told, link: Link) -> Iterator[Step]:
    for timer in told.coming:
        if timer.kind in STEPPING:
            at = timer.due_at
            for index, each in enumerate(timer.steps):
                if index:
                    at = each.after.after(at, account.settings.holidays)
                yield Step(
                    at=at,
                    origin="plivo",
                    target="plivo",
                    is_to_come=True,
                    text=each.status.replace("_", " "),
                    tone=_tone(account, each.status),
                    detail=each.why,
                )
    for delivery in told.deliveries:
        due = account.store.timers.having("subject_id", delivery.id)
        if due:
            nth = f", try {len(delivery.attempts) + 1} of {tries_of(account)}"
            yield Step(
                at=due[0].due_at,
                origin="plivo",
                target="webhook",
                is_to_come=True,
                text=f"{_says(delivery)}{nth}",
                href=link(f"webhooks/{delivery.id}"),
            )


def tries_of(account: Account) -> int:
    """How often a callback is tried at most."""
    retries: Any = webhook_policy(account).retries
    waits = account.settings.callback_retries if retries is None else map(parse_duration, retries)
    return 1 + len(list(waits))
