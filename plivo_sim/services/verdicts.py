"""Where an application stands, in a sentence or three for people: what became of it, who decided
and why, what comes next, and whether its receiver was told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from plivo_sim.account.account import Account
from plivo_sim.domain.durations import span_of
from plivo_sim.domain.limits import CLOCK_ENDS
from plivo_sim.domain.records import (
    ATOMS_ADDRESS,
    STEPPING,
    Application,
    Change,
    Delivery,
    DeliveryState,
    Origin,
    Step,
    Timer,
    TimerKind,
)
from plivo_sim.domain.text import printable
from plivo_sim.services import reviews
from plivo_sim.services.due import is_undecided
from plivo_sim.services.foresight import foreseen

INBOX_PATH = "/_sim/inbox/"
"""What the paths of the built-in inboxes begin with."""
_UNDELIVERED = (DeliveryState.FAILED, DeliveryState.BLOCKED, DeliveryState.DROPPED)
_WORDS = {1: "once", 2: "twice", 3: "three times", 4: "four times", 5: "five times"}


def verdict_of(account: Account, application: Application) -> str:
    """The sentences. Caller holds the lock."""
    coming = _coming(account, application)
    deliveries = account.store.deliveries.having("application_id", application.id)
    told = list(_told(account, application, deliveries))
    standing = _standing(account, application, coming)
    is_waiting = _is_in_review(account, application)
    if is_waiting and _ends_well(account, coming) and not _is_troubled(deliveries):
        standing += "; nothing is wrong"
    return " ".join(f"{each[0].upper()}{each[1:]}." for each in (standing, *told))


def _coming(account: Account, application: Application) -> list[Timer]:
    waiting = account.store.timers.having("subject_id", application.id)
    found = [
        each
        for timer in waiting
        if timer.kind in STEPPING and (each := foreseen(account, timer)) is not None
    ]
    return sorted(found, key=lambda timer: (timer.due_at, timer.seq))


def _ends_well(account: Account, coming: Sequence[Timer]) -> bool:
    """Whether something is due, and nothing of it is bad for the applicant."""
    statuses = account.machine.statuses
    tones = {statuses[step.status].tone for timer in coming for step in timer.steps}
    return tones == {"good"}


def _is_in_review(account: Account, application: Application) -> bool:
    machine = account.machine
    return application.status in machine.by_itself(machine.submitted) and is_undecided(application)


# --- where it stands ---------------------------------------------------------------------------


def _standing(account: Account, application: Application, coming: Sequence[Timer]) -> str:
    machine, status = account.machine, application.status
    name = status.replace("_", " ")
    next_ = _next(account, application, coming)
    if status == machine.draft and not application.attempt:
        return f"a draft: it was never submitted{next_}"
    if _is_in_review(account, application):
        also = "" if status == machine.submitted else f" ({name})"
        nth = f", attempt {application.attempt}" if application.attempt > 1 else ""
        waits = next_ or "; nothing is due, so it stays until somebody decides"
        return f"in review{also}{nth}{waits}"
    turn = ""
    if machine.correctable(status):
        turn = "; the applicant can correct it and submit it again"
    if not application.timeline:
        return f"{name}{next_}{turn}"
    last = application.timeline[-1]
    reason = f": {_flat(last.reason)}" if last.reason else ""
    return f"{name} {_by(account, application, last)}{reason}{next_}{turn}"


def _by(account: Account, application: Application, change: Change) -> str:
    """Who led to the last status, and by what."""
    if change.by == "hand":
        return "by hand"
    if change.by == "client":
        return f"by the applicant ({_flat(change.why)})"
    if change.by == "time":
        return f"by time ({_flat(change.why)})"
    if change.why == reviews.AS_REVIEWER:
        return "by hand, as the reviewer"
    matched = _matched(account, application)
    because = f" because {_flat(matched)}" if matched and change.why.startswith("rule") else ""
    return f"by {_flat(change.why)}{because}"


def _matched(account: Account, application: Application) -> str:
    """Why the rule that decided the attempt matched."""
    found = account.store.explanations.fetch(f"{application.id}/{application.attempt}")
    verdicts = found.verdicts if found is not None else ()
    return next((each.why for each in verdicts if each.matched), "")


def _next(account: Account, application: Application, coming: Sequence[Timer]) -> str:
    if not coming:
        return ""
    timer = coming[0]
    step: Step = timer.steps[0]
    name = step.status.replace("_", " ")
    by = f", by {_flat(step.why)}" if step.why and timer.kind is TimerKind.REVIEW else ""
    return f"; {name} is due {_when(account, timer.due_at)}{by}"


# --- whether its receiver was told -------------------------------------------------------------


def _is_troubled(deliveries: Sequence[Delivery]) -> bool:
    return any(each.state in _UNDELIVERED or _is_retried(each) for each in deliveries)


def _is_retried(delivery: Delivery) -> bool:
    return delivery.state is DeliveryState.PENDING and bool(delivery.attempts)


def _told(
    account: Account, application: Application, deliveries: Sequence[Delivery]
) -> Iterator[str]:
    """A sentence about the last callback, and one about those before it."""
    forgotten = application.forgotten_callbacks
    if deliveries:
        yield _about(account, application, deliveries[-1])
        missed = sum(each.state in _UNDELIVERED for each in deliveries[:-1])
        if missed:
            yield f"{_counted(missed, 'earlier callback')} did not arrive"
    elif not forgotten and not _has_receiver(account, application):
        yield "it has no callback URL, so nobody is told"
    elif not forgotten and not _is_in_review(account, application) and application.attempt:
        yield "no callback was made"
    if forgotten:
        yield forgotten_of(application, is_all=not deliveries)


def forgotten_of(application: Application, *, is_all: bool) -> str:
    """How many callbacks the account's list has let go; empty where none. ``is_all``: none of the
    application's is left."""
    count = application.forgotten_callbacks
    if not count:
        return ""
    what = _counted(count, "callback" if is_all else "older callback")
    were = "was" if count == 1 else "were"
    return f"{what} {were} forgotten: only the last of the account are kept"


