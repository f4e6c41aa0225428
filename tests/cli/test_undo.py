"""``plivo-sim undo``."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Shell
from tests.support import AUTH_ID

pytestmark = pytest.mark.live


def test_kept_and_undone(shell: Shell, application: str) -> None:
    """The point is listed with what others have done since, and needs to be sure of that."""
    assert shell.told("undo", "--keep", "a move") == "point 1 at 2026-01-05 09:00:00\n"
    shell.run("clock", "advance", "5d")
    assert "a move" in shell.told("undo", "--list")
    assert "which would be undone too" in shell.error("undo", "1", code=1)
    told = shell.told("undo", "--sure")
    assert told == f"undone: a move, and 1 other call; {AUTH_ID} is at 2026-01-05 09:00:00\n"
    assert shell.json("apps", "show", application)["status"] == "submitted"


def test_nothing_to_undo(shell: Shell, application: str) -> None:
    """The list says so; an undo fails."""
    assert shell.told("undo", "--list") == "nothing to undo of this account\n"
    assert "not found" in shell.error("undo", code=1)


def test_after_a_reset(shell: Shell, application: str) -> None:
    """The account is back, though it does not exist."""
    shell.run("undo", "--keep", "a reset")
    shell.run("reset", "--undoable")
    shell.run("undo", "--sure", "--account", AUTH_ID)
    assert shell.json("apps", "show", application)["status"] == "submitted"


def test_one_thing_at_a_time(shell: Shell) -> None:
    """A usage error."""
    assert "give one of" in shell.error("undo", "1", "--list", code=2)
