"""The settings of an account as JSON Schema, for the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from plivo_sim.settings import (
    OneOf,
    Settings,
    read_durations,
    read_flag,
    read_holidays,
    read_hosts,
    read_rate,
    read_timeout,
)

_KINDS: dict[Callable[[str], Any], dict[str, Any]] = {
    read_flag: {"type": ["boolean", "string"]},
    read_rate: {"type": ["number", "string"]},
    read_timeout: {"type": ["number", "string"]},
    **{
        read: {"type": ["array", "string"], "items": {"type": "string"}}
        for read in (read_durations, read_holidays, read_hosts)
    },
}
"""What a call may send of a setting that is no text."""


def setting_schemas(*, shown: bool = False) -> dict[str, Any]:
    """Name -> schema; ``shown``: as answers show them, which is as texts."""
    return {
        each.name: _kind(each.metadata["read"], shown) | {"description": each.metadata["help"]}
        for each in fields(Settings)
        if each.metadata["account"]
    }


def _kind(read: Callable[[str], Any], shown: bool) -> dict[str, Any]:
    if shown or read not in _KINDS:
        words = {"enum": list(read.words)} if isinstance(read, OneOf) and not shown else {}
        return {"type": "string"} | words
    return _KINDS[read]
