"""Large requests are served while there is memory for them, in the order of coming."""

from __future__ import annotations

import contextlib
import gzip
import queue
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import Mock

import pytest

from plivo_sim.web import connection, connections
from plivo_sim.web.arrival import Arrival
from plivo_sim.web.server import make_server
from plivo_sim.web.streams import CONNECTION_KEY, Held
from tests.fakes import until
from tests.web.test_server import client, connected, get, read_answer, read_to_end

pytestmark = pytest.mark.live
POST = b"POST /%d HTTP/1.1\r\nHost: sim\r\nContent-Length: %d\r\n\r\n"
SIZE = 3000


class Slow:
    """An application that answers a POST when it is told to."""

    def __init__(self) -> None:
        self.began: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.go_on = threading.Semaphore(0)
        self.server: Any = None

    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        if environ["REQUEST_METHOD"] == "POST":
            try:
                environ["wsgi.input"].read()
            except TimeoutError:
                start_response("408 Request Timeout", [("Content-Length", "2")])
                return [b"{}"]
            self.began.put(environ["PATH_INFO"])
            self.go_on.acquire()
        start_response("200 OK", [("Content-Length", "2"), ("Content-Type", "application/json")])
        return [b"{}"]

    def wait_for_line(self, length: int) -> None:
        """Until so many wait for room."""
        until(lambda: len(self.server.connections._room.line) == length)


@contextmanager
def serving(app: Any) -> Iterator[Any]:
    server = make_server(app)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    monkeypatch.setattr(connection, "SMALL_BYTES", SIZE - 1)
    monkeypatch.setattr(connection, "MOST_SERVED_BYTES", 2 * SIZE)
    app = Slow()
    with serving(app) as app.server:
        yield app
        for _ in range(9):
            app.go_on.release()


def send(sock: Any, number: int) -> None:
    sock.sendall(POST % (number, SIZE) + b"x" * SIZE)


def test_a_large_request_waits_until_there_is_room(slow: Slow) -> None:
    """In the order of coming; small ones do not wait."""
    with connected(slow.server) as a, connected(slow.server) as b, connected(slow.server) as c:
        send(a, 1)
        assert slow.began.get(timeout=60) == "/1"
        send(b, 2)
        slow.wait_for_line(1)
        send(c, 3)
        slow.wait_for_line(2)
        with client(slow.server) as other:
            assert get(other) == b"{}"
        assert slow.began.empty()
        for sock, path in ((a, "/2"), (b, "/3")):
            slow.go_on.release()
            assert read_answer(sock)[0] == 200
            assert slow.began.get(timeout=60) == path
        slow.go_on.release()
        assert read_answer(c)[0] == 200
        send(a, 4)
        assert slow.began.get(timeout=60) == "/4"


