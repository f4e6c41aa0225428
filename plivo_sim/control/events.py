"""What happens in all accounts, in one stream: to be asked again and again. Invented."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast, get_args

from flask import Response, request

from plivo_sim.account.clock import monotonic_s
from plivo_sim.apis.words import microseconds
from plivo_sim.control.inputs import (
    account_text,
    each_given,
    invalid,
    number_of,
    operation_glob,
    word_of,
)
from plivo_sim.control.unmatched import nearest_path
from plivo_sim.domain.machine import Dialect, Machine
from plivo_sim.domain.records import CallbackWithheld, ClockChanged, Delivery, StatusChanged
from plivo_sim.domain.secrets import without_secrets
from plivo_sim.domain.words import did_you_mean
from plivo_sim.scenarios.globs import glob
from plivo_sim.simulator import Simulator, is_account
from plivo_sim.simulator.events import KINDS, Entry, EventLog
from plivo_sim.web import patience
from plivo_sim.web.calls import current_call
from plivo_sim.web.endpoints import Query, endpoint
from plivo_sim.web.long_work import long_work
from plivo_sim.web.request_log import Exchange
from plivo_sim.webhooks.outbox import Attempted

if TYPE_CHECKING:  # a start needs none
    from plivo_sim.control.answers import EventOut

LONGEST_WAIT_S = 30

Facts = dict[str, Any]


@endpoint(
    "GET", "/events", "What happens, in every account: a stream, by long polling.",
    query=(
        Query(name="after", type="integer", description="only behind this place: the last next"),
        Query(name="wait", type="integer", description="seconds to wait for one, 30 at most"),
        Query(name="kind", enum=KINDS, many=True, description="only these; may be repeated"),
        Query(name="account", description="only of this one; default: of every account"),
        Query(name="operation", description="only requests of these operations: a glob"),
        Query(name="status", description="only with this HTTP status (4xx: any such), or"
                                         " this status of an application"),
    ),
    answers={200: "EventsOut"},
)  # fmt: skip
def list_events() -> Response:
    """Events behind ``after``, oldest first; ``next`` of the answer is the ``after`` of the next
    call. With ``wait``, it is answered as soon as there is one, or with none when that many seconds
    have passed. It changes nothing, and does not even make happen what is due. Server-wide, in
    memory, the last 2000; an ``after`` of before a restart begins anew. A call that reached no
    account is ``unmatched``, with an empty ``account``."""
    call = current_call()
    if call.progress is None:  # else it was put off, and goes on
        call.progress = _begin(call.sim)
    poll: _Poll = call.progress
    log = call.sim.events
    with long_work(log.newest - poll.seen):
        found = list(map(_shown, poll.look(log)))
    left_s = call.began + poll.wait_s - monotonic_s()
    if not found and not call.sim.stopping and left_s > 0:
        patience.pause(call, left_s, poll.wanted, poll.seen)
    missed = poll.missed if poll.after else 0
    return call.answer(
        {
            "events": found,
            "next": poll.seen,
            "missed": missed,
            "forgotten": call.sim.events.forgotten,
        }
    )


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What polls wait for: those who ask for the same wait for the same (``Watch``)."""

    sim: Simulator
    kinds: frozenset[str]
    account: str
    operation: str
    status: str
    fits: Callable[[str], object] = field(compare=False)
    """Whether an operation is one of these."""

    @property
    def newest(self) -> int:
        return self.sim.events.newest_of(self.account)

    def has_come(self, after: int) -> bool:
        return self.sim.stopping or any(map(self.takes, self.sim.events.after(after)))

    def takes(self, entry: Entry) -> bool:
        return (
            (not self.kinds or entry.kind in self.kinds)
            and self.account in ("", entry.account)
            and (not self.operation or bool(self.fits(getattr(entry.about, "operation", ""))))
            and (not self.status or self.status in _statuses(entry))
        )


@dataclass(slots=True)
class _Poll:
    """What a call waits for, and how far it has looked. ``seen``: the last place that it looked at;
    ``missed``: how many entries up to there were forgotten before."""

    after: int
    wait_s: int
    wanted: _Wanted
    seen: int
    missed: int = 0

    def look(self, log: EventLog) -> list[Entry]:
        """What is wanted of that which came since it looked last."""
        newest = log.newest
        if newest == self.seen:
            return []
        entries = log.after(self.seen)
        last = entries[-1].number if entries else newest
        self.missed += last - self.seen - len(entries)
        self.seen = last
        return list(filter(self.wanted.takes, entries))


