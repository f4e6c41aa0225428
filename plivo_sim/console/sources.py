"""Python source of plain values, for a test that is made of what was done: ids of records become
variables, callback addresses the inbox of the test."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from plivo_sim.domain.text import decode_json

WIDE = 92
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
        for id, path, key in _ids_in(answer, "answer", "id"):
            if id in wanted and id not in self.known and id not in self.fixed:
                name = f"{key if _KEYED.fullmatch(key) else 'id'}_{len(self.known) + 1}"
                self.known[id] = name
                lines.append(f"{name} = {path}")
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


def _ids_in(value: Any, path: str, key: str) -> list[tuple[str, str, str]]:
    if isinstance(value, dict):
        return [each for k, v in value.items() for each in _ids_in(v, f"{path}[{quoted(k)}]", k)]
    if isinstance(value, list):
        return [each for i, v in enumerate(value) for each in _ids_in(v, f"{path}[{i}]", key)]
    if isinstance(value, str) and ID.fullmatch(value):
        return [(value, path, key)]
    return []


def source(value: Any, names: Names, indent: int = 4, room: int = 0) -> str:
    """A value as Python source, broken into lines where it is long. ``indent``: of its first line;
    ``room``: characters that stand before and behind it there."""
    short = _short(value, names)
    if len(short) + indent + room <= WIDE or not isinstance(value, (dict, list, tuple)):
        return short
    inner = indent + 4
    opening, closing = _BRACKETS[type(value)]
    if isinstance(value, dict):
        items = [
            f"{quoted(k)}: {source(v, names, inner, len(k) + 5)}"
            for k, v in with_inbox(value).items()
        ]
    else:
        items = [source(each, names, inner, 1) for each in value]
    pad = " " * inner
    lines = "".join(f"{pad}{item},\n" for item in items)
    return f"{opening}\n{lines}{' ' * indent}{closing}"


_BRACKETS = {dict: ("{", "}"), list: ("[", "]"), tuple: ("(", ")")}


def _short(value: Any, names: Names) -> str:
    if isinstance(value, Source):
        return str(value)
    if isinstance(value, str):
        return names.text(value)
    if isinstance(value, dict):
        shown = with_inbox(value).items()
        return "{" + ", ".join(f"{quoted(k)}: {_short(v, names)}" for k, v in shown) + "}"
    if isinstance(value, list):
        return f"[{', '.join(_short(each, names) for each in value)}]"
    if isinstance(value, tuple):
        return f"({' '.join(f'{_short(each, names)},' for each in value)})"
    return repr(value)


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
