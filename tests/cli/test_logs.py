"""``plivo-sim logs``."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from plivo_sim.assembly import LiveSimulator
from plivo_sim.simulator.events import EventLog
from tests.cli.conftest import OTHER_ID, Shell
from tests.conftest import PAUSED
from tests.support import AUTH_ID, Http

pytestmark = pytest.mark.live


@contextmanager
def following(url: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """The command as a process of its own, which has told of what was before."""
    command = [sys.executable, "-m", "plivo_sim.cli", "logs", "--follow", "--url", url, *words]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_in_words(shell: Shell, http: Http, application: str) -> None:
    """A line for each: when, where, what."""
    http.advance("10d")
    lines = shell.told("logs", "--tail", "8").splitlines()
    head = f"2026-01-05 09:00:00  {AUTH_ID}  "
    assert lines[0].startswith(f"{head}transition  {application} draft -> submitted (")
    assert lines[1].startswith(
        f"{head}request     POST http://127.0.0.1/v1/Account/{AUTH_ID}/Phone"
    )
    assert " -> 201 compliance.create, " in lines[1]
    assert f" {application} submitted -> accepted (" in lines[2]
    end = f"callback    {application} accepted -> POST http://127.0.0.1:9/cb, attempt 1: "
    assert end in lines[3]
    assert lines[7].endswith("clock       2026-01-05 09:00:00 -> 2026-01-15 09:00:00, paused")


def test_as_json(shell: Shell, http: Http, application: str) -> None:
    """An object a line, for jq."""
    kinds = ("--kind", "transition", "--kind", "clock")
    (line,) = shell.told("logs", "--json", "--tail", "1", *kinds).splitlines()
    found = json.loads(line)
    assert found["application"] == application
    assert (found["kind"], found["to"]) == ("transition", "submitted")


def test_filters(shell: Shell, application: str) -> None:
    """Those of the control API; nothing that matches is nothing on the output."""
    since = ("logs", "--operation", "compliance.create", "--status", "2xx", "--tail", "1")
    assert "compliance.create" in shell.told(*since, "--account", AUTH_ID)
    assert shell.told(*since, "--account", "MA" + "F" * 18) == ""
    assert "account: must be MA" in shell.error("logs", "--account", "me", code=1)
    assert shell.told("logs", "--tail", "0") == ""


def test_calls_that_reached_no_account(shell: Shell, http: Http) -> None:
    """With the reason and the URL that was meant."""
    http.call("GET", f"/v1/Accounts/{AUTH_ID}/EndUser/")
    (line,) = shell.told("logs", "--kind", "unmatched", "--tail", "1").splitlines()
    assert "  no account            unmatched   GET http" in line
    assert line.endswith(f"did you mean /v1/Account/{AUTH_ID}/EndUser/?")


def test_what_was_forgotten_is_said(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where somebody reads all that is kept."""
    monkeypatch.setattr(EventLog, "forgotten", 1234)
    assert "1,234 older ones were forgotten" in shell.run("logs").stderr
    assert "forgotten" not in shell.run("logs", "--tail", "1").stderr


def test_nothing_answers() -> None:
    """Exit code 3, also while it follows."""
    assert "nothing answers" in Shell("http://127.0.0.1:1").error("logs", "--follow", code=3)
    assert "is not a URL" in Shell("http://").error("logs", "--follow", code=3)


def test_follow_until_ctrl_c() -> None:
    """What happens is told at once; Ctrl-C ends it without a word."""
    with (
        LiveSimulator(PAUSED) as served,
        following(served.url, "--account", OTHER_ID, "--kind", "clock", "--json") as process,
    ):
        other = Shell(served.url)
        assert process.stdout is not None
        assert process.stderr is not None
        other.run("clock", "rate", "5", "--account", OTHER_ID, code=None)
        other.run("account", "set", "warp=6", "--account", OTHER_ID)
        other.run("clock", "rate", "7", "--account", OTHER_ID)
        seen = json.loads(process.stdout.readline())
        while seen["rate"] != 7:
            seen = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert process.stderr.read() == ""


def test_follow_into_a_pipe_that_closes() -> None:
    """As ``| head -1`` does: it ends though nothing happens any more, without a word."""
    with (
        LiveSimulator(PAUSED) as served,
        following(served.url, "--account", OTHER_ID, "--kind", "clock") as process,
    ):
        other = Shell(served.url)
        assert process.stdout is not None
        assert process.stderr is not None
        other.run("account", "set", "warp=6", "--account", OTHER_ID)
        other.run("account", "set", "warp=7", "--account", OTHER_ID)
        assert process.stdout.readline()
        process.stdout.close()
        assert (process.wait(60), process.stderr.read()) == (141, "")


def test_follow_a_server_that_stops() -> None:
    """Exit code 3, and why."""
    with LiveSimulator(PAUSED) as live:
        Shell(live.url).run("account", "set", "warp=6", "--account", OTHER_ID)
        Shell(live.url).run("clock", "rate", "5", "--account", OTHER_ID)
        with following(live.url, "--kind", "clock") as process:
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.stdout.readline()
            live.stop()
            assert process.wait(60) == 3
            assert live.url in process.stderr.read()
