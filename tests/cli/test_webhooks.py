"""``plivo-sim webhooks``."""

from __future__ import annotations

from pathlib import Path

import pytest

from plivo_sim.cli import webhooks
from plivo_sim.client import Client
from tests.cli.conftest import Shell
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
    assert "application 'x' not found" in shell.error(
        "webhooks", "list", "--application", "x", code=1
    )
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
    assert shell.told("webhooks", "show", made["id"]).endswith("\n\nit has not been sent yet\n")


def test_one_that_is_blocked_says_why(shell: Shell, http: Http) -> None:
    """In the list and by itself; it will never be sent."""
    http.decide(http.sdk_created(callback_url="https://hooks.example.com/cb"), "rejected")
    (made,) = shell.json("webhooks", "list")["webhooks"]
    allow = "--allow-callback-hosts hooks.example.com"
    assert allow in shell.told("webhooks", "list").splitlines()[-1]
    told = shell.told("webhooks", "show", made["id"])
    assert allow in told
    assert told.endswith("\n\nit was not sent\n")


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_receiver_that_refuses_gets_a_hint(shell: Shell, delivery: str, status: int) -> None:
    """As one does whose signature check fails."""
    answer = shell.json("webhooks", "show", delivery)
    answer["attempts"][-1]["status"] = status
    told = webhooks._delivery(answer)
    assert ("webhooks verify-signature" in told) is (status != 500)
    assert ("callback_encoding=form" in told) is (status != 500)


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


# --- what happens on the way -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.yaml", "delay: 10m\nretries: [1m]\n"),
        ("p.yml", "webhooks:\n  delay: 10m\n  retries: [1m]\n"),
        ("p.json", '{"delay": "10m", "retries": ["1m"]}'),
    ],
)
def test_setting_a_policy(
    shell: Shell, application: str, tmp_path: Path, name: str, text: str
) -> None:
    """From YAML, from JSON, and as it stands in a scenario."""
    (tmp_path / name).write_text(text)
    assert shell.json("webhooks", "policy", tmp_path / name) == {"delay": "10m", "retries": ["1m"]}
    assert shell.json("webhooks", "policy") == {"delay": "10m", "retries": ["1m"]}


def test_a_policy_in_words_is_its_file(shell: Shell, application: str, tmp_path: Path) -> None:
    """What is shown can be set again; nothing at all, too."""
    path = tmp_path / "p.yaml"
    path.write_text("drop: -1\nage: 10m\n")
    told = shell.told("webhooks", "policy", path)
    assert told == "webhooks:\n  drop: -1\n  age: 10m\n"
    for text in (told, shell.told("webhooks", "policy", "--drop")):
        path.write_text(text)
        assert shell.told("webhooks", "policy", path) == text
    assert text == "webhooks: {}\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("dleay: 10m", "p.yaml: dleay: "),
        ("drop: [", "p.yaml: line 1: not valid YAML: "),
        ("- drop", "p.yaml: expected keys such as 'delay: 10m'"),
        ("a: &a 1\nb: *a", "aliases (*name) are not followed here"),
    ],
)
def test_a_wrong_policy(
    shell: Shell, application: str, tmp_path: Path, text: str, told: str
) -> None:
    """Exit code 2, the file, and what is wrong in it; nothing is changed."""
    (tmp_path / "p.yaml").write_text(text)
    assert told in shell.error("webhooks", "policy", tmp_path / "p.yaml", code=2)
    assert shell.json("webhooks", "policy") == {}


def test_a_policy_that_cannot_be_read(shell: Shell, tmp_path: Path) -> None:
    """Exit code 2; so is a file beside --drop."""
    path = tmp_path / "none.yaml"
    assert "none.yaml: No such file" in shell.error("webhooks", "policy", path, code=2)
    assert "give one of" in shell.error("webhooks", "policy", path, "--drop", code=2)


def test_inbox(shell: Shell) -> None:
    """What arrived, in its order; then it is forgotten."""
    for number in (1, 2):
        Client(shell.url).control("POST", "/inbox/own", number)
    told = shell.told("webhooks", "inbox", "own")
    url = f"{shell.url}/_sim/inbox/own"
    assert [line.split() for line in told.splitlines()] == [
        ["MESSAGE", "METHOD", "URL", "BODY"],
        ["1", "POST", url, "1"],
        ["2", "POST", url, "2"],
    ]
    cleared = {"name": "own", "messages": [], "forgotten": 0, "uncertain": 0}
    assert shell.json("webhooks", "inbox", "own", "--clear") == cleared
    assert shell.told("webhooks", "inbox", "own") == "there is nothing in this inbox\n"


def test_an_inbox_needs_a_name(shell: Shell) -> None:
    """A script's unset variable is wrong usage."""
    assert "must not be empty" in shell.error("webhooks", "inbox", "", code=2)


def received(shell: Shell, delivery: str) -> list[str]:
    """The words of ``verify-signature`` for what was received."""
    (attempt,) = shell.json("webhooks", "show", delivery)["attempts"]
    sent = {name.removeprefix("X-Plivo-Signature-"): v for name, v in attempt["headers"].items()}
    options = {"--nonce": "V3-Nonce", "--v2": "V2", "--v3": "V3", "--ma-v3": "Ma-V3"}
    words = [word for option, name in options.items() for word in (option, sent[name])]
    return ["webhooks", "verify-signature", attempt["url"], *words, "--body", attempt["body"]]


def test_verify_signature(shell: Shell, delivery: str) -> None:
    """Each that was given, with what it covers."""
    lines = shell.told(*received(shell, delivery)).splitlines()
    assert [line.split()[:2] for line in lines] == [
        [name, "valid:"] for name in ("V2", "V3", "Ma-V3")
    ]
    assert "the fields of the JSON body" in lines[1]


def test_verify_signature_says_what_is_wrong(shell: Shell, delivery: str, tmp_path: Path) -> None:
    """With another body, from a file, and another token; the exit code is 1."""
    (tmp_path / "body").write_text('{"status": "accepted"}')
    words = received(shell, delivery)[:-1]
    v2, v3, ma_v3 = shell.told(*words, f"@{tmp_path / 'body'}", code=1).splitlines()
    assert v2.split()[1] == "valid:"
    assert v3.split()[1:3] == ma_v3.split()[1:3] == ["not", "valid:"]
    found = shell.json(*received(shell, delivery), "--token", "other", code=1)
    assert found["v3"]["wrong"] == [
        "token: the sender signed with another token than this check: the main account's"
    ]
    assert "give one of --v2" in shell.run(*words[:3], code=2).stderr
