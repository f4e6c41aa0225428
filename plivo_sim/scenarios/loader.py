"""Reads scenario files strictly: every mistake in one pass, with line, path and "did you mean".

The shape is checked with the JSON Schema that the types make (``jsonschema``), and then what it
says (``validation``), of every part whose shape is right. A file with any mistake is not loaded.

Finds scenarios: a file by its path, or one that ships by its name.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from plivo_sim.catalogue import load_catalogue
from plivo_sim.catalogue.yaml_text import composed, misread, read_as, text_loader, yaml_trouble
from plivo_sim.domain import limits
from plivo_sim.domain.typed import MISSING, Found, Steps, dotted, fitted, once, told
from plivo_sim.domain.words import did_you_mean
from plivo_sim.scenarios.language import Scenario, json_schema
from plivo_sim.scenarios.validation import mistakes_of

_ENDLESS = "is nested too deeply"
MOST_MISTAKES = limits.MISTAKES.most
_TOO_LARGE = f"is too large: {limits.SCENARIO_TEXT}, {limits.SCENARIO_VALUES}"
"""A scenario has some dozens of lines. What is beyond these is an attack, or no scenario."""


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


class ScenarioError(ValueError):
    """A scenario has mistakes: all of them."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(map(str, self.mistakes)))


def load_scenario(
    text: str, file: str = "scenario", document_words: Collection[str] | None = None
) -> Scenario:
    """A scenario from YAML (or JSON) text. Raises ScenarioError with every mistake.

    ``document_words``: the document types that may be named; None: those that ship.
    """
    import yaml  # here because most starts load no file

    if len(text) > limits.SCENARIO_TEXT.most:
        raise ScenarioError([Mistake(file, 0, "", _TOO_LARGE)])
    try:
        node, construct = composed(text, limits.SCENARIO_VALUES.most)
        if _is_too_large(node, _parts_of_node):
            raise ScenarioError([Mistake(file, 0, "", _TOO_LARGE)])
        twice = list(itertools.islice(_given_twice(node), MOST_MISTAKES))
        words = dict(misread(node))
        data = construct()
    except yaml.YAMLError as error:
        line, trouble = yaml_trouble(error, text)
        raise ScenarioError([Mistake(file, line, "", trouble)]) from None
    except RecursionError:
        raise ScenarioError([Mistake(file, 0, "", _ENDLESS)]) from None
    except OverflowError:
        raise ScenarioError([Mistake(file, 0, "", _TOO_LARGE)]) from None
    except ScenarioError:
        raise
    except (ValueError, TypeError) as error:
        raise ScenarioError([Mistake(file, 0, "", f"not valid YAML: {error}")]) from None

    def lines() -> Callable[[Steps], int]:
        as_written = yaml.compose(text, Loader=text_loader())  # what is merged stands in no line
        return lambda path: _line_of(as_written, path)

    return _checked(data, file, lines, document_words, twice, words)


def load_scenario_data(
    data: Any, file: str = "scenario", document_words: Collection[str] | None = None
) -> Scenario:
    """A scenario from plain values. Raises ScenarioError with every mistake."""
    return _checked(data, file, lambda: lambda path: 0, document_words)


def _checked(
    data: Any,
    file: str,
    lines: Callable[[], Callable[[Steps], int]],
    document_words: Collection[str] | None,
    found: Iterable[Found] = (),
    words: Mapping[Steps, str] = {},
) -> Scenario:
    if data is None:
        raise ScenarioError([Mistake(file, 0, "", "is empty; begin with 'scenario: ...'")])
    known = shipped_words() if document_words is None else document_words
    try:
        if _is_too_large(data, _parts_of):
            raise ScenarioError([Mistake(file, 0, "", _TOO_LARGE)])
        shape = list(_explained(data, words))
        found = [*found, *shape]
        if len(shape) < MOST_MISTAKES:
            found += itertools.islice(
                _mistakes_in(_usable(data, shape), shape, known), MOST_MISTAKES
            )
        if not found:
            return fitted(data, Scenario)
    except ValueError as error:
        found = [((), str(error))]
    except RecursionError:
        found = [((), _ENDLESS)]
    line_of = lines()
    mistakes = [Mistake(file, line_of(path), dotted(path), text) for path, text in found]
    raise ScenarioError(sorted(mistakes, key=lambda mistake: mistake.line))


def _explained(data: Any, words: Mapping[Steps, str]) -> Iterator[Found]:
    """The mistakes of shape, and the words without quotes that YAML reads as something else where
    a text can stand."""
    shape = list(itertools.islice(_shape_mistakes(data), MOST_MISTAKES))
    wrong = {path for path, _ in shape}
    wrong_as_text = [path for path, _ in _shape_mistakes(_with_texts(data, words))] if words else []
    quoted = {
        path: f'{read_as(word, _at(data, path))}; write "{word}" in quotes'
        for path, word in words.items()
        if (_at(data, path) is not None or path in wrong)
        and not any(path[: len(each)] == each for each in wrong_as_text)
    }
    yield from quoted.items()
    for path, text in shape:
        if path in words and path not in quoted:
            text += f" ({read_as(words[path], _at(data, path))})"
        if path not in quoted:
            yield path, text


