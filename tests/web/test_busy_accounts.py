"""Requests for an account in which somebody works for long."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import Any

import pytest
import urllib3
from flask import Request

from plivo_sim.account.account import Account
from plivo_sim.account.lock import MOST_WAITING, AccountLock, set_asker
from plivo_sim.app import create_app
from plivo_sim.assembly import LiveSimulator
from plivo_sim.control.presenters import problem_details
from plivo_sim.simulator import Simulator
from plivo_sim.web import connection, connections, put_off
from plivo_sim.web.calls import Call
from plivo_sim.web.connections import Connections
from plivo_sim.web.patience import Patience
from tests.fakes import meanwhile, until
from tests.support import AUTH_ID, TOKEN, Http, basic

pytestmark = pytest.mark.live
OTHER = "MAOTHEROTHEROTHEROTH"
MANY = 150
"""More than there are threads for requests."""
BUSY = [
    f"GET /v1/Account/{AUTH_ID}/PhoneNumber/Compliance/",
    f"POST /v1/Account/{AUTH_ID}/EndUser/",
    f"GET /v1/Account/{AUTH_ID}/Number/",
    f"GET /_sim/clock?account={AUTH_ID}",
    f"POST /_sim/clock/pause?account={AUTH_ID}",
    f"GET /console/{AUTH_ID}/applications",
]
"""Each waits for the account, by whatever way it comes to it."""
BEHIND_ANOTHER = {
    f"POST /_sim/restore?account={AUTH_ID}": '{"name": "x"}',
    f"POST /_sim/snapshot?account={AUTH_ID}": '{"name": "x"}',
    f"POST /_sim/takeover?account={AUTH_ID}": '{"snapshot": {}}',
    "POST /_sim/reset": '{"account": "all"}',
}
"""Each has another lock before it waits for the account: those without a length that for large
documents, the reset that of the account before."""
LONG = {"yaml": "x" * 5000}
AT_WORK: dict[str, Any] = {
    "POST /_sim/scenario/check": LONG,
    f"POST /_sim/scenario/check?account={AUTH_ID}": LONG,
    f"POST /_sim/scenario?account={AUTH_ID}": LONG,
    f"POST /_sim/machine?account={AUTH_ID}": LONG,
    f"POST /_sim/faults?account={AUTH_ID}": LONG,
    f"POST /_sim/next-outcome?account={AUTH_ID}": LONG,
    f"POST /_sim/webhooks/policy?account={AUTH_ID}": LONG,
    f"POST /_sim/scenario/dry-run?account={AUTH_ID}": LONG,
    f"POST /_sim/evaluate?account={AUTH_ID}": LONG,
    "GET /_sim/schema/scenario.json": "",
}
"""Each is work for long, of which one is done at a time."""
PASSING = {
    "GET /_sim/accounts": b"200",
    "GET /_sim/applications/00000000-0000-0000-0000-000000000000": b"404",
    "GET /_sim/webhooks/00000000-0000-0000-0000-000000000000": b"404",
    "GET /_sim/inbox/one/messages": b"200",
    "GET /_sim/ids?kind=account": b"200",
    "GET /_sim/ids?kind=application": b"200",
    "GET /_sim/events?status=accepted": b"200",
    "GET /_sim/events?status=odd": b"400",
    f"GET /_sim/report?account={OTHER}&others=all": b"200",
    "GET /console/?all": b"200",
}
"""Each looks at all accounts, and is about none of them."""


@pytest.fixture(name="accounts")
def fixture_accounts(
    live: LiveSimulator,
) -> tuple[Account, Account]:
    """The busy one, and another."""
    first, other = live.sim.account(AUTH_ID), live.sim.account(OTHER)
    first.keep_ledger()
    other.keep_ledger()
    return first, other


@contextmanager
def busy(lock: AccountLock) -> Iterator[None]:
    """Somebody else holds it, until the end."""
    began, ends = threading.Event(), threading.Event()

    def work() -> None:
        with lock:
            began.set()
            ends.wait()

    thread = threading.Thread(target=work)
    thread.start()
    began.wait()
    try:
        yield
    finally:
        ends.set()
        thread.join()


def ask(
    live: LiveSimulator, stack: ExitStack, asked: str, body: str = "", *, in_chunks: bool = False
) -> socket.socket:
    sock = stack.enter_context(connected(live))
    head = f"{asked} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {basic(AUTH_ID, TOKEN)}\r\n"
    length = f"Content-Length: {len(body)}"
    if in_chunks:
        length, body = "Transfer-Encoding: chunked", f"{len(body):x}\r\n{body}\r\n0\r\n\r\n"
    head += f"Content-Type: application/json\r\n{length}\r\n"
    sock.sendall(f"{head}Connection: close\r\n\r\n{body}".encode())
    return sock


def connected(live: LiveSimulator) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(live.url.rpartition(":")[2])), 30)


def read_to_end(sock: socket.socket) -> bytes:
    answer = b""
    with suppress(ConnectionResetError):
        while some := sock.recv(65536):
            answer += some
    return answer


def in_line(live: LiveSimulator) -> int:
    waited: Connections = live._server.connections  # type: ignore[attr-defined]
    with waited._lock:
        return sum(map(len, waited._put_off.lines.values()))


@pytest.mark.parametrize("asked", BUSY)
def test_a_busy_account_keeps_few_threads(
    live: LiveSimulator, accounts: tuple[Account, Account], asked: str
) -> None:
    """The others that want it wait without one, and each is answered once it is free; nobody else
    waits. What a client wrote that hung up is done, what it wanted to read is not."""
    with ExitStack() as stack:
        pool = stack.enter_context(urllib3.PoolManager(retries=False, timeout=30))
        with busy(accounts[0].lock):
            socks = [ask(live, stack, asked) for _ in range(MANY)]
            until(lambda: in_line(live) == MANY - MOST_WAITING)
            assert accounts[0].lock.waiting == MOST_WAITING
            assert pool.request("GET", f"{live.url}/_sim/health/live").status == 200
            assert pool.request("GET", f"{live.url}/_sim/clock?account={OTHER}").status == 200
            for sock in socks[-20:]:
                sock.shutdown(socket.SHUT_WR)
            conns = live._server.connections._open  # type: ignore[attr-defined]
            until(lambda: sum(each.is_left for each in conns) >= 20 - MOST_WAITING)
            assert in_line(live) == MANY - MOST_WAITING
        answers = [read_to_end(sock) for sock in socks]
    assert in_line(live) == 0
    assert accounts[0].lock.waiting == 0
    answered = [answer.split()[1] for answer in answers]
    left = answered.count(b"503")
    assert len({*answered} - {b"503"}) == 1
    assert 20 - MOST_WAITING <= left <= 20 if asked.startswith("GET") else left == 0


@pytest.mark.parametrize("asked", BEHIND_ANOTHER)
def test_who_has_another_lock_keeps_few_threads_too(
    live: LiveSimulator, accounts: tuple[Account, Account], asked: str
) -> None:
    """Nothing was done yet that could not be done again."""
    with ExitStack() as stack:
        with busy(accounts[0].lock):
            body = BEHIND_ANOTHER[asked]
            socks = [ask(live, stack, asked, body, in_chunks=True) for _ in range(MANY)]
            until(lambda: in_line(live) == MANY - MOST_WAITING)
        assert all(read_to_end(sock) for sock in socks)


@pytest.mark.parametrize("asked", AT_WORK)
def test_who_works_for_long_keeps_few_threads(live: LiveSimulator, asked: str) -> None:
    """The others are begun again when it is their turn; nobody else waits."""
    with ExitStack() as stack:
        pool = stack.enter_context(urllib3.PoolManager(retries=False, timeout=30))
        with busy(live.sim.long_work):
            body = json.dumps(AT_WORK[asked]) if AT_WORK[asked] else ""
            socks = [ask(live, stack, asked, body) for _ in range(MANY)]
            until(lambda: in_line(live) == MANY - MOST_WAITING)
            assert pool.request("GET", f"{live.url}/_sim/health/live").status == 200
        answered = {read_to_end(sock).split()[1] for sock in socks}
    assert len(answered) == 1
    assert in_line(live) == 0


@pytest.mark.parametrize("asked", PASSING)
def test_who_looks_at_all_accounts_passes_a_busy_one(
    live: LiveSimulator, accounts: tuple[Account, Account], asked: str
) -> None:
    """It is shown as it is, as far as that can be told: nobody waits for what others do in it."""
    for account in accounts:  # its own machine is not read yet
        account.derived.clear()
    with ExitStack() as stack, busy(accounts[0].lock):
        answer = read_to_end(ask(live, stack, asked))
        assert answer.split()[1] == PASSING[asked]


def test_a_record_of_a_free_account_is_found_beside_a_busy_one(
    live: LiveSimulator, accounts: tuple[Account, Account]
) -> None:
    """No call has to name the account for that."""
    http = Http(create_app(live.sim), live.sim, OTHER)
    id = http.sdk_created(callback_url=f"{live.url}/_sim/inbox/one")
    http.decide(id, "accepted")
    webhook = accounts[1].store.deliveries.having("application_id", id)[0].id
    with ExitStack() as stack, busy(accounts[0].lock):
        for asked in (
            f"GET /_sim/applications/{id}",
            f"POST /_sim/applications/{id}/decision",
            f"GET /_sim/webhooks/{webhook}",
        ):
            answer = read_to_end(ask(live, stack, asked, '{"status": "suspended"}'))
            assert answer.split()[1] in (b"200", b"201")
        assert b"suspended" in read_to_end(ask(live, stack, f"GET /_sim/applications/{id}"))


def test_a_call_that_waits_without_a_thread_is_one_call(
    live: LiveSimulator, accounts: tuple[Account, Account]
) -> None:
    """Each is counted and told of once, by the rate limit too."""
    account = accounts[0]
    with ExitStack() as stack:
        with busy(account.lock):
            socks = [ask(live, stack, BUSY[0]) for _ in range(40)]
            until(lambda: in_line(live) == 40 - MOST_WAITING)
        answers = [read_to_end(sock).decode() for sock in socks]
    assert len(account.exchanges) == account.api_calls == 40
    left = {answer.partition("X-RateLimit-Remaining: ")[2].split()[0] for answer in answers}
    assert len(left) == 40


def test_who_waits_for_an_account_has_no_place_among_the_large(
    live: LiveSimulator, accounts: tuple[Account, Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others are served meanwhile, and one at a time those that have got it."""
    monkeypatch.setattr(connection, "SMALL_BYTES", 0)
    monkeypatch.setattr(connection, "MOST_LARGE", 1)
    monkeypatch.setattr(connection, "RETURNS_WITHIN_S", 25.0)
    at_once: list[int] = []
    begin_turn = connection.Room._begin_turn

    def noting(room: connection.Room, *given: Any) -> None:
        begin_turn(room, *given)
        at_once.append(room._large)

    monkeypatch.setattr(connection.Room, "_begin_turn", noting)
    with ExitStack() as stack:
        with busy(accounts[0].lock):
            waiting = []
            for number in range(1, 4):
                waiting.append(ask(live, stack, BUSY[1], '{"name": "x"}'))
                until(lambda number=number: accounts[0].lock.waiting == number)  # type: ignore[misc]
            other = ask(live, stack, "GET /_sim/health/live")
            assert read_to_end(other).split()[1] == b"200"
            room: connection.Room = live._server.connections._room  # type: ignore[attr-defined]
            assert room.taken_bytes > 0  # what has come stays in memory
        assert all(read_to_end(each).split()[1] for each in waiting)
    assert len(at_once) >= 7
    assert set(at_once) == {1}


