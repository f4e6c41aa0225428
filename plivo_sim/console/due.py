"""What is due next, for the header of every page: a sentence, and ticks."""

from __future__ import annotations

from typing import NamedTuple

from plivo_sim.account.account import Account
from plivo_sim.console.pictures import due
from plivo_sim.domain.limits import CLOCK_ENDS
from plivo_sim.domain.records import Timer
from plivo_sim.services.foresight import foreseen

MOST = 12


class Next(NamedTuple):
    """``text``: in how long the next thing happens, or that it never does; ``picture``: SVG of the
    next few."""

    text: str
    picture: str


def next_of(account: Account) -> Next | None:
    """Caller holds the lock."""
    now = account.now()
    soonest = [foreseen(account, each) for each in account.agenda.soonest(MOST)]
    coming = sorted((each for each in soonest if each), key=lambda each: (each.due_at, each.seq))
    if not coming:
        return None
    first = coming[0]
    after = max((first.due_at - now).total_seconds(), 0.0)
    text = f"in {due.in_words(after)}" if after else "now"
    if not account.clock.reaches(first.due_at):
        text = f"never, as {CLOCK_ENDS}"
    ticks = [(each.due_at, _tone(account, each)) for each in coming]
    title = f"Due {text}: {_what(first)}, at {first.due_at:%Y-%m-%d %H:%M:%S} UTC"
    if (others := len(account.store.timers) - 1) > 0:
        title += f"; {others:,} more"
    return Next(text, due.draw(now, ticks, title))


def _what(timer: Timer) -> str:
    return timer.steps[0].status.replace("_", " ") if timer.steps else "a callback"


def _tone(account: Account, timer: Timer) -> str:
    row = account.machine.statuses.get(timer.steps[0].status) if timer.steps else None
    return row.tone if row is not None else "idle"
