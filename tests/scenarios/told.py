"""A replay as the command prints it."""

from __future__ import annotations

from plivo_sim.commands.replay import lines_of
from plivo_sim.replay import Told


def text_of(told: Told) -> str:
    return "\n".join(lines_of(told))