def _begin(sim: Simulator) -> _Poll:
    """What the query asks for. Raises Invalid."""
    after, wait_s = number_of("after", 0), number_of("wait", 0)
    if wait_s > LONGEST_WAIT_S:
        raise invalid("wait", f"must be {LONGEST_WAIT_S} or less")
    if after > sim.events.newest:
        after = 0
    return _Poll(after, wait_s, _wanted(sim), seen=after)


def _wanted(sim: Simulator) -> _Wanted:
    """Which events are wanted. Raises Invalid."""
    kinds = frozenset(word_of({"kind": each}, "kind", KINDS) for each in each_given("kind"))
    account, status = account_text(), request.args.get("status", "").strip().lower()
    if account and not is_account(account):
        raise invalid("account", "must be MA and 18 letters or digits")
    if account:
        sim.check_here(account)
    operation = operation_glob()
    if status:
        _check_status(status, account)
    return _Wanted(sim, kinds, account, operation, status, glob(operation))


_APIS: tuple[Dialect, ...] = get_args(Dialect)
_HTTP = re.compile("[1-5]([0-9]{2}|xx)")


def _check_status(status: str, account: str) -> None:
    """Raises Invalid for one that no event has, nor can have with a machine in use."""
    sim = current_call().sim
    if _HTTP.fullmatch(status) or status in (known := _words_of(sim.machine)):
        return
    for each in sim.accounts():
        if account in ("", each.auth_id) and each.machine is not sim.machine:
            known |= _words_of(each.machine)
    if status not in known and all(status not in _statuses(each) for each in sim.events.after(0)):
        hint = did_you_mean(status, sorted(known))
        raise invalid("status", f"there is no status '{status}'{hint}")


def _words_of(machine: Machine) -> set[str]:
    """The names of its statuses, and what callbacks tell of them."""
    return {*machine.statuses, *(word for each in _APIS for word in machine.callback_words(each))}


def _statuses(entry: Entry) -> Iterator[str]:
    """The words by which an event is found."""
    about, http = entry.about, None
    if isinstance(about, Exchange):
        http = about.status
    elif isinstance(about, StatusChanged):
        yield about.application.status
    elif isinstance(about, Attempted | CallbackWithheld):
        http = _status_of(about.delivery)
        yield _told(about.delivery) or ""
    if http is not None:
        yield from (str(http), f"{http // 100}xx")


def _told(delivery: Delivery) -> str | None:
    return dict(delivery.payload).get("status")


def _status_of(delivery: Delivery) -> int | None:
    """That of the last answer, if there was one."""
    return delivery.attempts[-1].status if delivery.attempts else None


def _shown(entry: Entry) -> EventOut:
    about = entry.about
    if isinstance(about, Exchange):
        at, facts = about.at, _request(about)
        if entry.kind == "unmatched":
            facts["nearest"] = nearest_path(about.environ.get("PATH_INFO", ""))
    elif isinstance(about, StatusChanged):
        at, facts = about.at, _transition(about)
    elif isinstance(about, ClockChanged):
        at, facts = about.after.now, _clock(about)
    else:
        at, facts = _at(about), _callback(about)
    head = {"number": entry.number, "kind": entry.kind, "account": entry.account}
    return cast("EventOut", {**head, "at": microseconds(at), **facts})


def _request(exchange: Exchange) -> Facts:
    return {
        "id": exchange.id,
        "method": exchange.method,
        "url": exchange.url,
        "operation": exchange.operation,
        "dialect": exchange.dialect,
        "status": exchange.status,
        "fault": exchange.fault or None,
        "took_ms": round(exchange.took_ms, 2),
        "why": exchange.why,
    }


def _transition(changed: StatusChanged) -> Facts:
    application = changed.application
    return {
        "application": application.id,
        "from": changed.previous,
        "to": application.status,
        "reason": application.rejection_reason,
        "why": application.timeline[-1].why if application.timeline else "",
    }


def _clock(changed: ClockChanged) -> Facts:
    return {
        "from": microseconds(changed.before.now),
        "to": microseconds(changed.after.now),
        "paused": changed.after.paused,
        "rate": changed.after.rate,
    }


def _at(about: Attempted | CallbackWithheld) -> datetime:
    return about.at if isinstance(about, Attempted) else about.delivery.created_at


def _callback(about: Attempted | CallbackWithheld) -> Facts:
    delivery = about.delivery
    return {
        "delivery": delivery.id,
        "application": delivery.application_id,
        "method": delivery.method,
        "url": without_secrets(delivery.url),
        "told": _told(delivery),
        "attempt": len(delivery.attempts),
        "retries": about.retries if isinstance(about, Attempted) else 0,
        "state": delivery.state,
        "status": _status_of(delivery),
        "error": delivery.attempts[-1].error if delivery.attempts else None,
        "why": delivery.why,
    }
