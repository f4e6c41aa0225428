"""The file that says where requests are answered, for a script that waits for it."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from plivo_sim.cli.shared import WrongFile

LONGEST_URL_BYTES = 300
_URL = re.compile(rb"https?://[^\s/]{1,290}/?\s{0,2}")


class ReadyFile:
    """See the module.

    A regular file is there only while they are: one that an earlier server left is removed. What
    else exists at the path (a device, a FIFO, /dev/stdout) is written to and stays.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._url = ""
        with self._named():
            from plivo_sim.catalogue.output_files import is_stream

            self._is_stream = is_stream(path)
            if not self._is_stream:
                self._path = path.resolve()
                if self._path.is_file():
                    self._refuse_other_content()
                self._path.unlink(missing_ok=True)

    def _refuse_other_content(self) -> None:
        """A name that was mistyped deletes nobody's file."""
        from plivo_sim.catalogue.user_files import bytes_in

        found = bytes_in(self._path, LONGEST_URL_BYTES + 1)
        if found and not _URL.fullmatch(found):
            raise ValueError("has something else in it than the URL that a server left there")

    def write(self, url: str) -> None:
        """At once: a reader that waits for it never sees half of it. Raises WrongFile."""
        self._url = url
        if self._path.is_fifo():  # to open it waits for a reader, and a signal must not wait
            threading.Thread(target=self._write_stream, daemon=True).start()
            return
        with self._named():
            if self._is_stream:
                self._write_stream()
                return
            from plivo_sim.catalogue.output_files import SHARED, replace_file

            replace_file(self._path, url.encode(), SHARED)

    def _write_stream(self) -> None:
        with (
            suppress(BrokenPipeError),
            self._path.open("a", encoding="utf-8", newline="\n") as stream,
        ):
            stream.write(self._url)

    def remove(self) -> None:
        """Unless another server has written its own meanwhile."""
        if not self._is_stream:
            with suppress(OSError, ValueError):
                from plivo_sim.catalogue.user_files import bytes_in

                if bytes_in(self._path, len(self._url)).decode() == self._url:
                    self._path.unlink()

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise WrongFile(f"--ready-file {self._path}: {reason}") from None
