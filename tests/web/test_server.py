"""The HTTP server, over real sockets on the loopback interface."""

from __future__ import annotations

import contextlib
import errno
import http.client
import json
import logging
import queue
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import flask
import pytest
from freezegun import freeze_time

from plivo_sim.web import connections
from plivo_sim.web.arrival import Arrival
from plivo_sim.web.connection import AT_ONCE, Connection, Phase
from plivo_sim.web.connections import Connections
from plivo_sim.web.pool import Pool
from plivo_sim.web.server import Server, make_server
from plivo_sim.web.streams import HELD_KEY, Held, Reader, Stream, cut_connection
from plivo_sim.web.tls import Tls
from tests.fakes import until

pytestmark = pytest.mark.live
GET = b"GET / HTTP/1.1\r\nHost: sim\r\n\r\n"
LARGE = 12 * 1024 * 1024  # more than the system keeps of an answer that nobody reads


class App:
    """A Flask app, and what its handlers tell the test or wait for."""

    def __init__(self) -> None:
        self.flask = flask.Flask(__name__)
        self.flask.config.update(MAX_CONTENT_LENGTH=1000, PROPAGATE_EXCEPTIONS=True)
        self.entered, self.proceed = threading.Event(), threading.Event()
        self.on_close: Callable[[], Any] = lambda: None
        self.flask.add_url_rule("/", "root", self.root, methods=["GET", "POST"])
        self.flask.add_url_rule("/echo", "echo", self.echo, methods=["POST"])
        self.flask.add_url_rule("/wait", "wait", self.wait)
        self.flask.add_url_rule("/cut/<how>/<int:after>", "cut", self.cut)
        self.flask.add_url_rule("/fail", "fail", self.fail)
        self.flask.add_url_rule("/large", "large", lambda: b"x" * LARGE)

    def root(self) -> flask.Response:
        """Answer without reading the request's body."""
        response = flask.jsonify(ok=True)
        response.call_on_close(self.on_close)
        return response

    def echo(self) -> bytes:
        """Answer the request's body."""
        return flask.request.get_data()

    def wait(self) -> str:
        """Answer once the test says so."""
        self.entered.set()
        assert self.proceed.wait(60)
        return "waited"

    def cut(self, how: Any, after: int) -> flask.Response:
        """Cut the connection once this many of the ten bytes declared are written."""
        environ = flask.request.environ

        def body() -> Iterable[bytes]:
            if after:
                yield b"x" * after
            cut_connection(environ, how)
            yield b"y" * (10 - after)

        return flask.Response(body(), headers={"Content-Length": "10"})

    def fail(self) -> str:
        """Raise through Flask."""
        raise RuntimeError("a bug in the app")


@pytest.fixture
def app() -> App:
    """Return a fresh application."""
    return App()


@pytest.fixture
def server(app: App) -> Iterator[Server]:
    """Serve the application."""
    with serving(app) as server:
        yield server


@contextlib.contextmanager
def serving(app: App, **options: Any) -> Iterator[Server]:
    """Serve the application until the block ends."""
    server = make_server(app.flask, **options)
    server.start()
    try:
        yield server
    finally:
        app.proceed.set()
        server.stop()


@contextlib.contextmanager
def connected(server: Server) -> Iterator[socket.socket]:
    """Open a bare connection."""
    with socket.create_connection((server.host, server.port), timeout=60) as sock:
        yield sock


@contextlib.contextmanager
def client(server: Server) -> Iterator[http.client.HTTPConnection]:
    """Open a client's keep-alive connection."""
    with contextlib.closing(http.client.HTTPConnection(server.host, server.port, 60)) as connection:
        yield connection


def get(connection: http.client.HTTPConnection, path: str = "/") -> bytes:
    """Return the body of the answer to a GET."""
    connection.request("GET", path)
    return connection.getresponse().read()


def read_answer(sock: socket.socket) -> tuple[int, str | None, Any]:
    """Return the status, content type and JSON of the answer arriving on a bare connection."""
    with contextlib.closing(http.client.HTTPResponse(sock)) as response:
        response.begin()
        return response.status, response.headers["Content-Type"], json.loads(response.read())


def read_to_end(sock: socket.socket) -> bytes:
    """Return everything that arrives until the server closes the connection."""
    return b"".join(iter(lambda: sock.recv(65536), b""))


def test_port_0_gives_a_usable_port(server: Server) -> None:
    """Port 0 is replaced by the bound one, which the URL names and which answers."""
    assert server.port != 0
    assert server.url == f"http://127.0.0.1:{server.port}"
    with client(server) as connection:
        assert json.loads(get(connection)) == {"ok": True}


def test_port_in_use_is_an_os_error_with_its_errno(app: App, server: Server) -> None:
    """Starting on a port in use raises the OSError of the binding itself."""
    second = make_server(app.flask, port=server.port)
    with pytest.raises(OSError, match="in use") as caught:
        second.start()
    assert caught.value.errno == errno.EADDRINUSE
    second.stop()


