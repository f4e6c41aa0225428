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
MOST_MISTAKES = limits.MISTAKES.most
ENDLESS = "is nested too deeply"


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


class FileMistakes(ValueError):
    """A file has mistakes: all of them."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(map(str, self.mistakes)))


@dataclass(frozen=True, slots=True)
class Bounds:
    """How large a file may be: characters, and values, its aliases as often as they are named."""

    text: limits.Limit
    values: limits.Limit

    def __str__(self) -> str:
        return f"is too large: {self.text}, {self.values}"

    def exceeded(self, whole: Any, parts_of: Callable[[Any], Iterable[Any]]) -> bool:
        """Whether it stands for too many values or characters of text."""
        values, length = _measured(whole, parts_of, {})
        return values > self.values.most or length > self.text.most


SMALL = Bounds(limits.SCENARIO_TEXT, limits.SCENARIO_VALUES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[T]):
    """A kind of file.

    ``error`` is raised with the mistakes; ``empty``: what is said of an empty file; ``schema``: a
    jsonschema validator of its shape; ``mistakes``: those in what it says, of a whole out of which
    the wrong paths were taken; ``filler``: what stands meanwhile at a path where something is
    missing; ``make``: the value, of plain values without mistakes (it may raise ValueError);
    ``bounds``: how large it may be. Such a file has some dozens of lines: what is beyond these is
    an attack, or another file.
    """

    error: type[FileMistakes]
    empty: str
    schema: Callable[[], Any]
    mistakes: Callable[[Any, list[Steps]], Iterable[Found]]
    filler: Callable[[Steps], Any]
    make: Callable[[Any], T]
    bounds: Bounds = SMALL


def read_data(data: Any, file: str, kind: Kind[T]) -> T:
    """What plain values say. Raises the kind's error with every mistake."""
    return check(data, file, kind, lambda: shape_mistakes(kind.schema(), data))


def check(
    data: Any,
    file: str,
    kind: Kind[T],
    shape_of: Callable[[], Iterable[Found]],
    lines: Callable[[], Callable[[Steps], int]] = lambda: lambda path: 0,
    found: Iterable[Found] = (),
) -> T:
    """The value, or the kind's error. ``shape_of``: gives the mistakes of shape; ``lines``: gives
    what tells the line of a path; ``found``: mistakes that were seen before."""
    if data is None:
        raise kind.error([Mistake(file, 0, "", kind.empty)])
    try:
        if kind.bounds.exceeded(data, parts_of):
            raise kind.error([Mistake(file, 0, "", str(kind.bounds))])
        shape = list(shape_of())
        found = [*found, *shape]
        if len(shape) < MOST_MISTAKES:
            found += itertools.islice(
                _mistakes_in(_usable(data, shape, kind), shape, kind), MOST_MISTAKES
            )
        if not found:
            return kind.make(data)
    except FileMistakes:
        raise
    except ValueError as error:
        found = [((), str(error))]
    except RecursionError:
        found = [((), ENDLESS)]
    line_of = lines()
    mistakes = [Mistake(file, line_of(path), dotted(path), text) for path, text in found]
    raise kind.error(sorted(mistakes, key=lambda mistake: mistake.line))


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


def shape_mistakes(validator: Any, data: Any) -> Iterator[Found]:
    """What keeps plain values from fitting a JSON Schema."""
    errors = itertools.islice(validator.iter_errors(data), MOST_MISTAKES)
    ordered = sorted(errors, key=lambda e: [str(p) for p in e.absolute_path])
    yield from dict.fromkeys(found for error in ordered for found in told(error))


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


def parts_of(data: Any) -> Iterable[Any]:
    """What plain values hold."""
    if isinstance(data, dict):
        return [each for pair in data.items() for each in pair]
    return data if isinstance(data, list) else ()
