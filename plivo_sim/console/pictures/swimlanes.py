"""Swimlanes: an application a line, what it was as bars, what is due as rings, and now as a line
across them that a script makes draggable. Its text twin is the list of what is due."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby

from markupsafe import Markup

from plivo_sim.console.pictures.axis import Axis

WIDTH, EDGE = 1000, 10
HEAD, LANE = 68, 34
LONGEST_NAME = 70
CLOSE = 18
"""Marks of what is due that are closer than that are one mark."""


@dataclass(frozen=True, slots=True)
class Span:
    """A status from ``start`` on; ``tone`` is its colour."""

    start: datetime
    end: datetime
    status: str
    tone: str


@dataclass(frozen=True, slots=True)
class Due:
    """Something to come: ``text`` says what. ``tone``: that of a status; empty for a callback."""

    at: datetime
    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """One application: ``href`` leads to its page."""

    name: str
    href: str
    status: str
    spans: Sequence[Span] = field(default_factory=tuple)
    due: Sequence[Due] = field(default_factory=tuple)


def draw(
    lanes: Sequence[Lane],
    now: datetime,
    start: datetime,
    end: datetime,
    instants: Sequence[datetime],
    go_to: str,
    holidays: Collection[date] = (),
) -> Markup:
    """The picture, from ``start`` to ``end``. ``instants``: when something is due in the account,
    soonest first, one for each thing; ``go_to``: a URL to which such an instant is added."""
    axis = Axis(start, end, EDGE, WIDTH - EDGE)
    height = HEAD + LANE * max(len(lanes), 1) + EDGE
    seen = [at for at in instants if axis.shows(at)]
    parts = [
        *_days_off(axis, height, holidays),
        *_ticks(axis, height),
        *_marks(axis, seen, height, go_to),
        _now(axis, now, height),
        *(part for n, lane in enumerate(lanes) for part in _lane(axis, lane, HEAD + n * LANE)),
    ]
    told = (
        f"{len(lanes)} applications from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC; now is"
        f" {now:%Y-%m-%d %H:%M:%S}. The list below says what is due."
    )
    dues = " ".join(str(_ms(at)) for at, _ in groupby(seen))
    return Markup(
        '<svg class="lanes" viewBox="0 0 {w} {h}" role="group" aria-labelledby="lanes-t lanes-d"'
        ' id="lanes-svg" data-start="{start}" data-end="{end}" data-now="{now}" data-left="{left}"'
        ' data-right="{right}" data-step="{step}" data-due="{dues}">'
        '<title id="lanes-t">Swimlanes</title><desc id="lanes-d">{told}</desc>{parts}</svg>'
    ).format(
        w=WIDTH, h=height, start=_ms(start), end=_ms(end), now=_ms(now), left=axis.left,
        right=axis.right, step=max(axis.step_s // 4, 1) * 1000, dues=dues, told=told,
        parts=Markup().join(parts),
    )  # fmt: skip


def _ms(at: datetime) -> int:
    """Milliseconds since 1970, rounded up: to go there is not to stop before it."""
    seconds, microseconds = int(at.replace(microsecond=0).timestamp()), at.microsecond
    return seconds * 1000 + -(-microseconds // 1000)


def _days_off(axis: Axis, height: int, holidays: Collection[date]) -> Iterator[Markup]:
    for begin, end, what in axis.days_off(holidays):
        yield Markup(
            '<rect class="off" x="{}" y="20" width="{}" height="{}"><title>{}</title></rect>'
        ).format(begin, round(end - begin, 1), height - 20, what)


def _ticks(axis: Axis, height: int) -> Iterator[Markup]:
    for x, label in axis.ticks():
        anchor = "start" if x < 60 else "end" if x > WIDTH - 60 else "middle"
        yield Markup(
            '<line class="grid" x1="{x}" x2="{x}" y1="20" y2="{h}"/>'
            '<text class="tick" x="{x}" y="14" text-anchor="{anchor}">{label}</text>'
        ).format(x=x, h=height, anchor=anchor, label=label)


def _marks(axis: Axis, instants: Sequence[datetime], height: int, go_to: str) -> Iterator[Markup]:
    """How many things are due at an instant, or close to it; a link that goes there."""
    marks: list[tuple[float, datetime, int]] = []
    for at, group in groupby(instants):
        count, x = sum(1 for _ in group), axis.x(at)
        if marks and x - marks[-1][0] < CLOSE:
            marks[-1] = (marks[-1][0], marks[-1][1], marks[-1][2] + count)
        else:
            marks.append((x, at, count))
    for x, at, count in marks:
        told = f"{count} due from {at:%a %Y-%m-%d %H:%M:%S} UTC on: choose this instant"
        yield Markup(
            '<line class="guide" x1="{x}" x2="{x}" y1="58" y2="{h}"/>'
            '<a href="{href}{at}#move" class="mark" aria-label="{told}"><title>{told}</title>'
            '<circle cx="{x}" cy="47" r="10"/><text x="{x}" y="51" text-anchor="middle">{n}'
            "</text></a>"
        ).format(x=x, h=height, href=go_to, at=f"{at:%Y-%m-%dT%H:%M:%S.%fZ}", told=told, n=count)


def _lane(axis: Axis, lane: Lane, y: int) -> Iterator[Markup]:
    name = lane.name if len(lane.name) <= LONGEST_NAME else f"{lane.name[:LONGEST_NAME]}…"
    yield Markup(
        '<line class="grid" x1="{left}" x2="{right}" y1="{y}" y2="{y}"/>'
        '<a href="{href}"><text class="name" x="{left}" y="{text}"><tspan class="isolated">{name}'
        '</tspan><tspan class="state"> · {status}</tspan></text></a>'
    ).format(
        left=axis.left, right=axis.right, y=y, text=y + 13, href=lane.href, name=name,
        status=lane.status.replace("_", " "),
    )  # fmt: skip
    for span in lane.spans:
        if span.end < axis.start or span.start > axis.end:
            continue
        x, end = axis.x(span.start), axis.x(span.end)
        told = f"{span.status}, {span.start:%Y-%m-%d %H:%M:%S} to {span.end:%Y-%m-%d %H:%M:%S}"
        yield Markup(
            '<rect class="span {}" x="{}" y="{}" width="{}" height="9" rx="2"><title>{}</title>'
            "</rect>"
        ).format(span.tone, x, y + 19, max(round(end - x, 1), 2), told)
    for due in lane.due:
        if axis.shows(due.at):
            told = f"{due.text}, {due.at:%a %Y-%m-%d %H:%M:%S} UTC"
            yield _ring(axis.x(due.at), y + 23.5, due, told)


def _ring(x: float, y: float, due: Due, told: str) -> Markup:
    if due.tone:
        shape = Markup('<circle class="due {}" cx="{}" cy="{}" r="5">').format(due.tone, x, y)
        end = Markup("</circle>")
    else:
        shape = Markup('<rect class="due callback" x="{}" y="{}" width="8" height="8">').format(
            x - 4, y - 4
        )
        end = Markup("</rect>")
    return Markup("{}<title>{}</title>{}").format(shape, told, end)


def _now(axis: Axis, now: datetime, height: int) -> Markup:
    return Markup(
        '<g id="now-line" class="now-line" transform="translate({x} 0)">'
        '<rect class="grip" x="-14" y="16" width="28" height="{h}"/>'
        '<line x1="0" x2="0" y1="26" y2="{h}"/><path d="M-9 18h18v8l-9 9l-9-9z"/>'
        "<title>{told}</title></g>"
    ).format(x=axis.x(now), h=height, told=f"now, {now:%a %Y-%m-%d %H:%M:%S} UTC")
