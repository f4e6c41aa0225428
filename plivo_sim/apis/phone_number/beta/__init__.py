"""The new API as the beta page documents it. Source: ``plivo-new-compliance-api`` (documented)."""

from __future__ import annotations

from plivo_sim.apis.phone_number.beta.errors import error_body
from plivo_sim.apis.phone_number.beta.presenters import (
    present_corrected,
    present_created,
    present_deleted,
    present_list,
    present_one,
    present_requirements,
)
from plivo_sim.apis.phone_number.beta.reading import (
    RULES,
    read_correction,
    read_create,
    read_get_query,
    read_list_query,
)

NAME = "beta"

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
