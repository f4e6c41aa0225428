"""Where the boxes and lines of a picture stand: a small layered layout, top to bottom. Pure.

Statuses stand in every second row, labels of arrows in the rows between. An arrow that passes rows
has a place of its own in each, so no line goes through a box; boxes of one row stand apart, and
rows do not touch: no two boxes overlap, whatever the machine. The same input gives the same output.

The steps are the usual ones (Sugiyama and others, 1981): circles are cut, each status gets a level,
the order in a row comes from the mean place of the neighbours, and the exact places are the nearest
to that which keep the order and the distance (pool adjacent violators).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

Size = tuple[float, float]
"""Width and height, in pixels, as everything here."""
Point = tuple[float, float]

APART = 22.0
"""Between two boxes of a row."""
LINE_WIDTH = 14.0
"""What a line that passes a row needs of it."""
PORTS = 24.0
"""Between two lines at a box, if it is wide enough."""
NEAR, FAR, SLOPE = 28.0, 120.0, 0.18
"""Between two rows: so much at least and at most, by how far a line goes sideways."""
SORTING, SETTLING, MOST_WORK = 24, 20, 60_000
"""In how many rounds rows are ordered, and cells moved towards their neighbours; and how many cells
all rounds may look at: large pictures get fewer rounds."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; ``x`` and ``y`` are its middle."""

    x: float
    y: float
    width: float
    height: float

    def overlaps(self, other: Box) -> bool:
        """Whether they have a point in common."""
        return (
            2 * abs(self.x - other.x) < self.width + other.width
            and 2 * abs(self.y - other.y) < self.height + other.height
        )


