"""A strip with a tick for each thing that is due next, on a line of simulated time from now on."""

from __future__ import annotations

import html
from collections.abc import Sequence
from datetime import datetime

WIDTH, HEIGHT, EDGE = 96, 16, 4
UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


def draw(now: datetime, due: Sequence[tuple[datetime, str]], title: str) -> str:
    """``due``: when, and in whose tone (``good``, ``bad`` …), soonest first. SVG; the last one is
    at the right end."""
    ends = max(((at - now).total_seconds() for at, _ in due), default=0.0) or 1.0
    ticks = []
    for at, tone in due:
        x = EDGE + (WIDTH - 2 * EDGE) * max((at - now).total_seconds(), 0.0) / ends
        ticks.append(f'<path class="tick {html.escape(tone)}" d="M{x:.1f} 2V{HEIGHT - 2}"/>')
    return (
        f'<svg class="ticks" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
        f' role="img" aria-label="{html.escape(title)}"><title>{html.escape(title)}</title>'
        f'<path class="axis" d="M{EDGE} {HEIGHT / 2:g}H{WIDTH - EDGE}"/>'
        f'<circle class="now" cx="{EDGE}" cy="{HEIGHT / 2:g}" r="3"/>{"".join(ticks)}</svg>'
    )


def in_words(seconds: float) -> str:
    """A duration in its two largest units."""
    whole, units = round(seconds), []
    for unit, size in UNITS:
        if whole >= size:
            units.append(f"{whole // size} {unit}")
            whole %= size
    return " ".join(units[:2]) or f"{seconds:.3g} s"
