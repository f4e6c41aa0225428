"""The new API as the official SDKs speak it. Source: docs/wire-facts.md, "The new API today"
(observed)."""

from __future__ import annotations

from plivo_sim.apis.phone_number.current.presenters import (
    error_body,
    present_corrected,
    present_created,
    present_deleted,
    present_list,
    present_one,
    present_requirements,
)
from plivo_sim.apis.phone_number.current.reading import (
    RULES,
    read_correction,
    read_create,
    read_get_query,
    read_list_query,
)

NAME = "current"

__all__ = [
    "NAME",
    "RULES",
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
