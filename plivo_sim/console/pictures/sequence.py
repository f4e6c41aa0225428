"""What happened around one application, as a sequence: the client, Plivo and the webhook, each with
a line of its own, and simulated time that runs down.

Time is not drawn to scale: what happens at one instant stands close together, and what lies between
two instants is written, however long it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from markupsafe import Markup, escape

from plivo_sim.domain.durations import span_of

Lane = Literal["client", "plivo", "webhook"]

MOST_STEPS = 120
"""Of a longer story the first few and the last are drawn."""
FIRST = 10
_NAMES: dict[Lane, str] = {"client": "client", "plivo": "Plivo", "webhook": "your webhook"}
_HEAD, _ARROW, _NOTE, _GAP = 40, 30, 46, 26
"""Heights of the names, an arrow, a note, and a time in between."""
_LONGEST, _LONGEST_NOTE = 30, 33
"""Characters that have room on an arrow, and in a note."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """``lanes``: where the lines run. ``times``: where what is told of time stands, which ends
    there (``anchor``), or begins there and has a row of its own, of this height."""

    kind: str
    width: int
    lanes: Mapping[Lane, int]
    times: int
    anchor: str = "end"
    row: int = 0


_WIDE = _Layout("sequence", 620, {"client": 134, "plivo": 346, "webhook": 558}, 106)
_NARROW = _Layout(
    "sequence narrow", 324, {"client": 26, "plivo": 148, "webhook": 270}, 32, "start", 20
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """An arrow from one line to another, or a note on one (``origin`` is ``target``).

    ``tone``: ``good``, ``bad``, ``wait`` or ``idle``. ``detail``: a second line of a note, and what
    is told of an arrow beside its text. ``href``: where its payload is shown; "" for nowhere.
    ``is_answer``: drawn dashed. ``is_to_come``: drawn hollow.
    """

    at: datetime
    origin: Lane
    target: Lane
    text: str
    tone: str = "idle"
    detail: str = ""
    href: str = ""
    is_answer: bool = False
    is_to_come: bool = False


def draw(
    steps: Sequence[Step], now: datetime, label: str, receiver: str = "", *, narrow: bool = False
) -> Markup:
    """The picture, in the order of ``steps``; what is to come stands below a line that says
    ``now``. ``label``: what it is called where it is read aloud; ``receiver``: who the webhook is,
    if not the client's. ``narrow``: for a phone, times above what happened then."""
    layout = _NARROW if narrow else _WIDE
    lanes = layout.lanes
    rows, y = [], _HEAD
    before: datetime | None = None
    passed_now = False
    kept, left_out = _bounded(steps)
    for index, step in enumerate(kept):
        if step.is_to_come and not passed_now:
            passed_now = True
            rows.append(_now(layout, y, now))
            y, before = y + _GAP, max(now, before or now)
        if left_out and index == FIRST:
            rows.append(_text(lanes["plivo"], y + 17, f"… and {left_out:,} more", "dim", "middle"))
            y, before = y + _GAP, None
        if before is not None and (step.at - before).total_seconds() >= 1:
            rows.append(_gap(layout, y, before, step.at))
            y += _GAP
        is_first = before is None or step.at.date() != before.date()
        if before is None or step.at != before:
            rows.append(_time(layout, y, step.at, is_first))
            y += layout.row
        before = step.at
        is_note = step.origin == step.target
        rows.append(_note(lanes, y, step) if is_note else _arrow(lanes, y, step))
        y += _NOTE if is_note else _ARROW
    if not passed_now:
        rows.append(_now(layout, y, now))
        y += _GAP
    height = y + 8
    lines = Markup().join(_lane(layout, lane, height, receiver) for lane in lanes)
    has_links = any(each.href for each in kept)
    return Markup(
        '<svg class="{kind}" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" '
        'width="{w}" height="{h}" role="{role}" aria-label="{label}">{lines}{rows}</svg>'
    ).format(
        kind=layout.kind,
        w=layout.width,
        h=height,
        role="group" if has_links else "img",
        label=label,
        lines=lines,
        rows=Markup().join(rows),
    )


def _bounded(steps: Sequence[Step]) -> tuple[Sequence[Step], int]:
    """Those that are drawn, and how many are left out behind the first few."""
    if len(steps) <= MOST_STEPS:
        return steps, 0
    last = MOST_STEPS - FIRST
    return [*steps[:FIRST], *steps[-last:]], len(steps) - MOST_STEPS


