"""Hostile clients of the real server: slow ones, many at once, and bytes that are no request."""

from __future__ import annotations

import json
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import urllib3

from plivo_sim.assembly import LiveSimulator
from plivo_sim.web import connections
from tests.apis.page import create_body
from tests.fakes import until
from tests.support import AUTH_ID, basic

pytestmark = pytest.mark.live

HEAD = f"Host: 127.0.0.1\r\nAuthorization: {basic()}\r\n"
PATH = f"/v1/Account/{AUTH_ID}/PhoneNumber/Compliance/"


def connected(live: LiveSimulator) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(live.url.rpartition(":")[2])), 60)


def exchanged(live: LiveSimulator, sent: bytes) -> bytes:
    """All that comes back until the server closes, or says nothing for a moment."""
    with connected(live) as sock:
        sock.settimeout(60)
        sock.sendall(sent)
        sock.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while chunk := sock.recv(65536):
                answer += chunk
        except (TimeoutError, ConnectionError):
            pass
    return answer


def is_well(live: LiveSimulator) -> bool:
    with urllib3.PoolManager(timeout=60, retries=False) as pool:
        return pool.request("GET", f"{live.url}/_sim/health/live").status == 200


SLOW = {
    "heads": f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
    "bodies": f"POST {PATH} HTTP/1.1\r\n{HEAD}Content-Type: application/json\r\n"
    "Content-Length: 100000\r\n\r\n{",
}


@pytest.mark.parametrize("begin", SLOW.values(), ids=SLOW)
def test_slow_clients_do_not_starve_others(
    live: LiveSimulator, monkeypatch: pytest.MonkeyPatch, begin: str
) -> None:
    """A hundred that have begun and dawdle; the server has 128 threads. Others are answered while
    these are still waited for: none of them was answered or closed yet."""
    monkeypatch.setattr(connections, "REQUEST_TIMEOUT_S", 3600.0)
    with ExitStack() as stack:
        slow = [stack.enter_context(connected(live)) for _ in range(100)]
        for sock in slow:
            sock.sendall(begin.encode())
        assert is_well(live)
        assert select.select(slow, [], [], 0)[0] == []


