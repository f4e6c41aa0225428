"""Uploaded files of one account, stored under the hash of their content.

A document refers to a file by its hash, so the same proof in two applications is kept once. The
name that the client gave is data in the record; it is never a path here. Only a hash is: another
name is refused, whoever gives it.

When what was written is forced to the disk.

A process that is killed loses nothing that it has written: the system still has it. Only a machine
that loses its power does, and only then does fsync matter. So the default is ``never``: the system
writes within seconds on its own. ``interval`` does it within a second of each write, behind it;
``always`` before each write is acknowledged.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import re
import stat
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, cast

from plivo_sim.domain.errors import StorageFailed
from plivo_sim.domain.records import checked_hash

logger = logging.getLogger("plivo_sim")


ALWAYS, INTERVAL, NEVER = WORDS = ("always", "interval", "never")


SYNC_EVERY_S = 1.0


class Syncing:
    """See the module; one for each file that is appended to."""

    def __init__(self, when: str = NEVER, timer: Callable[..., Any] = threading.Timer) -> None:
        self.when = when
        self._timer = timer
        self._guard = threading.Lock()
        self._waiting: Any = None

    def appended(self, file: IO[bytes]) -> None:
        """After each write. Raises OSError when the disk says that it failed."""
        if self.when == ALWAYS:
            os.fsync(file.fileno())
        elif self.when == INTERVAL:
            with self._guard:
                if self._waiting is None:
                    self._waiting = self._timer(SYNC_EVERY_S, self._sync_later, [file])
                    self._waiting.daemon = True
                    self._waiting.start()

    def _sync_later(self, file: IO[bytes]) -> None:
        with self._guard:
            self._waiting = None
            if not file.closed:
                try:
                    os.fsync(file.fileno())
                except OSError as error:
                    logger.error("cannot force the journal to disk: %s", error.strerror)

    def closing(self, file: IO[bytes]) -> None:
        """Before the file is let go of: what still waits is done now."""
        with self._guard:
            if self._waiting is not None:
                self._waiting.cancel()
                self._waiting = None
                with suppress(OSError):
                    os.fsync(file.fileno())
            file.close()

    def whole(self, file: IO[bytes]) -> None:
        """Before a file that was written as a whole is renamed to its place."""
        file.flush()
        if self.when != NEVER:
            os.fsync(file.fileno())

    def renamed(self, path: Path) -> None:
        """After a file came to be in its folder, under its name."""
        if self.when != NEVER:
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


class NoFile(OSError):
    """Something else stands where a file should."""


def open_file(path: Path, mode: str, buffering: int = -1) -> IO[bytes]:
    """``open`` in binary, for files only. Raises NoFile for a link, which may lead anywhere, and,
    without waiting, for a FIFO or a device."""
    return cast("IO[bytes]", open(path, mode, buffering, opener=_open_regular))


def _open_regular(path: str, flags: int) -> int:
    try:
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise _irregular(path) from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _irregular(path)
    return descriptor


def _irregular(path: str) -> NoFile:
    return NoFile(errno.EINVAL, "it is a link, a FIFO or a device, not a file", path)


def is_regular(path: Path) -> bool:
    """Whether a file is there, and no link to one."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def sha256_of(content: bytes) -> str:
    """The name under which a content is stored: 64 hex characters."""
    return hashlib.sha256(content).hexdigest()


class MemoryFiles:
    """Files in a dictionary."""

    def __init__(self) -> None:
        self._contents: dict[str, bytes] = {}

    def keep(self, content: bytes, sha256: str = "") -> str:
        sha256 = checked_hash(sha256 or sha256_of(content))
        self._contents.setdefault(sha256, content)
        return sha256

    def read(self, sha256: str) -> bytes | None:
        return self._contents.get(checked_hash(sha256))

    def forget(self, sha256: str) -> None:
        self._contents.pop(checked_hash(sha256), None)

    def forget_all_but(self, kept: Collection[str]) -> None:
        self._contents = {k: v for k, v in self._contents.items() if k in kept}


class DiskFiles:
    """Files in a folder; written aside and renamed, so a reader never sees half a file."""

    def __init__(self, folder: Path, fsync: str = NEVER) -> None:
        self._folder = folder
        self._syncing = Syncing(fsync)

    def keep(self, content: bytes, sha256: str = "") -> str:
        sha256 = sha256 or sha256_of(content)
        path = self._path(sha256)
        if not is_regular(path):
            aside = path.with_suffix(f".{os.getpid()}-{id(content)}")
            try:
                self._write(aside, content)
                aside.replace(path)
                self._syncing.renamed(path)
            except OSError as error:
                with suppress(OSError):
                    aside.unlink(missing_ok=True)
                raise StorageFailed(f"cannot write {path}: {error.strerror}") from error
        return sha256

    def _path(self, sha256: str) -> Path:
        return self._folder / checked_hash(sha256)

    def _write(self, aside: Path, content: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        with open_file(aside, "wb") as file:
            file.write(content)
            self._syncing.whole(file)

    def read(self, sha256: str) -> bytes | None:
        try:
            with open_file(self._path(sha256), "rb") as file:
                return file.read()
        except (FileNotFoundError, NoFile):
            return None

    def forget(self, sha256: str) -> None:
        self._path(sha256).unlink(missing_ok=True)

    def forget_all_but(self, kept: Collection[str]) -> None:
        if self._folder.is_dir():
            for path in self._folder.iterdir():
                if _is_ours(path.name) and path.name not in kept:
                    path.unlink(missing_ok=True)


def _is_ours(name: str) -> bool:
    """A hash, or what a crash left aside of one."""
    return re.fullmatch(r"[0-9a-f]{64}(\.[0-9]+-[0-9]+)?", name) is not None
