"""What the server refuses before the application sees it is told in the words of the surface."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass, field

import httpx
import pytest

from plivo_sim.assembly import LiveSimulator
from plivo_sim.web import connections
from tests.hostile.test_sockets import connected
from tests.support import AUTH_ID, basic

pytestmark = pytest.mark.live

COMPLIANCE = f"/v1/Account/{AUTH_ID}/PhoneNumber/Compliance/"
CODES = {
    400: "unreadable_body", 405: "method_not_allowed", 408: "request_timeout",
    413: "request_too_large", 414: "url_too_long", 431: "headers_too_large",
    501: "unsupported_encoding", 505: "unsupported_version",
}  # fmt: skip


def is_plain(told: str) -> bool:
    """``api_id`` and the error as a sentence."""
    content = json.loads(told)
    return set(content) == {"api_id", "error"} and " " in content["error"]


def is_beta(told: str) -> bool:
    error = json.loads(told)["error"]
    return bool(error["doc_url"]) and error["code"] in CODES.values()


def is_atoms(told: str) -> bool:
    content = json.loads(told)
    return content["status"] is False and len(content["errors"]) == 1


def is_control(told: str) -> bool:
    content = json.loads(told)
    assert content["code"] in ("invalid", "too_large", "too_slow", "refused")
    return bool(content["type"].startswith("urn:plivo-sim:problem:") and content["detail"])


def is_console(told: str) -> bool:
    return told.lstrip().startswith("<!doctype html>")


SURFACES = {
    "legacy": (f"/v1/Account/{AUTH_ID}/EndUser/", is_plain),
    "current": (COMPLIANCE, is_plain),
    "current mount": (f"/current{COMPLIANCE}", is_plain),
    "beta mount": (f"/beta{COMPLIANCE}", is_beta),
    "numbers": (f"/v1/Account/{AUTH_ID}/Number/14155550100/", is_plain),
    "atoms": ("/atoms/v1/compliance/status", is_atoms),
    "control": ("/_sim/accounts", is_control),
    "console": (f"/console/{AUTH_ID}/applications", is_console),
    "nothing": ("/nowhere", is_plain),
}
NEW_API = ("current", "current mount", "beta mount")
REFUSALS = {
    "no header": (400, "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nnothing\r\n\r\n"),
    "bad length": (400, "{method} {path} HTTP/1.1\r\nContent-Length: +2\r\n\r\n"),
    "no host": (400, "{method} {path} HTTP/1.1\r\n\r\n"),
    "user in host": (400, "{method} {path} HTTP/1.1\r\nHost: me@127.0.0.1\r\n\r\n"),
    "old coding": (400, "{method} {path} HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "late head": (408, "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"),
    "large body": (413, "{method} {path} HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n"),
    "long URL": (414, "{method} {path}?{many} HTTP/1.1\r\n\r\n"),
    "long head": (431, "{method} {path} HTTP/1.1\r\nX-A: {many}\r\n\r\n"),
    "coding": (501, "{method} {path} HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n"),
    "version": (505, "{method} {path} HTTP/3.0\r\n\r\n"),
}


@dataclass
class Refused:
    """The whole of an answer, after which the server closed the connection."""

    status: int
    headers: dict[str, list[str]] = field(default_factory=dict)
    body: str = ""


def refused(live: LiveSimulator, sent: str, path: str, method: str = "GET") -> Refused:
    with connected(live) as sock:
        sock.sendall(sent.format(method=method, path=path, many="x" * 70_000).encode())
        came = b""
        with contextlib.suppress(ConnectionResetError):
            while more := sock.recv(65536):
                came += more
    head, _, body = came.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    found = Refused(int(first.split()[1]), body=body.decode())
    for line in lines:
        name, _, value = line.partition(": ")
        found.headers.setdefault(name.lower(), []).append(value)
    assert found.headers["content-length"] == [str(len(body))]  # nothing else comes
    return found


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize(("status", "sent"), REFUSALS.values(), ids=REFUSALS)
def test_every_refusal_is_worded_by_its_surface(
    live: LiveSimulator, monkeypatch: pytest.MonkeyPatch, surface: str, status: int, sent: str
) -> None:
    """Its error object, its headers, an id; and the connection is closed."""
    monkeypatch.setattr(connections, "REQUEST_TIMEOUT_S", 0.05 if status == 408 else 10.0)
    path, is_worded = SURFACES[surface]
    answer = refused(live, sent, path)
    is_told_as_400 = status == 413 and is_worded in (is_plain, is_atoms)  # decision "HTTP codes"
    assert answer.status == (400 if is_told_as_400 else status)
    assert is_worded(answer.body), answer.body
    assert answer.headers["connection"] == ["close"]
    assert ("x-request-id" in answer.headers) == (surface != "console")
    assert ("x-ratelimit-limit" in answer.headers) == (surface in NEW_API)
    if is_worded is is_beta:
        assert json.loads(answer.body)["error"]["code"] == CODES[status]


@pytest.mark.parametrize(("status", "sent"), REFUSALS.values(), ids=REFUSALS)
def test_a_refused_head_has_no_body(
    live: LiveSimulator, monkeypatch: pytest.MonkeyPatch, status: int, sent: str
) -> None:
    """As no HEAD has one; it says how long that of a GET would be."""
    monkeypatch.setattr(connections, "REQUEST_TIMEOUT_S", 0.05 if status == 408 else 10.0)
    with connected(live) as sock:
        sock.sendall(sent.format(method="HEAD", path=COMPLIANCE, many="x" * 70_000).encode())
        answer = sock.recv(65536)
        with contextlib.suppress(ConnectionResetError):
            while more := sock.recv(65536):
                answer += more
    head, _, body = answer.partition(b"\r\n\r\n")
    assert re.search(rb"\r\nContent-Length: [1-9]", head)
    assert body == b""


def test_bytes_without_a_method_or_a_path_are_refused_in_plain_words(live: LiveSimulator) -> None:
    """They are of no API."""
    answer = refused(live, "\x16\x03\x01 nothing\r\n\r\n", "")
    assert (answer.status, is_plain(answer.body)) == (400, True)


def test_a_tunnel_is_not_made(live: LiveSimulator) -> None:
    """It is no proxy."""
    answer = refused(live, "CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n", "/")
    assert answer.status == 405
    assert answer.body.endswith('"This method is not served."}')


PATHS = (
    "/", "//", "/nowhere", "/favicon.ico", "/v1", "/v1/", "/v1/Account", f"/v1/Account/{AUTH_ID}/",
    "/current/v1/Account/", "/beta", "/beta/v1/x", COMPLIANCE, f"/v1/Account/{AUTH_ID}/EndUser/",
    f"/v1/Account/{AUTH_ID}/Number/1/", "/atoms/", "/atoms/v1/compliance/status", "/_sim",
    "/_sim/accounts", "/consoles", "/console/", "/console/do/reset",
)  # fmt: skip
METHODS = ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "BREW")


@pytest.mark.parametrize("path", PATHS)
def test_html_is_for_links_and_buttons_alone(live: LiveSimulator, path: str) -> None:
    """Whoever calls with another method reads JSON, at every path there is and there is not."""
    methods = METHODS if path == "/console/do/reset" else ("POST", *METHODS)
    for method in methods:
        with httpx.Client(base_url=live.url, trust_env=False, timeout=60) as client:
            answer = client.request(method, path, headers={"Authorization": basic()})
        assert "json" in answer.headers["content-type"], method
        assert answer.json(), method


def test_a_refusal_that_fails_is_told_all_the_same(
    live: LiveSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In plain JSON, without the words of an API."""
    monkeypatch.setattr(live._server, "wsgi_app", None)  # type: ignore[attr-defined]
    answer = refused(live, REFUSALS["version"][1], COMPLIANCE)
    assert answer.status == 505
    assert json.loads(answer.body) == {"error": "HTTP/1.0 and HTTP/1.1 are spoken here"}
