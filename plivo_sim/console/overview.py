"""Overview: an account's first page. What there is, what happened last, what needs attention."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import urlencode

from flask import Response, request

from plivo_sim.account.account import Account
from plivo_sim.console.pages import open_account, show
from plivo_sim.console.pictures.due import in_words
from plivo_sim.control.machines import drawn
from plivo_sim.domain.records import (
    CallbackWithheld,
    ClockChanged,
    Delivery,
    StatusChanged,
)
from plivo_sim.domain.secrets import without_secrets
from plivo_sim.simulator.events import Entry
from plivo_sim.web.calls import current_call
from plivo_sim.web.request_log import Exchange
from plivo_sim.webhooks.outbox import Attempted, standing_of

SHOWN_EVENTS = 30
LABELS = {
    "request": "Requests", "transition": "Statuses", "callback": "Callbacks", "clock": "Clock",
}  # fmt: skip


class Happened(NamedTuple):
    """One line of the stream. ``kind``: one of ``LABELS``; ``about``: what it happened to, with the
    ``path`` of its page below the account's, if it is still there; ``text``: what happened;
    ``is_answered``: it is a call, with ``http`` as its status, or None when nobody answered."""

    number: int
    kind: str
    at: datetime
    about: str
    path: str
    text: str
    is_answered: bool = False
    http: int | None = None
    status: str = ""


def overview_page(auth_id: str) -> Response:
    """The machine with its counts, the stream, what needs attention, and how to begin."""
    account = open_account(auth_id)
    kind = request.args.get("kind", "")
    with account.lock:
        rows, machine = account.store.applications, account.machine
        counts = {status: rows.how_many("status", status) for status in machine.statuses}
        stream = list(islice(_stream(account, kind), SHOWN_EVENTS))
        countries = sorted({each.country_iso for each in account.catalogue.requirements})
        taken = dict(account.arrows)
    listed = f"/console/{auth_id}/applications"
    links = {status: f"{listed}?{urlencode({'status': status})}" for status in counts}
    return show(
        "overview.html",
        account=account,
        counts=counts,
        total=sum(counts.values()),
        rows=len(machine.arrows),
        picture=drawn(account, machine, counts, taken, links),
        machine=machine,
        arrows=[(each, taken.get((each.from_, each.to), 0)) for each in machine.arrows],
        stream=stream,
        kind=kind if kind in LABELS else "",
        kinds=LABELS,
        countries=countries,
        forgotten=current_call().sim.events.forgotten,
    )


# --- the stream ------------------------------------------------------------------------------


def _stream(account: Account, kind: str) -> Iterator[Happened]:
    """What happened in the account, newest first. Caller holds the lock."""
    kept = {each.id for each in account.exchanges}
    for entry in reversed(current_call().sim.events.after(0)):
        if entry.account == account.auth_id and (kind not in LABELS or kind == entry.kind):
            yield Happened(entry.number, entry.kind, **_told(account, entry, kept))


def _told(account: Account, entry: Entry, kept: set[str]) -> dict[str, Any]:
    about = entry.about
    if isinstance(about, Exchange):
        return _request(entry.account, about, kept)
    if isinstance(about, StatusChanged):
        return _transition(account, about)
    if isinstance(about, ClockChanged):
        return _clock(about)
    return _callback(account, about)


def _request(auth_id: str, exchange: Exchange, kept: set[str]) -> dict[str, Any]:
    path = exchange.environ.get("PATH_INFO", "").replace(f"/v1/Account/{auth_id}/", "…/", 1)
    fault = f"; fault: {exchange.fault}" if exchange.fault else ""
    why = f": {exchange.why}" if exchange.why and exchange.status >= 400 and not fault else ""
    return {
        "at": exchange.at,
        "about": f"{exchange.method} {path}",
        "path": f"requests/{exchange.id}" if exchange.id in kept else "",
        "text": f"{exchange.operation or 'no operation'}{why}{fault}",
        "is_answered": True,
        "http": exchange.status,
    }


def _transition(account: Account, changed: StatusChanged) -> dict[str, Any]:
    application = changed.application
    is_there = account.store.applications.fetch(application.id) is not None
    why = application.timeline[-1].why if application.timeline else ""
    reason = f"; {application.rejection_reason}" if application.rejection_reason else ""
    return {
        "at": changed.at,
        "about": application.alias or application.id,
        "path": f"applications/{application.id}" if is_there else "",
        "text": f"was {changed.previous.replace('_', ' ')}; {why}{reason}",
        "status": application.status,
    }


def _callback(account: Account, about: Attempted | CallbackWithheld) -> dict[str, Any]:
    delivery: Delivery = about.delivery
    is_there = account.store.deliveries.fetch(delivery.id) is not None
    last = delivery.attempts[-1] if delivery.attempts else None
    told = dict(delivery.payload).get("status", "") or "callback"
    state, tried = standing_of(account, delivery), len(delivery.attempts)
    error = f" {last.error}," if last is not None and last.error else ""
    done = f"try {tried}:{error} {state}" if last else f"{state}: {delivery.why}"
    return {
        "at": about.at if isinstance(about, Attempted) else delivery.created_at,
        "about": f"{told} of {_owner(account, delivery)}",
        "path": f"webhooks/{delivery.id}" if is_there else "",
        "text": f"{_place(account, delivery)}, {done}; to {without_secrets(delivery.url)}",
        "is_answered": last is not None,
        "http": last.status if last is not None else None,
    }


def _owner(account: Account, delivery: Delivery) -> str:
    """The name of its application, or the id."""
    application = account.store.applications.fetch(delivery.application_id)
    return (application.alias if application else "") or delivery.application_id


def _place(account: Account, delivery: Delivery) -> str:
    """Which callback of its application it is: they are sent in that order."""
    application = account.store.applications.fetch(delivery.application_id)
    known = account.store.deliveries.having("application_id", delivery.application_id)
    first = (application.forgotten_callbacks if application else 0) + 1
    places = {each.id: place for place, each in enumerate(known, first)}
    return f"callback {places[delivery.id]}" if delivery.id in places else "a callback"


def _clock(changed: ClockChanged) -> dict[str, Any]:
    before, after = changed.before, changed.after
    if after.paused != before.paused:
        text = "stopped" if after.paused else "runs"
    elif after.rate != before.rate:
        text = f"{after.rate:g} simulated seconds per real second"
    else:
        text = f"moved by {in_words((after.now - before.now).total_seconds())}"
    return {"at": after.now, "about": "Clock", "path": "time", "text": text}


PAGES: list[tuple[str, Callable[..., Response]]] = [("/", overview_page)]
