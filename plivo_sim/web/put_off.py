"""The calls that were put off: until a time, until something happens, or until an account has room
for them; and the answers that are delayed, until a time."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Iterator
from itertools import islice
from math import inf
from typing import Any

from plivo_sim.account.clock import monotonic_s
from plivo_sim.web.connection import Connection
from plivo_sim.web.streams import Held, Line, Watch

LINE_S = 0.02  # how often is looked whether those who wait for a busy account may go on
LOOKS_EVERY_S = 0.2  # and those who wait for something to happen
LOOK_S = 0.002  # how long one look may take, and how long others then have their turn
REST_S = 0.006
RESUMED_AT_ONCE = 8  # of the calls that were put off: many become due together


class PutOff:
    """``timed``: those that wait for a time, each with the number of its entry in a heap;
    ``watched``: those of them that also wait for something to happen, by what that is; ``lines``:
    those that wait for room. ``resumed``: of the timed, those that have a
    thread again. Waiting costs what is due, not what waits. Callers hold the lock of
    ``Connections``.
    """

    def __init__(self) -> None:
        self.timed: dict[Connection, int] = {}
        self.watched: dict[Watch, dict[Connection, None]] = {}
        self.lines: dict[Line, dict[Connection, None]] = {}
        self.resumed: set[Connection] = set()
        self._heap: list[tuple[float, int, Connection]] = []  # also of those that were dropped
        self._seen: dict[Watch | None, int] = {}  # up to where it was looked for
        self._looks_at_s = 0.0
        self._unasked: list[Watch] = []  # of the look that is under way
        self._count = itertools.count()

    def add(self, conn: Connection, held: Held) -> bool:
        """Put it off; whether the selector has to look sooner."""
        conn.until_s = monotonic_s() + held.wait_s
        if held.line is not None:
            self.lines.setdefault(held.line, {})[conn] = None
            return True
        is_first = held.watch is not None and self._watch(conn, held.watch, held.seen)
        self._push(conn)
        return is_first or self._heap[0][2] is conn

    def drop(self, conn: Connection) -> None:
        """It is put off no more."""
        self.timed.pop(conn, None)
        if len(self._heap) > 2 * len(self.timed):
            self._heap = [each for each in self._heap if self._counts(each)]
            heapq.heapify(self._heap)
        held = conn.held
        if held is not None:
            _leave(self.lines, held.line, conn)
            _leave(self.watched, held.watch, conn)
            if held.watch not in self.watched:
                self._seen.pop(held.watch, None)

    def end(self, conn: Connection) -> bool:
        """Its thread is free again, if it was resumed; whether others may wait for that."""
        if conn not in self.resumed:
            return False
        self.resumed.remove(conn)
        return bool(self.timed)

    def called(self) -> list[Connection]:
        """Those for which what they wait for has room: an account, or long work, for which the
        accounts that they name have their turn one after the other."""
        return [
            conn
            for line, conns in self.lines.items()
            if (room := line.room) > 0
            for conn in islice(_in_turns(conns), room)
        ]

    def due(self) -> Connection | None:
        """The first whose time is up, while few are resumed."""
        if len(self.resumed) >= RESUMED_AT_ONCE or self._first_s() > monotonic_s():
            return None
        return self._heap[0][2]

    def look(self, *, at_all: bool = False) -> None:
        """Let the time be up of those for whom something has come. Nothing is asked while nothing
        new has happened, except ``at_all``. A look that takes long is interrupted, and goes on
        where it was once others have had their turn."""
        now_s = monotonic_s()
        if not self.watched or (now_s < self._looks_at_s and not at_all):
            return
        if at_all or not self._unasked:
            self._unasked = list(self.watched)
        while self._unasked:
            watch = self._unasked.pop()
            if watch in self.watched:
                self._ask(watch, at_all)
            if not at_all and monotonic_s() >= now_s + LOOK_S:
                break
        self._looks_at_s = monotonic_s() + (REST_S if self._unasked else LOOKS_EVERY_S)

    def _ask(self, watch: Watch, at_all: bool) -> None:
        seen, newest = self._seen[watch], watch.newest  # what comes meanwhile is seen later
        if newest == seen and not at_all:
            return
        self._seen[watch] = newest
        if watch.has_come(seen):
            del self._seen[watch]
            for conn in self.watched.pop(watch):
                conn.until_s = monotonic_s()
                self._push(conn)

    def naps_s(self) -> Iterator[float]:
        """For how long nobody has to look."""
        if self.timed and len(self.resumed) < RESUMED_AT_ONCE:
            yield max(self._first_s() - monotonic_s(), 0.0)
        if self.watched:
            yield REST_S if self._unasked else LOOKS_EVERY_S
        if self.lines:
            yield LINE_S

    def _watch(self, conn: Connection, watch: Watch, seen: int) -> bool:
        """Whether it is the first that waits for that."""
        newest = watch.newest
        if watch.has_come(seen):  # since the call has looked
            conn.until_s = monotonic_s()
            return False
        conns = self.watched.setdefault(watch, {})
        conns[conn] = None
        if len(conns) == 1:
            self._seen[watch] = newest
        return len(conns) == 1

    def _push(self, conn: Connection) -> None:
        self.timed[conn] = number = next(self._count)
        heapq.heappush(self._heap, (conn.until_s, number, conn))

    def _counts(self, entry: tuple[float, int, Connection]) -> bool:
        return self.timed.get(entry[2]) == entry[1]

    def _first_s(self) -> float:
        """When the first is due, which is on top of the heap then."""
        while self._heap and not self._counts(self._heap[0]):
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else inf


def _in_turns(conns: Iterable[Connection]) -> Iterator[Connection]:
    """The first of each account, then the second of each."""
    named: dict[bytes, list[Connection]] = {}
    for conn in conns:
        named.setdefault(conn.account, []).append(conn)
    for each in itertools.zip_longest(*named.values()):
        yield from filter(None, each)


def _leave(queues: dict[Any, dict[Connection, None]], key: object, conn: Connection) -> None:
    conns = queues.get(key, {})
    conns.pop(conn, None)
    if not conns:
        queues.pop(key, None)
