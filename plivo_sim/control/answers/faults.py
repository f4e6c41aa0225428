"""Faults."""

from __future__ import annotations

from typing import TypedDict

from plivo_sim.scenarios.language import FaultRule


class FaultOut(FaultRule, frozen=True, kw_only=True):
    """A fault that is on, with every field that it sets; ``struck``: how many calls it has hit
    since the server started; ``spent``: as many as its ``times`` allows, so it hits no more."""

    id: str
    struck: int
    spent: bool


class FaultsOut(TypedDict):
    account: str
    faults: list[FaultOut]


class FaultAddedOut(TypedDict):
    id: str
    faults: list[FaultOut]
