"""Answers for people: tables, lists of values, instants."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

GAP = "  "


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Columns under their heads; ``none`` when there is no row."""
    cells = [[cell(each) for each in row] for row in rows]
    if not cells:
        return "none"
    lines = [[head.upper() for head in heads], *cells]
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    return "\n".join(
        GAP.join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def values(pairs: Iterable[tuple[str, object]]) -> str:
    """Names and values, one a line, the values in one column."""
    shown = [(name, cell(value)) for name, value in pairs]
    width = max(len(name) for name, _ in shown)
    return "\n".join(f"{name.ljust(width)}{GAP}{text}" for name, text in shown)


def cell(value: object) -> str:
    """A value on one line: ``-`` for nothing, and nothing that would drive a terminal."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "".join(c if c.isprintable() else " " for c in str(value))


def instant(text: Any) -> str:
    """``2026-01-05T09:00:00.000000Z`` as people read it: UTC, to the second."""
    return "" if text is None else str(text)[:19].replace("T", " ")
