"""A line of simulated time: where an instant stands, what is written at it, which days are off."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

MOST_TICKS = 8
MOST_DAYS = 400
"""A window of more days than that shows no weekends: they would be thinner than a line."""
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_STEPS_S = (
    1, 5, 15, 30, _MINUTE, 5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE, _HOUR, 3 * _HOUR, 6 * _HOUR,
    12 * _HOUR, _DAY, 2 * _DAY, 7 * _DAY, 14 * _DAY, 28 * _DAY, 91 * _DAY, 182 * _DAY, 365 * _DAY,
)  # fmt: skip
_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)
"""Ticks are counted from a Monday at midnight, so that those of weeks are Mondays."""


@dataclass(frozen=True, slots=True)
class Axis:
    """From ``start`` to ``end`` (aware UTC, later than it), drawn from ``left`` to ``right``."""

    start: datetime
    end: datetime
    left: float
    right: float

    @property
    def span_s(self) -> float:
        return (self.end - self.start).total_seconds()

    def x(self, at: datetime) -> float:
        """Where an instant stands; one outside stands at the edge."""
        part = (at - self.start).total_seconds() / self.span_s
        return round(self.left + min(max(part, 0), 1) * (self.right - self.left), 1)

    def shows(self, at: datetime) -> bool:
        return self.start <= at <= self.end

    @property
    def step_s(self) -> int:
        """From one tick to the next: a number of seconds that people count in."""
        fitting = (step for step in _STEPS_S if self.span_s / step <= MOST_TICKS)
        return next(fitting, int(self.span_s // MOST_TICKS) + 1)

    def ticks(self) -> Iterator[tuple[float, str]]:
        """Where each tick stands, and what is written at it."""
        step = timedelta(seconds=self.step_s)
        at = _MONDAY + -((_MONDAY - self.start) // step) * step
        while at <= self.end:
            if at >= self.start:
                yield self.x(at), self._label(at)
            at += step

    def _label(self, at: datetime) -> str:
        if self.step_s >= 91 * _DAY:
            return f"{at:%Y-%m-%d}"
        if self.step_s >= _DAY or (at.hour, at.minute, at.second) == (0, 0, 0):
            return f"{at:%a} {at.day} {at:%b}"
        return f"{at:%H:%M}" if self.step_s >= _MINUTE else f"{at:%H:%M:%S}"

    def days_off(self, holidays: Collection[date] = ()) -> Iterator[tuple[float, float, str]]:
        """From where to where each weekend and holiday is, and what it is."""
        if self.span_s > MOST_DAYS * _DAY:
            return
        day = self.start.date()
        while day <= self.end.date():
            if day.weekday() >= 5 or day in holidays:
                begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
                what = "holiday" if day in holidays else f"{day:%A}"
                yield self.x(begin), self.x(begin + timedelta(days=1)), f"{what}, {day}"
            day += timedelta(days=1)
