"""What a server keeps of connections that are over: nothing, without a collector of cycles."""

from __future__ import annotations

import gc
import logging
import queue
import socket
import ssl
import struct
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from plivo_sim.web import connection, connections
from plivo_sim.web.bodies import Body
from plivo_sim.web.server import make_server
from plivo_sim.web.streams import Held
from plivo_sim.web.tls import Tls
from tests.fakes import until
from tests.support import Http
from tests.web.test_server import (
    App,
    asking,
    client,
    connected,
    get,
    read_answer,
    read_to_end,
    serving,
    tls,
)

pytestmark = pytest.mark.live
__all__ = ["tls"]
POST = b"POST /echo HTTP/1.1\r\nHost: sim\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[queue.SimpleQueue[Any]]:
    """Return what tells of each connection made from now on that it, and its buffer, are gone; no
    cycle is collected meanwhile."""
    made: queue.SimpleQueue[Any] = queue.SimpleQueue()

    class Watched(connection.Connection):
        def __init__(self, server: Any, sock: socket.socket) -> None:
            super().__init__(server, sock)
            gone = [threading.Event() for _ in range(2)]
            for each, event in zip((self, self.rfile), gone, strict=True):
                weakref.finalize(each, event.set)
            made.put(gone)

    monkeypatch.setattr(connection, "Connection", Watched)
    monkeypatch.setattr(connections, "LINGER_S", 0.0)
    monkeypatch.setattr(connections, "REQUEST_TIMEOUT_S", 3600.0)
    monkeypatch.setattr(connections, "SENDING_TIMEOUT_S", 3600.0)
    gc.collect()
    gc.disable()
    logging.disable()  # what pytest keeps of the log has tracebacks, which refer to everything
    yield made
    logging.disable(logging.NOTSET)
    gc.enable()


def check_gone(made: queue.SimpleQueue[Any]) -> None:
    """Wait until the next one that was made, and its buffer, are there no more."""
    for gone in made.get(timeout=60):
        assert gone.wait(60)


def finished(sock: socket.socket) -> None:
    """Have a request answered."""
    sock.sendall(POST % 4 + b"1234")
    assert read_to_end(sock).endswith(b"1234")


def left(sock: socket.socket) -> None:
    """Hang up without a word."""


def aborted(sock: socket.socket) -> None:
    """Hang up in the middle of a body."""
    sock.sendall(POST % 999 + b"1234")


def broken(sock: socket.socket) -> None:
    """Reset the connection in the middle of a body."""
    sock.sendall(POST % 999 + b"1234")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def refused(sock: socket.socket) -> None:
    """Announce more than is taken."""
    sock.sendall(POST % 99_999_999 + b"1234")
    assert read_answer(sock)[0] == 413


def unreadable(sock: socket.socket) -> None:
    """Send what is no HTTP."""
    sock.sendall(b"no HTTP\r\n\r\n")
    assert read_answer(sock)[0] == 400


def cut(sock: socket.socket) -> None:
    """Be cut off by the application."""
    sock.sendall(b"GET /cut/close/1 HTTP/1.1\r\nHost: sim\r\n\r\n")
    assert read_to_end(sock)


def given_up(sock: socket.socket) -> None:
    """Send the rest of a body too late."""
    sock.sendall(POST % 999 + b"1234")
    assert sock.recv(12) == b"HTTP/1.1 400"


WAYS = (finished, left, aborted, broken, refused, unreadable, cut, given_up, asking)


@pytest.mark.parametrize("way", WAYS)
def test_a_connection_that_is_over_is_freed(
    made: queue.SimpleQueue[Any],
    monkeypatch: pytest.MonkeyPatch,
    way: Callable[[socket.socket], None],
) -> None:
    """However it ends."""
    if way is given_up:
        monkeypatch.setattr(connections, "REQUEST_TIMEOUT_S", 0.05)
    app = App()
    app.flask.register_error_handler(400, lambda _: ("told", 400))
    with serving(app) as server:
        with connected(server) as sock:
            way(sock)
        check_gone(made)


def test_a_connection_that_was_kept_alive_is_freed(made: queue.SimpleQueue[Any]) -> None:
    """Once it is idle for too long, or the server stops."""
    with serving(App()) as server, client(server) as connection:
        assert get(connection)
        server.stop()
        check_gone(made)


