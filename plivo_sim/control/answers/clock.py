"""Time, and what happened in it."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from plivo_sim.control.answers.words import Instant, Status
from plivo_sim.domain.records import DeliveryState


class ClockOut(TypedDict):
    """``due_never``: something is due, all of it after the year 9000, where the clock stops; then
    ``next_due`` is null."""

    account: str
    now: Instant
    paused: bool
    rate: float
    advancing: bool
    next_due: Instant | None
    due_count: int
    due_never: bool
    sending: int


HappeningOut = TypedDict(
    "HappeningOut",
    {
        "type": Literal["transition", "callback"],
        "at": Instant,
        "application": str,
        "from": NotRequired[Status],
        "to": NotRequired[Status],
        "reason": NotRequired[str | None],
        "delivery": NotRequired[str],
        "attempt": NotRequired[int],
        "retries": NotRequired[int],
        "state": NotRequired[DeliveryState],
        "status": NotRequired[int | None],
        "error": NotRequired[str | None],
    },
)
HappeningOut.__doc__ = "A ``transition`` or a ``callback``; the other's keys are absent."


class SettledOut(ClockOut):
    """``settled``: whether all of it was over in time."""

    settled: bool


class AdvanceOut(ClockOut):
    """``began``: where the clock stood. ``transitions``: how many, by the status that they led to;
    ``callbacks``: how many attempts, by the state of the callback afterwards; ``pending`` ones are
    tried again. ``happenings``: the first 10,000 of them, in order."""

    pending: bool
    began: Instant
    transitions: dict[str, int]
    callbacks: dict[str, int]
    happenings: list[HappeningOut]
