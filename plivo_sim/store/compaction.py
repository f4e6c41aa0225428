"""A journal rewritten without its dead lines, a slice with each write, so that no write waits.

The records as they were at the beginning are written beside the journal, oldest first; meanwhile
the journal itself goes on. What was changed since then follows in one last line, and the new file
is renamed over the old. Until then the old one is whole and the new one is ignored, so the
process can die at any step.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import IO

from plivo_sim.ports import Record
from plivo_sim.store.lines import HEADER, Op, content_of, line_of, stated_checksum
from plivo_sim.store.syncing import Syncing

COMPACT_CHUNK = 500
"""Records a slice: about a millisecond."""

Rows = dict[str, Record]


class Compaction:
    """See the module. Every method raises OSError when the disk says no; then ``abandon`` it."""

    def __init__(self, path: Path, rows: dict[str, Rows], syncing: Syncing) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._rows, self._syncing = path, rows, syncing
        self._aside = path.with_suffix(".new")
        self._left = _oldest_first(rows)
        self._touched: dict[tuple[str, str], None] = {}
        self._checksum = stated_checksum(HEADER) or 0
        self._file: IO[bytes] = self._aside.open("wb")
        self._file.write(HEADER)

    def note(self, ops: Iterable[Op]) -> None:
        """Something was changed meanwhile."""
        self._touched.update(((table, id), None) for table, id, _ in ops)

    def step(self) -> bool:
        """Write the next slice; False when there is nothing left to write."""
        ops = [(name, record.id, record) for name, record in islice(self._left, COMPACT_CHUNK)]
        if ops:
            self._write(ops)
        return bool(ops)

    def finish(self) -> tuple[int, int]:
        """Put the new journal into the place of the old; returns its size and last checksum."""
        if self._touched:
            self._write([(t, id, self._rows[t].get(id)) for t, id in self._touched])
        self._syncing.whole(self._file)
        size = self._file.tell()
        self._file.close()
        self._aside.replace(self._path)
        with suppress(OSError):  # it has taken place: from here on there is no way back
            self._syncing.renamed(self._path)
        return size, self._checksum

    def abandon(self) -> None:
        """Leave the journal as it is."""
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            self._aside.unlink(missing_ok=True)

    def _write(self, ops: Iterable[Op]) -> None:
        line, self._checksum = line_of(content_of(ops), self._checksum)
        self._file.write(line)


def _oldest_first(rows: dict[str, Rows]) -> Iterator[tuple[str, Record]]:
    """Every record as it is now, in the order of their history, so that what comes before a
    damage is of one piece: an application stands behind its end user and documents."""
    return heapq.merge(
        *(_named(name, list(records.values())) for name, records in rows.items()),
        key=lambda named: named[1].seq,
    )


def _named(name: str, records: list[Record]) -> Iterator[tuple[str, Record]]:
    return ((name, record) for record in records)
