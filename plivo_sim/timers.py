"""Due work of one account: one heap ordered by ``(due_at, seq)`` for each kind of timer.

The store holds the timers, so that they survive a restart; the heap only orders them. An entry
whose timer is gone or was moved is skipped when it comes up, which keeps cancelling O(1) and
makes a rolled-back transaction harmless.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import datetime

from plivo_sim.domain.models import Timer, TimerKind
from plivo_sim.ports import Store


class Agenda:
    """See the module. Its world's lock guards it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._heaps: dict[TimerKind, list[tuple[datetime, int, str]]] = {k: [] for k in TimerKind}
        self.refresh()

    def refresh(self) -> None:
        """Rebuild from the store, whose timers were replaced as a whole."""
        for kind, heap in self._heaps.items():
            heap[:] = [
                (t.due_at, t.seq, t.id) for t in self._store.timers.every() if t.kind is kind
            ]
            heapq.heapify(heap)

    def add(self, timer: Timer) -> None:
        """Keep a timer; call within a transaction."""
        self._store.timers.put(timer)
        self.requeue(timer)

    def requeue(self, timer: Timer) -> None:
        """Order a stored timer again, after ``take``."""
        heapq.heappush(self._heaps[timer.kind], (timer.due_at, timer.seq, timer.id))

    def cancel(self, subject_id: str) -> None:
        """Drop every timer of this subject; call within a transaction."""
        for timer in self._store.timers.having("subject_id", subject_id):
            self._store.timers.drop(timer.id)

    def next_due(self, kind: TimerKind) -> Timer | None:
        """The first timer of this kind, due or not."""
        heap = self._heaps[kind]
        while heap:
            due_at, _, id = heap[0]
            timer = self._store.timers.fetch(id)
            if timer is not None and timer.due_at == due_at:
                return timer
            heapq.heappop(heap)
        return None

    def next_instant(self) -> datetime | None:
        """When the first timer of any kind is due."""
        firsts = [timer for kind in TimerKind if (timer := self.next_due(kind)) is not None]
        return min((timer.due_at for timer in firsts), default=None)

    def take(self, kind: TimerKind, until: datetime) -> Timer | None:
        """The first timer due by then, no longer in the heap but still in the store."""
        timer = self.next_due(kind)
        if timer is None or timer.due_at > until:
            return None
        heapq.heappop(self._heaps[kind])
        return timer

    def upcoming(self) -> Iterator[Timer]:
        """All timers, in the order of their creation."""
        return self._store.timers.every()
