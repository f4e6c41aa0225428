"""A process that forks servers which can be killed: Python starts once, not once a server."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
SOURCE = """
import json, os, resource, socket, sys, threading
from plivo_sim.cli import main
import plivo_sim.assembly, plivo_sim.cli.applications, urllib3
from plivo_sim.account.store import compaction, journal

if "compacting" in sys.argv:
    journal.COMPACT_OVER_BYTES, journal.COMPACT_OVER_TIMES = 20_000, 0
    compaction.COMPACT_CHUNK = 10

hanging, look_up = os.environ.get("HANGING_NAMES"), socket.getaddrinfo

def getaddrinfo(host, *args, **options):
    if hanging and str(host).endswith(hanging):
        threading.Event().wait()
    return look_up(host, *args, **options)

socket.getaddrinfo = getaddrinfo

for line in sys.stdin:
    told = json.loads(line)
    if "wait" in told:
        os.waitpid(told["wait"], 0)
        print("dead", flush=True)
    elif (child := os.fork()) == 0:
        if told["descriptors"] is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (told["descriptors"],) * 2)
        main(told["serve"])
    else:
        print(child, flush=True)
"""
"""Each child is the command line's own ``serve``."""


class Nursery:
    """See the module. ``compacting``: its servers rewrite their journals all the time;
    ``hanging``: the end of names whose look-up never ends there."""

    def __init__(
        self, log: Path | None = None, *, compacting: bool = False, hanging: str = ""
    ) -> None:
        self._log = log.open("ab") if log is not None else None
        self._process = subprocess.Popen(
            [sys.executable, "-c", SOURCE, "compacting" if compacting else "as it is"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log or subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
            start_new_session=True,
            env={**os.environ, "HANGING_NAMES": hanging},
        )

    def tell(self, **what: Any) -> None:
        assert self._process.stdin is not None
        print(json.dumps(what), file=self._process.stdin, flush=True)

    def line(self) -> str:
        assert self._process.stdout is not None
        patience = threading.Timer(PATIENCE_S, self._process.kill)
        patience.start()
        line = self._process.stdout.readline()
        patience.cancel()
        assert line, "the nursery has died, or was killed because it said nothing"
        return line

    def close(self) -> None:
        """Whatever is left of its children ends with it."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()
        if self._log is not None:
            self._log.close()


@contextmanager
def open_nursery(
    log: Path | None = None, *, compacting: bool = False, hanging: str = ""
) -> Iterator[Nursery]:
    """A nursery; ``log``: where its servers' logs go."""
    nursery = Nursery(log, compacting=compacting, hanging=hanging)
    try:
        yield nursery
    finally:
        nursery.close()


class Server:
    """A server process that can be killed; ``url`` is where it answers, once it does.

    ``descriptors``: how many it may have, where that is fewer than the system says.
    """

    def __init__(
        self,
        nursery: Nursery,
        state: Path,
        *options: str,
        ready: bool = True,
        descriptors: int | None = None,
    ) -> None:
        self._nursery = nursery
        words = ["serve", "--state", str(state), "--port", "0", "--paused", *options]
        nursery.tell(serve=words, descriptors=descriptors)
        self.pid = 0
        self.url = ""
        while not (self.pid and (self.url or not ready)):
            self._take(nursery.line())

    def _take(self, line: str) -> None:
        if line.strip().isdigit():
            self.pid = int(line)
        elif "Point an SDK at" in line:
            self.url = line.split()[-1].removesuffix("/v1/Account")

    def kill(self) -> None:
        """As hard as it gets."""
        os.kill(self.pid, signal.SIGKILL)

    def bury(self) -> None:
        """Wait until it is dead, so that its directory is free."""
        self._nursery.tell(wait=self.pid)
        while self._nursery.line() != "dead\n":
            pass

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """A call of the control API."""
        connection = self.connect()
        headers = {"Content-Type": "application/json"}
        connection.request(method, f"/_sim{path}", json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        told = json.loads(answer.read())
        connection.close()
        assert answer.status in (200, 202), told
        return told

    def advance(self, by: str, account: str) -> list[dict[str, Any]]:
        """Move an account's clock; what happened."""
        told = self.control("POST", "/clock/advance", {"by": by, "account": account})
        happenings: list[dict[str, Any]] = told["happenings"]
        return happenings
