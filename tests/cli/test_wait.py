"""``plivo-sim wait``: for scripts that start a simulator in the background."""

from __future__ import annotations

import json

import pytest

from plivo_sim.cli import wait
from tests.cli.conftest import Shell
from tests.support import Receiver

pytestmark = pytest.mark.live

NOWHERE = Shell("http://127.0.0.1:1")


def test_one_that_is_ready(shell: Shell) -> None:
    """Is told of at once."""
    assert shell.told("wait") == f"{shell.url} is ready\n"
    assert shell.json("wait") == {"status": "ready", "reasons": []}


def test_one_that_becomes_ready(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked until it says so."""
    monkeypatch.setattr(wait, "ASK_AGAIN_S", 0)
    receiver.statuses[:] = [503, 503]
    receiver.answer = json.dumps({"status": "ready", "reasons": []}).encode()
    assert Shell(receiver.url).told("wait").endswith(" is ready\n")
    assert len(receiver.received) == 3


def test_none_is_there() -> None:
    """Exit code 3, and why."""
    told = NOWHERE.error("wait", "--timeout", "0", code=3)
    assert told.startswith("Error: not ready within 0 s: nothing answers at http://127.0.0.1:1")


@pytest.mark.parametrize("answer", [b"", b"{}", b"[]", b'{"status":"ready"}'])
def test_something_else_is_there(receiver: Receiver, answer: bytes) -> None:
    """It is not taken for one."""
    receiver.answer = answer
    told = Shell(receiver.url).error("wait", "--timeout", "0", code=3)
    assert "is not plivo-sim" in told


def test_no_url() -> None:
    """To wait for it would be in vain."""
    told = NOWHERE.error("wait", "--url", "http://", code=3)
    assert "is not a URL" in told
