"""What services tell the rest of the world, in the past tense."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from plivo_sim.domain.models import Application
from plivo_sim.domain.statuses import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChanged:
    """An application got another status. ``by_reviewer``: a callback follows (DECISIONS 23)."""

    application: Application
    previous: Status
    at: datetime
    by_reviewer: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationDeleted:
    application: Application
    at: datetime


Event = StatusChanged | ApplicationDeleted
