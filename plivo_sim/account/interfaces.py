"""What the middle needs from the outside, as protocols: a store, files, a way to send callbacks.

The account and its services know these only; TinyDB, disks and sockets are behind them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from plivo_sim.domain.limits import DAMAGED_REST
from plivo_sim.domain.records import (
    Application,
    AtomsApplication,
    Delivery,
    Document,
    EndUser,
    Explanation,
    Ledger,
    Pairs,
    PhoneNumber,
    Policy,
    Timer,
)
from plivo_sim.domain.urls import Way, option_and_variable


class Record(Protocol):
    """What every stored record has: its id and its place in the account's history."""

    @property
    def id(self) -> str: ...
    @property
    def seq(self) -> int: ...


R = TypeVar("R", bound=Record)
Where = Mapping[str, Collection[str | None]]
"""Field name -> the values that match (any of them); None is a field that is not filled in."""

State = tuple[int, int]
"""How often an account went to another moment, and how often it was written to."""
Wrote = tuple[State, State]
"""The states after the first and the last write of a call."""
Mark = dict[str, dict[str, Any]]
"""A store's state at one moment: table -> id -> record."""


@dataclass(slots=True)
class FaultCounts:
    """What the faults of an account have counted, in memory only. ``hits``: by id of a fault, the
    calls that it matched; ``struck``: those that it struck. ``windows``: by id of a
    fault with a quota, when calls were let through, in real seconds since 1970."""

    hits: dict[str, int] = field(default_factory=dict)
    struck: dict[str, int] = field(default_factory=dict)
    windows: dict[str, deque[float]] = field(default_factory=dict)

    def copy(self) -> FaultCounts:
        windows = {id: window.copy() for id, window in self.windows.items()}
        return FaultCounts(self.hits.copy(), self.struck.copy(), windows)

    def forget(self, id: str) -> None:
        """Count a fault anew."""
        self.hits.pop(id, None)
        self.struck.pop(id, None)
        self.windows.pop(id, None)


class Moment(Mark):
    """A mark of an account, with what its faults had counted then."""

    def __init__(self, mark: Mark, faults: FaultCounts) -> None:
        super().__init__(mark)
        self.faults = faults.copy()


@dataclass(frozen=True, slots=True)
class UndoPoint:
    """A moment to go back to, from before something was done: ``what``. ``number``: from 1, in this
    process. ``at`` is simulated; ``made_s``: real seconds since 1970. ``state``: the account's own
    then; while it has the same one, nothing was written."""

    number: int
    what: str
    at: datetime
    made_s: float
    state: State
    mark: Mark


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """Some records of a list, oldest first, and how many there are in all."""

    records: list[R]
    total_count: int


