"""A client of one account over one connection, and a receiver that outlives every server."""

from __future__ import annotations

import http.client
import json
import threading
import zlib
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.support import SDK_AGENT, basic, multipart


class Dead(Exception):
    """The server did not answer: whether it did what it was asked is unknown."""


class Refused(Exception):
    """The server answered that it did nothing."""


class Client:
    """Calls of one account; every answer is read whole before it counts."""

    def __init__(self, url: str, auth_id: str, timeout_s: float = 60) -> None:
        self.auth_id = auth_id
        self._host = urlsplit(url).netloc
        self._connection = http.client.HTTPConnection(self._host, timeout=timeout_s)

    def call(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        content_type: str = "application/json",
        **headers: str,
    ) -> Any:
        """The answer's JSON (or bytes, of a download). Raises Refused for 4xx, Dead."""
        if not path.startswith("/"):
            path = f"/v1/Account/{self.auth_id}/{path}"
        sent = {"Authorization": basic(self.auth_id), "Content-Type": content_type, **headers}
        try:
            self._connection.request(method, path, content, sent)
            answer = self._connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise Dead(repr(error)) from error
        if 400 <= answer.status < 500:
            raise Refused(f"{method} {path}: {answer.status} {body[:300]!r}")
        assert answer.status < 300, f"{method} {path}: {answer.status} {body[:2000]!r}"
        if answer.headers.get_content_type() != "application/json":
            return body
        told = json.loads(body.replace(self._host.encode(), b"HOST"))
        told.pop("api_id", None)
        return told

    def send(self, method: str, path: str, body: Any, **headers: str) -> Any:
        """A call with a JSON body."""
        return self.call(method, path, json.dumps(body).encode(), **headers)

    def form(
        self, method: str, path: str, fields: dict[str, str], files: list[Any], **headers: str
    ) -> Any:
        """A call with a multipart form."""
        content, content_type = multipart(list(fields.items()), files)
        return self.call(method, path, content, content_type, **headers)

    def sdk(self, method: str, path: str, data: Any, files: list[Any], outcome: str = "") -> Any:
        """A call of the new API as the Python SDK makes it."""
        headers = {"User-Agent": SDK_AGENT} | ({"X-Plivo-Sim-Outcome": outcome} if outcome else {})
        return self.form(method, path, {"data": json.dumps(data)}, files, **headers)

    def get(self, path: str) -> Any:
        return self.call("GET", path, **{"User-Agent": SDK_AGENT})

    def delete(self, path: str) -> Any:
        return self.call("DELETE", path, **{"User-Agent": SDK_AGENT})

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exc: object) -> None:
        self._connection.close()


class Collector:
    """A receiver of callbacks that keeps count of deliveries by id and attempt.

    It refuses some attempts, always the same ones, so that there are retries.
    """

    def __init__(self) -> None:
        self.bodies: defaultdict[str, set[bytes]] = defaultdict(set)
        self.times: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._guard = threading.Lock()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length)
                if len(body) < length:
                    return  # its sender was killed amid it
                delivery = self.headers["X-Plivo-Sim-Delivery"]
                attempt = self.headers["X-Plivo-Sim-Attempt"]
                self.send_response(collector.take(delivery, attempt, body))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # killed callers
        self.url = f"http://127.0.0.1:{self._server.server_port}/callback"

    def take(self, delivery: str, attempt: str, body: bytes) -> int:
        with self._guard:
            self.bodies[delivery].add(body)
            self.times[delivery, attempt] += 1
        return 500 if zlib.crc32(f"{delivery} {attempt}".encode()) % 5 == 0 else 200

    @property
    def repeats(self) -> int:
        """How often an attempt that had come came again."""
        with self._guard:
            return sum(count - 1 for count in self.times.values())

    @contextmanager
    def serving(self) -> Iterator[Collector]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()
