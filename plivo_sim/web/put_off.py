"""The calls that were put off: until a time, or until an account has room for them."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from itertools import islice

from plivo_sim.account.clock import monotonic_s
from plivo_sim.web.connection import Connection
from plivo_sim.web.streams import Line

LINE_S = 0.02  # how often is looked whether those who wait for a busy account may go on
RESUMED_AT_ONCE = 8  # of the calls that were put off: many become due together


class PutOff:
    """``timed``: those that wait for a time, a heap; ``lines``: those that wait for something else,
    in the order of coming. ``resumed``: of the first, those that have a thread again. Callers hold
    the lock of ``Connections``.
    """

    def __init__(self) -> None:
        self.timed: list[tuple[float, int, Connection]] = []
        self.lines: dict[Line, dict[Connection, None]] = {}
        self.resumed = 0
        self._count = itertools.count()

    def add(self, conn: Connection) -> bool:
        """Put it off as its ``held`` says; whether the selector has to look sooner."""
        if conn.held is not None and conn.held.line is not None:
            self.lines.setdefault(conn.held.line, {})[conn] = None
            return True
        heapq.heappush(self.timed, (conn.until_s, next(self._count), conn))
        return self.timed[0][2] is conn

    def drop(self, conn: Connection) -> None:
        """It is put off no more."""
        line = None if conn.held is None else conn.held.line
        if line is None:
            self.timed = [each for each in self.timed if each[2] is not conn]
            heapq.heapify(self.timed)
            return
        others = self.lines.get(line, {})
        others.pop(conn, None)
        if not others:
            self.lines.pop(line, None)

    def end(self, conn: Connection) -> bool:
        """Its thread is free again, if it was resumed; whether others may wait for that."""
        if not conn.is_timed:
            return False
        self.resumed -= 1
        return bool(self.timed)

    def called(self) -> list[Connection]:
        """Those for which the account that they wait for has room."""
        return [conn for line, conns in self.lines.items() for conn in islice(conns, line.room)]

    def due(self) -> Connection | None:
        """The first whose time is up, while few are resumed."""
        is_due = self.timed and self.timed[0][0] <= monotonic_s()
        return self.timed[0][2] if is_due and self.resumed < RESUMED_AT_ONCE else None

    def naps_s(self) -> Iterator[float]:
        """For how long nobody has to look."""
        if self.timed and self.resumed < RESUMED_AT_ONCE:
            yield max(self.timed[0][0] - monotonic_s(), 0.0)
        if self.lines:
            yield LINE_S
