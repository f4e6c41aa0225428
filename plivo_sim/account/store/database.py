"""The database of one account: TinyDB with our table and storage, and transactions."""

from __future__ import annotations

from contextlib import AbstractContextManager
from operator import is_
from pathlib import Path
from typing import Any, TypeVar, cast

from tinydb import TinyDB
from tinydb.table import Table

from plivo_sim.account.account import Bracket
from plivo_sim.account.ports import Mark, Record
from plivo_sim.account.store.disk import NEVER
from plivo_sim.account.store.format import RECORD_TYPES, Op
from plivo_sim.account.store.journal import JournalStorage
from plivo_sim.account.store.table import RecordTable
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


class Database(TinyDB):
    """All records of one account. Its account's lock must be held around every use.

    ``path``: the journal; None keeps everything in memory only. ``fsync``: ``always``,
    ``interval`` or ``never``. Of TinyDB's own API all works but the default table: there is none,
    and no tables beside those of the record types.
    """

    table_class = RecordTable  # type: ignore[assignment]  # a TinyDB extension point
    default_storage_class = JournalStorage  # type: ignore[assignment]  # likewise

    def __init__(self, path: Path | None = None, fsync: str = NEVER) -> None:
        super().__init__(path, fsync)
        self.journal = cast(JournalStorage, self.storage)
        self._before: dict[tuple[str, str], Record | None] = {}
        self._depth = 0
        self._transaction = Bracket(self._begin, self._end)
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
        if self._depth == 0:
            raise RuntimeError(f"write to {table} outside a transaction")
        self._before.setdefault((table, id), before)

    def transaction(self) -> AbstractContextManager[None]:
        """All the writes within, or none: an error takes them back. Nested ones join the outer.

        Raises StorageFailed when the journal cannot be written; the writes are taken back.
        """
        return self._transaction

    def _begin(self) -> None:
        self._depth += 1

    def _end(self, error: BaseException | None) -> None:
        try:
            if self._depth == 1 and self._before:
                self._write_or_roll_back(error)
        finally:
            self._depth -= 1
            if self._depth == 0:
                self._before.clear()

    def _write_or_roll_back(self, error: BaseException | None) -> None:
        if error is not None:
            self._roll_back()
        else:
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
        """Make a mark the state; raises StorageFailed when it cannot be written.

        A mark shares its records with the state, so what did not change since is told by looking:
        where that is most, only the rest is changed, written and indexed.
        """
        if self._changed_since(mark) * 4 > len(self):
            self.journal.replace({name: dict(mark.get(name, {})) for name in RECORD_TYPES})
            self._refresh()
            return
        with self.transaction():
            for name in RECORD_TYPES:
                self.table_of(name).become(mark.get(name, {}))

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

    def _refresh(self) -> None:
        for name in RECORD_TYPES:
            self.table_of(name).refresh()
