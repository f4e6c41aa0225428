"""What computes for long beside the lock of an account does so one at a time (``long_work``).

Threads share one interpreter: each that computes for long takes its share from everybody else.
Who holds an account's lock, or ``long_work``, is one of few; here is counted what is done by those
who hold neither, as calls of Python functions, which are the same on every machine.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from plivo_sim.account.lock import AccountLock
from plivo_sim.app import SURFACES, create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.console import PAGES
from plivo_sim.console.requests import OF_SERVER
from plivo_sim.web.endpoints import full_path
from plivo_sim.webhooks.transport import MemoryTransport
from tests.conftest import PAUSED
from tests.console.support import press
from tests.hostile.test_full_disk import NOTHING_KEPT, OF_ITS_OWN, WRITES, Caller
from tests.hostile.world import fill
from tests.support import AUTH_ID, Http

MOST_CALLS = 20_000
"""Of Python functions: a few milliseconds."""
MANY = 600
"""Of applications, each with a callback."""
ACCOUNTS = 300
LONG_YAML = f"scenario: long\nrules: [{'1,' * 15_000}]"
LONG_RULES = "scenario: long\nrules:\n" + "".join(
    f'- name: r{n}\n  when: {{alias: "*{n}*"}}\n  then: {{rejected: x}}\n' for n in range(200)
)


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[Http, dict[str, str]]]:
    """A simulator in which there is one of everything, many records, and many accounts."""
    sim = make_simulator(PAUSED, transport=MemoryTransport())
    http = Http(create_app(sim), sim)
    ids = fill(http)
    for n in range(MANY):
        http.sdk_created(alias=f"many {n}", callback_url="http://127.0.0.1:9/cb")
    for n in range(ACCOUNTS):
        body = {"auth_id": f"MA{n:018}", "settings": {"warp": "60"}}
        assert http.control("POST", "/accounts", body).status_code == 201
    http.advance("6d")
    for path in ("/snapshot", "/undo/points"):
        body = {"name": "before"} if path == "/snapshot" else {"what": "a decision"}
        assert http.control("POST", path, body | {"account": AUTH_ID}).status_code == 201
    yield http, ids
    sim.close()


class Counter:
    """Counts the calls that this thread makes while it holds no lock of an account."""

    def __init__(self) -> None:
        self.calls = self.held = 0
        self.waited: list[str] = []

    def __call__(self, _: Any, event: str, __: Any) -> None:
        self.calls += event == "call" and not self.held


@pytest.fixture
def counter(world: Any, monkeypatch: pytest.MonkeyPatch) -> Counter:
    counter, thread, sim = Counter(), threading.get_ident(), world[0].sim

    def note(change: int) -> None:
        if threading.get_ident() == thread:
            counter.held += change

    def counting(name: str, change: int) -> None:
        method = getattr(AccountLock, name)

        def counted(lock: AccountLock, *given: Any, **named: Any) -> Any:
            waits = change > 0 and given != (0,) and given != (0.0,)
            if waits and lock is not sim.long_work and sim.long_work.raw._is_owned():
                import traceback; counter.waited.append("".join(traceback.format_stack()[-6:-1]))
            done = method(lock, *given, **named)
            note(0 if done is False and name == "acquire" else change)
            return done

        monkeypatch.setattr(AccountLock, name, counted)

    for name, change in {"__enter__": 1, "acquire": 1, "__exit__": -1, "release": -1}.items():
        counting(name, change)
    return counter


@contextmanager
def profiled(counter: Counter) -> Iterator[None]:
    gc.disable()
    sys.setprofile(counter)
    try:
        yield
    finally:
        sys.setprofile(None)
        gc.enable()


def calls_of(counter: Counter, call: Callable[[], TestResponse]) -> int:
    """Of the second time: what is made once for all is there."""
    call()
    counter.calls = counter.held = 0
    with profiled(counter):
        answer = call()
    assert counter.held == 0
    assert not counter.waited, counter.waited[0]
    assert answer.status_code < 500, answer.text
    return counter.calls


def reads(ids: dict[str, str], http: Http) -> Iterator[str]:
    """The URL of every operation that reads, as large as it can be, and of every page."""
    exchange = [*http.account.exchanges][-1].id
    named = {
        "/webhooks/": ids["delivery"], "/applications/": ids["rejected"], "Compliance/": ids["rejected"],
        "ComplianceApplication/": ids["draft"], "EndUser/": ids["end_user"], "Document/": ids["document"],
        "/requests/": exchange, "Number/": "x", "/inbox/": "default", "/snapshot/": "before",
        "/scenarios/": "happy-path",
    }  # fmt: skip
    for name, surface in SURFACES.items():
        for row in surface.endpoints:
            if row.method != "GET":
                continue
            path = full_path(surface, row).replace("{auth_id}", AUTH_ID)
            paths = [path]
            if path == "/_sim/openapi/{name}.json":
                paths = [path.replace("{name}", each) for each in SURFACES]
            elif "{" in path:
                prefix = path[: path.index("{")]
                paths = [
                    path[: path.index("{")] + quote(id) + path[path.index("}") + 1 :]
                    for start, id in named.items()
                    if prefix.endswith(start)
                ][:1]
            known = {each.name for each in row.query}
            query = "&".join(
                f"{key}={value}"
                for key, value in {"limit": "100000", "account": AUTH_ID}.items()
                if key in known
            )
            for each in paths:
                yield f"{each}?{query}"
    base = f"/_sim/report?format=html&account={AUTH_ID}"
    yield from (base, f"{base}&application={ids['rejected']}", "/_sim/openapi/", "/console/?all")
    for rule, _ in [*PAGES, *OF_SERVER]:
        path = rule.replace("<document_id>", "x").replace("<name>", "default")
        for start, id in named.items():
            path = path.replace(f"{start}<id>", f"{start}{quote(id)}")
        yield f"/console/{AUTH_ID}{path}" if (rule, _) in PAGES else f"/console{path}"
    yield f"/console/{AUTH_ID}/pulse"
    yield from (f"/console/{AUTH_ID}/history?as={kind}&show=all" for kind in ("pytest", "scenario"))
    yield from (f"/_sim/history/copy?account={AUTH_ID}&as={kind}" for kind in ("pytest", "scenario"))


def test_reads(world: tuple[Http, dict[str, str]], counter: Counter) -> None:
    http, ids = world
    found = {url: calls_of(counter, lambda url=url: http.get(url)) for url in reads(ids, http)}
    for url, n in sorted(found.items(), key=lambda x: -x[1])[:40]: print(n, url, http.get(url).status_code)
    long = {url: calls for url, calls in found.items() if calls > MOST_CALLS}
    assert not long
