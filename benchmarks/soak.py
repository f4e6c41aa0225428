"""Mixed load over every API with faults on, for as long as you like: does the server's memory grow?

    python benchmarks/soak.py --minutes 30
    python benchmarks/soak.py --minutes 2 --descriptors 128 --crowd 200

Starts ``plivo-sim serve`` with a state directory on a free port of 127.0.0.1, lets ``--users``
clients work in it (and callbacks go to a receiver that sometimes fails or hangs), and prints a line
every minute: calls, outcomes, latency, memory, file descriptors, threads. Exits 1 when memory grows
by more than ``--most-growth`` MB a minute in the last third (a leak shows there too, while buffers,
caches and the allocator's arenas are full by then), when descriptors or threads are more there than
in the third before, or when a call was answered 500 that no fault asked for.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.soak import load as soak
from tests.torture.nursery import Server, open_nursery

HEADINGS = ("minute", "calls", "p50 ms", "p99 ms", "memory MB", "descriptors", "threads")
SLACK = 8
"""Descriptors and threads by which two thirds of a run may differ at their highest: a client
more or less that has just gone."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--users", type=int, default=8)
    parser.add_argument("--most-growth", type=float, default=0.5, metavar="MB_A_MINUTE")
    parser.add_argument("--descriptors", type=int, help="how many the server may have")
    parser.add_argument("--crowd", type=int, default=0, help="connections that do nothing")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="plivo-sim-soak-") as folder:
        log = Path(folder, "server.log")
        with open_nursery(log) as nursery:
            state = Path(folder, "state")
            server = Server(nursery, state, *soak.OPTIONS, descriptors=given.descriptors)
            before = soak.sample(server.pid)
            with soak.crowd(server.url, given.crowd):
                samples, measured, callbacks = soak.soak(
                    server.url, server.pid, given.minutes * 60, given.users
                )
            after = soak.at_rest(server.pid, before.fds + len(soak.ACCOUNTS) + given.users)
        written = log.read_text().splitlines()
        complaints = [line for line in written if "Traceback" in line]
        print(f"log: {sum(map(len, written)) / 1e6:.1f} MB, "
              f"{sum('no room' in line for line in written)} lines of no room")  # fmt: skip
    _print_minutes(samples, measured)
    told = ", ".join(f"{name}: {count}" for name, count in sorted(measured.outcomes.items()))
    print(f"\n{measured.outcomes.total()} calls ({told}), {callbacks} callbacks received")
    for name, each in (("before", before), ("at rest", after)):
        print(f"{name}: {each.rss_mb:.1f} MB, {each.fds} descriptors, {each.threads} threads")
    return _judge(samples, measured, complaints, given.most_growth)


def _print_minutes(samples: list[soak.Sample], measured: soak.Measured) -> None:
    print(" ".join(f"{heading:>11}" for heading in HEADINGS))
    for minute in range(int(samples[-1].at_s // 60) + 1):
        took_ms = [took * 1000 for at, took in measured.took_s if at // 60 == minute]
        then = [each for each in samples if each.at_s // 60 == minute]
        if len(took_ms) < 2:
            continue
        cuts = statistics.quantiles(took_ms, n=100)
        memory = statistics.median(each.rss_mb for each in then)
        fds, threads = max(each.fds for each in then), max(each.threads for each in then)
        print(f"{minute + 1:>11} {len(took_ms):>11} {cuts[49]:>11.1f} {cuts[98]:>11.1f} "
              f"{memory:>11.1f} {fds:>11} {threads:>11}")  # fmt: skip


def _judge(
    samples: list[soak.Sample], measured: soak.Measured, complaints: list[str], most: float
) -> int:
    """0 when all is well."""
    third = len(samples) // 3
    middle, last = samples[third : 2 * third], samples[2 * third :]
    minutes = [each.at_s / 60 for each in last]
    slope = statistics.linear_regression(minutes, [each.rss_mb for each in last]).slope
    rise = last[-1].rss_mb - middle[0].rss_mb
    print(f"memory: {rise:+.1f} MB since the first third, {slope:+.3f} MB a minute in the last one")
    wrong = [f"memory grows by {slope:.3f} MB a minute"] if slope > most else []
    for name in ("fds", "threads"):
        highest = [max(getattr(each, name) for each in part) for part in (middle, last)]
        if highest[1] > highest[0] + SLACK:
            wrong.append(f"{name} grow from {highest[0]} to {highest[1]}")
    wrong += measured.unexpected[:5]
    wrong += [f"{len(complaints)} tracebacks in the log"] if complaints else []
    print("\n".join(wrong) or "flat")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
