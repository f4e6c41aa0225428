"""What can be undone."""

from __future__ import annotations

from typing import Literal, TypedDict

from plivo_sim.control.answers.accounts import AccountOut
from plivo_sim.control.answers.words import Instant


class LostOut(TypedDict):
    """A call that would be undone, too: of an API, of the control API, or of the console's later
    actions. ``now``: the simulated time when it was made."""

    by: Literal["api", "control", "console"]
    method: str
    path: str
    now: Instant


class UndoPointOut(TypedDict):
    """``point``: its number. ``now``: where the clock stood; ``made``: the real time. ``lost``: the
    first 20 calls that would be undone beside the action itself, as far as they are still known;
    ``lost_count``: how many there are. ``may_lose_more``: whether others wrote, too, in calls that
    are not kept any more."""

    point: int
    what: str
    now: Instant
    made: Instant
    lost: list[LostOut]
    lost_count: int
    may_lose_more: bool


class UndoOut(TypedDict):
    """``forgotten``: how many points there were that are no more."""

    account: str
    points: list[UndoPointOut]
    forgotten: int


class UndoneOut(AccountOut):
    """``undone``: what was undone; ``lost``: how many calls beside it."""

    undone: str
    lost: int
