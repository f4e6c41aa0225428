"""Threads whose start ends, whatever becomes of them.

``threading.Thread.start`` waits until the thread runs, without end: for ever if there is no memory
for its first steps. Whoever starts one often holds a lock that others wait for.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

BEGINS_WITHIN_S = 5.0
"""So that one that only waits for others that compute is not taken for one that never begins."""

ENDS_WITHIN_S = 1.0
"""How long to wait for a thread that was told to end, and has nothing to wait for."""


class NoThread(RuntimeError):
    """The system has no thread to give."""


NONE_TO_BE_HAD = (NoThread, MemoryError)
"""What ``Thread(…).start()`` raises then."""


class Thread(threading.Thread):
    """A daemon thread. ``start`` raises NoThread where none can be had, or where it has not begun
    within ``BEGINS_WITHIN_S``: then it never does its work."""

    def __init__(self, work: Callable[..., None], *args: Any, name: str) -> None:
        super().__init__(target=work, args=args, name=name, daemon=True)
        self._beginning = self._started = _Beginning()

    def start(self) -> None:
        try:
            super().start()
        except RuntimeError as error:
            raise NoThread(str(error)) from None

    def run(self) -> None:
        if self._beginning.begin():
            super().run()


class _Beginning(threading.Event):
    """What ``start`` waits for, with an end."""

    def __init__(self) -> None:
        super().__init__()
        self._decides = threading.Lock()
        self._has_begun = self._is_given_up = False
        self._gate = threading.Lock()
        self._gate.acquire()

    def begin(self) -> bool:
        """Whether the thread is still wanted."""
        with self._decides:
            self._has_begun = not self._is_given_up
        self._gate.release()
        return self._has_begun

    def wait(self, timeout: float | None = None) -> bool:
        self._gate.acquire(timeout=BEGINS_WITHIN_S if timeout is None else timeout)
        with self._decides:
            self._is_given_up = not self._has_begun
        if self._is_given_up:
            raise RuntimeError("a new thread has not begun; there is no memory for it, perhaps")
        return True


class Workers:
    """At most so many threads, which do what they are given in the order of coming, and end when
    nothing is left. Safe from any thread."""

    def __init__(self, most: int, name: str) -> None:
        self._most, self._name = most, name
        self._lock = threading.Lock()
        self._line: deque[Callable[[], None]] = deque()
        self._count = 0

    def submit(self, work: Callable[..., None], *args: Any) -> None:
        """Have it done; what it raises is lost. Raises RuntimeError or MemoryError, and takes
        nothing, where not even one thread can be had."""
        with self._lock:
            self._line.append(partial(work, *args))
            if self._count < self._most:
                try:
                    Thread(self._work, name=self._name).start()
                    self._count += 1
                except NONE_TO_BE_HAD:
                    if not self._count:
                        self._line.pop()
                        raise

    def _work(self) -> None:
        while (work := self._next()) is not None:
            with suppress(Exception):
                work()

    def _next(self) -> Callable[[], None] | None:
        with self._lock:
            if self._line:
                return self._line.popleft()
            self._count -= 1
            return None
