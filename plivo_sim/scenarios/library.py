"""Finds stories: a file by its path, or one that ships by its name."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from importlib import resources
from pathlib import Path

from plivo_sim.scenarios.loader import Mistake, ScenarioError, load_scenario
from plivo_sim.scenarios.model import Scenario

SHIPPED = "plivo_sim.stories"
"""The package that the top-level folder ``scenarios/`` is installed as."""


def shipped_names() -> list[str]:
    """The names of the stories that ship, sorted."""
    folder = resources.files(SHIPPED)
    return sorted(f.name.removesuffix(".yaml") for f in folder.iterdir() if _is_story(f.name))


def shipped_text(name: str) -> str:
    """The text of a shipped story. Raises ScenarioError with a hint when there is none."""
    if name not in shipped_names():
        raise ScenarioError([_no_such(name)])
    return resources.files(SHIPPED).joinpath(f"{name}.yaml").read_text("utf-8")


def find_scenario(name: str, document_words: Collection[str] | None = None) -> Scenario:
    """A shipped story by name, or a file by path. Raises ScenarioError, OSError.

    ``document_words``: the document types that a file may name; None: those that ship.
    """
    path = Path(name)
    if path.suffix in (".yaml", ".yml", ".json") or path.exists():
        return load_scenario(path.read_text("utf-8"), name, document_words)
    return load_scenario(shipped_text(name), f"{name}.yaml")


def shipped_sentences() -> Iterator[tuple[str, str]]:
    """The name of every shipped story, and the sentence that is its first line."""
    for name in shipped_names():
        yield name, shipped_text(name).partition("\n")[0].removeprefix("story: ")


def shipped() -> Iterator[tuple[str, Scenario]]:
    """Every shipped story."""
    for name in shipped_names():
        yield name, load_scenario(shipped_text(name), f"{name}.yaml")


def _is_story(name: str) -> bool:
    return name.endswith(".yaml")


def _no_such(name: str) -> Mistake:
    import difflib

    close = difflib.get_close_matches(name, shipped_names(), n=1)
    hint = f"; did you mean '{close[0]}'?" if close else f"; there are {', '.join(shipped_names())}"
    return Mistake(name, 0, "", f"no story of this name ships{hint}")
