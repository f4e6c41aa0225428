"""Waterfall: a call a line, in simulated time. Triangles are calls of the client to Plivo, diamonds
attempts of Plivo to call a webhook, squares what an inbox received; a ring is a retry that is still
to come, a line between attempts the wait for it. Its text twin is the list of the same calls.

A second and a week are to be seen in one picture, so each gap between two instants is as wide as
the logarithm of its length.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from markupsafe import Markup

Kind = Literal["request", "callback", "message"]

HEAD = 44
TICK_WIDTH = 92
"""Room for a label of the axis."""
LEAST_GAP_LABEL = 44
"""A wait whose line is shorter than that has no label."""
_SHAPES = {
    "request": "M-6,-6 L7,0 L-6,6 Z",
    "callback": "M0,-7 L7,0 L0,7 L-7,0 Z",
    "message": "M-5,-5 H5 V5 H-5 Z",
}


@dataclass(frozen=True, slots=True)
class _Layout:
    """The instants stand from ``left`` to ``right``; a call takes ``line``, and its marks stand
    ``mark`` below the top of it, its label of at most ``longest`` characters ``label`` below."""

    kind: str
    width: int
    left: int
    right: int
    line: int
    mark: int
    label: int
    longest: int
    label_width: int


_WIDE = _Layout("waterfall", 1000, 330, 975, 24, 12, 16, 36, 316)
_NARROW = _Layout("waterfall narrow", 340, 14, 318, 42, 28, 14, 44, 340)


@dataclass(frozen=True, slots=True)
class Mark:
    """Something at an instant; ``tone``: ``good``, ``wait``, ``bad`` or ``idle``. ``planned``: it
    is to come."""

    at: datetime
    tone: str
    text: str
    planned: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One call, with the page that it leads to. ``fault``: what struck it."""

    kind: Kind
    label: str
    href: str
    marks: Sequence[Mark]
    fault: str = ""


def draw(lines: Sequence[Line], *, narrow: bool = False) -> Markup:
    """The picture of these calls, from above; empty without any. ``narrow``: for a phone, each
    label above its marks."""
    layout = _NARROW if narrow else _WIDE
    places = _places(layout, (mark.at for line in lines for mark in line.marks))
    if not places:
        return Markup()
    height = HEAD + layout.line * len(lines) + 8
    parts = [
        *_ticks(layout, places, height),
        *(part for n, line in enumerate(lines) for part in _line(layout, line, n, places)),
    ]
    name = layout.kind.replace(" ", "-")
    return Markup(
        '<svg class="{kind}" viewBox="0 0 {w} {h}" role="group"'
        ' aria-labelledby="{name}-t {name}-d"><title id="{name}-t">Waterfall</title>'
        '<desc id="{name}-d">{count} calls in simulated time, as the list below has them.'
        "</desc>{parts}</svg>"
    ).format(
        kind=layout.kind, name=name, w=layout.width, h=height, count=len(lines),
        parts=Markup().join(parts),
    )  # fmt: skip


def _places(layout: _Layout, instants: Iterable[datetime]) -> dict[datetime, float]:
    """Where each instant stands."""
    order = sorted(set(instants))
    widths = [0.0]
    for before, after in itertools.pairwise(order):
        widths.append(widths[-1] + 1 + math.log1p((after - before).total_seconds()))
    full = widths[-1] or 1.0
    return {
        at: round(layout.left + (layout.right - layout.left) * width / full, 1)
        for at, width in zip(order, widths, strict=False)
    }


def _ticks(layout: _Layout, places: dict[datetime, float], height: int) -> Iterator[Markup]:
    free, day = -math.inf, None
    for at, x in places.items():
        anchor = "end" if x > layout.width - 60 else "start" if x < layout.left + 30 else "middle"
        begin = x - TICK_WIDTH * {"start": 0, "middle": 0.5, "end": 1}[anchor]
        if begin < free:
            continue
        yield Markup(
            '<line class="grid" x1="{x}" x2="{x}" y1="32" y2="{h}"/>'
            '<text class="tick" x="{x}" y="12" text-anchor="{anchor}">{date}</text>'
            '<text class="tick" x="{x}" y="27" text-anchor="{anchor}">{time}</text>'
        ).format(
            x=x, h=height, anchor=anchor, date=f"{at:%Y-%m-%d}" if at.date() != day else "",
            time=f"{at:%H:%M:%S}.{at.microsecond // 1000:03}",
        )  # fmt: skip
        free, day = begin + TICK_WIDTH, at.date()


def _line(layout: _Layout, line: Line, n: int, places: dict[datetime, float]) -> Iterator[Markup]:
    top = HEAD + layout.line * n
    y = top + layout.mark
    label = line.label
    if len(label) > layout.longest:
        label = f"{label[: layout.longest - 1]}…"
    yield Markup(
        '<a href="{href}"><rect class="hit" x="0" y="{top}" width="{w}" height="{line}"/>'
        '<text class="label" x="8" y="{base}">{label}</text></a>'
    ).format(
        href=line.href, top=top, w=layout.label_width, line=layout.line, base=top + layout.label,
        label=label,
    )  # fmt: skip
    for before, after in zip(line.marks, line.marks[1:], strict=False):
        yield from _gap(before, after, y, places)
    for mark in line.marks:
        yield _mark(mark, line.kind, places[mark.at], y)
    if line.fault and line.marks:
        yield Markup(
            '<g class="fault"><title>fault {fault}</title><circle cx="{x}" cy="{y}" r="6"/>'
            '<path d="M{a},{b} l5,5 m0,-5 l-5,5"/></g>'
        ).format(
            fault=line.fault, x=(x := places[line.marks[0].at] + 13), y=y, a=x - 2.5, b=y - 2.5
        )


def _gap(before: Mark, after: Mark, y: int, places: dict[datetime, float]) -> Iterator[Markup]:
    begin, end = places[before.at], places[after.at]
    yield Markup('<line class="gap{planned}" x1="{a}" x2="{b}" y1="{y}" y2="{y}"/>').format(
        planned=" planned" if after.planned else "", a=begin, b=end, y=y
    )
    if end - begin >= LEAST_GAP_LABEL:
        wait = wait_told((after.at - before.at).total_seconds())
        yield Markup('<text class="tick" x="{}" y="{}" text-anchor="middle">+{}</text>').format(
            round((begin + end) / 2, 1), y - 3, wait
        )


def _mark(mark: Mark, kind: Kind, x: float, y: int) -> Markup:
    return Markup(
        '<path class="mark {tone}{planned}" transform="translate({x},{y})" d="{d}">'
        "<title>{text}</title></path>"
    ).format(
        tone=mark.tone, planned=" planned" if mark.planned else "", x=x, y=y, d=_SHAPES[kind],
        text=mark.text,
    )  # fmt: skip


def wait_told(seconds: float) -> str:
    """A wait in the unit in which people say it."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size or (seconds >= size and seconds % size == 0):
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"
