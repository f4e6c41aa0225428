"""A replay as the command prints it."""

from __future__ import annotations

from plivo_sim.cli.replayed import lines_of
from plivo_sim.client.replay import ScenarioResult


def text_of(result: ScenarioResult) -> str:
    return "\n".join(lines_of(result))
