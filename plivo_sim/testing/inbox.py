"""A receiver of callbacks for test suites, which checks their signatures."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from plivo_sim.domain.urls import with_scheme
from plivo_sim.testing import AUTH_TOKEN

_TEST_NUMBER = re.compile(r"/callback/(\d+)(?:/|$)")


@dataclass(frozen=True, slots=True)
class Message:
    """A callback that arrived; ``signed`` says whether all signatures are right: V2, V3, Ma-V3."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: str
    signed: bool

    def json(self) -> Any:
        from plivo_sim.domain.text import decode_json

        return decode_json(self.body)


class Inbox:
    """A real receiver on loopback that keeps callbacks and checks their signatures.

    ``answer_with(500, 500)`` answers the next two with 500; otherwise 200. Each
    test has a ``url`` of its own: what still comes to that of an earlier test is refused with 410.
    ``subaccount_token``: set it where applications are made under a subaccount's URL, whose token
    keys their V2 and V3.
    """

    def __init__(self, token: str = AUTH_TOKEN) -> None:
        self.token = token
        self.subaccount_token = ""
        self.messages: list[Message] = []
        self._test = 1
        self._strays: list[str] = []
        self._statuses: list[int] = []
        self._arrived = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where callbacks are to be sent."""
        return f"http://127.0.0.1:{self._server.server_port}/callback/{self._test}"

    def begin(self, token: str = AUTH_TOKEN) -> None:
        """For the next test: empty, and with a URL of its own."""
        with self._arrived:
            self._test += 1
            self.token, self.subaccount_token = token, ""
            self._strays.clear()
            self.clear()

    def answer_with(self, *statuses: int) -> None:
        self._statuses = list(statuses)

    def wait_for(self, count: int, timeout_s: float = 5.0) -> list[Message]:
        """The messages once there are this many; raises AssertionError when they do not come."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self.messages) >= count, timeout_s):
                strays = "".join(f"; one came to {url}, of an earlier test" for url in self._strays)
                raise AssertionError(
                    f"{len(self.messages)} of {count} callbacks arrived within {timeout_s} s"
                    + strays
                )
            return list(self.messages)

    def clear(self) -> None:
        self.messages.clear()
        self._statuses.clear()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def take(self, method: str, url: str, headers: Mapping[str, str], body: str) -> int:
        """Keep one message; returns the status to answer with."""
        with self._arrived:
            found = _TEST_NUMBER.match(urlsplit(url).path)
            if found is not None and int(found[1]) != self._test:
                self._strays.append(url)
                return 410
            signed = self._is_signed(method, url, headers, body)
            self.messages.append(Message(method, url, headers, body, signed))
            self._arrived.notify_all()
            return self._statuses.pop(0) if self._statuses else 200

    def _is_signed(self, method: str, url: str, headers: Mapping[str, str], body: str) -> bool:
        from plivo_sim.webhooks.signatures import ReceivedRequest, diagnose

        seen = ReceivedRequest(
            method=method,
            url=url,
            headers=headers,
            body=body,
            tokens=(self.token, self.subaccount_token),
            main_token=self.token,
        )
        return all(each["valid"] for each in diagnose(seen).values())


def _handler(inbox: Inbox) -> type[BaseHTTPRequestHandler]:
    from plivo_sim.web.access import is_of_browser

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            if is_of_browser(
                {f"HTTP_{k.upper().replace('-', '_')}": v for k, v in self.headers.items()}
            ):
                self.send_error(403, "no callback comes from a browser")
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            url = with_scheme(self.headers["Host"]) + self.path
            self.send_response(inbox.take(self.command, url, dict(self.headers.items()), body))
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST

        def log_message(self, format: str, *args: Any) -> None: ...

    return Handler
