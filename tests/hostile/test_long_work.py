"""What computes for long without the lock of an account does so one at a time (``long_work``).

Threads share one interpreter: each that computes for long takes its share from everybody else.
Whoever holds an account's lock, or ``long_work``, is one of few. Here is counted what is done by
those who hold neither, in calls of Python functions, which are the same on every machine.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import combinations, pairwise
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from msgspec import to_builtins
from werkzeug.test import TestResponse

from plivo_sim.account.lock import AccountLock
from plivo_sim.app import SURFACES, create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.console import PAGES
from plivo_sim.console.requests import OF_SERVER
from plivo_sim.domain import limits
from plivo_sim.machines import shipped_machine
from plivo_sim.web.endpoints import full_path
from plivo_sim.webhooks.transport import MemoryTransport
from tests.apis.legacy_support import Legacy
from tests.conftest import PAUSED
from tests.console.support import token_of
from tests.fakes import meanwhile, until
from tests.hostile.test_full_disk import WRITES, Caller
from tests.hostile.world import fill
from tests.support import AUTH_ID, Http

MOST_CALLS = {"/console/": 20_000, "/": 10_000}
"""Of Python functions, by the start of the path: some milliseconds. A page has rows that are
rendered, and pictures."""
DOCUMENTS = 300
"""Of one application of the legacy API."""
MANY = 600
"""Of applications, each with a callback."""
ACCOUNTS = 300
LONG = f"[{'1,' * 15_000}]"
RULES = "".join(
    f'- name: r{n}\n  when: {{alias: "*{n}*"}}\n  then: {{rejected: x}}\n' for n in range(200)
)
LARGEST_SCENARIO = {
    "scenario": "as large as it may be",
    "rules": [
        {
            "name": f"rule {n} {'n' * 60}",
            "when": {"any": [{"alias": f"x{n}-{m}-{'q' * 20}"} for m in range(22)]},
            "decide": "rejected",
            "reason": "r" * 100,
        }
        for n in range(limits.RULES.most)
    ],
}
BODIES: dict[str, dict[str, Any]] = {
    "/scenario/check": {"yaml": f"scenario: long\nrules: {LONG}"},
    "/scenario": {"yaml": f"scenario: long\nrules:\n{RULES}"},
    "/scenario/dry-run": {"scenario": {"scenario": "long", "rules": [1] * 15_000}},
    "/next-outcome": {"rejected": [1] * 15_000},
    "/machine": {"yaml": f"machine: long\nstatuses: {LONG}"},
    "/faults": {"effect": [1] * 15_000},
    "/webhooks/policy": {"retries": ["x"] * 15_000},
    "/evaluate": {"documents": [1] * 15_000},
}
"""Long bodies that are read in the scenario language, or that of machines or of applications."""
BUTTONS: dict[str, dict[str, str]] = {
    "check-scenario": {"yaml": f"scenario: long\nrules: {LONG}"},
    "write-scenario": {"yaml": f"scenario: long\nrules: {LONG}"},
    "write-machine": {"yaml": f"machine: long\nstatuses: {LONG}"},
    "write-fault": {"yaml": f"effect: {LONG}"},
}

World = tuple[Http, dict[str, str]]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
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
    ids["large"] = application_with_many_documents(http)
    fill_up(http, ids)
    yield http, ids
    sim.close()


def application_with_many_documents(http: Http) -> str:
    legacy = Legacy(http)
    end_user, types = legacy.end_user(name="Large"), legacy.types()
    ids = [legacy.document(end_user, types[n % len(types)]) for n in range(DOCUMENTS)]
    return legacy.application(end_user_id=end_user, document_ids=ids)


def fill_up(http: Http, ids: dict[str, str]) -> None:
    """Give the account as much as it may have of what it has few of."""

    def steer(path: str, **body: Any) -> None:
        answer = http.control("POST", path, body, account=AUTH_ID)
        assert answer.status_code < 300, answer.text

    steer("/machine", machine=largest_machine())
    steer("/scenario", scenario=LARGEST_SCENARIO)
    for n in range(limits.FAULTS.most - 1):
        steer("/faults", effect="error", name=f"fault {n}", skip=9999, operation="numbers.release")
    for n in range(limits.TIMELINE.most):
        http.decide(ids["rejected"], ("accepted", "rejected")[n % 2])
    for n in range(limits.NEXT_OUTCOMES.most):
        steer("/next-outcome", decide="rejected", reason=f"reason {n}")
    for n in range(limits.INBOX_MESSAGES.most):
        http.post("/_sim/inbox/default", json={"n": n, "text": "x" * 1000})
    for n in range(limits.SNAPSHOTS.most):
        steer("/snapshot", name=f"now {n}" if n else "now")


def largest_machine() -> dict[str, Any]:
    """The default one, with as many statuses and arrows as there may be."""
    file: dict[str, Any] = to_builtins(shipped_machine("default").file)
    file["machine"] = "as-large-as-it-may-be"
    row = file["statuses"]["rejected"] | {"client": []}
    more = [f"status_{n}_{'x' * 25}" for n in range(limits.STATUSES.most - len(file["statuses"]))]
    file["statuses"] |= dict.fromkeys(more, row)
    ends = [("rejected", more[0]), *pairwise(more), *combinations(more[::-1], 2)]
    hand = [{"from": a, "to": b, "by": ["hand"]} for a, b in ends]
    file["arrows"] = [*file["arrows"], *hand][: limits.ARROWS.most]
    return file


class Counter:
    """Counts the calls that this thread makes while it holds no lock of an account. ``waited``:
    for how many locks it may have waited with ``long_work``."""

    def __init__(self, long_work: AccountLock) -> None:
        self.calls = self.held = self.waited = 0
        self._long_work, self._thread = long_work, threading.get_ident()

    def __call__(self, _: Any, event: str, __: Any) -> None:
        self.calls += event == "call" and not self.held

    def counting(self, method: Callable[..., Any], change: int) -> Callable[..., Any]:
        """The method of a lock, of which so many more are held when it succeeds."""

        def counted(lock: AccountLock, *given: Any, **named: Any) -> Any:
            if threading.get_ident() != self._thread:
                return method(lock, *given, **named)
            may_wait = change > 0 and 0 not in (*given, *named.values())
            is_last = self._long_work.raw._is_owned()  # type: ignore[attr-defined]
            self.waited += may_wait and is_last and lock is not self._long_work
            done = method(lock, *given, **named)
            self.held += change if done is not False or change < 0 else 0
            return done

        return counted

    def of(self, call: Callable[[], TestResponse]) -> int:
        """The calls of the second time: what is made once for all is there."""
        call()
        self.calls = self.held = 0
        gc.disable()
        sys.setprofile(self)
        try:
            answer = call()
        finally:
            sys.setprofile(None)
            gc.enable()
        assert answer.status_code < 500, answer.text
        assert (self.held, self.waited) == (0, 0)
        return self.calls


@pytest.fixture
def counter(world: World, monkeypatch: pytest.MonkeyPatch) -> Counter:
    counter = Counter(world[0].sim.long_work)
    for name, change in {"__enter__": 1, "acquire": 1, "__exit__": -1, "release": -1}.items():
        method = getattr(AccountLock, name)
        monkeypatch.setattr(AccountLock, name, counter.counting(method, change))
    return counter


def check(found: dict[str, int]) -> None:
    """Whether none of these makes too many calls."""
    most = {
        path: next(most for start, most in MOST_CALLS.items() if path.startswith(start))
        for path in found
    }
    assert {path: calls for path, calls in found.items() if calls > most[path]} == {}


def urls(http: Http, ids: dict[str, str]) -> Iterator[str]:
    """Every operation that reads, as much as it gives at once, and every page."""
    named = {
        "applications": ids["rejected"], "Compliance": ids["rejected"], "webhooks": ids["delivery"],
        "ComplianceApplication": ids["draft"], "ComplianceDocument": ids["document"],
        "EndUser": ids["end_user"], "requests": http.account.exchanges.last(1)[0].id,
        "snapshot": "now", "scenarios": "default", "inbox": "default",
    }  # fmt: skip
    asked = {"limit": "100000", "account": AUTH_ID, "others": "all"}
    for surface in SURFACES.values():
        for row in surface.endpoints:
            if row.method == "GET":
                known = {each.name for each in row.query}
                query = urlencode({name: asked[name] for name in asked.keys() & known})
                yield f"{filled(full_path(surface, row), '{}', named)}?{query}"
    for name in SURFACES:
        yield f"/_sim/openapi/{name}.json"
    report, copy = f"/_sim/report?format=html&account={AUTH_ID}", "/_sim/history/copy?as=scenario"
    yield from (report, f"{report}&application={ids['rejected']}", f"{copy}&account={AUTH_ID}")
    yield f"{report}&application={ids['large']}"
    of_large = f"/console/{AUTH_ID}/applications/{ids['large']}"
    yield from (f"{of_large}{page}" for page in ("", "/correct", "/report.html", "/report.txt"))
    yield from ("/_sim/clock?account=MAXXXXXXXXXXXXXXXXXY", "/_sim/openapi/", "/console/?all")
    for rule, _ in OF_SERVER:
        yield f"/console{filled(rule, '<>', named)}"
    for rule, _ in PAGES:
        yield f"/console/{AUTH_ID}{filled(rule, '<>', named)}"
    yield from (f"/console/{AUTH_ID}/history?as={kind}&show=all" for kind in ("pytest", "scenario"))


def filled(path: str, ends: str, named: dict[str, str]) -> str:
    """The path, with the id of something that is there in each place between these ends."""
    parts = path.split("/")
    for n, part in enumerate(parts):
        if part[:1] == ends[0]:
            parts[n] = AUTH_ID if "auth_id" in part else quote(named.get(parts[n - 1], "x"))
    return "/".join(parts)


def test_reads(world: World, counter: Counter) -> None:
    """Of every surface, and the pages of the console."""
    http, ids = world
    check({url: counter.of(lambda url=url: http.get(url)) for url in urls(http, ids)})


def test_looks_at_every_account(world: World, counter: Counter) -> None:
    """Of what no account is named for: a record that nobody holds, the callbacks of an inbox, ids.
    Whoever has to look at all of them makes no call in each without ``long_work``."""
    http, _ = world
    unknown = "00000000-0000-4000-8000-000000000000"
    read = (
        f"/applications/{unknown}", f"/applications/{unknown}/why", f"/webhooks/{unknown}",
        f"/report?application={unknown}", "/inbox/default/messages", "/ids?kind=application",
        "/ids?kind=account",
    )  # fmt: skip
    found = {path: counter.of(lambda path=path: http.get(f"/_sim{path}")) for path in read}
    written = (f"/applications/{unknown}/decision", f"/webhooks/{unknown}/replay")
    for path in written:
        found[path] = counter.of(lambda path=path: http.control("POST", path, {}))
    assert {path: calls for path, calls in found.items() if calls > 5 * ACCOUNTS} == {}


def test_writes(world: World, counter: Counter) -> None:
    """Of every surface."""
    http, ids = world
    caller, found = Caller(http, ids), {}
    with http.account.lock:
        mark = http.account.mark()

    def once(write: Callable[[Caller], TestResponse]) -> TestResponse:
        answer = write(caller)
        sys.setprofile(None)
        http.sim.restore(http.account, mark)
        return answer

    for (surface, name), write in WRITES.items():
        if name not in ("reset", "restore"):
            found[f"/{surface} {name}"] = counter.of(lambda write=write: once(write))
    check(found)


def test_long_bodies(world: World, counter: Counter) -> None:
    """Of control calls, and of buttons that make them."""
    http, found = world[0], {}
    for path, body in BODIES.items():
        found[path] = counter.of(
            lambda path=path, body=body: http.control("POST", path, body, account=AUTH_ID)
        )
    given = {"account": AUTH_ID, "_token": token_of(http)}
    for name, form in BUTTONS.items():
        found[f"/console/do/{name}"] = counter.of(
            lambda name=name, form=form: http.post(f"/console/do/{name}", data=given | form)
        )
    check(found)


@pytest.mark.parametrize("path", ["/export", "/scenario/check"])
def test_what_is_small_waits_for_nobody(http: Http, path: str) -> None:
    """And what is large does, once there is anything of it to be done."""
    small = {"yaml": "scenario: small\nrules: []"}
    large = small if path == "/export" else BODIES[path]
    method, query = ("GET", {"account": AUTH_ID}) if path == "/export" else ("POST", {})

    def call(body: Any) -> TestResponse:
        return http.control(method, path, body if method == "POST" else None, **query)

    http.sdk_created()
    with ExitStack() as stack:
        with http.sim.long_work:
            asked = stack.enter_context(meanwhile(lambda: call(small)))
            assert asked.result(60).status_code == 200
            for _ in range(20 if path == "/export" else 0):
                http.sdk_created()
            waits = stack.enter_context(meanwhile(lambda: call(large)))
            until(lambda: http.sim.long_work.waiting)
        assert waits.result(60).status_code == 200


@pytest.mark.parametrize("path", ["/inbox/full/messages", "/requests", "/unmatched"])
def test_a_list_of_large_texts_waits(http: Http, path: str) -> None:
    """Few of them are enough; of small ones nobody waits."""

    def fill_with(size: int) -> None:
        texts = {"text": "x" * size}
        for _ in range(6):
            http.post("/_sim/inbox/full", json=texts)
            http.post("EndUser/", json=texts)
            http.post("/_sim/nowhere", json=texts)

    http.sdk_created()
    fill_with(10)
    with ExitStack() as stack:
        with http.sim.long_work:
            asked = stack.enter_context(meanwhile(lambda: http.get(f"/_sim{path}")))
            assert asked.result(60).status_code == 200
            fill_with(60_000)
            waits = stack.enter_context(meanwhile(lambda: http.get(f"/_sim{path}")))
            until(lambda: http.sim.long_work.waiting)
        assert waits.result(60).status_code == 200


def test_a_large_machine_is_drawn_once(http: Http) -> None:
    """And again when a number in it is another."""

    def draw() -> str:
        return http.get(f"/_sim/machine.svg?account={AUTH_ID}").text

    http.control("POST", "/machine", {"machine": largest_machine()}, account=AUTH_ID)
    for _ in range(2):
        http.sdk_created()
        with ExitStack() as stack:
            with http.sim.long_work:
                waits = stack.enter_context(meanwhile(draw))
                until(lambda: http.sim.long_work.waiting)
            drawn = waits.result(60)
        with http.sim.long_work, meanwhile(draw) as asked:
            assert asked.result(60) == drawn
