"""The rules of a scenario as a flow: from the top down in the order in which they are asked, each
with its conditions, how often it decided and nearly did, and what it decides."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from plivo_sim.machines.drawing import escaped

LINE, PAD, GAP = 17, 10, 34
MOST_BOXES, MOST_LINES = 40, 5


@dataclass(frozen=True, slots=True)
class _Layout:
    """Widths of the picture, of a box of conditions and of an outcome, and how many letters have
    room in a line of these. ``on``: where the ways from box to box run. ``drop``: how far below its
    box an outcome stands; 0 if it stands beside it."""

    kind: str
    width: int
    box: int
    out: int
    letters: int
    out_letters: int
    on: int
    drop: int = 0


_WIDE = _Layout("flow", 660, 370, 210, 50, 24, 185)
_NARROW = _Layout("flow narrow", 324, 324, 270, 42, 32, 24, 24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One thing that is asked, in its turn. ``outcome``: what it decides, and ``tone`` the colour
    of that; ``counts``: how often it did. ``mark``: ``taken``, ``passed`` or nothing."""

    name: str
    conditions: Sequence[str]
    outcome: str
    tone: str = "idle"
    counts: str = ""
    mark: str = ""


def draw(boxes: Sequence[Asked], title: str, *, narrow: bool = False) -> Markup:
    """The last box is what decides if nothing else did: it has no way on. SVG. ``narrow``: for a
    phone, each outcome below its box."""
    layout = _NARROW if narrow else _WIDE
    shown, left = list(boxes), 0
    if len(shown) > MOST_BOXES:
        left = len(shown) - MOST_BOXES
        shown = [*shown[: MOST_BOXES - 1], shown[-1]]
    parts: list[str] = []
    y = start = 40.0
    for index, box in enumerate(shown):
        last = index == len(shown) - 1
        skipped = left if last else 0
        if index:
            parts += _way_on(layout, start, y, skipped)
        start = y + _height(layout, box)
        parts += _box(layout, box, y, start - y)
        y = start + GAP
        if layout.drop:
            y += layout.drop + _out_height(layout, box)
    height = y - GAP + 12
    described = f"{len(boxes)} things are asked in order. " + " ".join(map(_sentence, shown))
    name, on = layout.kind.replace(" ", "-"), layout.on
    head = (
        f'<svg class="{layout.kind}" viewBox="0 0 {layout.width} {height:g}"'
        f' width="{layout.width}" height="{height:g}"'
        f' role="img" aria-labelledby="{name}-title {name}-desc">'
        f'<title id="{name}-title">{escaped(title)}</title>'
        f'<desc id="{name}-desc">{escaped(described)}</desc>'
        f'<defs><marker id="{name}-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="10"'
        ' markerHeight="10" markerUnits="userSpaceOnUse" orient="auto">'
        '<path class="tip" d="M0 0L8 4L0 8z"/></marker></defs>'
        f'<circle class="start" cx="{on}" cy="8" r="6"/>'
        f'<text class="small" x="{on + 14}" y="13">a submission</text>'
        f"{_way(layout, f'M{on} 15V38')}"
    )
    return Markup(f"{head}{''.join(parts)}</svg>")  # noqa: S704 (all texts are escaped)


def _way(layout: _Layout, path: str) -> str:
    tip = f"url(#{layout.kind.replace(' ', '-')}-tip)"
    return f'<path class="way" marker-end="{tip}" d="{path}"/>'


def _lines(layout: _Layout, box: Asked) -> list[str]:
    told = [line for each in box.conditions for line in textwrap.wrap(each, layout.letters)]
    if len(told) > MOST_LINES:
        told = [*told[:MOST_LINES], f"… and {len(told) - MOST_LINES} more lines"]
    return told


def _outcome(layout: _Layout, box: Asked) -> list[str]:
    lines = textwrap.wrap(box.outcome, layout.out_letters)
    return lines if len(lines) <= 3 else [*lines[:2], "…"]


def _height(layout: _Layout, box: Asked) -> float:
    lines = 1 + len(_lines(layout, box)) + bool(box.counts)
    return 2 * PAD + LINE * (lines if layout.drop else max(lines, len(_outcome(layout, box))))


def _out_height(layout: _Layout, box: Asked) -> float:
    return 2 * PAD + LINE * len(_outcome(layout, box)) - 4


def _box(layout: _Layout, box: Asked, y: float, height: float) -> Iterator[str]:
    name = textwrap.shorten(box.name, layout.letters - 6, placeholder="…")
    yield f'<g class="asked {box.mark}">'
    yield f'<rect class="box" x="1" y="{y:g}" width="{layout.box - 2}" height="{height:g}" rx="8"/>'
    yield _text("name", PAD + 2, y + PAD + 12, name)
    for index, line in enumerate(_lines(layout, box), 1):
        yield _text("small", PAD + 2, y + PAD + 12 + LINE * index, line)
    if box.counts:
        yield _text("counts", PAD + 2, y + height - PAD, box.counts)
    lines, high, left = _outcome(layout, box), _out_height(layout, box), layout.width - layout.out
    if layout.drop:
        top = y + height + layout.drop
        yield _way(layout, f"M{left + layout.out / 2:g} {y + height:g}V{top - 2:g}")
    else:
        top = y + (height - high) / 2
        yield _way(layout, f"M{layout.box} {y + height / 2:g}H{left - 2}")
    yield (
        f'<rect class="out {box.tone}" x="{left}" y="{top:g}" width="{layout.out - 1}"'
        f' height="{high:g}" rx="8"/>'
    )
    for index, line in enumerate(lines):
        yield _text(f"out {box.tone}", left + PAD, top + PAD + 11 + LINE * index, line)
    yield "</g>"


def _text(kind: str, x: float, y: float, text: str) -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{escaped(text)}</text>'


def _way_on(layout: _Layout, start: float, end: float, skipped: int) -> Iterator[str]:
    """What leads from a box to the next."""
    told = f"else … {skipped} more rules are not drawn" if skipped else "else"
    yield _way(layout, f"M{layout.on} {start:g}V{end - 2:g}")
    yield _text("small", layout.on + 8, end - GAP / 2 + 4, told)


def _sentence(box: Asked) -> str:
    when = "; ".join(box.conditions) or "always"
    counts = f" ({box.counts})" if box.counts else ""
    return f"{box.name}, if {when}: {box.outcome}{counts}."
