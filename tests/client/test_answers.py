"""An answer is read up to a limit, whatever the server sends."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from plivo_sim import client
from plivo_sim.client import BrokenOff, Garbled, Http, TooMuch
from plivo_sim.domain.limits import Limit
from plivo_sim.web.server import make_server
from tests.recording.traffic import recording

pytestmark = pytest.mark.live
MOST = 100_000
Serve = Callable[..., str]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """A server that answers with these pieces and headers; its URL. ``MOST`` bytes are read."""
    monkeypatch.setattr(client, "ANSWER", Limit("answer", MOST, "bytes", ""))
    servers = []

    def begun(pieces: Any, **headers: str) -> str:
        def app(_: Any, start_response: Any) -> Any:
            named = [(name.replace("_", "-"), value) for name, value in headers.items()]
            start_response("200 OK", named)
            return pieces

        server = make_server(app)
        server.start()
        servers.append(server)
        return server.url

    yield begun
    for each in servers:
        each.stop()


def test_an_answer_as_long_as_the_limit_is_read(serve: Serve) -> None:
    """Decompressed, too."""
    assert Http(serve([b"x" * MOST])).send("GET", "/", {}).data == b"x" * MOST
    packed = gzip.compress(json.dumps(["x"] * 1000).encode())
    answer = Http(serve([packed], Content_Encoding="gzip")).send("GET", "/", {})
    assert answer.json() == ["x"] * 1000


def test_the_limit_holds_where_urllib3_has_no_read1(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in 1.26, whose answers are read by ``stream``; decompressed, too."""
    streamed = []

    def stream(answer: Any, size: int, **options: Any) -> Iterator[bytes]:
        streamed.append(size)
        assert options == {"decode_content": True}
        while piece := answer.read(size, **options):
            yield piece

    monkeypatch.delattr(urllib3.HTTPResponse, "read1")
    monkeypatch.delattr(urllib3.BaseHTTPResponse, "read1", raising=False)
    monkeypatch.setattr(urllib3.HTTPResponse, "stream", stream)
    assert Http(serve([b"x" * MOST])).send("GET", "/", {}).data == b"x" * MOST
    for pieces, headers in (
        ([b"x" * (MOST + 1)], {}),
        ([gzip.compress(bytes(100 * MOST))], {"Content_Encoding": "gzip"}),
    ):
        with pytest.raises(TooMuch, match="limit answer"):
            Http(serve(pieces, **headers)).send("GET", "/", {})
    assert len(streamed) == 3


def test_no_more_is_read_than_the_limit(serve: Serve) -> None:
    """As sent, or as decompressed: a small body can become a large one."""
    with pytest.raises(TooMuch, match="limit answer"):
        Http(serve([b"x" * (MOST + 1)])).send("GET", "/", {})
    url = serve([gzip.compress(bytes(100 * MOST))], Content_Encoding="gzip")
    with pytest.raises(TooMuch, match="limit answer"):
        Http(url).send("GET", "/", {})


def test_an_encoding_in_another_is_not_read(serve: Serve) -> None:
    """A few bytes of it can become any number. One that the body does not have is told, too."""
    with pytest.raises(Garbled, match="another encoding than it says"):
        Http(serve([b"{}"], Content_Encoding="gzip")).send("GET", "/", {})
    twice = gzip.compress(gzip.compress(b"{}"))
    with pytest.raises(Garbled):
        Http(serve([twice], Content_Encoding="gzip, gzip")).send("GET", "/", {})


def test_an_answer_that_is_cut_is_broken_off() -> None:
    """Not taken for a whole one."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            stream, _ = server.accept()
            with stream:
                stream.recv(65536)
                stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(BrokenOff):
            Http(f"http://127.0.0.1:{server.getsockname()[1]}").send("GET", "/", {})
        thread.join()


def test_record_says_that_an_answer_is_too_long(serve: Serve, tmp_path: Path) -> None:
    """The application is not left waiting."""
    url = serve([b"x" * (MOST + 1)])
    with recording(url, tmp_path / "tape.jsonl") as recorder:
        answer = Http(recorder).send("GET", "/v1/Account/x/", {})
    assert answer.status == 502
    assert "limit answer" in answer.json()["error"]
