"""What a page, a get and a create cost against the number of records, as an SVG by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.book import Book

OPERATIONS = (("page", "a page of 20"), ("get", "get one"), ("create", "create one"))
COLOURS = (
    "#777777", "#0b62c4", "#d1495b", "#e08d1f", "#2a9d5c", "#8e5cc2", "#1a9aa8", "#b5651d",
)  # fmt: skip
WIDTH, HEIGHT = 300, 260  # of a panel's plot
LEFT, TOP, GAP, LEGEND = 56, 40, 60, 64
Point = tuple[float, float]


def write_plot(path: Path, book: Book, sizes: Sequence[int]) -> None:
    path.write_text(svg(book, sizes))


def svg(book: Book, sizes: Sequence[int]) -> str:
    """Three panels on logarithmic axes, one line a candidate."""
    curves = {
        key: {who: _points(book, key, who, sizes) for who in book.names} for key, _ in OPERATIONS
    }
    costs = [ms for each in curves.values() for points in each.values() for _, ms in points]
    low, high = _decades(costs or [1])
    total_width = LEFT + len(OPERATIONS) * (WIDTH + GAP)
    total_height = TOP + HEIGHT + 36 + LEGEND
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total_width} {total_height}"'
        ' font-family="sans-serif" font-size="12" role="img"'
        ' aria-label="Milliseconds against number of records">',
        f'<rect width="{total_width}" height="{total_height}" fill="#ffffff"/>',
    ]
    for n, (key, title) in enumerate(OPERATIONS):
        left = LEFT + n * (WIDTH + GAP)
        parts += _panel(left, title, sizes, (low, high))
        for who, points in curves[key].items():
            parts += _curve(left, points, sizes, (low, high), _colour(book, who))
    parts += _legend(book, TOP + HEIGHT + 52)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _points(book: Book, key: str, who: str, sizes: Sequence[int]) -> list[Point]:
    found = ((size, book.median(f"{key}@{size}", who)) for size in sizes)
    return [(float(size), ms) for size, ms in found if ms]


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _x(left: float, size: float, sizes: Sequence[int]) -> float:
    span = math.log10(sizes[-1] / sizes[0]) or 1
    return left + WIDTH * math.log10(size / sizes[0]) / span


def _y(ms: float, low: int, high: int) -> float:
    return TOP + HEIGHT * (high - math.log10(ms)) / (high - low)


def _panel(left: float, title: str, sizes: Sequence[int], decades: tuple[int, int]) -> list[str]:
    middle = left + WIDTH / 2
    parts = [f'<text x="{middle}" y="{TOP - 16}" text-anchor="middle">{title}, ms</text>']
    for power in range(decades[0], decades[1] + 1):
        y = _y(10**power, *decades)
        parts.append(f'<path d="M{left} {y:.1f}h{WIDTH}" stroke="#dddddd"/>')
        parts.append(
            f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g}</text>'
        )
    for size in sizes:
        x = _x(left, size, sizes)
        parts.append(f'<path d="M{x:.1f} {TOP}v{HEIGHT}" stroke="#eeeeee"/>')
        parts.append(
            f'<text x="{x:.1f}" y="{TOP + HEIGHT + 18}" text-anchor="middle">{size:,}</text>'
        )
    return parts


def _curve(
    left: float, points: Sequence[Point], sizes: Sequence[int], decades: tuple[int, int], ink: str
) -> list[str]:
    places = [(_x(left, size, sizes), _y(ms, *decades)) for size, ms in points]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return [
        f'<polyline points="{line}" fill="none" stroke="{ink}" stroke-width="2"/>',
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{ink}"/>' for x, y in places),
    ]


def _legend(book: Book, y: float) -> list[str]:
    parts = []
    for n, who in enumerate(book.names):
        x = LEFT + n * 120
        parts.append(f'<circle cx="{x}" cy="{y - 4}" r="5" fill="{_colour(book, who)}"/>')
        parts.append(f'<text x="{x + 10}" y="{y}">{who}</text>')
    return [*parts, f'<text x="{LEFT}" y="{y + 22}" fill="#555555">against the number of records; '
            "both axes logarithmic; one connection</text>"]  # fmt: skip


def _colour(book: Book, who: str) -> str:
    return COLOURS[book.names.index(who) % len(COLOURS)]
