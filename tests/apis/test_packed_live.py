"""Packed bodies over real sockets, from the clients that send them."""

from __future__ import annotations

import base64
import gzip
import json
import socket
import zlib
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
import pytest
import requests
import urllib3

from plivo_sim.assembly import LiveSimulator
from plivo_sim.web.bodies import LARGEST_BODY_BYTES
from tests.apis.legacy_support import BUSINESS
from tests.support import AUTH_ID, TOKEN, basic, multipart

pytestmark = pytest.mark.live

END_USERS = f"/v1/Account/{AUTH_ID}/EndUser/"
HEADERS = {"Authorization": basic(), "Content-Type": "application/json"}
PLAIN = json.dumps(BUSINESS).encode()
HALF = len(gzip.compress(PLAIN)) // 2


def by_urllib3(url: str, body: bytes, headers: dict[str, str]) -> int:
    return urllib3.PoolManager().request("POST", url, body=body, headers=headers).status


def by_requests(url: str, body: bytes, headers: dict[str, str]) -> int:
    return requests.post(url, data=body, headers=headers, timeout=60).status_code


def by_requests_in_chunks(url: str, body: bytes, headers: dict[str, str]) -> int:
    chunks = iter([body[:HALF], body[HALF:]])
    return requests.post(url, data=chunks, headers=headers, timeout=60).status_code


def by_httpx(url: str, body: bytes, headers: dict[str, str]) -> int:
    return httpx.post(url, content=body, headers=headers, trust_env=False, timeout=60).status_code


Post = Callable[[str, bytes, dict[str, str]], int]


@pytest.mark.parametrize("post", [by_urllib3, by_requests, by_requests_in_chunks, by_httpx])
@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_packed_body(
    live: LiveSimulator, post: Post, coding: str, pack: Callable[[bytes], bytes]
) -> None:
    """With its length or in chunks."""
    headers = HEADERS | {"Content-Encoding": coding}
    assert post(f"{live.url}{END_USERS}", pack(PLAIN), headers) == 201


@pytest.mark.parametrize("post", [by_urllib3, by_requests_in_chunks])
def test_a_bomb(live: LiveSimulator, post: Post) -> None:
    """It is refused, and the next call is served."""
    headers = HEADERS | {"Content-Encoding": "gzip"}
    bomb = gzip.compress(b" " * (LARGEST_BODY_BYTES + 1), 9)
    assert post(f"{live.url}{END_USERS}", bomb, headers) == 400
    assert post(f"{live.url}{END_USERS}", PLAIN, HEADERS) == 201


def test_a_packed_upload(live: LiveSimulator) -> None:
    """A multipart form as a whole."""
    data = {
        "country_iso": "US", "number_type": "local", "alias": "packed",
        "end_user": {"type": "business", "name": "Acme"}, "documents": [],
    }  # fmt: skip
    body, content_type = multipart([("data", json.dumps(data))], [])
    headers = {"Content-Type": content_type, "Content-Encoding": "gzip"}
    url = f"{live.url}/v1/Account/{AUTH_ID}/PhoneNumber/Compliance/"
    answer = requests.post(
        url, data=gzip.compress(body), headers=headers, auth=(AUTH_ID, TOKEN), timeout=10
    )
    assert answer.status_code == 201


def test_a_client_that_waits_with_a_packed_body(live: LiveSimulator) -> None:
    """``Expect`` in any case."""
    body = gzip.compress(PLAIN)
    head = (
        f"POST {END_USERS} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: BASIC {base64.b64encode(f'{AUTH_ID}:{TOKEN}'.encode()).decode()}\r\n"
        f"Content-Encoding: gzip\r\nContent-Length: {len(body)}\r\nExpect: 100-CONTINUE\r\n\r\n"
    )
    place = urlsplit(live.url)
    with socket.create_connection((place.hostname, place.port), timeout=60) as sock:
        sock.sendall(head.encode())
        assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(body)
        assert sock.recv(100).startswith(b"HTTP/1.1 201 ")


@pytest.mark.parametrize("word", ["close", "Close", "CLOSE"])
def test_a_connection_is_closed_when_it_is_asked_for(live: LiveSimulator, word: str) -> None:
    """In any case."""
    place = urlsplit(live.url)
    head = f"GET /_sim/health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: {word}\r\n\r\n"
    with socket.create_connection((place.hostname, place.port), timeout=60) as sock:
        sock.sendall(head.encode())
        answer = b""
        while piece := sock.recv(65536):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 200 ")
