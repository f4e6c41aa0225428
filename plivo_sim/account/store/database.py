"""The database of one account: TinyDB with our storage, transactions, and a table of our own.

The table finds by id and by field in O(1) and pages without sorting. Stock TinyDB rebuilds the
whole table on every operation. This one works on the storage's own records, keeps them in order of
``seq``, and makes an index for a combination of fields the first time somebody filters by it.
TinyDB's public API (``insert``, ``search``, ``update`` …) keeps working, through the two methods
that it funnels into, at TinyDB's own cost; ids are always given, never counted up:
``insert(Document(values, doc_id=values["id"]))``.

Not public API of TinyDB that is relied on: ``Table._read_table``, ``Table._update_table``,
``Table._get_next_id`` (tinydb < 5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from operator import attrgetter, is_
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from tinydb import TinyDB
from tinydb.table import Table

from plivo_sim.account.interfaces import Mark, Page, Record, Where
from plivo_sim.account.store.compaction import Rows
from plivo_sim.account.store.directory import unguarded
from plivo_sim.account.store.format import RECORD_TYPES, Op, from_plain, to_plain
from plivo_sim.account.store.index import Index, Run, merged_window
from plivo_sim.account.store.journal import JournalStorage, OpenJournals
from plivo_sim.account.store.syncing import NEVER
from plivo_sim.domain.records import (
    Application,
    AtomsApplication,
    Delivery,
    Document,
    EndUser,
    Explanation,
    Ledger,
    PhoneNumber,
    Policy,
    Timer,
)

R = TypeVar("R", bound=Record)
MOST_INDEXES = 24
FEW = 64
"""So many candidates are looked at one by one rather than indexed in one more way."""

WEIGHTS: dict[str, Callable[[Any], int]] = {"deliveries": lambda delivery: delivery.size_bytes}
"""About how many bytes a record takes, of those kinds that are kept up to a sum of them."""

MANY_VALUED = frozenset(
    {"alias", "end_user_id", "document_ids", "application_id", "subject_id", "name", "file_sha256"}
)
"""Fields with so many values that one of them leaves few records."""


class RecordTable(Table, Generic[R]):
    """The records of one kind. Its account's lock guards it; writes belong in a transaction."""

    document_id_class = str  # type: ignore[assignment]  # TinyDB annotates int; str is documented

    def __init__(self, storage: JournalStorage, name: str, cache_size: int = 0) -> None:
        super().__init__(storage, name, cache_size=cache_size)
        self._journal = storage
        self._named = name
        self._weigh = WEIGHTS.get(name)
        self.on_change: Callable[[str, str, R | None], None] = _unwatched
        self.transaction: Callable[[], AbstractContextManager[None]] = nullcontext
        self.refresh()

    def refresh(self) -> None:
        """Forget what was derived from the records: they were replaced as a whole."""
        self._rows = cast("dict[str, R]", self._journal.rows[self.name])
        self._order: Run[R] = Run(sorted(self._rows.values(), key=attrgetter("seq")))
        self._indexes: dict[tuple[str, ...], Index[R]] = {}
        self.weight = sum(map(self._weigh, self._rows.values())) if self._weigh else 0

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

    def each(self, field: str, value: str | None) -> Iterator[R]:
        """Those of ``having`` one after the other; nothing may change meanwhile."""
        return iter(self._index((field,)).having(value) or ())

    def how_many(self, field: str, value: str | None) -> int:
        """How many ``having`` would find."""
        return self._index((field,)).count(value)

    def page(self, where: Where, *, offset: int = 0, limit: int = 20) -> Page[R]:
        """The records that match all of ``where``, from ``offset``, at most ``limit``."""
        runs = self._matching(where)
        return Page(merged_window(runs, offset, limit), sum(map(len, runs)))

    def __len__(self) -> int:
        return len(self._rows)

    def _set(self, id: str, before: R | None, record: R | None) -> None:
        if self._weigh is not None:
            self.weight += self._weigh(record) if record is not None else 0
            self.weight -= self._weigh(before) if before is not None else 0
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
        found = [index.having(key) for key in index.keys_for(where)]
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


def _matches(record: Record, where: Mapping[str, set[str | None]]) -> bool:
    for field, wanted in where.items():
        value = getattr(record, field)
        if wanted.isdisjoint(value if isinstance(value, tuple) else (value,)):
            return False
    return True


