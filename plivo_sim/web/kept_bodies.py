"""What is kept of the body of a request, and where its reading stopped.

The bytes are kept as they came, up to ``KEPT_BODY_BYTES``, secrets masked. A multipart form is the
exception: of that the parts are kept, of files their name, type, size and hash without the bytes.
Texts are made only when somebody looks. Invented.
"""

from __future__ import annotations

import base64
import json
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from sys import getsizeof
from typing import Any, Required, TypedDict
from urllib.parse import unquote_to_bytes

import msgspec
from msgspec.structs import replace
from werkzeug.http import parse_options_header

from plivo_sim.domain import limits
from plivo_sim.domain.records import Count, Sha256
from plivo_sim.domain.secrets import (
    MASK,
    is_secret,
    masked_bytes,
    masked_json,
    masked_query,
    masked_text,
)
from plivo_sim.domain.text import decode_json
from plivo_sim.web.bodies import FORM, Body, begins_json, is_json, read_rest
from plivo_sim.web.calls import Call, Came
from plivo_sim.web.parts import Part

KEPT_TEXT = 4000
KEPT_BODY_BYTES = 64 * 1024
MULTIPART = "multipart/form-data"
DATA = "data"
"""The field of a form that has to be JSON (wire-facts.md: the new API)."""


class Stopped(TypedDict):
    """``offset`` in bytes, ``line`` and ``column`` from 1."""

    offset: Count
    line: Count
    column: Count
    why: str


class KeptPart(TypedDict, total=False):
    """A field of a form with its ``text``, which ``is_cut`` if it is only the start; or a file with
    ``filename``, ``media_type``, ``size_bytes`` and ``sha256``; or both, of JSON that came as a
    file. ``stopped``: where a text that has to be JSON is none."""

    name: Required[str]
    text: str
    is_cut: bool
    stopped: Stopped
    filename: str | None
    media_type: str
    size_bytes: Count
    sha256: Sha256


class KeptBody(msgspec.Struct, frozen=True, kw_only=True):
    """``content``: its bytes, or the first of them; empty where ``parts`` stand for it.
    ``size_bytes``: of all of it.

    ``changed``: how ``content`` differs from what came: ``cut`` (it is only the start), ``masked``,
    ``unpacked`` (without its Content-Encoding), ``recoded`` (as UTF-8, without a byte-order mark).
    ``is_read``: whether it was taken for what it says to be; ``is_wanted``: whether the call looked
    at it at all.
    """

    content: bytes = b""
    parts: list[KeptPart] = []
    size_bytes: Count
    changed: tuple[str, ...] = ()
    is_read: bool = True
    is_wanted: bool = True

    @property
    def memory_bytes(self) -> int:
        """About how much memory this takes."""
        return len(self.content) + sum(map(_memory_of, self.parts))

    def value(self, content_type: str) -> Any:
        """What it meant: JSON as plain values, the parts of a form; None if nobody could read it, a
        note in brackets if it is too long for that."""
        if self.parts or not self.is_read:
            return list(map(_with_stop, self.parts)) or None
        kind = content_type.partition(";")[0].strip().lower()
        if "cut" in self.changed:
            return f"({self.size_bytes} bytes, of which the first {len(self.content)} are kept)"
        try:
            return decode_json(self.content) if is_json(kind) else None
        except ValueError:
            return None

    def shown(self, content_type: str) -> dict[str, Any]:
        """As the control API shows it."""
        text = _text_of(self.content)
        return {
            "size_bytes": self.size_bytes,
            "text": text,
            "base64": None if text is not None else base64.b64encode(self.content).decode(),
            "changed": list(self.changed),
            "is_read": self.is_read,
            "stopped": self.stopped(content_type),
        }

    def stopped(self, content_type: str) -> Stopped | None:
        """Where its reading stopped, in ``content``: byte, line and column, and why; None if it was
        read, or stopped behind what is kept."""
        if self.is_read or not self.is_wanted or not self.content:
            return None
        kind, options = parse_options_header(content_type[: limits.CONTENT_TYPE.most])
        found = _stop(self.content, kind.lower(), options, is_cut="cut" in self.changed)
        return None if found is None else _placed(self.content, *found)


