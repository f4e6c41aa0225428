"""``plivo-sim webhooks``."""

from __future__ import annotations

import pytest

from plivo_sim.commands import webhooks
from tests.commands.conftest import Shell
from tests.support import Http

pytestmark = pytest.mark.live


@pytest.fixture
def delivery(shell: Shell, http: Http) -> str:
    """The id of a callback that was delivered."""
    inbox = f"{shell.url}/_sim/inbox/cli"
    http.decide(http.sdk_created(callback_url=inbox), "rejected", "No seal.")
    http.advance("0s")
    (made,) = shell.json("webhooks", "list")["webhooks"]
    return str(made["id"])


def test_list_in_words(shell: Shell, delivery: str) -> None:
    """State, attempts, what the receiver answered."""
    heads, line = shell.told("webhooks", "list").splitlines()
    assert heads.split()[2:5] == ["STATE", "ATTEMPTS", "ANSWER"]
    assert line.split()[3:6] == ["delivered", "1", "200"]


def test_list_filters(shell: Shell, delivery: str) -> None:
    """By state and application."""
    assert shell.json("webhooks", "list", "--state", "failed")["total_count"] == 0
    assert shell.json("webhooks", "list", "--application", "x")["total_count"] == 0
    assert shell.json("webhooks", "list", "--state", "delivered")["total_count"] == 1


def test_show(shell: Shell, delivery: str) -> None:
    """The payload, the attempts, the signature."""
    told = shell.told("webhooks", "show", delivery)
    assert "payload rejection_reason  No seal." in told
    assert "X-Plivo-Signature-V3 " in told


def test_show_one_that_was_not_sent_yet(shell: Shell, http: Http) -> None:
    """It has no attempt to show."""
    policy = {"delay": "1d", "account": http.auth_id}
    http.control("POST", "/webhooks/policy", policy)
    http.decide(http.sdk_created(callback_url="http://127.0.0.1:9/cb"), "rejected")
    (made,) = shell.json("webhooks", "list")["webhooks"]
    assert shell.told("webhooks", "show", made["id"]).endswith("\n\nnone\n")


def test_replay_one(shell: Shell, delivery: str) -> None:
    """A new delivery of the same payload."""
    again = shell.json("webhooks", "replay", delivery)
    assert again["id"] != delivery
    assert shell.json("webhooks", "list")["total_count"] == 2


def test_replay_all_of_a_state(
    shell: Shell, delivery: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every one there was, page after page, and none of those that it makes."""
    monkeypatch.setattr(webhooks, "PAGE", 1)
    assert len(shell.json("webhooks", "replay", "--all")["webhooks"]) == 1
    assert len(shell.json("webhooks", "replay", "--all")["webhooks"]) == 2
    assert shell.json("webhooks", "replay", "--all", "--state", "failed") == {"webhooks": []}


@pytest.mark.parametrize("words", [(), ("x", "--all"), ("",), ("x", "--state", "failed")])
def test_replay_takes_one_or_all(words: tuple[str, ...]) -> None:
    """Else it is wrong usage."""
    assert "Usage:" in Shell("http://127.0.0.1:1").error("webhooks", "replay", *words, code=2)
