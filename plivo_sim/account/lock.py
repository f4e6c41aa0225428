"""The lock of an account, which knows how many threads wait for it.

A server has a bounded number of threads for requests. One account that is busy for long must not
gather them: a request that nothing was done of yet leaves instead of waiting, when enough others
wait (``Asker``); who has none, as every thread beside those of requests, waits.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Protocol, TypeVar

from plivo_sim.account.clock import monotonic_s

T = TypeVar("T")
Made = TypeVar("Made")

MOST_WAITING = 8
"""Threads that wait for one account, for as long as it takes."""
MOST_WAITING_OF_ALL = 64
"""The same of all accounts together: half of those that a server has for requests."""
PASSING_S = 0.1
"""How long who looks at all accounts waits for those that are busy, all of them together."""
GIVES_WAY_S = 0.05
LOOKS_S = 0.0005
IN_A_TURN = 64
"""So many things of a list are looked at before others have their turn."""


class Asker(Protocol):
    """A request, as the locks that its thread asks for see it."""

    may_leave: bool
    """Nothing was done of it yet that must not be done twice."""
    may_wait: bool
    """It may be one of those that wait for as long as it takes."""
    patience_s: float
    """How long it waits behind those who may wait."""

    def entered(self) -> None:
        """It has got a lock. Raises what ends the request; then it has not."""

    def leave(self, lock: AccountLock) -> None:
        """Raises what makes the request be begun again later."""

    def waits(self) -> None:
        """It waits, for an account or for somebody outside, and needs nothing meanwhile that others
        wait for."""

    def goes_on(self) -> None:
        """It has got the account that it waited for."""


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

    For those who have something to do in one account before they wait for another's.
    """
    asker = _here.asker
    could_leave = asker is not None and asker.may_leave
    yield
    if asker is not None:
        asker.may_leave = could_leave


class Passing:
    """Of somebody who looks at all accounts, one after the other: a busy one is waited for as long
    as anything of ``wait_s`` is left, and then looked at as it is, or passed over."""

    def __init__(self, wait_s: float = PASSING_S) -> None:
        self._until_s = monotonic_s() + wait_s

    @contextmanager
    def held(self, lock: AccountLock) -> Iterator[bool]:
        """Whether the lock is held within: only then may the account be changed, or anything of it
        be walked through. Who does not hold it may take a value, a size, or a record by its id."""
        is_held = lock.acquire(max(self._until_s - monotonic_s(), 0.0))
        try:
            yield is_held
        finally:
            if is_held:
                lock.release()


class AccountLock:
    """See the module. Reentrant; ``raw``: the lock itself, for conditions. ``waiting``: threads;
    ``turns``: how often one of them has got it."""

    def __init__(self) -> None:
        self.raw = threading.RLock()
        self.waiting = self.turns = 0

    @property
    def room(self) -> int:
        """How many more threads may wait for as long as it takes."""
        return max(min(MOST_WAITING - self.waiting, MOST_WAITING_OF_ALL - _all.waiting), 0)

    def acquire(self, timeout: float = -1) -> bool:
        """Whether it was got, in so many seconds; without bound when they are negative. Nobody
        leaves here."""
        if self.raw.acquire(blocking=False):
            return True
        with _all.lock:
            self._count(1)
        try:
            is_got = self.raw.acquire(timeout=timeout)
            self.turns += is_got
            return is_got
        finally:
            with _all.lock:
                self._count(-1)

    def release(self) -> None:
        self.raw.release()

    def __enter__(self) -> bool:
        if not self.raw.acquire(blocking=False):
            self._wait()
        if (asker := _here.asker) is not None:
            try:
                asker.entered()
            except BaseException:
                self.raw.release()
                raise
        return True  # as ``Passing.held`` says it

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.raw.release()

    def give_way(self) -> None:
        """Those who wait for it have their turn first. Caller does not hold it, and wants it again:
        a lock that is let go of and taken at once nobody else gets."""
        turns, until_s = self.turns, monotonic_s() + GIVES_WAY_S
        while self.waiting and self.turns == turns and monotonic_s() < until_s:
            time.sleep(LOOKS_S)

    def in_turns(
        self, things: Sequence[T], make: Callable[[T], Made], at_once: int = IN_A_TURN
    ) -> Iterator[Made]:
        """What is made of each thing with the lock held, some at a time: others have their turn in
        between, and may change or delete what the next ones were. Caller does not hold it."""
        for start in range(0, len(things), at_once):
            if start:
                self.give_way()
            with self:
                made = [make(each) for each in things[start : start + at_once]]
            yield from made

    def _wait(self) -> None:
        asker = _here.asker
        if asker is not None:
            asker.waits()
        with _all.lock:
            waits = asker is None or not asker.may_leave or (asker.may_wait and self.room > 0)
            self._count(1)
        try:
            if asker is None or waits:
                self.raw.acquire()
            elif not self.raw.acquire(timeout=asker.patience_s):
                asker.leave(self)
            self.turns += 1
        finally:
            with _all.lock:
                self._count(-1)
        if asker is not None:
            asker.goes_on()

    def _count(self, change: int) -> None:
        self.waiting += change
        _all.waiting += change
