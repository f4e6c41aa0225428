"""Answers that a fault's latency delays: the call is done and told of at once, whoever is still
there to be answered."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from plivo_sim.account import lock
from plivo_sim.account.account import Account
from plivo_sim.app import create_app
from plivo_sim.assembly import LiveSimulator
from plivo_sim.web import connections
from plivo_sim.web.connection import Phase
from plivo_sim.web.connections import Connections
from plivo_sim.web.server import make_server
from plivo_sim.web.streams import Delay, Held, delay_answer
from tests.fakes import until
from tests.support import AUTH_ID, Http
from tests.web.test_busy_accounts import ask, in_line, read_to_end
from tests.web.test_server import client, connected, get

pytestmark = pytest.mark.live
CREATE = f"POST /v1/Account/{AUTH_ID}/EndUser/"
BODY = json.dumps({"name": "Acme", "end_user_type": "business"})
GET = b"GET / HTTP/1.1\r\nHost: sim\r\n\r\n"
LONG_S = 120.0


@pytest.fixture
def account(live: LiveSimulator) -> Account:
    """One that was written to."""
    account = live.sim.account(AUTH_ID)
    account.keep_ledger()
    return account


@pytest.fixture
def steer(live: LiveSimulator) -> Http:
    """Control calls, in process."""
    return Http(create_app(live.sim), live.sim)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def fault(steer: Http, **given: Any) -> None:
    body = {"latency_s": LONG_S, "operation": "legacy.*", "account": AUTH_ID} | given
    assert steer.control("POST", "/faults", body).status_code == 201


def let_time_be_up(server: Any) -> None:
    """Of all that was delayed or put off."""
    waited: Connections = server.connections
    with waited._lock:
        for conn in [*waited._put_off.timed]:
            waited._put_off.drop(conn)
            conn.held = Held(0.0, None)
            waited._put_off.add(conn, conn.held)
    waited._wake()


def delayed(server: Any) -> int:
    return sum(each.phase is Phase.DELAYED for each in server.connections._waiting())


@pytest.mark.parametrize("way", ["stays", "closes", "half closes"])
@pytest.mark.parametrize(
    ("given", "status", "made"),
    [
        ({"effect": "slow"}, 201, 1),
        ({"effect": "slow", "applied": True}, 201, 1),
        ({"effect": "error", "status": 503}, 503, 0),
        ({"effect": "error", "status": 503, "applied": True}, 503, 1),
        ({"effect": "reset"}, 201, 1),
        ({"effect": "reset", "applied": False}, 500, 0),
        ({"effect": "empty", "applied": False}, 500, 0),
        ({"effect": "truncated"}, 201, 1),
        ({"effect": "invalid_json"}, 201, 1),
    ],
    ids=str,
)
def test_a_call_is_done_and_told_of_before_its_answer_is_sent(
    live: LiveSimulator, account: Account, steer: Http, stack: ExitStack, way: str,
    given: dict[str, Any], status: int, made: int,
) -> None:  # fmt: skip
    """So that an application which creates again after its timeout is seen to do so. Nothing is
    done once more when the time is up."""
    fault(steer, **given)
    sock = ask(live, stack, CREATE, BODY)
    if way == "closes":
        sock.close()
    elif way == "half closes":
        sock.shutdown(socket.SHUT_WR)
    until(lambda: delayed(live._server) == 1)
    for is_up in (False, True):
        if is_up:
            let_time_be_up(live._server)
            until(lambda: not delayed(live._server))
        (shown,) = steer.control("GET", "/requests", account=AUTH_ID).get_json()["requests"]
        assert shown["status"] == status
        assert shown["took_ms"] >= LONG_S * 1000
        assert len(account.store.end_users) == made


def test_who_half_closed_is_answered(
    live: LiveSimulator, account: Account, steer: Http, stack: ExitStack
) -> None:
    """Nobody knows whether it still reads."""
    fault(steer, effect="slow")
    sock = ask(live, stack, CREATE, BODY)
    sock.shutdown(socket.SHUT_WR)
    until(lambda: delayed(live._server) == 1)
    let_time_be_up(live._server)
    assert b" 201 " in read_to_end(sock)


@pytest.mark.parametrize(
    ("effect", "answer"), [("reset", b""), ("empty", b""), ("truncated", b'HTTP/1.1 201')]
)  # fmt: skip
def test_a_cut_waits_too(
    live: LiveSimulator, account: Account, steer: Http, stack: ExitStack, effect: str, answer: bytes
) -> None:
    """Until then the connection is open."""
    fault(steer, effect=effect)
    sock = ask(live, stack, CREATE, BODY)
    until(lambda: delayed(live._server) == 1)
    sock.setblocking(False)
    with pytest.raises(BlockingIOError):
        sock.recv(1)
    sock.setblocking(True)
    let_time_be_up(live._server)
    came = b""
    with suppress(ConnectionResetError):
        while some := sock.recv(65536):
            came += some
    assert not came.endswith(b"}")
    assert answer == b"" == came or effect == "truncated"


@pytest.mark.parametrize(
    ("end", "body"),
    [("reset", {}), ("restore", {"name": "before"}), ("undo", {"sure": True})],
)
@pytest.mark.parametrize("given", [{"effect": "slow"}, {"effect": "error"}], ids=str)
def test_a_call_of_before_does_nothing_after(
    live: LiveSimulator, account: Account, steer: Http, stack: ExitStack, end: str,
    body: dict[str, Any], given: dict[str, Any],
) -> None:  # fmt: skip
    """Else it would be in the next test's account. What it did and what is undone is told so."""
    here = {"account": AUTH_ID}
    assert steer.control("POST", "/snapshot", here | {"name": "before"}).status_code == 201
    assert steer.control("POST", "/undo/points", here | {"what": "all"}).status_code == 201
    fault(steer, **given)
    sock = ask(live, stack, CREATE, BODY)
    until(lambda: delayed(live._server) == 1)
    assert steer.control("POST", f"/{end}", here | body).status_code == 200
    kept = len(live.sim.account(AUTH_ID).exchanges)
    let_time_be_up(live._server)
    status = b" 409 " if given["effect"] == "slow" else b" 500 "
    assert status in read_to_end(sock).partition(b"\r\n")[0]
    assert not len(live.sim.account(AUTH_ID).store.end_users)
    assert len(live.sim.account(AUTH_ID).exchanges) == kept


