"""A TinyDB table that finds by id and by field in O(1) and pages without sorting.

Stock TinyDB rebuilds the whole table on every operation. This one works on the storage's own
records, keeps them in order of ``seq``, and makes an index for a combination of fields the first
time somebody filters by it. TinyDB's public API (``insert``, ``search``, ``update`` …) keeps
working, through the two methods that it funnels into, at TinyDB's own cost; ids are always given,
never counted up: ``insert(Document(values, doc_id=values["id"]))``.

Not public API of TinyDB that is relied on: ``Table._read_table``, ``Table._update_table``,
``Table._get_next_id`` (tinydb < 5).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Generic, TypeVar, cast

from tinydb.table import Table

from plivo_sim.ports import Page, Record, Where
from plivo_sim.store.codec import from_plain, to_plain
from plivo_sim.store.journal import JournalStorage

R = TypeVar("R", bound=Record)
MOST_INDEXES = 24


class Index:
    """Which records (by ``seq``, ascending) have which values in some fields.

    A field that holds a tuple counts under each of its elements; ``overlaps`` says that there is
    one, so that a record may have several places.
    """

    def __init__(self, fields: tuple[str, ...], records: Iterator[Record]) -> None:
        self.fields = fields
        self.overlaps = False
        self.places: dict[tuple[str, ...], list[int]] = {}
        for record in records:
            self.add(record)

    def add(self, record: Record) -> None:
        for key in self._keys(record):
            seqs = self.places.setdefault(key, [])
            if not seqs or seqs[-1] < record.seq:
                seqs.append(record.seq)
            else:
                insort(seqs, record.seq)

    def discard(self, record: Record) -> None:
        for key in self._keys(record):
            seqs = self.places[key]
            del seqs[bisect_left(seqs, record.seq)]
            if not seqs:
                del self.places[key]

    def _keys(self, record: Record) -> Iterator[tuple[str, ...]]:
        keys: list[tuple[str, ...]] = [()]
        for field in self.fields:
            value = getattr(record, field)
            if isinstance(value, tuple):
                self.overlaps = True
            values = value if isinstance(value, tuple) else (value,)
            keys = [(*key, each) for key in keys for each in dict.fromkeys(values)]
        return iter(keys)


class RecordTable(Table, Generic[R]):
    """See the module. Its world's lock guards it; writes belong in a database transaction."""

    document_id_class = str  # type: ignore[assignment]  # TinyDB annotates int; str is documented

    def __init__(self, storage: JournalStorage, name: str, cache_size: int = 0) -> None:
        super().__init__(storage, name, cache_size=cache_size)
        self._journal = storage
        self.on_change: Callable[[str, str, R | None], None] = _unwatched
        self.transaction: Callable[[], AbstractContextManager[None]] = nullcontext
        self.refresh()

    def refresh(self) -> None:
        """Forget what was derived from the records: they were replaced as a whole."""
        self._rows = cast("dict[str, R]", self._journal.rows[self.name])
        self._order = sorted(record.seq for record in self._rows.values())
        self._id_of = {record.seq: id for id, record in self._rows.items()}
        self._indexes: dict[tuple[str, ...], Index] = {}

    # --- records -------------------------------------------------------------------------

    def fetch(self, id: str) -> R | None:
        """The record with this id."""
        return self._rows.get(id)

    def put(self, record: R) -> None:
        """Add a record, or replace the one with its id, whose ``seq`` it must keep.

        Raises ValueError for another ``seq``, or one that another record has.
        """
        before = self._rows.get(record.id)
        if self._id_of.get(record.seq, record.id) != record.id or (
            before is not None and before.seq != record.seq
        ):
            raise ValueError(f"{self.name} {record.id}: seq {record.seq} is not its own")
        self.on_change(self.name, record.id, before)
        self._set(record.id, record)

    def drop(self, id: str) -> None:
        """Remove the record with this id, if there is one."""
        before = self._rows.get(id)
        if before is None:
            return
        self.on_change(self.name, id, before)
        self._set(id, None)

    def restore_row(self, id: str, record: R | None) -> None:
        """Put a row back as it was (roll-back); not journalled."""
        self._set(id, record)

    def every(self) -> Iterator[R]:
        """All records, oldest first."""
        return (self._rows[self._id_of[seq]] for seq in self._order)

    def having(self, field: str, value: str) -> list[R]:
        """The records with this value in this field (or in it, if it is a tuple)."""
        seqs = self._index((field,)).places.get((value,), [])
        return [self._rows[self._id_of[seq]] for seq in seqs]

    def page(self, where: Where, *, offset: int = 0, limit: int = 20) -> Page[R]:
        """The records that match all of ``where``, from ``offset``, at most ``limit``."""
        lists = self._matching(where)
        total = sum(map(len, lists))
        seqs = _window(lists, offset, limit)
        return Page([self._rows[self._id_of[seq]] for seq in seqs], total)

    def __len__(self) -> int:
        return len(self._rows)

    def _set(self, id: str, record: R | None) -> None:
        before = self._rows.get(id)
        for index in self._indexes.values():
            if before is not None:
                index.discard(before)
            if record is not None:
                index.add(record)
        if record is None:
            assert before is not None
            del self._rows[id], self._id_of[before.seq]
            del self._order[bisect_left(self._order, before.seq)]
        else:
            self._rows[id] = record
            if before is None:
                self._id_of[record.seq] = id
                if not self._order or self._order[-1] < record.seq:
                    self._order.append(record.seq)
                else:
                    insort(self._order, record.seq)

    def _matching(self, where: Where) -> list[list[int]]:
        if not where:
            return [self._order]
        fields = tuple(sorted(where))
        keys: list[tuple[str, ...]] = [()]
        for field in fields:
            keys = [(*key, value) for key in keys for value in dict.fromkeys(where[field])]
        index = self._index(fields)
        lists = [index.places[key] for key in keys if key in index.places]
        if index.overlaps and len(lists) > 1:
            return [sorted(set().union(*lists))]
        return lists

    def _index(self, fields: tuple[str, ...]) -> Index:
        index = self._indexes.get(fields)
        if index is None:
            if len(self._indexes) >= MOST_INDEXES:
                del self._indexes[next(iter(self._indexes))]
            index = self._indexes[fields] = Index(fields, self.every())
        return index

    # --- what TinyDB's own methods funnel into ---------------------------------------------

    def _read_table(self) -> dict[str, Mapping[str, Any]]:
        return {id: to_plain(record) for id, record in self._rows.items()}

    def _update_table(self, updater: Callable[[dict[Any, Any]], None]) -> None:
        plain: dict[str, Any] = {id: to_plain(record) for id, record in self._rows.items()}
        updater(plain)
        made = cast("dict[str, R]", {id: from_plain(self.name, p) for id, p in plain.items()})
        for id, record in made.items():
            if record.id != id:
                raise ValueError(f"{self.name}: document {id!r} holds the id {record.id!r}")
        with self.transaction():
            for id in [id for id in self._rows if id not in made]:
                self.drop(id)
            for id, record in made.items():
                if record != self._rows.get(id):
                    self.put(record)
        self.clear_cache()

    def _get_next_id(self) -> int:
        raise ValueError("ids are given: insert(Document(values, doc_id=values['id']))")


def _unwatched(table: str, id: str, before: Record | None) -> None:
    """Nobody keeps track of this table's changes."""


def _window(lists: list[list[int]], offset: int, limit: int) -> list[int]:
    """Positions ``offset`` to ``offset + limit`` of the merged sorted lists, without merging all.

    The lists are disjoint. Finds, by bisecting over the values, where the window starts.
    """
    if len(lists) == 1:
        return lists[0][offset : offset + limit]
    if not lists or offset >= sum(map(len, lists)):
        return []
    low, high = min(each[0] for each in lists), max(each[-1] for each in lists) + 1
    while low < high:
        middle = (low + high) // 2
        if sum(bisect_left(each, middle + 1) for each in lists) > offset:
            high = middle
        else:
            low = middle + 1
    tails = [each[(at := bisect_left(each, low)) : at + limit] for each in lists]
    return sorted(seq for tail in tails for seq in tail)[:limit]
