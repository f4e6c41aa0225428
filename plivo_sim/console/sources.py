"""Python source of plain values, for a test that is made of what was done: ids of records become
variables, callback addresses the inbox of the test."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from plivo_sim.domain.text import decode_json

WIDE = 92
DEEPEST = 48
"""Columns by which lines are indented at most."""
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
INBOX = "plivo_inbox.url"
_KEYED = re.compile(r"[a-z_][a-z0-9_]*")


def quoted(text: str) -> str:
    """A string as it is usually written: in double quotes, where it has none itself."""
    shown = repr(text)
    return f'"{shown[1:-1]}"' if shown[0] == "'" and '"' not in shown else shown


class Source(str):
    """Source text that stands as it is."""

    __slots__ = ()


@dataclass(slots=True)
class Names:
    """Which variable holds which id. ``fixed``: ids that are the same in every simulator."""

    fixed: frozenset[str] = frozenset()
    known: dict[str, str] = field(default_factory=dict)

    def unknown_in(self, text: str) -> list[str]:
        """The ids in a text that no variable holds."""
        return [id for id in ID.findall(text) if id not in self.known and id not in self.fixed]

    def learn(self, answer: Any, wanted: Set[str]) -> list[str]:
        """Lines that take the wanted ids out of an answer, which ``answer`` is the name of."""
        lines = []
        for id, path, key in _ids_in(answer, "id"):
            if id in wanted and id not in self.known and id not in self.fixed:
                name = f"{key if _KEYED.fullmatch(key) else 'id'}_{len(self.known) + 1}"
                self.known[id] = name
                lines.append(f"{name} = answer{path}")
        return lines

    def text(self, text: str) -> str:
        """A string, with the variables in it."""
        if text in self.known:
            return self.known[text]
        within = self.within(text)
        return quoted(text) if within == _doubled(text) else f"f{quoted(within)}"

    def within(self, text: str) -> str:
        """What stands in an f-string for this text: braces doubled, and variables for ids."""
        parts, at = [], 0
        for found in ID.finditer(text):
            if found[0] in self.known:
                parts += [_doubled(text[at : found.start()]), f"{{{self.known[found[0]]}}}"]
                at = found.end()
        return "".join([*parts, _doubled(text[at:])])


def _doubled(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _ids_in(value: Any, key: str) -> Iterator[tuple[str, str, str]]:
    """Each id, the path to it, and the key under which it stands."""
    if isinstance(value, dict):
        for name, each in value.items():
            for id, path, last in _ids_in(each, name):
                yield id, f"[{quoted(name)}]{path}", last
    elif isinstance(value, list):
        for index, each in enumerate(value):
            for id, path, last in _ids_in(each, key):
                yield id, f"[{index}]{path}", last
    elif isinstance(value, str) and ID.fullmatch(value):
        yield value, "", key


def source(value: Any, names: Names, indent: int = 4, room: int = 0) -> str:
    """A value as Python source, broken into lines where it is long. ``indent``: of its first line;
    ``room``: characters that stand before and behind it there."""
    writing = _Writing(names)
    writing.shorten(value)
    writing.write(value, indent, room)
    return "".join(writing.pieces)


@dataclass(slots=True)
class _Writing:
    """``shorts``: the maps and lists in a value, by their identity, in one line each; None where
    that is longer than any. Each is looked at once, however deep it is."""

    names: Names
    shorts: dict[int, str | None] = field(default_factory=dict)
    pieces: list[str] = field(default_factory=list)

    def shorten(self, value: Any) -> str | None:
        """The value in one line, if it is not too long for any."""
        if not isinstance(value, (dict, list, tuple)):
            text = self.plain(value)
            return text if len(text) <= WIDE else None
        opening, closing = _BRACKETS[type(value)]
        found = [(key, self.shorten(each)) for key, each in _items(value)]
        items = [f"{key}{short}," for key, short in found if short is not None]
        inside = " ".join(items) if isinstance(value, tuple) else " ".join(items)[:-1]
        is_short = len(items) == len(found) and len(inside) + 2 <= WIDE
        self.shorts[id(value)] = short = f"{opening}{inside}{closing}" if is_short else None
        return short

    def write(self, value: Any, indent: int, room: int) -> None:
        if not isinstance(value, (dict, list, tuple)):
            return self.pieces.append(self.plain(value))
        short = self.shorts[id(value)]
        if short is not None and len(short) + indent + room <= WIDE:
            return self.pieces.append(short)
        opening, closing = _BRACKETS[type(value)]
        inner = min(indent + 4, DEEPEST)
        self.pieces.append(f"{opening}\n")
        for key, each in _items(value):
            self.pieces.append(f"{' ' * inner}{key}")
            self.write(each, inner, len(key) + 1)
            self.pieces.append(",\n")
        return self.pieces.append(f"{' ' * indent}{closing}")

    def plain(self, value: Any) -> str:
        if isinstance(value, Source):
            return str(value)
        return self.names.text(value) if isinstance(value, str) else repr(value)


def _items(value: Any) -> list[tuple[str, Any]]:
    """What is in it, each with what stands before it."""
    if isinstance(value, dict):
        return [(f"{quoted(key)}: ", each) for key, each in with_inbox(value).items()]
    return [("", each) for each in value]


_BRACKETS = {dict: ("{", "}"), list: ("[", "]"), tuple: ("(", ")")}


def with_inbox(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same, called back by the inbox of the test."""
    return {
        key: Source(INBOX) if key == "callback_url" and value and isinstance(value, str) else value
        for key, value in values.items()
    }


def as_json_source(text: str, names: Names, indent: int) -> str | None:
    """JSON text as a call that makes it; None if it is none, or is no object."""
    try:
        value = decode_json(text)
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    return f"json.dumps({source(value, names, indent, 14)})"
