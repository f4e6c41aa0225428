"""``plivo-sim evaluate``, ``requests`` and ``coverage``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.support import AUTH_ID, PDF, PNG, Http

pytestmark = pytest.mark.live


@pytest.fixture
def data(http: Http, tmp_path: Path) -> Path:
    """A complete application in a file, its proofs beside it."""
    path = tmp_path / "data.json"
    path.write_text(json.dumps(http.sdk_data()))
    (tmp_path / "a.pdf").write_bytes(PDF)
    (tmp_path / "b.png").write_bytes(PNG)
    return path


def test_evaluate_tells_the_decision(shell: Shell, application: str, data: Path) -> None:
    """And by what."""
    files = ["--file", str(data.parent / "a.pdf"), "--file", str(data.parent / "b.png")]
    told = shell.told("evaluate", str(data), *files, "--account", AUTH_ID)
    assert told.splitlines()[0].split() == ["would", "be", "accepted"]
    assert "default" in told


def test_evaluate_tells_every_problem(shell: Shell, application: str, data: Path) -> None:
    """A table of paths."""
    told = shell.told("evaluate", str(data), "--account", AUTH_ID)
    assert "refused" in told
    assert "documents[0].file" in told
    assert "documents[1].file" in told


def test_requests_and_coverage(shell: Shell, application: str) -> None:
    """Tables for people, JSON for scripts."""
    assert "PhoneNumber/Compliance/" in shell.told("requests", "--account", AUTH_ID)
    assert shell.json("requests", "--account", AUTH_ID)["account"] == AUTH_ID
    told = shell.told("coverage")
    assert any(
        line.split()[:4] == ["transition", "draft", "->", "submitted"] for line in told.splitlines()
    )
    assert shell.json("coverage")["statuses"]["submitted"] is True


def test_clearing_the_coverage(shell: Shell, application: str) -> None:
    """A new run begins."""
    assert shell.json("coverage")["statuses"]["submitted"]
    assert not shell.json("coverage", "--clear")["statuses"]["submitted"]
    assert not shell.json("coverage")["statuses"]["submitted"]
