"""The documentation's Node project: its own test suite, beside a simulator."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sdk.nodejs import FOLDER, MODULES, node

DOCS = Path(__file__).parents[2] / "docs"
PROJECT = DOCS / "examples" / "node-project"
COMMAND = "plivo-sim run --paused -- npm test"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of it, with the SDK installed."""
    copy = shutil.copytree(
        PROJECT, tmp_path / "project", ignore=shutil.ignore_patterns("node_modules")
    )
    (copy / "node_modules").symlink_to(MODULES)
    return copy


def test_it_is_what_the_docs_lead_to() -> None:
    """The page on testing names the folder and the command, which also stands in the test."""
    told = (DOCS / "testing.md").read_text()
    assert "(examples/node-project/" in told
    assert COMMAND in told
    assert COMMAND in (PROJECT / "compliance.test.js").read_text()


def test_it_takes_the_sdk_that_the_other_tests_take() -> None:
    """The same version, which its test names."""
    wanted, taken = (
        json.loads((folder / "package.json").read_text())["dependencies"]["plivo"]
        for folder in (PROJECT, FOLDER)
    )
    assert wanted == taken
    assert f"plivo for Node {wanted}: run" in (PROJECT / "compliance.test.js").read_text()


@pytest.mark.live
@pytest.mark.node
def test_rejected_corrected_accepted_webhook_seen(project: Path) -> None:
    """Through ``plivo-sim run``; Node's own runner says that every test passed."""
    node()
    words = shlex.split(COMMAND.replace("plivo-sim", f"{sys.executable} -m plivo_sim.cli"))
    done = subprocess.run(
        words, cwd=project, capture_output=True, text=True, timeout=60,
        env=os.environ | {"NODE_OPTIONS": "", "NO_UPDATE_NOTIFIER": "1"},
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "# pass 2" in done.stdout.replace("ℹ", "#")
    assert "# fail 0" in done.stdout.replace("ℹ", "#")


@pytest.mark.live
@pytest.mark.node
def test_a_webhook_with_another_token_fails(project: Path) -> None:
    """The project's check of signatures is a check: with a wrong token nothing is heard."""
    node()
    test = project / "compliance.test.js"
    text = test.read_text()
    broken = text.replace("webhook(PLIVO_AUTH_TOKEN,", "webhook('another',")
    assert broken != text
    test.write_text(broken)
    command = [sys.executable, "-m", "plivo_sim.cli", "run", "--paused", "--", "npm", "test"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "# fail 1" in done.stdout.replace("ℹ", "#")