_KILLED = """
import signal
from plivo_sim.web.server import make_server

def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]

server = make_server(app)
server.start()
print(server.port, flush=True)
signal.pause()
"""


def test_the_port_of_a_killed_server_is_free_again(app: App) -> None:
    """Also when it was chosen by port 0 and a client holds on to its connection."""
    command = [sys.executable, "-c", _KILLED]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout is not None
        port = int(killed.stdout.readline())
        with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
            killed.kill()
            killed.wait()
            assert client.recv(65536) == b""
            with serving(app, port=port) as server:
                assert server.port == port


def test_an_answer_that_cannot_be_sent_is_logged_as_what_the_client_got(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What went wrong, and a line with the status."""

    def broken(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("X-Name", "आधार")])
        return [b""]

    caplog.set_level("INFO", logger="plivo_sim")
    server = make_server(broken)
    server.start()
    with connected(server) as sock:
        sock.sendall(b"GET /file HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert read_answer(sock)[0] == 500
    server.stop()
    assert [each.exc_info is not None for each in caplog.records] == [True, False]
    assert caplog.messages[1] == "GET /file - 500: Internal Server Error"


@pytest.mark.parametrize("begin", [b"GET /\x01 HTTP/1.1\r\n\r\n", GET], ids=["refused", "served"])
def test_a_client_that_is_gone_is_no_error(begin: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody reads what it is told, whether the server or the application refused it."""
    entered, gone, over = threading.Event(), threading.Event(), threading.Event()

    def slow(environ: Any, start_response: Any) -> Iterable[bytes]:
        entered.set()
        assert gone.wait(10)
        start_response("400 Bad Request", [("Content-Length", "4")])
        try:
            yield b"no"
            yield b"ne"
        finally:
            over.set()

    server = make_server(slow, words_refusals=True)
    server.start()
    with connected(server) as sock:
        sock.sendall(begin)
        assert entered.wait(10)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    gone.set()
    assert over.wait(10)
    server.stop()
    assert not caplog.records


@pytest.mark.parametrize("error", [TimeoutError(errno.ETIMEDOUT, "timed out"), ssl.SSLError("eof")])
def test_whatever_a_socket_says_of_a_peer_that_is_gone(error: OSError) -> None:
    """What is written is not kept, and nothing more is tried."""

    class Gone:
        def setblocking(self, _: bool) -> None: ...

        def send(self, _: memoryview) -> int:
            raise error

    stream = Stream(cast("socket.socket", Gone()))
    stream.send(b"an answer")
    assert (stream.is_cut, list(stream.unsent)) == (True, [])


def test_all_interfaces_has_a_loopback_url(app: App) -> None:
    """A server on 0.0.0.0 has a URL that a client on the machine can use."""
    with serving(app, host="0.0.0.0") as server:
        assert server.url == f"http://127.0.0.1:{server.port}"
        with client(server) as connection:
            assert get(connection)


def test_keep_alive_reuses_a_connection(server: Server) -> None:
    """Two requests go over one connection."""
    with client(server) as connection:
        get(connection)
        sock = connection.sock
        get(connection)
        assert connection.sock is sock is not None


@pytest.mark.parametrize("own", [None, "Thu, 01 Jan 2026 00:00:00 GMT"])
def test_an_answer_has_one_date(app: App, server: Server, own: str | None) -> None:
    """Its own, if it has one; else that of the server."""
    app.flask.after_request(lambda answer: _dated(answer, own))
    with client(server) as connection:
        connection.request("GET", "/")
        dates = connection.getresponse().headers.get_all("Date") or []
    assert len(dates) == 1
    assert own in (None, *dates)


def _dated(answer: flask.Response, date: str | None) -> flask.Response:
    if date is not None:
        answer.headers["Date"] = date
    return answer


@pytest.mark.parametrize("first", [b"", GET], ids=["unused", "used"])
def test_idle_connections_do_not_block_another(app: App, first: bytes) -> None:
    """With 40 idle connections open and 2 threads, a 41st is answered and so are the 40."""
    with serving(app, threads=2) as server, contextlib.ExitStack() as stack:
        idle = [stack.enter_context(connected(server)) for _ in range(40)]
        if first:
            for sock in idle:
                sock.sendall(first)
                assert read_answer(sock)[0] == 200
        with client(server) as connection:
            assert get(connection)
        for sock in idle:
            sock.sendall(GET)
            assert read_answer(sock)[0] == 200


@pytest.mark.parametrize("path", ["/", "/echo"], ids=["unread", "read"])
@pytest.mark.parametrize(
    "body", [b"0\r\n\r\n", b"3\r\nabc\r\n0\r\nTrailer: x\r\n\r\n"], ids=["empty", "trailer"]
)
def test_chunked_body_leaves_the_connection_usable(server: Server, path: str, body: bytes) -> None:
    """A chunked body, read by the app or not, is gone before the next request."""
    head = f"POST {path} HTTP/1.1\r\nHost: sim\r\nTransfer-Encoding: chunked\r\n\r\n"
    with connected(server) as sock:
        for _ in range(3):
            sock.sendall(head.encode() + body)
            with contextlib.closing(http.client.HTTPResponse(sock)) as response:
                response.begin()
                assert response.status == 200
                if path == "/echo":
                    assert response.read() == (b"abc" if b"abc" in body else b"")
                response.read()


CONNECTION = {
    "close": (b"Connection: close", True),
    "a list": (b"Connection: keep-alive, close", True),
    "a list in capitals": (b"Connection: CLOSE ,Keep-Alive", True),
    "two headers": (b"Connection: keep-alive\r\nConnection: close", True),
    "another option": (b"Connection: upgrade", False),
    "part of a word": (b"Connection: closed", False),
    "nothing": (b"X-A: close", False),
}


@pytest.mark.parametrize(("header", "closes"), CONNECTION.values(), ids=CONNECTION)
@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_connection_is_a_list_of_options(
    server: Server, header: bytes, closes: bool, version: bytes
) -> None:
    """In any spelling; ``close`` wins, and HTTP/1.0 closes unless it is asked to stay."""
    with connected(server) as sock:
        sock.sendall(b"GET / HTTP/%b\r\nHost: sim\r\n%b\r\n\r\n" % (version, header))
        assert read_answer(sock)[0] == 200
        if closes or version == b"1.0":
            assert read_to_end(sock) == b""
        else:
            sock.sendall(GET)
            assert read_answer(sock)[0] == 200


@pytest.mark.parametrize("option", [b"Keep-Alive", b"keep-alive", b"x, KEEP-ALIVE"])
def test_http_1_0_may_ask_to_stay(server: Server, option: bytes) -> None:
    """In any spelling, as its clients do."""
    with connected(server) as sock:
        for _ in range(2):
            sock.sendall(b"GET / HTTP/1.0\r\nConnection: %b\r\n\r\n" % option)
            assert read_answer(sock)[0] == 200


def test_a_refused_head_has_no_body(server: Server) -> None:
    """Nor where the application does not word it."""
    with connected(server) as sock:
        sock.sendall(b"HEAD / HTTP/3.0\r\n\r\n")
        head, end, body = read_to_end(sock).partition(b"\r\n\r\n")
        assert (head[:12], end, body) == (b"HTTP/1.1 505", b"\r\n\r\n", b"")


def test_expect_100_continue_is_answered_before_the_body(server: Server) -> None:
    """A client that waits for 100 Continue before sending its body gets it."""
    head = b"POST /echo HTTP/1.1\r\nHost: sim\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
    with connected(server) as sock:
        sock.sendall(head)
        assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"1234")
        assert read_answer(sock)[2] == 1234


