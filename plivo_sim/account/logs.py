"""Logs that forget: what is kept in memory only, for those who look at it.

Each is bounded by itself. Together they have a budget, so that their number costs no memory either.
"""

from __future__ import annotations

import heapq
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar
from weakref import WeakSet

from plivo_sim.domain.limits import INBOX_BYTES, INBOX_MESSAGES, INBOXES, REMEMBERED

T = TypeVar("T")


class Budget:
    """Bytes that several logs share. When they hold more, the largest forget their oldest entries,
    down to seven eighths: whoever is talkative makes nobody else forget. Of those that are as large
    as one another, the one that grew last does so last. Safe from any thread."""

    def __init__(self, most_bytes: int = REMEMBERED.most) -> None:
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

    def kept(self) -> tuple[list[T], int]:
        """What is kept now, oldest first, and how many have been forgotten."""
        with self._lock:
            return [entry for entry, *_ in self._entries], self.forgotten

    def __iter__(self) -> Iterator[T]:
        """What is kept now, oldest first."""
        return iter(self.kept()[0])

    def last(self, count: int) -> list[T]:
        """The newest entries, so many at most, oldest first."""
        with self._lock:
            newest = [entry for entry, *_ in islice(reversed(self._entries), count)]
        return newest[::-1]

    def __len__(self) -> int:
        return len(self._entries)


Message = Any
"""See ``MessageOut`` of the control API, which this layer does not know."""

MESSAGE_OVERHEAD_BYTES = 2000
"""What a message takes beside its texts, about."""


class _Inbox(BoundedLog[Message]):
    """``before``: how many messages had gone with whole inboxes when this one was made: nobody can
    tell whether they were its own."""

    def __init__(self, before: int, memory: Budget) -> None:
        super().__init__(INBOX_MESSAGES.most, INBOX_BYTES.most, memory)
        self.before = before


@dataclass(frozen=True, slots=True)
class Received:
    """What an inbox holds, oldest first. ``forgotten``: how many older ones it has had;
    ``uncertain``: how many more it may have had, which went with whole inboxes."""

    messages: list[Message]
    forgotten: int = 0
    uncertain: int = 0

    @property
    def numbered(self) -> list[tuple[int, Message]]:
        """Each with its place in the inbox, from 1."""
        return list(enumerate(self.messages, self.forgotten + 1))


class Inboxes:
    """The built-in inboxes: what came to each, by its name; all accounts share them.

    No state: in memory that they share with the journals of requests, and kept by a reset, of all
    accounts too, as nobody knows whose they are. Of more names than ``limits.INBOXES`` the one goes
    that nobody has written to, read or emptied for longest; how many messages went so stays known,
    see ``Received``. ``changes`` counts every change. Safe from any thread.
    """

    def __init__(self, memory: Budget) -> None:
        self.changes = 0
        self._memory = memory
        self._lock = threading.Lock()
        self._kept: dict[str, _Inbox] = {}
        """Used last is last."""
        self._gone = 0

    def keep(self, name: str, message: Message) -> None:
        """Put a message into an inbox."""
        texts = message["body"], message["url"], str(message["headers"]), str(message["query"])
        with self._lock:
            self.changes += 1
            self._used(name).append(message, MESSAGE_OVERHEAD_BYTES + sum(map(len, texts)))

    def take_over(self, received: dict[str, Received]) -> list[str]:
        """Add what the inboxes of another server had received; returns the names for which there
        is no room: what is here stays."""
        with self._lock:
            room = INBOXES.most - len(self._kept)
            new = [name for name in received if name not in self._kept]
            left_out = new[max(room, 0) :]
            self._gone += sum(len(received[name].messages) for name in left_out)
        for name in received.keys() - left_out:
            for message in received[name].messages:
                self.keep(name, message)
            with self._lock:
                self._used(name).before += received[name].uncertain
        return left_out

    def clear(self, name: str = "") -> None:
        """Empty an inbox: what it had before is certain from then on. Without a name, all."""
        with self._lock:
            self.changes += 1
            if name:
                inbox = self._used(name)
                inbox.clear()
                inbox.before = 0
            else:
                self._kept.clear()
                self._gone = 0

    def _used(self, name: str) -> _Inbox:
        """The inbox of this name, made if there is none. Caller holds the lock."""
        inbox = self._kept.pop(name, None)
        if inbox is None:
            inbox = _Inbox(self._gone, self._memory)
            if len(self._kept) >= INBOXES.most:
                oldest = self._kept.pop(next(iter(self._kept)))
                self._gone += len(oldest) + oldest.forgotten
        self._kept[name] = inbox
        return inbox

    def received(self, name: str, *, is_use: bool = True) -> Received:
        """What an inbox holds. ``is_use``: somebody wants this very one, and so it is kept."""
        with self._lock:
            inbox = self._kept.get(name)
            if inbox is None:
                return Received([], uncertain=self._gone)
            if is_use:
                self._used(name)
            return Received(*inbox.kept(), inbox.before)

    @property
    def forgotten(self) -> int:
        """How many messages are not kept any more, of all inboxes that were not emptied since."""
        with self._lock:
            return self._gone + sum(inbox.forgotten for inbox in self._kept.values())

    def sizes(self) -> dict[str, int]:
        """How much each inbox holds that has received anything, the one that was used last at the
        end."""
        with self._lock:
            kept = self._kept.items()
            return {name: len(inbox) for name, inbox in kept if inbox or inbox.forgotten}
