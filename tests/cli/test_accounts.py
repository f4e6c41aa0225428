"""``plivo-sim account``, ``status``, ``reset`` and ``export``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tinydb import Query, TinyDB

from plivo_sim import __version__
from tests.cli.conftest import OTHER_ID, Shell
from tests.support import AUTH_ID, TOKEN, Http

pytestmark = pytest.mark.live


def test_list_in_words(shell: Shell, application: str) -> None:
    """A line for each, with its own settings."""
    shell.run("account", "set", "strict=true", "review_delay=3d")
    heads, line = shell.told("account", "list").splitlines()
    assert heads.split()[:2] == ["ACCOUNT", "NOW"]
    assert line.split()[0] == AUTH_ID
    assert line.endswith("  strict=true review_delay=3d")


def test_list_as_json(shell: Shell, http: Http, other: Http) -> None:
    """What the simulator answers."""
    http.sdk_created()
    other.sdk_created()
    told = shell.json("account", "list")
    assert [each["auth_id"] for each in told["accounts"]] == [AUTH_ID, OTHER_ID]


def test_set(shell: Shell, http: Http, application: str) -> None:
    """The only account's need no name, and are in force at once."""
    told = shell.told("account", "set", "review_delay=3d", "strict=true")
    assert told.splitlines() == [
        f"account       {AUTH_ID}",
        "review_delay  3d",
        "strict        true",
    ]
    assert http.account.settings.strict


def test_set_of_an_account_that_is_not_there(shell: Shell) -> None:
    """It is made."""
    told = shell.json("account", "set", "strict=true", "--account", OTHER_ID)
    assert told["auth_id"] == OTHER_ID
    assert [each["auth_id"] for each in shell.json("account", "list")["accounts"]] == [OTHER_ID]


def test_a_value_may_hold_anything(shell: Shell, application: str) -> None:
    """Only the first equals sign counts."""
    url = "callback_url=http://127.0.0.1:9/?a=b"
    settings = shell.json("account", "set", url)["settings"]
    assert settings == {"callback_url": "http://127.0.0.1:9/?a=b"}


@pytest.mark.parametrize("words", [(), ("strict",), ("=true",)])
def test_set_takes_names_and_values(words: tuple[str, ...]) -> None:
    """Else it is wrong usage, and nobody is asked."""
    assert "Usage:" in Shell("http://127.0.0.1:1").error("account", "set", *words, code=2)


def test_a_setting_that_nobody_knows(shell: Shell, application: str) -> None:
    """Exit code 1, in the simulator's words."""
    assert "settings.nope: " in shell.error("account", "set", "nope=1", code=1)


STRANGER = "MASTRANGERSTRANGERST"
ABOUT_AN_ACCOUNT = [
    ["clock", "show"],
    ["clock", "advance", "1d"],
    ["clock", "set", "2030-01-01T00:00:00Z"],
    ["clock", "pause"],
    ["clock", "resume"],
    ["clock", "rate", "60"],
    ["apps", "list"],
    ["webhooks", "list"],
    ["webhooks", "policy"],
    ["fault", "list"],
    ["fault", "clear"],
    ["scenario", "show"],
    ["scenario", "use", "--none"],
    ["requests"],
    ["reset"],
    ["export", "-"],
    ["snapshot", "save"],
]


@pytest.mark.parametrize("words", ABOUT_AN_ACCOUNT, ids=" ".join)
def test_an_account_that_does_not_exist_is_told(
    shell: Shell, http: Http, application: str, words: list[str]
) -> None:
    """And is not made; those that exist are named."""
    told = shell.error(*words, "--account", STRANGER, code=1)
    assert f"account {STRANGER} does not exist" in told
    assert AUTH_ID in told
    assert f"plivo-sim account set --account {STRANGER}" in told
    assert [account.auth_id for account in http.sim.accounts()] == [AUTH_ID]


def test_a_mistyped_account_gets_a_suggestion(shell: Shell, application: str) -> None:
    """In JSON, the problem details of a record that is not there."""
    mistyped = f"{AUTH_ID[:-1]}Q"
    told = shell.json("clock", "show", "--account", mistyped, code=1)
    assert (told["status"], told["kind"], told["id"]) == (404, "account", mistyped)
    assert f"did you mean '{AUTH_ID}'?" in told["detail"]


@pytest.mark.parametrize(
    "words",
    [
        ["account", "set"],
        ["scenario", "use", "name-mismatch"],
        ["scenario", "next", "rejected"],
        ["fault", "add", "--effect", "error"],
    ],
    ids=" ".join,
)
def test_what_is_done_before_the_first_call_makes_the_account(
    shell: Shell, http: Http, words: list[str]
) -> None:
    """A test suite sets the scene first."""
    shell.run(*words, "--account", STRANGER)
    assert [account.auth_id for account in http.sim.accounts()] == [STRANGER]


def test_to_set_nothing_nowhere_is_wrong_usage(shell: Shell) -> None:
    """Either something is set, or an account is made."""
    assert "give NAME=VALUE, or --account" in shell.error("account", "set", code=2)


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
    assert shell.told("reset") == "no account to reset\n"


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
