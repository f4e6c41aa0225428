"""The answer to a request: what announces one, such as 100 or 103, is passed over.

``http.client`` knows of 100 only, takes another for the answer, and what follows for that of the
next call; and it reads whatever stands before the answer, or behind its body, without end. Here
that has limits.
"""

from __future__ import annotations

import http.client
from http import HTTPStatus

from plivo_sim.domain.limits import CHUNK_LINE, INTERIM, INTERIM_BYTES, TRAILER, Limit


class Endless(http.client.HTTPException):
    """More lines around an answer than are read."""


class FinalAnswer(http.client.HTTPResponse):
    """Raises Endless for more than is read of interim answers, of lines behind the body, or of the
    line before a chunk; BadStatusLine for 101, which nobody asked for."""

    def _read_status(self) -> tuple[str, int, str]:
        left = INTERIM_BYTES.most
        for _ in range(INTERIM.most + 1):
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if status == HTTPStatus.SWITCHING_PROTOCOLS:
                raise http.client.BadStatusLine("101, which nobody asked for")
            if status >= HTTPStatus.OK:
                return version, status, reason
            left = self._pass_over(left, INTERIM_BYTES, "in interim answers")
        raise Endless(f"has too many interim answers (100 to 199) before it, {INTERIM}")

    def _read_next_chunk_size(self) -> int:
        """Raises ValueError where there is none."""
        line = self.fp.readline(CHUNK_LINE.most + 1)
        if len(line) > CHUNK_LINE.most:
            raise Endless(f"has a chunk with too long a line before it, {CHUNK_LINE}")
        return int(line.partition(b";")[0], 16)

    def _read_and_discard_trailer(self) -> None:
        self._pass_over(TRAILER.most, TRAILER, "behind its body")

    def _pass_over(self, left: int, most: Limit, where: str) -> int:
        """Read lines up to an empty one; returns how many of so many bytes are left."""
        while (line := self.fp.readline(left + 1)) not in (b"\r\n", b"\n", b""):
            left -= len(line)
            if left < 0:
                raise Endless(f"has too many headers {where}, {most}")
        return left
