"""What a test costs that uses a fixture of the plugin, against an empty one in the same run.

    python benchmarks/plugin.py [--tests 400] [--runs 5]

Runs suites of empty tests in processes of their own (no fixture, ``plivo_sim``, ``plivo_server``,
and ``plivo_server`` with ``--plivo-sim-url``: one that runs in a process of its own), takes the
fastest of a few runs (what else runs on the machine only adds to one), and prints the milliseconds
of one test, and how many more than an empty one.
What happens once (imports, one server for each session) is shown apart. Ends with exit code 1 when
a fixture costs more than it may: 1 ms, and 5 ms remote.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MOST_MS = {"plivo_sim": 1.0, "plivo_server": 1.0, "remote": 5.0}

SUITE = """
import pytest

@pytest.mark.parametrize("n", range({count}))
def test_empty({fixture}n):
    pass
"""


@contextmanager
def serving() -> Iterator[str]:
    """The URL of a simulator in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder, "ready")
        server = subprocess.Popen(
            [sys.executable, "-m", "plivo_sim.cli", "serve", "--port=0", f"--ready-file={ready}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            until = time.monotonic() + 30
            while not (ready.exists() and ready.read_text().strip()) and time.monotonic() < until:
                time.sleep(0.05)
            yield ready.read_text().strip()
        finally:
            server.terminate()
            server.wait(10)


def seconds(fixture: str, count: int, url: str) -> float:
    """How long pytest says that a suite took."""
    with tempfile.TemporaryDirectory() as folder:
        used = "plivo_server" if fixture == "remote" else fixture
        argument = f"{used}, " if used else ""
        where = [f"--plivo-sim-url={url}"] if fixture == "remote" else ["--plivo-sim-url="]
        Path(folder, "test_empty.py").write_text(SUITE.format(count=count, fixture=argument))
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", *where, folder],
            capture_output=True, text=True, check=True, cwd=folder,
        )  # fmt: skip
    found = re.search(r"passed in ([\d.]+)s", done.stdout)
    assert found is not None, done.stdout
    return float(found[1])


def cost_ms(fixture: str, tests: int, runs: int, url: str) -> tuple[float, float]:
    """The milliseconds of one test, and those of what happens once."""
    one = min(seconds(fixture, 1, url) for _ in range(runs))
    many = min(seconds(fixture, tests + 1, url) for _ in range(runs))
    return (many - one) / tests * 1000, one * 1000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tests", type=int, default=400)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    with serving() as url:
        costs = {each: cost_ms(each, given.tests, given.runs, url) for each in ("", *MOST_MS)}
    empty = costs[""][0]
    print(f"{'fixture':<14}{'ms a test':>10}{'over empty':>12}{'once, ms':>10}")
    for fixture, (each, once) in costs.items():
        print(f"{fixture or '(none)':<14}{each:>10.2f}{each - empty:>12.2f}{once:>10.0f}")
    return int(any(costs[each][0] - empty > most for each, most in MOST_MS.items()))


if __name__ == "__main__":
    sys.exit(main())
