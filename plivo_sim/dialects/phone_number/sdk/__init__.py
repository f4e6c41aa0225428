"""The new API as the official SDKs speak it. Source: ``wire-facts.md`` section 2 (observed)."""

from plivo_sim.dialects.phone_number.sdk.errors import error_body
from plivo_sim.dialects.phone_number.sdk.presenters import (
    STATUS_WORDS,
    present_corrected,
    present_created,
    present_deleted,
    present_list,
    present_one,
    present_requirements,
)
from plivo_sim.dialects.phone_number.sdk.requests import (
    RULES,
    read_correction,
    read_create,
    read_get_query,
    read_list_query,
)

NAME = "sdk"

__all__ = [
    "NAME",
    "RULES",
    "STATUS_WORDS",
    "error_body",
    "present_corrected",
    "present_created",
    "present_deleted",
    "present_list",
    "present_one",
    "present_requirements",
    "read_correction",
    "read_create",
    "read_get_query",
    "read_list_query",
]
