"""Functions of other modules, replaced for a while, also in modules that are imported later."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from functools import reduce, wraps
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, NamedTuple

Function = Callable[..., Any]
_MISSING = object()


class Patch(NamedTuple):
    """``module``: its full name; ``name``: a function in it, such as ``HTTPConnection.connect``;
    ``wrap`` makes what stands there meanwhile of what stood there before."""

    module: str
    name: str
    wrap: Callable[[Function], Function]


class Patches:
    """Replacements that are made and undone together.

    Nothing is imported for them: a module that is not loaded yet is seen by a finder
    (``sys.meta_path``) when somebody imports it. A function that a version of a library lacks is
    left out. Where somebody else has put a replacement over ours, undoing leaves both in place, so
    a replacement has to do nothing when it is not wanted.
    """

    def __init__(self, patches: Iterable[Patch]) -> None:
        self._patches: dict[str, list[Patch]] = {}
        for patch in patches:
            self._patches.setdefault(patch.module, []).append(patch)
        self._undo: list[Callable[[], None]] = []

    def apply(self) -> None:
        sys.meta_path.insert(0, self)
        for name in self._patches:
            if (module := sys.modules.get(name)) is not None:
                self._replace_in(module)

    def undo(self) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        while self._undo:
            self._undo.pop()()

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The ordinary spec of a module that is to be changed; its loader changes it."""
        if name not in self._patches:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                load(module)
                if self in sys.meta_path:
                    self._replace_in(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec

    def _replace_in(self, module: ModuleType) -> None:
        for patch in self._patches[module.__name__]:
            *path, name = patch.name.split(".")
            try:
                owner = reduce(getattr, path, module)
                found = getattr(owner, name)
            except AttributeError:
                continue
            self._replace(owner, name, wraps(found)(patch.wrap(found)))

    def _replace(self, owner: Any, name: str, replacement: Function) -> None:
        own = vars(owner).get(name, _MISSING)
        setattr(owner, name, replacement)

        def put_back() -> None:
            if vars(owner).get(name) is not replacement:
                return
            if own is _MISSING:
                delattr(owner, name)
            else:
                setattr(owner, name, own)

        self._undo.append(put_back)
