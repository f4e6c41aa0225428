"""plivo for Node, unmodified, over real HTTP; the checks themselves are in ``tests/sdk/node``."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from plivo_sim.live import LiveSimulator

pytestmark = [pytest.mark.live, pytest.mark.node]

FOLDER = Path(__file__).with_name("node")
INSTALL = "npm install --no-package-lock --no-save --prefix tests/sdk/node"


def node() -> str:
    """The command, if it and the SDK are there; else the test is skipped, or fails where
    ``PLIVO_SIM_REQUIRE_NODE=1`` says that they have to be."""
    command = shutil.which("node")
    if command and (FOLDER / "node_modules" / "plivo").is_dir():
        return command
    missing = "the Node SDK" if command else "Node"
    told = f"{missing} is not installed; with Node 18 or newer: {INSTALL}"
    if os.environ.get("PLIVO_SIM_REQUIRE_NODE") == "1":
        pytest.fail(told)
    pytest.skip(told)


@pytest.mark.parametrize("driver", ["compliance.cjs", "legacy.cjs"])
def test_every_check_of_the_driver_passes(live: LiveSimulator, driver: str) -> None:
    """The driver gets to its end, and every check that it made on the way held."""
    done = subprocess.run(
        [node(), str(FOLDER / driver)],
        env=os.environ | {"PLIVO_SIM_URL": live.url},
        capture_output=True,
        text=True,
        timeout=120,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    failed = [f"{line['check']}: {line['message']}" for line in lines if line.get("ok") is False]
    assert failed == []
    assert done.returncode == 0, done.stderr
    assert lines[-1] == {"checks": len(lines) - 1, "failed": 0}