def _memory_of(part: KeptPart) -> int:
    texts = (part["name"], part.get("text", ""), part.get("filename") or "",
             part.get("media_type", ""), part.get("sha256", ""))  # fmt: skip
    return 400 + sum(map(getsizeof, texts))


def keep_body(call: Call) -> KeptBody | None:
    """The body of a call that is over; None if it had none."""
    request, came, body = call.request, call.came, call.body
    is_wanted = came is not None
    if came is None:
        came = read_rest(request, KEPT_BODY_BYTES)
        if came is None:
            return None
    elif body is not None and body.kind == "empty" and not came.start:
        return None
    if isinstance(body, Body):
        return _kept(body, came)
    return _kept_unread(came, is_wanted=is_wanted)


def _kept(body: Body, came: Came) -> KeptBody:
    """Of one that could be read."""
    changed = came.changed
    parts: list[KeptPart] = []
    if body.kind in ("multipart", "form"):
        parts = list(_kept_parts(body.parts))
    if body.kind == "multipart":
        return KeptBody(parts=parts, size_bytes=came.size_bytes, changed=changed)
    content = came.start
    if body.kind == "json":
        if came.size_bytes <= KEPT_BODY_BYTES:
            if body.raw != content:
                content, changed = body.raw, (*changed, "recoded")
            masked = masked_json(content)
        else:
            masked = masked_bytes(content)
    elif body.kind == "form":
        masked = masked_query(content.decode("latin-1")).encode("latin-1", "replace")
    else:
        masked = masked_bytes(content)
    if masked != content:
        changed = (*changed, "masked")
    is_read = body.kind != "other"
    return KeptBody(
        content=masked, parts=parts, size_bytes=came.size_bytes, changed=changed, is_read=is_read
    )


def _kept_unread(came: Came, *, is_wanted: bool) -> KeptBody:
    masked = masked_bytes(came.start)
    changed = came.changed if masked == came.start else (*came.changed, "masked")
    return KeptBody(
        content=masked,
        size_bytes=came.size_bytes,
        changed=changed,
        is_read=False,
        is_wanted=is_wanted,
    )


def masked_body(body: KeptBody, content_type: str) -> KeptBody:
    """One that another server kept, as it may be shown here; the same if that masked it."""
    masked = _masked_content(body.content, content_type)
    changed = body.changed
    if masked != body.content and "masked" not in changed:
        changed = (*changed, "masked")
    return replace(body, content=masked, parts=list(map(_masked_part, body.parts)), changed=changed)


def _masked_content(content: bytes, content_type: str) -> bytes:
    if content_type.partition(";")[0].strip().lower() == FORM:
        content = masked_query(content.decode("latin-1")).encode("latin-1", "replace")
    return masked_json(content) if begins_json(content) else masked_bytes(content)


def _masked_part(part: KeptPart) -> KeptPart:
    if "text" not in part:
        return part
    text = part["text"]
    if is_secret(part["name"]):
        return {**part, "text": MASK}
    if begins_json(text.encode()):
        return {**part, "text": masked_json(text.encode()).decode("utf-8", "replace")}
    return {**part, "text": masked_text(text)}


def _kept_parts(parts: Iterable[Part]) -> Iterator[KeptPart]:
    """JSON is kept as far as that of a body is, all of the form together; other texts are short."""
    left = KEPT_BODY_BYTES
    for part in parts:
        most = max(left, KEPT_TEXT) if begins_json(part.content) else KEPT_TEXT
        kept: KeptPart = {"name": part.name[:KEPT_TEXT]}
        if part.is_file:
            kept["filename"] = part.filename
            kept["media_type"] = part.content_type[:KEPT_TEXT]
            kept["size_bytes"] = len(part.content)
            kept["sha256"] = part.upload().sha256
        if not part.is_file or _is_json_file(part):
            _keep_text(kept, part, most)
            left -= len(kept["text"])
        yield kept


