"""Nothing but the machine knows which statuses there are."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import plivo_sim
from plivo_sim.machines import default_machine

PACKAGE = Path(plivo_sim.__file__).parent
NAMES = frozenset(default_machine().statuses)
MODULES = sorted(
    path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] != "machines"
)
MOST = 2
"""A pair of statuses may be compared; from three on it is a list."""


def lists_in(source: str) -> Iterator[tuple[int, set[str]]]:
    """Line and statuses of every collection, type or enumeration that spells more than two."""
    kinds = (ast.List, ast.Tuple, ast.Set, ast.Dict, ast.ClassDef, ast.Match)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, kinds):
            here = set(_spelt(node))
            if len(here) > MOST:
                yield node.lineno, here


def _spelt(node: ast.AST) -> Iterator[str]:
    """The statuses in a node, without those in functions and calls within it: what a handle calls
    by name is no list."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Constant) and child.value in NAMES:
            yield str(child.value)
        elif not isinstance(child, ast.FunctionDef | ast.Call):
            yield from _spelt(child)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_module_spells_a_list_of_statuses(path: Path) -> None:
    """They take it from ``account.machine``."""
    assert list(lists_in(path.read_text("utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    [
        "X = ('draft', 'submitted', 'accepted')",
        "from typing import Literal\nW = Literal['draft', 'submitted', 'accepted']",
        "X = {'draft': 1, 'accepted': 2, 'expired': 3}",
        "class Status:\n    A = 'draft'\n    B = 'accepted'\n    C = 'expired'",
    ],
)
def test_a_list_is_found(source: str) -> None:
    """The check can fail."""
    assert list(lists_in(source))
