"""What a test costs that uses a fixture of the plugin, against an empty one in the same run.

    python benchmarks/plugin.py

Runs three suites of empty tests in processes of their own (no fixture, ``plivo_sim``,
``plivo_server``), takes the median of three runs, and prints milliseconds a test and the ratio.
Start-up (importing, one server a session) is told apart: it is paid once.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

TESTS = 400
RUNS = 3
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


def cost_ms(fixture: str) -> tuple[float, float]:
    """Milliseconds a test, and the milliseconds paid once."""
    one = statistics.median(seconds(fixture, 1) for _ in range(RUNS))
    many = statistics.median(seconds(fixture, TESTS + 1) for _ in range(RUNS))
    return (many - one) / TESTS * 1000, one * 1000


def main() -> None:
    costs = {fixture: cost_ms(fixture) for fixture in ("", "plivo_sim", "plivo_server")}
    empty = costs[""][0]
    print(f"{'fixture':<14}{'ms a test':>10}{'over empty':>12}{'once, ms':>10}")
    for fixture, (each, once) in costs.items():
        print(f"{fixture or '(none)':<14}{each:>10.2f}{each - empty:>12.2f}{once:>10.0f}")


if __name__ == "__main__":
    main()