def test_a_connection_that_made_room_is_freed(
    made: queue.SimpleQueue[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its body, which came in part, too."""
    monkeypatch.setattr(connections, "GIVEN_UP_AFTER_S", 0.0)
    with serving(App()) as server, connected(server) as sock, client(server) as other:
        sock.sendall(POST % 999 + b"1234")
        assert get(other)
        server.connections._most_open = 2  # type: ignore[attr-defined]
        with client(server) as newcomer:
            assert get(newcomer)
            check_gone(made)


@pytest.mark.parametrize("is_left", [True, False], ids=["hung up", "stopped"])
def test_a_call_that_was_put_off_is_freed(made: queue.SimpleQueue[Any], is_left: bool) -> None:
    """Whoever ends its connection."""
    put_off: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def app(environ: Any, start_response: Any) -> list[bytes]:
        put_off.put(environ["wsgi.input"].read())
        raise Held(3600, environ)

    server = make_server(app)
    server.start()
    with connected(server) as sock:
        sock.sendall(POST % 4 + b"1234")
        assert put_off.get(timeout=60) == b"1234"
        if is_left:
            sock.shutdown(socket.SHUT_WR)
            assert read_to_end(sock) == b""
        else:
            server.stop()
        check_gone(made)
    server.stop()


@pytest.mark.parametrize("way", [finished, left, aborted, broken])
def test_a_tls_connection_is_freed(
    made: queue.SimpleQueue[Any], tls: Tls, way: Callable[[socket.socket], None]
) -> None:
    """As any other."""
    context = ssl.create_default_context(cafile=str(tls.certificate))
    with serving(App(), tls=tls) as server:
        with (
            connected(server) as sock,
            context.wrap_socket(sock, server_hostname="127.0.0.1") as secure,
        ):
            way(secure)
        check_gone(made)


def test_what_has_come_is_freed_before_the_client_has_read_its_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of a request that was given up, and of one whose answer is long: both wait, uncounted."""
    monkeypatch.setattr(connections, "LINGER_S", 3600.0)
    with serving(App()) as server, connected(server) as late, connected(server) as reading:
        monkeypatch.setattr(connections, "REQUEST_TIMEOUT_S", 0.05)
        late.sendall(POST % 999_999 + b"x" * 9000)
        assert late.recv(12)
        asking(reading)
        waited = server.connections  # type: ignore[attr-defined]
        until(lambda: len(waited._waiting()) == 2)
        assert [len(each.rfile.came) for each in waited._waiting()] == [0, 0]


def test_the_body_of_a_request_that_is_given_up_is_freed_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What answers it is given its head alone."""
    came: queue.SimpleQueue[int] = queue.SimpleQueue()

    def app(environ: Any, start_response: Any) -> list[bytes]:
        came.put(len(environ["plivo_sim.connection"].rfile.came))
        environ["wsgi.input"].read()
        return []

    monkeypatch.setattr(connections, "REQUEST_TIMEOUT_S", 0.05)
    server = make_server(app)
    server.start()
    with connected(server) as sock:
        sock.sendall(POST % 999_999 + b"x" * 9000)
        assert read_answer(sock)[0] == 408
    assert came.get(timeout=60) == len(POST % 999_999)
    server.stop()


def test_the_bound_of_what_is_unfinished_is_looked_at_as_it_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not only from time to time: in a tenth of a second comes more than the machine may have."""
    monkeypatch.setattr(connections, "TICK_S", 3600.0)
    monkeypatch.setattr(connections, "REQUEST_TIMEOUT_S", 3600.0)
    monkeypatch.setattr(connections, "MOST_UNFINISHED_BYTES", 5000)
    with serving(App()) as server, connected(server) as sock:
        sock.sendall(POST % 999_999 + b"x" * 9000)
        assert sock.recv(12)


BODIES = {
    "JSON": ("application/json", b'{"alias": "x"}'),
    "JSON that is none": ("application/json", b'{"alias": "x"'),
    "a form": ("application/x-www-form-urlencoded", b"alias=x"),
    "parts": (
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="f"; filename="a.pdf"\r\n\r\nx\r\n--b--',
    ),
}
PATHS = (
    "PhoneNumber/Compliance/", "PhoneNumber/Compliance/Link/", "EndUser/", "ComplianceDocument/",
    "ComplianceApplication/", "PhoneNumber/912222222222/", "/_sim/restore", "/_sim/faults",
    "/console/do/reset",
)  # fmt: skip


def bodies() -> set[int]:
    """Those that there are."""
    return {id(each) for each in gc.get_objects() if type(each) is Body}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("dialect", ["current", "beta"])
def test_the_body_of_a_call_that_was_refused_is_freed(
    http: Http, dialect: str, body: tuple[str, bytes]
) -> None:
    """At once, and with all that was made of it: 130 of them at once took ten times the memory that
    is meant for them."""
    kind, content = body
    headers = {"X-Plivo-Sim-Dialect": dialect}

    def send(path: str) -> None:
        http.post(path, data=content, content_type=kind, headers=headers)

    for path in PATHS:
        send(path)  # what is made once is made
    gc.collect()
    others = bodies()  # what a test that failed has kept
    gc.disable()
    logging.disable()
    try:
        for path in PATHS:
            send(path)
            assert bodies() <= others, path
    finally:
        logging.disable(logging.NOTSET)
        gc.enable()
