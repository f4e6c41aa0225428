"""Callers that wait for receivers: each has a thread of the server's meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from plivo_sim.account.account import Account
from plivo_sim.account.threads import Thread

MOST_WAITING = 64
"""So many callers wait for receivers at once, of a server's 128 threads."""


@dataclass(slots=True, eq=False)
class Place:
    """Of a caller that waits for receivers of an account."""

    account: Account
    given_up: bool = False

    def give_up(self) -> None:
        self.given_up = True
        with self.account.lock:
            self.account.idle.notify_all()


class Places:
    """When one caller too many waits, the one that has waited longest goes on without: it waits for
    a receiver that hangs, and holds a thread that others need."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._taken: dict[Place, None] = {}

    @contextmanager
    def taken(self, account: Account) -> Iterator[Place]:
        place = Place(account)
        with self._guard:
            self._taken[place] = None
            oldest = next(iter(self._taken)) if len(self._taken) > MOST_WAITING else None
            if oldest is not None:
                del self._taken[oldest]
        if oldest is not None:  # in a thread: this one may hold an account's lock
            Thread(oldest.give_up, name="plivo-sim-give-up").start()
        try:
            yield place
        finally:
            with self._guard:
                self._taken.pop(place, None)
