"""Which dialect answers: one function (DECISIONS 16).

The beta page and the SDKs use the same URLs with different words. In order: what the caller says
(header or mount); a part named ``data``; an SDK's User-Agent; any other create or update is the
page's; the dialect that the record was made in; the account's last write; the page's.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from plivo_sim.domain.models import Origin

HEADER = "X-Plivo-Sim-Dialect"
MOUNT_KEY = "plivo_sim.dialect"
"""Where the WSGI environment says which mount (``/sdk/v1/…``) was called."""

_SDK_AGENT = re.compile(r"plivo-(python|node|go|ruby|php|java|dotnet)/", re.IGNORECASE)


class Clues(NamedTuple):
    """What is known of a request. ``has_data_part`` is None while the body is unread, and for
    calls that have none."""

    asked: str = ""
    user_agent: str = ""
    is_write: bool = False
    has_data_part: bool | None = None
    record_origin: Origin | None = None
    last_write: str | None = None
    setting: str = "auto"


def is_sdk_agent(user_agent: str) -> bool:
    """Whether an official SDK sent this (observed: Go uploads do not say so)."""
    return _SDK_AGENT.match(user_agent) is not None


def choose(clues: Clues) -> str:
    """``"sdk"`` or ``"documented"``."""
    if clues.asked in ("sdk", "documented"):
        return clues.asked
    if clues.has_data_part or is_sdk_agent(clues.user_agent):
        return "sdk"
    if clues.setting != "auto":
        return clues.setting
    if clues.is_write and clues.has_data_part is False:
        return "documented"
    if clues.record_origin is not None:
        return "documented" if clues.record_origin is Origin.DOCUMENTED else "sdk"
    return clues.last_write or "documented"
