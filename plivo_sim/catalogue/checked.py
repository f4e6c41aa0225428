"""Reads what a user wrote strictly: every mistake at once, with line, path and "did you mean".

What a kind of file may say is given as a ``Kind``: its shape, then what it says, of every part
whose shape is right. A file with any mistake is not loaded. Texts: ``yaml_files``.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from plivo_sim.domain import limits
from plivo_sim.domain.typed import MISSING, Found, Steps, dotted, told

T = TypeVar("T")
ENDLESS = "is nested too deeply"
MOST_MISTAKES = limits.MISTAKES.most
TOO_LARGE = f"is too large: {limits.SCENARIO_TEXT}, {limits.SCENARIO_VALUES}"
"""Such a file has some dozens of lines. What is beyond these is an attack, or another file."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong with a file; ``line`` counts from 1, 0 when unknown."""

    file: str
    line: int
    path: str
    text: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.path}: {self.text}" if self.path else f"{where}: {self.text}"


class MistakesError(ValueError):
    """A file has mistakes: all of them."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(map(str, self.mistakes)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[T]):
    """A kind of file.

    ``error`` is raised with the mistakes; ``empty``: what is said of an empty file; ``schema``: a
    jsonschema validator of its shape; ``mistakes``: those in what it says, of a whole out of which
    the wrong paths were taken; ``filler``: what stands meanwhile at a path where something is
    missing; ``make``: the value, of plain values without mistakes (it may raise ValueError).
    """

    error: type[MistakesError]
    empty: str
    schema: Callable[[], Any]
    mistakes: Callable[[Any, list[Steps]], Iterable[Found]]
    filler: Callable[[Steps], Any]
    make: Callable[[Any], T]


def read_data(data: Any, file: str, kind: Kind[T]) -> T:
    """What plain values say. Raises the kind's error with every mistake."""
    return check(data, file, kind)


def check(
    data: Any,
    file: str,
    kind: Kind[T],
    lines: Callable[[], Callable[[Steps], int]] = lambda: lambda path: 0,
    found: Iterable[Found] = (),
    explained: Callable[[], Iterable[Found]] | None = None,
) -> T:
    """The value, or the kind's error. ``lines``: gives the line of each path; ``found``: mistakes
    that were seen before; ``explained``: the mistakes of shape, if somebody can tell more of
    them."""
    if data is None:
        raise kind.error([Mistake(file, 0, "", kind.empty)])
    try:
        if is_too_large(data, _parts_of):
            raise kind.error([Mistake(file, 0, "", TOO_LARGE)])
        shape = list(explained() if explained else shape_mistakes(data, kind))
        found = [*found, *shape]
        if len(shape) < MOST_MISTAKES:
            found += itertools.islice(
                _mistakes_in(_usable(data, shape, kind), shape, kind), MOST_MISTAKES
            )
        if not found:
            return kind.make(data)
    except MistakesError:
        raise
    except ValueError as error:
        found = [((), str(error))]
    except RecursionError:
        found = [((), ENDLESS)]
    line_of = lines()
    mistakes = [Mistake(file, line_of(path), dotted(path), text) for path, text in found]
    raise kind.error(sorted(mistakes, key=lambda mistake: mistake.line))


def is_too_large(whole: Any, parts_of: Callable[[Any], Iterable[Any]]) -> bool:
    """Whether it stands for too many values or characters of text, what is behind aliases counted
    as often as it is named."""
    values, length = _measured(whole, parts_of, {})
    return values > limits.SCENARIO_VALUES.most or length > limits.SCENARIO_TEXT.most


def _measured(
    whole: Any, parts_of: Callable[[Any], Iterable[Any]], known: dict[int, tuple[int, int]]
) -> tuple[int, int]:
    """How many values and how many characters of text it stands for."""
    if id(whole) not in known:
        known[id(whole)] = 0, 0  # should it hold itself
        parts = [_measured(each, parts_of, known) for each in parts_of(whole)]
        values, lengths = (sum(each) for each in zip((0, 0), *parts, strict=True))
        text = getattr(whole, "value", whole)  # of a node, or a value itself
        known[id(whole)] = 1 + values, lengths + (len(text) if isinstance(text, str) else 1)
    return known[id(whole)]


def _parts_of(data: Any) -> Iterable[Any]:
    if isinstance(data, dict):
        return [each for pair in data.items() for each in pair]
    return data if isinstance(data, list) else ()


def _mistakes_in(usable: Any, shape: list[Found], kind: Kind[Any]) -> Iterator[Found]:
    """The mistakes in what it says, without those that follow from mistakes of shape: in parts that
    miss something, and in a whole that has a wrong part."""
    wrong = [path for path, _ in shape]
    maimed = [path[:-1] for path, text in shape if text == MISSING and len(path) > 1]
    for path, text in kind.mistakes(usable, wrong):
        follows = any(path[: len(each)] == each for each in maimed)
        if not follows and not any(each[: len(path)] == path for each in wrong):
            yield path, text


def _usable(data: Any, found: Iterable[Found], kind: Kind[Any]) -> Any:
    """The data without what was complained of, and with something in place of what is missing,
    so that the rest can be looked at in this pass."""
    data = copy.deepcopy(data)
    for path, text in found:
        if len(path) > 2 and isinstance(path[-1], int):
            path = path[:-1]  # a list without one of its items would count differently
        *way, last = path or (0,)
        holder = at(data, way)
        if isinstance(holder, dict):
            holder.pop(last, None)
            if text == MISSING:
                holder[last] = kind.filler(path)
    return data


def at(data: Any, path: Iterable[str | int]) -> Any:
    """What stands at a path; None when nothing does any longer."""
    try:
        for step in path:
            data = data[step]
    except (KeyError, IndexError, TypeError):
        return None
    return data


def shape_mistakes(data: Any, kind: Kind[Any]) -> Iterator[Found]:
    """What keeps the data from having the kind's shape."""
    errors = itertools.islice(kind.schema().iter_errors(data), MOST_MISTAKES)
    ordered = sorted(errors, key=lambda e: [str(p) for p in e.absolute_path])
    yield from dict.fromkeys(found for error in ordered for found in told(error))
