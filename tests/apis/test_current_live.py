"""Bodies whose trouble is on the wire itself: cut short, announced too large, waiting, chunked."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from plivo_sim.assembly import LiveSimulator
from plivo_sim.client import Client
from plivo_sim.web.bodies import LARGEST_BODY_BYTES
from tests.apis.current_support import FILES
from tests.support import AUTH_ID, SDK_AGENT, TOKEN, basic, multipart

pytestmark = pytest.mark.live

HEAD = (
    f"POST /v1/Account/{AUTH_ID}/PhoneNumber/Compliance/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    f"Authorization: {basic()}\r\nUser-Agent: {SDK_AGENT}\r\n"
)


@contextmanager
def connected(live: LiveSimulator) -> Iterator[socket.socket]:
    """A bare connection to the simulator."""
    place = urlsplit(live.url)
    with socket.create_connection((place.hostname, place.port), timeout=60) as sock:
        yield sock


def answer_of(sock: socket.socket) -> tuple[int, Any]:
    """Status and JSON of the answer that arrives."""
    with closing(http.client.HTTPResponse(sock)) as response:
        response.begin()
        assert response.headers["Content-Type"] == "application/json"
        return response.status, json.loads(response.read())


def unregulated(padding: int = 0) -> tuple[bytes, str]:
    """A complete form for a country that asks for no documents, and a file that nobody reads."""
    data = {
        "country_iso": "US",
        "number_type": "local",
        "alias": "wire",
        "end_user": {"type": "business", "name": "Acme"},
        "documents": [],
    }
    spare = [("spare", "a.pdf", b"x" * padding)] if padding else []
    return multipart([("data", json.dumps(data))], spare)


def test_a_body_that_ends_early(live: LiveSimulator) -> None:
    """The client announces more than it sends: 400 in the dialect's words, nothing is made."""
    body, content_type = multipart([("data", "{}")], list(FILES))
    head = f"{HEAD}Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    with connected(live) as sock:
        sock.sendall(head.encode() + body[:200])
        sock.shutdown(socket.SHUT_WR)
        status, told = answer_of(sock)
    assert (status, told["error"]) == (400, "the body ended early")
    assert live.sim.accounts() == []


@pytest.mark.parametrize("announced", [LARGEST_BODY_BYTES + 1, 60 * 1024 * 1024])
def test_too_large_a_body_is_answered_before_it_is_sent(
    live: LiveSimulator, announced: int
) -> None:
    """The head alone is enough."""
    head = f"{HEAD}Content-Type: multipart/form-data; boundary=B\r\nContent-Length: {announced}"
    with connected(live) as sock:
        sock.sendall(f"{head}\r\n\r\n".encode())
        status, told = answer_of(sock)
    text = f"The request body is over the limit of {LARGEST_BODY_BYTES} bytes."
    assert (status, told["error"]) == (400, text)


def test_11_a_client_that_waits_for_100_continue(live: LiveSimulator) -> None:
    """PHP does, for bodies over 1 MB."""
    body, content_type = unregulated(1_600_000)
    head = f"{HEAD}Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
    with connected(live) as sock:
        sock.sendall(f"{head}Expect: 100-Continue\r\nAccept-Encoding: *\r\n\r\n".encode())
        assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(body)
        assert answer_of(sock)[0] == 201


def test_6_a_chunked_body(live: LiveSimulator) -> None:
    """Go sends its bodies without a length where it cannot know it."""
    body, content_type = unregulated()
    chunks = b"".join(
        b"%x\r\n%b\r\n" % (len(body[at : at + 100]), body[at : at + 100])
        for at in range(0, len(body), 100)
    )
    head = f"{HEAD}Content-Type: {content_type}\r\nTransfer-Encoding: chunked\r\n\r\n"
    with connected(live) as sock:
        sock.sendall(head.encode() + chunks + b"0\r\n\r\n")
        assert answer_of(sock)[0] == 201
    made = Client(live.url, AUTH_ID, TOKEN).control("GET", "/applications")
    assert made["total_count"] == 1