@dataclass(frozen=True, slots=True)
class Layout:
    """``boxes``: of the nodes; ``labels`` and ``lines``: of the edges. A line's points are taken in
    pairs: within a pair it is straight, and curved from one pair to the next."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    labels: tuple[Box, ...]
    lines: tuple[tuple[Point, ...], ...]


@dataclass(eq=False, slots=True)
class _Cell:
    """What takes up a place in a row: a node, a label, or a line that passes."""

    row: int
    size: Size
    x: float = 0.0
    ups: list[_Cell] = field(default_factory=list)
    downs: list[_Cell] = field(default_factory=list)


def lay_out(
    nodes: Sequence[Size], edges: Sequence[tuple[int, int]], labels: Sequence[Size]
) -> Layout:
    """Places for nodes of these sizes and the edges between them (from, to: places in ``nodes``),
    each with a label of its size. The first node is the top one, and leads to all others."""
    levels = _levels(len(nodes), edges)
    cells = [_Cell(2 * level, size) for level, size in zip(levels, nodes, strict=True)]
    rows: list[list[_Cell]] = [[] for _ in range(2 * max(levels) + 1)]
    for cell in cells:
        rows[cell.row].append(cell)
    ways, texts = [], []
    for (origin, target), size in zip(edges, labels, strict=True):
        high, low = sorted((cells[origin], cells[target]), key=lambda cell: cell.row)
        way = [high, *(_Cell(row, (LINE_WIDTH, 0.0)) for row in range(high.row + 1, low.row)), low]
        texts.append(way[(len(way) - 2) // 4 * 2 + 1])  # in a row of labels, near the middle
        texts[-1].size = size
        for above, below in pairwise(way):
            above.downs.append(below)
            below.ups.append(above)
        for cell in way[1:-1]:
            rows[cell.row].append(cell)
        ways.append(way if cells[origin] is high else way[::-1])
    _order(rows)
    _spread(rows)
    tops, bottoms, height = _heights(rows)
    left = min(cell.x - cell.size[0] / 2 for row in rows for cell in row)
    right = max(cell.x + cell.size[0] / 2 for row in rows for cell in row)
    for row in rows:
        for cell in row:
            cell.x -= left

    def box(cell: _Cell) -> Box:
        return Box(cell.x, (tops[cell.row] + bottoms[cell.row]) / 2, *cell.size)

    return Layout(
        width=right - left,
        height=height,
        boxes=tuple(box(cell) for cell in cells),
        labels=tuple(box(cell) for cell in texts),
        lines=tuple(tuple(_points(way, box, tops, bottoms)) for way in ways),
    )


# --- levels ----------------------------------------------------------------------------------


def _levels(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """How far from the top each node stands: below every node that leads to it, where that goes
    without a circle. Edges that would close one go up."""
    following: list[list[int]] = [[] for _ in range(count)]
    for origin, target in edges:
        following[origin].append(target)
    done: list[int] = []
    seen: set[int] = set()
    for start in range(count):
        _visit(start, following, seen, done)
    place = {node: -i for i, node in enumerate(done)}  # the last to be done is the first
    levels = [0] * count
    for node in reversed(done):
        for target in following[node]:
            if place[target] > place[node]:
                levels[target] = max(levels[target], levels[node] + 1)
    return levels


def _visit(start: int, following: list[list[int]], seen: set[int], done: list[int]) -> None:
    """Depth first; ``done`` gets each node after those that it leads to."""
    if start in seen:
        return
    seen.add(start)
    for target in following[start]:
        _visit(target, following, seen, done)
    done.append(start)


def _rounds(rows: list[list[_Cell]], most: int) -> int:
    return max(4, min(most, MOST_WORK // sum(map(len, rows))))


# --- order within the rows -------------------------------------------------------------------


def _order(rows: list[list[_Cell]]) -> None:
    """Few crossings: each cell near the middle of its neighbours, the best of some rounds, begun
    from either side."""
    given = [row.copy() for row in rows]
    best, fewest = given, _crossings(rows)
    for first in (0, 1):
        rows[:] = [row.copy() for row in given]
        for turn in range(first, first + _rounds(rows, SORTING) // 2):
            _sort_all(rows, turn % 2 == 0)
            crossings = _crossings(rows)
            if crossings < fewest:
                best, fewest = [row.copy() for row in rows], crossings
    rows[:] = best


def _sort_all(rows: list[list[_Cell]], down: bool) -> None:
    if down:
        for above, row in pairwise(rows):
            _sort(row, above, lambda cell: cell.ups)
    else:
        for below, row in pairwise(rows[::-1]):
            _sort(row, below, lambda cell: cell.downs)


def _sort(
    row: list[_Cell], beside: list[_Cell], neighbours: Callable[[_Cell], list[_Cell]]
) -> None:
    place = {id(cell): i for i, cell in enumerate(beside)}
    own = {id(cell): i for i, cell in enumerate(row)}

    def wanted(cell: _Cell) -> float:
        found = [place[id(each)] for each in neighbours(cell)]
        return sum(found) / len(found) if found else own[id(cell)]

    row.sort(key=wanted)


def _crossings(rows: list[list[_Cell]]) -> int:
    count = 0
    for row, below in pairwise(rows):
        place = {id(cell): i for i, cell in enumerate(below)}
        passed: list[int] = []
        for cell in row:
            ends = sorted(place[id(each)] for each in cell.downs)
            count += sum(len(passed) - bisect_left(passed, end + 1) for end in ends)
            for end in ends:
                insort(passed, end)
    return count


# --- places ----------------------------------------------------------------------------------


def _spread(rows: list[list[_Cell]]) -> None:
    """Give each cell its ``x``: near its neighbours, in order, and apart."""
    for row in rows:
        _place(row, [0.0] * len(row))
    rounds = _rounds(rows, SETTLING)
    for turn in range(rounds):
        down = turn % 2 == 0
        for row in rows if down else rows[::-1]:
            _place(row, [_wanted(cell, down, 3 * turn >= rounds) for cell in row])


def _wanted(cell: _Cell, down: bool, both: bool) -> float:
    beside = cell.ups + cell.downs if both else cell.ups if down else cell.downs
    return sum(each.x for each in beside) / len(beside) if beside else cell.x


def _place(row: list[_Cell], wanted: list[float]) -> None:
    """The nearest places to those wanted, in order and apart."""
    offsets = [0.0]
    for one, other in pairwise(row):
        offsets.append(offsets[-1] + (one.size[0] + other.size[0]) / 2 + APART)
    blocks: list[tuple[float, float, int]] = []  # mean, weight, how many
    for cell, x, offset in zip(row, wanted, offsets, strict=True):
        mean, weight, count = x - offset, _weight(cell), 1
        while blocks and blocks[-1][0] > mean:
            other_mean, other_weight, other_count = blocks.pop()
            total = weight + other_weight
            mean = (mean * weight + other_mean * other_weight) / total
            weight, count = total, count + other_count
        blocks.append((mean, weight, count))
    means = [mean for mean, _, count in blocks for _ in range(count)]
    for cell, mean, offset in zip(row, means, offsets, strict=True):
        cell.x = mean + offset


def _weight(cell: _Cell) -> float:
    """Lines that pass are straight before others are."""
    return 8.0 if len(cell.ups) == len(cell.downs) == 1 and not cell.size[1] else 1.0


def _heights(rows: list[list[_Cell]]) -> tuple[list[float], list[float], float]:
    """Top and bottom of each row, and the height of all."""
    tops, bottoms, y = [], [], 0.0
    for row in rows:
        tops.append(y)
        y += max((cell.size[1] for cell in row), default=0.0)
        bottoms.append(y)
        sideways = max((abs(cell.x - each.x) for cell in row for each in cell.downs), default=0.0)
        y += min(FAR, max(NEAR, SLOPE * sideways))
    return tops, bottoms, bottoms[-1]


# --- lines -----------------------------------------------------------------------------------


def _points(
    way: list[_Cell], box: Callable[[_Cell], Box], tops: list[float], bottoms: list[float]
) -> Iterable[Point]:
    """From the first box of a way to its last, row by row."""
    down = way[0].row < way[-1].row
    for place, cell in enumerate(way):
        first, last = place == 0, place == len(way) - 1
        shape = box(cell)
        enter, leave = (tops, bottoms) if down else (bottoms, tops)
        half = shape.height / 2 if down else -shape.height / 2
        x = cell.x
        if first or last:
            beside = cell.downs if first == down else cell.ups
            x += _port(cell, beside, way[1] if first else way[-2])
        yield x, shape.y + half if first else enter[cell.row]
        yield x, shape.y - half if last else leave[cell.row]


def _port(cell: _Cell, beside: list[_Cell], other: _Cell) -> float:
    """Where a line to another cell leaves a side of a box, from its middle."""
    ordered = sorted(beside, key=lambda each: each.x)
    place = next(i for i, each in enumerate(ordered) if each is other)
    step = min(PORTS, 0.8 * cell.size[0] / len(ordered))
    return (place - (len(ordered) - 1) / 2) * step
