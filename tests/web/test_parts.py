"""Forms are taken apart as others do it, and in a bounded number of steps, whatever is sent."""

from __future__ import annotations

import contextlib
import tracemalloc
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from plivo_sim.domain import errors, limits
from plivo_sim.web import parts
from plivo_sim.web.parts import form_fields, multipart_parts
from tests.support import multipart

BOUNDARY = "cb1ea573abe400c9f6d6a0fce7a2fead"
NEARLY = f"\r\n--{BOUNDARY[:-1]}\r\n\r\n".encode()
WITHIN = f"x--{BOUNDARY}x".encode()
"""Not after a line break, so no boundary."""
HEAD = b'--b\r\nContent-Disposition: form-data; name="f"\r\n\r\n'
END = b"\r\n--b--\r\n"
MOST = limits.NO_BOUNDARIES.most

lengths = st.sampled_from([0, 1, 512, 4096, 8192]).flatmap(
    lambda about: st.integers(max(about - 150, 0), about + 150)
)
contents = st.tuples(
    st.sampled_from([b"", b"\r", b"\n", b"\r\n", b"--", NEARLY, WITHIN]),
    lengths.flatmap(lambda n: st.sampled_from([b"x" * n, b"\r\n" * n, (NEARLY * n)[:n]])),
    st.sampled_from([b"", b"\r", b"\n", b"\r\n", b"--", NEARLY, WITHIN]),
).map(b"".join)


def read(body: bytes) -> list[parts.Part]:
    return multipart_parts(body, "b", "", limits.PARTS.most)


@given(st.lists(contents, max_size=4), st.sampled_from(["f.pdf", "f" * 5000, None]))
def test_every_part_arrives_as_it_was_sent(sent: list[bytes], name: str | None) -> None:
    """With its file name, whatever line breaks and beginnings of boundaries are in it."""
    body, _ = multipart([("data", "{}")], [("file", name, each) for each in sent])
    found = multipart_parts(body, BOUNDARY, "", 300)
    assert [part.content for part in found] == [b"{}", *sent]
    assert {part.filename for part in found[1:]} <= {name}


pieces = st.sampled_from(
    [b"\r\n", b"\r", b"\n", b"--b", b"--", b"b", b" ", b"x", HEAD, END,
     b"Content-Disposition: form-data; name=g; filename=h", b"A: b\r\n c"]
)  # fmt: skip


@given(st.lists(pieces, max_size=12).map(b"".join))
def test_a_body_is_read_as_werkzeug_reads_it(middle: bytes) -> None:
    """Where that takes it: names, file names and contents, of any line breaks."""
    body = b"\r\n" + HEAD + middle + END
    expected = by_werkzeug(body)
    if expected is not None:
        found = [(part.name, part.content) for part in read(body)]
        assert found == expected


def by_werkzeug(body: bytes) -> list[tuple[str, bytes]] | None:
    decoder = MultipartDecoder(b"b")
    found: list[tuple[str, bytes]] = []
    try:
        decoder.receive_data(body)
        decoder.receive_data(None)
        while not isinstance(event := decoder.next_event(), Epilogue | NeedData):
            if isinstance(event, Field | File):
                found.append((event.name or "", b""))
            elif isinstance(event, Data):
                found[-1] = (found[-1][0], found[-1][1] + event.data)
    except ValueError:
        return None
    return found


@pytest.mark.parametrize("size", [0, 12_000])
def test_a_body_that_ends_early_is_refused(size: int) -> None:
    """Wherever it ends, but for the line break after its last boundary."""
    body, _ = multipart([("data", "{}")], [("file", "f", b"x" * size)])
    for end in [*range(1, 200), *range(len(body) - 200, len(body) - 3)]:
        with pytest.raises(errors.Invalid):
            multipart_parts(body[:end], BOUNDARY, "", 300)


