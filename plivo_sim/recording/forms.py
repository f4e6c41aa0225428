"""What a value looks like: an id, an instant and the like; and the ids within it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from plivo_sim.recording.masks import ACCOUNT, DATE, EMAIL, INSTANT, UUID


def is_id(value: Any) -> bool:
    """Whether it is a UUID, or a phone number, which is one too."""
    return isinstance(value, str) and bool(UUID.fullmatch(value) or _NUMBER.fullmatch(value))


_NUMBER = re.compile(r"\d{7,15}")
_WITHIN = re.compile(rf"{UUID.pattern}|\b\d{{7,15}}\b")


def translated(value: Any, ids: Mapping[str, str]) -> Any:
    """The value with each id that is known replaced, wherever it stands in texts."""
    if isinstance(value, dict):
        return {key: translated(each, ids) for key, each in value.items()}
    if isinstance(value, list):
        return [translated(each, ids) for each in value]
    if isinstance(value, str):
        return _WITHIN.sub(lambda found: ids.get(found[0], found[0]), value)
    return value


def ids_within(value: Any) -> set[str]:
    """Every UUID in a value, at any depth."""
    found: set[str] = set()

    def note(match: re.Match[str]) -> str:
        found.add(match[0])
        return match[0]

    _map_texts(value, lambda text: re.sub(UUID.pattern, note, text))
    return found


def _map_texts(value: Any, visit: Callable[[str], object]) -> None:
    if isinstance(value, dict):
        for each in value.values():
            _map_texts(each, visit)
    elif isinstance(value, list):
        for each in value:
            _map_texts(each, visit)
    elif isinstance(value, str):
        visit(value)


def kind_of(value: Any) -> str:
    """JSON's type of a value; of a text, also whether it is an id, an instant or the like."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return next((name for name, form in _FORMS if form.fullmatch(value)), "text")
    if isinstance(value, dict | list):
        return "object" if isinstance(value, dict) else "array"
    return "number"


_FORMS = (
    ("id", UUID),
    ("account", ACCOUNT),
    ("instant", re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d( ?(Z|[+-]\d\d:?\d\d))?")),
    ("instant with fractions", INSTANT),
    ("date", DATE),
    ("URL", re.compile(r"https?://.*")),
    ("e-mail address", EMAIL),
)
