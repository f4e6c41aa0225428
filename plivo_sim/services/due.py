"""What applications wait for: the automatic arrows of their statuses, and their reviews.

Each is a timer, set when the status is entered or the application submitted. ``replan`` sees to all
of them when the account has another machine.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from plivo_sim.account.account import Account
from plivo_sim.domain.durations import Duration
from plivo_sim.domain.machine import NOTHING
from plivo_sim.domain.records import STEPPING, Application, Step, Timer, TimerKind
from plivo_sim.services.foresight import entered_at, made_at, stay_of
from plivo_sim.services.plans import BY_DEFAULT, default_plan, set_timer

BY_ITSELF = "by itself"
"""How the reason of an automatic change begins."""
NOTHING_PLANNED = (Step(after=Duration(), status=NOTHING),)
"""What stands for no plan, among those that another machine's default has taken the place of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """How many automatic arrows and reviews come as before, were planned anew, and come no more."""

    kept: int
    planned: int
    dropped: int

    def __str__(self) -> str:
        return f"{self.kept} kept, {self.planned} planned, {self.dropped} dropped"


def arm(account: Account, application: Application, entered: datetime) -> None:
    """Wait for the automatic arrow that leaves an application's status, if there is one, within the
    transaction in which the status was entered."""
    found = account.machine.automatic(application.status)
    if found is None:
        return
    arrow, delay = found
    why = f"{BY_ITSELF}, {delay} after it was {arrow.from_}"
    id, seq = account.next_identity("timer")
    account.agenda.add(
        Timer(
            id=id,
            seq=seq,
            due_at=delay.after(entered, account.settings.holidays),
            kind=TimerKind.AUTOMATIC,
            subject_id=application.id,
            steps=(Step(after=delay, status=arrow.to, why=why),),
        )
    )


def replan(account: Account) -> Due:
    """Have every application wait for what the account's machine makes happen, and for nothing
    else: after a change of the machine, and for records that come from elsewhere, such as a journal
    that was written with another one. Where the machine is the same, nothing changes.

    Automatic arrows count from when the status was entered. A review that the machine has a way to
    stays as it is; else the application, if it was not decided yet, is planned as the machine does
    by default, counted from its submission, until another machine has a way to what was planned
    first; where nothing was, each machine's own default counts. What is past due happens at once.
    Of a later step of a plan to which there is no way nothing comes, unless there is one again when
    it is due (invented).
    """
    with account.transaction():
        known: dict[TimerKind, dict[str, Timer]] = {kind: {} for kind in STEPPING}
        for timer in account.store.timers.every():
            if timer.kind in STEPPING:
                known[timer.kind][timer.subject_id] = timer
        fates = _rearm(account, known[TimerKind.AUTOMATIC])
        fates += _review(account, known[TimerKind.REVIEW])
    return Due(kept=fates["kept"], planned=fates["planned"], dropped=fates["dropped"])


def _rearm(account: Account, known: dict[str, Timer]) -> Counter[str]:
    fates: Counter[str] = Counter()
    for status in account.machine.statuses:
        if account.machine.automatic(status) is not None:
            for application in account.store.applications.having("status", status):
                fates[_armed(account, application, known.pop(application.id, None))] += 1
    for timer in known.values():
        account.store.timers.drop(timer.id)
    return fates + Counter(dropped=len(known))


def _armed(account: Account, application: Application, known: Timer | None) -> str:
    found, entered = account.machine.automatic(application.status), entered_at(application)
    assert found is not None
    if known is not None:
        due_at = found[1].after(entered, account.settings.holidays)
        if known.steps[0].status == found[0].to and known.due_at == due_at:
            return "kept"
        account.store.timers.drop(known.id)
    arm(account, application, entered)
    return "planned"


def _review(account: Account, known: dict[str, Timer]) -> Counter[str]:
    machine, applications = account.machine, account.store.applications
    waiting = {
        each.id: each
        for status in machine.by_itself(machine.submitted)
        for each in applications.having("status", status)
    }
    for id in known.keys() - waiting.keys():
        if (found := applications.fetch(id)) is not None:
            waiting[id] = found
    return Counter(_reviewed(account, each, known.get(id)) for id, each in waiting.items())


def _reviewed(account: Account, application: Application, known: Timer | None) -> str:
    """Of an application that was not decided yet, what was planned at its submission comes first,
    then what is planned now, then what the machine does by default; that alone, where nothing was
    planned at its submission, by default."""
    planned = known.steps if known is not None else ()
    if not is_undecided(application):
        is_kept = _may_come(account, application, planned)
        return "kept" if is_kept else "dropped" if planned else "nothing"
    why = account.store.explanations.fetch(f"{application.id}/{application.attempt}")
    first = (why.instead_of if why is not None else ()) or planned or NOTHING_PLANNED
    choices = [_default_steps(account, application)]
    if first != NOTHING_PLANNED:
        choices = [first, planned, *choices]
    elif why is None or why.decided_by != BY_DEFAULT:
        return "nothing"  # which was decided
    steps = next((each for each in choices if _may_come(account, application, each)), ())
    if steps != planned:
        account.agenda.cancel(application.id, TimerKind.REVIEW)
        set_timer(account, application.id, steps, application.submitted_at or account.now())
    instead_of = first if (steps or NOTHING_PLANNED) != first else ()
    if why is not None and why.instead_of != instead_of:
        account.store.explanations.put(replace(why, instead_of=instead_of))
    if steps:
        return "kept" if steps == planned else "planned"
    return "dropped" if planned else "nothing"


def _may_come(account: Account, application: Application, steps: tuple[Step, ...]) -> bool:
    return bool(steps) and account.machine.may_follow(application.status, steps[0].status)


def is_undecided(application: Application) -> bool:
    """Whether nothing but automatic arrows has come since its submission."""
    for change in reversed(application.timeline):
        if change.by == "client":
            return True
        if change.by != "time" or not change.why.startswith(BY_ITSELF):
            break
    return False


def _default_steps(account: Account, application: Application) -> tuple[Step, ...]:
    """Those that will be made; of the API that submitted it, only the one that made it is known."""
    steps = default_plan(account, application, application.origin).steps
    start = application.submitted_at
    if not steps or start is None:
        return ()
    due_at = steps[0].after.after(start, account.settings.holidays)
    stay = stay_of(account, application)
    return steps if made_at(account, stay, due_at, steps[0].status) is not None else ()
