"""Shapes of bodies: input schemas that are loaded when the first body is read.

marshmallow and the schemas take a quarter of the time to start, most of that for regular
expressions of e-mail addresses that nothing here uses.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from plivo_sim.domain.errors import Path, Problem
from plivo_sim.domain.typed import once

if TYPE_CHECKING:
    from marshmallow import Schema


class Shape:
    """The input schema of this name in a module."""

    def __init__(self, module: str, name: str) -> None:
        self._module = module
        self._name = name

    @property
    def schema(self) -> Schema:
        return _schema_of(self._module, self._name)

    @property
    def fields(self) -> dict[str, Any]:
        """Its fields by the names that they have in bodies, but for those with a ``data_key``."""
        return self.schema.fields


@once
def _schema_of(module: str, name: str) -> Schema:
    made: Schema = getattr(import_module(module), name)()
    return made


def load(
    shape: Shape, data: Any, to_domain: Callable[[Path], Path] = lambda path: path
) -> tuple[dict[str, Any], list[Problem]]:
    """What is usable of ``data``, and everything wrong with it; never raises."""
    from plivo_sim.apis import schema  # here: it needs marshmallow

    return schema.load(shape.schema, data, to_domain)
