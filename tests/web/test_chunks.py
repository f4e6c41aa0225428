"""A body in chunks, as the application reads it."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Iterator

import pytest

from plivo_sim.domain import limits
from plivo_sim.web.arrival import Arrival
from plivo_sim.web.parsing import _Chunks
from plivo_sim.web.streams import MAX_HEADER_BYTES

SIZE = 1000
MANY = b"3e8\r\n" + b"x" * SIZE + b"\r\n"


class Watched(io.BytesIO):
    """A file that notes how much memory was taken for a moment between two reads of it."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.spikes: list[int] = []

    def readline(self, size: int | None = -1, /) -> bytes:
        now, peak = tracemalloc.get_traced_memory()
        self.spikes.append(peak - now)
        tracemalloc.reset_peak()
        return super().readline(size)


@pytest.fixture
def traced() -> Iterator[None]:
    """Count the memory that is taken."""
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.usefixtures("traced")
def test_what_was_read_is_not_copied_for_each_chunk() -> None:
    """Or a body of small chunks costs the square of its length."""
    file = Watched(MANY * 500 + b"0\r\n\r\n")
    assert _Chunks(file, 10**6).read(10**6) == b"x" * SIZE * 500
    assert max(file.spikes[2:]) < SIZE * 100


@pytest.mark.usefixtures("traced")
def test_what_is_left_of_a_chunk_is_not_copied_for_each_read() -> None:
    """Or a large one that is read in small pieces does."""
    chunks = _Chunks(io.BytesIO(b"7a120\r\n" + b"x" * 500_000 + b"\r\n0\r\n\r\n"), 10**6)
    assert chunks.read(1) == b"x"
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    assert chunks.read(1) == b"x"
    assert tracemalloc.get_traced_memory()[1] - before < 100_000
    assert len(chunks.read()) == 499_998


HEAD = b"POST / HTTP/1.1\r\nHost: sim\r\nTransfer-Encoding: chunked\r\n\r\n"
TINY = b"1\r\nx\r\n"


def test_tiny_chunks_are_bounded_in_number() -> None:
    """They cost by their number: no more of them is looked at, here and while they arrive."""
    file = Watched(TINY * 3 * limits.CHUNKS.most)
    with pytest.raises(ValueError, match=r"at most 10000 chunks \(limit chunks\)"):
        _Chunks(file, 10**6).read()
    assert len(file.spikes) == limits.CHUNKS.most + 1
    arrival = Arrival()
    assert arrival.is_whole(bytearray(HEAD + TINY * 3 * limits.CHUNKS.most))
    assert (arrival.is_complete, arrival._chunks) == (False, limits.CHUNKS.most + 1)


def test_as_many_tiny_chunks_as_the_limit_are_taken() -> None:
    """The last, empty one included."""
    content = TINY * (limits.CHUNKS.most - 1) + b"0\r\n\r\n"
    assert len(_Chunks(io.BytesIO(content), 10**6).read()) == limits.CHUNKS.most - 1
    arrival = Arrival()
    assert arrival.is_whole(bytearray(HEAD + content))
    assert arrival.is_complete


def test_larger_chunks_may_be_more() -> None:
    """What they cost is that of their bytes."""
    content = MANY * 2 * limits.CHUNKS.most + b"0\r\n\r\n"
    assert len(_Chunks(io.BytesIO(content), 10**8).read()) == 2 * limits.CHUNKS.most * SIZE
    arrival = Arrival()
    assert arrival.is_whole(bytearray(HEAD + content))
    assert arrival.is_complete


def test_headers_after_the_chunks_are_as_many_as_before() -> None:
    """They are not waited for without an end."""
    arrival = Arrival()
    came = bytearray(HEAD + b"0\r\n" + b"A: b\r\n" * (MAX_HEADER_BYTES // 6))
    assert not arrival.is_whole(came)
    came += b"A: b\r\n" * 2
    assert arrival.is_whole(came)
    assert not arrival.is_complete


def test_headers_after_the_chunks_are_headers() -> None:
    """They are passed over; what is none makes the body malformed."""
    chunks = _Chunks(io.BytesIO(TINY + b"0\r\nA: b\r\nC: d\r\n\r\nnext"), 10**6)
    assert (chunks.read(), chunks.rfile.read()) == (b"x", b"next")
    for wrong in (b"no colon\r\n", b"A: b\n", b"A: \0\r\n", b" A: b\r\n"):
        with pytest.raises(ValueError, match="a header is not NAME: VALUE"):
            _Chunks(io.BytesIO(TINY + b"0\r\n" + wrong + b"\r\n"), 10**6).read()
