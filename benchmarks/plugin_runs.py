"""Run a suite that uses the plugin again and again, to see whether a single test ever fails.

    python benchmarks/plugin_runs.py                # 500 runs, ten to a process
    python benchmarks/plugin_runs.py --runs 20 --each 1
    python benchmarks/plugin_runs.py --suite docs/examples/fastapi-project --workers 8 --shared

Every process is a pytest of its own with xdist workers, which runs each test ``--each`` times, in
another random order (its seed is printed when it fails, to repeat it). ``--shared``: all workers
of all processes use one server, started once, by its URL. The default suite is
``benchmarks/plugin_suite``: callbacks that arrive in order and in time, slow receivers, frozen
time, event loops, and tests that end while a callback is being sent. Ends at the first failed run,
with its output and exit code 1; also if a process left an account at the shared server.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from plivo_sim.assembly import LiveSimulator
from plivo_sim.settings import Settings

HERE = Path(__file__).parent


def run(suite: Path, options: list[str]) -> tuple[int, str]:
    """One process; how many tests passed (0 if it was red) and what pytest said."""
    words = ["-p", "repeated", "-p", "no:cacheprovider", "-p", "no:asyncio", *options]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words],
        cwd=suite,
        env={**os.environ, "PYTHONPATH": str(HERE)},
        capture_output=True,
        text=True,
    )
    found = re.search(r"(\d+) passed", done.stdout)
    passed = int(found[1]) if found and done.returncode == 0 else 0
    return passed, done.stdout + done.stderr


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--suite", type=Path, default=HERE / "plugin_suite")
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--first", type=int, default=1, help="the seed of the first run")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--each", type=int, default=10, help="runs in one process")
    parser.add_argument("--shared", action="store_true", help="one server for all workers")
    asked = parser.parse_args()
    began, tests = time.monotonic(), 0
    with ExitStack() as stack:
        live = stack.enter_context(LiveSimulator(Settings(port=0))) if asked.shared else None
        for done in range(0, asked.runs, asked.each):
            seed, times = asked.first + done, min(asked.each, asked.runs - done)
            options = [f"-n{asked.workers}", f"--times={times}", f"--randomly-seed={seed}"]
            options += [f"--plivo-sim-url={live.url}"] if live else []
            passed, told = run(asked.suite, options)
            left = [each.auth_id for each in live.sim.accounts()] if live else []
            if not passed or left:
                told += f"\naccounts that were left: {', '.join(left)}" if left else ""
                print(f"{told}\nthe run with seed {seed} was red, after {done} green ones")
                return 1
            tests += passed
            print(f"\r{done + times} runs, {tests} tests", end="", flush=True)
    print(f": all green, in {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
