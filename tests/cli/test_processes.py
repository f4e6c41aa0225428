"""The whole command line in processes of its own, as a shell script uses it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.live


@pytest.fixture
def url() -> Iterator[str]:
    """Where ``plivo-sim serve`` says that it answers."""
    command = [sys.executable, "-m", "plivo_sim.cli", "serve", "--port", "0", "--paused",
               "--review-delay", "documented"]  # fmt: skip
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        said = process.stdout.readline()
        yield said.split()[-1].removesuffix("/v1/Account")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_a_script_seeds_advances_exports_and_resets(url: str, tmp_path: Path) -> None:
    """Each command finds the simulator by the variable, and says by its exit code how it went."""

    def run(*words: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "plivo_sim.cli", *words],
            env=os.environ | {"PLIVO_SIM_URL": url},
            capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        return done.stdout

    run("scenario", "new", "mine")
    run("scenario", "check", "mine.yaml")
    (made,) = json.loads(run("seed", "1", "--json"))["applications"]
    run("scenario", "use", "mine.yaml")
    run("clock", "advance", "3", "business", "days")
    assert "accepted" in run("apps", "show", made["compliance_id"])
    run("apps", "reject", made["compliance_id"], code=1)
    run("export", "export.json")
    assert len(json.loads((tmp_path / "export.json").read_text())["applications"]) == 1
    run("apps", "show", code=2)
    run("reset")
    run("status", "--url", "http://127.0.0.1:1", code=3)