def test_expect_100_continue_behind_another_request_is_answered(server: Server) -> None:
    """It came together with the one before, which is answered first."""
    head = b"POST /echo HTTP/1.1\r\nHost: sim\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
    with connected(server) as sock, sock.makefile("rb") as came:
        sock.sendall(GET + head)
        first = list(iter(came.readline, b"\r\n"))
        came.read(int(next(each.split()[1] for each in first if each.startswith(b"Content-L"))))
        assert came.read(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"1234")
        assert read_answer(sock)[2] == 1234


def test_http_1_0_has_no_100_continue(server: Server) -> None:
    """Its one answer is the one to the request (RFC 9110, 10.1.1)."""
    head = b"POST /echo HTTP/1.0\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
    with connected(server) as sock:
        sock.sendall(head)
        sock.sendall(b"1234")
        assert read_to_end(sock).startswith(b"HTTP/1.1 200 ")
    arrival = Arrival()
    arrival.is_whole(bytearray(head))
    assert not arrival.expects_continue


def test_reset_before_an_answer(server: Server) -> None:
    """A reset before the first byte is seen as a reset."""
    with connected(server) as sock:
        sock.sendall(GET.replace(b"/ ", b"/cut/reset/0 "))
        with pytest.raises(ConnectionResetError):
            sock.recv(1)


def test_close_before_an_answer(server: Server) -> None:
    """A close before the first byte is seen as an empty answer."""
    with connected(server) as sock:
        sock.sendall(GET.replace(b"/ ", b"/cut/close/0 "))
        assert read_to_end(sock) == b""


