"""When the reviewer's next steps will really be made, in an account's machine.

A timer of a review is due when its plan says. Where the machine leads elsewhere first, or lets a
status last for a while (``not_before``), ``reviews.run`` waits: here that is told beforehand.
"""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from plivo_sim.account.account import Account
from plivo_sim.domain.durations import Duration
from plivo_sim.domain.machine import PLANNED
from plivo_sim.domain.records import Application, Step, Timer, TimerKind
from plivo_sim.services.machines import entered_at


def foreseen(account: Account, timer: Timer) -> Timer | None:
    """A timer as it will come true if nobody interferes: ``due_at`` and the ``after`` of its later
    steps with what they wait for, which their ``why`` tells; None when nothing will come of it.
    Caller holds the lock."""
    application = account.store.applications.fetch(timer.subject_id)
    if timer.kind is not TimerKind.REVIEW or application is None:
        return timer
    made = _steps(account, application, timer)
    if not made:
        return None
    return replace(timer, due_at=made[0][0], steps=tuple(step for _, step in made))


def _steps(account: Account, application: Application, timer: Timer) -> list[tuple[datetime, Step]]:
    made: list[tuple[datetime, Step]] = []
    status, entered = application.status, entered_at(application)
    due_at = timer.due_at
    for step in timer.steps:
        if made:
            due_at = step.after.after(entered, account.settings.holidays)
        found = _made_at(account, status, entered, due_at, step.status)
        if found is None:
            break
        at, waits = found
        if waits:
            after = Duration(seconds=(at - entered).total_seconds())
            step = replace(step, after=after, why="; ".join(filter(None, (step.why, *waits))))
        made.append((at, step))
        status, entered = step.status, at
    return made


def _made_at(
    account: Account, status: str, entered: datetime, due_at: datetime, target: str
) -> tuple[datetime, list[str]] | None:
    """When a step that is due then is made, and what it waits for meanwhile; None: never."""
    machine, holidays = account.machine, account.settings.holidays
    waits: list[str] = []
    while True:  # no machine leads back to a status by itself; of one instant, time comes first
        automatic = machine.automatic(status)
        left = automatic[1].after(entered, holidays) if automatic is not None else None
        if machine.allowed(status, target, *PLANNED):
            least = machine.not_before(status, target)
            if least.after(entered, holidays) > due_at:
                due_at = least.after(entered, holidays)
                waits.append(f"not before {least} after it was {status}")
            if left is None or due_at < left:
                return due_at, waits
        if automatic is None or left is None:
            return None
        status, entered = automatic[0].to, left
        if due_at < left:
            due_at = left
            waits.append(f"waits for {status}")
