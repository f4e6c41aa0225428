"""What the Atoms facade keeps of an application: a record of its own beside the core's.

It stands here and not with the facade because the store must know it; nothing in the core uses it.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from plivo_sim.domain.models import NumberType, UserType


class AtomsStatus(StrEnum):
    """The words of ``ComplianceApplicationStatus`` (documented)."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    SUSPENDED = "suspended"
    EXPIRED = "expired"


class AtomsApplication(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """``status`` and ``rejection_reason`` are what Atoms was last told: Plivo may know better.

    ``plivo_compliance_id`` is the core's application. ``refreshed_at``: the last refresh.
    """

    id: str
    seq: int
    organization_id: str
    plivo_compliance_id: str
    alias: str
    status: AtomsStatus
    country_iso: str
    number_type: NumberType
    user_type: UserType
    end_user_name: str
    end_user_last_name: str | None
    end_user_email: str | None
    end_user_country: str
    document_file_names: tuple[str, ...]
    rejection_reason: str | None
    created_by: str
    created_at: datetime
    updated_at: datetime
    refreshed_at: datetime | None = None
