"""One thread that keeps exchanges, in their order, while their answers have long been given."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from threading import Condition, Thread
from typing import Generic, TypeVar

T = TypeVar("T")

log = logging.getLogger(__name__)

MOST_WAITING, MOST_WAITING_BYTES = 1_000, 64 << 20
"""What comes while this much waits is not kept."""
GRACE_S = 10.0


class NotKept(Exception):
    """The text says why, and repeats nothing of the exchange."""


class Writer(Generic[T]):
    """``keep``: masks and writes one of them; what it raises is logged. ``lost``: how many were
    not kept, for whatever reason, or wait still when it is closed."""

    def __init__(self, keep: Callable[[T], None]) -> None:
        self._keep = keep
        self._waiting: deque[tuple[T, int]] = deque()
        self._bytes = 0
        self._is_closed = False
        self._changed = Condition()
        self.lost = 0
        self._thread = Thread(target=self._work, name="plivo-sim-tape", daemon=True)
        self._thread.start()

    def put(self, each: T, size: int) -> None:
        """Returns at once. ``size``: in bytes."""
        with self._changed:
            is_full = len(self._waiting) >= MOST_WAITING or self._bytes + size > MOST_WAITING_BYTES
            if self._is_closed or (is_full and self._waiting):
                self._lose("too much waits already")
                return
            self._waiting.append((each, size))
            self._bytes += size
            self._changed.notify_all()

    def close(self, grace_s: float = GRACE_S) -> None:
        """Keep what waits, for at most so long."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._thread.join(grace_s)
        with self._changed:
            self.lost += len(self._waiting)
            self._waiting.clear()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._is_closed)
                if not self._waiting:
                    return
                each, size = self._waiting[0]
            try:
                self._keep(each)
                why = ""
            except Exception as error:
                why = _why(error)
            with self._changed:
                if not self._waiting:
                    return  # it was closed, and what waited is counted
                self._waiting.popleft()
                self._bytes -= size
                if why:
                    self._lose(why)

    def _lose(self, why: str) -> None:
        self.lost += 1
        log.error("an exchange was not kept: %s", why)


def _why(error: Exception) -> str:
    """In words that repeat nothing of an exchange."""
    told = error.strerror if isinstance(error, OSError) else None
    return str(error) if isinstance(error, NotKept) else told or type(error).__name__
