"""``plivo-sim account``."""

from __future__ import annotations

import pytest

from tests.cli.conftest import OTHER_ID, Shell
from tests.support import AUTH_ID, Http

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
    assert "settings: " in shell.error("account", "set", "nope=1", code=1)


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
