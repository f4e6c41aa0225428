"""Threads that serve requests: one runs at a time, and more only while it is stuck.

Threads share one interpreter, so that more of them make nothing faster: they take it from one
another in the middle of an answer, and who comes last waits longest (docs/performance.md has what
was measured). One that waits, for a disk or for an account, is another matter: after a few
milliseconds another begins beside it, and twice as many whenever those are stuck, too.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from plivo_sim.account.clock import monotonic_s
from plivo_sim.account.threads import NONE_TO_BE_HAD, Thread
from plivo_sim.web.streams import REQUEST_THREAD, Held

if TYPE_CHECKING:
    from plivo_sim.web.connection import Connection

AT_ONCE = 1
STUCK_S = 0.005
LONGEST_IDLE_S = 5.0

log = logging.getLogger(__name__)


class Pool:
    """Daemon threads made on demand, at most ``max_threads``; has the methods that cheroot requires
    of a pool. Safe from any thread."""

    def __init__(self, max_threads: int) -> None:
        self._queue: queue.SimpleQueue[Connection | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._max = max_threads
        self._made = 0
        self._idle = 0  # threads waiting, less the connections put for them
        self._line: deque[Connection] = deque()
        self._runs: dict[Connection, float] = {}  # since when; those that are stuck are not here

    def start(self) -> None:
        """Nothing: threads are made by `put`."""

    def put(self, conn: Connection) -> bool:
        """Serve it now, or in its turn; whether it has to wait, for which `relieve` is called."""
        with self._lock:
            has_to_wait = bool(self._line) or len(self._runs) >= AT_ONCE
            if has_to_wait:
                self._line.append(conn)
            else:
                self._begin(conn)
        return has_to_wait

    def relieve(self) -> bool:
        """Begin beside what is stuck; whether some still wait, or lack a thread that there may be,
        and it is to be called again in ``STUCK_S``."""
        with self._lock:
            if self._line:
                before_s = monotonic_s() - STUCK_S
                stuck = [conn for conn, since_s in self._runs.items() if since_s <= before_s]
                for conn in stuck:
                    del self._runs[conn]
                for _ in range(max(AT_ONCE - len(self._runs), 2 * len(stuck))):
                    if self._line:
                        self._begin(self._line[0])
                        self._line.popleft()
            self._make_missing()
            return bool(self._line) or self._lacks_threads

    def _begin(self, conn: Connection) -> None:
        self._runs[conn] = monotonic_s()
        self._queue.put(conn)
        self._idle -= 1
        self._make_missing()

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

    def _wait(self) -> Connection | None:
        """What is put next; None if the thread is to end, because nothing is put for long and
        others wait too: its stack is memory that somebody else may lack."""
        while True:
            try:
                return self._queue.get(timeout=LONGEST_IDLE_S)
            except queue.Empty:
                with self._lock:
                    if self._idle > AT_ONCE:
                        self._idle -= 1
                        return None

    def _serve_all(self, conn: Connection | None) -> bool:
        if conn is None:
            return False
        while conn is not None:
            self._serve(conn)
            conn = self._next()
        return True

    def _serve(self, conn: Connection) -> None:
        """Whatever it raises is the end of this connection alone: others need the thread."""
        keep, held, failure = False, None, None
        try:
            keep = conn.communicate()
        except Held as put_off:
            held = put_off.with_traceback(None)
        except BaseException as error:
            failure = error.with_traceback(None)
        with self._lock:
            self._runs.pop(conn, None)
        connections = conn.server.connections
        try:
            if failure is None:
                connections.settle(conn, keep, held)
        except BaseException as error:
            failure = error.with_traceback(None)
        if failure is not None:
            connections.drop(conn, failure)

    def _next(self) -> Connection | None:
        """Whose turn it is, for a thread that has ended its own; it waits if there is none."""
        with self._lock:
            if self._line and len(self._runs) < AT_ONCE:
                conn = self._line[0]
                self._runs[conn] = monotonic_s()
                return self._line.popleft()
            self._idle += 1
            return None

    def stop(self, timeout: float = 0.0) -> None:
        """End the threads once they have served what was put."""
        with self._lock:
            for _ in range(self._made):
                self._queue.put(None)
