"""Logs that forget: what is kept in memory only, for those who look at it.

Each is bounded by itself. Together they have a budget, so that their number costs no memory either.
"""

from __future__ import annotations

import heapq
import threading
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Any, Generic, TypeVar
from weakref import WeakSet

T = TypeVar("T")

KEPT_BYTES = 64 * 1024 * 1024
"""Of all logs of a simulator: the requests of every account, and the inboxes."""


class Budget:
    """Bytes that several logs share. When they hold more, the largest forget their oldest entries,
    down to seven eighths: whoever is talkative makes nobody else forget. Of those that are as large
    as one another, the one that grew last does so last. Safe from any thread."""

    def __init__(self, most_bytes: int = KEPT_BYTES) -> None:
        self.most_bytes = most_bytes
        self._lock = threading.Lock()
        self._logs: WeakSet[BoundedLog[Any]] = WeakSet()
        self._growths = 0
        self._held = 0  # at most: what logs forgot since the last count is in it

    def join(self, log: BoundedLog[Any]) -> None:
        with self._lock:
            self._logs.add(log)

    def spend(self, size_bytes: int, log: BoundedLog[Any]) -> None:
        """A log has grown. Caller holds no log's lock."""
        with self._lock:
            self._growths += 1
            log.grew = self._growths
            self._held += size_bytes
            if self._held > self.most_bytes:
                self._held = self._shrink(self.most_bytes * 7 // 8)

    def _shrink(self, most_bytes: int) -> int:
        largest = [(-log.size_bytes, log.grew, n, log) for n, log in enumerate(self._logs)]
        held = -sum(size for size, *_ in largest)
        heapq.heapify(largest)
        while held > most_bytes and largest:
            _, grew, n, log = heapq.heappop(largest)
            freed = log.forget_oldest()
            held -= freed
            if freed:
                heapq.heappush(largest, (-log.size_bytes, grew, n, log))
        return held


class BoundedLog(Generic[T]):
    """Forgets its oldest entries: it is bounded in number and in bytes. Safe from any thread; the
    newest entry is kept whatever its size, as far as the budget goes.

    ``forgotten``: how many it has forgotten since it was made or cleared; ``forgot_until``: of each
    kind that these were said to be of, the latest moment, see ``append``.
    """

    def __init__(self, most: int, most_bytes: int, budget: Budget | None = None) -> None:
        self.most = most
        self.most_bytes = most_bytes
        self.size_bytes = 0
        self.forgotten = 0
        self.forgot_until: dict[str, Any] = {}
        self.grew = 0
        """When it last took an entry, counted by its budget."""
        self._budget = budget
        self._lock = threading.Lock()
        self._entries: deque[tuple[T, int, tuple[str, Any] | None]] = deque()
        if budget is not None:
            budget.join(self)

    def append(self, entry: T, size_bytes: int, until: tuple[str, Any] | None = None) -> None:
        """Keep an entry, and forget the oldest as far as there is no room. ``until``: a kind, and a
        moment of it, which stays known when the entry is forgotten."""
        with self._lock:
            entries = self._entries
            entries.append((entry, size_bytes, until))
            self.size_bytes += size_bytes
            while len(entries) > self.most or (
                self.size_bytes > self.most_bytes and len(entries) > 1
            ):
                self._forget_oldest()
        if self._budget is not None:
            self._budget.spend(size_bytes, self)

    def forget_oldest(self) -> int:
        """Returns how many bytes that freed; 0 when nothing is kept."""
        with self._lock:
            return self._forget_oldest() if self._entries else 0

    def _forget_oldest(self) -> int:
        _, size_bytes, until = self._entries.popleft()
        if until is not None:
            kind, moment = until
            self.forgot_until[kind] = max(moment, self.forgot_until.get(kind, moment))
        self.size_bytes -= size_bytes
        self.forgotten += 1
        return size_bytes

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self.size_bytes = self.forgotten = 0
            self.forgot_until = {}

    def __iter__(self) -> Iterator[T]:
        """What is kept now, oldest first."""
        with self._lock:
            kept = list(self._entries)
        return (entry for entry, *_ in kept)

    def last(self, count: int) -> list[T]:
        """The newest entries, so many at most, oldest first."""
        with self._lock:
            newest = [entry for entry, *_ in islice(reversed(self._entries), count)]
        return newest[::-1]

    def __len__(self) -> int:
        return len(self._entries)


Message = Any
"""See ``MessageOut`` of the control API, which this layer does not know."""

MOST_MESSAGES = 500
MOST_INBOXES = 100
MOST_INBOX_BYTES = 2 * 1024 * 1024
"""Callbacks have a few hundred bytes; the limit is for those who send something else."""

MESSAGE_OVERHEAD_BYTES = 2000
"""What a message takes beside its texts, about."""


class Inboxes:
    """The built-in inboxes: what came to each, by its name; all accounts share them.

    No state: bounded, in memory that they share with the journals of requests, and kept by a reset,
    of all accounts too, as nobody knows whose they are. ``changes`` counts every change. Safe from
    any thread.
    """

    def __init__(self, memory: Budget) -> None:
        self.changes = 0
        self._memory = memory
        self._lock = threading.Lock()
        self._kept: dict[str, BoundedLog[Message]] = {}

    def keep(self, name: str, message: Message) -> None:
        """Put a message into an inbox; when there are too many inboxes, the oldest goes."""
        with self._lock:
            self.changes += 1
            if name not in self._kept and len(self._kept) >= MOST_INBOXES:
                del self._kept[next(iter(self._kept))]
            if name not in self._kept:
                self._kept[name] = BoundedLog(MOST_MESSAGES, MOST_INBOX_BYTES, self._memory)
            texts = message["body"], message["url"], str(message["headers"]), str(message["query"])
            size = MESSAGE_OVERHEAD_BYTES + sum(map(len, texts))
            self._kept[name].append(message, size)

    def clear(self, name: str = "") -> None:
        """Empty an inbox; without a name, all."""
        with self._lock:
            self.changes += 1
            for each in [name] if name else [*self._kept]:
                self._kept.pop(each, None)

    def forgotten(self, name: str) -> int:
        """How many older messages an inbox has forgotten."""
        with self._lock:
            return self._kept[name].forgotten if name in self._kept else 0

    def messages(self, name: str) -> list[Message]:
        """What an inbox holds, oldest first."""
        with self._lock:
            return list(self._kept[name]) if name in self._kept else []

    def sizes(self) -> dict[str, int]:
        """How much each inbox holds, oldest inbox first."""
        with self._lock:
            return {name: len(kept) for name, kept in self._kept.items()}
