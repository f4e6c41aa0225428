"""Many at once: clients, accounts, simulators, receivers that call back in."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import urllib3

from plivo_sim.app import create_app
from plivo_sim.assembly import LiveSimulator, make_simulator
from plivo_sim.domain.durations import Duration
from plivo_sim.settings import Settings
from plivo_sim.webhooks.transport import MemoryTransport
from tests.fakes import START, Wall, all_at_once
from tests.support import AUTH_ID, PDF, PNG, SDK_AGENT, Http, Receiver, basic, multipart

OTHER = "MAYYYYYYYYYYYYYYYYYY"


def test_a_thousand_applications_by_eight_threads_are_all_there(http: Http) -> None:
    """None lost, none twice, each with a place of its own, all decided."""
    data = http.sdk_data()

    def create(thread: int) -> list[str]:
        answers = [http.sdk_create(data | {"alias": f"{thread} {n}"}) for n in range(125)]
        return [answer.get_json()["compliance_id"] for answer in answers]

    made = all_at_once(*(lambda thread=thread: create(thread) for thread in range(8)))
    ids = {id for each in made for id in each}
    account = http.account
    stored = list(account.store.applications.every())
    assert len(ids) == 1000
    assert {application.id for application in stored} == ids
    assert len({application.alias for application in stored}) == 1000
    assert [a.seq for a in stored] == sorted({a.seq for a in stored})
    assert (len(account.store.documents), len(account.store.end_users)) == (2000, 1000)
    assert len(http.advance("3 business days")["happenings"]) == 1000
    assert account.store.applications.page({"status": ("accepted",)}).total_count == 1000


def test_readers_see_whole_applications_while_writers_write(http: Http) -> None:
    """No half, no error, and what was seen once is never gone again."""
    data, done = http.sdk_data(), threading.Event()

    def write(thread: int) -> None:
        for number in range(20):
            assert http.sdk_create(data | {"alias": f"{thread} {number}"}).status_code == 201

    def read() -> list[int]:
        counts = []
        while not done.is_set():
            query = {"expand": "end_user,documents", "limit": "20"}
            answer = http.get(
                "PhoneNumber/Compliance/", query_string=query, headers={"User-Agent": SDK_AGENT}
            )
            assert answer.status_code == 200
            told = answer.get_json()
            counts.append(told["meta"]["total_count"])
            for shown in told["compliances"]:
                assert shown["end_user"]["name"]
                assert len(shown["documents"]) == 2
        return counts

    def write_all() -> list[int]:
        all_at_once(*(lambda thread=thread: write(thread) for thread in range(3)))
        done.set()
        return []

    for counts in all_at_once(write_all, read, read):
        assert counts == sorted(counts)


def test_two_accounts_run_different_clocks_at_once() -> None:
    """One stands, one flies; advances of both go on at the same time."""
    wall = Wall()
    sim = make_simulator(
        Settings(review_delay=Duration(3600)), transport=MemoryTransport(), real=wall
    )
    flying = Http(create_app(sim), sim)
    standing = Http(flying.app, sim, auth_id=OTHER)
    flying.account.configure({"warp": "3600"})
    standing.account.configure({"paused": "true"})
    made = flying.sdk_created(), standing.sdk_created()
    wall.pass_s(1)
    statuses = [
        http.get(f"PhoneNumber/Compliance/{id}/").get_json()["compliance"]["status"]
        for http, id in zip((flying, standing), made, strict=True)
    ]
    assert statuses == ["accepted", "submitted"]
    both = all_at_once(lambda: flying.advance("10d"), lambda: standing.advance("1d"))
    assert [len(each["happenings"]) for each in both] == [0, 1]
    assert (flying.account.now(), standing.account.now()) == (
        START + timedelta(days=10, hours=1),
        START + timedelta(days=1),
    )
    sim.close()


def test_two_simulators_in_one_process_share_nothing() -> None:
    """The same account in both: other records, other clocks, other settings."""
    transports = [MemoryTransport(), MemoryTransport()]
    sims = [make_simulator(Settings(paused=True), transport=each) for each in transports]
    first, second = (Http(create_app(sim), sim) for sim in sims)
    first.sdk_created(callback_url="http://127.0.0.1:9/cb")
    first.advance("9d")
    assert second.sim.accounts() == []
    assert (second.account.now(), transports[1].sent) == (START, [])
    second.account.configure({"strict": "true"})
    assert first.account.settings.strict is False
    for sim in sims:
        sim.close()


def test_one_account_s_flood_of_ids_does_not_move_another_s(http: Http) -> None:
    """What an account does cannot be felt in another."""
    other = Http(http.app, http.sim, auth_id=OTHER)
    quiet = other.sdk_created()
    http.sim.remove(other.account)
    *_, loud = all_at_once(*[http.sdk_created] * 4, other.sdk_created)
    assert loud == quiet


# --- over real sockets -----------------------------------------------------------------------


class Caller:
    """A receiver on loopback that, while it is called, calls the simulator that calls it."""

    def __init__(self) -> None:
        self.live: LiveSimulator | None = None
        self.seen: list[tuple[str, int]] = []
        self._arrived = threading.Condition()
        caller = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                seen = caller.call_in(body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()
                with caller._arrived:
                    caller.seen += seen
                    caller._arrived.notify_all()

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def call_in(self, body: str) -> list[tuple[str, int]]:
        """Reads the application that the callback tells of, lists, makes another, deletes it."""
        assert self.live is not None
        id = body.split('"compliance_id":"')[1].split('"')[0]
        base = f"{self.live.url}/v1/Account/{AUTH_ID}/PhoneNumber/Compliance/"
        headers = {"Authorization": basic(), "User-Agent": SDK_AGENT}
        with urllib3.PoolManager(retries=False, timeout=60) as pool:
            got = json.loads(pool.request("GET", f"{base}{id}/", headers=headers).data)
            listed = pool.request("GET", base, headers=headers)
            made = create(pool, self.live.url, "from the receiver", "")
            deleted = pool.request("DELETE", f"{base}{made}/", headers=headers)
        return [(got["compliance"]["status"], listed.status), ("deleted", deleted.status)]

    @contextmanager
    def serving(self) -> Iterator[Caller]:
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def wait_for(self, count: int) -> list[tuple[str, int]]:
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.seen) >= count, 60)
        return self.seen


def create(pool: urllib3.PoolManager, url: str, alias: str, callback_url: str) -> str:
    """A complete application over HTTP; its id."""
    sim = make_simulator(Settings(paused=True), transport=MemoryTransport())
    changes = {"callback_url": callback_url} if callback_url else {}
    data = Http(create_app(sim), sim).sdk_data(alias=alias, **changes)
    sim.close()
    files = [("documents[0].file", "a.pdf", PDF), ("documents[1].file", "b.png", PNG)]
    body, content_type = multipart([("data", json.dumps(data))], files)
    headers = {"Authorization": basic(), "User-Agent": SDK_AGENT, "Content-Type": content_type}
    path = f"/v1/Account/{AUTH_ID}/PhoneNumber/Compliance/"
    answer = pool.request("POST", url + path, body=body, headers=headers)
    assert answer.status == 201, answer.data
    return str(json.loads(answer.data)["compliance_id"])


@pytest.mark.live
@pytest.mark.parametrize("by", ["decision", "advance", "time"])
def test_a_receiver_may_call_in_over_http(by: str) -> None:
    """Whatever brought the callback about, nothing waits for nobody."""
    running = by == "time"
    delay = Duration(0.5) if running else None
    chosen = Settings(port=0, paused=not running, review_delay=delay, callback_timeout_s=60.0)
    with Caller().serving() as caller, LiveSimulator(chosen) as live:
        caller.live = live
        with urllib3.PoolManager(retries=False, timeout=60) as pool:
            id = create(pool, live.url, "first", caller.url)
            if by == "decision":
                verdict = {"status": "accepted"}
                post(pool, f"{live.url}/_sim/applications/{id}/decision", verdict)
            elif by == "advance":
                body = {"by": "3 business days", "account": AUTH_ID}
                told = post(pool, f"{live.url}/_sim/clock/advance", body)
                assert [h.get("state") for h in told["happenings"]] == [None, "delivered"]
            assert caller.wait_for(2) == [("accepted", 200), ("deleted", 200)]


def post(pool: urllib3.PoolManager, url: str, body: Any) -> Any:
    """The answer to a call with a JSON body."""
    headers = {"Content-Type": "application/json"}
    return json.loads(pool.request("POST", url, body=json.dumps(body), headers=headers).data)


@pytest.mark.live
def test_many_clients_and_receivers_over_http(live: LiveSimulator, receiver: Receiver) -> None:
    """Eight clients, forty applications, forty callbacks."""

    def work(thread: int) -> list[str]:
        with urllib3.PoolManager(retries=False, timeout=60) as pool:
            return [create(pool, live.url, f"{thread} {n}", receiver.url) for n in range(5)]

    made = all_at_once(*(lambda thread=thread: work(thread) for thread in range(8)))
    with urllib3.PoolManager(retries=False, timeout=60) as pool:
        body = {"by": "3 business days", "account": AUTH_ID}
        post(pool, f"{live.url}/_sim/clock/advance", body)
    told = sorted(callback.json()["compliance_id"] for callback in receiver.wait_for(40))
    assert told == sorted(id for each in made for id in each)
