"""Heads that have come, as the application is given them; what is refused is in
tests/hostile/test_sockets.py. And the answers of applications that are not Flask's."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from plivo_sim.web.heads import MAX_BODY_BYTES, Refused, known_of, read_head
from plivo_sim.web.server import make_server
from plivo_sim.web.streams import MAX_HEADER_BYTES
from tests.web.test_server import GET, connected, read_to_end

HOST = b"Host: sim\r\n"


def head(line: bytes, headers: bytes = HOST) -> Any:
    return read_head(line + b"\r\n" + headers + b"\r\n")


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        (b"/a/b?c=d?e", b"/a/b", b"c=d?e"),
        (b"/a%20b%2fc%2Fd", b"/a b%2Fc%2Fd", b""),
        (b"/%zz%", b"/%zz%", b""),
        (b"//a//b", b"/a//b", b""),
        (b"/?a=%41", b"/", b"a=%41"),
        (b"http://other:80?a", b"/", b"a"),
        ("/é".encode(), "/é".encode(), b""),
        (b"/a:b@c;d", b"/a:b@c;d", b""),
    ],
)
def test_the_target(target: bytes, path: bytes, query: bytes) -> None:
    """The path is unquoted but for its slashes, the query is left as it is."""
    found = head(b"GET " + target + b" HTTP/1.1")
    assert (found.path, found.query) == (path, query)


def test_a_whole_urls_host_counts() -> None:
    assert head(b"GET HTTPS://other/ HTTP/1.1").headers[b"HOST"] == b"other"


def test_an_empty_line_may_come_first() -> None:
    """One (RFC 9112, 2.2)."""
    assert head(b"\r\nGET / HTTP/1.1").path == b"/"
    with pytest.raises(Refused):
        head(b"\r\n\r\nGET / HTTP/1.1")


def test_headers_that_are_there_twice() -> None:
    """Lists are joined; of others the last one counts. Names are told in capitals."""
    sent = b"accept: a\r\nX-A: 1\r\nHost: sim\r\nAccept:b \r\nx-a:\t2\r\nExpect: 100-continue\r\n"
    assert head(b"GET / HTTP/1.1", sent).headers == {
        b"ACCEPT": b"a, b", b"X-A": b"2", b"HOST": b"sim",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("version", "connection", "closes"),
    [
        (b"1.1", b"", False),
        (b"1.1", b"Connection: Keep-Alive, CLOSE\r\n", True),
        (b"1.0", b"", True),
        (b"1.0", b"Connection: Keep-Alive\r\n", False),
    ],
)
def test_how_long_the_connection_is_wanted(version: bytes, connection: bytes, closes: bool) -> None:
    assert head(b"GET / HTTP/" + version, HOST + connection).wants_close is closes


@pytest.mark.parametrize(
    ("line", "headers", "status"),
    [
        (b"GET  / HTTP/1.1", HOST, 400),
        (b"GET /\t HTTP/1.1", HOST, 400),
        (b"get / HTTP/1.1", HOST, 400),
        (b"G@T / HTTP/1.1", HOST, 400),
        (b"GET /#a HTTP/1.1", HOST, 400),
        (b"GET a HTTP/1.1", HOST, 400),
        (b"GET * HTTP/1.1", HOST, 400),
        (b"GET ftp://sim/ HTTP/1.1", HOST, 400),
        (b"CONNECT sim:80 HTTP/1.1", HOST, 405),
        (b"GET / HTTP/2.0", HOST, 505),
        (b"GET / HTTP/1.2", HOST, 505),
        (b"GET / HTTP/0.9", HOST, 505),
        (b"GET /" + b"x" * MAX_HEADER_BYTES + b" HTTP/1.1", HOST, 414),
        (b"GET / HTTP/1.1", HOST + b"A: b\r\n" * MAX_HEADER_BYTES, 431),
        (b"POST / HTTP/1.1", HOST + b"Content-Length: %d\r\n" % (MAX_BODY_BYTES + 1), 413),
        (b"POST / HTTP/1.1", HOST + b"Content-Length: " + b"9" * 9000 + b"\r\n", 413),
    ],
)
def test_what_is_refused(line: bytes, headers: bytes, status: int) -> None:
    with pytest.raises(Refused) as refused:
        head(line, headers)
    assert refused.value.status.startswith(f"{status} ")


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (b"GET /a?b HTTP/9\r\n", (b"GET", b"/a?b", b"/a", b"b")),
        (b"GET http://u:secret@sim/a nonsense", (b"GET", b"/a", b"/a", b"")),
        (b"\r\nPOST /", (b"POST", b"/", b"/", b"")),
        (b"\x16\x03\x01", (b"?", b"*", b"*", b"")),
    ],
)
def test_what_is_told_of_no_request(sent: bytes, told: tuple[bytes, ...]) -> None:
    found = known_of(sent)
    assert (found.method, found.target, found.path, found.query) == told


@contextlib.contextmanager
def answered(app: Any, sent: bytes) -> Iterator[bytes]:
    server = make_server(app)
    server.start()
    try:
        with connected(server) as sock:
            sock.sendall(sent)
            yield read_to_end(sock)
    finally:
        server.stop()


CLOSING = b"GET / HTTP/1.1\r\nHost: sim\r\nConnection: close\r\n\r\n"


def begun(*headers: tuple[str, str], content: list[bytes]) -> Any:
    """An application that answers so."""

    def app(_: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", list(headers))
        return content

    return app


@pytest.mark.live
def test_an_answer_without_a_length_comes_in_chunks() -> None:
    """To HTTP/1.0 it ends with the connection."""
    app = begun(content=[b"one", b"", b"fourteen bytes"])
    with answered(app, CLOSING) as answer:
        assert b"\r\nTransfer-Encoding: chunked\r\n" in answer
        assert answer.endswith(b"\r\n\r\n3\r\none\r\ne\r\nfourteen bytes\r\n0\r\n\r\n")
    old = CLOSING.replace(b"1.1", b"1.0").replace(b"close", b"keep-alive")
    with answered(app, old) as answer:
        assert b"Transfer-Encoding" not in answer
        assert answer.endswith(b"\r\n\r\nonefourteen bytes")


@pytest.mark.live
@pytest.mark.parametrize("content", [[b"12345"], [b"123", b"45"]])
def test_an_answer_is_no_longer_than_it_says(content: list[bytes]) -> None:
    """What is more is not sent: it would be taken for the next answer."""
    with answered(begun(("Content-Length", "4"), content=content), GET) as answer:
        assert answer.endswith(b"\r\n\r\n1234")


@pytest.mark.live
def test_an_application_that_begins_no_answer_fails() -> None:
    with answered(lambda *_: [], CLOSING) as answer:
        assert answer.startswith(b"HTTP/1.1 500 ")


@pytest.mark.live
def test_an_application_that_fails_before_its_first_piece_fails() -> None:
    """Whatever it has begun."""

    def app(_: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b""
        raise KeyError

    with answered(app, CLOSING) as answer:
        assert answer.startswith(b"HTTP/1.1 500 ")
        assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.live
@pytest.mark.parametrize(
    "body",
    [b"Content-Length: 9\r\n\r\na\nbc\nd\nef", b"Transfer-Encoding: chunked\r\n\r\n"
     b"3\r\na\nb\r\n6\r\nc\nd\nef\r\n0\r\n\r\n"],
    ids=["piece", "chunks"],
)  # fmt: skip
def test_a_body_is_read_as_pep_3333_has_it(body: bytes) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        file = environ["wsgi.input"]
        start_response("200 OK", [])
        read = [file.readline(1), file.readline(), file.read(1), file.readline(5)]
        return [repr([*read, file.readlines(), file.read(), file.readline()]).encode()]

    sent = CLOSING.replace(b"GET", b"POST")[:-2] + body
    with answered(app, sent) as answer:
        assert repr([b"a", b"\n", b"b", b"c\n", [b"d\n", b"ef"], b"", b""]).encode() in answer
