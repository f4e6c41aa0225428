"""What services tell the rest of the world, in the past tense."""

from __future__ import annotations

from datetime import datetime

import msgspec

from plivo_sim.domain.models import Application
from plivo_sim.domain.statuses import Status


class StatusChanged(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An application got another status. ``by_reviewer``: a callback follows (DECISIONS 23)."""

    application: Application
    previous: Status
    at: datetime
    by_reviewer: bool


class ApplicationDeleted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    application: Application
    at: datetime


Event = StatusChanged | ApplicationDeleted
