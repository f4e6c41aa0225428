"""Reads scenario files strictly: every mistake in one pass, with line, path and "did you mean".

The shape is checked with the JSON Schema that the types make (``jsonschema``), and then what it
says (``validation``), of every part whose shape is right. A file with any mistake is not loaded.

Finds scenarios: a file by its path, or one that ships by its name.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from plivo_sim.catalogue import load_catalogue
from plivo_sim.catalogue.yaml_files import (
    ENDLESS,
    MOST_MISTAKES,
    Bounds,
    FileMistakes,
    Mistake,
    at,
    explained,
    parts_of,
    read_text,
)
from plivo_sim.domain import limits
from plivo_sim.domain.typed import MISSING, Found, Steps, dotted, fitted, once
from plivo_sim.domain.words import did_you_mean
from plivo_sim.scenarios.language import Scenario, json_schema
from plivo_sim.scenarios.validation import mistakes_of

_BOUNDS = Bounds(limits.SCENARIO_TEXT, limits.SCENARIO_VALUES)
"""A scenario has some dozens of lines. What is beyond these is an attack, or no scenario."""


class ScenarioError(FileMistakes):
    """A scenario has mistakes: all of them."""


def load_scenario(
    text: str, file: str = "scenario", document_words: Collection[str] | None = None
) -> Scenario:
    """A scenario from YAML (or JSON) text. Raises ScenarioError with every mistake.

    ``document_words``: the document types that may be named; None: those that ship.
    """
    read = read_text(text, file, _BOUNDS, ScenarioError)
    return _checked(read.data, file, read.lines, document_words, read.twice, read.words)


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
        if _BOUNDS.exceeded(data, parts_of):
            raise ScenarioError([Mistake(file, 0, "", str(_BOUNDS))])
        shape = list(explained(_validator(), data, words))
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
        found = [((), ENDLESS)]
    line_of = lines()
    mistakes = [Mistake(file, line_of(path), dotted(path), text) for path, text in found]
    raise ScenarioError(sorted(mistakes, key=lambda mistake: mistake.line))


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


def _usable(data: Any, found: Iterable[Found]) -> Any:
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
                holder[last] = _filler(path)
    return data


def _filler(path: Steps) -> str:
    if path[-1] == "status":
        return "verified" if path[-3:-2] == ("documents",) else "accepted"
    return {"scenario": "a scenario untold", "effect": "error"}.get(str(path[-1]), "0s")


@once
def _validator() -> Any:
    import jsonschema

    return jsonschema.Draft202012Validator(json_schema())


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
