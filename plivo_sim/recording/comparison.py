"""How a recorded answer differs from the simulator's own: status, shape, words, headers that count.

What somebody told is not compared, nor are ids, instants and counts: only what they look like.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from plivo_sim.domain.typed import dotted
from plivo_sim.recording.headers import Headers, header, media_type
from plivo_sim.recording.masks import ACCOUNT, DATE, EMAIL, INSTANT, UUID, Masks
from plivo_sim.recording.words import (
    CATALOGUE_KEYS,
    COUNTRY_KEYS,
    NUMBERED_KEYS,
    SENTENCE_KEYS,
    WORD_KEYS,
)

Path = tuple[str | int, ...]

RECORDS = ("objects", "compliances")
"""Keys of lists whose records may be older than the tape."""
_COUNTED_HEADERS = (
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "retry-after",
)
_ABSENT = "-"
_LONGEST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Difference:
    """``where``: ``status``, ``header NAME``, or the path of a value."""

    where: str
    recorded: str
    here: str

    def told(self) -> dict[str, str]:
        return asdict(self)


def differing_status(recorded: int, here: int) -> Iterator[Difference]:
    if recorded != here:
        yield Difference("status", str(recorded), str(here))


def differing_headers(recorded: Headers, here: Headers) -> Iterator[Difference]:
    """The type of the body; which headers of rate limits there are."""
    ours, theirs = media_type(here), media_type(recorded)
    if ours != theirs:
        yield Difference("header content-type", theirs or _ABSENT, ours or _ABSENT)
    for name in _COUNTED_HEADERS:
        found = [bool(header(each, name)) for each in (recorded, here)]
        if found[0] != found[1]:
            yield Difference(f"header {name}", *("there" if each else _ABSENT for each in found))


class Comparison:
    """Compares two bodies. ``ids``: those of the tape -> those that stand for them here.

    ``public``: it is about a requirement, which is compared word for word. ``older``: how many
    recorded records nothing here stands for.
    """

    def __init__(self, ids: Mapping[str, str], *, public: bool) -> None:
        self._ids = ids
        self._public = public
        self._masks = Masks()
        self.older = 0

    def differences(self, recorded: Any, here: Any, path: Path = ()) -> Iterator[Difference]:
        kinds = kind_of(recorded), kind_of(here)
        key = next((step for step in reversed(path) if isinstance(step, str)), "")
        if kinds[0] != kinds[1]:
            yield Difference(dotted(path) or "body", _shown(recorded), _shown(here))
        elif isinstance(recorded, dict):
            yield from self._of_objects(recorded, here, path)
        elif isinstance(recorded, list):
            yield from self._of_lists(recorded, here, path)
        elif translated(recorded, self._ids) != here and self._counts(key, recorded, here):
            yield Difference(dotted(path) or "body", _shown(recorded), _shown(here))

    def _counts(self, key: str, recorded: Any, here: Any) -> bool:
        """Whether values under this key are compared, and not only what they look like."""
        if self._public and (key in CATALOGUE_KEYS or key in NUMBERED_KEYS or key == "required"):
            return True
        if key in WORD_KEYS:
            return any(self._stays(each, key) for each in (recorded, here))
        if key in COUNTRY_KEYS:
            return isinstance(recorded, str) and len(recorded) == 2
        return key in SENTENCE_KEYS

    def _stays(self, value: Any, key: str) -> bool:
        """Whether a tape has it as it is. Where neither is so, the recorded value is a stand-in,
        perhaps for the very one that is here, such as the word of an account's document type."""
        return bool(self._masks.value(value, key) == value)

    def _of_objects(self, recorded: Any, here: Any, path: Path) -> Iterator[Difference]:
        for key in recorded:
            if key in here:
                yield from self.differences(recorded[key], here[key], (*path, key))
            else:
                yield Difference(dotted((*path, key)), _shown(recorded[key]), _ABSENT)
        for key in here:
            if key not in recorded:
                yield Difference(dotted((*path, key)), _ABSENT, _shown(here[key]))

    def _of_lists(self, recorded: Any, here: Any, path: Path) -> Iterator[Difference]:
        may_be_older = path[-1:] in [(each,) for each in RECORDS] and not self._public
        rest = list(here)
        for index, each in enumerate(recorded):
            found = self._twin(each, rest, in_order=not may_be_older)
            if found is not None:
                rest.remove(found)
                yield from self.differences(each, found, (*path, index))
            elif may_be_older:
                self.older += 1
            else:
                yield Difference(dotted((*path, index)), _shown(each), _ABSENT)
        for each in () if may_be_older else rest:
            yield Difference(dotted((*path, len(recorded))), _ABSENT, _shown(each))

    def _twin(self, record: Any, others: list[Any], *, in_order: bool) -> Any:
        """The one that has the same ids, else the next one."""
        known = {self._ids[id] for id in ids_of(record) if id in self._ids}
        for other in others:
            if known & set(ids_of(other)):
                return other
        return others[0] if others and in_order else None


def ids_of(record: Any) -> list[str]:
    """The ids that stand in a record itself."""
    if not isinstance(record, dict):
        return [record] if isinstance(record, str) and UUID.fullmatch(record) else []
    return [each for each in record.values() if is_id(each)]


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


def _shown(value: Any) -> str:
    kind = kind_of(value)
    if kind in ("text", "number", "boolean"):
        return f"{value!r}"[:_LONGEST_SHOWN]
    return kind
