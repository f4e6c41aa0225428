"""A journal rewritten without its dead lines, a slice with each write, so that no write waits.

The records as they were at the beginning are written beside the journal, oldest first; meanwhile
the journal itself goes on. What was changed since then follows in one last line, and the new file
is renamed over the old. Until then the old one is whole and the new one is ignored, so the
process can die at any step.
"""

from __future__ import annotations

import errno
import heapq
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import IO

from plivo_sim.account.interfaces import Record
from plivo_sim.account.store.damage import stated_checksum
from plivo_sim.account.store.disk import NOT_ITS_OWN, Identity, identity_of, open_file
from plivo_sim.account.store.format import Op, content_of, header_of, line_of
from plivo_sim.account.store.syncing import Syncing, force

COMPACT_CHUNK = 500
"""Records a slice: about a millisecond."""

Rows = dict[str, Record]
"""Id -> record."""


class Compaction:
    """See the module. Every method raises OSError when the disk says no; then ``abandon`` it."""

    def __init__(self, path: Path, rows: dict[str, Rows], syncing: Syncing) -> None:
        syncing.own_folder(path.parent)
        self._path, self._rows, self._syncing = path, rows, syncing
        self._aside = path.with_suffix(".new")
        self._left = _oldest_first(rows)
        self._touched: dict[tuple[str, str], None] = {}
        header = header_of(path)
        self._checksum = stated_checksum(header) or 0
        self._file: IO[bytes] = open_file(self._aside, "wb")
        self._identity = identity_of(os.fstat(self._file.fileno()))
        self._size = 0
        try:
            self._put(header)
        except OSError:
            self.abandon()
            raise

    def note(self, ops: Iterable[Op]) -> None:
        """Something was changed meanwhile."""
        self._touched.update(((table, id), None) for table, id, _ in ops)

    def step(self) -> bool:
        """Write the next slice; False when there is nothing left to write."""
        ops = [(name, record.id, record) for name, record in islice(self._left, COMPACT_CHUNK)]
        if ops:
            self._write(ops)
        return bool(ops)

    def finish(self) -> tuple[Identity, int, int]:
        """Put the new journal into the place of the old; returns which file it is, its size and
        last checksum."""
        if self._touched:
            self._write([(t, id, self._rows[t].get(id)) for t, id in self._touched])
        self._take_up()
        self._file.flush()
        force(self._file.fileno())  # whatever ``fsync`` says: else both could be lost at once
        self._file.close()
        self._aside.replace(self._path)
        with suppress(OSError):  # it has taken place: from here on there is no way back
            self._syncing.renamed(self._path)
        return self._identity, self._size, self._checksum

    def rest(self) -> None:
        """Close its file until the next slice."""
        with suppress(OSError):  # full: the next slice notices that the file is too short
            self._file.close()

    def abandon(self) -> None:
        """Leave the journal as it is."""
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            self._aside.unlink(missing_ok=True)

    def _write(self, ops: Iterable[Op]) -> None:
        line, self._checksum = line_of(content_of(ops), self._checksum)
        self._take_up()
        self._put(line)

    def _put(self, line: bytes) -> None:
        self._file.write(line)
        self._size += len(line)

    def _take_up(self) -> None:
        """Open its file again, if it rests. Raises OSError for another one, too."""
        if not self._file.closed:
            return
        self._file = open_file(self._aside, "ab")
        found = os.fstat(self._file.fileno())
        if (identity_of(found), found.st_size) != (self._identity, self._size):
            raise not_its_own()


def _oldest_first(rows: dict[str, Rows]) -> Iterator[tuple[str, Record]]:
    """Every record as it is now, in the order of their history, so that what comes before a
    damage is of one piece: an application stands behind its end user and documents."""
    return heapq.merge(
        *(
            _named(name, sorted(records.values(), key=attrgetter("seq")))
            for name, records in rows.items()
        ),
        key=lambda named: named[1].seq,
    )


def _named(name: str, records: list[Record]) -> Iterator[tuple[str, Record]]:
    return ((name, record) for record in records)


def not_its_own() -> OSError:
    """What is raised for a journal that is not as it was left."""
    return OSError(
        errno.ESTALE,
        f"the journal {NOT_ITS_OWN}, so nothing more is kept in it; "
        "reset the account, or start the simulator again",
    )
