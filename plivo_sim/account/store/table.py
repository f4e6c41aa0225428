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

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from operator import attrgetter
from typing import Any, Generic, TypeVar, cast

from tinydb.table import Table

from plivo_sim.account.ports import Page, Record, Where
from plivo_sim.account.store.format import from_plain, to_plain
from plivo_sim.account.store.index import Index, Run, merged_window
from plivo_sim.account.store.journal import JournalStorage

R = TypeVar("R", bound=Record)


MOST_INDEXES = 24


FEW = 64
"""So many candidates are looked at one by one rather than indexed in one more way."""


MANY_VALUED = frozenset(
    {"alias", "end_user_id", "document_ids", "application_id", "subject_id", "name", "file_sha256"}
)
"""Fields with so many values that one of them leaves few records."""


class RecordTable(Table, Generic[R]):
    """See the module. Its account's lock guards it; writes belong in a database transaction."""

    document_id_class = str  # type: ignore[assignment]  # TinyDB annotates int; str is documented

    def __init__(self, storage: JournalStorage, name: str, cache_size: int = 0) -> None:
        super().__init__(storage, name, cache_size=cache_size)
        self._journal = storage
        self._named = name
        self.on_change: Callable[[str, str, R | None], None] = _unwatched
        self.transaction: Callable[[], AbstractContextManager[None]] = nullcontext
        self.refresh()

    def refresh(self) -> None:
        """Forget what was derived from the records: they were replaced as a whole."""
        self._rows = cast("dict[str, R]", self._journal.rows[self.name])
        self._order: Run[R] = Run(sorted(self._rows.values(), key=attrgetter("seq")))
        self._indexes: dict[tuple[str, ...], Index[R]] = {}

    # --- records -------------------------------------------------------------------------

    def fetch(self, id: str) -> R | None:
        """The record with this id."""
        return self._rows.get(id)

    def put(self, record: R) -> None:
        """Add a record, or replace the one with its id, whose ``seq`` it must keep.

        Raises ValueError for another ``seq``, or one that another record has.
        """
        before, seq = self._rows.get(record.id), record.seq
        if self._order.has(seq) if before is None else before.seq != seq:
            raise ValueError(f"{self.name} {record.id}: seq {record.seq} is not its own")
        self.on_change(self._named, record.id, before)
        self._set(record.id, before, record)

    def drop(self, id: str) -> None:
        """Remove the record with this id, if there is one."""
        before = self._rows.get(id)
        if before is not None:
            self.on_change(self._named, id, before)
            self._set(id, before, None)

    def restore_row(self, id: str, record: R | None) -> None:
        """Put a row back as it was (roll-back); not journalled."""
        self._set(id, self._rows.get(id), record)

    def become(self, rows: Mapping[str, R]) -> None:
        """Change what differs from these rows, record by record."""
        now = self._rows
        changed = [r for id, r in rows.items() if now.get(id) is not r]
        gone = [id for id in now if id not in rows]
        moved = [r.id for r in changed if r.id in now and now[r.id].seq != r.seq]
        for id in (*gone, *moved):
            self.drop(id)
        for record in changed:
            self.put(record)

    def every(self) -> Iterator[R]:
        """All records, oldest first."""
        return iter(self._order)

    def having(self, field: str, value: str) -> list[R]:
        """The records with this value in this field (or in it, if it is a tuple)."""
        return list(self.each(field, value))

    def each(self, field: str, value: str) -> Iterator[R]:
        """Those of ``having`` one after the other; nothing may change meanwhile."""
        return iter(self._index((field,)).having(value) or ())

    def how_many(self, field: str, value: str) -> int:
        """How many ``having`` would find."""
        return self._index((field,)).count(value)

    def page(self, where: Where, *, offset: int = 0, limit: int = 20) -> Page[R]:
        """The records that match all of ``where``, from ``offset``, at most ``limit``."""
        runs = self._matching(where)
        return Page(merged_window(runs, offset, limit), sum(map(len, runs)))

    def __len__(self) -> int:
        return len(self._rows)

    def _set(self, id: str, before: R | None, record: R | None) -> None:
        if record is None:
            assert before is not None
            for index in self._indexes.values():
                index.discard(before)
            del self._rows[id]
            self._order.remove(before.seq)
            return
        for index in self._indexes.values():
            index.put(record, before)
        self._rows[id] = record
        self._order.put(record)

    def _matching(self, where: Where) -> list[Run[R]]:
        """Disjoint runs that hold what matches."""
        if not where:
            return [self._order]
        if len(where) > 1 and (few := self._few(where)) is not None:
            return [Run(few)]
        index = self._index(tuple(sorted(where)))
        found = [index.having(key) for key in index.keys_for(dict(where))]
        runs = [run for run in found if run is not None]
        if index.overlaps and len(runs) > 1:
            by_seq = {record.seq: record for run in runs for record in run}
            return [Run(by_seq[seq] for seq in sorted(by_seq))]
        return runs

    def _few(self, where: Where) -> list[R] | None:
        """What matches, found one by one where a field of many values leaves few to look at."""
        for field in where:
            if field not in MANY_VALUED or len(where[field]) != 1:
                continue
            (value,) = where[field]
            if self.how_many(field, value) <= FEW:
                others = {name: set(values) for name, values in where.items() if name != field}
                return [record for record in self.each(field, value) if _matches(record, others)]
        return None

    def _index(self, fields: tuple[str, ...]) -> Index[R]:
        index = self._indexes.get(fields)
        if index is None:
            if len(self._indexes) >= MOST_INDEXES:
                del self._indexes[next(iter(self._indexes))]
            index = self._indexes[fields] = Index(fields, self._order)
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


def _matches(record: Record, where: Mapping[str, set[str]]) -> bool:
    for field, wanted in where.items():
        value = getattr(record, field)
        if wanted.isdisjoint(value if isinstance(value, tuple) else (value,)):
            return False
    return True
