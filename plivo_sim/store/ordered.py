"""Records in the order of ``seq``, in pieces, so that nothing costs more when there are many.

A plain sorted list of 100,000 moves up to 100,000 places at each insert or removal. Here they
stand in pieces of some hundred, and which piece begins at which position is counted when somebody
asks for a page after a change.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate, chain
from operator import attrgetter
from typing import Generic, TypeVar

from plivo_sim.ports import Record

R = TypeVar("R", bound=Record)
LOAD = 512

_seq = attrgetter("seq")


def _last_seq(piece: list[R]) -> int:
    return piece[-1].seq


class Run(Generic[R]):
    """See the module. ``records`` come in order; no two have the same ``seq``."""

    __slots__ = ("_pieces", "_size", "_starts")

    def __init__(self, records: Iterable[R] = ()) -> None:
        every = list(records)
        self._pieces = [every[at : at + LOAD] for at in range(0, len(every), LOAD)]
        self._size = len(every)
        self._starts: list[int] | None = None

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[R]:
        return chain.from_iterable(self._pieces)

    @property
    def first_seq(self) -> int:
        """Of the oldest; 0 when there is none."""
        return self._pieces[0][0].seq if self._pieces else 0

    @property
    def last_seq(self) -> int:
        """Of the newest; 0 when there is none."""
        return self._pieces[-1][-1].seq if self._pieces else 0

    def has(self, seq: int) -> bool:
        """Whether there is a record with this ``seq``."""
        return self._find(seq)[2]

    def put(self, record: R) -> None:
        """Add a record, or replace the one with its ``seq``."""
        seq = record.seq
        if not self._pieces or self._pieces[-1][-1].seq < seq:
            self._append(record)
            return
        piece, place, found = self._find(seq)
        records = self._pieces[piece]
        if found:
            records[place] = record
            return
        records.insert(place, record)
        self._grown(piece)

    def remove(self, seq: int) -> None:
        """Take out the record with this ``seq``, which is there."""
        piece, place, found = self._find(seq)
        assert found
        del self._pieces[piece][place]
        if not self._pieces[piece]:
            del self._pieces[piece]
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
        pieces = self._pieces
        last = len(pieces) - 1
        if last < 0 or pieces[last][-1].seq < seq:
            return last + 1, 0, False
        piece = last if pieces[last][0].seq <= seq else bisect_left(pieces, seq, key=_last_seq)
        records = pieces[piece]
        place = bisect_left(records, seq, key=_seq)
        return piece, place, records[place].seq == seq

    def _append(self, record: R) -> None:
        if not self._pieces or len(self._pieces[-1]) >= LOAD:
            self._pieces.append([])
            self._starts = None
        self._pieces[-1].append(record)
        self._size += 1

    def _grown(self, piece: int) -> None:
        self._size += 1
        self._starts = None
        records = self._pieces[piece]
        if len(records) > 2 * LOAD:
            self._pieces[piece : piece + 1] = [records[:LOAD], records[LOAD:]]

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
    low, high = min(run.first_seq for run in runs), max(run.last_seq for run in runs)
    while low < high:
        middle = (low + high) // 2
        if sum(run.rank(middle + 1) for run in runs) > offset:
            high = middle
        else:
            low = middle + 1
    found = [record for run in runs for record in run.window(run.rank(low), limit)]
    return sorted(found, key=_seq)[:limit]
