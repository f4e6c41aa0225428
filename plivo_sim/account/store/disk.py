"""Files and folders that are their owner's alone.

What others might read is closed to them when it is opened; what belongs to another user is refused,
and so is a link.
"""

from __future__ import annotations

import errno
import logging
import os
import stat
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import IO, cast

logger = logging.getLogger("plivo_sim")

NOT_ITS_OWN = "was removed, replaced or changed by somebody else"
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


class NoFile(OSError):
    """Something else stands where a file should."""


def open_file(path: Path, mode: str, buffering: int = -1, *, to_readers: bool = True) -> IO[bytes]:
    """``open`` in binary, for files only, which are closed to other users; without ``to_readers``
    only to those who would write. Raises NoFile for a link, which may lead anywhere, and, without
    waiting, for a FIFO or a device; also for a file that would be emptied and has another name;
    PermissionError for what belongs to another user."""
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
