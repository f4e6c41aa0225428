"""The lock of an account, which knows how many threads wait for it.

A server has a bounded number of threads for requests. One account that is busy for long must not
gather them: a request that nothing was done of yet leaves instead of waiting, when enough others
wait (``Asker``); who has none, as every thread beside those of requests, waits.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Protocol

MOST_WAITING = 8
"""Threads that wait for one account, for as long as it takes."""
MOST_WAITING_OF_ALL = 64
"""The same of all accounts together: half of those that a server has for requests."""


class Asker(Protocol):
    """A request, as the locks that its thread asks for see it."""

    may_leave: bool
    """Nothing was done of it yet that must not be done twice."""
    may_wait: bool
    """It may be one of those that wait for as long as it takes."""
    patience_s: float
    """How long it waits behind those who may wait."""

    def entered(self) -> None:
        """It has got a lock."""

    def leave(self, lock: AccountLock) -> None:
        """Raises what makes the request be begun again later."""

    def waits(self) -> None:
        """It waits for somebody outside from now on, and needs nothing that others wait for."""


class _Here(threading.local):
    asker: Asker | None = None


class _Count:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.waiting = 0


_here = _Here()
_all = _Count()


def set_asker(asker: Asker | None) -> None:
    """Whom this thread works for from now on."""
    _here.asker = asker


def waits_outside() -> None:
    """What this thread works for waits for somebody outside, such as a receiver of callbacks."""
    if _here.asker is not None:
        _here.asker.waits()


@contextmanager
def repeatable() -> Iterator[None]:
    """What is done within may be done again: whoever could leave before can leave after it, too.

    For those who look at all accounts, one after the other.
    """
    asker = _here.asker
    could_leave = asker is not None and asker.may_leave
    yield
    if asker is not None:
        asker.may_leave = could_leave


class AccountLock:
    """See the module. Reentrant; ``raw``: the lock itself, for conditions. ``waiting``: threads."""

    def __init__(self) -> None:
        self.raw = threading.RLock()
        self.waiting = 0

    @property
    def room(self) -> int:
        """How many more threads may wait for as long as it takes."""
        return max(min(MOST_WAITING - self.waiting, MOST_WAITING_OF_ALL - _all.waiting), 0)

    def acquire(self, timeout: float = -1) -> bool:
        """Whether it was got, in so many seconds; without bound when they are negative. Nobody
        leaves here."""
        return self.raw.acquire(timeout=timeout)

    def release(self) -> None:
        self.raw.release()

    def __enter__(self) -> None:
        if not self.raw.acquire(blocking=False):
            self._wait()
        if (asker := _here.asker) is not None:
            asker.entered()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.raw.release()

    def _wait(self) -> None:
        asker = _here.asker
        with _all.lock:
            waits = asker is None or not asker.may_leave or (asker.may_wait and self.room > 0)
            self.waiting += 1
            _all.waiting += 1
        try:
            if asker is None or waits:
                self.raw.acquire()
            elif not self.raw.acquire(timeout=asker.patience_s):
                asker.leave(self)
        finally:
            with _all.lock:
                self.waiting -= 1
                _all.waiting -= 1