WHOLE, FILES = ".whole.damaged", ".files.damaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """A place where a state file was damaged: the state is as it was before that line.

    ``kept_in``: the file with the rest from there on, ``size_bytes`` of it, in which
    ``whole_lines`` transactions are still readable: of a rest of more than ``DAMAGED_REST``, in so
    much of it. If its name ends with ``WHOLE``, what is before the rest is in it too; if with
    ``FILES``, it is the folder of the files that were uploaded, of whose records none is left.
    ``torn``: the rest is one unfinished line, which was being written when the process died and was
    never acknowledged.
    """

    file: str
    line: int
    offset: int
    size_bytes: int
    whole_lines: int
    torn: bool
    kept_in: str

    def __str__(self) -> str:
        if self.kept_in.endswith(FILES):
            return (
                f"{self.file} was DAMAGED; none of its records is left: {self.size_bytes} bytes of"
                f" uploaded files are in {self.kept_in}"
            )
        if self.torn:
            what = "ended in a torn line, the one that was being written"
        else:
            what = "was DAMAGED; everything from there on is not in the state"
            if self.whole_lines:
                least = "at least " if self.size_bytes > DAMAGED_REST.most else ""
                what += f", {least}{self.whole_lines} whole lines after the damage among it"
        where = f"at line {self.line}, byte {self.offset}"
        kept = f"{self.size_bytes} bytes are in {self.kept_in}"
        if self.kept_in.endswith(WHOLE):
            kept += ", which is all of the old journal: they are too many to copy"
        return f"{self.file} {what}, {where}: {kept}"


class Rows(Protocol[R]):
    """One kind of record. Writes belong in the store's transaction. ``weight``: about how many
    bytes they take, of those kinds that are kept up to a sum of them."""

    weight: int

    def fetch(self, id: str) -> R | None: ...
    def put(self, record: R) -> None: ...
    def drop(self, id: str) -> None: ...
    def every(self) -> Iterator[R]: ...
    def having(self, field: str, value: str) -> list[R]: ...
    def each(self, field: str, value: str) -> Iterator[R]: ...
    def how_many(self, field: str, value: str) -> int: ...
    def page(self, where: Where, *, offset: int = 0, limit: int = 20) -> Page[R]: ...
    def __len__(self) -> int: ...


class Store(Protocol):
    """All records of one account. Its account's lock must be held around every use."""

    @property
    def ledger(self) -> Rows[Ledger]: ...
    @property
    def end_users(self) -> Rows[EndUser]: ...
    @property
    def documents(self) -> Rows[Document]: ...
    @property
    def applications(self) -> Rows[Application]: ...
    @property
    def numbers(self) -> Rows[PhoneNumber]: ...
    @property
    def timers(self) -> Rows[Timer]: ...
    @property
    def deliveries(self) -> Rows[Delivery]: ...
    @property
    def policies(self) -> Rows[Policy]: ...
    @property
    def explanations(self) -> Rows[Explanation]: ...
    @property
    def atoms_applications(self) -> Rows[AtomsApplication]: ...
    @property
    def dirty(self) -> bool:
        """Whether the running transaction has changed something."""

    def transaction(self) -> AbstractContextManager[None]:
        """All the writes within, or none. Raises StorageFailed."""

    def mark(self) -> Mark:
        """The state now, to come back to."""

    def restoring(self, mark: Mark) -> AbstractContextManager[None]:
        """Make a mark the state, and what is written within: all or nothing. Raises
        StorageFailed."""

    def close(self) -> None: ...


class FileStore(Protocol):
    """Keeps contents under the SHA-256 of what they hold. Raises ValueError for a name that is
    none."""

    def keep(self, content: bytes, sha256: str = "") -> str:
        """Store it (again is free); returns its hash, which a caller may know already. Raises
        StorageFailed."""

    def prepare(self, content: bytes, sha256: str) -> Callable[[], None]:
        """What ``keep`` of this very content would take long for, without the account's lock;
        returns what leaves nothing of it, to be called once the content is kept or refused. What
        cannot be done now is left to ``keep``."""

    def size_with(self, more: Mapping[str, int]) -> int:
        """How many bytes it keeps with these (hash -> bytes) that come. Raises StorageFailed."""

    def read(self, sha256: str) -> bytes | None:
        """The content, or None if nobody keeps it. Raises FileDamaged for one that cannot be read
        or that is another."""

    def forget(self, sha256: str) -> bool:
        """Drop this file, if it is there; returns whether it is gone. Why not is told in the log:
        whoever asked for it is not refused for it."""

    def forget_all_but(self, kept: Collection[str]) -> bool:
        """Drop every file whose hash is not among ``kept``; see ``forget``."""


class Outgoing(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One HTTP request to be sent to a receiver, for an account. ``way``: how other hosts are
    allowed."""

    method: str
    url: str
    headers: Pairs
    body: bytes
    timeout_s: float
    allowed_hosts: tuple[str, ...] = ()
    account: str = ""
    way: Way = option_and_variable


class Answer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What came back: a status and the start of the body, or an error and neither. ``damage``: what
    is wrong with that body, in a sentence."""

    status: int | None = None
    body: str = ""
    damage: str = ""
    error: str | None = None
    latency_s: float = 0.0


class Transport(Protocol):
    """Sends one request; never raises, whatever the receiver does. What it raises is this process's
    own fault: it wants descriptors, memory or threads, see ``descriptors.is_wanting``.

    One that has a true ``immediate`` answers without waiting: it is asked in turn, without threads.
    One that has a ``cut`` can be told, from another thread, to give up the sending of a request.
    """

    def send(self, request: Outgoing) -> Answer: ...
