"""No regular expression of ours reads a text again and again, whatever the text is."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile.backtracking import is_slow

PACKAGE = Path(__file__).parent.parent.parent / "plivo_sim"
STRICT = {"match", "fullmatch"}
USES = {*STRICT, "search", "sub", "subn", "split", "findall", "finditer"}
BUILT = {
    ("domain/serving.py", "self.regex"): "classes of one character each, nothing repeated",
    ("recording/schemas.py", "pattern"): "repeats of what is no slash, with slashes between",
}
"""Those that are made from texts while the simulator runs, and why they read them once."""
SLOW = {
    ("apis/phone_number/beta/reading.py", "_ESCAPES"): "the same as of a form; limit json",
    ("console/refill.py", "_UNSAID"): "reads pages of our own, whose tags all end",
    ("domain/urls.py", "re.sub('^[a-z]+://|/.*$')"): "limit host",
    ("fidelity.py", "_MARK"): "reads sentences of our own",
    ("recording/masks.py", "_WORD"): "its last alternative takes what another one gave up",
    ("variables.py", "_PLATFORM"): "reads names of variables of its own environment",
    ("web/parts.py", "_ESCAPES"): "nothing follows that could fail after a run; limit form",
}
"""Those that the check refuses, and why they may stay."""


def name_of(node: ast.AST) -> str:
    return getattr(node, "attr", "") or getattr(node, "id", "")


def uses_of(tree: ast.AST) -> set[tuple[str, str]]:
    """Which name is asked for which method of a pattern."""
    return {
        (name_of(node.value), node.attr)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in USES
    }


TREES = {
    path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text("utf-8"))
    for path in sorted(PACKAGE.rglob("*.py"))
}
EVERYWHERE = {use for tree in TREES.values() for use in uses_of(tree) if use[0][:1] != "_"}


def expressions() -> Iterator[tuple[str, str, ast.expr, str, ast.expr | None]]:
    """Module, name, expression, the laxest way in which it is used, flags."""
    for module, tree in TREES.items():
        uses = uses_of(tree) | EVERYWHERE
        named = {
            value: name_of(target)
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign)
            for whole in node.targets
            for target, value in (
                zip(whole.elts, node.value.elts, strict=True)
                if isinstance(whole, ast.Tuple) and isinstance(node.value, ast.Tuple)
                else [(whole, node.value)]
            )
        }
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            how = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            flags = next((each.value for each in node.keywords if each.arg == "flags"), None)
            if name_of(node.func) == "Meta":
                for each in node.keywords:
                    if each.arg == "pattern":
                        yield module, "Meta", each.value, "search", None
            elif how == "compile" and name_of(node.func.value) == "re":  # type: ignore[attr-defined]
                asked = {use for name, use in uses if name == named.get(node)}
                strict = asked and asked <= STRICT
                how = "search" if not strict else "match" if "match" in asked else "fullmatch"
                flags = flags or next(iter(node.args[1:]), None)
                yield module, named.get(node, ""), node.args[0], how, flags
            elif how in USES and name_of(node.func.value) == "re":  # type: ignore[attr-defined]
                name = f"re.{how}({ast.unparse(node.args[0])})"
                yield module, name, node.args[0], how if how in STRICT else "search", flags


def value_of(module: str, node: ast.expr) -> object:
    name = "plivo_sim." + module.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    name = name.removesuffix(".__init__")
    return eval(ast.unparse(node), dict(vars(importlib.import_module(name))))


def test_every_expression_reads_a_text_once() -> None:
    """So many steps as the text has characters, or a fixed multiple of these."""
    built, slow, read = set(), set(), 0
    for module, name, node, how, flags in expressions():
        try:
            pattern = value_of(module, node)
        except NameError:
            built.add((module, ast.unparse(node)))
            continue
        assert isinstance(pattern, str | bytes)
        read += 1
        if is_slow(pattern, int(value_of(module, flags)) if flags else 0, how):  # type: ignore[call-overload]
            slow.add((module, name))
    assert read > 100
    assert (built, slow) == (set(BUILT), set(SLOW))


@pytest.mark.parametrize(
    ("pattern", "how"),
    [
        (r"\s*\"?\s*x", "match"),  # on blanks, each of which may be either one's
        (r"x\s*y?[ ]*z", "match"),
        (r"\[[^]]*:[^]]*\]", "fullmatch"),  # on colons
        (r"(a+)+b", "match"),
        (r"(a*)*b", "match"),
        (r"(?:a|ab|b)*c", "match"),
        (r"\s+$", "search"),  # from each blank on
        (r"[^@]+@", "search"),
        (r"a++b", "search"),
        (r'"[^x]*x', "search"),
        (rb"(?i)a*A*b", "match"),
    ],
)
def test_what_reads_a_text_again_and_again_is_found(pattern: str | bytes, how: str) -> None:
    assert is_slow(pattern, how=how)


@pytest.mark.parametrize(
    ("pattern", "how"),
    [
        (r"\s*+(?:\"\s*+)?x", "match"),
        (r"\[[^]:]*:[^]]*\]", "fullmatch"),
        (r"\s+", "search"),
        (r"//[^/]*@", "search"),
        (r"(?<=[?&])([^?&=]*)=", "search"),
        (r"\d{1,3}\d{1,3}x", "search"),
        (r"^\s*x", "search"),
        (r"(?m)^[ \t]*x", "search"),
        (r"(?:[_-][a-z]+)*", "fullmatch"),
    ],
)
def test_what_reads_it_once_is_let_pass(pattern: str, how: str) -> None:
    assert not is_slow(pattern, how=how)
