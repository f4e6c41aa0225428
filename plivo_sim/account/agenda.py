"""Due work of one account: one heap ordered by ``(due_at, seq)`` for each kind of timer; automatic
arrows stand in that of reviews.

The store holds the timers, so that they survive a restart; the heap only orders them. An entry
whose timer is gone or was moved is skipped when it comes up, which keeps cancelling O(1). What a
transaction has changed may be taken back: until it is written, no entry is forgotten, as its timer
may come back. A rolled-back transaction leaves its entries in the heap, and the next one draws the
same ids: so each entry is there at most once, or a callback would be sent twice.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator
from datetime import datetime
from itertools import chain, islice
from typing import Generic, TypeVar

from plivo_sim.account.interfaces import Store
from plivo_sim.domain.records import Timer, TimerKind

T = TypeVar("T")


class KeyedQueues(Generic[T]):
    """Queues by name: what is in one is taken in order, each item once the one before it is over.
    Of several queues, the one that has waited longest comes first; ``len`` counts those in which
    something waits or is not over. Not thread-safe by itself."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[T]] = {}
        self._ready: deque[str] = deque()

    def put(self, name: str, item: T) -> None:
        if name not in self._queues:
            self._queues[name] = deque()
            self._ready.append(name)
        self._queues[name].append(item)

    def take(self) -> T | None:
        """The next item; nothing more comes from its queue until ``over``."""
        return self._queues[self._ready.popleft()].popleft() if self._ready else None

    def over(self, name: str) -> None:
        """What was taken from this queue is over."""
        if self._queues[name]:
            self._ready.append(name)
        else:
            del self._queues[name]

    @property
    def is_ready(self) -> bool:
        """Whether something can be taken."""
        return bool(self._ready)

    def __contains__(self, name: str) -> bool:
        return name in self._queues

    def __iter__(self) -> Iterator[T]:
        """What waits, not what was taken."""
        return chain.from_iterable(self._queues.values())

    def __len__(self) -> int:
        return len(self._queues)


Entry = tuple[datetime, int, str]
"""When a timer is due, its ``seq``, its id."""

_TOGETHER = {TimerKind.AUTOMATIC: TimerKind.REVIEW}
"""Kinds whose timers stand in the heap of another kind: they happen in one order."""
_HEAPS = [kind for kind in TimerKind if kind not in _TOGETHER]

MOST_DEAD = 256


class Agenda:
    """See the module. Its account's lock guards it. ``fresh``: timers have come since somebody who
    waits for them set it to False."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.fresh = False
        self._heaps: dict[TimerKind, list[Entry]] = {k: [] for k in _HEAPS}
        self._queued: dict[TimerKind, set[Entry]] = {k: set() for k in _HEAPS}
        self.refresh()

    def refresh(self) -> None:
        """Rebuild from the store, whose timers were replaced as a whole."""
        entries: dict[TimerKind, list[Entry]] = {kind: [] for kind in _HEAPS}
        for timer in self._store.timers.every():
            entries[_heap_of(timer)].append(_entry(timer))
        for kind, found in entries.items():
            self._order(kind, found)

    def _order(self, kind: TimerKind, entries: list[Entry]) -> None:
        heapq.heapify(entries)
        self._heaps[kind] = entries
        self._queued[kind] = set(entries)

    def add(self, timer: Timer) -> None:
        """Keep a timer; call within a transaction."""
        self._store.timers.put(timer)
        self.requeue(timer)

    def requeue(self, timer: Timer) -> None:
        """Order a stored timer again, after ``take``."""
        self.fresh = True
        entry, kind = _entry(timer), _heap_of(timer)
        if entry not in self._queued[kind]:
            self._queued[kind].add(entry)
            heapq.heappush(self._heaps[kind], entry)

    def _forget_dead(self, kind: TimerKind) -> None:
        """Let go of the entries of timers that were cancelled long before they were due."""
        self._order(kind, [entry for entry in self._heaps[kind] if self._timer_of(kind, entry)])

    def _timer_of(self, kind: TimerKind, entry: Entry) -> Timer | None:
        """The timer that an entry of this heap stands for, if it is there still, and then."""
        timer = self._store.timers.fetch(entry[2])
        is_its = timer is not None and _heap_of(timer) is kind and _entry(timer) == entry
        return timer if is_its else None

    def cancel(self, subject_id: str, kind: TimerKind | None = None) -> None:
        """Drop every timer of this subject, or those of a kind; call within a transaction."""
        for timer in self._store.timers.having("subject_id", subject_id):
            if kind in (None, timer.kind):
                self._store.timers.drop(timer.id)

    def next_due(self, kind: TimerKind) -> Timer | None:
        """The first timer of this kind (for reviews: or an automatic arrow), due or not."""
        kind = _TOGETHER.get(kind, kind)
        if self._store.dirty:
            return next(self._in_order(kind), None)
        if len(self._heaps[kind]) > 2 * len(self._store.timers) + MOST_DEAD:
            self._forget_dead(kind)
        heap = self._heaps[kind]
        while heap:
            if (timer := self._timer_of(kind, heap[0])) is not None:
                return timer
            self._pop(kind)
        return None

    def next_instant(self) -> datetime | None:
        """When the first timer of any kind is due."""
        if not any(self._heaps.values()):
            return None
        firsts = [timer for kind in _HEAPS if (timer := self.next_due(kind)) is not None]
        return min((timer.due_at for timer in firsts), default=None)

    def take(self, kind: TimerKind, until: datetime) -> Timer | None:
        """The first timer due by then, no longer in the heap but still in the store; not within a
        transaction, which would not put it back."""
        assert not self._store.dirty
        timer = self.next_due(kind)
        if timer is None or timer.due_at > until:
            return None
        self._pop(_heap_of(timer))
        return timer

    def take_together(self, kind: TimerKind, until: datetime, most: int) -> list[Timer]:
        """The first timers due by then, as many as are due at the same instant; see ``take``."""
        timers: list[Timer] = []
        while len(timers) < most and (timer := self.take(kind, until)) is not None:
            timers.append(timer)
            until = timer.due_at
        return timers

    def _pop(self, kind: TimerKind) -> None:
        self._queued[kind].discard(heapq.heappop(self._heaps[kind]))

    def soonest(self, most: int) -> list[Timer]:
        """The next timers of all kinds, in the order in which they are due; changes nothing."""
        in_order = heapq.merge(*map(self._in_order, _HEAPS), key=_entry)
        return list(islice(in_order, most))

    def _in_order(self, kind: TimerKind) -> Iterator[Timer]:
        heap = self._heaps[kind].copy()
        while heap:
            if (timer := self._timer_of(kind, heapq.heappop(heap))) is not None:
                yield timer


def _heap_of(timer: Timer) -> TimerKind:
    return _TOGETHER.get(timer.kind, timer.kind)


def _entry(timer: Timer) -> Entry:
    return timer.due_at, timer.seq, timer.id
