"""``plivo-sim status``, ``reset`` and ``export``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tinydb import Query, TinyDB

from plivo_sim import __version__
from tests.cli.conftest import OTHER_ID, Shell
from tests.support import AUTH_ID, TOKEN, Http

pytestmark = pytest.mark.live


def test_status_in_words(shell: Shell, application: str) -> None:
    """Where, which version, and a line an account."""
    told = shell.told("status").splitlines()
    assert told[:4] == [
        f"url      {shell.url}",
        "status   ok",
        f"version  {__version__}",
        "state    memory",
    ]
    assert told[-1].split()[:6] == [AUTH_ID, "2026-01-05", "09:00:00", "1", "1", "2"]


def test_status_as_json(shell: Shell, application: str) -> None:
    """Both answers of the simulator."""
    told = shell.json("status")
    assert told["health"]["status"] == "ok"
    assert [each["auth_id"] for each in told["accounts"]] == [AUTH_ID]


def test_reset_one(shell: Shell, other: Http, application: str) -> None:
    """The other stays."""
    other.sdk_created()
    assert shell.told("reset", "--account", OTHER_ID) == f"reset {OTHER_ID}\n"
    assert shell.json("clock", "show")["account"] == AUTH_ID


def test_reset_all(shell: Shell, other: Http, application: str) -> None:
    """None is left."""
    other.sdk_created()
    assert shell.json("reset", "--all") == {"reset": [AUTH_ID, OTHER_ID]}
    assert shell.json("status")["accounts"] == []


def test_reset_nothing(shell: Shell) -> None:
    """Is no failure."""
    assert shell.told("reset") == "reset nothing\n"


def test_reset_takes_one_of_two() -> None:
    """Who names an account does not mean all."""
    told = Shell("http://127.0.0.1:1").error("reset", "--all", "--account", AUTH_ID, code=2)
    assert "give one of --all, --account" in told


def test_export_opens_in_tinydb(shell: Shell, application: str, tmp_path: Path) -> None:
    """And can be queried; the token is not in it."""
    path = tmp_path / "export.json"
    assert shell.told("export", path).startswith(f"{path}: 1 ledger, 1 end_users, 2 documents, ")
    with TinyDB(path) as db:
        (found,) = db.table("applications").search(Query().status == "submitted")
    assert found["id"] == application
    assert TOKEN not in path.read_text()


def test_export_to_the_standard_output(shell: Shell, application: str) -> None:
    """The JSON alone, with or without --json."""
    told = shell.told("export", "-")
    assert (
        json.loads(told)["applications"].keys() == shell.json("export", "-")["applications"].keys()
    )


def test_export_where_it_cannot_write(shell: Shell, application: str, tmp_path: Path) -> None:
    """Exit code 2."""
    assert "No such file" in shell.error("export", tmp_path / "no" / "a.json", code=2)
