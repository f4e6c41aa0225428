"""Errors of this dialect: ``{"api_id", "error": "text"}`` (observed)."""

from __future__ import annotations

from typing import Any

from plivo_sim.dialects.plain_errors import plain_error
from plivo_sim.errors import SimError


def error_body(error: SimError, api_id: str) -> tuple[int, dict[str, Any]]:
    """Status and body; ``error`` is always a string."""
    status, text = plain_error(error)
    return status, {"api_id": api_id, "error": text}
