"""Measure plivo-sim, a bare Flask app on the same server, and other fake services, side by side.

    python -m benchmarks.peers [--quick] [--only NAME ...] [--phase NAME ...]

Peers are installed into the user's cache at fixed versions; each that cannot be is left out and
the table says why. In each phase the candidates take turns, so that what else the machine does
falls on all of them; the tables show medians and ratios of one run. 127.0.0.1 only. At most
12 minutes, 3 with --quick (installing aside). A full run of everything writes
benchmarks/results/peers.json and peers.md and docs/performance-records.svg.
"""

from __future__ import annotations

import argparse
import dataclasses
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.peers.book import Book
from benchmarks.peers.calls import Lacks
from benchmarks.peers.candidates import chosen
from benchmarks.peers.install import cache_folder, ensure
from benchmarks.peers.own import Candidate
from benchmarks.peers.phases import (
    Bench,
    Plan,
    measure_load,
    measure_records,
    measure_reviews,
    measure_start,
)
from benchmarks.peers.plot import write_plot
from benchmarks.peers.report import about_run, print_report, save
from benchmarks.peers.story import measure_story

ROOT = Path(__file__).resolve().parents[2]
PHASES: dict[str, Callable[[Bench], None]] = {
    "story": measure_story,
    "start": measure_start,
    "load": measure_load,
    "reviews": measure_reviews,
    "records": measure_records,
}
FULL_S, QUICK_S = 11 * 60, 160
QUICK = Plan(
    rounds=1, seconds=1, sizes=(100, 2_000), fill_budget_s=5, slot_s=0.1, reviews=1_000
)  # fmt: skip


def main(arguments: list[str] | None = None) -> Book:
    """Run what the command line asks for; the book of it."""
    given = _parser().parse_args(arguments)
    try:
        candidates = chosen(given.only)
    except ValueError as error:
        raise SystemExit(str(error)) from None
    plan = _plan(given)
    about = about_run(candidates, _told(plan))
    book = Book([each.name for each in candidates])
    installed = _installed(book, candidates, given.cache)
    limit_s = QUICK_S if given.quick else FULL_S
    plan = dataclasses.replace(plan, ends_s=time.monotonic() + limit_s)
    bench = Bench(book, plan, installed)
    for name in given.phase or PHASES:
        if time.monotonic() > plan.ends_s:
            print(f"no time is left for: {name}", file=sys.stderr)
            continue
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        PHASES[name](bench)
    print_report(book, about)
    whole = not (given.quick or given.only or given.phase or given.records)
    if folder := given.out or (ROOT / "benchmarks" / "results" if whole else None):
        save(folder, book, candidates, about)
        write_plot((given.out or ROOT / "docs") / "performance-records.svg", book, plan.sizes)
    return book


def _parser() -> argparse.ArgumentParser:
    about = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--quick", action="store_true", help="one round, fewer records")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="and bare Flask")
    parser.add_argument("--phase", nargs="+", choices=PHASES, help="some of the phases")
    parser.add_argument("--records", type=int, metavar="N", help="at most so many")
    parser.add_argument("--rounds", type=int, metavar="N")
    parser.add_argument("--seconds", type=float, help="of each load; under 1 without wrk")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write the results there")
    parser.add_argument("--cache", type=Path, default=cache_folder(), metavar="DIR")
    return parser


def _plan(given: argparse.Namespace) -> Plan:
    plan = QUICK if given.quick else Plan()
    changes = {"rounds": given.rounds, "seconds": given.seconds}
    plan = dataclasses.replace(plan, **{name: value for name, value in changes.items() if value})
    if given.records:
        smaller = (size for size in plan.sizes if size < given.records)
        reviews = min(plan.reviews, given.records)
        plan = dataclasses.replace(plan, sizes=(*smaller, given.records), reviews=reviews)
    return plan


def _told(plan: Plan) -> dict[str, object]:
    told = dataclasses.asdict(plan)
    del told["ends_s"]
    return told


def _installed(
    book: Book, candidates: list[Candidate], cache: Path
) -> list[tuple[Candidate, Path]]:
    """Those that can run here; the book is told why the others cannot."""
    found = []
    for each in candidates:
        try:
            each.check()
            found.append((each, ensure(each.package, cache) if each.package else ROOT))
        except Lacks as error:
            book.absent[each.name] = str(error)
    return found


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers are ended
    main()
