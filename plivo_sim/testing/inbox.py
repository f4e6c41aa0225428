"""A receiver of callbacks for test suites, which checks their signatures."""

from __future__ import annotations

import re
import socket
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from inspect import iscoroutinefunction
from typing import Any
from urllib.parse import urlsplit

from plivo_sim.domain.urls import base_url, is_loopback, with_scheme
from plivo_sim.simulator import is_account, main_account
from plivo_sim.testing.checked import checked_verbs
from plivo_sim.testing.starts import AUTH_TOKEN

LOOPBACK = "127.0.0.1"
LOSSLESS = ("utf-8", "surrogateescape")
_TEST_NUMBER = re.compile(r"/callback/(\d+)(?:/|$)")


@dataclass(frozen=True, slots=True)
class Message:
    """A callback that arrived; ``signed`` says whether all signatures are right: V2, V3, Ma-V3.
    ``body``: bytes in it that are no UTF-8 are lone surrogates (``surrogateescape``)."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: str
    signed: bool

    def json(self) -> Any:
        from plivo_sim.domain.text import decode_json

        return decode_json(self.body)

    def send_to(self, client: Any) -> Any:
        """Hand the callback on to an application, by its test client: the method, URL, headers and
        body with which it came, so that its signatures verify there. Redirects are not followed.

        ``client``: that of Flask, werkzeug, Django (4.2 and newer) or Starlette and FastAPI, or one
        of httpx. Returns the client's response; an async client's is to be awaited. Raises
        TypeError for any other client.

        The application sees the URL that was signed, host and port included. It has to route the
        path (``Inbox.origin`` is what goes before it) and to answer for the host ``127.0.0.1``.
        """
        headers, body = dict(self.headers), self.body.encode(*LOSSLESS)
        if hasattr(client, "generic") and not iscoroutinefunction(client.request):  # Django
            kind = headers.get("Content-Type", "")
            return client.generic(self.method, self.url, body, kind, headers=headers)
        if hasattr(client, "build_request"):  # httpx, and Starlette's, which is one
            return client.request(
                self.method, self.url, content=body, headers=headers, follow_redirects=False
            )
        if hasattr(client, "open"):  # werkzeug, and Flask's, which is one
            return client.open(self.url, method=self.method, data=body, headers=headers)
        raise TypeError(
            f"a callback cannot be sent to a {type(client).__name__}, only to a test client of "
            "Flask, werkzeug, Django, Starlette or FastAPI, or to a client of httpx (which reaches "
            "an ASGI application of Django, too: its own AsyncClient always calls 'testserver', "
            "which is not what was signed)"
        )


@checked_verbs
class Inbox:
    """A real receiver on loopback that keeps callbacks and checks their signatures.

    ``answer_with(500, 500)`` answers the next two with 500; otherwise 200. Each
    test has a ``url`` of its own: what still comes to that of an earlier test is refused with 410.
    ``subaccount_token``: set it where applications are made under a subaccount's URL, whose token
    keys their V2 and V3. ``host``: where the simulator reaches this machine; the receiver listens
    on every address unless that is loopback.
    """

    def __init__(self, token: str = AUTH_TOKEN, host: str = LOOPBACK) -> None:
        self.token, self._host = token, host
        self._is_near = False
        self.subaccount_token = ""
        self.known: Iterable[tuple[str, str]] = ()
        """Auth ids and tokens of accounts and subaccounts, with which callbacks may be signed too;
        more may be added meanwhile."""
        self.messages: list[Message] = []
        self._test = 1
        self._strays: list[str] = []
        self._statuses: list[int] = []
        self._arrived = threading.Condition()
        listen = host if is_loopback(host) else ""
        self._server = ThreadingHTTPServer((listen, 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def __setattr__(self, name: str, value: Any) -> None:
        """Raises ValueError for a token that is no text: the receiver could not check with it."""
        if name.endswith("token") and not isinstance(value, str):
            raise ValueError(f"{name}: what is given is not a text")
        super().__setattr__(name, value)

    @property
    def origin(self) -> str:
        """Scheme, host and port, without a path: the public address of an application to which
        ``Message.send_to`` hands its callbacks on. Every path below it is taken."""
        host = LOOPBACK if self._is_near and not is_loopback(self._host) else self._host
        return base_url("http", host, self._server.server_port)

    @property
    def url(self) -> str:
        """Where callbacks are to be sent."""
        return f"{self.origin}/callback/{self._test}"

    def begin(self, token: str = AUTH_TOKEN, *, is_near: bool = False) -> None:
        """For the next test: empty, and with a URL of its own. ``is_near``: its simulator is on
        this machine, whatever ``host`` says of others."""
        with self._arrived:
            self._is_near = is_near
            self._test += 1
            self.token, self.subaccount_token, self.known = token, "", ()
            self._strays.clear()
            self.clear()

    def answer_with(self, *statuses: int) -> None:
        """Answer the next ones with these, in this order, then 200; without any, 200 from now on.
        Raises ValueError for what is no final status, 200 to 599."""
        for status in statuses:
            if not 200 <= status <= 599:
                raise ValueError(f"statuses: {status} is not a final status, 200 to 599")
        self._statuses = list(statuses)

    def wait_for(self, count: int, timeout_s: float = 5.0) -> list[Message]:
        """The messages once there are this many; raises AssertionError when they do not come,
        ValueError for a number that is less than 1, and for no time."""
        if count < 1:
            raise ValueError(f"count: {count} says nothing; at least 1 can be waited for")
        if not 0 < timeout_s < threading.TIMEOUT_MAX:
            raise ValueError(f"timeout_s: {timeout_s} is no number of seconds")
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

    def _take(self, method: str, url: str, headers: Mapping[str, str], body: str) -> int:
        """Keep one message; returns the status to answer with. Raises ValueError for a URL that is
        none; then nothing is kept."""
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
        from plivo_sim.webhooks.diagnosis import ReceivedRequest, diagnose

        for main, subs in self._tokens():
            seen = ReceivedRequest(
                method=method,
                url=url,
                headers=headers,
                body=body,
                tokens=(main, *subs),
                main_token=main,
            )
            try:
                if all(each["valid"] for each in diagnose(seen).values()):
                    return True
            except ValueError:  # no callback of this simulator
                return False
        return False

    def _tokens(self) -> Iterator[tuple[str, list[str]]]:
        """For each account that may send, its token and those of its subaccount, of which one is
        its own where no other is known."""
        mains, subs = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
        for auth_id, token in self.known:
            (mains if is_account(auth_id) else subs)[main_account(auth_id)].append(token)
        yield self.token, [self.subaccount_token]
        for account in {**mains, **subs}:
            for main in mains[account] or subs[account]:
                yield main, subs[account]


def own_address(url: str) -> str:
    """The address of this machine as the host of this URL sees it: 127.0.0.1 where it is this
    machine itself."""
    parts = urlsplit(url)
    if is_loopback(parts.hostname or ""):
        return LOOPBACK
    family, *_, address = socket.getaddrinfo(parts.hostname, parts.port or 80)[0]
    with socket.socket(family, socket.SOCK_DGRAM) as probe:  # which sends nothing
        probe.connect(address)
        return str(probe.getsockname()[0])


def _length_of(text: str) -> int:
    """Raises ValueError for what is no number of bytes."""
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"Content-Length: {text[:80]!r} is no number of bytes")
    return int(text)


def _handler(inbox: Inbox) -> type[BaseHTTPRequestHandler]:
    from plivo_sim.web.access import is_of_browser

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            if is_of_browser(
                {f"HTTP_{k.upper().replace('-', '_')}": v for k, v in self.headers.items()}
            ):
                self.send_error(403, "no callback comes from a browser")
                return
            try:
                body = self.rfile.read(_length_of(self.headers.get("Content-Length") or "0"))
                url = with_scheme(self.headers["Host"] or inbox.origin) + self.path
                status = inbox._take(
                    self.command, url, dict(self.headers.items()), body.decode(*LOSSLESS)
                )
            except ValueError as error:
                self.send_error(400, "this is no request", str(error))
                return
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST

        def log_message(self, format: str, *args: Any) -> None: ...

    return Handler
