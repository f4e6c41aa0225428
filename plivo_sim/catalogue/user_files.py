"""Files that a user names: read whole, within bounds of bytes and time, whatever they are, and
replaced only where they are files."""

from __future__ import annotations

import os
import select
import stat
import sys
import time
from contextlib import suppress
from errno import EINVAL, ETIMEDOUT
from pathlib import Path

from plivo_sim.domain import limits

PATIENCE_S = 10.0
"""How long reading may take (invented). ``<(make-one)`` is a file as any other, but a FIFO that
nobody writes into is not waited for without end."""
_AT_ONCE_BYTES = 1 << 20


def text_in(path: Path, limit: limits.Limit = limits.SCENARIO_TEXT) -> str:
    """The text of a file; of one that is over the limit, as much as is needed to refuse it.
    Raises OSError, UnicodeDecodeError."""
    most_bytes = 4 * limit.most
    content = bytes_in(path, most_bytes)
    text = content.decode("utf-8", "strict" if len(content) <= most_bytes else "ignore")
    return text[: limit.most + 1]


def bytes_in(path: Path, most_bytes: int) -> bytes:
    """What a file holds; of a larger one, a byte more than ``most_bytes``. Raises OSError, also
    when it takes too long."""
    try:
        return _first_bytes(path, most_bytes + 1)
    except OSError as error:
        error.filename = str(path)
        raise


def open_plain(path: str, flags: int, mode: int = 0o666) -> int:
    """For ``open`` and its kin, as ``opener``: a file to be written, new or to be replaced. It is
    emptied after it was looked at. Raises OSError for a link, a FIFO, a device, a file that has
    another name too: what they lead to is none that anybody named."""
    with suppress(FileNotFoundError):
        _check_plain(os.lstat(path), path)
    if sys.platform != "win32":
        flags |= os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
    descriptor = os.open(path, flags & ~os.O_TRUNC, mode)
    try:
        _check_plain(os.fstat(descriptor), path)
        if flags & os.O_TRUNC:
            os.ftruncate(descriptor, 0)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _check_plain(status: os.stat_result, path: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise OSError(
            EINVAL, "is no plain file (a link, a FIFO, a device), and is left alone", path
        )
    if status.st_nlink > 1:
        raise OSError(EINVAL, "has another name too (a hard link), and is left alone", path)


if sys.platform == "win32":

    def _first_bytes(path: Path, size: int) -> bytes:
        """A path of a file system leads to no pipe there."""
        with open(path, "rb") as file:
            return file.read(size)

else:

    def _first_bytes(path: Path, size: int) -> bytes:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            return _gathered(descriptor, size)
        finally:
            os.close(descriptor)

    def _gathered(descriptor: int, size: int) -> bytes:
        ends_at_s = time.monotonic() + PATIENCE_S
        found, is_ready = bytearray(), False
        while len(found) < size:
            try:
                piece = os.read(descriptor, min(size - len(found), _AT_ONCE_BYTES))
            except BlockingIOError:
                piece, is_ready = b"", False
            if not piece and is_ready:
                break
            if not piece:  # nor may anybody have opened it for writing yet
                _await(descriptor, ends_at_s)
            found += piece
            is_ready = True
        return bytes(found)

    def _await(descriptor: int, ends_at_s: float) -> None:
        """Until there is something to read, or nothing more to come. Raises TimeoutError."""
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        left_s = ends_at_s - time.monotonic()
        if left_s < 0 or not poll.poll(left_s * 1000):
            raise TimeoutError(ETIMEDOUT, f"nothing came, or not all, in {PATIENCE_S:g} s")
