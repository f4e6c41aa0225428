"""``plivo-sim account``."""

from __future__ import annotations

import pytest

from tests.commands.conftest import OTHER_ID, Shell
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
    assert http.world.settings.strict


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
