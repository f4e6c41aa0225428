"""The storage behind TinyDB: records in memory, each transaction one checksummed line on disk.

TinyDB's own JSONStorage rewrites its file in place on every operation and a kill in the middle
loses all of it. Here a transaction is appended as one line (see ``format``); opening reads them
back, up to a damage. When the dead lines outweigh the living, the journal is
rewritten beside itself and renamed (see ``compaction``).

With ``path=None`` nothing is written: the same storage in memory.
"""

from __future__ import annotations

import errno
import logging
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Literal

from tinydb.storages import Storage

from plivo_sim.account.descriptors import MOST_JOURNALS
from plivo_sim.account.interfaces import Damage
from plivo_sim.account.store.compaction import Compaction, Rows, not_its_own
from plivo_sim.account.store.damage import damages_of, keep_files_aside, stated_checksum
from plivo_sim.account.store.directory import unguarded
from plivo_sim.account.store.disk import Identity, identity_at, identity_of, open_file
from plivo_sim.account.store.format import (
    RECORD_TYPES,
    Op,
    content_of,
    from_plain,
    header_of,
    line_of,
    read_journal,
    to_plain,
)
from plivo_sim.account.store.syncing import NEVER, Syncing
from plivo_sim.domain.errors import StateUnreadable, StorageFailed

logger = logging.getLogger("plivo_sim")

COMPACT_OVER_BYTES = 1 << 20
COMPACT_OVER_TIMES = 4
_NO_RECORD = (
    "has no record: a kill in the first write of its account leaves that, and that write was not"
    " acknowledged; a loss of power may leave the same (see --fsync)"
)


