"""Reads YAML (or JSON) texts strictly: mistakes have the line in which they stand."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from plivo_sim.catalogue.checked import (
    ENDLESS,
    MOST_MISTAKES,
    Bounds,
    FileMistakes,
    Kind,
    Mistake,
    at,
    check,
    shape_mistakes,
)
from plivo_sim.catalogue.yaml_text import composed, misread, read_as, text_loader, yaml_trouble
from plivo_sim.domain.typed import Found, Steps

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Read:
    """A file as plain values; ``twice``: keys that stand there twice; ``words``: those without
    quotes that YAML reads as something else; ``lines``: makes what tells the line of a path."""

    data: Any
    twice: tuple[Found, ...]
    words: Mapping[Steps, str]
    lines: Callable[[], Callable[[Steps], int]]


def plain_values(
    text: str, file: str, bounds: Bounds, error_type: type[FileMistakes] = FileMistakes
) -> Read:
    """Plain values from YAML (or JSON) text. Raises an error with one mistake."""
    import yaml  # here because a start needs none

    line, trouble = 0, str(bounds)
    if len(text) > bounds.text.most:
        raise error_type([Mistake(file, line, "", trouble)])
    try:
        node, construct = composed(text, bounds.values.most)
        if bounds.exceeded(node, _parts_of_node):
            raise error_type([Mistake(file, line, "", trouble)])
        twice = tuple(itertools.islice(_given_twice(node), MOST_MISTAKES))
        words = dict(misread(node))
        data = construct()
    except yaml.YAMLError as error:
        line, trouble = yaml_trouble(error, text)
        raise error_type([Mistake(file, line, "", trouble)]) from None
    except RecursionError:
        raise error_type([Mistake(file, 0, "", ENDLESS)]) from None
    except OverflowError:
        raise error_type([Mistake(file, 0, "", str(bounds))]) from None
    except FileMistakes:
        raise
    except (ValueError, TypeError) as error:
        raise error_type([Mistake(file, 0, "", f"not valid YAML: {error}")]) from None

    def lines() -> Callable[[Steps], int]:
        as_written = yaml.compose(text, Loader=text_loader())  # what is merged stands in no line
        return lambda path: _line_of(as_written, path)

    return Read(data, twice, words, lines)


def read_text(text: str, file: str, kind: Kind[T]) -> T:
    """What a YAML (or JSON) text says. Raises the kind's error with every mistake."""
    read = plain_values(text, file, kind.bounds, kind.error)
    shape = partial(explained, kind.schema(), read.data, read.words)
    return check(read.data, file, kind, shape, read.lines, read.twice)


def explained(validator: Any, data: Any, words: Mapping[Steps, str]) -> Iterator[Found]:
    """The mistakes of shape, and the words without quotes that YAML reads as something else where
    a text can stand."""
    shape = list(itertools.islice(shape_mistakes(validator, data), MOST_MISTAKES))
    wrong = {path for path, _ in shape}
    as_texts = shape_mistakes(validator, _with_texts(data, words)) if words else ()
    wrong_as_text = [path for path, _ in as_texts]
    quoted = {
        path: f'{read_as(word, at(data, path))}; write "{word}" in quotes'
        for path, word in words.items()
        if (at(data, path) is not None or path in wrong)
        and not any(path[: len(each)] == each for each in wrong_as_text)
    }
    yield from quoted.items()
    for path, text in shape:
        if path in words and path not in quoted:
            text += f" ({read_as(words[path], at(data, path))})"
        elif (
            type(at(data, path)) in (int, float)
            and "string" in text.partition(" is not of type ")[2].split()
        ):
            text += "; write it in quotes"
        if path not in quoted:
            yield path, text


def _with_texts(data: Any, words: Mapping[Steps, str]) -> Any:
    """The data with these words as they are written."""
    data = copy.deepcopy(data)
    for *way, last in filter(None, words):
        with suppress(TypeError, IndexError):  # what a key that is given twice has hidden
            at(data, way)[last] = words[(*way, last)]
    return data


def _parts_of_node(node: Any) -> Iterable[Any]:
    if getattr(node, "id", "") == "mapping":
        return [each for pair in node.value for each in pair]
    return node.value if getattr(node, "id", "") == "sequence" else ()


def _given_twice(node: Any, path: Steps = ()) -> Iterator[Found]:
    """Keys that stand twice in one mapping: YAML would silently take the last."""
    if getattr(node, "id", "") == "sequence":
        for index, each in enumerate(node.value):
            yield from _given_twice(each, (*path, index))
    elif getattr(node, "id", "") == "mapping":
        seen = set()
        for key, value in node.value:
            word = str(key.value)  # one that is no plain text is refused afterwards
            here = (*path, word)
            if word in seen:
                yield here, f"is given twice, again in line {key.start_mark.line + 1}"
            seen.add(word)
            yield from _given_twice(value, here)


def _line_of(node: Any, path: Steps) -> int:
    """The line where a path stands in the file; of an unknown key, the key's own."""
    line = node.start_mark.line + 1 if node is not None else 0
    for step in path:
        if getattr(node, "id", "") == "mapping":
            pairs = [(k, v) for k, v in node.value if getattr(k, "value", None) == step]
            if not pairs:
                return line
            key, node = pairs[0]
            line = key.start_mark.line + 1
        elif getattr(node, "id", "") == "sequence" and isinstance(step, int):
            if step >= len(node.value):
                return line
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            return line
    return line
