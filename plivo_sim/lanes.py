"""Queues by name: what is in one is taken in order, each once the one before it is over."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Lanes(Generic[T]):
    """See the module. Of several lanes, the one that has waited longest comes first; ``len`` counts
    those in which something waits or is not over. Not thread-safe by itself."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[T]] = {}
        self._ready: deque[str] = deque()

    def put(self, name: str, item: T) -> None:
        if name not in self._queues:
            self._queues[name] = deque()
            self._ready.append(name)
        self._queues[name].append(item)

    def take(self) -> T | None:
        """The next item; nothing more comes from its lane until ``over``."""
        return self._queues[self._ready.popleft()].popleft() if self._ready else None

    def over(self, name: str) -> None:
        """What was taken from this lane is over."""
        if self._queues[name]:
            self._ready.append(name)
        else:
            del self._queues[name]

    def __contains__(self, name: str) -> bool:
        return name in self._queues

    def __len__(self) -> int:
        return len(self._queues)
