"""What a killed server leaves behind. What was acknowledged survives: see ``torture``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import AUTH_ID
from tests.torture.nursery import ROOT, Nursery, Server, open_nursery

pytestmark = pytest.mark.live


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    """A process that forks servers; whatever is left of them ends with the test."""
    with open_nursery() as opened:
        yield opened


def test_a_killed_server_s_clock_stands_still(nursery: Nursery, tmp_path: Path) -> None:
    """The next one goes on from the last thing that happened."""
    server = Server(nursery, tmp_path / "state")
    server.advance("36h", AUTH_ID)
    server.kill()
    server.bury()
    again = Server(nursery, tmp_path / "state")
    assert again.control("GET", f"/clock?account={AUTH_ID}")["now"] == "2026-01-06T21:00:00.000000Z"


def test_a_second_server_on_the_directory_is_refused(nursery: Nursery, tmp_path: Path) -> None:
    """As a command of its own would meet it: an exit code and a sentence."""
    Server(nursery, tmp_path / "state")
    second = subprocess.run(
        [sys.executable, "-m", "plivo_sim.cli", "serve", "--port", "0", "--state",
         str(tmp_path / "state")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=ROOT,
    )  # fmt: skip
    assert second.returncode != 0
    assert "in use by another plivo-sim" in second.stderr
