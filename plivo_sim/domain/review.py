"""What the reviewer decides, and when: a plan of steps made at submission."""

from __future__ import annotations

import msgspec

from plivo_sim.domain.durations import Duration
from plivo_sim.domain.records import Application, Document, EndUser, Origin, Step
from plivo_sim.domain.requirements import Requirement
from plivo_sim.domain.statuses import Status


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The steps to come; none means that the application stays in review for ever."""

    steps: tuple[Step, ...]
    decided_by: str


class RequestedOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome that a request asks for itself. ``status`` None: stay in review."""

    status: Status | None
    reason: str | None = None
    after: Duration | None = None


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a rule may look at; ``requested``: the outcome that the request itself asks
    for."""

    application: Application
    end_user: EndUser
    documents: tuple[Document, ...]
    requirement: Requirement
    via: Origin
    requested: RequestedOutcome | None = None
