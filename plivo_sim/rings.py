"""A log that forgets its oldest entries: bounded in number and in bytes."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Ring(Generic[T]):
    """See the module. Safe from any thread; the newest entry is kept whatever its size."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self.most = most
        self.most_bytes = most_bytes
        self._lock = threading.Lock()
        self._entries: deque[tuple[T, int]] = deque()
        self._size = 0

    def append(self, entry: T, size_bytes: int) -> None:
        """Keep an entry, and forget the oldest as far as there is no room."""
        with self._lock:
            entries = self._entries
            entries.append((entry, size_bytes))
            self._size += size_bytes
            while len(entries) > self.most or (self._size > self.most_bytes and len(entries) > 1):
                self._size -= entries.popleft()[1]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._size = 0

    def __iter__(self) -> Iterator[T]:
        """What is kept now, oldest first."""
        with self._lock:
            kept = list(self._entries)
        return (entry for entry, _ in kept)

    def __len__(self) -> int:
        return len(self._entries)
