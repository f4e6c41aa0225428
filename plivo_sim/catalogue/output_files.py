"""Files that a user has made: written whole or not at all, within bounds of time, whatever is at
the path."""

from __future__ import annotations

import errno
import os
import select
import sys
import time
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

PATIENCE_S = 10.0
"""How long a FIFO or a device may take nothing (invented)."""
PRIVATE, SHARED = 0o600, 0o666
"""Modes: for its owner alone, as what holds uploads or secrets; as the user's umask has it."""


def write_whole(path: Path, content: bytes, *, mode: int = PRIVATE, replaces: bool = True) -> None:
    """Write aside and rename, so that a full disk takes no earlier file, and a reader never sees
    half of one. A link stays, and what it leads to is replaced. A FIFO, a device or a standard
    stream is written into. Raises OSError: FileExistsError where a file is and ``replaces`` is not
    set, TimeoutError where nobody reads."""
    try:
        if is_stream(path):
            _write_into(path, content)
        elif path.exists() and not replaces:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        else:
            replace_file(path.resolve(), content, mode)
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise


def is_stream(path: Path) -> bool:
    """Whether something else than a file or a folder is there, such as /dev/stdout, even where that
    is a file."""
    is_device = path.is_symlink() and path.parts[1:2] in (("dev",), ("proc",))
    return path.exists() and (is_device or not (path.is_file() or path.is_dir()))


def replace_file(path: Path, content: bytes, mode: int = PRIVATE) -> None:
    """The same for a file alone; a link at the path is replaced, not followed. Raises OSError."""
    if path.is_dir() and not path.is_symlink():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    aside = path.with_name(f".{token_hex(8)}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        with open(aside, "xb", opener=lambda name, _: os.open(name, flags, mode)) as file:
            file.write(content)
        aside.replace(path)
    except BaseException:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
        raise


if sys.platform == "win32":

    def _write_into(path: Path, content: bytes) -> None:
        """A path of a file system leads to no pipe there."""
        with open(path, "ab") as file:
            file.write(content)

else:

    def _write_into(path: Path, content: bytes) -> None:
        descriptor = _opened(path)
        try:
            poll = select.poll()
            poll.register(descriptor, select.POLLOUT)
            left = memoryview(content)
            while left:
                if not poll.poll(PATIENCE_S * 1000):
                    raise TimeoutError(errno.ETIMEDOUT, f"nobody reads it for {PATIENCE_S:g} s")
                with suppress(BlockingIOError):
                    left = left[os.write(descriptor, left) :]
        finally:
            os.close(descriptor)

    def _opened(path: Path) -> int:
        """As soon as somebody reads it, where it is a FIFO."""
        ends_at_s = time.monotonic() + PATIENCE_S
        while True:
            try:
                flags = os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
                return os.open(path, flags)
            except OSError as error:
                if error.errno != errno.ENXIO or not path.is_fifo():
                    raise
            if time.monotonic() >= ends_at_s:
                raise TimeoutError(errno.ETIMEDOUT, f"nobody reads it for {PATIENCE_S:g} s")
            time.sleep(0.02)
