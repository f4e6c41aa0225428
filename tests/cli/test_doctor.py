"""``plivo-sim doctor``: one broken set-up a test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from plivo_sim.assembly import LiveSimulator, make_simulator
from plivo_sim.cli import main
from plivo_sim.cli.doctor import Finding, environment
from plivo_sim.settings import Settings
from tests.support import AUTH_ID, Receiver

NOWHERE = "http://127.0.0.1:1"


def findings(*options: str, code: int = 0, env: dict[str, str] | None = None) -> dict[str, Any]:
    """By what was looked at."""
    clean = {"PLIVO_AUTH_ID": None, "PLIVO_AUTH_TOKEN": None, "PLIVO_SIM_STATE": None}
    ran = CliRunner().invoke(main, ["doctor", "--json", *options], env=clean | (env or {}))
    assert ran.exit_code == code, ran.output
    return {each["what"]: each for each in json.loads(ran.output)}


@pytest.mark.live
def test_a_simulator_that_runs_is_told(live: LiveSimulator, receiver: Receiver) -> None:
    """With its version; and that a receiver can be reached, which hears nothing of it."""
    found = findings("--url", live.url, "--callback-url", receiver.url)
    assert found["simulator"]["state"] == found["receiver"]["state"] == "ok"
    assert found["Python"]["state"] == found["clock"]["state"] == "ok"
    assert receiver.received == []


@pytest.mark.live
def test_a_receiver_that_no_request_can_have(live: LiveSimulator) -> None:
    """Of an account, as older versions took it; the account says so, too."""
    account = live.sim.account(AUTH_ID)
    with account.transaction():
        account.overrides = {"callback_url": "http://127.0.0.1:9/a b"}
        account.keep_ledger()
    told = findings("--url", live.url, code=1)["callbacks"]
    assert f"'http://127.0.0.1:9/a b' of {AUTH_ID}: its callbacks go nowhere" in told["told"]
    assert told["do"] == f"plivo-sim account set callback_url=URL --account {AUTH_ID}"


def test_nobody_there_is_no_fault() -> None:
    """It says how to start one."""
    found = findings("--url", NOWHERE)
    assert found["simulator"]["state"] == "look"
    assert "plivo-sim serve" in found["simulator"]["do"]


@pytest.mark.live
def test_another_program_on_the_port(receiver: Receiver) -> None:
    """A port that is taken by something else."""
    found = findings("--url", receiver.url.removesuffix("/callback"), code=1)
    assert found["simulator"]["state"] == "broken"
    assert "another program has the port" in found["simulator"]["do"]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://hooks.example.com/cb", "--allow-callback-hosts hooks.example.com"),
        ("http://169.254.169.254/latest", "blocked"),
        ("ftp://127.0.0.1/", "must be an http or https URL"),
        (f"{NOWHERE}/", "connection refused"),
    ],
)
def test_a_receiver_that_cannot_be_reached(url: str, told: str) -> None:
    """And why."""
    found = findings("--url", NOWHERE, "--callback-url", url, code=1)
    assert found["receiver"]["state"] == "broken"
    assert told in found["receiver"]["told"]


def test_the_state_directory(tmp_path: Path) -> None:
    """New, free, in use, and no directory at all."""
    at = ("--url", NOWHERE, "--state")
    state = tmp_path / "state"
    assert "does not exist" in findings(*at, str(state))["state"]["told"]
    sim = make_simulator(Settings(state=state))
    assert "in use" in findings(*at, str(state))["state"]["told"]
    sim.close()
    assert "is free" in findings(*at, str(state))["state"]["told"]
    file = tmp_path / "file"
    file.write_text("")
    assert findings(*at, str(file), code=1)["state"]["state"] == "broken"


@pytest.mark.parametrize(
    ("variables", "what", "state"),
    [
        ({}, "credentials", "ok"),
        ({"PLIVO_AUTH_ID": "MA" + "1" * 18, "PLIVO_AUTH_TOKEN": "t"}, "credentials", "ok"),
        ({"PLIVO_AUTH_ID": "me", "PLIVO_AUTH_TOKEN": "t"}, "credentials", "broken"),
        ({"PLIVO_AUTH_ID": "MA" + "1" * 18}, "credentials", "broken"),
        ({"HTTP_PROXY": "http://proxy:3128"}, "proxy", "look"),
        ({"HTTP_PROXY": "http://proxy:3128", "NO_PROXY": "localhost"}, "proxy", "ok"),
        ({"PLIVO_SIM_URL": "http://127.0.0.1:8700"}, "SDK", "ok"),
        ({"PLIVO_BASE_URL": "http://127.0.0.1:8700"}, "SDK", "look"),
    ],
)
def test_the_environment(variables: dict[str, str], what: str, state: str) -> None:
    """What SDKs read, and what they do not."""
    found: dict[str, Finding] = {each.what: each for each in environment(variables)}
    assert found[what].state == state
    assert bool(found[what].do) == (state != "ok")


def test_variables_that_nothing_reads_are_named() -> None:
    """With the name that was meant; the value, which may be a secret, is not told."""
    env = {"PLIVO_SIM_CREDENTIAL": "very-secret", "PLIVO_SIM_PAUSED": "1"}
    (finding,) = [each for each in environment(env) if each.what == "variable"]
    assert finding.told == "PLIVO_SIM_CREDENTIAL is set, and nothing reads it"
    assert finding.do == "did you mean 'PLIVO_SIM_CREDENTIALS'?"


def test_what_a_platform_sets_is_no_mistake() -> None:
    """Kubernetes tells where the service is."""
    env = {"PLIVO_SIM_PORT": "tcp://10.96.14.2:8700", "PLIVO_SIM_SERVICE_HOST": "10.96.14.2"}
    (finding,) = [each for each in environment(env) if each.what == "variable"]
    assert (finding.state, finding.do) == ("ok", "")
    assert finding.told.startswith("PLIVO_SIM_PORT, PLIVO_SIM_SERVICE_HOST: set by the platform")


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999", "http://[::1", "http://a b"])
def test_a_url_that_is_none_is_a_finding(url: str) -> None:
    """And no traceback."""
    assert "is not a URL" in findings("--url", url, code=1)["simulator"]["told"]


def test_a_list_that_allows_nothing_is_a_usage_error() -> None:
    """As ``serve`` says it."""
    ran = CliRunner().invoke(main, ["doctor", "--allow-callback-hosts", "http://hooks.example"])
    assert ran.exit_code == 2
    assert "'http://hooks.example' is no host name; write hooks.example" in ran.output


def test_a_token_is_not_told() -> None:
    """Only that there is one."""
    env = {"PLIVO_AUTH_ID": "MA" + "1" * 18, "PLIVO_AUTH_TOKEN": "very-secret"}
    found = findings("--url", NOWHERE, env=env)
    assert "very-secret" not in str(found)


def test_in_words() -> None:
    """A table, and below it what to do."""
    ran = CliRunner().invoke(main, ["doctor", "--url", NOWHERE])
    assert ran.exit_code == 0, ran.output
    assert f"nothing answers at {NOWHERE}" in ran.output
    assert "simulator: start it: plivo-sim serve" in ran.output
