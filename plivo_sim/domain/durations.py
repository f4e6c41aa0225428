"""Durations as people write them: ``3d``, ``36h``, ``1d12h``, ``90 minutes``, ``2 business days``.

Business days run Monday to Friday in UTC and keep the time of day (decision "Business days"); a set
of holidays takes more dates out. Both kinds are one frozen value, so that plans can be stored.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from plivo_sim.domain import limits
from plivo_sim.domain.secrets import as_told

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_WORDS = {"millisecond": "ms", "second": "s", "sec": "s", "minute": "m", "min": "m",
          "hour": "h", "day": "d", "week": "w"}  # fmt: skip
_PART = re.compile(r"[ ,]*([0-9]+(?:\.[0-9]+)?)\s*([a-z]+)")
_BUSINESS = re.compile(r"([0-9]+)\s*(?:business|working)[ -]?days?")
LONGEST_S = 3650 * 86400.0


def as_float(record: msgspec.Struct, field: str) -> None:
    """Make a number of a new record a float. Python takes whole numbers for floats, but JSON shows
    them as they are: what was written as ``5`` would come back as ``5.0``."""
    value = getattr(record, field)
    if type(value) is not float:
        msgspec.structs.force_setattr(record, field, float(value))


class Duration(msgspec.Struct, frozen=True, gc=False):
    """Either ``seconds`` or a whole number of ``business_days``; never negative."""

    seconds: Annotated[float, Meta(ge=0, le=10_000 * 366 * 86400.0)] = 0.0
    business_days: Annotated[int, Meta(ge=0, le=2600)] = 0

    def __post_init__(self) -> None:
        as_float(self, "seconds")

    def after(self, instant: datetime, holidays: Collection[date] = ()) -> datetime:
        """The instant that lies this long after ``instant`` (aware UTC); the calendar's last one
        where that is out of its range."""
        try:
            for _ in range(self.business_days):
                instant += timedelta(days=1)
                while instant.weekday() >= 5 or instant.date() in holidays:
                    instant += timedelta(days=1)
            return instant + timedelta(seconds=self.seconds)
        except OverflowError:
            return datetime.max.replace(tzinfo=instant.tzinfo)

    def before(self, instant: datetime) -> datetime:
        """The instant that lies so many seconds before ``instant`` (aware); the calendar's first
        one where that is out of its range. Business days do not count."""
        try:
            return instant - timedelta(seconds=self.seconds)
        except OverflowError:
            return datetime.min.replace(tzinfo=instant.tzinfo)

    def __str__(self) -> str:
        if self.business_days:
            return f"{self.business_days} business day{'s' * (self.business_days != 1)}"
        left, parts = self.seconds, []
        for unit in ("d", "h", "m"):
            count, left = divmod(left, _UNITS[unit])
            if count:
                parts.append(f"{int(count)}{unit}")
        if left or not parts:
            parts.append(f"{left:g}s")
        return "".join(parts)


def span_of(length: timedelta) -> str:
    """How long something lasts, to its two largest units: ``2 days 3 hours``, ``0.5 seconds``."""
    left = abs(length.total_seconds())
    if left < 1:
        return f"{left:.3g} seconds"
    left, parts = round(left), []
    for unit, seconds in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, left = divmod(left, seconds)
        if count:
            parts.append(f"{count} {unit}{'s' * (count != 1)}")
        elif parts:
            break
    return " ".join(parts[:2])


def parse_duration(text: str) -> Duration:
    """Read a duration; raises ``ValueError`` with a sentence that shows the accepted forms, or with
    the limit of its length."""
    limits.DURATION.check(len(text), "the duration")
    wanted = text.strip().lower()
    if match := _BUSINESS.fullmatch(wanted):
        return _checked(text, Duration(business_days=int(match[1])))
    if wanted == "0":
        return Duration()
    seconds, at = 0.0, 0
    while part := _PART.match(wanted, at):
        unit = part[2] if part[2] in _UNITS else _WORDS.get(part[2].removesuffix("s"), "")
        if not unit:
            raise ValueError(_unreadable(text))
        seconds += float(part[1]) * _UNITS[unit]
        at = part.end()
    if at == 0 or at < len(wanted):
        raise ValueError(_unreadable(text))
    return _checked(text, Duration(seconds=seconds))


def _checked(text: str, duration: Duration) -> Duration:
    if duration.seconds > LONGEST_S or duration.business_days > 2600:
        raise ValueError(f"duration {as_told(text)} is over ten years")
    return duration


def _unreadable(text: str) -> str:
    return f"cannot read duration {as_told(text)}: write 5s, 36h, 3d, 1d12h or '2 business days'"
