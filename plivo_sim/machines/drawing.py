"""Pictures of a machine, as SVG and as Mermaid text. Pure; the same machine gives the same text.

Each status is a box with its name, its words where they are others, and the colour of its tone;
each arrow says who takes it and, if it is taken by itself, after how long. ``counts`` and ``taken``
add how many applications have a status now, and how often an arrow was taken; one that never was is
dotted. No tool is needed (docs/dependencies.md, "Why no library for pictures").
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from plivo_sim.domain.machine import Arrow, Dialect, Machine, StatusRow, Tone, Who
from plivo_sim.machines.layout import Box, Layout, Point, Size, lay_out

Counts = Mapping[str, int]
"""Status -> how many applications have it."""
Taken = Mapping[tuple[str, str], int]
"""The ends of an arrow -> how often it was taken."""
Links = Mapping[str, str]
"""Status -> where a click on it leads."""

MARGIN, START = 24.0, 34.0
"""Around the picture; above it, for the dot at which every application starts."""
TITLE, NAME, SMALL = 18.0, 15.0, 12.0
"""Sizes of letters."""
LINE = 16.0
"""From one line of text to the next."""
_DIALECTS: tuple[Dialect, ...] = ("legacy", "current", "beta", "atoms", "numbers")
_WHO: tuple[Who, ...] = ("client", "reviewer", "time", "hand")
_TONES: tuple[Tone, ...] = ("good", "bad", "wait", "idle")

PALETTES: Mapping[str, Mapping[str, tuple[str, str, str]]] = {
    "light": {
        "page": ("#ffffff", "#d0d7de", "#1f2328"),
        "good": ("#dcfce7", "#15803d", "#14401f"),
        "bad": ("#fee2e2", "#b91c1c", "#5f1414"),
        "wait": ("#fef3c7", "#b45309", "#4d2a06"),
        "idle": ("#eef1f4", "#59636e", "#24292f"),
        "client": ("#ffffff", "#0969da", "#0550ae"),
        "reviewer": ("#ffffff", "#8250df", "#6639ba"),
        "time": ("#ffffff", "#b35900", "#8a4600"),
        "hand": ("#ffffff", "#59636e", "#424a53"),
    },
    "dark": {
        "page": ("#0d1117", "#3d444d", "#f0f6fc"),
        "good": ("#0f2d1a", "#3fb950", "#c3f5cf"),
        "bad": ("#3a1214", "#f85149", "#ffd8d5"),
        "wait": ("#35250a", "#d29922", "#fbe6b0"),
        "idle": ("#1c2128", "#9198a1", "#d9dfe6"),
        "client": ("#0d1117", "#4493f8", "#79c0ff"),
        "reviewer": ("#0d1117", "#ab7df8", "#d2a8ff"),
        "time": ("#0d1117", "#db8b30", "#f0b56a"),
        "hand": ("#0d1117", "#9198a1", "#c3cad2"),
    },
}
"""Fill, line and text of the page, of each tone, and of the arrows of each taker."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A machine with what is written where: ``statuses`` and ``arrows`` have the lines of text of
    each box and label, in the order of ``layout``."""

    machine: Machine
    layout: Layout
    statuses: Mapping[str, tuple[str, ...]]
    arrows: tuple[tuple[Arrow, tuple[str, ...]], ...]


def picture_of(
    machine: Machine, counts: Counts | None = None, taken: Taken | None = None
) -> Picture:
    """What a picture shows, and where."""
    names = sorted(machine.statuses, key=lambda name: name != machine.draft)
    place = {name: i for i, name in enumerate(names)}
    statuses = {name: tuple(_status_lines(machine, name, counts)) for name in names}
    arrows = tuple((arrow, tuple(_arrow_lines(arrow, taken))) for arrow in machine.arrows)
    layout = lay_out(
        [_box_size(lines, machine.statuses[name].ends) for name, lines in statuses.items()],
        [(place[arrow.from_], place[arrow.to]) for arrow in machine.arrows],
        [_label_size(lines) for _, lines in arrows],
    )
    return Picture(machine, layout, statuses, arrows)


# --- texts -----------------------------------------------------------------------------------


def _status_lines(machine: Machine, name: str, counts: Counts | None) -> Iterator[str]:
    row = machine.statuses[name]
    yield name
    yield from _marks(machine, name)
    yield from _other_words(name, row)
    if counts is not None:
        yield f"{counts.get(name, 0)} now"


def _marks(machine: Machine, name: str) -> Iterator[str]:
    if name == machine.submitted:
        yield "what a submission gives"
    if machine.statuses[name].ends:
        yield "end"


def _other_words(name: str, row: StatusRow) -> Iterator[str]:
    """The words that are not its name, each with the APIs that show it."""
    by_word: dict[str, list[str]] = {}
    for dialect in _DIALECTS:
        word = row.word(dialect)
        if word != name and not (dialect == "numbers" and word == row.current):
            by_word.setdefault(word, []).append(dialect)
    for word, dialects in by_word.items():
        yield f"{', '.join(dialects)}: {word}"


def _arrow_lines(arrow: Arrow, taken: Taken | None) -> Iterator[str]:
    yield ", ".join(arrow.takers)
    if arrow.after is not None:
        yield f"after {arrow.after}"
    if arrow.not_before is not None:
        yield f"not before {arrow.not_before}"
    if arrow.event:
        yield f"event {arrow.event}"
    if taken is not None:
        times = taken.get((arrow.from_, arrow.to), 0)
        yield "never taken" if not times else "once" if times == 1 else f"{times} times"


_WIDE, _NARROW = re.compile("[mwMW@%]"), re.compile("[fijlrtI.,:;|!' ]")


def _width(text: str, size: float) -> float:
    """At least how wide a text is drawn, in the sans-serif letters that systems have."""
    wide, narrow = len(_WIDE.findall(text)), len(_NARROW.findall(text))
    return size * (0.63 * len(text) + 0.32 * wide - 0.2 * narrow)


def _box_size(lines: tuple[str, ...], ends: bool) -> Size:
    name, *more = lines
    border = 6.0 if ends else 0.0
    widest = max(_width(name, 1.08 * NAME), *(_width(each, SMALL) for each in more), 60.0)
    return widest + 28 + border, 20 + border + NAME + LINE * len(more)


def _label_size(lines: tuple[str, ...]) -> Size:
    return max(_width(each, SMALL) for each in lines) + 16, 6 + LINE * len(lines)


# --- SVG -------------------------------------------------------------------------------------

_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def escaped(text: str) -> str:
    """A text for XML: what means something there is written as it must be, and letters that XML
    does not have are replaced."""
    return html.escape(_NO_XML.sub("\ufffd", text))


def svg_of(
    machine: Machine,
    counts: Counts | None = None,
    taken: Taken | None = None,
    links: Links | None = None,
) -> str:
    """The picture as SVG: light or dark as the reader has it, no script, nothing from outside.

    With ``links`` it is a part of a page: each status leads somewhere, and the page's own sheet has
    its colours (``.machine``), as the file's own would be one more than a page may have.
    """
    picture = picture_of(machine, counts, taken)
    return "\n".join(_svg(picture, taken, links)) + "\n"


def _svg(picture: Picture, taken: Taken | None, links: Links | None) -> Iterator[str]:
    machine, layout = picture.machine, picture.layout
    title = f"Status machine {machine.name}"
    left, top = MARGIN, MARGIN + TITLE + 14 + START
    width = max(layout.width, _width(title, 1.08 * TITLE)) + 2 * MARGIN
    left += (width - 2 * MARGIN - layout.width) / 2
    height = top + layout.height + MARGIN
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(width)} {_n(height)}" '
        f'width="{_n(width)}" height="{_n(height)}" '
        + ('role="img" ' if links is None else 'role="group" class="machine" ')
        + 'aria-labelledby="machine-title machine-desc">'
    )
    yield f'<title id="machine-title">{escaped(title)}</title>'
    yield f'<desc id="machine-desc">{escaped(" ".join(_sentences(picture)))}</desc>'
    if links is None:
        yield f"<style>{_style()}</style>"
    yield f"<defs>{''.join(map(_head, _WHO))}</defs>"
    yield (
        f'<rect class="page" x="0.5" y="0.5" width="{_n(width - 1)}" height="{_n(height - 1)}" '
        'rx="12"/>'
    )
    yield f'<text class="title" x="{_n(MARGIN)}" y="{_n(MARGIN + TITLE)}">{escaped(title)}</text>'
    yield f'<g transform="translate({_n(left)} {_n(top)})">'
    for (arrow, _), line in zip(picture.arrows, layout.lines, strict=True):
        unused = taken is not None and not taken.get((arrow.from_, arrow.to))
        kind = f"line {arrow.takers[0]}{' never' if unused else ''}"
        yield f'<path class="{kind}" marker-end="url(#to-{arrow.takers[0]})" d="{_path(line)}"/>'
    for (arrow, lines), box in zip(picture.arrows, layout.labels, strict=True):
        yield from _label(arrow, lines, box)
    start = layout.boxes[0]
    yield f'<path class="line hand" marker-end="url(#to-hand)" d="{_path(_start(start))}"/>'
    yield f'<circle class="start" cx="{_n(start.x)}" cy="{_n(_start(start)[0][1])}" r="6"/>'
    for (name, lines), box in zip(picture.statuses.items(), layout.boxes, strict=True):
        drawn = _status(machine.statuses[name], lines, box)
        yield from drawn if links is None else _linked(links[name], lines, drawn)
    yield "</g>"
    yield "</svg>"


def _linked(url: str, lines: tuple[str, ...], drawn: Iterator[str]) -> Iterator[str]:
    yield f'<a href="{escaped(url)}" aria-label="{escaped("; ".join(lines))}">'
    yield from drawn
    yield "</a>"


def _sentences(picture: Picture) -> Iterator[str]:
    """All that the picture shows, to be read aloud."""
    if picture.machine.file.about:
        yield picture.machine.file.about
    for name, lines in picture.statuses.items():
        yield f"Status {'; '.join((name, *lines[1:]))}."
    for arrow, lines in picture.arrows:
        yield f"From {arrow.from_} to {arrow.to}: {'; '.join(lines)}."


def _start(box: Box) -> tuple[Point, Point]:
    top = box.y - box.height / 2
    return (box.x, top - 26), (box.x, top)


def _style() -> str:
    plain = (
        "text{font-family:ui-sans-serif,system-ui,'Segoe UI',Helvetica,Arial,sans-serif;"
        f"font-size:{SMALL:g}px}}.title{{font-size:{TITLE:g}px;font-weight:600}}"
        f".name{{font-size:{NAME:g}px;font-weight:600}}.middle{{text-anchor:middle}}"
        ".box,.inner{stroke-width:1.5}.inner{fill:none}.line{fill:none;stroke-width:1.5}"
        ".never{stroke-dasharray:1.5 5;stroke-linecap:round}"
    )
    dark = "".join(_colours("dark"))
    return f"{plain}{''.join(_colours('light'))}@media (prefers-color-scheme:dark){{{dark}}}"


def _colours(scheme: str) -> Iterator[str]:
    palette = PALETTES[scheme]
    fill, line, text = palette["page"]
    yield f".page{{fill:{fill};stroke:{line}}}.title{{fill:{text}}}.start{{fill:{text}}}"
    for tone in _TONES:
        fill, line, text = palette[tone]
        yield f".{tone} .box{{fill:{fill}}}.{tone} rect{{stroke:{line}}}.{tone} text{{fill:{text}}}"
    for who in _WHO:
        fill, line, text = palette[who]
        yield f".line.{who}{{stroke:{line}}}.label.{who} rect{{fill:{fill}}}"
        yield f".label.{who} text{{fill:{text}}}.head-{who}{{fill:{line}}}"


def _head(who: Who) -> str:
    return (
        f'<marker id="to-{who}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" '
        f'markerHeight="9" markerUnits="userSpaceOnUse" orient="auto">'
        f'<path class="head-{who}" d="M0 0.5L10 5L0 9.5z"/></marker>'
    )


def _path(points: tuple[Point, ...]) -> str:
    parts = [f"M{_at(points[0])}"]
    for place, (one, other) in enumerate(pairwise(points)):
        if _at(one) == _at(other):
            continue  # else it would have a direction, and the head of the arrow too
        if place % 2 == 0:
            parts.append(f"L{_at(other)}")
        else:
            middle = (one[1] + other[1]) / 2
            parts.append(f"C{_at((one[0], middle))} {_at((other[0], middle))} {_at(other)}")
    return "".join(parts)


def _label(arrow: Arrow, lines: tuple[str, ...], box: Box) -> Iterator[str]:
    yield f'<g class="label {arrow.takers[0]}">{_rect("", box, 6)}'
    yield from _texts(lines, box, box.y - box.height / 2 + 3 + 12)
    yield "</g>"


def _status(row: StatusRow, lines: tuple[str, ...], box: Box) -> Iterator[str]:
    yield f'<g class="{row.tone}">{_rect("box", box, 8)}'
    if row.ends:
        yield _rect("inner", Box(box.x, box.y, box.width - 7, box.height - 7), 5)
    top = box.y - box.height / 2 + (3 if row.ends else 0)
    yield _text("name middle", box.x, top + 10 + 0.85 * NAME, lines[0])
    yield from _texts(lines[1:], box, top + 10 + NAME + 13)
    yield "</g>"


def _texts(lines: tuple[str, ...], box: Box, y: float) -> Iterator[str]:
    for place, line in enumerate(lines):
        yield _text("middle", box.x, y + place * LINE, line)


def _text(kind: str, x: float, y: float, text: str) -> str:
    return f'<text class="{kind}" x="{_n(x)}" y="{_n(y)}">{escaped(text)}</text>'


def _rect(kind: str, box: Box, radius: int) -> str:
    named = f' class="{kind}"' if kind else ""
    return (
        f'<rect{named} x="{_n(box.x - box.width / 2)}" y="{_n(box.y - box.height / 2)}" '
        f'width="{_n(box.width)}" height="{_n(box.height)}" rx="{radius}"/>'
    )


def _at(point: Point) -> str:
    return f"{_n(point[0])} {_n(point[1])}"


def _n(value: float) -> str:
    return f"{round(value, 1) + 0.0:g}" if abs(value) < 1e5 else f"{value:.1f}"


# --- Mermaid ---------------------------------------------------------------------------------


def mermaid_of(machine: Machine, counts: Counts | None = None, taken: Taken | None = None) -> str:
    """The picture as a Mermaid state diagram. Colours are those for light pages, where a reader's
    Mermaid takes them."""
    picture = picture_of(machine, counts, taken)
    return "\n".join(_mermaid(picture)) + "\n"


def _mermaid(picture: Picture) -> Iterator[str]:
    machine = picture.machine
    ids = {name: f"s{i}" for i, name in enumerate(picture.statuses)}
    yield "---"
    yield f'title: "Status machine {_plain(machine.name)}"'
    yield "---"
    yield "stateDiagram-v2"
    for name, lines in picture.statuses.items():
        yield f'  state "{"<br/>".join(map(_plain, lines))}" as {ids[name]}'
    yield f"  [*] --> {ids[machine.draft]}"
    for arrow, lines in picture.arrows:
        text = "<br/>".join(map(_plain, lines))
        yield f"  {ids[arrow.from_]} --> {ids[arrow.to]} : {text}"
    for name, row in machine.statuses.items():
        if row.ends:
            yield f"  {ids[name]} --> [*]"
    for tone in _TONES:
        fill, line, text = PALETTES["light"][tone]
        yield f"  classDef {tone} fill:{fill},stroke:{line},color:{text}"
    for name, row in machine.statuses.items():
        yield f"  class {ids[name]} {row.tone}"


def _plain(text: str) -> str:
    """A text for Mermaid: whatever could mean something there is named by its number."""
    return re.sub(r"[^A-Za-z0-9_ .,-]", lambda found: f"#{ord(found[0])};", text)
