"""When the reviewer's next steps will really be made, in an account's machine.

A timer of a review is due when its plan says. Where the machine leads elsewhere first, or lets a
status last for a while (``not_before``), the step waits. ``made_at`` says for how long: to
``reviews.run``, and to those who tell it beforehand.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from plivo_sim.account.account import Account
from plivo_sim.domain.durations import Duration
from plivo_sim.domain.machine import PLANNED
from plivo_sim.domain.records import STEPPING, Application, Step, Timer, TimerKind


class Stay(NamedTuple):
    """Being in a status. ``left_at``: when time leads on; None: never."""

    status: str
    entered_at: datetime
    left_at: datetime | None


class Made(NamedTuple):
    """A step that will be made: when, out of which status, and what it waits for meanwhile."""

    at: datetime
    status: str
    waits: tuple[str, ...]


def entered_at(application: Application) -> datetime:
    """When it got the status that it has."""
    return application.timeline[-1].at if application.timeline else application.created_at


def timer_of(account: Account, application: Application, kind: TimerKind) -> Timer | None:
    """Its review, or the automatic arrow that leaves its status."""
    waiting = account.store.timers.having("subject_id", application.id)
    return next((each for each in waiting if each.kind is kind), None)


def stay_of(account: Account, application: Application) -> Stay:
    """Where an application is now."""
    timer = timer_of(account, application, TimerKind.AUTOMATIC)
    left_at = timer.due_at if timer is not None else None
    return Stay(application.status, entered_at(application), left_at)


def made_at(account: Account, stay: Stay, due_at: datetime, target: str) -> Made | None:
    """How a planned step that is due then is made; None: never. Of one instant, time comes
    first. A step that has waited already is due when it no longer has to (``reviews.run``), so
    it is told of that instant, too, what it waits for."""
    machine, holidays = account.machine, account.settings.holidays
    waits: list[str] = []
    while True:  # no machine leads back to a status by itself
        if machine.allowed(stay.status, target, *PLANNED):
            least = machine.not_before(stay.status, target)
            if least != Duration() and least.after(stay.entered_at, holidays) >= due_at:
                due_at = least.after(stay.entered_at, holidays)
                waits.append(f"not before {least} after it was {stay.status}")
            if stay.left_at is None or due_at < stay.left_at:
                return Made(due_at, stay.status, tuple(waits))
        automatic = machine.automatic(stay.status)
        if stay.left_at is None or automatic is None:
            return None
        if due_at <= stay.left_at:
            due_at = stay.left_at
            waits.append(f"waits for {automatic[0].to}")
        stay = _entered(account, automatic[0].to, stay.left_at)


def _entered(account: Account, status: str, at: datetime) -> Stay:
    found = account.machine.automatic(status)
    return Stay(status, at, found and found[1].after(at, account.settings.holidays))


def foreseen(account: Account, timer: Timer) -> Timer | None:
    """A timer as it will come true if nobody interferes: ``due_at`` and the ``after`` of its later
    steps with what they wait for, which their ``why`` tells; None when nothing will come of it.
    Caller holds the lock."""
    application = account.store.applications.fetch(timer.subject_id)
    if timer.kind not in STEPPING or application is None:
        return timer
    review = (
        timer
        if timer.kind is TimerKind.REVIEW
        else timer_of(account, application, TimerKind.REVIEW)
    )
    made = _steps(account, stay_of(account, application), review) if review is not None else []
    if timer is not review:  # time leads on, unless the reviewer leaves the status first
        return None if made and made[0][0] < timer.due_at else timer
    if not made:
        return None
    return replace(timer, due_at=made[0][0], steps=tuple(step for _, step in made))


def _steps(account: Account, stay: Stay, timer: Timer) -> list[tuple[datetime, Step]]:
    made: list[tuple[datetime, Step]] = []
    due_at = timer.due_at
    for step in timer.steps:
        if made:
            due_at = step.after.after(stay.entered_at, account.settings.holidays)
        found = made_at(account, stay, due_at, step.status)
        if found is None:
            break
        if found.waits:
            after = step.after
            if found.at != after.after(stay.entered_at, account.settings.holidays):
                after = Duration(seconds=(found.at - stay.entered_at).total_seconds())
            why = "; ".join(filter(None, (step.why, *found.waits)))
            step = replace(step, after=after, why=why)
        made.append((found.at, step))
        stay = _entered(account, step.status, found.at)
    return made
