"""Numbers on the command line, as others write them, too: click takes what Python does, such as
``1_0``, ``nan`` and digits of other scripts."""

from __future__ import annotations

from typing import Any

import click
from click.types import FloatParamType, IntParamType

from plivo_sim.domain.text import number_in


class _Written(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # of click 8.1 without one
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, str):
            try:
                number_in(value)
            except ValueError:
                self.fail(f"{value!r} is not a valid {self.name}.", param, ctx)
        return super().convert(value, param, ctx)


class Int(_Written, IntParamType):
    """A whole number."""


class Float(_Written, FloatParamType):
    """A number."""


class IntRange(_Written, click.IntRange):
    """A whole number within bounds."""


class FloatRange(_Written, click.FloatRange):
    """A number within bounds."""
