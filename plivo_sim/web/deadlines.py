"""Of all that are waited for, whose time is up, and who gives way because there are too many."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Sequence
from itertools import takewhile
from math import inf

from plivo_sim.account.clock import monotonic_s
from plivo_sim.web.connection import UNFINISHED, UNPROMISED, Connection, Phase

_EVICTED = (*UNPROMISED, *UNFINISHED, Phase.DELAYED)


class Deadlines:
    """Those that wait equally long stand in one queue, in the order of coming: who looks for those
    whose time is up looks at no others. Callers hold the lock of ``Connections``."""

    def __init__(self) -> None:
        self._queues: dict[float, dict[Connection, None]] = {}

    def begin(self, conn: Connection, for_s: float) -> None:
        """It waits for so long from now on: one of a few lengths of time."""
        self.end(conn)
        conn.queue = self._queues.setdefault(for_s, {})
        conn.queue[conn] = None
        conn.until_s = monotonic_s() + for_s

    def end(self, conn: Connection) -> None:
        """It waits no more."""
        conn.queue.pop(conn, None)
        conn.until_s = inf

    def late(self) -> list[Connection]:
        """Those whose time is up."""
        now_s = monotonic_s()
        queues = self._queues.values()
        return [conn for each in queues for conn in takewhile(lambda it: it.until_s <= now_s, each)]


class Kept:
    """How much memory connections keep, at most: what it was when it was counted, and what was
    added since. Callers hold the lock of ``Connections``."""

    def __init__(self, phases: Collection[Phase], size_of: Callable[[Connection], int]) -> None:
        self._phases, self._size_of = phases, size_of
        self._bytes = self._seen_bytes = 0

    def add(self, size: int) -> int:
        """How much it is now."""
        self._bytes += size
        return self._bytes

    @property
    def new_bytes(self) -> int:
        """What was added since ``excess`` was asked."""
        return self._bytes - self._seen_bytes

    def excess(self, conns: Collection[Connection], most: int) -> list[Connection]:
        """Those in the phases that give way (``oldest_of``); nobody is looked at before so much
        may be kept."""
        found: list[Connection] = []
        if self._bytes > most:
            self._bytes = sum(map(self._size_of, conns))
            waiting = [each for each in conns if each.until_s < inf]
            found = oldest_of(waiting, self._phases, most)
        self._seen_bytes = self._bytes
        return found


def longest_of(waiting: Sequence[Connection], most: int) -> list[Connection]:
    """Those that have waited longest, of all that may be closed to make room; else of the rest."""
    evicted = [each for each in waiting if each.phase in _EVICTED] or waiting
    return heapq.nsmallest(most, evicted, key=lambda each: each.since_s)


def oldest_of(
    waiting: Sequence[Connection], phases: Collection[Phase], most: int
) -> list[Connection]:
    """Of those in these phases, the ones that began first and are, together, too much memory.
    An answer that is sent alone is not: whoever reads it gets it."""
    sizes = [(each, each.kept_bytes) for each in waiting if each.phase in phases]
    excess = sum(size for _, size in sizes) - most
    found: list[Connection] = []
    if excess > 0:
        sizes.sort(key=lambda each: each[0].since_s)
        for conn, size in sizes[:-1] if Phase.SENDING in phases else sizes:
            if excess > 0:
                excess -= size
                found.append(conn)
    return found
