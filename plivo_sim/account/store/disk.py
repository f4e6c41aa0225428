"""Uploaded files of one account, stored under the hash of their content.

A document refers to a file by its hash, so the same proof in two applications is kept once. The
name that the client gave is data in the record; it is never a path here. Only a hash is: another
name is refused, whoever gives it.

When what was written is forced to the disk.

A process that is killed loses nothing that it has written: the system still has it. Only a machine
that loses its power does, and only then does fsync matter. So the default is ``never``: the system
writes within seconds on its own. ``interval`` does it within a second of each write, behind it;
``always`` before each write is acknowledged.

Whose the state directory is. What is made in it, and what is found in it, is its owner's alone:
what others might read is closed to them when it is opened, what belongs to another user is refused.
One process may use it, which the lock says; once the lock is no longer where it was, somebody has
removed or replaced the directory, and nothing more is written there.
"""

from __future__ import annotations

import errno
import fcntl
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

from plivo_sim.domain.errors import StateUnreadable, StorageFailed
from plivo_sim.domain.records import checked_hash

logger = logging.getLogger("plivo_sim")


ALWAYS, INTERVAL, NEVER = WORDS = ("always", "interval", "never")


SYNC_EVERY_S = 1.0


def unguarded() -> None:
    """Nobody else could have an interest in the place."""


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