@pytest.mark.parametrize("most", [0, 8], ids=["without a thread", "with a thread"])
def test_a_call_that_waited_for_its_account_does_nothing_after_a_reset(
    live: LiveSimulator,
    account: Account,
    stack: ExitStack,
    monkeypatch: pytest.MonkeyPatch,
    most: int,
) -> None:
    """It was not begun again as the first of the new one's calls."""
    monkeypatch.setattr(lock, "MOST_WAITING", most)
    with account.lock:
        sock = ask(live, stack, CREATE, BODY)
        until(lambda: in_line(live) == 1 if most == 0 else account.lock.waiting == 1)
        live.sim.remove(account)
        monkeypatch.undo()
    assert b" 409 " in read_to_end(sock).partition(b"\r\n")[0]
    assert not len(account.store.end_users)
    assert b" 201 " in read_to_end(ask(live, stack, CREATE, BODY))


@pytest.mark.parametrize(
    ("asked", "status", "made"), [(CREATE, 201, 1), (CREATE.replace("POST", "GET"), 503, 0)]
)
def test_who_hangs_up_before_its_turn_is_in_the_log(
    live: LiveSimulator, account: Account, steer: Http, stack: ExitStack,
    monkeypatch: pytest.MonkeyPatch, asked: str, status: int, made: int,
) -> None:  # fmt: skip
    """What it wrote is done; what it wanted to read is not computed."""
    monkeypatch.setattr(lock, "MOST_WAITING", 0)
    with account.lock:
        sock = ask(live, stack, asked, BODY if made else "")
        until(lambda: in_line(live) == 1)
        (conn,) = live._server.connections._waiting()  # type: ignore[attr-defined]
        sock.close()
        until(lambda: conn.is_left)
        monkeypatch.undo()
    until(lambda: len(account.exchanges) + len(account.refused) == 1)
    (shown,) = steer.control("GET", "/requests", account=AUTH_ID).get_json()["requests"]
    assert (shown["status"], shown["method"]) == (status, asked.split()[0])
    assert len(account.store.end_users) == made


class Delaying:
    """An application whose answers to POST wait for an hour."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] != "/":
            self.paths.append(environ["PATH_INFO"])
            delay_answer(environ, Delay(3600.0, lambda: None))
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]


@pytest.fixture
def delaying() -> Iterator[Any]:
    server: Any = make_server(Delaying(), grace_s=3000)
    server.start()
    try:
        yield server
    finally:
        server.stop()


LATER = b"GET /later HTTP/1.1\r\nHost: sim\r\n\r\n"


def test_a_stop_waits_for_no_long_delay(delaying: Any) -> None:
    """Whoever waits for it sees its connection end."""
    with connected(delaying) as sock:
        sock.sendall(LATER)
        until(lambda: delayed(delaying) == 1)
        delaying.stop()
        with suppress(ConnectionResetError):
            assert sock.recv(1) == b""


def test_the_connection_goes_on_behind_a_delayed_answer(delaying: Any) -> None:
    """What came meanwhile is served then."""
    with connected(delaying) as sock:
        sock.sendall(LATER + GET)
        until(lambda: delayed(delaying) == 1)
        let_time_be_up(delaying)
        came = b""
        while came.count(b"ok") < 2:
            came += sock.recv(65536)
        assert came.count(b"HTTP/1.1 200") == 2


def test_delayed_answers_are_bounded_with_those_that_are_sent(
    delaying: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first is cut off."""
    monkeypatch.setattr(connections, "MOST_UNSENT_BYTES", 150)
    with connected(delaying) as first, connected(delaying) as second:
        first.sendall(LATER)
        until(lambda: delayed(delaying) == 1)
        second.sendall(LATER)
        assert first.recv(1) == b""
        let_time_be_up(delaying)
        assert second.recv(65536)


def test_delayed_answers_give_way_to_newcomers(
    delaying: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When there is no room for another connection: so many whose clients are gone keep nobody
    out."""
    monkeypatch.setattr(connections, "GIVEN_UP_AFTER_S", 0.0)
    with connected(delaying) as sock:
        sock.sendall(LATER)
        until(lambda: delayed(delaying) == 1)
        delaying.connections._most_open = 1
        with client(delaying) as newcomer:
            assert get(newcomer) == b"ok"
        assert sock.recv(1) == b""
