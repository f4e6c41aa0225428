"""What the checks of a scenario share: parts that can be read, and complaints about words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from plivo_sim.domain.requirements import Catalogue
from plivo_sim.domain.typed import Found, Steps, convert, short
from plivo_sim.domain.words import did_you_mean, like_listed
from plivo_sim.scenarios.rules import read_reason

P = TypeVar("P")


class Words(NamedTuple):
    """What a catalogue has words for: types of documents, and countries, code to name."""

    documents: Collection[str]
    countries: Mapping[str, str]


def words_in(catalogue: Catalogue) -> Words:
    """Those of a catalogue."""
    return Words(catalogue.document_words, catalogue.names)


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
    except ValueError as error:
        yield path, str(error)


def unknown_word(word: str, known: Collection[str], what: str, path: Steps) -> Iterator[Found]:
    """A complaint unless the word is one of these, in any case."""
    if word.casefold() not in {each.casefold() for each in known}:
        yield path, f"there is no {what} '{word}'{did_you_mean(word, sorted(known))}"


def not_one_of(word: str, known: Sequence[str], path: Steps) -> Iterator[Found]:
    """A complaint unless the word is one of these."""
    if word not in known:
        listed = sorted(known)
        yield path, f"{short(word)} is not one of {', '.join(listed)}{like_listed(word, listed)}"


def unknown_preset(text: str, path: Steps) -> Iterator[Found]:
    """A complaint about a reason that looks like a preset's name and is none."""
    yield from unread(read_reason, text, path)