def test_who_waits_has_no_memory_for_what_was_not_packed(
    live: LiveSimulator, accounts: tuple[Account, Account]
) -> None:
    """A thousand times the body was taken before that was read."""
    content = b'{"to": "2030-01-01T00:00:00Z"}'
    body = gzip.compress(content)
    with ExitStack() as stack, busy(accounts[0].lock):
        sock = stack.enter_context(connected(live))
        head = f"POST /_sim/clock/advance?account={AUTH_ID} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        head += f"Authorization: {basic(AUTH_ID, TOKEN)}\r\nContent-Encoding: gzip\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        sock.sendall(head.encode() + body)
        until(lambda: accounts[0].lock.waiting == 1)
        room: connection.Room = live._server.connections._room  # type: ignore[attr-defined]
        until(lambda: room.taken_bytes == len(head) + len(body) + 2 * len(content))


def test_a_stop_waits_for_no_account(
    live: LiveSimulator, accounts: tuple[Account, Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the busy one did is written already; the clocks of the others are written down."""
    monkeypatch.setattr("plivo_sim.assembly.GRACE_S", 0.0)
    kept = accounts[1].changes
    with busy(accounts[0].lock):
        live.stop()
        assert accounts[1].changes > kept


def test_nobody_waits_in_process(sim: Simulator) -> None:
    """For a lock that is busy a thread without a server waits, and is served."""
    account = sim.account(AUTH_ID)
    with ExitStack() as stack:
        with busy(account.lock):
            drawn = stack.enter_context(meanwhile(account.next_api_id))
            until(lambda: account.lock.waiting == 1)
        assert drawn.result(30)


@pytest.mark.parametrize(("method", "may_leave_then"), [("POST", False), ("GET", True)])
def test_a_call_may_leave_until_its_view_has_an_account(
    live: LiveSimulator, method: str, may_leave_then: bool
) -> None:
    """What comes before keeps what it did; what comes after would be done twice, if it does more
    than read."""
    environ = {"wsgi.url_scheme": "http", "REQUEST_METHOD": method}
    call = Call(live.sim, problem_details, Request(environ))
    patience, seen = Patience(call, None), []
    set_asker(patience)
    try:
        for step in (lambda: None, patience.opened):
            step()
            seen.append(patience.may_leave)
            with AccountLock():
                seen.append(patience.may_leave)
    finally:
        set_asker(None)
    assert seen == [True, True, True, may_leave_then]


def test_those_that_were_put_off_follow_each_other(
    live: LiveSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next one has its turn when the one before is over, and waits for no tick."""
    monkeypatch.setattr(connections, "TICK_S", 3600.0)
    monkeypatch.setattr(put_off, "RESUMED_AT_ONCE", 1)
    fault = {"effect": "slow", "latency_s": 0.05, "api": "legacy", "account": AUTH_ID}
    with urllib3.PoolManager(retries=False, timeout=30) as pool:
        pool.request("POST", f"{live.url}/_sim/faults", json=fault)
    with ExitStack() as stack:
        socks = [ask(live, stack, f"GET /v1/Account/{AUTH_ID}/EndUser/") for _ in range(20)]
        assert {read_to_end(sock).split()[1] for sock in socks} == {b"200"}


def test_a_request_that_is_answered_at_once_wakes_nobody(
    live: LiveSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection is waited for where the others are."""
    woken: list[Connections] = []
    monkeypatch.setattr(Connections, "_wake", woken.append)
    host, port = live.url.removeprefix("http://").split(":")
    with closing(http.client.HTTPConnection(host, int(port), 60)) as connection:
        for _ in range(3):  # the one before is over when the next one is answered
            connection.request("GET", "/_sim/health")
            assert connection.getresponse().read()
    assert woken == []


def test_who_waits_for_a_receiver_has_no_place_among_the_large(
    live: LiveSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its request has been read, and others can be; though few large ones are served at once."""
    monkeypatch.setattr(connection, "SMALL_BYTES", 0)
    monkeypatch.setattr(connection, "MOST_LARGE", 1)
    with socket.create_server(("127.0.0.1", 0)) as hangs, ExitStack() as stack:
        http = Http(create_app(live.sim), live.sim)
        http.sdk_created(callback_url=f"http://127.0.0.1:{hangs.getsockname()[1]}/")
        waiting = ask(live, stack, f"POST /_sim/clock/advance?account={AUTH_ID}", '{"by": "10d"}')
        taken = live.sim.runner._sender._places._taken
        until(lambda: len(taken) == 1)
        other = ask(live, stack, "GET /_sim/health/live")
        assert read_to_end(other).split()[1] == b"200"
        assert len(taken) == 1
        hangs.accept()[0].close()
        hangs.close()
        assert read_to_end(waiting).split()[1] in (b"200", b"202")
