"""The generated proofs are files that readers open."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator

import pytest

from plivo_sim.client.proofs import make_pdf, make_png

NAMES = ["Acme Traders Pvt Ltd", "Jäger & Söhne (GmbH)", "राज", "back\\slash", "line\nbreak"]


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each chunk, with its checksum checked."""
    at = 8
    while at < len(png):
        (size,) = struct.unpack_from(">I", png, at)
        kind, content = png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
        (checksum,) = struct.unpack_from(">I", png, at + 8 + size)
        assert zlib.crc32(kind + content) == checksum
        yield kind, content
        at += 12 + size


@pytest.mark.parametrize("name", NAMES)
def test_a_pdf_s_table_leads_to_its_objects(name: str) -> None:
    """Every offset of the cross-reference table, and the table's own."""
    pdf = make_pdf(name, [name, ""])
    assert pdf.startswith(b"%PDF-1.4\n")
    start = int(re.search(rb"startxref\n(\d+)\n%%EOF\n$", pdf)[1])  # type: ignore[index]
    count = int(re.match(rb"xref\n0 (\d+)\n", pdf[start:])[1])  # type: ignore[index]
    offsets = [int(line) for line in re.findall(rb"(\d{10}) 00000 n \n", pdf[start:])]
    assert len(offsets) == count - 1 == 6
    for number, offset in enumerate(offsets, 1):
        assert pdf[offset:].startswith(b"%d 0 obj\n" % number)


@pytest.mark.parametrize("name", NAMES)
def test_a_pdf_s_stream_is_as_long_as_it_says(name: str) -> None:
    """To the byte."""
    pdf = make_pdf(name, [])
    size, rest = re.search(rb"/Length (\d+) >>\nstream\n(.*)$", pdf, re.DOTALL).groups()  # type: ignore[union-attr]
    assert rest[int(size) :].startswith(b"\nendstream")


def test_a_pdf_shows_the_name() -> None:
    """On its one page, brackets escaped; what the font lacks only in the document's title."""
    pdf = make_pdf("Jäger (GmbH)", ["Registration Number: HRB 1"])
    assert "(Jäger \\(GmbH\\)) Tj".encode("cp1252") in pdf
    assert b"(Registration Number: HRB 1) Tj" in pdf
    assert pdf.count(b"/Type /Page /") == 1
    assert "राज".encode("utf-16-be").hex().encode() in make_pdf("राज", [])


@pytest.mark.parametrize("name", NAMES)
def test_a_png_is_whole(name: str) -> None:
    """Header, text, as many pixels as the header says, end."""
    png = make_png(name)
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    parts = dict(chunks(png))
    assert list(parts) == [b"IHDR", b"iTXt", b"IDAT", b"IEND"]
    width, height, depth, colours = struct.unpack_from(">IIBB", parts[b"IHDR"])
    assert (depth, colours) == (8, 2)
    assert len(zlib.decompress(parts[b"IDAT"])) == height * (1 + 3 * width)
    assert parts[b"iTXt"] == b"Title\0\0\0\0\0" + name.encode()


def test_proofs_are_small_and_differ() -> None:
    """No two names share a file."""
    made = {make(name) for name in NAMES for make in (lambda n: make_pdf(n, []), make_png)}
    assert len(made) == 2 * len(NAMES)
    assert max(map(len, made)) < 2000