def _lane(layout: _Layout, lane: Lane, height: int, receiver: str) -> Markup:
    x, name = layout.lanes[lane], (lane == "webhook" and receiver) or _NAMES[lane]
    at = min(x, layout.width - 4 * len(name))  # all of it within the picture
    return Markup(
        '<g><line class="lane" x1="{x}" y1="30" x2="{x}" y2="{h}"/>'
        '<text class="name" x="{at}" y="20" text-anchor="middle">{name}</text></g>'
    ).format(x=x, at=at, h=height, name=name)


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> Markup:
    return Markup('<text class="{k}" x="{x}" y="{y}" text-anchor="{a}">{t}</text>').format(
        k=kind, x=x, y=y, a=anchor, t=text
    )


def _time(layout: _Layout, y: int, at: datetime, with_day: bool) -> Markup:
    """The instant, to the millisecond where it is not a whole second; a new day is named."""
    shown = f"{at:%H:%M:%S}" + (f".{at.microsecond // 1000:03d}" if at.microsecond else "")
    x, anchor = layout.times, layout.anchor
    if layout.row:
        return _text(x, y + 15, f"{at:%Y-%m-%d} {shown}" if with_day else shown, "at", anchor)
    day = _text(x, y + 11, f"{at:%Y-%m-%d}", "at", anchor) if with_day else Markup()
    return day + _text(x, y + 24, shown, "at", anchor)


def _gap(layout: _Layout, y: int, before: datetime, at: datetime) -> Markup:
    span = span_of(at - before)
    for long, short in (("hour", "h"), ("minute", "min"), ("second", "s")):
        span = span.replace(f"{long}s", short).replace(long, short)
    told = _text(layout.times, y + 17, f"{span} later", "dim", layout.anchor)
    lines = Markup().join(
        Markup('<line class="gap" x1="{x}" y1="{a}" x2="{x}" y2="{b}"/>').format(
            x=x, a=y + 3, b=y + _GAP - 3
        )
        for x in layout.lanes.values()
    )
    return lines + told


def _now(layout: _Layout, y: int, now: datetime) -> Markup:
    x = layout.times + (88 if layout.row else 8)
    line = Markup('<line class="now" x1="{x}" y1="{y}" x2="{w}" y2="{y}"/>').format(
        x=x, y=y + 13, w=layout.width - 8
    )
    return line + _text(layout.times, y + 17, f"now, {now:%H:%M:%S}", "at", layout.anchor)


def _classes(step: Step, kind: str) -> str:
    return " ".join(
        [kind, step.tone, *(["answer"] if step.is_answer else []),
         *(["to-come"] if step.is_to_come else [])]
    )  # fmt: skip


def _linked(step: Step, inner: Markup) -> Markup:
    """With all that is told of it as its title, and its payload behind it."""
    title = Markup("<title>{}</title>").format(". ".join(filter(None, (step.text, step.detail))))
    if not step.href:
        return Markup("<g>{}{}</g>").format(title, inner)
    return Markup('<a href="{}">{}{}</a>').format(step.href, title, inner)


def _arrow(lanes: Mapping[Lane, int], y: int, step: Step) -> Markup:
    start, end = lanes[step.origin], lanes[step.target]
    towards = 1 if end > start else -1
    tip, at = end - 2 * towards, y + 22
    head = f"{tip},{at} {tip - 9 * towards},{at - 4} {tip - 9 * towards},{at + 4}"
    middle = (start + end) / 2
    return _linked(
        step,
        Markup(
            '<g class="{k}"><line class="hit" x1="{a}" y1="{h}" x2="{b}" y2="{h}"/>'
            '<line x1="{a}" y1="{y}" x2="{e}" y2="{y}"/><polygon points="{p}"/>{t}</g>'
        ).format(
            k=_classes(step, "arrow"),
            a=start,
            b=end,
            e=tip - 8 * towards,
            h=y + 16,
            y=at,
            p=head,
            t=_text(middle, at - 6, _cut(step.text, _LONGEST), "said", "middle"),
        ),
    )


def _note(lanes: Mapping[Lane, int], y: int, step: Step) -> Markup:
    text, detail = _cut(step.text, _LONGEST_NOTE), _cut(step.detail, _LONGEST_NOTE)
    width = min(max(len(text), len(detail)) * 6.6 + 24, 246)
    x, height = lanes[step.target], 38 if detail else 24
    box = Markup('<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="7"/>').format(
        x=x - width / 2, y=y + 4, w=width, h=height
    )
    first = _text(x, y + 20, text, "word", "middle")
    second = _text(x, y + 35, detail, "because", "middle") if detail else Markup()
    inner = Markup('<g class="{}">{}{}{}</g>').format(
        escape(_classes(step, "note")), box, first, second
    )
    return _linked(step, inner)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def told(steps: Sequence[Step]) -> Iterator[tuple[Step, str]]:
    """The same in words: each step, and who said it to whom."""
    for step in steps:
        if step.origin == step.target:
            yield step, _NAMES[step.target]
        else:
            yield step, f"{_NAMES[step.origin]} to {_NAMES[step.target]}"
