"""Files within a JSON body: ``{"name", "content"}`` with base64, or a data URL (inferred).

The page's sample passes paths, which no server can read: a path is refused with a hint.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

from plivo_sim.dialects.bodies import bare_name
from plivo_sim.errors import Fault, Path, Problem
from plivo_sim.services.uploads import Upload, kind_of

_HINT = (
    "upload it as a multipart part 'documents[i].file', or embed it as "
    '{"name": ..., "content": <base64>} or as a data URL'
)


def read_file(value: Any, path: Path, stem: str) -> tuple[Upload | None, Problem | None]:
    """The file that a value embeds, or what is wrong with it; neither when none was given.

    ``stem``: what to call a file that brings no name of its own.
    """
    if isinstance(value, Upload):
        return value, None
    if value is None or value == "":
        return None, None
    if isinstance(value, Mapping):
        return _object(value, path, stem)
    if not isinstance(value, str):
        text = "must be an uploaded file, an object with name and content, or a data URL"
        return None, Problem(Fault.WRONG_TYPE, path, text)
    if value[:5].lower() != "data:":
        text = f"'{value[:80]}' is a text and not a file: {_HINT}"
        return None, Problem(Fault.BAD_FILE, path, text)
    return _data_url(value, path, stem)


def _object(
    value: Mapping[str, Any], path: Path, stem: str
) -> tuple[Upload | None, Problem | None]:
    name, content = value.get("name"), value.get("content")
    if not isinstance(content, str) or not isinstance(name, str | None):
        text = "must have 'name' and 'content' (base64), both strings"
        return None, Problem(Fault.WRONG_TYPE, path, text)
    return _made(_decoded(content), name, path, stem)


def _data_url(value: str, path: Path, stem: str) -> tuple[Upload | None, Problem | None]:
    head, comma, data = value[5:].partition(",")
    _, *options = head.split(";")
    names = [unquote(o[5:]) for o in options if o.lower().startswith("name=")]
    is_base64 = bool(options) and options[-1].strip().lower() == "base64"
    content = _decoded(unquote(data)) if is_base64 else unquote_to_bytes(data)
    return _made(content if comma else None, names[0] if names else None, path, stem)


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def _made(
    content: bytes | None, name: str | None, path: Path, stem: str
) -> tuple[Upload | None, Problem | None]:
    if content is None:
        return None, Problem(Fault.BAD_FILE, path, "the content is not valid base64")
    kind = kind_of(content)
    ending = f".{kind[0].lower()}" if kind else ""
    return Upload(name=bare_name(name or f"{stem}{ending}"), content=content), None