class JournalStorage(Storage):
    """See the module. ``rows`` is the state: table name -> id -> record.

    ``fsync``: see ``syncing``. ``check`` raises OSError when nothing may be written to the place
    any more. ``damages``: what of this journal was ever lost and still lies aside. Raises
    StateUnreadable when the file is not a journal that this version reads, StorageFailed when a
    line cannot be written (then nothing of it stays), when the journal is not as this storage left
    it, or after ``close``. ``opened`` says for how long it stays open.
    """

    def __init__(
        self,
        path: Path | None = None,
        fsync: str = NEVER,
        check: Callable[[], None] = unguarded,
        opened: OpenJournals | None = None,
    ) -> None:
        self.path = path
        self.rows: dict[str, Rows] = {name: {} for name in RECORD_TYPES}
        self.damages: list[Damage] = []
        self._syncing = Syncing(fsync)
        self._check = check
        self._opened = opened or OpenJournals()
        self._guard = threading.Lock()  # whoever closes it while it rests is of another account
        self._identity: Identity | None = None
        self._torn = False
        self._file: IO[bytes] | None = None
        self._compaction: Compaction | None = None
        self._size = 0
        self._size_compacted = 0
        self._checksum = 0
        self._closed = False
        if path is not None:
            self._checksum = stated_checksum(header_of(path)) or 0
            self._open_kept(path)

    # --- TinyDB's storage port -----------------------------------------------------------

    def read(self) -> dict[str, dict[str, Any]]:
        """Everything as plain JSON-able mappings, as stock TinyDB wants it."""
        return {
            name: {id: to_plain(record) for id, record in rows.items()}
            for name, rows in self.rows.items()
            if rows
        }

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        """Replace everything (TinyDB's whole-state write)."""
        self.replace(
            {
                name: {id: from_plain(name, plain) for id, plain in data.get(name, {}).items()}
                for name in RECORD_TYPES
            }
        )

    def close(self) -> None:
        """Let go of the file for good: from now on it may be another simulator's."""
        self._closed = True
        self._end()

    def rest(self, may_force: bool = True) -> bool:
        """Let go of the files until the next write, unless somebody is at them, whose disk may be
        slow; returns whether that is done. What is to be forced to the disk before is a reason
        against it, too, unless it ``may_force``. From any thread."""
        if not self._guard.acquire(blocking=False):
            return False
        try:
            is_owing = self._syncing.is_owing  # asked first: it is forced from there on
            if (is_owing and not may_force) or self._syncing.is_forcing:
                return False
            if self._compaction is not None:
                self._compaction.rest()
            self._let_go()
            return True
        finally:
            self._guard.release()

    def _end(self) -> None:
        """Let go of the journal as it is."""
        with self._guard:
            self._abandon_compaction()
            self._let_go()

    # --- ours ----------------------------------------------------------------------------

    def replace(self, rows: dict[str, Rows]) -> None:
        """Make ``rows`` the whole state, on disk too."""
        if self.path is not None:
            self._end()
            try:
                self._refuse_if_closed(self.path)
                self._check()
                if any(rows.values()):
                    self._rewrite(self.path, rows)
                else:
                    self._remove(self.path)
            except OSError as error:
                raise _failed(self.path, error) from error
        self.rows = rows

    def _remove(self, path: Path) -> None:
        """Nothing is left: the next write begins a new journal."""
        path.unlink(missing_ok=True)
        with suppress(OSError):  # it is gone: from here on there is no way back
            self._syncing.renamed(path)
        self._identity = None
        self._size = self._size_compacted = 0
        self._checksum = stated_checksum(header_of(path)) or 0

    def append(self, ops: Sequence[Op]) -> None:
        """Keep one transaction, already made in ``rows``: all of it or nothing."""
        if self.path is None:
            return
        with self._guard:
            self._append(self.path, ops)
        self._opened.used(self.rest)

    def _append(self, path: Path, ops: Sequence[Op]) -> None:
        line, checksum = line_of(content_of(ops), self._checksum)
        try:
            self._refuse_if_closed(path)
            self._check()
            if self._file is None:
                self._file = self._open(path)
            else:
                self._refuse_if_changed(path)
            self._torn = True
            _write_all(self._file, line)
            self._syncing.appended(self._file)
            self._torn = False
        except OSError as error:
            self._let_go()
            with suppress(OSError):  # else the next opening does it
                self._cut_back(path)
            raise _failed(path, error) from error
        self._size += len(line)
        self._checksum = checksum
        self._compact_a_little(path, ops)

    def _refuse_if_closed(self, path: Path) -> None:
        if self._closed:
            raise OSError(errno.EBADF, "the simulator is closed", str(path))

    def _refuse_if_changed(self, path: Path) -> None:
        """What is written to a journal that was removed or replaced, nobody will ever read."""
        found = _found(path)
        if found is None or (identity_of(found), found.st_size) != (self._identity, self._size):
            raise not_its_own()

    def _let_go(self) -> None:
        if self._file is not None:
            self._syncing.closing(self._file)
            self._file = None

    def _open(self, path: Path) -> IO[bytes]:
        self._cut_back(path)
        if self._identity is None:
            file = self._open_first(path)
        else:
            self._refuse_if_changed(path)
            file = open_file(path, "ab", 0)
        if self._size == 0:
            header = header_of(path)
            self._torn = True
            try:
                _write_all(file, header)
                self._syncing.renamed(path)
                self._torn = False
            except OSError:
                file.close()
                raise
            self._size = len(header)
        return file

    def _open_first(self, path: Path) -> IO[bytes]:
        self._syncing.own_folder(path.parent)
        file = open_file(path, "ab", 0)
        found = os.fstat(file.fileno())
        if found.st_size:
            file.close()
            raise not_its_own()
        self._identity = identity_of(found)
        return file

    def _cut_back(self, path: Path) -> None:
        """Take a half-written line back, so that the next one starts clean; with the journal, if it
        was the first: one without records would be taken for damaged."""
        found = _found(path)
        if self._torn and found is not None and identity_of(found) == self._identity:
            if self._size <= len(header_of(path)):
                path.unlink()
                self._identity, self._size = None, 0
                with suppress(OSError):  # files are in it
                    path.parent.rmdir()
            else:
                os.truncate(path, min(self._size, found.st_size))
            self._torn = False

    # --- compaction ----------------------------------------------------------------------

    def _compact_a_little(self, path: Path, ops: Sequence[Op]) -> None:
        """Compaction saves space, nothing else: a full disk must not fail the write it follows."""
        try:
            if self._compaction is not None:
                self._compaction.note(ops)
                if not self._compaction.step():
                    self._take_place(self._compaction)
                    self._compaction = None
            elif self._size > max(COMPACT_OVER_BYTES, COMPACT_OVER_TIMES * self._size_compacted):
                self._compaction = Compaction(path, self.rows, self._syncing)
        except OSError:
            self._abandon_compaction()
            self._size_compacted = self._size

    def _abandon_compaction(self) -> None:
        if self._compaction is not None:
            self._compaction.abandon()
            self._compaction = None

    def _rewrite(self, path: Path, rows: dict[str, Rows]) -> None:
        """All at once. Raises OSError; then the journal is as it was."""
        compaction = Compaction(path, rows, self._syncing)
        try:
            while compaction.step():
                pass
            self._take_place(compaction)
        except OSError:
            compaction.abandon()
            raise

    def _take_place(self, compaction: Compaction) -> None:
        self._let_go()  # before it is replaced: Windows replaces no file that is open
        self._identity, size, checksum = compaction.finish()
        self._size = self._size_compacted = size
        self._checksum = checksum

    # --- opening -------------------------------------------------------------------------

    def _open_kept(self, path: Path) -> None:
        aside = None
        try:
            if os.path.lexists(path):
                aside = self._take_up(path)
                path.with_suffix(".new").unlink(missing_ok=True)
            self.damages = damages_of(path, aside)
            if self._identity and not any(self.rows.values()):
                self._look_for_what_was_lost(path)
        except OSError as error:
            raise StateUnreadable(f"cannot use {path}: {error.strerror}") from error

    def _look_for_what_was_lost(self, path: Path) -> None:
        """Where no record is left. A line that is torn was not acknowledged, nor were its files."""
        if self.damages and all(each.torn for each in self.damages):
            return
        if files := keep_files_aside(path):
            self.damages = damages_of(path, files)
        elif not self.damages and self._size <= len(header_of(path)):
            logger.warning("%s %s", path, _NO_RECORD)

    def _take_up(self, path: Path) -> Path | None:
        kept = read_journal(path)
        self.rows = kept.rows
        self._size = kept.size
        self._identity = identity_at(path)
        self._size_compacted = 0  # how much of it lives is unknown: if it is large, rewrite it
        if kept.size:
            self._checksum = kept.checksum
        return kept.aside


