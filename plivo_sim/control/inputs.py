"""What control calls take, checked, with problems that name their path."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from flask import request

from plivo_sim.dialects.bodies import LARGEST_BODY_BYTES, not_taken, read_body
from plivo_sim.durations import Duration, parse_duration
from plivo_sim.errors import Fault, Invalid, Problem
from plivo_sim.settings import read_instant

W = TypeVar("W", bound=StrEnum)


def invalid(path: str, text: str) -> Invalid:
    return Invalid([Problem(Fault.BAD_VALUE, (path,) if path else (), text)])


LARGEST_JSON_BYTES = 1024 * 1024


def json_object(*known: str, large: bool = False) -> dict[str, Any]:
    """The request's JSON object (empty body: empty object), with known keys only.

    ``large``: one that may hold files. Raises Invalid, TooLarge.
    """
    body = read_body(request, LARGEST_BODY_BYTES if large else LARGEST_JSON_BYTES)
    if body.kind == "empty":
        return {}
    text = "the body must be a JSON object (Content-Type: application/json)"
    if body.kind != "json":
        raise not_taken(text, body.media_type)
    if not isinstance(body.json, dict):
        raise invalid("", text)
    unknown = [key for key in body.json if known and key not in known]
    if unknown:
        raise invalid(unknown[0], f"unknown; there are {', '.join(known)}")
    return body.json


def text_of(data: Mapping[str, Any], key: str) -> str | None:
    value = data.get(key)
    if value is not None and not isinstance(value, str):
        raise invalid(key, "must be a string")
    return value


def duration_of(data: dict[str, Any], key: str) -> Duration | None:
    """A duration: text, or a number of seconds."""
    value = data.get(key)
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = f"{value:f}s"
    if value is None:
        return None
    try:
        return parse_duration(value) if isinstance(value, str) else parse_duration("?")
    except ValueError as error:
        raise invalid(key, str(error)) from None


def instant_of(data: dict[str, Any], key: str) -> datetime | None:
    text = text_of(data, key)
    try:
        return None if text is None else read_instant(text)
    except ValueError as error:
        raise invalid(key, str(error)) from None


def word_of(data: Mapping[str, Any], key: str, words: type[W]) -> W:
    """One of an enumeration's words. Raises Invalid that lists them."""
    text = text_of(data, key)
    try:
        return words(text or "")
    except ValueError:
        raise invalid(key, f"must be one of {', '.join(words)}") from None


def number_of(name: str, default: int) -> int:
    """A whole number of the query. Raises Invalid."""
    text = request.args.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise invalid(name, "must be a whole number, 0 or more")
    return int(text)
