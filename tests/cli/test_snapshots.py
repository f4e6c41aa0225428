"""``plivo-sim snapshot``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from plivo_sim.assembly import LiveSimulator
from tests.cli.conftest import OTHER_ID, Shell
from tests.conftest import PAUSED
from tests.support import AUTH_ID, PDF, Http

pytestmark = pytest.mark.live


def test_by_name(shell: Shell, application: str) -> None:
    """What happened since is undone."""
    told = shell.told("snapshot", "save", "before")
    assert told == f"{AUTH_ID} at 2026-01-05 09:00:00 is before\n"
    shell.run("clock", "advance", "5d")
    told = shell.told("snapshot", "load", "before")
    assert told == f"{AUTH_ID} is back at 2026-01-05 09:00:00\n"
    assert shell.json("apps", "show", application)["status"] == "submitted"


def test_without_a_name(shell: Shell, application: str) -> None:
    """It gets one."""
    assert shell.json("snapshot", "save")["name"] == "snapshot-1"


def test_an_unknown_name(shell: Shell, application: str) -> None:
    """Exit code 1."""
    assert "'nope' not found" in shell.error("snapshot", "load", "nope", code=1)


def test_a_file_goes_to_another_simulator(shell: Shell, application: str, tmp_path: Path) -> None:
    """Into the account it was made in, uploaded files and all."""
    path = tmp_path / "before.json"
    assert f"is before and in {path}" in shell.told("snapshot", "save", "--file", path)
    with LiveSimulator(PAUSED) as another:
        elsewhere = Shell(another.url)
        assert elsewhere.json("snapshot", "load", "--file", path)["auth_id"] == AUTH_ID
        assert elsewhere.json("apps", "show", application)["account"] == AUTH_ID
        account = another.sim.account(AUTH_ID)
        (first, _) = account.store.documents.every()
        assert account.files.read(first.file.sha256) == PDF


def test_a_file_goes_back_though_there_are_several_accounts(
    shell: Shell, other: Http, application: str, tmp_path: Path
) -> None:
    """It knows its own."""
    shell.run("snapshot", "save", "--file", tmp_path / "a.json")
    other.sdk_created()
    shell.run("snapshot", "load", "--file", tmp_path / "a.json")
    assert shell.json("apps", "list", "--account", OTHER_ID)["total_count"] == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "not valid JSON"),
        ("[]", "not a snapshot"),
        ("{}", "not a snapshot"),
        (None, "No such file"),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, text: str | None, told: str) -> None:
    """Exit code 2, before anybody is asked."""
    path = tmp_path / "wrong.json"
    if text is not None:
        path.write_text(text)
    said = Shell("http://127.0.0.1:1").error("snapshot", "load", "--file", path, code=2)
    assert f"{path}: {told}" in said


def test_a_file_that_the_simulator_refuses(shell: Shell, application: str, tmp_path: Path) -> None:
    """Exit code 1, and nothing changes."""
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"plivo_sim_snapshot": 99, "account": AUTH_ID}))
    assert "snapshot: " in shell.error("snapshot", "load", "--file", path, code=1)
    assert shell.json("apps", "list")["total_count"] == 1


def test_a_file_that_cannot_be_written(shell: Shell, application: str, tmp_path: Path) -> None:
    """Exit code 2."""
    path = tmp_path / "no" / "a.json"
    assert "No such file" in shell.error("snapshot", "save", "--file", path, code=2)


@pytest.mark.parametrize("words", [(), ("a", "--file", "b"), ("",)])
def test_load_takes_one_of_two(words: tuple[str, ...]) -> None:
    """Else it is wrong usage."""
    assert "Usage:" in Shell("http://127.0.0.1:1").error("snapshot", "load", *words, code=2)


def test_the_list(shell: Shell, http: Http, application: str) -> None:
    """When each was taken and what it holds; a dropped one is gone."""
    shell.run("snapshot", "save", "before")
    http.sdk_created(alias="two")
    shell.run("clock", "advance", "1h")
    shell.run("snapshot", "save", "with/slash")
    lines = [line.split() for line in shell.told("snapshot", "list").splitlines()]
    assert lines[0] == ["NAME", "AT", "APPS", "END", "USERS", "DOCUMENTS", "NUMBERS"]
    assert lines[1][:4] == ["before", "2026-01-05", "09:00:00", "1"]
    assert lines[2][:4] == ["with/slash", "2026-01-05", "10:00:00", "2"]
    assert shell.told("snapshot", "drop", "with/slash") == f"dropped with/slash of {AUTH_ID}\n"
    assert [each["name"] for each in shell.json("snapshot", "list")["snapshots"]] == ["before"]


def test_an_empty_list(shell: Shell, application: str) -> None:
    """Says so; nothing can be dropped from it."""
    assert shell.told("snapshot", "list") == "no snapshot of this account\n"
    assert "'nope' not found" in shell.error("snapshot", "drop", "nope", code=1)


def test_the_list_of_an_account_that_does_not_exist(shell: Shell, application: str) -> None:
    """Is an error, not an empty list."""
    told = shell.error("snapshot", "list", "--account", OTHER_ID, code=1)
    assert f"account {OTHER_ID} does not exist" in told
