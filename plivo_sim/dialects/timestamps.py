"""Instants as each API prints them. All UTC, all with ``Z`` (observed)."""

from __future__ import annotations

from datetime import datetime


def microseconds(instant: datetime) -> str:
    """``2026-04-06T10:44:17.899379Z``, as recorded (SDK dialect, legacy)."""
    return f"{instant.isoformat(timespec='microseconds')[:26]}Z"


def milliseconds(instant: datetime) -> str:
    """``2026-04-06T10:44:17.899Z`` (Atoms)."""
    return f"{microseconds(instant)[:-4]}Z"


def seconds(instant: datetime) -> str:
    """``2024-01-15T10:30:00Z``, as the beta page prints it."""
    return f"{microseconds(instant)[:-8]}Z"
