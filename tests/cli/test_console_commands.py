"""The command that the console shows for a button does what the button did."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from plivo_sim.cli import main
from plivo_sim.client import Client
from plivo_sim.console import ACTIONS, correcting
from tests.cli.conftest import Shell
from tests.console.support import did
from tests.machines.files import IN_REVIEW, YEARLY
from tests.support import AUTH_ID, Http

pytestmark = pytest.mark.live

NASTY = 'it\'s $(id) "é" -- ü\n=x'
BUTTONS: list[tuple[str, dict[str, str], str, dict[str, Any]]] = [
    ("set-setting", {"name": "strict", "value": "true"}, "/accounts", {}),
    ("set-setting", {"name": "--help", "value": "1"}, "/accounts", {}),
    ("set-setting", {"name": "callback_url", "value": "http://127.0.0.1/?a=b&c"}, "/accounts", {}),
    ("use-inbox", {"url": "http://127.0.0.1:9/_sim/inbox/a b"}, "/accounts", {}),
    ("next-outcome", {"decide": "rejected", "reason": NASTY, "after": "2h"}, "/export", {}),
    ("next-outcome", {"decide": "accepted", "reason": "", "after": ""}, "/export", {}),
    ("next-outcome", {"decide": "rejected", "preset": "unreadable_scan"}, "/export", {}),
    ("webhook-policy", {"drop": "-1", "retries": "1m, 5m", "success": "200", "reorder": "yes",
                        "delay": "1:30", "signature": "wrong", "timeout_s": "2.5"},
     "/webhooks/policy", {}),
    ("webhook-policy", {"delay": "10m", "age": "1h", "retries": "none"}, "/webhooks/policy", {}),
    ("webhook-policy", {}, "/webhooks/policy", {}),
    ("webhook-policy", {"drop": NASTY}, "/webhooks/policy", {}),
    ("drop-webhook-policy", {}, "/webhooks/policy", {"drop": 3}),
    ("clear-coverage", {}, "/coverage", {}),
    ("use-machine", {"name": "default"}, "/export", {}),
    ("use-machine", {"name": "--none"}, "/export", {}),
    ("write-machine", {"yaml": YEARLY}, "/export", {}),
]  # fmt: skip


def prepared(http: Http, policy: dict[str, Any]) -> None:
    """An account with one application, and with a webhook policy if there is one."""
    http.sim.remove_all()
    http.sim.coverage.clear()
    http.sdk_created()
    if policy:
        http.control("POST", "/webhooks/policy", {**policy, "account": AUTH_ID})


def state(http: Http, path: str) -> Any:
    """What the simulator tells of itself; of an export, what a button of these can change."""
    told = http.control("GET", path, account=AUTH_ID).get_json()
    return told.get("policies") if path == "/export" else told


def typed(command: str, at: Path) -> list[int]:
    """The exit codes of what a shell makes of lines that were copied."""
    script = f'plivo-sim() {{ printf "%s\\0" "$@"; printf "\\1\\0"; }}\n{command}'
    done = subprocess.run(["bash", "-c", script], cwd=at, capture_output=True, check=True)
    calls = done.stdout.decode().split("\1\0")[:-1]
    return [CliRunner().invoke(main, call.split("\0")[:-1]).exit_code for call in calls]


@pytest.mark.parametrize(("do", "fields", "path", "policy"), BUTTONS)
def test_the_shown_command_does_the_same(
    shell: Shell,
    http: Http,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    do: str,
    fields: dict[str, str],
    path: str,
    policy: dict[str, Any],
) -> None:
    """As bash reads it and the command line takes it; what is refused is refused, too."""
    monkeypatch.chdir(tmp_path)
    prepared(http, policy)
    before = state(http, path)
    (done,) = did(http, do, account=AUTH_ID, **fields)
    pressed = state(http, path)
    prepared(http, policy)
    codes = typed(done.action.as_command(shell.url), tmp_path)
    assert state(http, path) == pressed
    assert [code == 0 for code in codes] == [done.ok]
    assert (pressed != before) == (done.ok and bool(fields or policy or do == "clear-coverage"))


@pytest.mark.parametrize("status", ["accepted", "in_review"])
def test_a_decision(shell: Shell, http: Http, tmp_path: Path, status: str) -> None:
    """Also for a status that the commands were not made for, of an account among several."""
    machine = IN_REVIEW.replace("by: time", "by: [time, hand]")
    http.control("POST", "/accounts", {"auth_id": "MAOTHEROTHEROTHEROTH"})
    if status == "in_review":
        http.control("POST", "/machine", {"yaml": machine, "account": AUTH_ID})
    id, other = http.sdk_created(), http.sdk_created(alias="other")
    (done,) = did(http, "decide", account=AUTH_ID, id=id, status=status)
    assert done.ok
    command = done.action.as_command(shell.url)
    assert typed(command.replace(id, other), tmp_path) == [0]
    told = http.control("GET", f"/applications/{other}").get_json()["status"]
    assert told == status


@pytest.mark.parametrize("name", ["mine", "-x", "a b", "é?"])
def test_emptying_an_inbox(shell: Shell, http: Http, tmp_path: Path, name: str) -> None:
    """Whatever it is called."""
    inbox = Client(shell.url).control
    inbox("POST", f"/inbox/{name}", {})
    (done,) = did(http, "empty-inbox", name=name)
    assert typed(done.action.as_command(shell.url), tmp_path) == [0]
    assert inbox("GET", f"/inbox/{name}/messages")["messages"] == []


def test_every_button_has_a_command(http: Http) -> None:
    """None is left to HTTP alone."""
    form = {"account": AUTH_ID, "id": "x", "name": "x", "text": "effect: reset", "sure": "yes",
            "status": "rejected", "effect": "reset"}  # fmt: skip
    for do in ACTIONS:
        about = {"id": http.sdk_created()} if do in correcting.ACTIONS else {}
        made = [done.action for done in did(http, do, **(form | about)) if done.action.operation]
        assert all(action.cli or action.wrong for action in made), do
