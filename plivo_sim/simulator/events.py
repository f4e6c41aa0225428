"""What happened last in all accounts, in one order: requests, changes of status, callbacks, moves
of clocks, and the calls that reached no account. For those who watch; it is no state, and a reset
of an account leaves it.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import Any, Literal, NamedTuple

from plivo_sim.account.account import Account
from plivo_sim.account.logs import BoundedLog, Budget
from plivo_sim.domain.records import (
    CallbackWithheld,
    ClockChanged,
    Delivery,
    Event,
    StatusChanged,
)
from plivo_sim.simulator.instants import Happening
from plivo_sim.webhooks.outbox import Attempted

Kind = Literal["request", "transition", "callback", "clock", "unmatched"]
KINDS: tuple[Kind, ...] = ("request", "transition", "callback", "clock", "unmatched")

MOST = 2000
MOST_BYTES = 2 * 1024 * 1024
SIZE_BYTES = 1000
"""What an entry takes beside what it refers to, about."""


class Entry(NamedTuple):
    """``number``: its place, from 1. ``account``: empty for a call that reached none. ``about``: an
    exchange of the request log, or what was published."""

    number: int
    kind: Kind
    account: str
    about: Any


class EventLog:
    """See the module. Bounded; safe from any thread."""

    def __init__(self, memory: Budget) -> None:
        self.newest = 0
        self._lock = threading.Lock()
        self._newest_of: dict[str, int] = {}  # account -> its newest that is kept
        self._kept: BoundedLog[Entry] = BoundedLog(MOST, MOST_BYTES, memory)

    @property
    def forgotten(self) -> int:
        """How many are not kept any more."""
        return self._kept.forgotten

    def add(
        self, kind: Kind, account: Account | None, about: Any, size_bytes: int = SIZE_BYTES
    ) -> None:
        """Note what happened just now."""
        with self._lock:
            self.newest += 1
            auth_id = "" if account is None else account.auth_id
            entry = Entry(self.newest, kind, auth_id, about)
            self._kept.append(entry, size_bytes)
            self._newest_of[entry.account] = entry.number
            if len(self._newest_of) > 2 * MOST:
                self._newest_of = {each.account: each.number for each in self._kept.last(MOST)}

    def newest_of(self, account: str) -> int:
        """The place of the newest entry of an account, or, without one, of all; 0 if there is
        none that is kept."""
        return self._newest_of.get(account, 0) if account else self.newest

    def after(self, number: int) -> list[Entry]:
        """What came behind that place and is still kept, oldest first."""
        with self._lock:
            return self._kept.last(max(self.newest - number, 0))

    def on_event(self, account: Account, event: Event) -> None:
        """Note a change that was published, once it is written."""
        kind: Kind
        if isinstance(event, StatusChanged):
            kind = "transition"
        elif isinstance(event, ClockChanged):
            kind = "clock"
        elif isinstance(event, CallbackWithheld):
            kind = "callback"
        else:
            return
        account.when_written(partial(self.add, kind, account, event))

    def on_happening(self, account: Account, happening: Happening) -> None:
        """Note an attempt to send a callback."""
        if isinstance(happening, Attempted):
            self.add("callback", account, happening, _size_of(happening.delivery))


def _size_of(delivery: Delivery) -> int:
    return SIZE_BYTES + delivery.size_bytes
