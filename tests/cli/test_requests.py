"""``plivo-sim requests`` and ``coverage``."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Shell
from tests.support import AUTH_ID, Http

pytestmark = pytest.mark.live


def test_calls_that_reached_no_account(shell: Shell, http: Http) -> None:
    """With the reason and the URL that was meant; they can be forgotten."""
    http.call("GET", f"/v1/Accounts/{AUTH_ID}/EndUser/")
    told = shell.told("requests", "--unmatched")
    assert f" /v1/Account/{AUTH_ID}/EndUser/" in told
    assert "URL does not exist" in told
    assert shell.json("requests", "--unmatched", "--clear")["unmatched"] == []


def test_what_is_cleared_has_to_be_said(shell: Shell) -> None:
    """The requests of an account go with it."""
    assert "--unmatched" in shell.error("requests", "--clear", code=2)


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


def test_too_little_coverage(shell: Shell, application: str) -> None:
    """Exit code 1; the share stands below the table, and in the sentence."""
    done = shell.run("coverage", "--fail-under", "50", code=1)
    share = done.stdout.splitlines()[-1]
    assert done.stderr == f"Error: {share}, which is under 50 %\n"
    exercised, _, possible = share.split()[:3]
    assert 0 < int(exercised) < int(possible) / 2


def test_a_share_of_one_is_no_percentage(shell: Shell) -> None:
    """Nearly nothing would do."""
    told = shell.error("coverage", "--fail-under", "0.5", code=2)
    assert "0.5 is less than 1 percent; write 50 for 50 percent" in told


def test_enough_coverage(shell: Shell, application: str) -> None:
    """Exit code 0; one that is asked of a part only counts that part."""
    shell.run("coverage", "--fail-under", "1")
    told = shell.told("coverage", "--of", "statuses", "--fail-under", "10")
    assert (
        told.splitlines()[-1] == f"2 of {len(shell.json('coverage')['statuses'])} exercised: "
        f"{200 / len(shell.json('coverage')['statuses']):.1f} %"
    )
    shell.run("coverage", "--of", "callbacks", "--fail-under", "1", code=1)


def test_coverage_that_is_cleared_is_not_judged(shell: Shell) -> None:
    """It would be nothing."""
    told = shell.error("coverage", "--clear", "--fail-under", "1", code=2)
    assert "give one of --clear, --fail-under" in told
