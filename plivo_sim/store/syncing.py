"""When what was written is forced to the disk.

A process that is killed loses nothing that it has written: the system still has it. Only a machine
that loses its power does, and only then does fsync matter. So the default is ``never``: the system
writes within seconds on its own. ``interval`` does it within a second of each write, behind it;
``always`` before each write is acknowledged.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

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