@pytest.mark.parametrize(
    "make",
    [
        lambda fakes: fakes + b"\r\n" + HEAD + b"1" + END,
        lambda fakes: HEAD + fakes + END,
    ],
    ids=["before the first part", "within a part"],
)
def test_what_begins_like_a_boundary_is_looked_at_so_often(make: Callable[[bytes], bytes]) -> None:
    """Not millions of times: one more than the limit is refused with its name."""
    assert len(read(make(b"\r\n--b " * 0 + b"\r\n--bx" * MOST))) == 1
    with pytest.raises(errors.Invalid, match=r"\(limit no_boundaries\)"):
        read(make(b"\r\n--bx" * (MOST + 1)))


@pytest.mark.parametrize("size", [10_000, 1_000_000])
@pytest.mark.parametrize(
    "make",
    [
        lambda size: b"\r\n--" * size + HEAD + b"1" + END,
        lambda size: b"--" * size + b"\r\n" + HEAD + b"1" + END,
        lambda size: HEAD + b"\r\n" * size + END,
        lambda size: HEAD + b"1" + END + b"\r\n--b" * size,
        lambda size: b"--b\r\n" + b"x" * size,
        lambda size: b"--b" + b" " * size,
    ],
    ids=["breaks before", "hyphens before", "breaks within", "behind", "headers", "padding"],
)
def test_no_expression_reads_more_than_headers_may_have(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[int], bytes], size: int
) -> None:
    """Of a body of any length: one that does so holds the interpreter for as long as it takes."""
    spans: list[int] = []

    class Watched:
        def __init__(self, pattern: Any) -> None:
            self._pattern = pattern

        def search(self, raw: bytes, begin: int = 0, end: int | None = None) -> Any:
            spans.append((len(raw) if end is None else min(end, len(raw))) - begin)
            return self._pattern.search(raw, begin, *(() if end is None else (end,)))

        def match(self, raw: bytes, begin: int = 0, end: int | None = None) -> Any:
            spans.append((len(raw) if end is None else min(end, len(raw))) - begin)
            return self._pattern.match(raw, begin, *(() if end is None else (end,)))

    for name in ("_BLANK_LINE", "_BEHIND"):
        monkeypatch.setattr(parts, name, Watched(getattr(parts, name)))
    with contextlib.suppress(errors.Invalid):
        read(make(size))
    assert spans
    assert max(spans) <= limits.PART_HEADERS.most + 4
    assert len(spans) <= 4


@pytest.mark.parametrize(("size", "is_taken"), [(16_000, True), (16_500, False)])
def test_the_headers_of_a_part_are_bounded(size: int, is_taken: bool) -> None:
    """Before they are looked at."""
    body = b"--b\r\nA: " + b"a" * size + HEAD[3:] + b"1" + END
    if is_taken:
        assert [part.content for part in read(body)] == [b"1"]
    else:
        with pytest.raises(errors.Invalid, match=r"\(limit part_headers\)"):
            read(body)


def test_the_headers_of_all_parts_are_bounded_together() -> None:
    """Each is read several times for its names."""
    part = b"--b\r\nA: " + b"a" * 16_000 + HEAD[3:] + b"1\r\n"
    assert len(read(part * 8 + END)) == 8
    with pytest.raises(errors.Invalid, match=r"\(limit all_part_headers\)"):
        read(part * 9 + END)


fields = st.lists(st.sampled_from(["&", "=", "+", "%41", "%C3%A9", "%e9", "%4", "%zz", "a", "é"]))


@given(fields.map("".join), st.sampled_from([("", "utf-8"), ("iso-8859-1", "latin-1")]))
def test_a_form_is_read_as_by_urllib(text: str, charset: tuple[str, str]) -> None:
    """Escapes that are none, fields without a value and all."""
    try:
        expected = parse_qsl(text, True, encoding=charset[1], errors="strict")
    except UnicodeDecodeError:
        with pytest.raises(errors.Invalid):
            form_fields(text.encode(), charset[0], 300)
    else:
        found = form_fields(text.encode(), charset[0], 300)
        assert [(part.name, part.text()) for part in found] == expected


@pytest.mark.parametrize("text", [b"%41", b"%41a", b"+"])
def test_a_form_takes_a_few_times_its_size_in_memory(text: bytes) -> None:
    """Of nothing but escapes, too."""
    raw = b"data=" + text * (600_000 // len(text))
    tracemalloc.start()
    try:
        form_fields(raw, "", 300)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 12 * len(raw)
