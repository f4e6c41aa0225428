"""The statuses of an application and THE table of what may follow what.

Source: docs/decisions.md, "Statuses, corrections, deletion", from the status flows of both Plivo
pages (documented); ``suspended`` and ``expired`` are in the SDKs' word list (observed), where they
come from is field-reported.
"""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    MORE_INFO_REQUIRED = "more_info_required"
    SUSPENDED = "suspended"
    EXPIRED = "expired"


TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.DRAFT: frozenset({Status.SUBMITTED}),
    Status.SUBMITTED: frozenset({Status.ACCEPTED, Status.REJECTED, Status.MORE_INFO_REQUIRED}),
    Status.REJECTED: frozenset({Status.SUBMITTED}),
    Status.MORE_INFO_REQUIRED: frozenset({Status.SUBMITTED}),
    Status.ACCEPTED: frozenset({Status.SUSPENDED, Status.EXPIRED}),
    Status.SUSPENDED: frozenset({Status.ACCEPTED}),
    Status.EXPIRED: frozenset(),
}

CORRECTABLE = frozenset({Status.REJECTED, Status.MORE_INFO_REQUIRED})
"""What the applicant may change and send again (decision "Correctable applications")."""

LOCKING = frozenset({Status.SUBMITTED, Status.ACCEPTED})
"""While an application is one of these, its documents and end user are locked
(decision "Locked documents")."""

UNDELETABLE = frozenset({Status.ACCEPTED})
"""Never deletable, linked or not (decision "Deleting applications")."""


def allowed(origin: Status, target: Status) -> bool:
    """Whether the table has an arrow from one to the other."""
    return target in TRANSITIONS[origin]
