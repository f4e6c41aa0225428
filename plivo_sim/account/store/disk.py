"""When what was written is forced to the disk.

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
import logging
import os
import socket
import stat
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import IO, Any, Literal, cast

from plivo_sim.account.descriptors import MOST_JOURNALS
from plivo_sim.account.lock import waits_outside
from plivo_sim.domain.errors import StateUnreadable
from plivo_sim.domain.text import printable

logger = logging.getLogger("plivo_sim")


ALWAYS, INTERVAL, NEVER = WORDS = ("always", "interval", "never")


SYNC_EVERY_S = 1.0


def unguarded() -> None:
    """Nobody else could have an interest in the place."""


def force(descriptor: int) -> None:
    """To the disk, which may be slow: a call gives back meanwhile what others wait for. Raises
    OSError."""
    waits_outside()
    os.fsync(descriptor)


class Syncing:
    """See the module; one for each file that is appended to, and for what is made."""

    def __init__(self, when: str = NEVER, timer: Callable[..., Any] = threading.Timer) -> None:
        self.when = when
        self._timer = timer
        self._guard = threading.Lock()
        self._forcing = threading.Lock()  # of whoever forces it behind the writes, or closes it
        self._waiting: Any = None

    def appended(self, file: IO[bytes]) -> None:
        """After each write. Raises OSError when the disk says that it failed."""
        if self.when == ALWAYS:
            force(file.fileno())
        elif self.when == INTERVAL:
            with self._guard:
                if self._waiting is None:
                    self._waiting = self._timer(SYNC_EVERY_S, self._sync_later, [file])
                    self._waiting.daemon = True
                    self._waiting.start()

    def _sync_later(self, file: IO[bytes]) -> None:
        with self._forcing:
            with self._guard:
                self._waiting = None  # what is written from here on waits for the next time
            if not file.closed:
                try:
                    os.fsync(file.fileno())
                except OSError as error:
                    logger.error("cannot force the journal to disk: %s", error.strerror)

    @property
    def is_forcing(self) -> bool:
        """Whether somebody forces something to the disk, which may take long."""
        return self._forcing.locked()

    @property
    def is_owing(self) -> bool:
        """Whether something is to be forced to the disk still, which ``closing`` would do."""
        return self._waiting is not None

    def closing(self, file: IO[bytes]) -> None:
        """Before the file is let go of: what still waits is done now."""
        with self._forcing, self._guard:
            if self._waiting is not None:
                self._waiting.cancel()
                self._waiting = None
                with suppress(OSError):
                    force(file.fileno())
            file.close()

    def whole(self, file: IO[bytes]) -> None:
        """Before a file that was written as a whole is renamed to its place."""
        file.flush()
        if self.when != NEVER:
            force(file.fileno())

    def renamed(self, path: Path) -> None:
        """After a file or a folder came to be in the one above it, under its name."""
        if self.when != NEVER:
            _sync_folder(path.parent)

    def own_folder(self, folder: Path) -> None:
        """Make it, with those above it, unless it is there; nobody but its owner may enter. Raises
        OSError when it is a link or no folder, or belongs to another user; or when the folder above
        cannot be forced to the disk: then it is not made."""
        if not folder.parent.exists():
            self.own_folder(folder.parent)
        is_new = not os.path.lexists(folder)
        folder.mkdir(exist_ok=True, mode=0o700)
        close_folder_to_others(folder)
        if is_new:
            try:
                self.renamed(folder)
            except OSError:
                folder.rmdir()
                raise


NOT_ITS_OWN = "was removed, replaced or changed by somebody else"
MOST_HOLDER_BYTES = 200


class Claim:
    """A state directory, locked for this process until ``release``. What it makes there, and what
    it finds, is its owner's alone.

    Raises StateUnreadable when another process has it, or another user.
    """

    def __init__(self, state: Path, fsync: str = NEVER) -> None:
        self._path = state / "lock"
        self.accounts = state / "accounts"
        syncing = Syncing(fsync)
        try:
            if not state.exists():
                syncing.own_folder(state)
            syncing.own_folder(self.accounts)
            self._lock = _locked(self._path)
        except OSError as error:
            raise StateUnreadable(
                f"cannot use {error.filename or state}: {error.strerror}"
            ) from error
        self._file = identity_of(os.fstat(self._lock.fileno()))
        with suppress(OSError), open_file(state / "holder", "wb") as file:
            file.write(f"process {os.getpid()} on {socket.gethostname()}\n".encode())
        tell_of_writers(state)

    def folder_of(self, auth_id: str) -> Path:
        """That of an account."""
        return self.accounts / folder_name(auth_id)

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


def _locked(path: Path) -> IO[bytes]:
    """The file, locked until it is closed or this process dies. Raises StateUnreadable when another
    process has it, and OSError."""
    file = open_file(path, "ab")
    try:
        if not lock_file(file):
            holder = _holder_of(path.parent)
            raise StateUnreadable(
                f"{path.parent} is in use by another plivo-sim{holder and f' ({holder})'};"
                " stop it or choose another --state"
            )
    except BaseException:
        file.close()
        raise
    return file


def lock_file(file: IO[bytes]) -> bool:
    """Whether this process has the file now. Raises OSError where files cannot be locked."""
    portalocker = _portalocker()
    try:
        portalocker.lock(file, portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING)
    except portalocker.AlreadyLocked:
        return False
    except portalocker.LockException as error:
        told = f"it cannot be locked: {error.__cause__ or error}"
        raise OSError(errno.ENOLCK, told, file.name) from error
    return True


def _portalocker() -> ModuleType:
    """Loaded when it is needed: it takes longer than the rest of the store. It asks for a temporary
    directory when it is loaded, of which nothing here makes use; in a container whose root cannot
    be written there may be none."""
    try:
        import portalocker
    except FileNotFoundError:
        import tempfile

        tempfile.tempdir = os.curdir
        import portalocker

        tempfile.tempdir = None
    return portalocker


def in_use(state: Path) -> str | None:
    """Who has a state directory: ``process 1234 on name``, empty when that is not known; None when
    nobody has it."""
    path = state / "lock"
    try:
        if not is_regular(path):
            return None
        with path.open("rb") as file:
            return None if lock_file(file) else _holder_of(state)
    except OSError:
        return None


def _holder_of(state: Path) -> str:
    """What the process that has the lock wrote down. Not in the locked file: Windows lets nobody
    read that."""
    path = state / "holder"
    with suppress(OSError):
        if is_regular(path):
            with path.open("rb") as file:
                return printable(file.read(MOST_HOLDER_BYTES).decode("utf-8", "replace").strip())
    return ""


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


if sys.platform == "win32":
    # No folder can be opened there, ``open`` follows every link, and neither modes nor numbers say
    # whose a file is: what is made takes its rights from the folder above (docs/state.md).

    def refuse_link(folder: Path) -> None:
        """Raises OSError unless it is a folder, and no link to one, which may lead anywhere."""
        _refuse_link(str(folder))
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))

    def _refuse_link(path: str) -> None:
        with suppress(OSError):
            os.readlink(path)
            raise _irregular(path)

    def _open_no_link(path: str, flags: int) -> int:
        _refuse_link(path)
        return os.open(path, flags, 0o600)

    close_folder_to_others = refuse_link

    def _close_to_others(descriptor: int, path: str, *, to_readers: bool = True) -> None:
        """There is nothing to do."""

    def tell_of_writers(folder: Path) -> None:
        """There is nothing to tell."""

    def _sync_folder(folder: Path) -> None:
        """There is nothing to do: the file system keeps a journal of its names."""

else:
    _FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    _OTHERS, _WRITERS = stat.S_IRWXG | stat.S_IRWXO, stat.S_IWGRP | stat.S_IWOTH

    def refuse_link(folder: Path) -> None:
        """Raises OSError unless it is a folder, and no link to one, which may lead anywhere."""
        os.close(os.open(folder, _FOLDER))

    def _open_no_link(path: str, flags: int) -> int:
        return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)

    def close_folder_to_others(folder: Path) -> None:
        descriptor = os.open(folder, _FOLDER)
        try:
            _close_to_others(descriptor, str(folder))
        finally:
            os.close(descriptor)

    def _close_to_others(descriptor: int, path: str, *, to_readers: bool = True) -> None:
        found = os.fstat(descriptor)
        if found.st_uid != os.geteuid():
            raise PermissionError(errno.EPERM, f"it belongs to another user ({found.st_uid})", path)
        closed = _OTHERS if to_readers else _WRITERS
        if found.st_mode & closed:
            mode = stat.S_IMODE(found.st_mode)
            with suppress(OSError):  # some file systems keep no modes
                os.fchmod(descriptor, mode & ~closed)
                what = "open to" if to_readers else "writable by"
                logger.warning("%s was %s other users (mode %o); now it is not", path, what, mode)

    def tell_of_writers(folder: Path) -> None:
        """Warn where what is in a folder may be removed or replaced by anybody."""
        mode = folder.stat().st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            told = "every user may write to %s, and remove or replace what is there"
            logger.warning(told, folder)

    def _sync_folder(folder: Path) -> None:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            force(descriptor)
        finally:
            os.close(descriptor)


def folder_name(auth_id: str) -> str:
    """What the folder of an account is called: two that differ in capital letters only have folders
    of their own on file systems, too, that take these for the same (NTFS, APFS). One without small
    letters, as Plivo's are, is its own name; else the places of the small ones follow, in hex."""
    small = sum(1 << place for place, letter in enumerate(auth_id) if letter.islower())
    return f"{auth_id.upper()}-{small:x}" if small else auth_id


