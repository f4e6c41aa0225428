"""What Windows lacks: the names that typeshed gives to Linux alone, module by module.

``python -m tests.windows.typeshed > tests/windows/missing.txt``; needs mypy, which brings typeshed.
"""

from __future__ import annotations

import ast
import platform
import sys
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

PYTHON = (3, 11)


def holds(test: ast.expr, system: str) -> bool:
    """Whether a condition of a stub is true there, in the oldest Python that is supported."""
    code = compile(ast.Expression(test), "stub", "eval")
    known = {"sys": type("sys", (), {"platform": system, "version_info": PYTHON})}
    try:
        return bool(eval(code, known))
    except NameError:  # TYPE_CHECKING and the like
        return True


def statements(body: Iterable[ast.stmt], system: str) -> Iterator[ast.stmt]:
    """Those that hold there."""
    for each in body:
        if isinstance(each, ast.If):
            chosen = each.body if holds(each.test, system) else each.orelse
            yield from statements(chosen, system)
        else:
            yield each


def names(stub: Path, system: str) -> set[str]:
    """What the module of a stub has there."""
    found: set[str] = set()
    for each in statements(ast.parse(stub.read_text("utf-8")).body, system):
        match each:
            case ast.FunctionDef() | ast.ClassDef() | ast.AsyncFunctionDef():
                found.add(each.name)
            case ast.AnnAssign(target=ast.Name(id=name)):
                found.add(name)
            case ast.Assign(targets=targets):
                found |= {target.id for target in targets if isinstance(target, ast.Name)}
            case ast.ImportFrom(names=aliases) if stub.stem == "socket":  # those of _socket
                found |= {alias.asname or alias.name for alias in aliases}
    return found - {"__all__"}


def lines() -> Iterator[str]:
    """A module's name, then what it lacks there; nothing more for one that is not there at all."""
    place = find_spec("mypy")
    assert place is not None
    assert place.origin is not None
    folder = Path(place.origin).parent / "typeshed" / "stdlib"
    stubs = {stub.stem: stub for stub in folder.glob("*.pyi")}
    stubs |= {stub.parent.name: stub for stub in folder.glob("*/__init__.pyi")}
    for name in sorted(stubs.keys() & sys.stdlib_module_names):
        here, there = names(stubs[name], "linux"), names(stubs[name], "win32")
        missing = sorted(each for each in here - there if not each.startswith("_"))
        if missing:
            is_gone = all(each.startswith("_") for each in there)
            yield name if is_gone else " ".join([name, *missing])


if __name__ == "__main__":
    assert platform.system() == "Linux"
    sys.stdout.writelines(f"{line}\n" for line in lines())