def _has_receiver(account: Account, application: Application) -> bool:
    return bool(
        application.callback_url
        or account.settings.callback_url
        or application.origin is Origin.ATOMS
    )


def receiver_of(url: str) -> str:
    """Who is called there, in words."""
    if url == ATOMS_ADDRESS:
        return "Atoms"
    return "the built-in inbox" if INBOX_PATH in url.partition("?")[0] else "your webhook"


def _about(account: Account, application: Application, delivery: Delivery) -> str:
    who, came = receiver_of(delivery.url), _answers(delivery)
    of = _of_attempt(account, application, delivery)
    if delivery.state is DeliveryState.DELIVERED:
        return f"{who} {came}{of}"
    if delivery.state is DeliveryState.FAILED:
        return f"{who} {came}{of}, and no more tries follow"
    if delivery.state is DeliveryState.PENDING:
        due = account.store.timers.having("subject_id", delivery.id)
        when = _when(account, due[0].due_at) if due else "now"
        if came:
            return f"{who} {came}{of}; the next try is due {when}"
        return f"the callback is due {when}"
    after = f" after {who} {came}" if came else ""
    return f"the last callback was {delivery.state}{after}: {_flat(delivery.why)}"


def _of_attempt(account: Account, application: Application, delivery: Delivery) -> str:
    """Which attempt of the application a callback is about; empty while there was only one."""
    later = application.timeline[cause_of(application, delivery) + 1 :]
    sent = sum(each.by == "client" and each.status == account.machine.submitted for each in later)
    if application.attempt < 2:
        return ""
    return f" to the callback of attempt {application.attempt - sent}"


def cause_of(application: Application, delivery: Delivery) -> int:
    """The place in the timeline of the change that a callback tells."""
    places = [
        place for place, each in enumerate(application.timeline) if each.at <= delivery.created_at
    ]
    fitting = [
        place
        for place in places
        if delivery.why.startswith(
            f"{application.timeline[place - 1].status} -> {application.timeline[place].status}"
        )
    ]
    return (fitting or places or [0])[-1]


def _answers(delivery: Delivery) -> str:
    """``answered 500 four times`` and the like; empty where nothing was tried."""
    if not delivery.attempts:
        return ""
    counts = Counter(
        f"answered {each.outcome}"
        if each.status is not None
        else f"did not answer ({_flat(each.error or 'nothing came')})"
        for each in delivery.attempts
    )
    told = [text if count == 1 else f"{text} {_times(count)}" for text, count in counts.items()]
    alike = all(text.startswith("answered") for text in counts)
    return ", then ".join(told[:1] + [t.removeprefix("answered " * alike) for t in told[1:]])


# --- words -------------------------------------------------------------------------------------


def _when(account: Account, at: datetime) -> str:
    left = at - account.now()
    if left <= timedelta():
        return "now"
    when = f"in {span_of(left)}" if account.clock.reaches(at) else f"never, as {CLOCK_ENDS}"
    return f"{when} ({at:%Y-%m-%d %H:%M:%S} UTC)"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _times(count: int) -> str:
    return _WORDS.get(count, f"{count} times")


def _flat(text: str) -> str:
    """Without what would end the sentence twice, nor break its line."""
    return printable(" ".join(text.split())).rstrip(".")[:400]