NOT_ITS_OWN = "was removed, replaced or changed by somebody else"
OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Claim:
    """A state directory, locked for this process until ``release``. What it makes there, and what
    it finds, is its owner's alone.

    Raises StateUnreadable when another process has it, or another user.
    """

    def __init__(self, state: Path) -> None:
        self._path = state / "lock"
        self.accounts = state / "accounts"
        try:
            if not state.exists():
                own_folder(state)
            own_folder(self.accounts)
            self._lock = open_file(self._path, "ab")
        except OSError as error:
            raise StateUnreadable(
                f"cannot use {error.filename or state}: {error.strerror}"
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise StateUnreadable(
                f"{state} is in use by another plivo-sim; stop it or choose another --state"
            ) from None
        self._file = identity_of(os.fstat(self._lock.fileno()))
        mode = state.stat().st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            logger.warning("every user may write to %s, and remove or replace what is there", state)

    def check(self) -> None:
        """Raise OSError if the directory is not the one that was locked, or was let go of."""
        if self._lock.closed or identity_at(self._path) != self._file:
            raise OSError(
                errno.ESTALE,
                f"{self._path} {NOT_ITS_OWN}, so the state is not this simulator's any more; "
                "start it again",
            )

    def release(self) -> None:
        """Let another process have it."""
        self._lock.close()


Identity = tuple[int, int]
"""Which file it is, whatever it is called: device and number."""


def identity_of(found: os.stat_result) -> Identity:
    return found.st_dev, found.st_ino


def identity_at(path: Path) -> Identity | None:
    """Of what is at a path; None when nothing is."""
    try:
        return identity_of(path.lstat())
    except OSError:
        return None


def own_folder(folder: Path) -> None:
    """Make it, with those above it, unless it is there; nobody but its owner may enter. Raises
    OSError when it is a link or no folder, or belongs to another user."""
    if not folder.parent.exists():
        own_folder(folder.parent)
    folder.mkdir(exist_ok=True, mode=0o700)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        _close_to_others(descriptor, str(folder))
    finally:
        os.close(descriptor)


def _close_to_others(descriptor: int, path: str) -> None:
    found = os.fstat(descriptor)
    if found.st_uid != os.geteuid():
        raise PermissionError(errno.EPERM, f"it belongs to another user ({found.st_uid})", path)
    if found.st_mode & OTHERS:
        mode = stat.S_IMODE(found.st_mode)
        with suppress(OSError):  # some file systems keep no modes
            os.fchmod(descriptor, mode & ~OTHERS)
            logger.warning("%s was open to other users (mode %o); now it is not", path, mode)


class OpenJournals:
    """Of one simulator: the journals that were written to last are open, the others closed until
    their next write, so that many accounts need few descriptors. Safe from any thread."""

    def __init__(self, most: int = 64) -> None:
        self._most = most
        self._guard = threading.Lock()
        self._open: dict[Callable[[], None], None] = {}

    def used(self, rest: Callable[[], None]) -> None:
        """One was written to; ``rest`` closes it. Caller holds no journal's guard."""
        with self._guard:
            self._open.pop(rest, None)
            self._open[rest] = None
            oldest = next(iter(self._open)) if len(self._open) > self._most else None
            if oldest is not None:
                del self._open[oldest]
        if oldest is not None:
            oldest()


class NoFile(OSError):
    """Something else stands where a file should."""


def open_file(path: Path, mode: str, buffering: int = -1) -> IO[bytes]:
    """``open`` in binary, for files only, which are closed to other users. Raises NoFile for a
    link, which may lead anywhere, and, without waiting, for a FIFO or a device; PermissionError for
    what belongs to another user."""
    return cast("IO[bytes]", open(path, mode, buffering, opener=_open_regular))


def _open_regular(path: str, flags: int) -> int:
    try:
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise _irregular(path) from None
        raise
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _irregular(path)
        _close_to_others(descriptor, path)
    except OSError:
        os.close(descriptor)
        raise
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

    def forget(self, sha256: str) -> bool:
        self._contents.pop(checked_hash(sha256), None)
        return True

    def forget_all_but(self, kept: Collection[str]) -> bool:
        self._contents = {k: v for k, v in self._contents.items() if k in kept}
        return True


class DiskFiles:
    """Files in a folder; written aside and renamed, so a reader never sees half a file. ``check``
    raises OSError when the folder may not be written to any more."""

    def __init__(
        self, folder: Path, fsync: str = NEVER, check: Callable[[], None] = unguarded
    ) -> None:
        self._folder = folder
        self._check = check
        self._syncing = Syncing(fsync)

    def keep(self, content: bytes, sha256: str = "") -> str:
        sha256 = sha256 or sha256_of(content)
        path = self._path(sha256)
        if not is_regular(path):
            aside = path.with_suffix(f".{os.getpid()}-{id(content)}")
            try:
                self._check()
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
        own_folder(self._folder.parent)  # else it would be made as others are
        own_folder(self._folder)
        with open_file(aside, "wb") as file:
            file.write(content)
            self._syncing.whole(file)

    def read(self, sha256: str) -> bytes | None:
        try:
            with open_file(self._path(sha256), "rb") as file:
                return file.read()
        except (FileNotFoundError, NoFile):
            return None

    def forget(self, sha256: str) -> bool:
        is_gone = self._unlink(self._path(sha256))
        self._leave_if_empty()
        return is_gone

    def _leave_if_empty(self) -> None:
        """Without its last file the folder goes, and with it the account's, if nothing is there."""
        for folder in (self._folder, self._folder.parent):
            try:
                folder.rmdir()
            except OSError as error:
                if _is_empty(folder):
                    _tell_that_it_stays(folder, error)

    def forget_all_but(self, kept: Collection[str]) -> bool:
        are_gone = self._unlink_all_but(kept)
        self._leave_if_empty()
        return are_gone

    def _unlink_all_but(self, kept: Collection[str]) -> bool:
        try:
            found = list(self._folder.iterdir())
        except FileNotFoundError:
            return True
        except OSError as error:
            logger.error("cannot look for files in %s: %s", self._folder, error.strerror)
            return False
        unwanted = [path for path in found if _is_ours(path.name) and path.name not in kept]
        stayed = [path for path in unwanted if not self._unlink(path)]
        return not stayed

    def _unlink(self, path: Path) -> bool:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            _tell_that_it_stays(path, error)
            return False
        return True


def _is_empty(folder: Path) -> bool:
    try:
        with os.scandir(folder) as found:
            return next(found, None) is None
    except OSError:
        return False


def _tell_that_it_stays(path: Path, error: OSError) -> None:
    logger.error("cannot remove %s: %s; it is tried again", path, error.strerror)


def _is_ours(name: str) -> bool:
    """A hash, or what a crash left aside of one."""
    return re.fullmatch(r"[0-9a-f]{64}(\.[0-9]+-[0-9]+)?", name) is not None
