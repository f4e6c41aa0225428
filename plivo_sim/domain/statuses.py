"""The statuses of an application: THE table of what may follow what, and all else about each.

Source: docs/decisions.md, "Statuses, corrections, deletion", from the status flows of both Plivo
pages (documented); ``suspended`` and ``expired`` are in the SDKs' word list (observed), where they
come from is field-reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Status(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    MORE_INFO_REQUIRED = "more_info_required"
    SUSPENDED = "suspended"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """How a tester decides for a status.

    ``command`` of ``plivo-sim apps`` and its ``help``; ``label`` of the console's button, ``done``
    what it says before the id; ``only_from``: the one status in which it is called so.
    """

    command: str
    help: str
    label: str
    done: str
    only_from: Status | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Everything about a status except its word in each API.

    ``next``: what may follow. ``verb``: completes "cannot … application X". ``tone``: the colour of
    its label. ``correctable``: the applicant may change it and send it again
    (decision "Correctable applications"). ``locks``: documents and end user cannot change
    (decision "Locked documents"). ``undeletable``: linked or not
    (decision "Deleting applications"). ``takes_reason``: one is always shown, a stock one if none
    was given. ``by``: who brings it about when it was planned.
    ``by_hand``: the ways to decide for it; none when it is the applicant's to make.
    """

    next: frozenset[Status] = frozenset()
    verb: str
    tone: Literal["good", "bad", "wait", "idle"]
    correctable: bool = False
    locks: bool = False
    undeletable: bool = False
    takes_reason: bool = False
    by: Literal["reviewer", "time"] = "reviewer"
    by_hand: tuple[ByHand, ...] = ()


ROWS: dict[Status, Row] = {
    Status.DRAFT: Row(
        next=frozenset({Status.SUBMITTED}),
        verb="make a draft of",
        tone="idle",
    ),
    Status.SUBMITTED: Row(
        next=frozenset({Status.ACCEPTED, Status.REJECTED, Status.MORE_INFO_REQUIRED}),
        verb="submit",
        tone="wait",
        locks=True,
    ),
    Status.ACCEPTED: Row(
        next=frozenset({Status.SUSPENDED, Status.EXPIRED}),
        verb="accept",
        tone="good",
        locks=True,
        undeletable=True,
        by_hand=(
            ByHand(
                command="accept",
                help="Accept a submitted application.",
                label="Accept",
                done="Accepted",
            ),
            ByHand(
                command="reinstate",
                help="Accept a suspended application again.",
                label="Reinstate",
                done="Reinstated",
                only_from=Status.SUSPENDED,
            ),
        ),
    ),
    Status.REJECTED: Row(
        next=frozenset({Status.SUBMITTED}),
        verb="reject",
        tone="bad",
        correctable=True,
        takes_reason=True,
        by_hand=(
            ByHand(
                command="reject",
                help="Reject a submitted application.",
                label="Reject",
                done="Rejected",
            ),
        ),
    ),
    Status.MORE_INFO_REQUIRED: Row(
        next=frozenset({Status.SUBMITTED}),
        verb="ask for more information on",
        tone="wait",
        correctable=True,
        takes_reason=True,
        by_hand=(
            ByHand(
                command="more-info",
                help="Ask for more information about a submitted one.",
                label="Ask for more information",
                done="Asked for more information about",
            ),
        ),
    ),
    Status.SUSPENDED: Row(
        next=frozenset({Status.ACCEPTED}),
        verb="suspend",
        tone="bad",
        locks=True,
        takes_reason=True,
        by_hand=(
            ByHand(
                command="suspend",
                help="Suspend an accepted application.",
                label="Suspend",
                done="Suspended",
            ),
        ),
    ),
    Status.EXPIRED: Row(
        verb="expire",
        tone="idle",
        locks=True,
        takes_reason=True,
        by="time",
        by_hand=(
            ByHand(
                command="expire",
                help="Let an accepted application expire.",
                label="Let expire",
                done="Let expire",
            ),
        ),
    ),
}

TRANSITIONS = {status: ROWS[status].next for status in Status}
CORRECTABLE = frozenset(status for status in Status if ROWS[status].correctable)
LOCKING = frozenset(status for status in Status if ROWS[status].locks)
UNDELETABLE = frozenset(status for status in Status if ROWS[status].undeletable)
DECIDABLE = tuple(status for status in Status if ROWS[status].by_hand)
"""What a decision by hand may be."""
OUTCOMES = (*(each.value for each in Status if each in TRANSITIONS[Status.SUBMITTED]), "nothing")
"""What a review may end in."""


def allowed(origin: Status, target: Status) -> bool:
    """Whether the table has an arrow from one to the other."""
    return target in TRANSITIONS[origin]


def open_to(origin: Status) -> dict[Status, ByHand]:
    """The decisions by hand that may follow, as they are called there."""
    return {
        target: next(
            (each for each in ROWS[target].by_hand if each.only_from is origin),
            ROWS[target].by_hand[0],
        )
        for target in DECIDABLE
        if allowed(origin, target)
    }