def test_few_large_requests_are_served_at_once(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much memory there is: those that read them share one interpreter with all others."""
    monkeypatch.setattr(connection, "MOST_SERVED_BYTES", 100 * SIZE)
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(connected(slow.server)) for _ in range(3)]
        for number, sock in enumerate(socks[:2], 1):
            send(sock, number)
            assert slow.began.get(timeout=60) == f"/{number}"
        send(socks[2], 3)
        slow.wait_for_line(1)
        with client(slow.server) as other:
            assert get(other) == b"{}"
        assert slow.began.empty()
        slow.go_on.release()
        assert slow.began.get(timeout=60) == "/3"


def test_whoever_hangs_up_stays_in_the_line(slow: Slow) -> None:
    """What it sent has come whole, and is done."""
    with connected(slow.server) as a, connected(slow.server) as b, connected(slow.server) as c:
        send(a, 1)
        assert slow.began.get(timeout=60) == "/1"
        send(b, 2)
        slow.wait_for_line(1)
        send(c, 3)
        slow.wait_for_line(2)
        waiting = next(iter(slow.server.connections._room.line))
        b.close()
        until(lambda: waiting.is_left)
        for number in (2, 3):
            slow.go_on.release()
            assert slow.began.get(timeout=60) == f"/{number}"


def test_one_that_gives_way_to_newcomers_is_told(
    slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its client, or the log of requests."""
    monkeypatch.setattr(connections, "GIVEN_UP_AFTER_S", 0.0)
    with connected(slow.server) as a, connected(slow.server) as b:
        send(a, 1)
        assert slow.began.get(timeout=60) == "/1"
        send(b, 2)
        slow.wait_for_line(1)
        slow.server.connections._most_open = 2
        with client(slow.server) as newcomer:
            assert get(newcomer) == b"{}"
        assert read_answer(b)[0] == 503


def test_those_in_the_line_are_unfinished_requests(
    slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When they are too much together, the one that began first is told that there was no room,
    and not begun."""
    monkeypatch.setattr(connections, "MOST_UNFINISHED_BYTES", 2 * SIZE)
    monkeypatch.setattr(connections, "REQUEST_TIMEOUT_S", 3600.0)
    monkeypatch.setattr(connections, "IDLE_TIMEOUT_S", 3600.0)
    with connected(slow.server) as a, connected(slow.server) as b, connected(slow.server) as c:
        send(a, 1)
        assert slow.began.get(timeout=60) == "/1"
        send(b, 2)
        slow.wait_for_line(1)
        send(c, 3)
        assert read_answer(b)[0] == 503
        slow.wait_for_line(1)
        slow.go_on.release()
        assert slow.began.get(timeout=10) == "/3"


def test_a_packed_one_that_is_given_up_does_not_wait_again(
    slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left of it is small, whatever its head says."""
    monkeypatch.setattr(connections, "IDLE_TIMEOUT_S", 0.05)
    head = b"POST /2 HTTP/1.1\r\nHost: sim\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\n"
    with connected(slow.server) as a, connected(slow.server) as b:
        send(a, 1)
        assert slow.began.get(timeout=10) == "/1"
        b.sendall(head + b"x" * 9)
        status, _, told = read_answer(b)
    assert (status, "no room" in told["error"]) == (503, True)


def test_a_call_that_waits_for_its_account_is_told_so_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """It had come whole, and others took the memory."""

    class Full:
        room = 0

    def app(environ: Any, start_response: Any) -> list[bytes]:
        raise Held(3600.0, None, line=Full())

    monkeypatch.setattr(connections, "MOST_UNFINISHED_BYTES", SIZE // 2)
    with serving(app) as server, connected(server) as sock:
        send(sock, 1)
        assert read_answer(sock)[0] == 503


def test_one_that_is_larger_than_the_room_is_served_alone(
    slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for ever."""
    monkeypatch.setattr(connection, "MOST_SERVED_BYTES", 1)
    with connected(slow.server) as sock:
        send(sock, 1)
        assert slow.began.get(timeout=60) == "/1"


def test_a_call_that_is_put_off_gives_its_room_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has none until it is begun again."""
    monkeypatch.setattr(connection, "SMALL_BYTES", SIZE - 1)
    monkeypatch.setattr(connection, "MOST_SERVED_BYTES", SIZE)
    seen: queue.SimpleQueue[str] = queue.SimpleQueue()

    def app(environ: Any, start_response: Any) -> list[bytes]:
        seen.put(environ["PATH_INFO"])
        raise Held(3600.0, None)

    with serving(app) as server, connected(server) as a, connected(server) as b:
        send(a, 1)
        assert seen.get(timeout=60) == "/1"
        send(b, 2)
        assert seen.get(timeout=60) == "/2"


@pytest.mark.parametrize(
    ("header", "is_packed"),
    [(b"gzip", True), (b"Deflate", True), (b"other", True), (b"identity", False), (b"", False)],
)
def test_what_is_packed_counts_as_large_as_it_may_become(header: bytes, is_packed: bool) -> None:
    """A thousand times as much, up to the limit of a body."""
    came = bytearray(b"POST / HTTP/1.1\r\nContent-Encoding: " + header + b"\r\n\r\n")
    arrival = Arrival()
    assert arrival.is_whole(came)
    assert arrival.is_packed is is_packed


def test_of_a_packed_request_the_body_counts_as_larger() -> None:
    """Its head is what it is; of the body, once that has been read, what has come out."""
    head = b"POST / HTTP/1.1\r\nX: " + b"x" * 60_000 + b"\r\nContent-Encoding: gzip\r\n\r\n"
    ours, theirs = socket.socketpair()
    with ours, theirs:
        conn = connection.Connection(Mock(), ours)
        conn.rfile.came += head + b"x" * 40
        conn.arrival.is_whole(conn.rfile.came)
        assert conn.body_bytes == len(head) + 40 + 40 * connection.MOST_PACKED
        conn.arrival.unpacked_bytes = 70
        assert conn.body_bytes == len(head) + 40 + 2 * 70
        conn.arrival.unpacked_bytes = 40 * connection.MOST_PACKED
        assert conn.body_bytes == len(head) + 40 + 40 * connection.MOST_PACKED


def test_who_waits_gives_back_what_was_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the memory for what might have been packed in its body; the rest goes on counting."""
    monkeypatch.setattr(connection, "MOST_SERVED_BYTES", 100_000)
    content = gzip.compress(b'{"a": "' + b"x" * SIZE + b'"}' + b" " * SIZE)
    packed = POST.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n") % (1, len(content))
    begun, go_on = threading.Semaphore(0), threading.Event()
    taken: list[int] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        conn = environ[CONNECTION_KEY]
        if environ["REQUEST_METHOD"] == "POST":
            room = server.connections._room
            taken.append(room.taken_bytes)
            conn.arrival.unpacked_bytes = SIZE
            server.connections.pause(conn)
            taken.append(room.taken_bytes)
            begun.release()
            go_on.wait(60)
        start_response("200 OK", [("Content-Length", "2"), ("Content-Type", "application/json")])
        return [b"{}"]

    with serving(app) as server, connected(server) as a, connected(server) as b:
        a.sendall(packed + content)
        assert begun.acquire(timeout=10)
        b.sendall(packed + content)
        assert begun.acquire(timeout=10)
        go_on.set()
        assert [read_answer(each)[0] for each in (a, b)] == [200, 200]
    came = len(packed + content)
    most = came + len(content) * connection.MOST_PACKED
    assert taken == [most, came + 2 * SIZE, most + came + 2 * SIZE, 2 * (came + 2 * SIZE)]


def test_heads_that_have_come_in_part_are_bounded_with_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The one that began first is answered as too late."""
    monkeypatch.setattr(connections, "MOST_UNFINISHED_BYTES", 5000)
    monkeypatch.setattr(connections, "REQUEST_TIMEOUT_S", 3600.0)
    with serving(Slow()) as server, connected(server) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: sim\r\nX: " + b"x" * 9000)
        assert b" 408 " in read_to_end(sock)
