"""The built-in inboxes: what came to each, by its name; all accounts share them.

Not state of the simulator: bounded, in memory that they share with the journals of requests, and
kept by a reset, of all accounts too, as nobody knows whose they are.
"""

from __future__ import annotations

import threading
from typing import Any

from plivo_sim.account.logs import BoundedLog, Budget

Message = Any
"""See ``MessageOut`` of the control API, which this part does not know."""

MOST_MESSAGES = 500
MOST_INBOXES = 100
MOST_INBOX_BYTES = 2 * 1024 * 1024
"""Callbacks have a few hundred bytes; the limit is for those who send something else."""

MESSAGE_OVERHEAD_BYTES = 2000
"""What a message takes beside its texts, about."""


class Inboxes:
    """See the module. ``changes`` counts every change. Safe from any thread."""

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
