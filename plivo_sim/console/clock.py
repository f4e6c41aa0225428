"""Time: the strip of what is due, and the buttons that move the clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import Response

from plivo_sim.account.account import Account
from plivo_sim.console.actions import Action, Build, Form, Harmless
from plivo_sim.console.pages import open_account, show
from plivo_sim.domain.records import STEPPING, Timer
from plivo_sim.services.foresight import foreseen

SHOWN_TIMERS = 50


def time_page(auth_id: str) -> Response:
    """What is due, soonest first, and every way to move time."""
    account = open_account(auth_id)
    with account.lock:
        due = due_of(account)
    return show("time.html", account=account, due=due)


def due_of(account: Account, most: int = SHOWN_TIMERS) -> list[dict[str, Any]]:
    """The next timers, soonest first, each when it will really come. Caller holds the lock."""
    soonest = [foreseen(account, timer) for timer in account.agenda.soonest(most)]
    coming = sorted(filter(None, soonest), key=lambda timer: (timer.due_at, timer.seq))
    return [_due(account, timer) for timer in coming]


def _due(account: Account, timer: Timer) -> dict[str, Any]:
    shown: dict[str, Any] = {"at": timer.due_at, "steps": timer.steps}
    if timer.kind in STEPPING:
        application = account.store.applications.fetch(timer.subject_id)
        return shown | {"application": application, "delivery": None}
    delivery = account.store.deliveries.fetch(timer.subject_id)
    if delivery is not None:
        application = account.store.applications.fetch(delivery.application_id)
        return shown | {"application": application, "delivery": delivery}
    return shown | {"application": None, "delivery": None}


def _clock(message: str, operation: str, form: Form, *cli: str, **body: Any) -> Action:
    account = form.get("account", "")
    return Action(
        message=message,
        operation=operation,
        body={**body, "account": account},
        cli=("clock", *cli, "--account", account),
    )


def advance(form: Form) -> list[Action]:
    by = form.get("by", "").strip()
    return [_clock(f"Advanced by {by}.", "advance", form, "advance", by, by=by)]


def advance_to(form: Form) -> list[Action]:
    to = form.get("to", "").strip()
    return [_clock(f"Advanced to {to}.", "advance", form, "advance", "--to", to, to=to)]


def to_event(form: Form) -> list[Action]:
    """To something that is due; a running clock may be past it before the button is pressed."""
    to = form.get("to", "").strip()
    harmless = Harmless("clock_refused", f"It has happened already: the clock is past {to}.")
    return [replace(action, harmless=harmless) for action in advance_to(form)]


def pause(form: Form) -> list[Action]:
    return [_clock("Time is stopped.", "pause", form, "pause")]


def resume(form: Form) -> list[Action]:
    return [_clock("Time runs.", "resume", form, "resume")]


def rate(form: Form) -> list[Action]:
    wanted = form.get("rate", "").strip()
    message = f"Time runs at {wanted} simulated seconds per real second."
    return [_clock(message, "set_rate", form, "rate", wanted, rate=wanted)]


PAGES: list[tuple[str, Callable[..., Response]]] = [("/time", time_page)]

ACTIONS: dict[str, Build] = {
    "advance": advance,
    "advance-to": advance_to,
    "to-event": to_event,
    "pause": pause,
    "resume": resume,
    "rate": rate,
}