@pytest.mark.parametrize("how", ["reset", "close"])
def test_cut_in_mid_answer_truncates_it(server: Server, how: str) -> None:
    """What was written before a cut arrives, and nothing after it."""
    with client(server) as connection:
        connection.request("GET", f"/cut/{how}/4")
        response = connection.getresponse()
        assert response.read(4) == b"xxxx"
        if how == "close":
            assert response.read(1) == b""
        else:
            with pytest.raises(ConnectionResetError):
                response.read(1)
    with client(server) as connection:
        assert get(connection)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nnonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"G\x01ET / HTTP/1.1\r\nHost: sim\r\n\r\n", 400),
        (b"\x0bGET / HTTP/1.1\r\nHost: sim\r\n\r\n", 400),
        (b"GET /\0 HTTP/1.1\r\nHost: sim\r\n\r\n", 400),
        (b"GET /?a=\x1b HTTP/1.1\r\nHost: sim\r\n\r\n", 400),
        (b"GET http://sim/\x7f HTTP/1.1\r\nHost: sim\r\n\r\n", 400),
        (b"GET / HTTP/1.1\nHost: sim\n\n", 400),
        (b"GET / HTTP/3.0\r\n\r\n", 505),
        (b"GET / HTTP/+1.1\r\n\r\n", 400),
        (b"GET ftp://[x/ HTTP/1.1\r\n\r\n", 400),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", 431),
        (b"POST / HTTP/1.1\r\nContent-Length: 100000000\r\n\r\n", 413),
        (b"GET /fail HTTP/1.1\r\nHost: sim\r\n\r\n", 500),
    ],
)
def test_the_servers_own_errors_are_json(server: Server, sent: bytes, status: int) -> None:
    """A request the app never sees, or fails on, is answered in JSON."""
    with connected(server) as sock:
        sock.sendall(sent)
        answer = read_answer(sock)
        assert answer[:2] == (status, "application/json")
        assert list(answer[2]) == ["error"]
        assert read_to_end(sock) == b""


def test_a_slow_request_ends_in_408(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request whose head does not arrive in time is answered 408, and JSON."""
    monkeypatch.setattr(connections, "REQUEST_TIMEOUT_S", 0.05)
    with connected(server) as sock:
        sock.sendall(GET[:-2])
        assert read_answer(sock)[:2] == (408, "application/json")


SLOW = {
    "head": GET[:-2],
    "body": b"POST /echo HTTP/1.1\r\nHost: sim\r\nContent-Length: 2\r\n\r\n1",
    "chunk": b"POST /echo HTTP/1.1\r\nHost: sim\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n1",
    "trailer": b"POST /echo HTTP/1.1\r\nHost: sim\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b",
    "unread body": b"GET / HTTP/1.1\r\nHost: sim\r\nContent-Length: 2\r\n\r\n1",
    "refused body": b"POST / HTTP/1.1\r\nHost: sim\r\nContent-Length: 99999999\r\n\r\n1",
    "reading": b"GET /large HTTP/1.1\r\nHost: sim\r\n\r\n",
}


@pytest.mark.parametrize("sent", SLOW.values(), ids=SLOW)
def test_slow_clients_need_no_thread(
    app: App, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    """While 20 clients dawdle in the middle of a request or its answer, another is answered by the
    one thread there is."""
    monkeypatch.setattr(connections, "REQUEST_TIMEOUT_S", 3600.0)
    monkeypatch.setattr(connections, "LINGER_S", 3600.0)
    with serving(app, threads=1) as server, contextlib.ExitStack() as stack:
        slow = [stack.enter_context(connected(server)) for _ in range(20)]
        for sock in slow:
            sock.sendall(sent)
        with client(server) as connection:
            for _ in range(3):
                assert get(connection)
        until(lambda: len(server.connections._waiting()) >= 20)


def test_without_room_those_that_wait_longest_are_closed(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newcomer is answered."""
    monkeypatch.setattr(connections, "GIVEN_UP_AFTER_S", 0.0)
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(client(server)) for _ in range(8)]
        for each in idle:
            assert get(each)
        server.connections._most_open = 8
        assert get(stack.enter_context(client(server)))
        assert idle[0].sock.recv(1) == b""


