"""Reads scenario files strictly: every mistake in one pass, with line, path and "did you mean".

The shape is checked with the JSON Schema that the types make (``jsonschema``), and then what it
says (``validation``), of every part whose shape is right. A file with any mistake is not loaded.

Finds scenarios: a file by its path, or one that ships by its name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from importlib import resources
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

from plivo_sim.catalogue import load_catalogue
from plivo_sim.catalogue.checked import SMALL, FileMistakes, Kind, Mistake, read_data
from plivo_sim.catalogue.user_files import text_in
from plivo_sim.catalogue.yaml_files import plain_values, read_text
from plivo_sim.domain import limits
from plivo_sim.domain.machine import Machine
from plivo_sim.domain.typed import Found, Steps, dotted, fitted, once
from plivo_sim.domain.words import did_you_mean
from plivo_sim.machines import default_machine, mistakes_in, read_machine
from plivo_sim.scenarios.complaints import Words
from plivo_sim.scenarios.conditions import doubtful_fields, doubtful_texts
from plivo_sim.scenarios.language import Scenario, shape_schema
from plivo_sim.scenarios.validation import mistakes_of


class ScenarioError(FileMistakes):
    """A scenario has mistakes: all of them."""


def load_scenario(
    text: str,
    file: str = "scenario",
    document_words: Collection[str] | None = None,
    machine: Machine | None = None,
) -> Scenario:
    """A scenario from YAML (or JSON) text. Raises ScenarioError with every mistake.

    ``document_words``: the document types that may be named; None: those that ship. ``machine``:
    whose statuses count when the scenario has no ``machine`` of its own; None: the default one.
    """
    return read_text(text, file, _kind(document_words, machine))


def load_scenario_data(
    data: Any,
    file: str = "scenario",
    document_words: Collection[str] | None = None,
    machine: Machine | None = None,
) -> Scenario:
    """A scenario from plain values. Raises ScenarioError with every mistake."""
    return read_data(data, file, _kind(document_words, machine))


def _kind(document_words: Collection[str] | None, machine: Machine | None) -> Kind[Scenario]:
    known = shipped_words() if document_words is None else document_words

    def mistakes(data: Any, wrong: list[Steps]) -> Iterator[Found]:
        own = data.get("machine") if isinstance(data, dict) else None
        found = [(("machine", *path), text) for path, text in mistakes_in(own)] if own else []
        yield from found
        chosen = read_machine(own) if own and not found else machine or default_machine()
        yield from mistakes_of(data, wrong, Words(known, load_catalogue(1).names), chosen)

    return Kind(
        error=ScenarioError,
        empty="is empty; begin with 'scenario: ...'",
        schema=_validator,
        mistakes=mistakes,
        filler=_filler,
        make=lambda data: fitted(data, Scenario),
    )


@once
def shipped_words() -> frozenset[str]:
    """The document types of the catalogue that ships."""
    return load_catalogue(1).document_words


def _filler(path: Steps) -> str:
    if path[-1] == "status":
        return "verified" if path[-3:-2] == ("documents",) else default_machine().outcomes[0]
    return {"scenario": "a scenario untold", "effect": "error"}.get(str(path[-1]), "0s")


@once
def _validator() -> Any:
    import jsonschema

    return jsonschema.Draft202012Validator(shape_schema())


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


def find_scenario(
    name: str, document_words: Collection[str] | None = None, machine: Machine | None = None
) -> Scenario:
    """A shipped scenario by name, or a file by path. Raises ScenarioError, OSError.

    ``document_words``, ``machine``: see ``load_scenario``.
    """
    if is_file(name):
        return load_scenario(text_in(Path(name)), name, document_words, machine)
    return load_scenario(shipped_text(name), f"{name}.yaml", machine=machine)


def is_file(name: str) -> bool:
    """Whether this is the path of a scenario, and not the name of one that ships."""
    path = Path(name)
    return path.suffix in (".yaml", ".yml", ".json") or path.exists()


def doubts_about(
    scenario: Scenario, field_names: Collection[str], text: str = "", file: str = ""
) -> list[Mistake]:
    """What is probably a mistake in a scenario that can be used; of its text with the lines.
    ``field_names``: the data fields of the catalogue."""
    doubts = chain(doubtful_fields(scenario, field_names), doubtful_texts(scenario))
    found = list(islice(doubts, limits.MISTAKES.most))
    line_of = plain_values(text, file, SMALL, ScenarioError).lines() if text and found else None
    return [
        Mistake(file, line_of(path) if line_of else 0, dotted(path), told) for path, told in found
    ]


class Card(NamedTuple):
    """What a list says of a scenario: its name, and the keys with which its file begins."""

    name: str
    scenario: str
    title: str
    theme: str


def shipped_cards() -> Iterator[Card]:
    """Every shipped scenario, without loading it: the keys are its first three lines."""
    for name in shipped_names():
        lines = shipped_text(name).splitlines()[:3]
        yield Card(name, *(line.partition(": ")[2] for line in lines))


def shipped() -> Iterator[tuple[str, Scenario]]:
    """Every shipped scenario."""
    for name in shipped_names():
        yield name, load_scenario(shipped_text(name), f"{name}.yaml")


def _is_scenario(name: str) -> bool:
    return name.endswith(".yaml")


def _no_such(name: str) -> Mistake:
    hint = did_you_mean(name, shipped_names(), listed=len(shipped_names()))
    return Mistake(name, 0, "", f"no scenario of this name ships{hint}")
