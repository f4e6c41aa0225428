"""What fresh servers are asked first, by eight threads at the same moment.

A server is a process of its own, because what goes wrong here can end the process. Surface after
surface is called, by threads that wait for one another; each server begins with another surface, so
that what several share is first used by each of them. Runs a few servers in ``test_first_calls``,
and as many as one likes in ``benchmarks/first_calls.py``.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from plivo_sim.app import SURFACES, create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.settings import Settings
from tests.apis.atoms.support import BASE, KEY, TOKEN, Atoms, certificates
from tests.apis.legacy_support import BUSINESS, INDIA
from tests.apis.page import create_body
from tests.support import AUTH_ID, PDF, PNG, SDK_AGENT, Http, basic, multipart

THREADS = 8
PATIENCE_S = 60.0
_SERVE = ["-m", "plivo_sim.cli", "serve", "--port", "0", "--paused"]
_FORM = {"Authorization": basic(), "User-Agent": SDK_AGENT}
_SCENARIO = {
    "scenario": "All is well.",
    "default": {"decide": "accepted", "after": "3d"},
    "faults": [{"effect": "slow", "latency_s": 0.001}],
    "webhooks": {"retries": ["1s"]},
}


@dataclass(frozen=True, slots=True)
class Ask:
    """A call that a fresh server answers with less than 400; ``again``: or with this, where it
    was made before."""

    method: str
    target: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=lambda: {"Authorization": basic()})
    again: int = 200


Surfaces = dict[str, list[Ask]]


def surfaces() -> Surfaces:
    """The first calls of each surface."""
    sim = make_simulator(Settings(paused=True))
    http = Http(create_app(sim), sim)
    try:
        return {
            "policies": _policies(),
            "current": _sdk(http),
            "beta": _beta(),
            "legacy": _legacy(),
            "numbers": _numbers(),
            "atoms": _atoms(Atoms(http)),
            "control": _control(),
            "console": _console(),
            "openapi": [_read(f"/_sim/openapi/{name}.json") for name in SURFACES]
            + [_read("/_sim/openapi/")],
        }
    finally:
        sim.close()


def answers(asked: Surfaces) -> list[str]:
    """Each call that a simulator in this process does not answer as it is to, with its answer."""
    sim = make_simulator(Settings(paused=True))
    http = Http(create_app(sim), sim)
    wrong = []
    for ask in (each for surface in asked.values() for each in surface):
        made = http.call(ask.method, ask.target, data=ask.body, headers=ask.headers)
        if made.status_code >= 400 and made.status_code != ask.again:
            wrong.append(f"{ask.method} {ask.target}: {made.status_code} {made.text[:300]}")
    sim.close()
    return wrong


def _read(path: str, /, **query: str) -> Ask:
    return Ask("GET", f"{path}?{urlencode(query)}" if query else path)


def _send(path: str, body: Any, /) -> Ask:
    headers = {"Authorization": basic(), "Content-Type": "application/json"}
    return Ask("POST", path, json.dumps(body).encode(), headers)


def _control_send(path: str, **body: Any) -> Ask:
    return _send(f"/_sim{path}", body | {"account": AUTH_ID})


def _form(path: str, made: tuple[bytes, str], headers: dict[str, str]) -> Ask:
    return Ask("POST", path, made[0], headers | {"Content-Type": made[1]})


def _of_account(path: str) -> str:
    return f"/v1/Account/{AUTH_ID}/{path}"


def _policies() -> list[Ask]:
    """Those whose parallel first calls ended servers, and the scenario as text."""
    return [
        _control_send("/faults", effect="slow", latency_s=0.001),
        _control_send("/webhooks/policy", retries=["1s"]),
        _control_send("/next-outcome", decide="accepted"),
        _control_send("/scenario", scenario=_SCENARIO),
        _control_send("/scenario", yaml=json.dumps(_SCENARIO)),
        _control_send("/machine", name="default"),
    ]


def _sdk(http: Http) -> list[Ask]:
    key = {"country_iso": "IN", "number_type": "local", "user_type": "business"}
    parts = [("documents[0].file", "c.pdf", PDF), ("documents[1].file", "g.png", PNG)]
    form = multipart([("data", json.dumps(http.sdk_data()))], list(parts))
    url = f"/current{_of_account('PhoneNumber/Compliance/')}"
    listed, asked = Ask("GET", url, b"", _FORM), f"{url}Requirements/?{urlencode(key)}"
    return [_form(url, form, _FORM), Ask("GET", asked, b"", _FORM), listed]


def _beta() -> list[Ask]:
    url = f"/beta{_of_account('PhoneNumber/Compliance/')}"
    return [
        _send(url, create_body()),
        _read(f"{url}Requirements/", country_iso="IN", number_type="local"),
        _read(url),
    ]


def _legacy() -> list[Ask]:
    return [
        replace(_send(_of_account("EndUser/"), BUSINESS), again=400),
        _read(_of_account("ComplianceRequirement/"), **INDIA),
        _read(_of_account("ComplianceDocumentType/")),
        _read(_of_account("ComplianceApplication/")),
    ]


def _numbers() -> list[Ask]:
    return [
        _read(_of_account("PhoneNumber/"), country_iso="US", type="local"),
        _read(_of_account("PhoneNumber/"), country_iso="IN", type="local"),
        replace(_send(_of_account("PhoneNumber/14154009186/"), {}), again=400),
        _read(_of_account("Number/")),
    ]


def _atoms(atoms: Atoms) -> list[Ask]:
    """Its account is not that of the other surfaces."""
    key, bearer = urlencode(KEY), {"Authorization": f"Bearer {TOKEN}"}
    texts = [
        (name, value if isinstance(value, str) else json.dumps(value))
        for name, value in atoms.fields().items()
    ]
    form = multipart(texts, [("files", name, each) for name, each in certificates()])
    return [
        replace(_form(f"{BASE}/applications", form, bearer), again=409),
        Ask("GET", f"{BASE}/requirements?{key}", b"", bearer),
        Ask("GET", f"{BASE}/status?{key}", b"", bearer),
    ]


def _control() -> list[Ask]:
    paths = ("accounts", "scenarios", "schema/scenario.json", "words", "coverage")
    of_account = ("requirements", "applications", "clock", "webhooks/policy", "faults", "export")
    return [
        *(_read(f"/_sim/{path}") for path in paths),
        *(_read(f"/_sim/{path}", account=AUTH_ID) for path in of_account),
        _send("/_sim/inbox/first", {"a": 1}),
        _control_send("/clock/advance", by="1m"),
    ]


def _console() -> list[Ask]:
    pages = ("applications", "time", "scenario", "faults", "numbers", "account", "webhooks",
             "inbox", "requests", "account/coverage", "history")  # fmt: skip
    return [_read("/console/"), *(_read(f"/console/{AUTH_ID}/{page}") for page in pages)]


class Fresh:
    """A server that has just started; ``complaints`` is what it did that it should not."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process, self._log = process, log
        self.complaints: list[str] = []
        self.calls = 0
        self._where = _url_of(process)

    def bear(self, name: str, asks: list[Ask]) -> None:
        """The first calls of a surface, by ``THREADS`` threads at the same moment."""
        rounds = -(-len(asks) // THREADS)
        queue = cycle(asks)
        for _ in range(rounds):
            barrier = threading.Barrier(THREADS)
            threads = [
                threading.Thread(target=self._ask, args=(name, ask, barrier))
                for ask in islice(queue, THREADS)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

    def _ask(self, name: str, ask: Ask, barrier: threading.Barrier) -> None:
        try:
            with closing(http.client.HTTPConnection(self._where, timeout=PATIENCE_S)) as client:
                client.connect()
                barrier.wait(PATIENCE_S)
                client.request(ask.method, ask.target, ask.body or None, ask.headers)
                answer = client.getresponse()
                said = answer.read()
        except (OSError, http.client.HTTPException, threading.BrokenBarrierError) as error:
            barrier.abort()
            self.complaints.append(f"{name}: {ask.method} {ask.target}: {error!r}")
        else:
            self.calls += 1
            if answer.status >= 400 and answer.status != ask.again:
                told = f"{answer.status} {said[:300]!r}"
                self.complaints.append(f"{name}: {ask.method} {ask.target}: {told}")

    def stop(self) -> None:
        """It is to end with 0, and to have told of no failure."""
        self._process.terminate()
        code = self._process.wait(PATIENCE_S)
        if code != 0:
            self.complaints.append(f"ended with {code}")
        if "Traceback" in (text := self._log.read_text()):
            self.complaints.append(text[text.index("Traceback") :][:3000])


@contextmanager
def fresh_server() -> Iterator[Fresh]:
    """A server of its own process, stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="plivo-sim-first-") as folder:
        log = Path(folder, "log")
        with log.open("w") as stream:
            process = subprocess.Popen(
                [sys.executable, *_SERVE],
                stdout=subprocess.PIPE,
                stderr=stream,
                text=True,
            )
        with process:
            try:
                yield (server := Fresh(process, log))
                server.stop()
            finally:
                process.kill()


def _url_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if "Point an SDK at" in line:
            return urlsplit(line.split()[-1]).netloc
    raise AssertionError(f"the server did not start: {process.wait(PATIENCE_S)}")


def in_turn(asked: Surfaces, nth: int) -> list[str]:
    """The surfaces in the order in which the n-th server is asked."""
    names = list(asked)
    start = nth % len(names)
    return names[start:] + names[:start]


def borne(asked: Surfaces, nth: int) -> tuple[int, list[str]]:
    """How many calls the n-th fresh server answered, and every complaint about it."""
    with fresh_server() as server:
        for name in in_turn(asked, nth):
            if not server.complaints:
                server.bear(name, asked[name])
    return server.calls, server.complaints
