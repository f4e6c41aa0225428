"""Request bodies, read once, strictly, into one shape.

Our own reading of multipart parts (with Werkzeug's decoder) rather than ``request.form``,
because the SDKs' bodies need it (docs/wire-facts.md, "Checklist of traps", observed): file parts
without a file name (Node buffers), text parts with one (browser blobs), names without quotes
(.NET), a body that ends early must be an error and not an empty form.

Packed bodies are unpacked and texts of another charset are brought to UTF-8 here, so that nobody
else has to know of either (inferred: no page says what the live service takes of these).
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
import zlib
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from flask import Request
from werkzeug.datastructures import Headers
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData

from plivo_sim.domain import limits
from plivo_sim.domain.errors import Invalid, Problem, ProblemKind, WrongCoding
from plivo_sim.domain.text import decode_json, values_in
from plivo_sim.services.document_sets import kind_of
from plivo_sim.services.inputs import Upload
from plivo_sim.web.calls import Came, TooLarge, TooSlow, current_call

LARGEST_BODY_BYTES = limits.BODY.most
"""Ten files of 5 MB and some text."""

MOST_PARTS = limits.PARTS.most


LONG_BYTES, BEFORE_BYTES = 4096, 512


UNPACKED_AT_ONCE = 64 * 1024

NOTED_BYTES = 64 * 1024
"""How much of a body stays in the call, for the journal."""

_GZIP = 16 + zlib.MAX_WBITS

FORM = "application/x-www-form-urlencoded"

FILE_LISTS = ("files", "files[]", "file[]", "documents[]")
"""How forms name files that belong together: axios, PHP, jQuery write the brackets (inferred)."""

_JSON: tuple[str, dict[str, str]] = ("application/json", {})

_CODECS = {
    "": "utf-8", "utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "utf-8", "ascii": "utf-8",
    "iso-8859-1": "latin-1", "iso8859-1": "latin-1", "iso_8859-1": "latin-1", "latin1": "latin-1",
    "windows-1252": "cp1252", "cp1252": "cp1252",
    "utf-16": "utf-16", "utf-16le": "utf-16-le", "utf-16be": "utf-16-be",
}  # fmt: skip

_CHARSETS = "utf-8, us-ascii, iso-8859-1, windows-1252 and utf-16"

_PLAIN_NAME = re.compile(r';\s*filename=(?:"((?:[^"\\]|\\.)*)"|([^;"]*))', re.IGNORECASE)

_STAR_NAME = re.compile(r""";\s*filename\*="?([\w-]*)'[^']*'([^;"\s]*)""", re.IGNORECASE)

_ENCODED_WORD = re.compile(r"=\?([\w-]+)\?([bq])\?([^?\s]*)\?=(?:\s+(?==\?))?", re.IGNORECASE)

_JOINERS = "\u200c\u200d"


@dataclass(slots=True)
class Part:
    """One part of a form. ``filename`` is a bare name; None for a plain text field."""

    name: str
    content: bytes
    filename: str | None = None
    content_type: str = ""
    charset: str = ""

    @property
    def is_file(self) -> bool:
        """A part with a name of its own, or with bytes that are not text (a Node buffer)."""
        return self.filename is not None or self.content_type == "application/octet-stream"

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
        return Upload(name=self.filename or self.name, content=self.content)


@dataclass(slots=True)
class Body:
    """A body that was read: ``json`` of a JSON one and its ``raw`` text, ``parts`` of a form.

    ``media_type``: what it was said to be, in small letters.
    """

    kind: str
    json: Any = None
    raw: bytes = b""
    parts: list[Part] = field(default_factory=list)
    media_type: str = ""

    def json_object(self) -> dict[str, Any]:
        """The JSON object. An empty body is an empty one, and so is ``[]``, which PHP writes for it
        (observed).

        Raises Invalid (unreadable) for any other JSON, null included (inferred).
        """
        value = self.json if self.kind == "json" and self.json != [] else {}
        if not isinstance(value, dict):
            raise unreadable("the body must be a JSON object")
        return value

    def part(self, name: str) -> Part | None:
        """The first part of this name."""
        return next((part for part in self.parts if part.name == name), None)


def unreadable(text: str) -> Invalid:
    return Invalid([Problem(ProblemKind.UNREADABLE, (), text)])


def not_taken(text: str, media_type: str) -> Invalid:
    """A refusal that says what a body must be, and what it is."""
    seen = f"it is {media_type[:100]}" if media_type else "the request has no Content-Type"
    return unreadable(f"{text}; {seen}")


def check_size(request: Request, limit_bytes: int = LARGEST_BODY_BYTES) -> int | None:
    """The length, when it is announced. Raises TooLarge before a byte is read."""
    announced = request.content_length
    if announced is not None and announced > limit_bytes:
        raise TooLarge(limit_bytes)
    return announced


def read_body(
    request: Request,
    limit_bytes: int = LARGEST_BODY_BYTES,
    most_parts: int = MOST_PARTS,
    values: limits.Limit = limits.JSON_VALUES,
) -> Body:
    """Read a body by its content type: ``json``, ``form``, ``multipart``, ``empty`` or ``other``.

    A JSON empty string (which Node sends for "no body") counts as empty. Raises Invalid with one
    UNREADABLE problem (more JSON values than ``values``, too), TooLarge, TooSlow, WrongCoding. What
    came and what was read stay in the call, for the journal.
    """
    current_call().body = body = _read(request, limit_bytes, most_parts, values)
    return body


def read_start(request: Request, limit_bytes: int) -> bytes:
    """The first bytes of a body, unpacked, for those who keep what comes, whatever it is.

    Raises Invalid (unreadable), TooSlow, WrongCoding.
    """
    start = bytearray()
    for piece in _unpacked(_read_up_to(request, limit_bytes), request, is_whole=False):
        start += piece
        if len(start) >= limit_bytes:
            break
    return bytes(start[:limit_bytes])


def _read(request: Request, limit_bytes: int, most_parts: int, values: limits.Limit) -> Body:
    content_type = request.environ.get("CONTENT_TYPE", "")
    if len(content_type) > limits.CONTENT_TYPE.most:
        raise unreadable(f"the Content-Type is too long: {limits.CONTENT_TYPE}")
    kind, options = _JSON if content_type == _JSON[0] else parse_options_header(content_type)
    raw = _unpack(_read_all(request, limit_bytes), request, limit_bytes)
    kind = kind.lower()
    is_empty = not raw or raw.isspace()
    body = Body("empty") if is_empty else _body_of(raw, kind, options, most_parts, values)
    _check_values(body.parts, values)
    body.media_type = kind
    return body


def _body_of(
    raw: bytes, kind: str, options: dict[str, str], most: int, values: limits.Limit
) -> Body:
    charset = options.get("charset", "").strip().lower()
    if kind == "multipart/form-data":
        return Body("multipart", parts=_parts(raw, options.get("boundary", ""), charset, most))
    if not charset and raw[:2] in (BOM_UTF16_LE, BOM_UTF16_BE):
        charset = "utf-16"  # PowerShell writes files so
    if kind == FORM:
        return Body("form", parts=_form_fields(as_utf8(raw, charset, "the form"), charset, most))
    if is_json(kind):
        return _json(as_utf8(raw, charset, "the body"), values)
    return Body("other")


def is_json(kind: str) -> bool:
    """Whether a body of this type, in small letters, is read as JSON."""
    return kind == "application/json" or kind.endswith("+json") or not kind


def _json(raw: bytes, most: limits.Limit) -> Body:
    try:
        value = decode_json(raw, most)
    except ValueError as error:
        raise unreadable(f"the body is not valid JSON: {error}") from None
    return Body("empty") if value == "" else Body("json", json=value, raw=raw)


def _check_values(parts: list[Part], most: limits.Limit) -> None:
    """The JSON texts of a form have, together, no more values than a JSON body."""
    texts = [part.content for part in parts if begins_json(part.content)]
    try:
        most.check(sum(map(values_in, texts)), "JSON values in the form")
    except ValueError as error:
        raise unreadable(str(error)) from None


def begins_json(content: bytes) -> bool:
    """Whether a text of a form begins as a JSON object or list does."""
    return content.lstrip()[:1] in (b"{", b"[")


def _read_all(request: Request, limit_bytes: int) -> bytes:
    announced = check_size(request, limit_bytes)
    raw = _read_up_to(request, limit_bytes + 1 if announced is None else announced)
    _note(raw)
    if len(raw) > limit_bytes:
        raise TooLarge(limit_bytes)
    if announced is not None and len(raw) < announced:
        raise unreadable("the body ended early")
    return raw


def _note(raw: bytes, *changed: str) -> None:
    cut = ("cut",) if len(raw) > NOTED_BYTES else ()
    current_call().came = Came(raw[:NOTED_BYTES], len(raw), (*changed, *cut))


_NONE = (None, "", "0")


def read_rest(request: Request, most_bytes: int) -> Came | None:
    """What came as a body that nobody has read; None if none came. Raises nothing."""
    environ = request.environ
    if environ.get("CONTENT_LENGTH") in _NONE and "HTTP_TRANSFER_ENCODING" not in environ:
        return None
    announced = request.content_length
    try:
        start = _read_up_to(request, most_bytes + 1)
    except (TooSlow, Invalid):
        return None
    size_bytes = max(announced or 0, len(start))
    return Came(start[:most_bytes], size_bytes, ("cut",) if size_bytes > most_bytes else ())


def _read_up_to(request: Request, size: int) -> bytes:
    announced = request.content_length
    try:
        if announced is None:  # no body, or chunks
            raw: bytes = request.stream.read(size)
        else:
            raw = request.environ["wsgi.input"].read(min(announced, size))
    except TimeoutError:
        raise TooSlow from None
    except (OSError, RequestEntityTooLarge):
        raise unreadable("the body ended early") from None
    except (ValueError, EOFError) as error:  # of its chunks
        raise unreadable(f"the body cannot be read: {error}") from None
    return raw


# --- content codings and charsets ----------------------------------------------------------


def _unpack(raw: bytes, request: Request, limit_bytes: int) -> bytes:
    """The body without its ``Content-Encoding``; never more of it is held than the limit."""
    if not raw or "HTTP_CONTENT_ENCODING" not in request.environ:
        return raw
    pieces, size = [], 0
    for piece in _unpacked(raw, request):
        pieces.append(piece)
        size += len(piece)
        if size > limit_bytes:
            raise TooLarge(limit_bytes)
    unpacked = b"".join(pieces)
    if unpacked != raw:
        _note(unpacked, "unpacked")
    return unpacked


def _unpacked(raw: bytes, request: Request, *, is_whole: bool = True) -> Iterator[bytes]:
    """What was packed, in small pieces; ``is_whole``: the end must have come, and nothing after.

    ``deflate`` comes with the head that HTTP asks for and, from some, without it.
    """
    sent = request.environ.get("HTTP_CONTENT_ENCODING", "")
    coding = sent.strip().lower()
    if coding in ("", "identity") or not raw:
        yield raw
        return
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
    codec = _CODECS.get(charset)
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


# --- forms ---------------------------------------------------------------------------------


def _form_fields(raw: bytes, charset: str, most: int) -> list[Part]:
    """The fields; what is escaped is of the charset, if that has one byte for a character."""
    codec = _CODECS[charset] if not charset.startswith("utf") else "utf-8"
    try:
        pairs = parse_qsl(
            raw.decode(),
            keep_blank_values=True,
            encoding=codec,
            errors="strict",
            max_num_fields=most,
        )
    except UnicodeDecodeError:
        raise unreadable(f"the form is not valid {charset or 'UTF-8'}") from None
    except ValueError:
        raise unreadable(f"the form has more than {most} fields") from None
    return [Part(name, value.removeprefix("\ufeff").encode()) for name, value in pairs]


def _parts(raw: bytes, boundary: str, charset: str = "", most: int = MOST_PARTS) -> list[Part]:
    """``charset``: that of the texts whose part declares none."""
    if not boundary:
        raise unreadable("the multipart body has no boundary in its Content-Type")
    decoder = _Decoder(boundary.encode("latin-1", "replace"), max_parts=most)
    parts: list[Part] = []
    pieces: list[list[bytes]] = []
    try:
        for event in _events(decoder, raw):
            if isinstance(event, Field | File):
                parts.append(_opened(event))
                pieces.append([])
            elif isinstance(event, Data) and parts:
                pieces[-1].append(event.data)
    except RequestEntityTooLarge:
        raise unreadable(f"the multipart body has more than {most} parts") from None
    except ValueError:
        raise unreadable("the multipart body is malformed or ended early") from None
    for part, found in zip(parts, pieces, strict=True):
        part.content = b"".join(found)
        _settle(part, charset)
    return parts


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


class _Decoder(MultipartDecoder):
    """Part headers in UTF-8 or else in Latin-1, as older clients write names."""

    def _parse_headers(self, data: bytes | bytearray) -> Headers:
        if len(data) > limits.PART_HEADERS.most:
            raise unreadable(f"the headers of a part are too long: {limits.PART_HEADERS}")
        try:
            data.decode()
        except UnicodeDecodeError:
            data = data.decode("latin-1").encode()
        return super()._parse_headers(data)


def _events(decoder: MultipartDecoder, raw: bytes) -> Iterator[Event]:
    """What is in the body."""
    for piece in _pieces(raw, b"--" + decoder.boundary):
        decoder.receive_data(piece)
        while not isinstance(event := decoder.next_event(), NeedData | Epilogue):
            yield event
    decoder.receive_data(None)
    while not isinstance(event := decoder.next_event(), Epilogue):
        if isinstance(event, NeedData):
            raise unreadable("the multipart body ended early")
        yield event


def _pieces(raw: bytes, boundary: bytes) -> Iterator[bytes]:
    """The body in pieces that begin a little before a boundary, where much stands before it.

    The decoder looks at each line break of what it holds, but only where there is a boundary in
    it; and it takes a line break for content where a cut falls next to one.
    """
    begin = at = 0
    for _ in range(2 * MOST_PARTS):
        at = raw.find(boundary, at + 1)
        if at < 0:
            break
        if at - begin > LONG_BYTES:
            yield raw[begin : at - BEFORE_BYTES]
            begin = at - BEFORE_BYTES
    yield raw[begin:]


def _opened(event: Field | File) -> Part:
    content_type, options = parse_options_header(event.headers.get("Content-Type", ""))
    return Part(
        name=event.name or "",
        content=b"",
        filename=_sent_name(event) if isinstance(event, File) else None,
        content_type=content_type.lower(),
        charset=options.get("charset", "").strip().lower(),
    )


def _sent_name(event: File) -> str:
    """The file name: ``filename*`` before ``filename`` (RFC 6266), wherever they stand.

    Backslashes of a Windows path (Java sends whole paths, observed) are kept where Werkzeug takes
    them for escapes. .NET writes ``filename`` as a word of RFC 2047 (observed).
    """
    disposition = event.headers.get("Content-Disposition", "")
    star, plain = _STAR_NAME.search(disposition), _PLAIN_NAME.search(disposition)
    if star is not None:
        name = _decoded(unquote_to_bytes(star[2]), star[1])
        if name is not None:
            return name
    if plain is None:
        return event.filename
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
        return raw.decode(_CODECS.get(charset.lower(), "unknown"))
    except (LookupError, UnicodeDecodeError):
        return None


def bare_name(name: str) -> str:
    """A file name without folders, control characters or ``%22`` for a quote.

    Spaces of every width and the joiners that Indic scripts need stay.
    """
    bare = re.split(r"[/\\]", name)[-1].replace("%22", '"')
    return "".join(c for c in bare if _is_kept(c)) or "file"


def _is_kept(c: str) -> bool:
    return c.isprintable() or c in _JOINERS or unicodedata.category(c) == "Zs"