class _Transaction(AbstractContextManager[None]):
    """The outermost one: a class, as the brackets of a generator take longer than a small one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> None:
        self._database.begin()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._database.end(failed=kind is not None)


class Database(TinyDB):
    """All records of one account. Its account's lock must be held around every use.

    ``path``: the journal; None keeps everything in memory only. ``fsync``: ``always``,
    ``interval`` or ``never``. ``check``, ``opened``: see ``JournalStorage``. Of TinyDB's own API
    all works but the default table: there is none, and no tables beside those of the record types.
    """

    table_class = RecordTable  # type: ignore[assignment]  # a TinyDB extension point
    default_storage_class = JournalStorage  # type: ignore[assignment]  # likewise

    def __init__(
        self,
        path: Path | None = None,
        fsync: str = NEVER,
        check: Callable[[], None] = unguarded,
        opened: OpenJournals | None = None,
    ) -> None:
        super().__init__(path, fsync, check, opened)
        self.journal = cast(JournalStorage, self.storage)
        self._before: dict[tuple[str, str], Record | None] = {}
        self._is_open = False
        self.ledger: RecordTable[Ledger] = self._records("ledger")
        self.end_users: RecordTable[EndUser] = self._records("end_users")
        self.documents: RecordTable[Document] = self._records("documents")
        self.applications: RecordTable[Application] = self._records("applications")
        self.numbers: RecordTable[PhoneNumber] = self._records("numbers")
        self.timers: RecordTable[Timer] = self._records("timers")
        self.deliveries: RecordTable[Delivery] = self._records("deliveries")
        self.policies: RecordTable[Policy] = self._records("policies")
        self.explanations: RecordTable[Explanation] = self._records("explanations")
        self.atoms_applications: RecordTable[AtomsApplication] = self._records("atoms_applications")

    def _records(self, name: str) -> RecordTable[Any]:
        table: RecordTable[Any] = cast("RecordTable[Any]", self.table(name))
        table.on_change = self._note
        table.transaction = self.transaction
        return table

    # --- TinyDB's own API ------------------------------------------------------------------

    def table(self, name: str, **kwargs: Any) -> Table:
        """One of the tables below. Raises ValueError for any other name."""
        if name not in RECORD_TYPES:
            raise ValueError(f"no table {name!r}; there are {', '.join(RECORD_TYPES)}")
        return super().table(name, **kwargs)

    def drop_table(self, name: str) -> None:
        """Forget the records of a table."""
        self.table(name).truncate()

    def drop_tables(self) -> None:
        """Forget every record, in one transaction."""
        with self.transaction():
            for name in RECORD_TYPES:
                self.drop_table(name)

    def __repr__(self) -> str:
        counts = ", ".join(f"{name}={len(rows)}" for name, rows in self.journal.rows.items())
        return f"<Database {self.journal.path or 'in memory'}: {counts}>"

    def __len__(self) -> int:
        """How many records there are in all tables."""
        return sum(len(rows) for rows in self.journal.rows.values())

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"Database has no {name!r}, and no default table to look in")

    # --- ours ------------------------------------------------------------------------------

    def table_of(self, name: str) -> RecordTable[Any]:
        return cast("RecordTable[Any]", self.table(name))

    def _note(self, table: str, id: str, before: Record | None) -> None:
        """Remember how a row was, the first time that a transaction touches it."""
        if not self._is_open:
            raise RuntimeError(f"write to {table} outside a transaction")
        self._before.setdefault((table, id), before)

    def transaction(self) -> AbstractContextManager[None]:
        """All the writes within, or none: an error takes them back. Nested ones join the outer.

        Raises StorageFailed when the journal cannot be written; the writes are taken back.
        """
        return nullcontext() if self._is_open else _Transaction(self)

    def begin(self) -> None:
        """From here on rows may be changed."""
        self._is_open = True

    def end(self, *, failed: bool) -> None:
        """Keep what was changed, or take it back. Raises StorageFailed; then it is taken back."""
        try:
            if failed:
                self._roll_back()
            elif self._before:
                self._write()
        finally:
            self._is_open = False
            self._before.clear()

    def _write(self) -> None:
        try:
            self.journal.append(self._changed())
        except BaseException:
            self._roll_back()
            raise

    @property
    def dirty(self) -> bool:
        """Whether the running transaction has changed something."""
        return bool(self._before)

    def _changed(self) -> list[Op]:
        return [(table, id, self.journal.rows[table].get(id)) for table, id in self._before]

    def _roll_back(self) -> None:
        # Backwards: a new row may have the seq of an old one that was dropped before it.
        for (name, id), before in reversed(self._before.items()):
            table = self.table_of(name)
            if before is not None or table.fetch(id) is not None:
                table.restore_row(id, before)

    def mark(self) -> Mark:
        """The state now, to come back to."""
        return {name: dict(rows) for name, rows in self.journal.rows.items()}

    def restore(self, mark: Mark) -> None:
        """Make a mark the state; raises StorageFailed when it cannot be written."""
        with self.restoring(mark):
            pass

    @contextmanager
    def restoring(self, mark: Mark) -> Iterator[None]:
        """Make a mark the state, and what is written within; all of it or, after an error,
        nothing. Not within a transaction. Raises StorageFailed when it cannot be written.

        A mark shares its records with the state, so what did not change since is told by looking:
        where that is most, only the rest is changed, written and indexed.
        """
        if any(mark.values()) and self._changed_since(mark) * 4 <= len(self):
            with self.transaction():
                for name in RECORD_TYPES:
                    self.table_of(name).become(mark.get(name, {}))
                yield
            return
        before = self.journal.rows
        self._show({name: dict(mark.get(name, {})) for name in RECORD_TYPES})
        self.begin()
        try:
            yield
            self.journal.replace(self.journal.rows)
        except BaseException:
            self._show(before)
            raise
        finally:
            self._is_open = False
            self._before.clear()

    def _show(self, rows: dict[str, Rows]) -> None:
        self.journal.rows = rows
        for name in RECORD_TYPES:
            self.table_of(name).refresh()

    def _changed_since(self, mark: Mark) -> int:
        changed = 0
        for name, now in self.journal.rows.items():
            then = mark.get(name, {})
            kept = sum(map(is_, then.values(), map(now.get, then)))
            changed += max(len(now), len(then)) - kept
        return changed

    def reset(self) -> None:
        """Forget every record."""
        self.restore({})
