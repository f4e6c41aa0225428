"""Time: the swimlanes, what is due, and the buttons that move the clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from flask import Response, request

from plivo_sim.account.account import Account
from plivo_sim.console.actions import Action, Build, Form, Harmless, just_refused
from plivo_sim.console.pages import Paged, newest, open_account, show
from plivo_sim.console.pictures.swimlanes import Due, Lane, Span, draw
from plivo_sim.control.presenters import timers_of
from plivo_sim.domain.limits import LATEST
from plivo_sim.domain.records import STEPPING, Application, Timer
from plivo_sim.services.foresight import foreseen
from plivo_sim.settings import read_instant

SHOWN_TIMERS = 50
SHOWN_LANES = 20
SHOWN_SPANS = 50
"""Changes of one application in its lane, the last ones."""
WINDOWS = {
    "hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1),
    "month": timedelta(days=30), "quarter": timedelta(days=91), "year": timedelta(days=365),
}  # fmt: skip
"""Words of ``?window=`` -> how long it is, two fifths of it in the past. Without: what fits."""
_LONGEST = WINDOWS["year"]
WHICH = {"": "all, newest first", "due": "those with something due, soonest first"}


def time_page(auth_id: str) -> Response:
    """The swimlanes, what is due, soonest first, and every way to move time."""
    account = open_account(auth_id)
    chosen = {name: request.args.get(name, "") for name in ("window", "which", "status")}
    with account.lock:
        due = due_of(account)
        found = _lanes_of(account, chosen)
        lanes = [_lane(account, each) for each in found.items]
        start, end = _window(account.now(), lanes, WINDOWS.get(chosen["window"]))
        picture = draw(
            lanes, account.now(), start, end, [each["at"] for each in due],
            f"/console/{auth_id}/time?{_query(chosen)}to=", account.settings.holidays,
        )  # fmt: skip
        typed = _typed(account)
    return show(
        "time.html",
        account=account,
        due=[(at, list(group)) for at, group in groupby(due, key=lambda each: each["at"])],
        shown_due=len(due),
        clock_end=LATEST,
        found=found,
        picture=picture,
        start=start,
        end=end,
        chosen=chosen,
        query=_query(chosen),
        windows=list(WINDOWS),
        which=WHICH,
        statuses=list(account.machine.statuses),
        typed=typed,
    )


def _query(chosen: dict[str, str]) -> str:
    """The filters as a query, to which more is added."""
    kept = urlencode({name: value for name, value in chosen.items() if value})
    return f"{kept}&" if kept else ""


@dataclass(frozen=True, slots=True)
class Typed:
    """What the forms hold: what was refused, or an instant that a link chose, or nothing."""

    by: str = ""
    date: str = ""
    time: str = "00:00"
    rate: str = ""


def _typed(account: Account) -> Typed:
    moved = next((done.action.body or {} for done in just_refused("advance")), {})
    rates = [(done.action.body or {}).get("rate", "") for done in just_refused("set_rate")]
    to = str(moved.get("to", "")) or _chosen_instant()
    date, _, time = to.removesuffix("Z").partition("T")
    return Typed(
        by=str(moved.get("by", "")),
        date=date,
        time=time or "00:00",
        rate=rates[0] if rates else f"{account.clock.rate:g}",
    )


def _chosen_instant() -> str:
    """``?to=``, rounded up to what the form can say."""
    try:
        at = read_instant(request.args.get("to", ""))
        up = at + timedelta(microseconds=-at.microsecond % 1000)
    except (ValueError, OverflowError):
        return ""
    return up.strftime("%Y-%m-%dT%H:%M:%S") + (
        f".{up.microsecond // 1000:03}" * bool(up.microsecond)
    )


# --- lanes -----------------------------------------------------------------------------------


def _lanes_of(account: Account, chosen: dict[str, str]) -> Paged[Application]:
    """Caller holds the lock."""
    status = chosen["status"]
    if chosen["which"] != "due":
        where = {"status": [status]} if status else {}
        return newest(account.store.applications, where, SHOWN_LANES)
    soonest = [
        _due(account, timer)["application"] for timer in account.agenda.soonest(SHOWN_TIMERS)
    ]
    waiting = {each.id: each for each in soonest if each and status in ("", each.status)}
    return Paged([*waiting.values()][:SHOWN_LANES], 1, len(waiting), SHOWN_TIMERS)


def _lane(account: Account, application: Application) -> Lane:
    tones = {name: row.tone for name, row in account.machine.statuses.items()}
    changes = [(each.at, each.status) for each in application.timeline[-SHOWN_SPANS:]]
    changes = changes or [(application.created_at, application.status)]
    ends = [*(at for at, _ in changes[1:]), account.now()]
    return Lane(
        name=application.alias or application.id,
        href=f"/console/{account.auth_id}/applications/{application.id}",
        status=application.status,
        spans=[
            Span(at, max(at, end), status, tones.get(status, "idle"))
            for (at, status), end in zip(changes, ends, strict=True)
        ],
        due=[
            Due(timer.due_at, timer.steps[0].status, tones.get(timer.steps[0].status, "idle"))
            for timer in timers_of(account, application.id)
            if timer.steps
        ]
        + [
            Due(timer.due_at, "a callback")
            for delivery in account.store.deliveries.having("application_id", application.id)
            for timer in account.store.timers.having("subject_id", delivery.id)
        ],
    )


def _window(
    now: datetime, lanes: Sequence[Lane], length: timedelta | None
) -> tuple[datetime, datetime]:
    """From when to when: of the length that was chosen, else what has all of the lanes in it."""
    if length is not None:
        return _back(now, length * 0.4), _on(now, length * 0.6)
    first = min((lane.spans[0].start for lane in lanes), default=now)
    last = max((due.at for lane in lanes for due in lane.due), default=now)
    past = min(max(now - first, timedelta(hours=1)), _LONGEST)
    future = min(max(last - now, past / 2, timedelta(hours=6)), _LONGEST)
    return _back(now, past * 1.05), _on(now, future * 1.1)


def _back(at: datetime, by: timedelta) -> datetime:
    earliest = datetime.min.replace(tzinfo=at.tzinfo)
    return at - by if at - earliest > by else earliest


def _on(at: datetime, by: timedelta) -> datetime:
    """It may be later than a clock can go: the picture ends with time."""
    return min(at + by, LATEST + timedelta(days=1))


# --- what is due -----------------------------------------------------------------------------


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


# --- buttons ---------------------------------------------------------------------------------


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
    """To an instant: ``to``, or a ``date`` and a ``time``, which are UTC."""
    to = form.get("to", "").strip()
    if not to and form.get("date"):
        to = f"{form['date'].strip()}T{form.get('time', '').strip() or '00:00'}Z"
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
