"""What is to happen to a call when its time is up: one thread sees to it for all calls.

A ``threading.Timer`` for each costs a thread for each, and to end one takes several milliseconds
while other threads want the interpreter, more than the whole call.
"""

from __future__ import annotations

import heapq
import itertools
import os
import threading
import time
from collections.abc import Callable

from plivo_sim.account.clock import monotonic_s
from plivo_sim.account.threads import Thread

LINGER_S = 1.0
"""How long the thread stays when nothing is to be waited for."""
TRY_AGAIN_S = 0.1


class Timeout:
    """One call's. ``act`` is None once the call has ended."""

    __slots__ = ("act",)

    def __init__(self, act: Callable[[], None]) -> None:
        self.act: Callable[[], None] | None = act


class Timeouts:
    """Safe from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._line: list[tuple[float, int, Timeout]] = []  # a heap
        self._numbers = itertools.count()
        self._ended = 0  # of those in the line
        self._thread: threading.Thread | None = None

    def begin(self, within_s: float, act: Callable[[], None]) -> Timeout:
        """Have ``act`` called, which must be short and not fail, unless ``end`` comes before.
        Raises RuntimeError where no thread can be had."""
        timeout = Timeout(act)
        with self._changed:
            if self._thread is None or not self._thread.is_alive():
                thread = Thread(self._run, name="timeouts")
                thread.start()  # it waits for the lock; raises RuntimeError where there is no room
                self._thread = thread
            heapq.heappush(self._line, (monotonic_s() + within_s, next(self._numbers), timeout))
            if self._line[0][2] is timeout:
                self._changed.notify()
        return timeout

    def end(self, timeout: Timeout) -> None:
        """What was begun is not called any more, and is over if it was."""
        with self._changed:
            if timeout.act is not None:
                timeout.act = None
                self._ended += 1
                if self._ended > 64 + len(self._line) // 2:
                    self._line = [each for each in self._line if each[2].act is not None]
                    heapq.heapify(self._line)
                    self._ended = 0

    def _run(self) -> None:
        while True:
            try:
                self._see_to_all()
                return
            except Exception:  # out of memory, say: the others need the thread
                time.sleep(TRY_AGAIN_S)

    def _see_to_all(self) -> None:
        with self._changed:
            while self._line or self._changed.wait(LINGER_S) or self._line:
                if not self._line:
                    continue
                at_s, _, timeout = self._line[0]
                left_s = at_s - monotonic_s()
                if timeout.act is not None and left_s > 0:
                    self._changed.wait(left_s)
                    continue
                heapq.heappop(self._line)
                act, timeout.act = timeout.act, None
                if act is None:
                    self._ended -= 1
                else:
                    act()
            self._thread = None


TIMEOUTS = Timeouts()
if hasattr(os, "register_at_fork"):  # a child has neither the thread nor its calls
    os.register_at_fork(after_in_child=TIMEOUTS.__init__)  # type: ignore[misc]
