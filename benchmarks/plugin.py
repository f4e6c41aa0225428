"""What a test costs that uses a fixture of the plugin, against an empty one in the same run.

    python benchmarks/plugin.py [--tests 400] [--runs 3]

Runs three suites of empty tests in processes of their own (no fixture, ``plivo_sim``,
``plivo_server``), takes the median of a few runs, and prints the milliseconds of one test, and how
many more than an empty one. What happens once (imports, one server for each session) is shown
apart.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

SUITE = """
import pytest

@pytest.mark.parametrize("n", range({count}))
def test_empty({fixture}n):
    pass
"""


def seconds(fixture: str, count: int) -> float:
    """How long pytest says that a suite took."""
    with tempfile.TemporaryDirectory() as folder:
        argument = f"{fixture}, " if fixture else ""
        Path(folder, "test_empty.py").write_text(SUITE.format(count=count, fixture=argument))
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", folder],
            capture_output=True, text=True, check=True, cwd=folder,
        )  # fmt: skip
    found = re.search(r"passed in ([\d.]+)s", done.stdout)
    assert found is not None, done.stdout
    return float(found[1])


def cost_ms(fixture: str, tests: int, runs: int) -> tuple[float, float]:
    """The milliseconds of one test, and those of what happens once."""
    one = statistics.median(seconds(fixture, 1) for _ in range(runs))
    many = statistics.median(seconds(fixture, tests + 1) for _ in range(runs))
    return (many - one) / tests * 1000, one * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tests", type=int, default=400)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    fixtures = ("", "plivo_sim", "plivo_server")
    costs = {fixture: cost_ms(fixture, given.tests, given.runs) for fixture in fixtures}
    empty = costs[""][0]
    print(f"{'fixture':<14}{'ms a test':>10}{'over empty':>12}{'once, ms':>10}")
    for fixture, (each, once) in costs.items():
        print(f"{fixture or '(none)':<14}{each:>10.2f}{each - empty:>12.2f}{once:>10.0f}")


if __name__ == "__main__":
    main()