def _is_json_file(part: Part) -> bool:
    """A browser sends JSON whose type is given as a file, which is called ``blob``."""
    is_called_so = part.name == DATA or is_json(part.content_type)
    return is_called_so and begins_json(part.content)


def _keep_text(kept: KeptPart, part: Part, most: int) -> None:
    """Add what is kept of its text, and where that is no UTF-8."""
    if is_secret(part.name):
        kept["text"] = MASK
        return
    content = part.content
    if begins_json(content):
        masked = masked_json(content, most)[:most]
    else:
        masked = masked_text(content[:most].decode("utf-8", "replace")).encode()
    kept["text"] = masked.decode("utf-8", "replace")
    if len(content) > most:
        kept["is_cut"] = True
    elif masked == content and (found := _not_utf8(content)) is not None:
        kept["stopped"] = _placed(content, *found)


def _with_stop(part: KeptPart) -> KeptPart:
    """With the place where it is no JSON any more, if it has to be JSON."""
    text = part.get("text", "")
    content = text.encode()
    if "stopped" in part or not (part["name"] == DATA or begins_json(content)) or not text.strip():
        return part
    found = json_stop(content, is_cut=part.get("is_cut", False))
    return part if found is None else {**part, "stopped": _placed(content, *found)}


def _text_of(content: bytes) -> str | None:
    """As text, if it is text; a character that was cut at its end is left out."""
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        if len(content) - error.start > 3 or "unexpected end" not in error.reason:
            return None
        text = content[: error.start].decode()
    return None if "\0" in text else text


# --- where its reading stopped ---------------------------------------------------------------


def _stop(
    content: bytes, kind: str, options: dict[str, str], *, is_cut: bool
) -> tuple[int, str] | None:
    """At which byte, and why."""
    if kind == MULTIPART:
        if not options.get("boundary"):
            return 0, "the Content-Type names no boundary"
        return None if is_cut else (len(content), "the form ends early, or is malformed before")
    if kind == FORM:
        return _stop_of_form(content)
    if not is_json(kind):
        return 0, f"it was not read: its Content-Type is {kind[:100]}"
    charset = options.get("charset", "utf-8").lower()
    if charset not in ("utf-8", "utf8", "us-ascii", "ascii"):
        return 0, f"its charset is {charset[:50]}"
    return json_stop(content, is_cut=is_cut)


def json_stop(content: bytes, *, is_cut: bool = False) -> tuple[int, str] | None:
    """At which byte bytes are no JSON any more, and why; None if that is not among them."""
    if (found := _not_utf8(content)) is not None:
        return None if is_cut and len(content) - found[0] <= 3 else found
    start = len(BOM_UTF8) if content.startswith(BOM_UTF8) else 0
    text = content[start:].decode()
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        ends = not text[error.pos :].strip() or error.msg.startswith("Unterminated")
        if is_cut and ends:
            return None
        why = error.msg.removesuffix(" starting at")
        return start + len(text[: error.pos].encode()), why
    except (ValueError, RecursionError):  # a number of too many digits, or too many brackets
        return None
    return None


def _not_utf8(content: bytes) -> tuple[int, str] | None:
    """The first byte that is no UTF-8."""
    try:
        content.decode()
    except UnicodeDecodeError as error:
        return error.start, f"not UTF-8: the byte 0x{content[error.start]:02x}"
    return None


def _stop_of_form(content: bytes) -> tuple[int, str] | None:
    at = 0
    for pair in content.split(b"&"):
        try:
            unquote_to_bytes(pair).decode()
        except UnicodeDecodeError:
            return at, "not UTF-8"
        at += len(pair) + 1
    return None


def _placed(content: bytes, offset: int, why: str) -> Stopped:
    before = content[:offset]
    line_at = before.rfind(b"\n") + 1
    return {
        "offset": offset,
        "line": before.count(b"\n") + 1,
        "column": len(before[line_at:].decode("utf-8", "replace")) + 1,
        "why": why,
    }
