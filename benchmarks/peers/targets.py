"""The targets of the project, each with what this run says about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.peers.book import Book
from benchmarks.peers.own import FLOOR, OURS

PYTHON_PEERS = ("moto", "localstripe")
MANY, FEW = 100_000, 100
KINDS_OF_ROW = ("page", "filtered page", "last page", "get", "create")


@dataclass(frozen=True)
class Target:
    """``met`` is None where this run does not say."""

    what: str
    wanted: str
    measured: str
    met: bool | None

    @property
    def verdict(self) -> str:
        return {True: "met", False: "missed", None: "–"}[self.met]


def targets(book: Book) -> list[Target]:
    """Ratios within this run; those that other scripts measure name them."""
    return [
        _at_most("start to first answer", 1.25, book.ratio("start", OURS, FLOOR), "× bare Flask"),
        _fastest_start(book),
        _at_most("first record, beyond the tenth", 10, _beyond_ms(book), "ms"),
        *_rates(book, "get", 0.85),
        _ahead_of_python(book),
        *_rates(book, "create", 0.75),
        *_p99s(book),
        *_growth(book),
        _at_most(
            "advance over 10,000 due reviews (no callbacks)", 1.0, _seconds(book, "advance"), "s"
        ),
        _at_most("restart with 100,000 (drafts)", 3.0, _restart_s(book), "s"),
        *(Target(what, wanted, f"see {script}", None) for what, wanted, script in ELSEWHERE),
    ]


ELSEWHERE = (
    ("reset; snapshot mark; restore, at 10,000 (in process)", "≤ 1; ≤ 2; ≤ 20 ms", "store.py"),
    ("memory after 100,000 requests that store nothing", "as before", "fuzz.py"),
    ("advance over 10,000 due reviews (memory transport)", "≤ 1 s", "scale.py"),
    ("memory an application with end user and two documents", "≤ 5 kB", "store.py"),
    ("reopening 100,000 applications with end user and two documents", "≤ 3 s", "store.py"),
    ("GET and create against bare Flask, layer by layer", "the profile", "hot_path.py"),
)


def _at_most(what: str, limit: float, value: float | None, unit: str) -> Target:
    return _judged(what, f"≤ {limit:g} {unit}", value, unit, lambda found: found <= limit)


def _at_least(what: str, limit: float, value: float | None, unit: str) -> Target:
    return _judged(what, f"≥ {limit:g} {unit}", value, unit, lambda found: found >= limit)


def _judged(
    what: str, wanted: str, value: float | None, unit: str, good: Callable[[float], bool]
) -> Target:
    if value is None:
        return Target(what, wanted, "not measured", None)
    return Target(what, wanted, f"{value:.2f} {unit}", good(value))


def _fastest_start(book: Book) -> Target:
    peers = {who: book.median("start", who) for who in book.names if who not in (FLOOR, OURS)}
    found = {who: value for who, value in peers.items() if value is not None}
    ours = book.median("start", OURS)
    what, wanted = "start, against every peer", "no slower"
    if ours is None or not found:
        return Target(what, wanted, "not measured", None)
    best = min(found, key=lambda who: found[who])
    return Target(what, wanted, f"{ours / found[best]:.2f} × {best}", ours <= found[best])


def _beyond_ms(book: Book) -> float | None:
    """How much longer the first create takes than one later on."""
    first, later = (book.median(f"{each} create", OURS) for each in ("first", "later"))
    return first - later if first is not None and later is not None else None


def _rates(book: Book, operation: str, least: float) -> list[Target]:
    shown = []
    for connections in (8, 32):
        key, what = f"{operation} {connections} rate", f"{operation}, {connections} connections"
        shown.append(_at_least(what, least, book.ratio(key, OURS, FLOOR), "× bare Flask"))
    emulate = book.ratio(f"{operation} 32 rate", OURS, "emulate")
    told = "not measured" if emulate is None else f"{emulate:.2f} × emulate"
    return [*shown, Target(f"{operation}, 32 connections", "an aim: 1 × emulate", told, None)]


def _ahead_of_python(book: Book) -> Target:
    ratios = {who: book.ratio("get 32 rate", OURS, who) for who in PYTHON_PEERS}
    found = {who: ratio for who, ratio in ratios.items() if ratio is not None}
    what, wanted = "get, 32 connections", "ahead of every Python peer"
    if not found:
        return Target(what, wanted, "not measured", None)
    nearest = min(found, key=lambda who: found[who])
    return Target(what, wanted, f"{found[nearest]:.2f} × {nearest}", found[nearest] > 1)


def _p99s(book: Book) -> list[Target]:
    return [
        _at_most(
            f"p99 of {each}, 32 connections", 1.5,
            book.ratio(f"{each} 32 p99", OURS, FLOOR), "× bare Flask",
        )
        for each in ("get", "create")
    ]  # fmt: skip


def _growth(book: Book) -> list[Target]:
    return [
        _at_most(f"{each} at 100,000 records", 1.3, book.growth(each, OURS, MANY, FEW), "× at 100")
        for each in KINDS_OF_ROW
    ]


def _seconds(book: Book, key: str) -> float | None:
    value = book.median(key, OURS)
    if value is None or "10,000" not in book.rows[key].label:
        return None
    return value / 1000


def _restart_s(book: Book) -> float | None:
    value = book.median("restart", OURS)
    if value is None or "100,000" not in book.rows["restart"].label:
        return None
    return value / 1000
