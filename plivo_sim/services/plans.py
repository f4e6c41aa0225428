"""What the reviewer does with an application that nothing else decides, and waiting for it.

The machine says it, or the setting ``review_delay`` (invented: nobody knows how long a review of
Plivo's takes).
"""

from __future__ import annotations

from datetime import datetime

from plivo_sim.account.account import Account
from plivo_sim.domain.durations import Duration
from plivo_sim.domain.machine import NOTHING
from plivo_sim.domain.records import Application, Origin, Step, Timer, TimerKind
from plivo_sim.scenarios.rules import Plan

BY_DEFAULT = "default"
"""What a plan says of who decided, when nothing else did."""


def default_delay(account: Account, application: Application, via: Origin) -> Duration:
    """The account's own review delay, that of its machine, or the server's; one that is published
    is the requirement's. ``via``: the API of the submission."""
    delay = account.settings.review_delay
    if "review_delay" not in account.overrides:
        delay = _machine_review(account, application, via)[1] or delay
    if delay is None:
        requirement = account.catalogue.by_id[application.requirement_id]
        return Duration(business_days=requirement.estimated_review_days)
    return delay


def default_plan(account: Account, application: Application, via: Origin) -> Plan:
    """The machine's default outcome after the default delay."""
    delay = default_delay(account, application, via)
    outcome, _ = _machine_review(account, application, via)
    if outcome == NOTHING:
        return Plan(steps=(), decided_by=BY_DEFAULT)
    why = f"{BY_DEFAULT}: {outcome} after {delay}"
    return Plan(steps=(Step(after=delay, status=outcome, why=why),), decided_by=BY_DEFAULT)


def _machine_review(
    account: Account, application: Application, via: Origin
) -> tuple[str, Duration | None]:
    return account.machine.review(
        application.country_iso, application.number_type, application.user_type, via
    )


def set_timer(
    account: Account, application_id: str, steps: tuple[Step, ...], start: datetime
) -> Timer | None:
    """Wait for the first of these steps, counted from ``start``; None without any."""
    if not steps:
        return None
    id, seq = account.next_identity("timer")
    timer = Timer(
        id=id,
        seq=seq,
        due_at=steps[0].after.after(start, account.settings.holidays),
        kind=TimerKind.REVIEW,
        subject_id=application_id,
        steps=steps,
    )
    account.agenda.add(timer)
    return timer
