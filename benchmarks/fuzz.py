"""Send spoiled requests to the whole application, in process, and count what comes back.

Run `python benchmarks/fuzz.py --cases 100000` (about three minutes). Case n of a seed is always the
same request, so a problem can be seen again with `--seed S --only N`. Exit code 1 when an answer
was a 500, a stack trace, empty, not JSON though it said so, took seconds of the processor's time,
or when memory grew.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from tests.hostile.fuzzing import Fuzzer, Report

SLOW_S = 2.0
"""Of the processor's time; how long a clock on the wall takes says more about the machine."""
MOST_GROWTH_MB = 20.0
"""From the first fifth of the run to its end: caches fill in the beginning."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="show this case and its answer, nothing else")
    options = parser.parse_args()
    fuzzer = Fuzzer(options.seed)
    if options.only is not None:
        return show(fuzzer, options.only)
    began = time.monotonic()
    report = fuzzer.run(options.cases)
    print_report(report, options.seed, time.monotonic() - began)
    is_bad = report.problems or growth_mb(report) > MOST_GROWTH_MB or report.slowest_s > SLOW_S
    return 1 if is_bad else 0


def show(fuzzer: Fuzzer, number: int) -> int:
    """One case alone: it may need what the ones before it left."""
    fuzzer.report.cases = number
    report = fuzzer.run(1)
    print(fuzzer.last)
    print("\n".join(report.problems) or f"answered {list(report.statuses)}")
    return 1 if report.problems else 0


def growth_mb(report: Report) -> float:
    memory = report.memory_mb
    return memory[-1] - memory[len(memory) // 5]


def print_report(report: Report, seed: int, seconds: float) -> None:
    print(f"seed {seed}: {report.cases} cases in {seconds:.0f} s")
    print("asked   ", ", ".join(f"{name} {n}" for name, n in report.surfaces.most_common()))
    print("answered", ", ".join(f"{status}: {n}" for status, n in sorted(report.statuses.items())))
    print(f"slowest  {report.slowest_s * 1000:.0f} ms of processor time (case {report.slowest})")
    memory = report.memory_mb
    print(f"memory   {memory[len(memory) // 5]:.0f} MB after a fifth, {memory[-1]:.0f} at the end")
    print(f"problems {len(report.problems)}")
    for problem in report.problems:
        print(problem)


if __name__ == "__main__":
    sys.exit(main())
