"""Bodies as they stand on a tape, and made again from it.

``{"json": …}``, ``{"form": [[name, value], …], "files": [[name, file], …]}``, ``{"text": …}`` for
what was no JSON, or ``{"bytes": n}``; a value of a form that is JSON is ``{"json": …}`` itself.
Of a file there is its kind, its size and a word that is the same for the same content.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, urlencode

from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from plivo_sim.client import Form
from plivo_sim.domain.text import decode_json
from plivo_sim.recording.masks import Masks
from plivo_sim.web.endpoints import FORM, JSON, MULTIPART

Body = dict[str, Any]

KINDS = {b"%PDF-": "pdf", b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg"}
MAGIC = {kind: magic for magic, kind in KINDS.items()}
MOST_FILE_BYTES = 8 << 20
"""Of a file that is made again: more than any of the APIs takes."""
MOST_TEXT_BYTES = 1 << 20
"""Of a body whose texts are masked, files within it apart; a longer one is no line of a tape."""


def masked_body(content: bytes, content_type: str, masks: Masks, *, public: bool = False) -> Body:
    """What stands for a body of this type; empty where there is none."""
    if not content:
        return {}
    kind, options = parse_options_header(content_type)
    if kind == MULTIPART:
        return _multipart(content, kind, options, masks)
    if len(content) > MOST_TEXT_BYTES:
        return _sized(content)
    if kind == FORM:
        return masked_query(content.decode("utf-8", "replace"), masks)
    try:
        return {"json": masks.value(decode_json(content), public=public)}
    except ValueError:
        is_text = kind == JSON or kind.startswith("text/")
    return (
        {"text": masks.draw.text(content.decode("utf-8", "replace"))}
        if is_text
        else _sized(content)
    )


def masked_query(query: str, masks: Masks) -> Body:
    """A form, or the fields of a callback that has them in its query."""
    pairs = parse_qsl(query, keep_blank_values=True)
    return {"form": [_field(name, value, masks) for name, value in pairs]}


def _sized(content: bytes) -> Body:
    return {"bytes": len(content)}


def _multipart(content: bytes, kind: str, options: dict[str, str], masks: Masks) -> Body:
    parser = FormDataParser(lambda *_, **__: BytesIO(), silent=True)
    _, fields, parts = parser.parse(BytesIO(content), kind, len(content), options)
    files = [(name, each.filename or "", each.read()) for name, each in parts.items(multi=True)]
    if len(content) - sum(len(file) for *_, file in files if file[:1] != b"{") > MOST_TEXT_BYTES:
        return _sized(content)
    return {
        "form": [_field(name, value, masks) for name, value in fields.items(multi=True)],
        "files": [[masks.key(name), _file(told, file, masks)] for name, told, file in files],
    }


def _field(name: str, value: str, masks: Masks) -> list[Any]:
    if value.lstrip()[:1] in ("{", "["):
        try:
            return [masks.key(name), {"json": masks.value(decode_json(value), name)}]
        except ValueError:
            pass
    return [masks.key(name), masks.text(value, name)]


def _file(told: str, content: bytes, masks: Masks) -> dict[str, Any]:
    """A part with a file name; one that is JSON, as browsers send ``data``, is read."""
    name = masks.text(told)
    if content[:1] == b"{":
        try:
            return {"name": name, "json": masks.value(decode_json(content))}
        except ValueError:
            pass
    kind = next((kind for magic, kind in KINDS.items() if content.startswith(magic)), "other")
    return {
        "name": name,
        "kind": kind,
        "bytes": len(content),
        "content": masks.draw.content(content),
    }


def made_body(body: Body, kind: str) -> tuple[bytes | None, Form | None]:
    """The content to send, or the multipart form; files have the kind, the size and the likeness
    of those that were recorded."""
    if "json" in body:
        return json.dumps(body["json"]).encode(), None
    if "text" in body:
        return body["text"].encode(), None
    if "form" not in body:
        return (b"\0" * min(body["bytes"], MOST_FILE_BYTES) if "bytes" in body else None), None
    pairs = [(name, _plain(value)) for name, value in body["form"]]
    if kind != MULTIPART:
        return urlencode(pairs).encode(), None
    return None, [*pairs, *_files(body)]


def _plain(value: Any) -> str:
    return json.dumps(value["json"]) if isinstance(value, dict) else str(value)


def _files(body: Body) -> Iterator[tuple[str, tuple[str, bytes]]]:
    for name, file in body.get("files", ()):
        if "json" in file:
            yield name, (file["name"], json.dumps(file["json"]).encode())
            continue
        magic, size = MAGIC.get(file["kind"], b""), min(file.get("bytes", 0), MOST_FILE_BYTES)
        filler = file["content"].encode()
        yield name, (file["name"], (magic + filler * (size // len(filler) + 1))[:size])
