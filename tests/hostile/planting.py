"""Texts put in the place of others, in documents of records."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator
from typing import Any

Place = tuple[Any, ...]
"""Keys and indices, from the outside; ``{"key": name}`` at the end means that key itself."""


def texts(value: Any, place: Place = (), kinds: tuple[type, ...] = (str,)) -> Iterator[Place]:
    """Where a text stands, as the value (or what is of these kinds), or as a key."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield (*place, {"key": key})
            yield from texts(each, (*place, key), kinds)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from texts(each, (*place, index), kinds)
    elif isinstance(value, kinds):
        yield place


def kind(place: Place) -> str:
    """The same for the same field of each record."""
    ids = r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{24}|[0-9]{10,15}"
    return re.sub(ids, "*", "/".join("*" if isinstance(each, int) else str(each) for each in place))


def planted(document: Any, place: Place, text: str) -> Any:
    """The document with the text there. Raises KeyError where a key above it is another by now."""
    return planted_in_all(document, [place], text)


def planted_in_all(document: Any, places: Iterable[Place], text: str) -> Any:
    """The same in several places."""
    made = copy.deepcopy(document)
    for place in places:
        inner = made
        for step in place[:-1]:
            inner = inner[step]
        if isinstance(place[-1], dict):
            inner[text] = inner.pop(place[-1]["key"])
        else:
            inner[place[-1]] = text
    return made
