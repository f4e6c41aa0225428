"""Which dialect answers: one function (decision "Which dialect answers").

The beta page and the SDKs use the same URLs with different words. In order: what the caller says
(header or mount); a part named ``data``; an SDK's User-Agent; any other create or update is the
page's; the dialect that the record was made in; the account's last write; the page's (invented).
"""

from __future__ import annotations

from typing import NamedTuple

from plivo_sim.apis.reading import is_sdk_agent
from plivo_sim.domain.records import Origin


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


def choose(clues: Clues) -> str:
    """``"current"`` or ``"beta"``."""
    if clues.asked in ("current", "beta"):
        return clues.asked
    if clues.has_data_part or is_sdk_agent(clues.user_agent):
        return "current"
    if clues.setting != "auto":
        return clues.setting
    if clues.is_write and clues.has_data_part is False:
        return "beta"
    if clues.record_origin is not None:
        return "beta" if clues.record_origin is Origin.BETA else "current"
    return clues.last_write or "beta"