def _with_texts(data: Any, words: Mapping[Steps, str]) -> Any:
    """The data with these words as they are written."""
    data = copy.deepcopy(data)
    for *way, last in filter(None, words):
        with suppress(TypeError, IndexError):  # what a key that is given twice has hidden
            _at(data, way)[last] = words[(*way, last)]
    return data


def _is_too_large(whole: Any, parts_of: Callable[[Any], Iterable[Any]]) -> bool:
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


def _parts_of_node(node: Any) -> Iterable[Any]:
    if getattr(node, "id", "") == "mapping":
        return [each for pair in node.value for each in pair]
    return node.value if getattr(node, "id", "") == "sequence" else ()


def _parts_of(data: Any) -> Iterable[Any]:
    if isinstance(data, dict):
        return [each for pair in data.items() for each in pair]
    return data if isinstance(data, list) else ()


def _mistakes_in(usable: Any, shape: list[Found], known: Collection[str]) -> Iterator[Found]:
    """The mistakes in what it says, without those that follow from mistakes of shape: in parts that
    miss something, and in a whole that has a wrong part."""
    wrong = [path for path, _ in shape]
    maimed = [path[:-1] for path, text in shape if text == MISSING and len(path) > 1]
    for path, text in mistakes_of(usable, wrong, known):
        follows = any(path[: len(each)] == each for each in maimed)
        if not follows and not any(each[: len(path)] == path for each in wrong):
            yield path, text


@once
def shipped_words() -> frozenset[str]:
    """The document types of the catalogue that ships."""
    return load_catalogue(1).document_words


def _given_twice(node: Any, path: Steps = ()) -> Iterator[Found]:
    """Keys that stand twice in one mapping: YAML would silently take the last."""
    if getattr(node, "id", "") == "sequence":
        for index, each in enumerate(node.value):
            yield from _given_twice(each, (*path, index))
    elif getattr(node, "id", "") == "mapping":
        seen = set()
        for key, value in node.value:
            here = (*path, str(key.value))
            if key.value in seen:
                yield here, f"is given twice, again in line {key.start_mark.line + 1}"
            seen.add(key.value)
            yield from _given_twice(value, here)


def _usable(data: Any, found: Iterable[Found]) -> Any:
    """The data without what was complained of, and with something in place of what is missing,
    so that the rest can be looked at in this pass."""
    data = copy.deepcopy(data)
    for path, text in found:
        if len(path) > 2 and isinstance(path[-1], int):
            path = path[:-1]  # a list without one of its items would count differently
        *way, last = path or (0,)
        holder = _at(data, way)
        if isinstance(holder, dict):
            holder.pop(last, None)
            if text == MISSING:
                holder[last] = _filler(path)
    return data


def _at(data: Any, path: Iterable[str | int]) -> Any:
    """What stands at a path; None when nothing does any longer."""
    try:
        for step in path:
            data = data[step]
    except (KeyError, IndexError, TypeError):
        return None
    return data


def _filler(path: Steps) -> str:
    if path[-1] == "status":
        return "verified" if path[-3:-2] == ("documents",) else "accepted"
    return {"scenario": "a scenario untold", "effect": "error"}.get(str(path[-1]), "0s")


def _shape_mistakes(data: Any) -> Iterator[Found]:
    errors = itertools.islice(_validator().iter_errors(data), MOST_MISTAKES)
    ordered = sorted(errors, key=lambda e: [str(p) for p in e.absolute_path])
    yield from dict.fromkeys(found for error in ordered for found in told(error))


@once
def _validator() -> Any:
    import jsonschema

    return jsonschema.Draft202012Validator(json_schema())


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


SHIPPED = "plivo_sim.scenarios.shipped"
"""The package that the top-level folder ``scenarios/`` is installed as."""


def shipped_names() -> list[str]:
    """The names of the scenarios that ship, sorted."""
    folder = resources.files(SHIPPED)
    return sorted(f.name.removesuffix(".yaml") for f in folder.iterdir() if _is_scenario(f.name))


def shipped_text(name: str) -> str:
    """The text of a shipped scenario. Raises ScenarioError with a hint when there is none."""
    if name not in shipped_names():
        raise ScenarioError([_no_such(name)])
    return resources.files(SHIPPED).joinpath(f"{name}.yaml").read_text("utf-8")


def find_scenario(name: str, document_words: Collection[str] | None = None) -> Scenario:
    """A shipped scenario by name, or a file by path. Raises ScenarioError, OSError.

    ``document_words``: the document types that a file may name; None: those that ship.
    """
    path = Path(name)
    if path.suffix in (".yaml", ".yml", ".json") or path.exists():
        return load_scenario(path.read_text("utf-8"), name, document_words)
    return load_scenario(shipped_text(name), f"{name}.yaml")


def shipped_sentences() -> Iterator[tuple[str, str]]:
    """The name of every shipped scenario, and the sentence that is its first line."""
    for name in shipped_names():
        yield name, shipped_text(name).partition("\n")[0].removeprefix("scenario: ")


def shipped() -> Iterator[tuple[str, Scenario]]:
    """Every shipped scenario."""
    for name in shipped_names():
        yield name, load_scenario(shipped_text(name), f"{name}.yaml")


def _is_scenario(name: str) -> bool:
    return name.endswith(".yaml")


def _no_such(name: str) -> Mistake:
    hint = did_you_mean(name, shipped_names(), listed=len(shipped_names()))
    return Mistake(name, 0, "", f"no scenario of this name ships{hint}")
