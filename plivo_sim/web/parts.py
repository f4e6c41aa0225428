"""The parts of a form, urlencoded or multipart, and the names of their files.

Our own reading of multipart bodies, because the SDKs' need it (docs/wire-facts.md, "Checklist of
traps", observed): file parts without a file name (Node buffers), text parts with one (browser
blobs), names without quotes (.NET), a body that ends early must be an error and not an empty form.
And because any decoder that looks for a boundary with a regular expression, or makes an object of
each escape of a form, stops everybody for seconds when a body has nothing else: here a text is
looked for, a bounded number of times, and what stands between boundaries is only cut out.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from werkzeug.http import parse_options_header

from plivo_sim.domain import limits
from plivo_sim.domain.errors import unreadable
from plivo_sim.domain.text import bare_name
from plivo_sim.services.document_sets import kind_of
from plivo_sim.services.inputs import Upload
from plivo_sim.web.codings import CODECS, as_utf8

_PADDING_BYTES = 100
"""Of blanks behind a boundary, in its line."""

_BEHIND = re.compile(rb"--|[^\S\n\r]*(?:\r\n|\n|\r)")

_BLANK_LINE = re.compile(rb"\r\n\r\n|\r\r|\n\n")

_CONTINUED = re.compile(rb"(?:\r\n|\n|\r)[ \t]")

_ESCAPES = re.compile("(?:%[0-9A-Fa-f]{2})++")

_PLAIN_NAME = re.compile(r';\s*filename=(?:"((?:[^"\\]|\\.)*)"|([^;"]*))', re.IGNORECASE)

_STAR_NAME = re.compile(r""";\s*filename\*="?([\w-]*)'[^']*'([^;"\s]*)""", re.IGNORECASE)

_ENCODED_WORD = re.compile(r"=\?([\w-]+)\?([bq])\?([^?\s]*)\?=(?:\s+(?==\?))?", re.IGNORECASE)

_BREAKS = (b"\r", b"\n")

_MALFORMED = "the multipart body is malformed or ended early"


@dataclass(slots=True)
class Part:
    """One part of a form. ``filename`` is a bare name; None for a plain text field."""

    name: str
    content: bytes
    filename: str | None = None
    content_type: str = ""
    charset: str = ""
    _upload: Upload | None = None

    @property
    def is_file(self) -> bool:
        """A part with a name of its own, or with bytes that are not text (a Node buffer)."""
        return self.filename is not None or self.content_type == "application/octet-stream"

    @property
    def is_text(self) -> bool:
        """No file, and not the content of one either."""
        return not self.is_file and kind_of(self.content) is None

    def text(self) -> str:
        """The content as text. Raises Invalid when it is not UTF-8."""
        try:
            text = self.content.decode().removeprefix("\ufeff")
        except UnicodeDecodeError:
            raise unreadable(f"form field '{self.name}' is not valid UTF-8") from None
        if "\x00" in text:
            raise unreadable(f"form field '{self.name}' has a null character")
        return text

    def upload(self) -> Upload:
        """The same each time: its hash is worked out once."""
        if self._upload is None:
            self._upload = Upload(name=self.filename or self.name, content=self.content)
        return self._upload


def form_fields(raw: bytes, charset: str, most: int) -> list[Part]:
    """The fields of an urlencoded form, which is UTF-8 by now; what is escaped is of the charset,
    if that has one byte for a character.

    Raises Invalid (unreadable) for more fields than ``most``, and escapes that are no text.
    """
    if 1 + raw.count(b"&") > most:
        raise unreadable(f"the form has more than {most} fields")
    codec = CODECS[charset] if not charset.startswith("utf") else "utf-8"
    found = []
    try:
        for pair in raw.replace(b"+", b" ").split(b"&"):
            name, _, value = pair.partition(b"=")
            if pair:
                text = _unescaped(value, codec).removeprefix("\ufeff")
                found.append(Part(_unescaped(name, codec), text.encode()))
    except UnicodeDecodeError:
        raise unreadable(f"the form is not valid {charset or 'UTF-8'}") from None
    return found


def _unescaped(raw: bytes, codec: str) -> str:
    """A text with its escapes resolved, each run of them at once: urllib takes 240 bytes of memory
    for each escape. Raises UnicodeDecodeError."""
    return _ESCAPES.sub(
        lambda found: bytes.fromhex(found[0].replace("%", "")).decode(codec), raw.decode()
    )


def multipart_parts(raw: bytes, boundary: str, charset: str, most: int) -> list[Part]:
    """The parts of a multipart body. ``charset``: that of the texts whose part declares none.

    Raises Invalid (unreadable).
    """
    if not boundary:
        raise unreadable("the multipart body has no boundary in its Content-Type")
    parts: list[Part] = []
    size = 0
    for headers, content in _sections(raw, boundary.encode("latin-1", "replace")):
        if len(parts) == most:
            raise unreadable(f"the multipart body has more than {most} parts")
        size += len(headers)
        if size > limits.ALL_PART_HEADERS.most:
            raise unreadable(f"the headers of the parts are too long: {limits.ALL_PART_HEADERS}")
        part = _opened(_headers_in(headers))
        part.content = content
        _settle(part, charset)
        parts.append(part)
    return parts


def _sections(raw: bytes, boundary: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The headers and the content of each part.

    Line breaks may be CRLF or either half of it. What stands before the first boundary and behind
    the last one is passed over (RFC 2046).
    """
    line = b"--" + boundary
    _, begin, is_last = _boundary(raw, line, 0, is_first=True)
    while not is_last:
        end = begin + limits.PART_HEADERS.most
        blank = _BLANK_LINE.search(raw, begin, end + 4)
        if blank is None and end < len(raw):
            raise unreadable(f"the headers of a part are too long: {limits.PART_HEADERS}")
        if blank is None:
            raise unreadable(_MALFORMED)
        headers, content_at = raw[begin : blank.start()], blank.end()
        content_end, begin, is_last = _boundary(raw, line, content_at)
        yield headers, raw[content_at:content_end]


