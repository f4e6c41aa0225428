"""The storage behind TinyDB: records in memory, each transaction one checksummed line on disk.

TinyDB's own JSONStorage rewrites its file in place on every operation and a kill in the middle
loses all of it. Here a transaction is appended as ``crc32 json\\n``; opening replays the lines, and
a torn tail (the line that was being written when the process died) is cut off and kept aside.
Damage with whole lines after it is no torn tail: such a file is refused, because cutting there
would throw acknowledged transactions away. When the dead lines outweigh the living, the journal
is rewritten beside itself and renamed.

With ``path=None`` nothing is written: the same storage in memory.
"""

from __future__ import annotations

import errno
import logging
import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import msgspec
from tinydb.storages import Storage

from plivo_sim.errors import StateUnreadable, StorageFailed
from plivo_sim.jsontext import encode_json
from plivo_sim.ports import Record
from plivo_sim.store.codec import RECORD_TYPES, from_json, from_plain, to_plain

logger = logging.getLogger("plivo_sim")

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
    line cannot be written (then nothing of it stays) or after ``close``.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.rows: dict[str, Rows] = {name: {} for name in RECORD_TYPES}
        self.damaged_bytes = 0
        self._file: IO[bytes] | None = None
        self._size = 0
        self._size_compacted = 0
        self._closed = False
        if path is not None:
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
        self._let_go()

    # --- ours ----------------------------------------------------------------------------

    def replace(self, rows: dict[str, Rows]) -> None:
        """Make ``rows`` the whole state, on disk too."""
        before = self.rows
        self.rows = rows
        if self.path is not None:
            try:
                self._refuse_if_closed(self.path)
                self._compact(self.path)
            except OSError as error:
                self.rows = before
                raise _failed(self.path, error) from error

    def append(self, ops: Sequence[Op]) -> None:
        """Keep one transaction, already made in ``rows``: all of it or nothing."""
        if self.path is None:
            return
        line = _line({"ops": ops})
        try:
            self._refuse_if_closed(self.path)
            if self._file is None:
                self._file = self._open(self.path)
            _write_all(self._file, line)
        except OSError as error:
            self._let_go()
            with suppress(OSError):  # else the next opening does it
                self._cut_back(self.path)
            raise _failed(self.path, error) from error
        self._size += len(line)
        if self._size > max(COMPACT_OVER_BYTES, 4 * self._size_compacted):
            self._compact_if_possible(self.path)

    def _refuse_if_closed(self, path: Path) -> None:
        if self._closed:
            raise OSError(errno.EBADF, "the simulator is closed", str(path))

    def _let_go(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self, path: Path) -> IO[bytes]:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._cut_back(path)
        file = path.open("ab", buffering=0)
        if self._size == 0:
            try:
                _write_all(file, _HEADER)
            except OSError:
                file.close()
                raise
            self._size = len(_HEADER)
        return file

    def _cut_back(self, path: Path) -> None:
        """Take a half-written line back, so that the next one starts clean."""
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
            file.write(_HEADER)
            for ops in _chunks(self.rows):
                file.write(_line({"ops": ops}))
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        self._let_go()
        aside.replace(path)
        self._size = self._size_compacted = size

    def _open_kept(self, path: Path) -> None:
        try:
            if path.exists():
                self._replay(path, path.read_bytes())
        except OSError as error:
            raise StateUnreadable(f"cannot use {path}: {error.strerror}") from error

    def _replay(self, path: Path, raw: bytes) -> None:
        good = 0
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
        self._take_up(path, latest)
        self._size = self._size_compacted = good

    def _take_up(self, path: Path, latest: dict[tuple[str, str], msgspec.Raw]) -> None:
        for (table, id), record in latest.items():
            if bytes(record) == b"null":
                continue
            try:
                self.rows[table][id] = from_json(table, record)
            except (KeyError, msgspec.DecodeError) as error:
                what = f"{path} does not fit this version of plivo-sim ({table} {id}: {error})"
                raise StateUnreadable(f"{what}; use another --state") from None

    def _keep_aside(self, path: Path, raw: bytes, good: int) -> None:
        """Cut a torn tail off. Raises StateUnreadable when the damage is something else."""
        tail = raw[good:]
        if good == 0 and not _HEADER.startswith(raw):
            raise StateUnreadable(f"{path} is not a plivo-sim journal; use another --state")
        if any(_checked(line) is not None for line in tail.splitlines(keepends=True)):
            raise StateUnreadable(
                f"{path} is damaged at byte {good}, with whole lines after it; use another "
                f"--state, or cut it there to go on with what was before"
            )
        self.damaged_bytes = len(tail)
        aside = path.with_suffix(".damaged")
        with aside.open("ab") as file:
            file.write(tail)
        os.truncate(path, good)
        logger.warning("%s ended in a torn line: %d bytes moved to %s", path, len(tail), aside)


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


_HEADER = _line({"format": FORMAT})


def _write_all(file: IO[bytes], content: bytes) -> None:
    """An unbuffered write may take less than it is given, as on a disk that is nearly full."""
    left = memoryview(content)
    while left:
        left = left[file.write(left) :]


def _failed(path: Path, error: OSError) -> StorageFailed:
    return StorageFailed(f"cannot write {path}: {error.strerror or error}")


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
