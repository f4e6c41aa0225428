"""What happened around one application, as a sequence: the client, Plivo and the webhook, each with
a line of its own, and simulated time that runs down.

Time is not drawn to scale: what happens at one instant stands close together, and what lies between
two instants is written, however long it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from markupsafe import Markup, escape

from plivo_sim.domain.durations import span_of

Lane = Literal["client", "plivo", "webhook"]

MOST_STEPS = 120
"""Of a longer story the first few and the last are drawn."""
FIRST = 10
WIDTH = 620
_TIMES = 106
"""Where the column of times ends."""
_X: dict[Lane, int] = {"client": 134, "plivo": 346, "webhook": 558}
_NAMES: dict[Lane, str] = {"client": "client", "plivo": "Plivo", "webhook": "your webhook"}
_HEAD, _ARROW, _NOTE, _GAP = 40, 30, 46, 26
"""Heights of the names, an arrow, a note, and a time in between."""
_LONGEST, _LONGEST_NOTE = 30, 33
"""Characters that have room on an arrow, and in a note."""


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


def draw(steps: Sequence[Step], now: datetime, label: str, receiver: str = "") -> Markup:
    """The picture, in the order of ``steps``; what is to come stands below a line that says
    ``now``. ``label``: what it is called where it is read aloud; ``receiver``: who the webhook is,
    if not the client's."""
    rows, y = [], _HEAD
    before: datetime | None = None
    passed_now = False
    kept, left_out = _bounded(steps)
    for index, step in enumerate(kept):
        if step.is_to_come and not passed_now:
            passed_now = True
            rows.append(_now(y, now))
            y, before = y + _GAP, max(now, before or now)
        if left_out and index == FIRST:
            rows.append(_text(_X["plivo"], y + 17, f"… and {left_out:,} more", "dim", "middle"))
            y, before = y + _GAP, None
        if before is not None and (step.at - before).total_seconds() >= 1:
            rows.append(_gap(y, before, step.at))
            y += _GAP
        is_first = before is None or step.at.date() != before.date()
        if before is None or step.at != before:
            rows.append(_time(y, step.at, is_first))
        before = step.at
        rows.append(_note(y, step) if step.origin == step.target else _arrow(y, step))
        y += _NOTE if step.origin == step.target else _ARROW
    if not passed_now:
        rows.append(_now(y, now))
        y += _GAP
    height = y + 8
    lines = Markup().join(_lane(lane, height, receiver) for lane in _X)
    has_links = any(each.href for each in kept)
    return Markup(
        '<svg class="sequence" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" '
        'width="{w}" height="{h}" role="{role}" aria-label="{label}">{lines}{rows}</svg>'
    ).format(
        w=WIDTH,
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


def _lane(lane: Lane, height: int, receiver: str) -> Markup:
    x, name = _X[lane], (lane == "webhook" and receiver) or _NAMES[lane]
    return Markup(
        '<g><line class="lane" x1="{x}" y1="30" x2="{x}" y2="{h}"/>'
        '<text class="name" x="{x}" y="20" text-anchor="middle">{name}</text></g>'
    ).format(x=x, h=height, name=name)


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> Markup:
    return Markup('<text class="{k}" x="{x}" y="{y}" text-anchor="{a}">{t}</text>').format(
        k=kind, x=x, y=y, a=anchor, t=text
    )


def _time(y: int, at: datetime, with_day: bool) -> Markup:
    """The instant, to the millisecond where it is not a whole second; a new day is named."""
    shown = f"{at:%H:%M:%S}" + (f".{at.microsecond // 1000:03d}" if at.microsecond else "")
    day = _text(_TIMES, y + 11, f"{at:%Y-%m-%d}", "at", "end") if with_day else Markup()
    return day + _text(_TIMES, y + 24, shown, "at", "end")


def _gap(y: int, before: datetime, at: datetime) -> Markup:
    span = span_of(at - before)
    for long, short in (("hour", "h"), ("minute", "min"), ("second", "s")):
        span = span.replace(f"{long}s", short).replace(long, short)
    told = _text(_TIMES, y + 17, f"{span} later", "dim", "end")
    lines = Markup().join(
        Markup('<line class="gap" x1="{x}" y1="{a}" x2="{x}" y2="{b}"/>').format(
            x=x, a=y + 3, b=y + _GAP - 3
        )
        for x in _X.values()
    )
    return told + lines


def _now(y: int, now: datetime) -> Markup:
    line = Markup('<line class="now" x1="{x}" y1="{y}" x2="{w}" y2="{y}"/>').format(
        x=_TIMES + 8, y=y + 13, w=WIDTH - 8
    )
    return line + _text(_TIMES, y + 17, f"now, {now:%H:%M:%S}", "at", "end")


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


def _arrow(y: int, step: Step) -> Markup:
    start, end = _X[step.origin], _X[step.target]
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


def _note(y: int, step: Step) -> Markup:
    text, detail = _cut(step.text, _LONGEST_NOTE), _cut(step.detail, _LONGEST_NOTE)
    width = min(max(len(text), len(detail)) * 6.6 + 24, 246)
    x, height = _X[step.target], 38 if detail else 24
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
