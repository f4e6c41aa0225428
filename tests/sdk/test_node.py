"""plivo for Node, unmodified, over real HTTP; the checks themselves are in ``tests/sdk/node``."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from plivo_sim.assembly import LiveSimulator
from tests.sdk.nodejs import FOLDER, node

pytestmark = [pytest.mark.live, pytest.mark.node]


@pytest.mark.parametrize("driver", ["compliance.cjs", "legacy.cjs", "numbers.cjs", "traps.cjs"])
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
