"""What is kept for the next call is bounded in bytes, whatever texts the calls bring."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from plivo_sim.domain.typed import LONGEST_KEPT, kept

PACKAGE = Path(__file__).parent.parent.parent / "plivo_sim"
CACHES = {"lru_cache", "cache"}
QUALIFIED = {f"functools.{name}" for name in CACHES}
ALLOWED = {
    "apis/words.py": "of enumerations of ours",
    "catalogue/__init__.py": "of a seed",
    "catalogue/yaml_text.py": "of nothing",
    "control/fidelity.py": "of nothing",
    "domain/typed.py": "kept, which looks at the lengths",
    "outgoing/guard.py": "of names of files with code",
    "recording/words.py": "of nothing",
    "services/inventory.py": "of a country that the catalogue has",
    "web/framework.py": "of a path of at most LONGEST_KEPT_PATH characters",
    "web/parsing.py": "of a second",
    "web/request_log.py": "the names of headers, few, and at most limit head of each request",
}
"""Which modules keep results otherwise than with ``kept``, and of what."""


@pytest.mark.parametrize(("length", "calls"), [(LONGEST_KEPT, 1), (LONGEST_KEPT + 1, 2)])
def test_long_texts_are_not_kept(length: int, calls: int) -> None:
    seen: list[str] = []
    function = kept(4)(seen.append)
    for _ in range(2):
        function("x" * length)
    assert len(seen) == calls


def names(imports: ast.ImportFrom) -> bool:
    return not CACHES.isdisjoint(each.name for each in imports.names)


def test_results_of_texts_are_kept_by_one_function() -> None:
    """Another cache says in the table what it is keyed by."""
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if (isinstance(node, ast.ImportFrom) and node.module == "functools" and names(node))
        or (isinstance(node, ast.Attribute) and ast.unparse(node) in QUALIFIED)
    }
    assert found == set(ALLOWED)
