"""Request bodies, read once, strictly, into one shape.

Our own reading of multipart parts (with Werkzeug's decoder) rather than ``request.form``,
because the SDKs' bodies need it (``wire-facts.md`` section 9, observed): file parts without a file
name (Node buffers), text parts with one (browser blobs), names without quotes (.NET), a body that
ends early must be an error and not an empty form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import (
    Data,
    Epilogue,
    Event,
    Field,
    File,
    MultipartDecoder,
    NeedData,
)

from plivo_sim.dialects.calls import current_call
from plivo_sim.errors import Fault, Invalid, Problem, TooLarge
from plivo_sim.jsontext import decode_json
from plivo_sim.services.uploads import Upload

LARGEST_BODY_BYTES = 56 * 1024 * 1024
"""Ten files of 5 MB and some text."""

MOST_PARTS = 300
LONG_BYTES, BEFORE_BYTES = 4096, 512
FORM = "application/x-www-form-urlencoded"
_JSON: tuple[str, dict[str, str]] = ("application/json", {})
_QUOTED_NAME = re.compile(r'\bfilename="((?:[^"\\]|\\.)*)"')


@dataclass(slots=True)
class Part:
    """One part of a form. ``filename`` is a bare name; None for a plain text field."""

    name: str
    content: bytes
    filename: str | None = None
    content_type: str = ""

    @property
    def is_file(self) -> bool:
        """A part with a name of its own, or with bytes that are not text (a Node buffer)."""
        return self.filename is not None or self.content_type == "application/octet-stream"

    def text(self) -> str:
        """The content as text. Raises Invalid when it is not UTF-8."""
        try:
            text = self.content.decode()
        except UnicodeDecodeError:
            raise unreadable(f"form field '{self.name}' is not valid UTF-8") from None
        if "\x00" in text:
            raise unreadable(f"form field '{self.name}' has a null character")
        return text

    def upload(self) -> Upload:
        return Upload(name=self.filename or self.name, content=self.content)


@dataclass(slots=True)
class Body:
    """A body that was read: ``json`` of a JSON one and its ``raw`` text, ``parts`` of a form."""

    kind: str
    json: Any = None
    raw: bytes = b""
    parts: list[Part] = field(default_factory=list)

    def part(self, name: str) -> Part | None:
        """The first part of this name."""
        return next((part for part in self.parts if part.name == name), None)


def unreadable(text: str) -> Invalid:
    return Invalid([Problem(Fault.UNREADABLE, (), text)])


def check_size(request: Request, limit_bytes: int = LARGEST_BODY_BYTES) -> int | None:
    """The length, when it is announced. Raises TooLarge before a byte is read."""
    announced = request.content_length
    if announced is not None and announced > limit_bytes:
        raise TooLarge(limit_bytes)
    return announced


def read_body(request: Request, limit_bytes: int = LARGEST_BODY_BYTES) -> Body:
    """Read a body by its content type: ``json``, ``form``, ``multipart``, ``empty`` or ``other``.

    A JSON empty string (which Node sends for "no body") counts as empty. Raises Invalid with one
    UNREADABLE problem, TooLarge. What was read stays in the call, for the journal.
    """
    current_call().body = body = _read(request, limit_bytes)
    return body


def _read(request: Request, limit_bytes: int) -> Body:
    announced = check_size(request, limit_bytes)
    content_type = request.environ.get("CONTENT_TYPE", "")
    kind, options = _JSON if content_type == _JSON[0] else parse_options_header(content_type)
    raw = _read_all(request, announced, limit_bytes)
    if not raw or raw.isspace():
        return Body("empty")
    if kind == "multipart/form-data":
        return Body("multipart", parts=_parts(raw, options.get("boundary", "")))
    if kind == FORM:
        return Body("form", parts=_form_fields(raw))
    if kind == "application/json" or kind.endswith("+json") or not kind:
        return _json(raw)
    return Body("other")


def _json(raw: bytes) -> Body:
    try:
        value = decode_json(raw)
    except ValueError as error:
        raise unreadable(f"the body is not valid JSON: {error}") from None
    return Body("empty") if value == "" else Body("json", json=value, raw=raw)


def _read_all(request: Request, announced: int | None, limit_bytes: int) -> bytes:
    try:
        if announced is None:  # no body, or chunks
            raw = request.stream.read(limit_bytes + 1)
        else:
            raw = request.environ["wsgi.input"].read(announced)
    except (OSError, RequestEntityTooLarge):
        raise unreadable("the body ended early or was too slow") from None
    except (ValueError, EOFError):
        raise unreadable("the body's chunks are malformed") from None
    if len(raw) > limit_bytes:
        raise TooLarge(limit_bytes)
    if announced is not None and len(raw) < announced:
        raise unreadable("the body ended early")
    return raw


def _form_fields(raw: bytes) -> list[Part]:
    try:
        pairs = parse_qsl(
            raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_PARTS
        )
    except UnicodeDecodeError:
        raise unreadable("the form is not valid UTF-8") from None
    except ValueError:
        raise unreadable(f"the form has more than {MOST_PARTS} fields") from None
    return [Part(name, value.encode()) for name, value in pairs]


def _parts(raw: bytes, boundary: str) -> list[Part]:
    if not boundary:
        raise unreadable("the multipart body has no boundary in its Content-Type")
    decoder = MultipartDecoder(boundary.encode("latin-1", "replace"), max_parts=MOST_PARTS)
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
        raise unreadable(f"the multipart body has more than {MOST_PARTS} parts") from None
    except ValueError:
        raise unreadable("the multipart body is malformed or ended early") from None
    for part, found in zip(parts, pieces, strict=True):
        part.content = b"".join(found)
    return parts


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
    content_type, _ = parse_options_header(event.headers.get("Content-Type", ""))
    name = _sent_name(event) if isinstance(event, File) else None
    return Part(event.name or "", b"", None if name is None else bare_name(name), content_type)


def _sent_name(event: File) -> str:
    """The file name; backslashes of a Windows path (Java sends whole paths, observed) are kept
    where Werkzeug takes them for escapes."""
    disposition = event.headers.get("Content-Disposition", "")
    quoted = _QUOTED_NAME.search(disposition)
    if quoted is None or "filename*" in disposition:
        return event.filename
    return re.sub(r'\\(["\\])', r"\1", quoted[1])


def bare_name(name: str) -> str:
    """A file name without folders, control characters or ``%22`` for a quote."""
    bare = re.split(r"[/\\]", name)[-1].replace("%22", '"')
    return "".join(c for c in bare if c.isprintable()) or "file"
