"""A replay as the command prints it."""

from __future__ import annotations

from plivo_sim.cli.replay import lines_of
from plivo_sim.client.replay import Told


def text_of(told: Told) -> str:
    return "\n".join(lines_of(told))