def account_of(folder: str) -> str:
    """The account whose folder has this name; one that no account's has is returned as it is."""
    name, _, small = folder.partition("-")
    try:
        places = int(small, 16)
    except ValueError:
        return folder
    return "".join(c.lower() if places >> at & 1 else c for at, c in enumerate(name))


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


class NoFile(OSError):
    """Something else stands where a file should."""


def open_file(path: Path, mode: str, buffering: int = -1, *, to_readers: bool = True) -> IO[bytes]:
    """``open`` in binary, for files only, which are closed to other users; without ``to_readers``
    only to those who would write. Raises NoFile for a
    link, which may lead anywhere, and, without waiting, for a FIFO or a device; also for a file
    that would be emptied and has another name; PermissionError for what belongs to another
    user."""
    opener = partial(_open_regular, to_readers=to_readers)
    return cast("IO[bytes]", open(path, mode, buffering, opener=opener))


def _open_regular(path: str, flags: int, *, to_readers: bool) -> int:
    try:
        descriptor = _open_no_link(path, flags & ~os.O_TRUNC)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise _irregular(path) from None
        raise
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise _irregular(path)
        if flags & os.O_TRUNC and found.st_nlink > 1:
            raise NoFile(errno.EINVAL, "it has another name too (a hard link)", path)
        _close_to_others(descriptor, path, to_readers=to_readers)
        if flags & os.O_TRUNC:  # what it was is known now
            os.ftruncate(descriptor, 0)
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


def is_folder(path: Path) -> bool:
    """Whether a folder is there, and no link to one."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False
