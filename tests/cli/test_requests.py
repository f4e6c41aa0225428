"""``plivo-sim requests`` and ``coverage``."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Shell
from tests.support import AUTH_ID

pytestmark = pytest.mark.live


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
