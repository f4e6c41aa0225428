"""Request bodies, read once, strictly, into one shape.

Forms are taken apart by ``parts``, packed bodies and other charsets are read by ``codings``.
"""

from __future__ import annotations

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header

from plivo_sim.domain import limits
from plivo_sim.domain.errors import Invalid
from plivo_sim.domain.errors import unreadable as unreadable
from plivo_sim.domain.text import PLAIN, JsonLimits, decode_json, values_in
from plivo_sim.web.calls import Call, Came, TooLarge, TooSlow, current_call
from plivo_sim.web.codings import as_utf8, unpacked, unpacked_whole
from plivo_sim.web.parts import Part, form_fields, multipart_parts
from plivo_sim.web.streams import CONNECTION_KEY

LARGEST_BODY_BYTES = limits.BODY.most
"""Ten files of 5 MB and some text."""

MOST_PARTS = limits.PARTS.most

NOTED_BYTES = 64 * 1024
"""How much of a body stays in the call, for the journal."""

FORM = "application/x-www-form-urlencoded"

FILE_LISTS = ("files", "files[]", "file[]", "documents[]")
"""How forms name files that belong together: axios, PHP, jQuery write the brackets (inferred)."""

UNSET = ("", "undefined", "null")
"""Go fills a form with empty fields, Node writes these words for what is not set (observed)."""

_JSON: tuple[str, dict[str, str]] = ("application/json", {})


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
    json: JsonLimits = PLAIN,
) -> Body:
    """Read a body by its content type: ``json``, ``form``, ``multipart``, ``empty`` or ``other``.

    A JSON empty string (which Node sends for "no body") counts as empty. Raises Invalid with one
    UNREADABLE problem (more JSON values than ``json`` says, too), TooLarge, TooSlow, WrongCoding.
    What came and what was read stay in the call, for the journal.
    """
    call = current_call()
    call.body = body = _read(call, request, limit_bytes, most_parts, json)
    return body


def read_start(request: Request, limit_bytes: int) -> bytes:
    """The first bytes of a body, unpacked, for those who keep what comes, whatever it is.

    Raises Invalid (unreadable), TooSlow, WrongCoding.
    """
    start = bytearray()
    for piece in unpacked(_read_up_to(request, limit_bytes), _coding(request), is_whole=False):
        start += piece
        if len(start) >= limit_bytes:
            break
    return bytes(start[:limit_bytes])


def _read(
    call: Call, request: Request, limit_bytes: int, most_parts: int, json: JsonLimits
) -> Body:
    content_type = request.environ.get("CONTENT_TYPE", "")
    if len(content_type) > limits.CONTENT_TYPE.most:
        raise unreadable(f"the Content-Type is too long: {limits.CONTENT_TYPE}")
    kind, options = _JSON if content_type == _JSON[0] else parse_options_header(content_type)
    kind = kind.lower()
    if kind == FORM:
        limit_bytes = min(limit_bytes, limits.FORM.most)
    elif is_json(kind):
        limit_bytes = min(limit_bytes, json.bytes.most)
    came = _read_all(call, request, limit_bytes)
    raw = unpacked_whole(came, _coding(request), limit_bytes)
    if raw is not came:
        _note(call, raw, "unpacked")
        _tell_size(request, len(raw))
    is_empty = not raw or raw.isspace()
    body = Body("empty") if is_empty else _body_of(raw, kind, options, most_parts, json)
    if body.parts:
        _check_texts(body.parts, json)
    body.media_type = kind
    return body


def _tell_size(request: Request, size: int) -> None:
    """To the connection, which has taken memory for as much as might have been packed in it."""
    if CONNECTION_KEY in request.environ:
        request.environ[CONNECTION_KEY].arrival.unpacked_bytes = size


def _body_of(raw: bytes, kind: str, options: dict[str, str], most: int, json: JsonLimits) -> Body:
    charset = options.get("charset", "").strip().lower()
    if kind == "multipart/form-data":
        return Body(
            "multipart", parts=multipart_parts(raw, options.get("boundary", ""), charset, most)
        )
    if not charset and raw[:2] in (BOM_UTF16_LE, BOM_UTF16_BE):
        charset = "utf-16"  # PowerShell writes files so
    if kind == FORM:
        return Body("form", parts=form_fields(as_utf8(raw, charset, "the form"), charset, most))
    if is_json(kind):
        return _json(as_utf8(raw, charset, "the body"), json)
    return Body("other")


def is_json(kind: str) -> bool:
    """Whether a body of this type, in small letters, is read as JSON."""
    return kind == "application/json" or kind.endswith("+json") or not kind


def _json(raw: bytes, most: JsonLimits) -> Body:
    try:
        value = decode_json(raw, most)
    except ValueError as error:
        raise unreadable(f"the body is not valid JSON: {error}") from None
    return Body("empty") if value == "" else Body("json", json=value, raw=raw)


def _check_texts(parts: list[Part], most: JsonLimits) -> None:
    """The texts of a form are, together, no longer than a JSON body, nor has the JSON among them
    more values."""
    texts = [part.content for part in parts if part.is_text]
    values = [values_in(part.content) for part in parts if begins_json(part.content)]
    try:
        most.bytes.check(sum(map(len, texts)), "bytes of text in the form")
        most.values.check(sum(values), "JSON values in the form")
    except ValueError as error:
        raise unreadable(str(error)) from None


def begins_json(content: bytes) -> bool:
    """Whether a text of a form begins as a JSON object or list does."""
    return content.lstrip()[:1] in (b"{", b"[")


def _coding(request: Request) -> str:
    return str(request.environ.get("HTTP_CONTENT_ENCODING", ""))


def _read_all(call: Call, request: Request, limit_bytes: int) -> bytes:
    announced = check_size(request, limit_bytes)
    raw = _read_up_to(request, limit_bytes + 1 if announced is None else announced)
    _note(call, raw)
    if len(raw) > limit_bytes:
        raise TooLarge(limit_bytes)
    if announced is not None and len(raw) < announced:
        raise unreadable("the body ended early")
    return raw


def _note(call: Call, raw: bytes, *changed: str) -> None:
    cut = ("cut",) if len(raw) > NOTED_BYTES else ()
    call.came = Came(raw[:NOTED_BYTES], len(raw), (*changed, *cut))


_NONE = (None, "", "0")


def has_body(environ: Mapping[str, Any]) -> bool:
    """Whether a body is announced."""
    return environ.get("CONTENT_LENGTH") not in _NONE or "HTTP_TRANSFER_ENCODING" in environ


def read_rest(request: Request, most_bytes: int) -> Came | None:
    """What came as a body that nobody has read; None if none came. Raises nothing."""
    if not has_body(request.environ):
        return None
    announced = request.content_length
    if announced is not None and announced > LARGEST_BODY_BYTES:
        return Came(b"", announced, ("cut",))  # refused for its length: none of it is read
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
