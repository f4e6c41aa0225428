"""Threads that serve requests: one runs at a time, and more only while it is stuck.

Threads share one interpreter, so that more of them make nothing faster: they take it from one
another in the middle of an answer, and who comes last waits longest (docs/performance.md has what
was measured). One that waits, for a disk or for an account, is another matter: after a few
milliseconds another begins beside it, and twice as many whenever those are stuck, too.

One that computes for long looks as stuck as one that waits. So calls that are expected to be long,
as those like them were (`costs`), have a line and one thread of their own, and those of which
nothing is known two: beside them, small ones go on. Where the processor has nothing to do, those
wait, too, and more begin.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import queue
import threading
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from time import process_time, thread_time
from typing import TYPE_CHECKING

from plivo_sim.account.clock import monotonic_s
from plivo_sim.account.threads import NONE_TO_BE_HAD, Thread
from plivo_sim.web.arrival import LEFT
from plivo_sim.web.costs import Alike, Cost, Costs, alike
from plivo_sim.web.streams import REQUEST_THREAD, Held

if TYPE_CHECKING:
    from plivo_sim.web.connection import Connection

STUCK_S = 0.005
MOST_LIKELY = 2
"""Of calls that were expected to be small, and are stuck, while the processor is busy."""
LATER = 100.0
"""A call that is expected to be long begins behind those that come within so many times as long."""
BUSY = 0.5
"""Processor time of the process, by the time that went by."""
LATE_LOOK_S = 0.02
PATIENCE_S = 0.25
"""After which it is asked whether the client of a read that has waited is still there."""
READS = (b"GET", b"HEAD")
INBOX = b"/_sim/inbox/"
LONGEST_IDLE_S = 5.0
KEPT_IDLE = 1

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Request:
    """What a connection was put for, until it is served. ``line``: in which it waits, or was
    begun; ``away_s``: since when it waits for somebody, ``inf`` while it does not."""

    conn: Connection
    call: Alike
    put_s: float
    line: Line
    away_s: float = inf

    @property
    def is_read(self) -> bool:
        """It does nothing that counts for anybody but its client; a message to an inbox does."""
        _, method, path, *_ = self.call
        return method in READS and not path.startswith(INBOX)


class Line:
    """Calls of one expected cost that wait, in the order of the instants that they are due at; and
    those that run, ``at_once`` at a time, since when they do. Those that are stuck are forgotten.
    """

    def __init__(self, at_once: int = 1) -> None:
        self.at_once = at_once
        self.waiting: list[tuple[float, int, Request]] = []
        self.runs: dict[Request, float] = {}
        self._number = itertools.count()

    def add(self, request: Request, due_s: float) -> None:
        heapq.heappush(self.waiting, (due_s, next(self._number), request))

    @property
    def first(self) -> Request:
        return self.waiting[0][2]

    def drop_first(self) -> None:
        heapq.heappop(self.waiting)

    @property
    def has_turn(self) -> bool:
        """Whether another may begin."""
        return len(self.runs) < self.at_once

    def forget(self, before_s: float, *, away: bool) -> int:
        """Those that have run, or with ``away`` waited for somebody, since then: how many there
        were."""
        stuck = [
            each
            for each, began_s in self.runs.items()
            if (each.away_s if away else began_s) <= before_s
        ]
        for each in stuck:
            del self.runs[each]
        return len(stuck)


class Pool:
    """Daemon threads made on demand, at most ``max_threads``; has the methods that cheroot requires
    of a pool. Safe from any thread."""

    def __init__(self, max_threads: int) -> None:
        self._queue: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._max = max_threads
        self._made = 0
        self._idle = 0  # threads waiting, less the connections put for them
        self._costs = Costs()
        self._small, self._unknown, self._long = self._lines = Line(), Line(2), Line()
        self._requests: dict[Connection, Request] = {}
        self._likely: set[Request] = set()  # begun as such that are likely small
        self._looked_at_s, self._used_s = monotonic_s(), process_time()
        self._is_busy = True

    def start(self) -> None:
        """Nothing: threads are made by `put`."""

    def put(self, conn: Connection) -> bool:
        """Serve it now, or in its turn; whether it has to wait, for which `relieve` is called."""
        call = alike(conn.rfile.came)
        conn.account = call[0]
        with self._lock:
            request = self._requests[conn] = Request(conn, call, monotonic_s(), self._line_of(call))
            self._add(request)
            self._begin_all()
            return request not in request.line.runs

    def relieve(self) -> bool:
        """Begin beside what is stuck; whether some still wait, or lack a thread that there may be,
        and it is to be called again in ``STUCK_S``."""
        with self._lock:
            if any(line.waiting for line in self._lines):
                self._look()
            before_s = monotonic_s() - STUCK_S
            for line in self._lines:
                if not line.waiting:
                    continue
                computes = self._is_busy and line is not self._small
                stuck = line.forget(before_s, away=computes)
                for _ in range(max(line.at_once - len(line.runs), 2 * stuck)):
                    if self._first(line) is not None:
                        self._begin(line)
            self._make_missing()
            return any(line.waiting for line in self._lines) or self._lacks_threads

    def pause(self, conn: Connection) -> None:
        """It waits, for an account or for somebody outside."""
        request = self._requests.get(conn)
        if request is not None and request.line is not self._small:
            with self._lock:
                request.away_s = monotonic_s()

    def go_on(self, conn: Connection) -> None:
        """It has got what it waited for, and has its place again."""
        request = self._requests.get(conn)
        if request is not None and request.away_s < inf:
            with self._lock:
                request.away_s = inf
                request.line.runs.setdefault(request, monotonic_s())

    def _look(self) -> None:
        """Whether the processor is busy. After a look of long ago nobody knows: it may be."""
        passed_s = monotonic_s() - self._looked_at_s
        if passed_s > STUCK_S / 2:
            used_s = process_time()
            is_late = passed_s > LATE_LOOK_S
            self._is_busy = is_late or used_s - self._used_s >= BUSY * passed_s
            self._looked_at_s, self._used_s = monotonic_s(), used_s
            if not self._is_busy:
                self._likely.clear()

    def _line_of(self, call: Alike) -> Line:
        cost = self._costs.expected(call)
        if cost is Cost.SMALL:
            return self._small
        if cost is Cost.LIKELY_SMALL and len(self._likely) < MOST_LIKELY:
            return self._small
        return self._long if cost is Cost.LONG else self._unknown

    def _first(self, line: Line) -> Request | None:
        """Whose turn it is next. Those of which more is known by now go to another line."""
        while line.waiting:
            request = line.first
            now = self._line_of(request.call)
            if now is line or now is self._small:
                return request
            request.line = now
            self._add(request)
            line.drop_first()
        return None

    def _add(self, request: Request) -> None:
        """Of long ones, the shorter wait for less: an ordinary one may have been long twice."""
        is_long = request.line is self._long
        later_s = LATER * self._costs.least_s(request.call) if is_long else 0.0
        request.line.add(request, monotonic_s() + later_s)

    def _begin_all(self) -> None:
        for line in self._lines:
            while line.has_turn and self._first(line) is not None:
                self._begin(line)

    def _begin(self, line: Line) -> None:
        """Caller has looked that there is a first one."""
        request = line.first
        self._runs(request)
        self._queue.put(request)
        self._idle -= 1
        self._make_missing()
        line.drop_first()

    def _runs(self, request: Request) -> None:
        request.line.runs[request] = monotonic_s()
        if self._costs.expected(request.call) is Cost.LIKELY_SMALL:
            self._likely.add(request)

    @property
    def _lacks_threads(self) -> bool:
        return self._idle < 0 and self._made < self._max

    def _make_missing(self) -> None:
        while self._lacks_threads and self._make():
            self._made += 1
            self._idle += 1

    def _make(self) -> bool:
        try:
            Thread(self._work, name=REQUEST_THREAD).start()
        except NONE_TO_BE_HAD as error:  # as many as the system allows; `relieve` tries again
            with suppress(MemoryError):
                log.warning("no further thread for requests: %s", error)
            return False
        return True

    def _work(self) -> None:
        try:
            while self._serve_all(self._wait()):  # which refers to no connection meanwhile
                pass
        finally:  # whatever it died of, another may be made
            with self._lock:
                self._made -= 1

    def _wait(self) -> Request | None:
        """What is put next; None if the thread is to end, because nothing is put for long and
        others wait too: its stack is memory that somebody else may lack."""
        while True:
            try:
                return self._queue.get(timeout=LONGEST_IDLE_S)
            except queue.Empty:
                with self._lock:
                    if self._idle > KEPT_IDLE:
                        self._idle -= 1
                        return None

    def _serve_all(self, request: Request | None) -> bool:
        if request is None:
            return False
        while request is not None:
            self._serve(request)
            request = self._next()
        return True

    def _serve(self, request: Request) -> None:
        """Whatever it raises is the end of this connection alone: others need the thread."""
        conn = request.conn
        keep, held, failure = False, None, None
        began_s = thread_time()
        has_waited = monotonic_s() - request.put_s > PATIENCE_S
        try:
            if request.is_read and (conn.is_left or (has_waited and conn.has_hung_up)):
                conn.arrival.unserved = LEFT  # which is told to the logs
            keep = conn.communicate()
        except Held as put_off:
            held = put_off.with_traceback(None)
        except BaseException as error:
            failure = error.with_traceback(None)
        with self._lock:
            self._likely.discard(request)
            del self._requests[conn]
            request.line.runs.pop(request, None)
        if held is None:
            self._costs.note(request.call, thread_time() - began_s)
        connections = conn.server.connections
        try:
            if failure is None:
                connections.settle(conn, keep, held)
        except BaseException as error:
            failure = error.with_traceback(None)
        if failure is not None:
            connections.drop(conn, failure)

    def _next(self) -> Request | None:
        """Whose turn it is, for a thread that has ended its own; it waits if there is none."""
        with self._lock:
            for line in self._lines:
                if line.has_turn and (request := self._first(line)) is not None:
                    self._runs(request)
                    line.drop_first()
                    self._begin_all()
                    return request
            self._idle += 1
            return None

    def stop(self, timeout: float = 0.0) -> None:
        """End the threads once they have served what was put."""
        with self._lock:
            for _ in range(self._made):
                self._queue.put(None)
