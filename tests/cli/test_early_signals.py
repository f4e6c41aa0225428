"""A signal while ``serve`` or ``record`` still loads ends it as one later does: quietly, with 0."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

_SIGNALLED = """
import signal, sys
at, number, *words = sys.argv[1:]
sys.argv = ["plivo-sim", *words]

class Signals:
    def find_spec(self, name, path=None, target=None):
        if name == at:
            signal.raise_signal(int(number))

sys.meta_path.insert(0, Signals())
from plivo_sim.cli import main
main()
"""


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda it: it.name
)
@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("click", ("serve", "--port", "0")),
        ("plivo_sim.cli.server", ("serve", "--port", "0")),
        ("plivo_sim.settings", ("serve", "--port", "0")),
        ("plivo_sim.cli.recording", ("record", "--out", "tape")),
    ],
)
def test_a_signal_during_the_start_is_no_failure(
    at: str, words: tuple[str, ...], number: signal.Signals
) -> None:
    """Nothing has begun, and nothing is said."""
    done = subprocess.run(
        [sys.executable, "-c", _SIGNALLED, at, str(int(number)), *words],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
