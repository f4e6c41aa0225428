"""A call ends when its time is up, whatever the server does with it."""

from __future__ import annotations

import gc
import socket
import threading
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest

from plivo_sim import client
from plivo_sim.client import Http, NoUrl, TooMuch, Unreachable
from plivo_sim.webhooks import lines
from tests.peers import (
    DRIPS,
    ENDLESS,
    PATIENCE_S,
    WITHIN,
    Peer,
    answering,
    dripping_handshake,
    peer,
)

pytestmark = pytest.mark.live
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def late(url: str, *, body: bytes | None = None) -> str:
    """What is told of a call that is given up."""
    http = Http(url, timeout_s=PATIENCE_S)
    with pytest.raises(Unreachable, match="did not answer within") as told:
        http.send("POST" if body else "GET", "/", {}, body=body)
    return str(told.value)


@pytest.mark.parametrize("treat", DRIPS.values(), ids=DRIPS)
def test_a_server_is_given_its_time_and_no_more(
    treat: Callable[[Peer, socket.socket], None],
) -> None:
    """However it spends it."""
    with peer(treat) as there:
        url = f"http://127.0.0.1:{there.port}"
        assert late(url) == f"{url} did not answer within {PATIENCE_S} s"


def test_a_handshake_that_drips_is_given_up() -> None:
    """So is TLS, whose record never ends."""
    with peer(dripping_handshake) as there:
        late(f"https://127.0.0.1:{there.port}")


def test_what_is_cut_before_its_handshake_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """``ssl`` itself leaves such a socket open."""
    new, ended = client._Plain._new_conn, threading.Event()

    def cut(self: Any) -> socket.socket:
        sock = new(self)
        client._CALL.get().line.cut()
        assert ended.wait(60)
        return sock

    def reset(self: Peer, connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"too late")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()
        ended.set()

    monkeypatch.setattr(client._Secured, "_new_conn", cut)
    with peer(reset) as there, warnings.catch_warnings(record=True) as unclosed:
        warnings.simplefilter("always")
        late(f"https://127.0.0.1:{there.port}")
        gc.collect()
    assert [str(each.message) for each in unclosed] == []


def test_the_next_call_over_the_same_connection_has_its_own_time() -> None:
    """The first one was answered in time."""
    begun = threading.Event()

    def treat(self: Peer, connection: socket.socket) -> None:
        self.read_request(connection)
        connection.sendall(WHOLE)
        self.read_request(connection)
        begun.set()
        self.drip(connection, b"H")

    with peer(treat) as there:
        http = Http(f"http://127.0.0.1:{there.port}", timeout_s=60.0)
        assert http.send("GET", "/", {}).json() == {}
        http._timeout_s = 1.0
        with pytest.raises(Unreachable, match="did not answer within"):
            http.send("GET", "/", {})
        assert begun.wait(60)
        assert len(there.seen) == 2


def test_a_body_that_nobody_reads_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given time by its length, and not more."""
    monkeypatch.setattr(client, "LEAST_BYTES_PER_S", 1 << 30)

    def treat(self: Peer, connection: socket.socket) -> None:
        self.over.wait(60)

    with peer(treat) as there:
        late(f"http://127.0.0.1:{there.port}", body=bytes(32 << 20))


def test_a_large_body_is_given_time_by_its_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """As an upload over a slow line takes: here 100 bytes are a second."""
    given: list[float] = []
    until = client.Line.until

    def noted(self: Any, deadline: float) -> Any:
        given.append(deadline)
        return until(self, deadline)

    monkeypatch.setattr(client, "LEAST_BYTES_PER_S", 100)
    for each in (client, lines):
        monkeypatch.setattr(each, "monotonic_s", lambda: 1024.0)
    monkeypatch.setattr(client.Line, "until", noted)
    closing = WHOLE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with peer(answering(closing)) as there:
        http = Http(f"http://127.0.0.1:{there.port}", timeout_s=60.0)
        http.send("POST", "/", {}, body=bytes(200))
        http.send("GET", "/", {})
    assert given == [1024.0 + 60 + 2, 1024.0 + 60]


def test_a_server_that_does_not_accept_is_given_up() -> None:
    """Its backlog is full: connecting takes for ever."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        late(f"http://127.0.0.1:{listener.getsockname()[1]}")


def test_a_name_that_nobody_tells_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's look-up has no end of its own."""
    over = threading.Event()

    def hang(*_: Any, **__: Any) -> Any:
        over.wait(60)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    try:
        late("http://slow.example")
    finally:
        over.set()


def test_a_name_that_can_be_none_is_no_url() -> None:
    """A label has 63 letters at most."""
    with pytest.raises(NoUrl):
        Http(f"http://{'a' * 64}.example").send("GET", "/", {})


# --- what stands around an answer ------------------------------------------------------------


def test_what_stands_around_an_answer_is_passed_over() -> None:
    """Interim answers, extensions of chunks, headers behind the body."""
    with peer(WITHIN) as there:
        answer = Http(f"http://127.0.0.1:{there.port}").send("GET", "/", {})
    assert (answer.status, answer.data) == (200, b"ok")


@pytest.mark.parametrize("limit", ENDLESS)
def test_what_stands_around_an_answer_is_read_up_to_a_limit(limit: str) -> None:
    """Or it would keep a processor busy until the server's time is up."""
    with peer(ENDLESS[limit]) as there:
        url = f"http://127.0.0.1:{there.port}"
        with pytest.raises(TooMuch, match=rf"^the answer of {url} has .* \(limit {limit}\)$"):
            Http(url).send("GET", "/", {})
