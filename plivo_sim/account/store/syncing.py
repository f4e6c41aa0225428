"""When what was written is forced to the disk.

A process that is killed loses nothing that it has written: the system still has it. Only a machine
that loses its power does, and only then does fsync matter. So the default is ``never``: the system
writes within seconds on its own. ``interval`` does it within a second of each write, behind it;
``always`` before each write is acknowledged.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from plivo_sim.account.lock import waits_outside
from plivo_sim.account.store.disk import close_folder_to_others

logger = logging.getLogger("plivo_sim")

ALWAYS, INTERVAL, NEVER = WORDS = ("always", "interval", "never")
SYNC_EVERY_S = 1.0


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


if sys.platform == "win32":

    def _sync_folder(folder: Path) -> None:
        """There is nothing to do: the file system keeps a journal of its names."""

else:

    def _sync_folder(folder: Path) -> None:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            force(descriptor)
        finally:
            os.close(descriptor)
