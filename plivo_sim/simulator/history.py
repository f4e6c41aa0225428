"""What happened in an account beside its requests, in the order in which it came: for reports.

Kept in memory only, the last few hundred of each account; a reset forgets them.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import NamedTuple

from plivo_sim.account.account import Account
from plivo_sim.account.clock import wall_s
from plivo_sim.domain.records import Event, StatusChanged
from plivo_sim.simulator.instants import Happening
from plivo_sim.webhooks.outbox import Attempted

MOMENT_BYTES = 1000
"""What a change of status takes, about."""


class Moment(NamedTuple):
    """Something that happened: ``arrived_s`` in real seconds since 1970, ``at`` simulated."""

    arrived_s: float
    at: datetime
    what: StatusChanged | Attempted


def note_event(account: Account, event: Event) -> None:
    """Keep a change of status, whoever caused it, once it is written."""
    if isinstance(event, StatusChanged):
        moment = Moment(wall_s(), event.at, event)
        account.when_written(partial(_keep, account, moment, event))


def _keep(account: Account, moment: Moment, event: StatusChanged) -> None:
    account.moments.append(moment, MOMENT_BYTES)
    account.arrows[event.previous, event.application.status] += 1


def note_happening(account: Account, happening: Happening) -> None:
    """Keep what became of an attempt to deliver a callback."""
    if isinstance(happening, Attempted):
        size = MOMENT_BYTES + happening.delivery.size_bytes
        account.moments.append(Moment(wall_s(), happening.at, happening), size)
