"""Proofs of applicants who do not exist: a one-page PDF, and a small PNG. Valid, and each unique
to what stands on it, because no two documents of an application may share a file."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Sequence

_CELLS, _CELL_PIXELS = 8, 8


_SIDE = _CELLS * _CELL_PIXELS


def make_pdf(title: str, lines: Sequence[str]) -> bytes:
    """A page with a title and lines; what Windows-1252 lacks is shown as a question mark, but
    kept in the document's own title."""
    text = [f"BT /F1 20 Tf 56 770 Td ({_escaped(title)}) Tj ET"]
    for index, line in enumerate(lines):
        text.append(f"BT /F1 11 Tf 56 {735 - 18 * index} Td ({_escaped(line)}) Tj ET")
    stream = "\n".join(text).encode("cp1252", "replace")
    info = b"\xfe\xff" + title.encode("utf-16-be", "replace")
    return _pdf_file(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R"
            b" /Resources << /Font << /F1 4 0 R >> >> >>",
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
            b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream),
            b"<< /Title <%b> >>" % info.hex().encode(),
        ]
    )


def _pdf_file(objects: Sequence[bytes]) -> bytes:
    """Numbered objects with their cross-reference table; the first is the root, the last the
    document information."""
    file, offsets = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"), []
    for number, each in enumerate(objects, 1):
        offsets.append(len(file))
        file += b"%d 0 obj\n%b\nendobj\n" % (number, each)
    start, count = len(file), len(objects) + 1
    file += b"xref\n0 %d\n0000000000 65535 f \n" % count
    file += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    file += b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\n" % (count, len(objects))
    return bytes(file + b"startxref\n%d\n%%%%EOF\n" % start)


def _escaped(text: str) -> str:
    flat = "".join(c if c.isprintable() else " " for c in text)
    return flat.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def make_png(title: str) -> bytes:
    """A symmetrical pattern drawn from the title, which is also in the file as text."""
    digest = hashlib.sha256(title.encode("utf-8", "replace")).digest()
    header = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 2, 0, 0, 0)
    text = b"Title\0\0\0\0\0" + title.encode("utf-8", "replace")
    rows = [b"\0" + _row(digest, y) for y in range(_CELLS) for _ in range(_CELL_PIXELS)]
    chunks = [
        (b"IHDR", header),
        (b"iTXt", text),
        (b"IDAT", zlib.compress(b"".join(rows), 9)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def _row(digest: bytes, y: int) -> bytes:
    colour, paper = digest[:3], b"\xf4\xf4\xf0"
    half = [digest[4 + y] >> bit & 1 for bit in range(_CELLS // 2)]
    return b"".join((colour if cell else paper) * _CELL_PIXELS for cell in half + half[::-1])


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum
