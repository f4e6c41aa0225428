"""The rules of a scenario as a flow: from the top down in the order in which they are asked, each
with its conditions, how often it decided and nearly did, and what it decides."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from plivo_sim.machines.drawing import escaped

WIDTH, BOX, OUT = 660, 370, 210
"""Of the picture, of a box of conditions, and of an outcome beside it."""
LINE, PAD, GAP = 17, 10, 34
LETTERS, OUT_LETTERS = 50, 24
"""In a line of a box, of an outcome."""
MOST_BOXES, MOST_LINES = 40, 5


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


def draw(boxes: Sequence[Asked], title: str) -> Markup:
    """The last box is what decides if nothing else did: it has no way on. SVG."""
    shown, left = list(boxes), 0
    if len(shown) > MOST_BOXES:
        left = len(shown) - MOST_BOXES
        shown = [*shown[: MOST_BOXES - 1], shown[-1]]
    parts: list[str] = []
    y = 40.0
    for index, box in enumerate(shown):
        last = index == len(shown) - 1
        skipped = left if last else 0
        if index:
            parts += _way_on(y - GAP, "else", skipped, box.mark)
        height = _height(box)
        parts += _box(box, y, height)
        y += height + GAP
    height = y - GAP + 12
    described = f"{len(boxes)} things are asked in order. " + " ".join(map(_sentence, shown))
    head = (
        f'<svg class="flow" viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" height="{height:g}"'
        f' role="img" aria-labelledby="flow-title flow-desc">'
        f'<title id="flow-title">{escaped(title)}</title>'
        f'<desc id="flow-desc">{escaped(described)}</desc>'
        '<defs><marker id="flow-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="10"'
        ' markerHeight="10" markerUnits="userSpaceOnUse" orient="auto">'
        '<path class="tip" d="M0 0L8 4L0 8z"/></marker></defs>'
        f'<circle class="start" cx="{BOX / 2}" cy="8" r="6"/>'
        f'<text class="small" x="{BOX / 2 + 14}" y="13">a submission</text>'
        f'<path class="way" marker-end="url(#flow-tip)" d="M{BOX / 2} 15V38"/>'
    )
    return Markup(f"{head}{''.join(parts)}</svg>")  # noqa: S704 (all texts are escaped)


def _lines(box: Asked) -> list[str]:
    told = [line for each in box.conditions for line in textwrap.wrap(each, LETTERS)]
    if len(told) > MOST_LINES:
        told = [*told[:MOST_LINES], f"… and {len(told) - MOST_LINES} more lines"]
    return told


def _outcome(box: Asked) -> list[str]:
    lines = textwrap.wrap(box.outcome, OUT_LETTERS)
    return lines if len(lines) <= 3 else [*lines[:2], "…"]


def _height(box: Asked) -> float:
    lines = 1 + len(_lines(box)) + bool(box.counts)
    return 2 * PAD + LINE * max(lines, len(_outcome(box)))


def _box(box: Asked, y: float, height: float) -> Iterator[str]:
    name = textwrap.shorten(box.name, LETTERS - 6, placeholder="…")
    yield f'<g class="asked {box.mark}">'
    yield f'<rect class="box" x="1" y="{y:g}" width="{BOX - 2}" height="{height:g}" rx="8"/>'
    yield _text("name", PAD + 2, y + PAD + 12, name)
    for index, line in enumerate(_lines(box), 1):
        yield _text("small", PAD + 2, y + PAD + 12 + LINE * index, line)
    if box.counts:
        yield _text("counts", PAD + 2, y + height - PAD, box.counts)
    lines = _outcome(box)
    middle, high = y + height / 2, 2 * PAD + LINE * len(lines) - 4
    left = WIDTH - OUT
    yield f'<path class="way" marker-end="url(#flow-tip)" d="M{BOX} {middle:g}H{left - 2}"/>'
    yield (
        f'<rect class="out {box.tone}" x="{left}" y="{middle - high / 2:g}" width="{OUT - 1}"'
        f' height="{high:g}" rx="8"/>'
    )
    for index, line in enumerate(lines):
        at = middle - high / 2 + PAD + 11 + LINE * index
        yield _text(f"out {box.tone}", left + PAD, at, line)
    yield "</g>"


def _text(kind: str, x: float, y: float, text: str) -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{escaped(text)}</text>'


def _way_on(y: float, word: str, skipped: int, mark: str) -> Iterator[str]:
    middle = BOX / 2
    told = f"{word} … {skipped} more rules are not drawn" if skipped else word
    yield f'<path class="way" marker-end="url(#flow-tip)" d="M{middle:g} {y:g}V{y + GAP - 2:g}"/>'
    yield _text("small", middle + 8, y + GAP / 2 + 4, told)


def _sentence(box: Asked) -> str:
    when = "; ".join(box.conditions) or "always"
    counts = f" ({box.counts})" if box.counts else ""
    return f"{box.name}, if {when}: {box.outcome}{counts}."
