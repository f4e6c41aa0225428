"""How much of a request has come, looked at as often as more of it comes.

Nothing is checked here, only waited for: ``parsing`` refuses what is wrong, and what this takes for
whole although more is to come is refused there as late. Of a header that tells of the body the
first one counts: there it is refused when it is repeated.
"""

from __future__ import annotations

import re

from plivo_sim.web.bodies import LARGEST_BODY_BYTES
from plivo_sim.web.codings import is_packed
from plivo_sim.web.parsing import CHUNK, are_too_many
from plivo_sim.web.streams import MAX_HEADER_BYTES

NO_ROOM = "there was no room to serve the request, which others took; it may be sent again"
LEFT = "the client hung up before it was the request's turn; nothing was done"

_HEAD_END = re.compile(rb"\n\r?\n")
_MOST_HEAD_BYTES = MAX_HEADER_BYTES + 1024  # more than is taken, so that it is seen to be too long
_LENGTH = b"\ncontent-length:"
_CODING = b"\ntransfer-encoding:"
_EXPECT = b"\nexpect:"
_PACKED = b"\ncontent-encoding:"


class Arrival:
    """One request. ``is_complete``: all of it has come, and the next begins behind it;
    ``body_at``: where its body begins, once its head has come; ``unpacked_bytes``: how large that
    has become, if it was packed, once it was read; ``unserved``: why it is not served although it
    has come.

    Each look goes on where the one before ended, so that a request in many pieces costs as much
    as one in few.
    """

    def __init__(self) -> None:
        self.is_complete = False
        self.has_head = False
        self.expects_continue = False
        self.is_packed = False
        self.unpacked_bytes: int | None = None
        self.unserved = ""
        self._seen = 0  # of the head, up to which it does not end
        self.body_at = 0
        self._end: int | None = None  # where the request ends; None while chunks are to come
        self._chunk = 0  # where the next chunk begins, or the next line behind the last one
        self._chunks = 0
        self._last_end: int | None = None  # of the last chunk, behind which are headers

    def is_whole(self, came: bytearray) -> bool:
        """Whether there is nothing more to wait for before it is served, or refused."""
        if not self.has_head and not self._look_for_head(came):
            return len(came) > _MOST_HEAD_BYTES
        if self._end is None:
            return self._look_for_chunks(came)
        self.is_complete = len(came) >= self._end
        return self.is_complete or self._end > self.body_at + LARGEST_BODY_BYTES

    def _look_for_head(self, came: bytearray) -> bool:
        found = _HEAD_END.search(came, max(self._seen - 2, 0))
        self._seen = len(came)
        if found is None:
            return False
        self.has_head = True
        self.body_at = self._end = found.end()
        head = bytes(memoryview(came)[: found.end()]).lower()
        length, coding = _value(head, _LENGTH), _value(head, _CODING)
        if coding == b"chunked" and length is None:
            self._end, self._chunk = None, self.body_at
        elif coding is None and length is not None and length.isdigit():
            self._end += int(length.lstrip(b"0")[:19] or b"0")
        self.is_packed = is_packed((_value(head, _PACKED) or b"").decode("latin-1"))
        is_old = head.lstrip().partition(b"\n")[0].rstrip().endswith(b" http/1.0")  # knows no such
        self.expects_continue = not is_old and _value(head, _EXPECT) == b"100-continue"
        return True

    def _look_for_chunks(self, came: bytearray) -> bool:
        while (end := came.find(b"\n", self._chunk) + 1) > 0:
            if self._last_end is not None:  # headers, up to an empty line
                self.is_complete = end - self._chunk <= 2
                if self.is_complete or end - self._last_end > MAX_HEADER_BYTES:
                    return True
                self._chunk = end
                continue
            size = CHUNK.fullmatch(came, self._chunk, end)
            if size is None:
                return True
            is_last = int(size[1], 16) == 0
            following = end if is_last else end + int(size[1], 16) + 2
            if following - self.body_at > LARGEST_BODY_BYTES:
                return True
            if following > len(came):
                return False
            self._chunks += 1
            if are_too_many(self._chunks, following - self.body_at):
                return True
            self._chunk = following
            self._last_end = following if is_last else None
        return len(came) - self._chunk > MAX_HEADER_BYTES  # a line without an end


def _value(head: bytes, name: bytes) -> bytes | None:
    """What a header says, in small letters; None without it."""
    at = head.find(name)
    if at < 0:
        return None
    return head[at + len(name) : head.find(b"\n", at + 1)].strip()
