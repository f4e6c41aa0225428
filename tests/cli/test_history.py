"""``plivo-sim history``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Shell

pytestmark = pytest.mark.live


def test_listed(shell: Shell, application: str) -> None:
    """What was done, by whom, and about what."""
    shell.run("apps", "reject", application, "Blurred.")
    told = shell.told("history")
    assert "POST /PhoneNumber/Compliance/" in told
    assert "Set to rejected by hand: Acme" in told
    assert [each["by"] for each in shell.json("history")["calls"]] == ["api", "control"]
    assert "nothing was done" in shell.told("history", "--show", "failed")


def test_copied(shell: Shell, application: str, tmp_path: Path) -> None:
    """As a test and as a scenario, to a file or printed."""
    out = tmp_path / "by_hand.yaml"
    shell.run("history", "--as", "scenario", "--out", str(out))
    assert out.read_text(encoding="utf-8").startswith("# Made by the console")
    assert "def test_as_it_was_done_by_hand(" in shell.told("history", "--as", "pytest")
    assert "--out needs --as" in shell.error("history", "--out", str(out), code=2)
    told = shell.error("history", "--as", "pytest", "--show", "all", code=2)
    assert "give one of" in told
