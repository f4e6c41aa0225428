"""Content codings and charsets of bodies: packed ones are unpacked, and texts brought to UTF-8, so
that nobody else has to know of either (inferred: no page says what the live service takes of
these).
"""

from __future__ import annotations

import zlib
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator

from plivo_sim.domain.errors import WrongCoding, unreadable
from plivo_sim.web.calls import TooLarge

UNPACKED_AT_ONCE = 64 * 1024

_GZIP = 16 + zlib.MAX_WBITS

CODECS = {
    "": "utf-8", "utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "utf-8", "ascii": "utf-8",
    "iso-8859-1": "latin-1", "iso8859-1": "latin-1", "iso_8859-1": "latin-1", "latin1": "latin-1",
    "windows-1252": "cp1252", "cp1252": "cp1252",
    "utf-16": "utf-16", "utf-16le": "utf-16-le", "utf-16be": "utf-16-be",
}  # fmt: skip
"""The charsets that are taken, and Python's names for them."""

_CHARSETS = "utf-8, us-ascii, iso-8859-1, windows-1252 and utf-16"


def unpacked_whole(raw: bytes, coding: str, limit_bytes: int) -> bytes:
    """A body without its ``Content-Encoding``; never more of it is held than the limit.

    Raises TooLarge, and as ``unpacked``.
    """
    if not raw or not coding:
        return raw
    pieces, size = [], 0
    for piece in unpacked(raw, coding):
        pieces.append(piece)
        size += len(piece)
        if size > limit_bytes:
            raise TooLarge(limit_bytes)
    return b"".join(pieces)


def is_packed(sent: str) -> bool:
    """Whether a body with this ``Content-Encoding`` has to be unpacked."""
    return sent.strip().lower() not in ("", "identity")


def unpacked(raw: bytes, sent: str, *, is_whole: bool = True) -> Iterator[bytes]:
    """What was packed, in small pieces; ``is_whole``: the end must have come, and nothing after.

    ``sent``: the ``Content-Encoding``. ``deflate`` comes with the head that HTTP asks for and, from
    some, without it. Raises Invalid (unreadable), WrongCoding.
    """
    if not raw or not is_packed(sent):
        yield raw
        return
    coding = sent.strip().lower()
    if coding not in ("gzip", "x-gzip", "deflate"):
        raise WrongCoding(sent)
    has_head = raw[0] & 15 == 8 and int.from_bytes(raw[:2], "big") % 31 == 0
    bits = _GZIP if coding != "deflate" else zlib.MAX_WBITS if has_head else -zlib.MAX_WBITS
    unpacker = zlib.decompressobj(bits)
    at = 0
    try:
        while at < len(raw) and not unpacker.eof:
            piece = raw[at : at + UNPACKED_AT_ONCE]
            at += len(piece)
            while piece and not unpacker.eof:
                yield unpacker.decompress(piece, UNPACKED_AT_ONCE)
                piece = unpacker.unconsumed_tail
        yield unpacker.flush()
    except zlib.error:
        raise unreadable(f"the body is not {coding}, as its Content-Encoding says") from None
    if is_whole and (not unpacker.eof or unpacker.unused_data or at < len(raw)):
        raise unreadable(f"the {coding} body ended early, or goes on after its end")


def as_utf8(raw: bytes, charset: str, what: str) -> bytes:
    """A text of a declared charset as UTF-8, without a byte-order mark.

    UTF-8 itself is not checked. Raises Invalid (unreadable) for another charset than those that
    are taken, and for a text that is not of its charset.
    """
    codec = CODECS.get(charset)
    if codec is None:
        raise unreadable(f"{what} has the charset '{charset[:50]}'; {_CHARSETS} are taken")
    if codec == "utf-8":
        return raw.removeprefix(BOM_UTF8)
    if codec == "utf-16" and raw[:2] not in (BOM_UTF16_LE, BOM_UTF16_BE):
        codec = "utf-16-le"
    try:
        return raw.decode(codec).removeprefix("\ufeff").encode()
    except UnicodeDecodeError:
        raise unreadable(f"{what} is not valid {charset}") from None