def test_an_oversized_body_is_refused_unread(live: LiveSimulator) -> None:
    """By what it announces: not a byte of it was sent. The answer has an id."""
    head = f"POST /beta{PATH} HTTP/1.1\r\n{HEAD}Content-Type: application/json\r\n"
    answer = exchanged(live, f"{head}Content-Length: {60 * 1024 * 1024}\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"error" in answer


CHUNKED = f"POST {PATH} HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\n"
POSTED = f"POST {PATH} HTTP/1.1\r\n{HEAD}"
SMUGGLED = f"DELETE {PATH}smuggled/ HTTP/1.1\r\n{HEAD}\r\n"
BYTES = {
    "nothing": "\r\n\r\n",
    "no request": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "no version": "GET /\r\n\r\n",
    "HTTP/9": f"GET {PATH} HTTP/9.9\r\n{HEAD}\r\n",
    "null in the path": f"GET /v1/\x00 HTTP/1.1\r\n{HEAD}\r\n",
    "encoded null": f"GET {PATH}%00/ HTTP/1.1\r\n{HEAD}\r\n",
    "encoded slash": f"GET {PATH}..%2f..%2fetc%2fpasswd HTTP/1.1\r\n{HEAD}\r\n",
    "dots": f"GET /../../../etc/passwd HTTP/1.1\r\n{HEAD}\r\n",
    "bad escape": f"GET {PATH}%zz%u0041 HTTP/1.1\r\n{HEAD}\r\n",
    "absolute": f"GET http://evil.example/_sim/accounts HTTP/1.1\r\n{HEAD}\r\n",
    "many headers": f"GET {PATH} HTTP/1.1\r\n{HEAD}" + "X-A: b\r\n" * 20_000,
    "a long header": f"GET {PATH} HTTP/1.1\r\n{HEAD}X-A: {'b' * 200_000}\r\n\r\n",
    "a long line": f"GET /{'a' * 200_000} HTTP/1.1\r\n{HEAD}\r\n",
    "a folded header": f"GET {PATH} HTTP/1.1\r\n{HEAD}X-A: b\r\n c\r\n\r\n",
    "a header without a colon": f"GET {PATH} HTTP/1.1\r\n{HEAD}nothing\r\n\r\n",
    "a space before the colon": f"{POSTED}Content-Length : 5\r\n\r\nabcde",
    "no length": f"{POSTED}\r\n",
    "a negative length": f"{POSTED}Content-Length: -1\r\n\r\n",
    "a length with a sign": f"{POSTED}Content-Length: +5\r\n\r\nabcde",
    "no number": f"{POSTED}Content-Length: five\r\n\r\nabcde",
    "two lengths": f"{POSTED}Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
    "a huge length": f"{POSTED}Content-Length: {'9' * 300}\r\n\r\n",
    "a body that ends early": f"{POSTED}Content-Length: 50\r\n\r\n{{",
    "a bad chunk size": f"{CHUNKED}\r\nxyz\r\n{{}}\r\n0\r\n\r\n",
    "a negative chunk": f"{CHUNKED}\r\n-5\r\n{{}}\r\n0\r\n\r\n",
    "a huge chunk": f"{CHUNKED}\r\nffffffffffffffff\r\n{{}}\r\n",
    "a chunk that ends early": f"{CHUNKED}\r\n10\r\n{{}}",
    "an unknown coding": f"{POSTED}Transfer-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{{}}",
    "length and chunks": f"{CHUNKED}Content-Length: 6\r\n\r\n0\r\n\r\n{SMUGGLED}",
    "chunks in disguise": f"{POSTED}Transfer-Encoding: xchunked\r\nContent-Length: 1\r\n\r\n0",
}


@pytest.mark.parametrize("sent", BYTES.values(), ids=BYTES)
def test_bytes_that_are_no_request(live: LiveSimulator, sent: str) -> None:
    """Refused in words or not at all, never by a 500; the server goes on."""
    answer = exchanged(live, sent.encode("latin-1"))
    assert b" 500 " not in answer.split(b"\r\n")[0]
    assert b"Traceback" not in answer
    assert b"root:" not in answer
    assert is_well(live)


GET = f"GET {PATH} HTTP/1.1\r\n{HEAD}"
CODED = f"{POSTED}Transfer-Encoding: "
UNCLEAR = {
    "a space first": f"GET {PATH} HTTP/1.1\r\n Host: a\r\n\r\n",
    "a tab first": f"GET {PATH} HTTP/1.1\r\n\tHost: a\r\n\r\n",
    "a folded length": f"{POSTED}Content-Length: 2\r\n 3\r\n\r\n{{}}",
    "a space before the colon": f"{POSTED}Content-Length : 2\r\n\r\n{{}}",
    "an underscore": f"{POSTED}Content_Length: 2\r\n\r\n",
    "null in a header": f"{GET}X-A: \0\r\n\r\n",
    "a password in the host": f"GET {PATH} HTTP/1.1\r\nHost: u:s3cret@127.0.0.1\r\n\r\n",
    "a password in the URL": f"GET http://u:s3cret@127.0.0.1{PATH} HTTP/1.1\r\n{HEAD}\r\n",
    "a method with quotes": f"""G"E'T {PATH} HTTP/1.1\r\n{HEAD}\r\n""",
    "two hosts": f"{GET}Host: localhost\r\n\r\n",
    "two credentials": f"{GET}Authorization: Basic YTpi\r\nAuthorization: Basic YTpi\r\n\r\n",
    "two origins": f"{GET}Origin: http://evil.example\r\nOrigin: http://127.0.0.1\r\n\r\n",
    "two marks of a site": f"{GET}Sec-Fetch-Site: none\r\nSec-Fetch-Site: none\r\n\r\n",
    "two lengths": f"{POSTED}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}",
    "a negative length": f"{POSTED}Content-Length: -5\r\n\r\n",
    "a length with a sign": f"{POSTED}Content-Length: +2\r\n\r\n{{}}",
    "a length with an underscore": f"{POSTED}Content-Length: 1_0\r\n\r\n{{}}        ",
    "length and chunks": f"{CODED}chunked\r\nContent-Length: 2\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n",
    "chunks twice": f"{CODED}chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunks behind an empty coding": f"{CODED}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "packed behind an empty coding": f"{POSTED}Content-Encoding:\r\nContent-Encoding: gzip\r\n"
    "Content-Length: 2\r\n\r\n{}",
    "no coding": f"{CODED},\r\n\r\n",
    "a vertical tab before the coding": f"{CODED}\x0bchunked\r\n\r\n0\r\n\r\n",
    "a bell in a header": f"{GET}X-A: \a\r\n\r\n",
    "chunks in HTTP/1.0": f"{CODED}chunked\r\nConnection: Keep-Alive\r\n\r\n".replace(
        "/1.1", "/1.0"
    ),
    "a negative chunk": f"{CHUNKED}\r\n-2\r\n",
    "a chunk with a sign": f"{CHUNKED}\r\n+2\r\n{{}}\r\n0\r\n\r\n",
    "a chunk with a prefix": f"{CHUNKED}\r\n0x2\r\n{{}}\r\n0\r\n\r\n",
    "a chunk without CR": f"{CHUNKED}\r\n2\n{{}}\r\n0\r\n\r\n",
    "chunks after what is none": f"{CHUNKED}\r\nxyz\r\n0\r\n\r\n",
    "a huge chunk": f"{CHUNKED}\r\n3b9aca00\r\n{{}}",
    "a long extension": f"{CHUNKED}\r\n1;{'x' * 100_000}\r\n{{\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("name", ["Sec_Fetch_Site: same-origin", "Sec_Fetch_Mode: cors"])
@pytest.mark.parametrize("path", [PATH, "/_sim/clock", "/atoms/v1/compliance/status"])
def test_a_page_cannot_mark_its_own_requests(live: LiveSimulator, path: str, name: str) -> None:
    """Scripts may set no header that begins with ``Sec-``, but one with an underscore, which WSGI
    does not tell from it."""
    browser = "Host: evil.example\r\nUser-Agent: Mozilla/5.0\r\nAccept-Language: en\r\n"
    for marked in ("", f"{name}\r\n"):
        answer = exchanged(live, f"GET {path} HTTP/1.1\r\n{browser}{marked}\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize("sent", UNCLEAR.values(), ids=UNCLEAR)
def test_what_can_be_read_in_two_ways_is_refused(
    live: LiveSimulator, caplog: pytest.LogCaptureFixture, sent: str
) -> None:
    """With an id, and no traceback in the log; what follows is not taken for a request."""
    caplog.set_level("INFO")
    answer = exchanged(live, f"{sent}{GET}\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"\r\nX-Request-Id: " in answer
    assert not any(each.exc_info for each in caplog.records)
    assert "s3cret" not in caplog.text
    assert b"s3cret" not in answer


@pytest.mark.parametrize("coding", ["x", "gzip, chunked"])
def test_a_coding_that_is_not_taken_is_named(live: LiveSimulator, coding: str) -> None:
    """Beside the one that is."""
    answer = exchanged(live, f"{CODED}{coding}\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 501 ")
    assert f"'{coding}'; chunked alone is taken".encode() in answer
    assert b'"api_id"' in answer


APIS = {
    "legacy": (f"/v1/Account/{AUTH_ID}/EndUser/", "api_id"),
    "new": (PATH, "api_id"),
    "beta": (f"/beta{PATH}", "error"),
    "numbers": (f"/v1/Account/{AUTH_ID}/Number/14155550100/", "api_id"),
    "atoms": ("/atoms/v1/compliance/applications", "errors"),
    "control": ("/_sim/clock/advance", "code"),
    "inbox": ("/_sim/inbox/mine", "code"),
}


@pytest.mark.parametrize("length", ["Content-Length: 30", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize(("path", "told"), APIS.values(), ids=APIS)
def test_a_body_that_does_not_arrive_is_refused_in_words(
    live: LiveSimulator, monkeypatch: pytest.MonkeyPatch, path: str, told: str, length: str
) -> None:
    """The client, who still waits, gets the API's own 408, and the connection is closed."""
    monkeypatch.setattr(connections, "REQUEST_TIMEOUT_S", 0.05)
    with connected(live) as sock:
        head = HEAD if told != "errors" else "Host: 127.0.0.1\r\nAuthorization: Bearer key\r\n"
        kind = "multipart/form-data; boundary=b" if told == "errors" else "application/json"
        head = f"POST {path} HTTP/1.1\r\n{head}Content-Type: {kind}\r\n"
        sock.sendall(f"{head}{length}\r\n\r\n".encode() + b"2\r\n{")
        answer = b"".join(iter(lambda: sock.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"\r\nConnection: close\r\n" in answer
    content = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert told in content
    assert "not arrive in time" in json.dumps(content)


def test_a_body_that_nobody_reads_need_not_arrive(
    live: LiveSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A GET that announces one: it is answered when the time for it is up, and closed."""
    monkeypatch.setattr(connections, "REQUEST_TIMEOUT_S", 0.05)
    with connected(live) as sock:
        sock.sendall(f"{GET}Content-Length: 30\r\n\r\n".encode())
        assert sock.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert sock.recv(65536) == b""


TARGETS = {
    "an absolute URI": f"http://127.0.0.1{PATH}",
    "in capitals": f"HTTP://localhost{PATH}",
    "two slashes": f"/{PATH}",
    "both": f"http://127.0.0.1//{PATH}",
}


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_targets_that_mean_a_path_are_answered(live: LiveSimulator, target: str) -> None:
    """As the path they mean (RFC 9112, 3.2): by the API, with its ``api_id``."""
    answer = exchanged(live, f"GET {target} HTTP/1.1\r\n{HEAD}Connection: close\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b'"api_id"' in answer


ODD_TARGETS = {
    "an absolute URI of nothing": ("http://127.0.0.1", b'"name":"plivo-sim"'),
    "only slashes": ("////", b'"name":"plivo-sim"'),
    "no name": ("http://[::1/v1/Account/x/EndUser/", b'"api_id"'),
    "bytes that are no ASCII": ("/v1/Account/é/EndUser/", b'"api_id"'),
}


@pytest.mark.parametrize(("target", "told"), ODD_TARGETS.values(), ids=ODD_TARGETS)
def test_odd_targets_reach_the_application(live: LiveSimulator, target: str, told: bytes) -> None:
    """Which answers as to any other of that path."""
    sent = f"GET {target} HTTP/1.1\r\n{HEAD}Connection: close\r\n\r\n".encode()
    assert told in exchanged(live, sent)


def test_an_absolute_uris_host_is_the_host(live: LiveSimulator) -> None:
    """Whatever the header says: a foreign one steers nothing."""
    sent = f"GET http://evil.example/_sim/accounts HTTP/1.1\r\n{HEAD}\r\n".encode()
    assert exchanged(live, sent).startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize("chunks", ["xyz\r\n{}\r\n", "2\r\n{}xx", "10\r\n{}"])
def test_malformed_chunks_are_refused_by_the_receiver_too(live: LiveSimulator, chunks: str) -> None:
    """The built-in one, as the APIs do."""
    head = f"POST /_sim/inbox/mine HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\n\r\n"
    assert exchanged(live, f"{head}{chunks}".encode()).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("path", [PATH, f"/beta{PATH}", "/_sim/clock/advance"])
def test_too_many_tiny_chunks_are_refused_with_the_limit(live: LiveSimulator, path: str) -> None:
    """In the words of each, and the connection is closed."""
    head = f"POST {path} HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\n"
    kind = "Content-Type: application/json\r\n\r\n"
    chunks = "1\r\n \r\n" * 10_001
    answer = exchanged(live, f"{head}{kind}{chunks}0\r\n\r\n{GET}\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"at most 10000 chunks (limit chunks)" in answer
    assert answer.count(b"HTTP/1.1 ") == 1


def test_no_host_no_control(live: LiveSimulator) -> None:
    """HTTP/1.0 needs none; the control API does."""
    assert exchanged(live, b"GET /_sim/accounts HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 403 ")


# --- stopping --------------------------------------------------------------------------------


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A server of its own process, and where it is."""
    ready = tmp_path / "ready"
    options = ("--port", "0", "--state", str(tmp_path / "state"), "--ready-file", str(ready))
    command = [sys.executable, "-m", "plivo_sim.cli", "serve", *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: ready.exists() or process.poll() is not None)
        yield process, ready.read_text()
    finally:
        process.kill()
        process.wait()


def test_sigterm_finishes_what_is_in_flight(served: tuple[subprocess.Popen[bytes], str]) -> None:
    """A request whose body is still on its way gets its answer; then the process ends, with 0."""
    process, url = served
    body = json.dumps({"name": "Acme", "end_user_type": "business"}).encode()
    port = int(url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), 60) as sock:
        head = f"POST /v1/Account/{AUTH_ID}/EndUser/ HTTP/1.1\r\n{HEAD}"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        sock.sendall(head.encode() + body[:5])
        with urllib3.PoolManager(timeout=60, retries=False) as pool:
            assert pool.request("GET", f"{url}/_sim/health/ready").status == 200
        process.send_signal(signal.SIGTERM)
        until(lambda: not accepts(port))
        sock.sendall(body[5:])
        answer = sock.recv(65536)
    assert answer.startswith(b"HTTP/1.1 201 ")
    assert process.wait(60) == 0


@pytest.fixture
def hanging(
    served: tuple[subprocess.Popen[bytes], str],
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A server whose callback waits for a receiver that says nothing, for up to two minutes."""
    _, url = served
    with socket.create_server(("127.0.0.1", 0)) as receiver:
        settings = {"callback_timeout_s": "120", "review_delay": "1ms", "paused": "no"}
        tell(f"{url}/_sim/accounts", {"auth_id": AUTH_ID, "settings": settings})
        callback = f"http://127.0.0.1:{receiver.getsockname()[1]}/"
        tell(f"{url}{PATH}", create_body(callback_url=callback))
        receiver.settimeout(60)
        sock, _ = receiver.accept()
        with sock:
            yield served


def tell(url: str, body: dict[str, Any]) -> None:
    headers = {"Authorization": basic()}
    with urllib3.PoolManager(timeout=60, retries=False) as pool:
        answer = pool.request("POST", url, json=body, headers=headers)
        assert answer.status == 201, answer.data


def test_sigterm_does_not_wait_for_a_receiver_that_hangs(
    hanging: tuple[subprocess.Popen[bytes], str],
) -> None:
    """Nor does the interpreter, for the thread that waits."""
    process, _ = hanging
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


def test_a_second_signal_ends_at_once(hanging: tuple[subprocess.Popen[bytes], str]) -> None:
    """As a shell tells it: 128 and its number. Signals that come together are seen in any order."""
    process, url = hanging
    process.send_signal(signal.SIGTERM)
    until(lambda: not accepts(int(url.rpartition(":")[2])))
    process.send_signal(signal.SIGINT)
    assert process.wait(60) in (128 + signal.SIGINT, 128 + signal.SIGTERM)


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 60).close()
    except OSError:
        return False
    return True
