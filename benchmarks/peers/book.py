"""What was measured: rows of samples, their medians and ratios, and why some are missing."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Any, Literal

from benchmarks.peers.own import FLOOR, OURS

Better = Literal["less", "more"]


@dataclass
class Row:
    """One measure of every candidate; ``better`` says which way is good."""

    key: str
    label: str
    unit: str
    better: Better = "less"
    samples: dict[str, list[float]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def median(self, who: str) -> float | None:
        found = self.samples.get(who)
        return statistics.median(found) if found else None

    def base(self) -> str | None:
        """Whose value is 1: the floor's, or ours where the floor has none."""
        return next((who for who in (FLOOR, OURS) if self.samples.get(who)), None)

    def ratio(self, who: str, to: str | None = None) -> float | None:
        """The value over the base's (or that of ``to``)."""
        to = to or self.base()
        value, base = self.median(who), self.median(to) if to else None
        return value / base if value is not None and base else None


class Book:
    """Rows in the order in which they were first written to."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        self.rows: dict[str, Row] = {}
        self.absent: dict[str, str] = {}  # who takes no further part, and why

    def row(self, key: str, label: str, unit: str, better: Better = "less") -> Row:
        return self.rows.setdefault(key, Row(key, label, unit, better))

    def median(self, key: str, who: str) -> float | None:
        return self.rows[key].median(who) if key in self.rows else None

    def ratio(self, key: str, who: str, to: str) -> float | None:
        return self.rows[key].ratio(who, to) if key in self.rows else None

    def growth(self, label: str, who: str, many: int, few: int) -> float | None:
        """How much dearer something is at so many records than at few."""
        high = self.median(f"{label}@{many}", who)
        low = self.median(f"{label}@{few}", who)
        return high / low if high is not None and low else None

    def why_not(self, row: Row, who: str) -> str:
        """Why there is no such value."""
        return row.missing.get(who) or self.absent.get(who) or f"asked of {OURS} alone"

    def as_json(self) -> list[dict[str, Any]]:
        return [
            {
                "key": row.key, "label": row.label, "unit": row.unit, "better": row.better,
                "medians": {who: row.median(who) for who in row.samples},
                "samples": row.samples,
                "missing": {who: self.why_not(row, who) for who in self.names
                            if who not in row.samples},
            }
            for row in self.rows.values()
        ]  # fmt: skip