def _write_all(file: IO[bytes], content: bytes) -> None:
    """An unbuffered write may take less than it is given, as on a disk that is nearly full."""
    left = memoryview(content)
    while left:
        left = left[file.write(left) :]


def _found(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except FileNotFoundError:
        return None


def _failed(path: Path, error: OSError) -> StorageFailed:
    return StorageFailed(f"cannot write {path}: {error.strerror or error}")


class OpenJournals:
    """Of one simulator: the journals that were written to last are open, the others closed until
    their next write, so that many accounts need few descriptors. Safe from any thread."""

    def __init__(self, most: int = MOST_JOURNALS) -> None:
        self._most = most
        self._guard = threading.Lock()
        self._open: dict[Rest, Literal[False] | None] = {}

    def used(self, rest: Rest) -> None:
        """One was written to; ``rest`` closes it, unless it is busy: then the next one is closed
        instead. One that has to be forced to the disk first is closed only when twice as many are
        open. Caller holds no journal's guard."""
        with self._guard:
            self._open.pop(rest, None)
            self._open[rest] = None
            excess = len(self._open) - self._most
            others = [*self._open][:-1] if excess > 0 else []
        for each in others:
            if excess <= 0:
                break
            with self._guard:
                is_open = self._open.pop(each, False) is None
            if is_open and not each(excess > self._most):
                with self._guard:
                    self._open.setdefault(each)
            else:
                excess -= 1


Rest = Callable[[bool], bool]
"""Closes a journal; returns whether it did. Given whether it may wait for the disk."""
