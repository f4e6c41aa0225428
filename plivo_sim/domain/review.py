"""What the reviewer decides, and when: a plan of steps made at submission."""

from __future__ import annotations

from dataclasses import dataclass

from plivo_sim.domain.durations import Duration
from plivo_sim.domain.records import Application, Document, EndUser, Origin, Step
from plivo_sim.domain.requirements import Requirement
from plivo_sim.domain.statuses import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The steps to come; none means that the application stays in review for ever."""

    steps: tuple[Step, ...]
    decided_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The outcome that a request asks for itself. ``status`` None: stay in review."""

    status: Status | None
    reason: str | None = None
    after: Duration | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """Everything that a rule may look at; ``asked``: what the request itself asks for."""

    application: Application
    end_user: EndUser
    documents: tuple[Document, ...]
    requirement: Requirement
    via: Origin
    asked: Asked | None = None