def _boundary(raw: bytes, line: bytes, at: int, *, is_first: bool = False) -> tuple[int, int, bool]:
    """Where the line break before the next boundary begins, where the line behind it does, and
    whether it is the last. The first one needs no line break before it."""
    for _ in range(limits.NO_BOUNDARIES.most + 1):
        at = raw.find(line, at)
        if at < 0:
            raise unreadable(_MALFORMED)
        behind = at + len(line)
        found = _BEHIND.match(raw, behind, behind + _PADDING_BYTES)
        before = 2 if raw[at - 2 : at] == b"\r\n" else 1 if raw[at - 1 : at] in _BREAKS else 0
        if found is not None and (before or is_first):
            return at - before, found.end(), found[0] == b"--"
        at += 1
    raise unreadable(
        f"the boundary of the multipart body stands too often where none is: {limits.NO_BOUNDARIES}"
    )


def _headers_in(raw: bytes) -> dict[str, str]:
    """The first header of each name, in small letters: in UTF-8 or else in Latin-1, as older
    clients write names."""
    try:
        raw.decode()
        codec = "utf-8"
    except UnicodeDecodeError:
        codec = "latin-1"
    headers: dict[str, str] = {}
    for line in _CONTINUED.sub(b" ", raw).splitlines():
        name, _, value = line.decode(codec).partition(":")
        headers.setdefault(name.strip(" \t").lower(), value.strip(" \t"))
    return headers


def _opened(headers: dict[str, str]) -> Part:
    disposition = headers.get("content-disposition")
    if disposition is None:
        raise unreadable(_MALFORMED)
    _, named = parse_options_header(disposition)
    content_type, options = parse_options_header(headers.get("content-type", ""))
    filename = named.get("filename")
    return Part(
        name=named.get("name", ""),
        content=b"",
        filename=None if filename is None else _sent_name(disposition, filename),
        content_type=content_type.lower(),
        charset=options.get("charset", "").strip().lower(),
    )


def _settle(part: Part, charset: str) -> None:
    """A file input in which nothing was chosen is an empty field; texts are UTF-8.

    Browsers send such an input without a name and the Python SDK with that of its field
    (observed). A file that has a name and no bytes is an empty file.
    """
    if part.is_file and not part.content and part.filename in (None, "", part.name):
        part.filename, part.content_type = None, ""
    elif part.filename is not None:
        part.filename = bare_name(part.filename)
    if not part.is_file and kind_of(part.content) is None:
        what = f"form field '{part.name}'"
        part.content = as_utf8(part.content, part.charset or charset, what)


def _sent_name(disposition: str, filename: str) -> str:
    """The file name: ``filename*`` before ``filename`` (RFC 6266), wherever they stand.

    Backslashes of a Windows path (Java sends whole paths, observed) are kept where Werkzeug takes
    them for escapes. .NET writes ``filename`` as a word of RFC 2047 (observed).
    """
    star, plain = _STAR_NAME.search(disposition), _PLAIN_NAME.search(disposition)
    if star is not None:
        name = _decoded(unquote_to_bytes(star[2]), star[1])
        if name is not None:
            return name
    if plain is None:
        return filename
    name = plain[2].strip() if plain[1] is None else re.sub(r'\\(["\\])', r"\1", plain[1])
    return _ENCODED_WORD.sub(_word, name)


def _word(match: re.Match[str]) -> str:
    """A word of RFC 2047 as text; as it is when it cannot be read."""
    try:
        if match[2] in "bB":
            raw = base64.b64decode(match[3], validate=True)
        else:
            raw = binascii.a2b_qp(match[3], header=True)
    except (binascii.Error, ValueError):
        return match[0]
    text = _decoded(raw, match[1])
    return match[0] if text is None else text


def _decoded(raw: bytes, charset: str) -> str | None:
    """A name in a charset, or None."""
    try:
        return raw.decode(CODECS.get(charset.lower(), "unknown"))
    except (LookupError, UnicodeDecodeError):
        return None
