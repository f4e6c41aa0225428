"""Run a suite that uses the plugin again and again, to see whether a single test ever fails.

    python benchmarks/plugin_runs.py                # 500 runs, ten to a process
    python benchmarks/plugin_runs.py --runs 20 --each 1

Every process is a pytest of its own with two xdist workers, which runs each test ``--each``
times, in another random order (its seed is printed when it fails, to repeat it). The suite is
``benchmarks/plugin_suite``: callbacks that arrive in order and in time, slow receivers, frozen
time, event loops, and tests that end while a callback is being sent. Ends at the first failed run,
with its output and exit code 1.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from pathlib import Path

SUITE = Path(__file__).parent / "plugin_suite"


def run(seed: int, workers: int, times: int) -> tuple[int, str]:
    """One process; how many tests passed (0 if it was red) and what pytest said."""
    words = ["-m", "pytest", "-n", str(workers), "-p", "no:cacheprovider", f"--times={times}"]
    done = subprocess.run(
        [sys.executable, *words, f"--randomly-seed={seed}"],
        cwd=SUITE,
        capture_output=True,
        text=True,
    )
    found = re.search(r"(\d+) passed", done.stdout)
    passed = int(found[1]) if found and done.returncode == 0 else 0
    return passed, done.stdout + done.stderr


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--first", type=int, default=1, help="the seed of the first run")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--each", type=int, default=10, help="runs in one process")
    asked = parser.parse_args()
    began, tests = time.monotonic(), 0
    for done in range(0, asked.runs, asked.each):
        seed = asked.first + done
        passed, told = run(seed, asked.workers, min(asked.each, asked.runs - done))
        if not passed:
            print(f"{told}\nthe run with seed {seed} was red, after {done} green ones")
            return 1
        tests += passed
        print(f"\r{min(done + asked.each, asked.runs)} runs, {tests} tests", end="", flush=True)
    print(f": all green, in {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
