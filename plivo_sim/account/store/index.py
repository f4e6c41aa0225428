"""Which records have which values in some fields, each list in the order of ``seq``.

Records in the order of ``seq``, in pieces, so that nothing costs more when there are many.

A plain sorted list of 100,000 moves up to 100,000 places at each insert or removal. Here they
stand in pieces of some hundred, each beside the list of its ``seq``, in which a place is found
without a look at a record. Which piece begins at which position is counted when somebody asks for
a page after a change.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Iterator
from itertools import accumulate, chain, product
from math import prod
from operator import attrgetter, contains
from typing import Any, Generic, TypeVar, cast

from plivo_sim.account.interfaces import Record, Where

R = TypeVar("R", bound=Record)
LOAD = 512

_seq = attrgetter("seq")


class Run(Generic[R]):
    """See the module. ``records`` come in order; no two have the same ``seq``."""

    __slots__ = ("_lasts", "_pieces", "_seqs", "_size", "_starts")

    def __init__(self, records: Iterable[R] = ()) -> None:
        every = list(records)
        self._pieces = [every[at : at + LOAD] for at in range(0, len(every), LOAD)]
        self._seqs = [list(map(_seq, piece)) for piece in self._pieces]
        self._lasts = [seqs[-1] for seqs in self._seqs]
        self._size = len(every)
        self._starts: list[int] | None = None

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[R]:
        return chain.from_iterable(self._pieces)

    @property
    def first_seq(self) -> int:
        """Of the oldest; 0 when there is none."""
        return self._seqs[0][0] if self._seqs else 0

    @property
    def last_seq(self) -> int:
        """Of the newest; 0 when there is none."""
        return self._lasts[-1] if self._lasts else 0

    def has(self, seq: int) -> bool:
        """Whether there is a record with this ``seq``."""
        return self._find(seq)[2]

    def put(self, record: R) -> None:
        """Add a record, or replace the one with its ``seq``."""
        seq = record.seq
        if not self._lasts or self._lasts[-1] < seq:
            self._append(seq, record)
            return
        piece, place, found = self._find(seq)
        if found:
            self._pieces[piece][place] = record
            return
        self._pieces[piece].insert(place, record)
        self._seqs[piece].insert(place, seq)
        self._grown(piece)

    def remove(self, seq: int) -> None:
        """Take out the record with this ``seq``, which is there."""
        piece, place, found = self._find(seq)
        assert found
        seqs = self._seqs[piece]
        del self._pieces[piece][place], seqs[place]
        if seqs:
            self._lasts[piece] = seqs[-1]
        else:
            del self._pieces[piece], self._seqs[piece], self._lasts[piece]
        self._size -= 1
        self._starts = None

    def rank(self, seq: int) -> int:
        """How many records come before this ``seq``."""
        piece, place, _ = self._find(seq)
        return self._size if piece == len(self._pieces) else self._positions()[piece] + place

    def window(self, offset: int, limit: int) -> list[R]:
        """At most ``limit`` records from the position ``offset`` on."""
        if offset >= self._size or limit <= 0:
            return []
        starts = self._positions()
        piece = bisect_right(starts, offset) - 1
        place = offset - starts[piece]
        found = self._pieces[piece][place : place + limit]
        while len(found) < limit and (piece := piece + 1) < len(self._pieces):
            found += self._pieces[piece][: limit - len(found)]
        return found

    def _find(self, seq: int) -> tuple[int, int, bool]:
        piece = bisect_left(self._lasts, seq)
        if piece == len(self._lasts):
            return piece, 0, False
        seqs = self._seqs[piece]
        place = bisect_left(seqs, seq)
        return piece, place, seqs[place] == seq

    def _append(self, seq: int, record: R) -> None:
        if not self._pieces or len(self._pieces[-1]) >= LOAD:
            self._pieces.append([record])
            self._seqs.append([seq])
            self._lasts.append(seq)
            self._starts = None
        else:
            self._pieces[-1].append(record)
            self._seqs[-1].append(seq)
            self._lasts[-1] = seq
        self._size += 1

    def _grown(self, piece: int) -> None:
        self._size += 1
        self._starts = None
        records, seqs = self._pieces[piece], self._seqs[piece]
        if len(records) > 2 * LOAD:
            self._pieces[piece : piece + 1] = [records[:LOAD], records[LOAD:]]
            self._seqs[piece : piece + 1] = [seqs[:LOAD], seqs[LOAD:]]
            self._lasts[piece : piece + 1] = [seqs[LOAD - 1], seqs[-1]]

    def _positions(self) -> list[int]:
        if self._starts is None:
            self._starts = [0, *accumulate(map(len, self._pieces))][:-1]
        return self._starts


def merged_window(runs: list[Run[R]], offset: int, limit: int) -> list[R]:
    """Positions ``offset`` to ``offset + limit`` of disjoint runs, as if they were one.

    Bisects over ``seq`` for where the window starts, so that nothing is merged but the window.
    """
    if len(runs) == 1:
        return runs[0].window(offset, limit)
    if offset >= sum(map(len, runs)):
        return []
    low = _start_of_window(runs, offset) if offset else 0
    found = [record for run in runs for record in run.window(run.rank(low), limit)]
    return sorted(found, key=_seq)[:limit]


def _start_of_window(runs: list[Run[R]], offset: int) -> int:
    low, high = min(run.first_seq for run in runs), max(run.last_seq for run in runs)
    while low < high:
        middle = (low + high) // 2
        if sum(run.rank(middle + 1) for run in runs) > offset:
            high = middle
        else:
            low = middle + 1
    return low


Key = Hashable


class Index(Generic[R]):
    """A field that holds a tuple counts under each of its elements; ``overlaps`` says that there
    is one, so that a record may have several places. A property of the record is a field too.

    A value that one record has alone, as most ids are, costs no list.
    """

    def __init__(self, fields: tuple[str, ...], records: Iterable[R]) -> None:
        self.fields = fields
        self.overlaps = False
        self._value = attrgetter(*fields)
        self._single = len(fields) == 1
        self._places: dict[Key, R | Run[R]] = {}
        for record in records:
            self.put(record, None)

    def put(self, record: R, before: R | None) -> None:
        """Add a record; ``before``: what it replaces, with the same ``seq``."""
        keys = self._keys(record)
        if before is not None:
            old = self._keys(before)
            if old != keys:
                for key in old:
                    self._take(key, before)
        for key in keys:
            self._add(key, record)

    def discard(self, record: R) -> None:
        for key in self._keys(record):
            self._take(key, record)

    def having(self, key: Key) -> Run[R] | None:
        """The records under a key: of one field its value, of several the tuple of theirs."""
        place = self._places.get(key)
        if place is None or isinstance(place, Run):
            return place
        return Run((place,))

    def count(self, key: Key) -> int:
        place = self._places.get(key)
        return 0 if place is None else len(place) if isinstance(place, Run) else 1

    def keys_for(self, where: Where) -> list[Key]:
        """Every key that matches, where each field may have one of several values."""
        values = [dict.fromkeys(where[field]) for field in self.fields]
        if self._single:
            return list(values[0])
        if prod(map(len, values)) <= len(self._places):
            return list(product(*values))
        return [key for key in self._places if all(map(contains, values, cast("Any", key)))]

    def _add(self, key: Key, record: R) -> None:
        place = self._places.get(key)
        if isinstance(place, Run):
            place.put(record)
        elif place is None or place.seq == record.seq:
            self._places[key] = record
        else:
            both = (place, record) if place.seq < record.seq else (record, place)
            self._places[key] = Run(both)

    def _take(self, key: Key, record: R) -> None:
        place = self._places[key]
        if isinstance(place, Run) and len(place) > 1:
            place.remove(record.seq)
        else:
            del self._places[key]

    def _keys(self, record: R) -> list[Key]:
        value: Any = self._value(record)
        if self._single:
            if type(value) is not tuple:
                return [value]
            self.overlaps = True
            return list(dict.fromkeys(value))
        if tuple not in map(type, value):
            return [value]
        self.overlaps = True
        parts = [dict.fromkeys(v) if type(v) is tuple else (v,) for v in value]
        return cast("list[Key]", list(product(*parts)))
