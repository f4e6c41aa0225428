"""A body in chunks, as the application reads it."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Iterator

import pytest

from plivo_sim.web.parsing import _Chunks

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
