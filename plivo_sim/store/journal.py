"""The storage behind TinyDB: records in memory, each transaction one checksummed line on disk.

TinyDB's own JSONStorage rewrites its file in place on every operation and a kill in the middle
loses all of it. Here a transaction is appended as ``crc32 json\\n``; opening replays the lines, and
a torn tail (the line that was being written when the process died) is cut off and kept aside.
When the dead lines outweigh the living, the journal is rewritten beside itself and renamed.

With ``path=None`` nothing is written: the same storage in memory.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import msgspec
from tinydb.storages import Storage

from plivo_sim.errors import StateUnreadable, StorageFailed
from plivo_sim.jsontext import encode_json
from plivo_sim.ports import Record
from plivo_sim.store.codec import RECORD_TYPES, from_json, from_plain, to_plain

FORMAT = 1
COMPACT_OVER_BYTES = 1 << 20
COMPACT_CHUNK = 500

Rows = dict[str, Record]
Op = tuple[str, str, Record | None]
"""Table, id, the record as it is now (None: removed)."""


class _Line(msgspec.Struct):
    format: int = 0
    ops: list[tuple[str, str, msgspec.Raw]] = []


_line_decoder = msgspec.json.Decoder(_Line)


class JournalStorage(Storage):
    """See the module. ``rows`` is the state: table name -> id -> record.

    Raises StateUnreadable when the file is not a journal of this format, StorageFailed when a
    line cannot be written (then nothing of it stays).
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.rows: dict[str, Rows] = {name: {} for name in RECORD_TYPES}
        self.damaged_bytes = 0
        self._file: IO[bytes] | None = None
        self._size = 0
        self._size_compacted = 0
        if path is not None and path.exists():
            self._replay(path)

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
        if self._file is not None:
            self._file.close()
            self._file = None

    # --- ours ----------------------------------------------------------------------------

    def replace(self, rows: dict[str, Rows]) -> None:
        """Make ``rows`` the whole state, on disk too."""
        before = self.rows
        self.rows = rows
        if self.path is not None:
            try:
                self._compact(self.path)
            except OSError as error:
                self.rows = before
                raise StorageFailed(f"cannot write {self.path}: {error.strerror}") from error

    def append(self, ops: Sequence[Op]) -> None:
        """Keep one transaction, already made in ``rows``: all of it or nothing."""
        if self.path is None:
            return
        line = _line({"ops": ops})
        try:
            if self._file is None:
                self._file = self._open(self.path)
            self._file.write(line)
            self._file.flush()
        except OSError as error:
            self._cut_back(self.path)
            raise StorageFailed(f"cannot write {self.path}: {error.strerror}") from error
        self._size += len(line)
        if self._size > max(COMPACT_OVER_BYTES, 4 * self._size_compacted):
            self._compact_if_possible(self.path)

    def _open(self, path: Path) -> IO[bytes]:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab", buffering=0)
        if self._size == 0:
            header = _line({"format": FORMAT})
            file.write(header)
            self._size = len(header)
        return file

    def _cut_back(self, path: Path) -> None:
        """Take a half-written line back, so that the next one starts clean."""
        self.close()
        if path.exists() and path.stat().st_size > self._size:
            os.truncate(path, self._size)

    def _compact_if_possible(self, path: Path) -> None:
        """Compaction saves space, nothing else: a full disk must not fail the write it follows."""
        try:
            self._compact(path)
        except OSError:
            self._size_compacted = self._size

    def _compact(self, path: Path) -> None:
        """Write the living records beside the journal, then rename over it."""
        aside = path.with_suffix(".new")
        path.parent.mkdir(parents=True, exist_ok=True)
        with aside.open("wb") as file:
            file.write(_line({"format": FORMAT}))
            for ops in _chunks(self.rows):
                file.write(_line({"ops": ops}))
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        self.close()
        aside.replace(path)
        self._size = self._size_compacted = size

    def _replay(self, path: Path) -> None:
        good = 0
        raw = path.read_bytes()
        latest: dict[tuple[str, str], msgspec.Raw] = {}
        for line in raw.splitlines(keepends=True):
            content = _checked(line)
            if content is None:
                break
            if good == 0 and content.format != FORMAT:
                raise StateUnreadable(_wrong_format(path, content.format))
            for table, id, record in content.ops:
                latest.pop((table, id), None)
                latest[table, id] = record
            good += len(line)
        if good < len(raw):
            self._keep_aside(path, raw, good)
        for (table, id), record in latest.items():
            if bytes(record) != b"null":
                self.rows[table][id] = from_json(table, record)
        self._size = self._size_compacted = good

    def _keep_aside(self, path: Path, raw: bytes, good: int) -> None:
        self.damaged_bytes = len(raw) - good
        path.with_suffix(".damaged").write_bytes(raw[good:])
        os.truncate(path, good)


def _chunks(rows: dict[str, Rows]) -> Iterator[list[Op]]:
    ops: list[Op] = []
    for table, records in rows.items():
        for id, record in records.items():
            ops.append((table, id, record))
            if len(ops) == COMPACT_CHUNK:
                yield ops
                ops = []
    if ops:
        yield ops


def _line(content: object) -> bytes:
    text = encode_json(content)
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _checked(line: bytes) -> _Line | None:
    """The line's content, or None if it is torn or damaged."""
    if len(line) < 10 or line[8:9] != b" " or not line.endswith(b"\n"):
        return None
    text = line[9:-1]
    if line[:8] != b"%08x" % zlib.crc32(text):
        return None
    try:
        return _line_decoder.decode(text)
    except msgspec.DecodeError:
        return None


def _wrong_format(path: Path, found: int) -> str:
    newer = "was written by a newer plivo-sim" if found > FORMAT else "is not a plivo-sim journal"
    return f"{path} {newer} (format {found}, this one reads {FORMAT}); use another --state"