def test_the_last_place_is_taken_without_closing_another(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Room is made when somebody waits for it, not before."""
    monkeypatch.setattr(connections, "GIVEN_UP_AFTER_S", 0.0)
    server.connections._most_open = 2
    with client(server) as first, client(server) as second:
        for each in (first, second, first, second):
            assert get(each)


def test_accepting_recovers_from_what_the_system_refuses(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It pauses, says so, and goes on."""
    refusals = iter([OSError(errno.EMFILE, "Too many open files")] * 2)
    accept = socket.socket.accept

    def refusing(sock: socket.socket) -> Any:
        for error in refusals:
            raise error
        return accept(sock)

    monkeypatch.setattr(socket.socket, "accept", refusing)
    with client(server) as connection:
        assert get(connection)
    assert [each for each in caplog.messages if "Too many open files" in each]


def test_unfinished_bodies_are_bounded_together(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that was begun first gives way, as if its time were up; others arrive."""
    monkeypatch.setattr(connections, "MOST_UNFINISHED_BYTES", 5000)
    monkeypatch.setattr(connections, "REQUEST_TIMEOUT_S", 3600.0)
    head = b"POST /echo HTTP/1.1\r\nHost: sim\r\nContent-Length: %d\r\n\r\n"
    with connected(server) as first, connected(server) as second:
        first.sendall(head % 999_999 + b"x" * 9000)
        assert first.recv(65536)
        second.sendall(head % 4 + b"12")
        second.sendall(b"34")
        assert read_answer(second)[2] == 1234


def asking(sock: socket.socket) -> None:
    """Ask for a large answer, and read no more than its beginning."""
    sock.sendall(GET.replace(b"/ ", b"/large "))
    assert sock.recv(12) == b"HTTP/1.1 200"


def sending(server: Any) -> int:
    """How many answers are sent that are not taken at once."""
    waited = server.connections
    with waited._lock:
        return len([each for each in waited._open if each.phase is Phase.SENDING])


def test_answers_that_are_read_slowly_are_bounded_together(
    server: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Those that are read for the longest are cut off; the last one arrives whole. A piece of which
    only the end is unsent takes all its memory, and counts so."""
    monkeypatch.setattr(connections, "MOST_UNSENT_BYTES", 2 * LARGE)
    monkeypatch.setattr(connections, "SENDING_TIMEOUT_S", 3600.0)
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(connected(server)) for _ in range(4)]
        for n, sock in enumerate(slow, 1):
            asking(sock)
            until(lambda n=n: sending(server) + sum("is cut" in m for m in caplog.messages) >= n)
        for sock in slow[:2]:
            with contextlib.suppress(ConnectionResetError):
                assert len(read_to_end(sock)) < LARGE
        assert len(read_to_end_of(slow[3], LARGE)) >= LARGE
    assert [each for each in caplog.messages if "(limit unsent)" in each]


def read_to_end_of(sock: socket.socket, size: int) -> bytes:
    """Return at least as many bytes, or what comes until the end."""
    found = b""
    while len(found) < size and (more := sock.recv(1 << 20)):
        found += more
    return found


def test_an_answer_that_is_larger_than_all_may_be_arrives(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When no other is sent."""
    monkeypatch.setattr(connections, "MOST_UNSENT_BYTES", 1)
    with client(server) as connection:
        assert get(connection, "/large") == b"x" * LARGE


def test_slow_readers_give_way_to_others_too(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """When nobody else holds a connection."""
    monkeypatch.setattr(connections, "GIVEN_UP_AFTER_S", 0.0)
    monkeypatch.setattr(connections, "SENDING_TIMEOUT_S", 3600.0)
    server.connections._most_open = 2
    with connected(server) as first, connected(server) as second, client(server) as third:
        asking(first)
        asking(second)
        assert get(third)


def test_a_request_that_comes_byte_by_byte_is_served(server: Server) -> None:
    """However it is cut."""
    chunked = b"Transfer-Encoding: chunked\r\n\r\n3;x=y\r\n[1,\r\n2\r\n2]\r\n0\r\nA: b\r\n\r\n"
    with connected(server) as sock:
        for request in (b"POST /echo HTTP/1.1\r\nHost: sim\r\n" + chunked, GET):
            for byte in request:
                sock.send(bytes([byte]))
            assert read_answer(sock)[2] == ([1, 2] if request != GET else {"ok": True})


def test_a_length_may_begin_with_zeros() -> None:
    """Its body is waited for, as with any other."""
    head = b"POST / HTTP/1.1\r\nContent-Length: " + b"0" * 20 + b"2\r\n\r\n"
    arrival = Arrival()
    assert not arrival.is_whole(bytearray(head + b"1"))
    assert arrival.is_whole(bytearray(head + b"12"))


def test_requests_that_come_together_are_answered_in_their_order(server: Server) -> None:
    """A client that does not wait for answers."""
    post = b"POST /echo HTTP/1.1\r\nHost: sim\r\nContent-Length: 1\r\n\r\n"
    with connected(server) as sock:
        sock.sendall(b"".join(post + b"%d" % n for n in range(9)) + GET)
        file = sock.makefile("rb")
        told = file.read(1)
        while not told.endswith(b'{"ok":true}'):
            told += file.read(1)
    answers = told.split(b"HTTP/1.1 200 OK")[1:-1]
    assert [answer[-1:] for answer in answers] == [b"%d" % n for n in range(9)]


def test_a_large_answer_arrives_whole(server: Server) -> None:
    """Though its client begins to read late; the next request is answered too."""
    with client(server) as connection:
        for _ in range(2):
            assert get(connection, "/large") == b"x" * LARGE


def test_a_request_that_is_put_off_needs_no_thread() -> None:
    """It is asked again, body and all, with what it noted; others are answered meanwhile."""
    seen: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def app(environ: Any, start_response: Any) -> list[bytes]:
        body, note = environ["wsgi.input"].read(4), environ.get(HELD_KEY)
        seen.put((body, note))
        if body == b"wait" and note is None:
            raise Held(0.05, "noted")
        start_response("200 OK", [("Content-Length", "4")])
        return [body]

    server = make_server(app, threads=1)
    server.start()
    with client(server) as first, client(server) as second:
        first.request("POST", "/", b"wait")
        assert seen.get(timeout=60) == (b"wait", None)
        second.request("POST", "/", b"next")
        assert second.getresponse().read() == b"next"
        assert first.getresponse().read() == b"wait"
        first.request("POST", "/", b"more")
        assert first.getresponse().read() == b"more"
    server.stop()
    told = [seen.get(timeout=60) for _ in range(3)]
    assert sorted(told, key=str) == [(b"more", None), (b"next", None), (b"wait", "noted")]


def test_stop_cuts_what_is_put_off_for_longer_than_its_grace() -> None:
    """At once."""
    put_off = threading.Event()

    def app(environ: Any, start_response: Any) -> list[bytes]:
        put_off.set()
        raise Held(3600, None)

    server = make_server(app, grace_s=3000)
    server.start()
    with connected(server) as sock:
        sock.sendall(GET)
        assert put_off.wait(60)
        server.stop()
        with contextlib.suppress(ConnectionResetError):
            assert sock.recv(1) == b""


def listens(server: Server) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", server.port)) == 0


def test_a_draining_server_answers_what_comes_over_open_connections(app: App) -> None:
    """One request each, which ends its connection; new ones are refused, and with the last
    connection the stop is over, however long the drain may be."""
    with serving(app, drain_s=3000) as server, client(server) as first, client(server) as second:
        get(first, "/")
        get(second, "/")
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        until(lambda: not listens(server))
        for connection in (first, second):
            assert stopping.is_alive()
            connection.request("GET", "/")
            answer = connection.getresponse()
            assert (answer.status, answer.getheader("Connection")) == (200, "close")
            answer.read()
        stopping.join(60)
        assert not stopping.is_alive()


def test_idle_connections_are_closed_when_the_drain_is_over(app: App) -> None:
    with serving(app, drain_s=0.01) as server, client(server) as connection:
        assert get(connection, "/")
        server.stop()
        assert connection.sock.recv(1) == b""


@contextlib.contextmanager
def putting_off() -> Iterator[tuple[Any, queue.SimpleQueue[Any]]]:
    """Serve an application that puts every call off for an hour, once; and what it was given."""
    seen: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def app(environ: Any, start_response: Any) -> list[bytes]:
        seen.put(environ.get(HELD_KEY))
        if environ.get(HELD_KEY) is None and environ["REQUEST_METHOD"] == "POST":
            raise Held(3600, "noted")
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    server = make_server(app)
    server.start()
    try:
        yield server, seen
    finally:
        server.stop()


PUT_OFF = b"POST / HTTP/1.1\r\nHost: sim\r\nContent-Length: 4\r\n\r\nbody"


def test_a_call_that_is_put_off_is_dropped_when_its_client_hangs_up() -> None:
    """The server ends its side too, and keeps nothing of the call."""
    with putting_off() as (server, seen), connected(server) as sock:
        sock.sendall(PUT_OFF)
        assert seen.get(timeout=60) is None
        sock.shutdown(socket.SHUT_WR)
        assert read_to_end(sock) == b""
        assert not server.connections._put_off.timed
    assert seen.empty()


def test_calls_that_are_put_off_give_way_to_newcomers(monkeypatch: pytest.MonkeyPatch) -> None:
    """When there is no room for another connection."""
    monkeypatch.setattr(connections, "GIVEN_UP_AFTER_S", 0.0)
    held = threading.Event()
    with putting_off() as (server, _), connected(server) as sock:
        wake = server.connections._wake
        monkeypatch.setattr(server.connections, "_wake", lambda: (held.set(), wake()))
        sock.sendall(PUT_OFF)
        assert held.wait(60)
        with client(server) as idle, client(server) as newcomer:
            assert get(idle) == b"ok"
            server.connections._most_open = 2
            assert get(newcomer) == b"ok"
        assert read_to_end(sock) == b""


def test_bodies_of_calls_that_are_put_off_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was begun first is answered as if its time were up."""
    with putting_off() as (server, seen), connected(server) as first, connected(server) as second:
        monkeypatch.setattr(connections, "MOST_UNFINISHED_BYTES", 2 * len(PUT_OFF) - 1)
        first.sendall(PUT_OFF)
        assert seen.get(timeout=60) is None
        until(lambda: len(server.connections._put_off.timed) == 1)
        second.sendall(PUT_OFF)
        assert seen.get(timeout=60) is None
        assert seen.get(timeout=60) == "noted"
        assert first.recv(65536).endswith(b"ok")
        assert len(server.connections._put_off.timed) == 1


@pytest.mark.parametrize("size", [10_000, 5_000_000], ids=["skipped", "lingering"])
def test_an_oversized_body_is_answered_though_unread(server: Server, size: int) -> None:
    """A client that sends all of a body the app refuses still reads the answer."""
    with client(server) as connection:
        connection.request("POST", "/echo", b"x" * size)
        assert connection.getresponse().status == 413


@pytest.mark.parametrize("size", [500, 500_000])
def test_an_unread_body_keeps_the_connection(server: Server, size: int) -> None:
    """A body that the app has not read does not become the next request."""
    with client(server) as connection:
        connection.request("POST", "/", b"x" * size)
        connection.getresponse().read()
        sock = connection.sock
        assert get(connection)
        assert connection.sock is sock is not None


def test_call_on_close_runs_after_the_answer_was_written(app: App, server: Server) -> None:
    """The client has the whole answer in hand while `call_on_close` is still running."""
    app.on_close = app.wait
    with client(server) as connection:
        assert json.loads(get(connection)) == {"ok": True}
        assert app.entered.wait(60)


def test_idle_connections_outlive_time_that_is_frozen_and_freed(server: Any) -> None:
    """They are judged by a clock that only ever goes on."""
    with client(server) as connection:
        for _ in range(10):
            with freeze_time("2012-01-14"):
                assert get(connection)
                assert get(connection)
                assert server.connections._deadlines.late() == []
            assert get(connection)


def test_connections_that_are_idle_for_long_are_closed(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that those of clients that are gone do not add up."""
    monkeypatch.setattr(connections, "IDLE_TIMEOUT_S", -1.0)
    with connected(server) as sock:
        assert read_to_end(sock) == b""


def test_stop_is_quick_with_idle_connections(app: App) -> None:
    """Idle and half-sent requests are given no grace, and see their connections closed."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(serving(app, grace_s=3600.0))
        socks = [stack.enter_context(connected(server)) for _ in range(10)]
        for sock in socks[:5]:
            sock.sendall(GET)
            read_answer(sock)
        socks[9].sendall(GET[:-2])
        stopping = threading.Thread(target=server.stop, daemon=True)
        stopping.start()
        stopping.join(60)
        assert not stopping.is_alive()
        for sock in socks[:9]:
            with contextlib.suppress(ConnectionResetError):
                assert sock.recv(1) == b""
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((server.host, server.port), timeout=60)


def test_stop_lets_a_request_in_progress_finish(app: App) -> None:
    """A request in progress when the server stops is answered."""
    with serving(app, grace_s=60.0) as server, client(server) as connection:
        connection.request("GET", "/wait")
        assert app.entered.wait(60)
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        app.proceed.set()
        assert connection.getresponse().read() == b"waited"
        stopping.join(60)
        assert not stopping.is_alive()


def test_stop_cuts_a_request_that_outlasts_its_grace(app: App) -> None:
    """A request still in progress after the grace has its connection cut."""
    with serving(app, grace_s=0.05) as server, client(server) as connection:
        connection.request("GET", "/wait")
        assert app.entered.wait(60)
        server.stop()
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            connection.getresponse()


def test_stop_ends_though_its_thread_does_not(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever that hangs at."""
    monkeypatch.setattr(connections, "ENDS_WITHIN_S", 0.01)
    goes_on = threading.Event()
    with serving(app, grace_s=0.01) as server:
        may_end = Connections._may_end

        def hang(conns: Connections) -> bool:
            return goes_on.wait(60) and may_end(conns)

        monkeypatch.setattr(Connections, "_may_end", hang)
        stopping = threading.Thread(target=server.stop, daemon=True)
        stopping.start()
        stopping.join(10)
        is_over = not stopping.is_alive()
        goes_on.set()
    assert is_over


def once_out_of_memory(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> threading.Event:
    """The first call of this raises MemoryError; set once it has."""
    happened, work = threading.Event(), getattr(owner, name)

    def failing(*args: Any, **named: Any) -> Any:
        if happened.is_set():
            return work(*args, **named)
        happened.set()
        raise MemoryError

    monkeypatch.setattr(owner, name, failing)
    return happened


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (Reader, "gather"),
        (Connection, "communicate"),
        (Connection, "end_request"),
        (Connections, "settle"),
        (Connections, "_wait"),
        (Connections, "_accept"),
        (Connections, "_may_end"),
        (Pool, "put"),
        (Pool, "_next"),
    ],
    ids=lambda it: getattr(it, "__name__", it),
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_out_of_memory_once_costs_one_connection(
    server: Server, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str
) -> None:
    """Wherever it happens, and though the log cannot be written either: others are answered. No
    place of the room is taken for good."""
    happened = once_out_of_memory(monkeypatch, owner, name)
    once_out_of_memory(monkeypatch, logging.Logger, "_log")
    with connected(server) as sock:
        sock.sendall(GET)
        with contextlib.suppress(ConnectionError):
            sock.recv(65536)
        assert happened.wait(60)
    for _ in range(2):
        with client(server) as connection:
            assert json.loads(get(connection)) == {"ok": True}
    waited: Any = server
    until(lambda: not waited.connections._open)
    assert waited.connections._room.taken_bytes == 0


def test_stop_ends_the_threads(app: App) -> None:
    """Nothing is left running after a stop."""
    before = set(threading.enumerate())
    with serving(app) as server, client(server) as connection:
        assert get(connection)
    for thread in set(threading.enumerate()) - before:
        thread.join(60)
        assert not thread.is_alive(), thread


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """Return a self-signed certificate for 127.0.0.1."""
    if not (openssl := shutil.which("openssl")):
        pytest.skip("needs the openssl command")
    certificate, key = (tmp_path_factory.mktemp("tls") / name for name in ("cert.pem", "key.pem"))
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
            *("-subj", "/CN=sim", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    return Tls(certificate, key)


@pytest.fixture
def tls_server(app: App, tls: Tls) -> Iterator[Server]:
    """Serve the application over TLS."""
    with serving(app, tls=tls) as server:
        yield server


@contextlib.contextmanager
def tls_client(server: Server, tls: Tls) -> Iterator[http.client.HTTPSConnection]:
    """Open a client's connection which trusts that certificate."""
    context = ssl.create_default_context(cafile=str(tls.certificate))
    with contextlib.closing(
        http.client.HTTPSConnection(server.host, server.port, timeout=60, context=context)
    ) as connection:
        yield connection


def test_tls(tls_server: Server, tls: Tls) -> None:
    """TLS serves keep-alive requests, even while another client does not shake hands."""
    assert tls_server.url.startswith("https://")
    with connected(tls_server), tls_client(tls_server, tls) as connection:
        for _ in range(3):
            assert json.loads(get(connection)) == {"ok": True}
        connection.request("POST", "/echo", b"x" * 5_000_000)
        assert connection.getresponse().status == 413


def test_tls_that_shook_hands_is_idle_then(tls_server: Any, tls: Tls) -> None:
    """No request has begun: it may take as long to come as on a connection that is kept alive."""
    with tls_client(tls_server, tls) as connection:
        connection.connect()
        (waiting,) = tls_server.connections._waiting()
        with connected(tls_server) as silent:  # what came is seen by the time another is answered
            silent.sendall(b"\x16")
            with tls_client(tls_server, tls) as other:
                for _ in range(3):
                    assert get(other)
            began = next(
                each
                for each in tls_server.connections._waiting()
                if each.remote_port == silent.getsockname()[1]
            )
            assert (waiting.phase.name, began.phase.name) == ("IDLE", "HEAD")


def test_tls_cut(tls_server: Server, tls: Tls) -> None:
    """A reset goes through under TLS."""
    with tls_client(tls_server, tls) as connection:
        connection.request("GET", "/cut/reset/0")
        with pytest.raises(ConnectionResetError):
            connection.getresponse()


def test_tls_that_breaks_in_a_body_is_the_end_of_the_body(tls: Tls) -> None:
    """The application learns of it as of any connection that breaks: by an OSError."""
    raised: queue.SimpleQueue[Exception] = queue.SimpleQueue()

    def app(environ: Any, start_response: Any) -> list[bytes]:
        try:
            environ["wsgi.input"].read(9)
        except Exception as error:
            raised.put(error)
        start_response("200 OK", [])
        return []

    server = make_server(app, tls=tls)
    server.start()
    with tls_client(server, tls) as connection:
        connection.putrequest("POST", "/")
        connection.putheader("Content-Length", "9")
        connection.endheaders()
        socket.socket.send(connection.sock, b"no record of TLS")
        assert isinstance(raised.get(timeout=60), ConnectionError)
    server.stop()


def test_plain_http_to_a_tls_port_is_told_so(tls_server: Server) -> None:
    """Plain HTTP to a TLS port is answered in plain HTTP, and JSON."""
    with connected(tls_server) as sock:
        sock.sendall(GET)
        assert read_answer(sock) == (
            400,
            "application/json",
            {"error": "this port speaks HTTPS only"},
        )


def test_tls_certificate_missing(app: App, tmp_path: Path) -> None:
    """A certificate that is not there is an OSError before anything starts."""
    with pytest.raises(FileNotFoundError):
        make_server(app.flask, tls=Tls(tmp_path / "no.pem", tmp_path / "no.key"))
