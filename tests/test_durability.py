"""What was acknowledged survives ``kill -9``."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from plivo_sim.app import create_app
from plivo_sim.bootstrap import make_simulator
from plivo_sim.settings import Settings
from plivo_sim.store.files import sha256_of
from plivo_sim.webhooks.transport import MemoryTransport
from tests.support import AUTH_ID, PDF, PNG, SDK_AGENT, Http, Receiver, basic, multipart

pytestmark = pytest.mark.live

ROUNDS = 20
CLIENTS = 4
MOST_ACKNOWLEDGED = 8

NURSERY = """
import json, os, sys
from plivo_sim.cli import main
import plivo_sim.live, plivo_sim.trial, urllib3

for line in sys.stdin:
    told = json.loads(line)
    if "wait" in told:
        os.waitpid(told["wait"], 0)
        print("dead", flush=True)
    elif (child := os.fork()) == 0:
        main(told["serve"])
    else:
        print(child, flush=True)
"""
"""Forks servers, each by the command line's own ``serve``: Python starts once, not twenty times."""


class Server:
    """A server process that can be killed; ``url`` is where it answers."""

    def __init__(self, nursery: subprocess.Popen[str], state: Path) -> None:
        self._nursery = nursery
        ready = state.with_suffix(".ready")
        ready.unlink(missing_ok=True)
        self._tell(
            serve=["serve", "--state", str(state), "--port", "0", "--paused", "--ready-file",
                   str(ready), "--review-delay", "documented"]
        )  # fmt: skip
        self.pid = 0
        self.url = ""
        while not (self.pid and self.url):
            line = self._line()
            if line.strip().isdigit():
                self.pid = int(line)
            elif "Point an SDK at" in line:
                self.url = line.split()[-1].removesuffix("/v1/Account")

    def _tell(self, **what: Any) -> None:
        assert self._nursery.stdin is not None
        print(json.dumps(what), file=self._nursery.stdin, flush=True)

    def _line(self) -> str:
        assert self._nursery.stdout is not None
        line = self._nursery.stdout.readline()
        assert line, "the nursery has died"
        return line

    def kill(self) -> None:
        """As hard as it gets."""
        os.kill(self.pid, signal.SIGKILL)

    def bury(self) -> None:
        """Wait until it is dead, so that its directory is free."""
        self._tell(wait=self.pid)
        while self._line() != "dead\n":
            pass

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=20)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """A call of the control API."""
        connection = self.connect()
        headers = {"Content-Type": "application/json"}
        connection.request(method, f"/_sim{path}", json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        told = json.loads(answer.read())
        connection.close()
        assert answer.status == 200, told
        return told

    def advance(self, by: str) -> list[dict[str, Any]]:
        told = self.control("POST", "/clock/advance", {"by": by, "account": AUTH_ID})
        happenings: list[dict[str, Any]] = told["happenings"]
        return happenings


@pytest.fixture
def nursery() -> Iterator[subprocess.Popen[str]]:
    """A process that forks servers; whatever is left of them ends with the test."""
    process = subprocess.Popen(
        [sys.executable, "-c", NURSERY],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=Path(__file__).parents[1],
        start_new_session=True,
    )
    yield process
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def body_of(alias: str, callback_url: str) -> tuple[bytes, str]:
    """A create as the Python SDK sends it; the type ids are those of the default seed."""
    sim = make_simulator(Settings(paused=True), transport=MemoryTransport())
    data = Http(create_app(sim), sim).sdk_data(alias=alias, callback_url=callback_url)
    sim.close()
    files = [
        ("documents[0].file", "certificate.pdf", PDF + alias.encode()),
        ("documents[1].file", "gst.png", PNG + alias.encode()),
    ]
    return multipart([("data", json.dumps(data))], files)


class Load:
    """Clients that create applications until the server is killed at a given acknowledgement."""

    def __init__(self, server: Server, content: tuple[bytes, str], after: int) -> None:
        self.acknowledged: list[str] = []
        self._server, self._content, self._after = server, content, after
        self._guard = threading.Lock()

    def run(self) -> list[str]:
        """The ids of what was acknowledged before the kill, and perhaps right at it."""
        threads = [threading.Thread(target=self._create) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        self._server.bury()
        return self.acknowledged

    def _create(self) -> None:
        body, content_type = self._content
        headers = {
            "Authorization": basic(),
            "User-Agent": SDK_AGENT,
            "Content-Type": content_type,
        }
        connection = self._server.connect()
        try:
            while True:
                path = f"/v1/Account/{AUTH_ID}/PhoneNumber/Compliance/"
                connection.request("POST", path, body, headers)
                answer = connection.getresponse()
                told = json.loads(answer.read())
                assert answer.status == 201, told
                self._acknowledge(told["compliance_id"])
        except (OSError, http.client.HTTPException):
            connection.close()  # the server is dead, as it should be

    def _acknowledge(self, id: str) -> None:
        with self._guard:
            self.acknowledged.append(id)
            if len(self.acknowledged) == self._after:
                self._server.kill()


def test_acknowledged_applications_survive_any_kill(
    nursery: subprocess.Popen[str], tmp_path: Path, receiver: Receiver
) -> None:
    """Twenty times: several clients, ``kill -9`` at a random acknowledgement, start again. All
    that was acknowledged is there and whole; reviews and callbacks happen afterwards, the
    retries of callbacks that a kill interrupted too, each exactly once."""
    state, dice = tmp_path / "state", random.Random(20260105)
    acknowledged: list[str] = []
    for number in range(ROUNDS):
        server = Server(nursery, state)
        content = body_of(f"round {number}", receiver.url)
        acknowledged += Load(server, content, dice.randint(1, MOST_ACKNOWLEDGED)).run()
    stored = whole(state)
    assert set(acknowledged) <= set(stored)
    assert len(acknowledged) == len(set(acknowledged)) >= ROUNDS
    assert len(stored) <= len(acknowledged) + ROUNDS * CLIENTS

    receiver.statuses = [500] * len(stored)
    happenings = []
    for by in ("3 business days", "60s", "1h"):
        server = Server(nursery, state)
        happenings += server.advance(by)
        server.kill()
        server.bury()
    decided = [h["application"] for h in happenings if h["type"] == "transition"]
    assert sorted(decided) == sorted(stored)
    arrived = Counter(
        (callback.json()["compliance_id"], callback.headers["X-Plivo-Sim-Attempt"])
        for callback in receiver.received
    )
    assert arrived == Counter((id, attempt) for id in stored for attempt in ("1", "2"))


def whole(state: Path) -> list[str]:
    """The ids of all applications, after a look at whether each has all that belongs to it."""
    sim = make_simulator(Settings(state=state, paused=True), transport=MemoryTransport())
    store, files = sim.world(AUTH_ID).store, sim.world(AUTH_ID).files
    found = list(store.applications.every())
    for application in found:
        assert (application.status, len(application.timeline)) == ("submitted", 1)
        assert store.end_users.fetch(application.end_user_id) is not None
        assert len(application.document_ids) == 2
        for id in application.document_ids:
            document = store.documents.fetch(id)
            assert document is not None
            assert document.file is not None
            content = files.read(document.file.sha256)
            assert content is not None
            assert sha256_of(content) == document.file.sha256
        assert len(store.timers.having("subject_id", application.id)) == 1
    assert len(store.end_users) == len(store.timers) == len(found)
    assert len(store.documents) == 2 * len(found)
    sim.close()
    return [application.id for application in found]


def test_a_killed_server_s_clock_stands_still(
    nursery: subprocess.Popen[str], tmp_path: Path
) -> None:
    """The next one goes on from the last thing that happened."""
    server = Server(nursery, tmp_path / "state")
    server.advance("36h")
    server.kill()
    server.bury()
    again = Server(nursery, tmp_path / "state")
    assert again.control("GET", f"/clock?account={AUTH_ID}")["now"] == "2026-01-06T21:00:00.000000Z"


def test_a_second_server_on_the_directory_is_refused(
    nursery: subprocess.Popen[str], tmp_path: Path
) -> None:
    """As a command of its own would meet it: an exit code and a sentence."""
    Server(nursery, tmp_path / "state")
    second = subprocess.run(
        [sys.executable, "-m", "plivo_sim.cli", "serve", "--port", "0", "--state",
         str(tmp_path / "state")],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
        cwd=Path(__file__).parents[1],
    )  # fmt: skip
    assert second.returncode != 0
    assert "in use by another plivo-sim" in second.stderr
