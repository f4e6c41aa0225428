"""What the checks of a scenario's meaning share. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import Any, TypeVar

import msgspec

from plivo_sim.scenarios.presets import read_reason
from plivo_sim.suggesting import did_you_mean
from plivo_sim.typed import convert

Steps = tuple[str | int, ...]
"""The path of something in a scenario."""
Found = tuple[Steps, str]
"""A mistake: where, and what."""
P = TypeVar("P")


def parts(values: Any, kind: type[P], path: Steps) -> Iterator[tuple[Steps, P]]:
    """Those of the values that have the shape of this part, each with its path."""
    for index, value in enumerate(values if isinstance(values, list) else ()):
        read = part(value, kind)
        if read is not None:
            yield (*path, index), read


def part(value: Any, kind: type[P]) -> P | None:
    """The value as this part of the language; None if it is not one."""
    try:
        return None if value is None else convert(value, kind)
    except msgspec.ValidationError:
        return None


def holds_wrong(path: Steps, wrong: Collection[Steps]) -> bool:
    """Whether something in the part at ``path`` was complained of already."""
    return any(each[: len(path)] == path for each in wrong)


def unread(read: Callable[[str], Any], text: str | None, path: Steps) -> Iterator[Found]:
    """The complaint of a reader about a text; empty texts are not read."""
    if not text:
        return
    try:
        read(text)
    except (ValueError, re.error) as error:
        yield path, str(error)


def unknown_word(word: str, known: Collection[str], what: str, path: Steps) -> Iterator[Found]:
    """A complaint unless the word is one of these, in any case."""
    if word.casefold() not in {each.casefold() for each in known}:
        yield path, f"there is no {what} '{word}'{did_you_mean(word, sorted(known))}"


def unknown_preset(text: str, path: Steps) -> Iterator[Found]:
    """A complaint about a reason that looks like a preset's name and is none."""
    yield from unread(read_reason, text, path)
