"""Sending callbacks over HTTP: bounded, to local hosts only, never following a redirect.

``http.client`` over a socket of our own, because that connects to the address that was checked (a
name that resolves elsewhere the second time changes nothing) while Host header and TLS name stay
the URL's, and because a socket of our own can be cut when the time is up.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from urllib.parse import urlsplit

from plivo_sim.ports import Answer, Outgoing
from plivo_sim.services.callback_urls import is_local_address, looks_local
from plivo_sim.webhooks.outbox import blocked_text

KEPT_ANSWER_BYTES = 4096


class HttpTransport:
    """Sends over real sockets. A fresh connection each time: callbacks are rare.

    https receivers are verified against the system's certificates (``SSL_CERT_FILE`` replaces
    them). How long looking a name up takes is the system's business and not bounded here.
    """

    def send(self, request: Outgoing) -> Answer:
        """The receiver's answer, or why there is none; takes at most ``timeout_s``."""
        began = time.perf_counter()
        try:
            status, body = _exchange(request, began + request.timeout_s)
        except Exception as error:
            return Answer(error=_told(error), latency_s=time.perf_counter() - began)
        return Answer(status=status, body=body, latency_s=time.perf_counter() - began)


class MemoryTransport:
    """Keeps what was sent and answers from a list of statuses (then 200): for tests."""

    def __init__(self, *statuses: int) -> None:
        self.sent: list[Outgoing] = []
        self._statuses = list(statuses)
        self._lock = threading.Lock()

    def send(self, request: Outgoing) -> Answer:
        with self._lock:
            self.sent.append(request)
            status = self._statuses.pop(0) if self._statuses else 200
        return Answer(status=status)


class Blocked(Exception):
    """The host's address is not one that callbacks may go to."""


def _exchange(request: Outgoing, deadline: float) -> tuple[int, str]:
    """Over the first of the host's addresses that takes the connection."""
    addresses, refusal = _addresses_of(request), OSError("the host has no address")
    for address in addresses:
        try:
            with _connected(address, _port_of(request.url), deadline) as sock:
                return _exchange_over(sock, request)
        except _NotConnected as error:
            refusal = error.reason
    raise refusal


class _NotConnected(Exception):
    def __init__(self, reason: OSError) -> None:
        self.reason = reason


@contextmanager
def _connected(address: str, port: int, deadline: float) -> Iterator[socket.socket]:
    """A connection that is cut at the deadline. Raises TimeoutError then, _NotConnected when the
    address takes none.

    A socket's own timeout begins anew with every byte: a receiver that drips could hold on.
    """
    left_s = max(deadline - time.perf_counter(), 0.001)
    try:
        sock = socket.create_connection((address, port), left_s)
    except TimeoutError:
        raise
    except OSError as error:
        raise _NotConnected(error) from None
    late = threading.Event()
    with sock, sock.dup() as twin:  # TLS takes the socket over, its twin stays

        def cut() -> None:
            late.set()
            with suppress(OSError):
                twin.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(max(deadline - time.perf_counter(), 0.001), cut)
        timer.daemon = True
        timer.start()
        try:
            yield sock
        except Exception:
            if not late.is_set():
                raise
        finally:
            timer.cancel()
            timer.join()
        if late.is_set():
            raise TimeoutError


def _exchange_over(sock: socket.socket, request: Outgoing) -> tuple[int, str]:
    parts = urlsplit(request.url)
    connection = http.client.HTTPConnection(parts.hostname or "")
    if parts.scheme == "https":
        context = ssl.create_default_context()
        sock = context.wrap_socket(sock, server_hostname=parts.hostname)
    connection.sock = sock
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Host": parts.netloc.rpartition("@")[2], **dict(request.headers)}
    with closing(connection):
        connection.request(request.method, target, request.body or None, headers)
        with connection.getresponse() as response:
            return response.status, _start_of_body(response)


def _start_of_body(response: http.client.HTTPResponse) -> str:
    """Up to 4 KiB of the body; the rest is never read, so a huge one costs nothing."""
    content = b""
    with suppress(http.client.IncompleteRead):  # the answer counts, however its body ends
        while len(content) < KEPT_ANSWER_BYTES:
            chunk = response.read1(KEPT_ANSWER_BYTES - len(content))
            if not chunk:
                break
            content += chunk
    return content.decode("utf-8", "replace")


def _addresses_of(request: Outgoing) -> list[str]:
    """The addresses of the host, if all of them may be used; raises Blocked, OSError."""
    host, allowed = urlsplit(request.url).hostname or "", request.allowed_hosts
    if not looks_local(host, allowed):
        raise Blocked(blocked_text(host))
    found = socket.getaddrinfo(host, _port_of(request.url), type=socket.SOCK_STREAM)
    addresses = [str(info[4][0]) for info in found]
    if host.lower() not in allowed:
        for address in addresses:
            if not is_local_address(ipaddress.ip_address(address.partition("%")[0])):
                raise Blocked(blocked_text(host))
    return list(dict.fromkeys(addresses))


def _port_of(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def _told(error: Exception) -> str:
    """A sentence for the log."""
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, ConnectionError):
        return "the receiver closed the connection without an answer"
    if isinstance(error, http.client.HTTPException):
        return f"the receiver's answer is not HTTP: {str(error) or type(error).__name__}"
    if isinstance(error, socket.gaierror):
        return f"the host's name cannot be resolved: {error.strerror}"
    return str(error) or type(error).__name__
