"""What was done in an account."""

from __future__ import annotations

from typing import Literal, TypedDict

from plivo_sim.control.answers.words import Instant


class CallMadeOut(TypedDict):
    """A call that was made: of an API, of the control API, or of a button of the console. ``now``:
    the simulated time then; ``made``: the real time. ``what``: in words, else method and path;
    ``about``: the names of the records that it was about. ``undone``: whether the account went back
    to before it; ``point``: the undo point that was kept before it, null if none was."""

    id: str
    by: Literal["api", "control", "console"]
    method: str
    path: str
    what: str
    about: str
    status: int
    why: str
    now: Instant
    made: Instant
    undone: bool
    point: int | None


class HistoryOut(TypedDict):
    """``calls``: oldest first; ``forgotten``: how many there were before."""

    account: str
    calls: list[CallMadeOut]
    forgotten: int
