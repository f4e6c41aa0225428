"""Functions of other modules, replaced for a while."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from plivo_sim.outgoing.patches import Patch, Patches

NAME = "plivo_sim_patched_here"
SOURCE = """
def value():
    return "own"

class Thing:
    def value(self):
        return "own"
"""


def louder(found: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: f"{found(*args)}!"


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], ModuleType]]:
    """Import a module that nobody has imported yet."""
    (tmp_path / f"{NAME}.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    yield lambda: importlib.import_module(NAME)
    sys.modules.pop(NAME, None)


@pytest.fixture
def patches() -> Iterator[Patches]:
    names = ("value", "Thing.value", "Thing.missing")
    patches = Patches(Patch(NAME, name, louder) for name in names)
    patches.apply()
    yield patches
    patches.undo()


def said(module: ModuleType) -> list[str]:
    return [module.value(), module.Thing().value()]


def test_a_module_that_is_imported_later_is_changed(
    patches: Patches, load: Callable[[], ModuleType]
) -> None:
    """What a version of it lacks is left out; afterwards it is as it was."""
    module = load()
    assert said(module) == ["own!", "own!"]
    patches.undo()
    assert said(module) == ["own", "own"]
    assert patches not in sys.meta_path


def test_what_somebody_put_over_it_stays(
    patches: Patches, load: Callable[[], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Undoing would take theirs away."""
    module = load()
    monkeypatch.setattr(module, "value", lambda: "theirs")
    patches.undo()
    assert said(module) == ["theirs", "own"]
