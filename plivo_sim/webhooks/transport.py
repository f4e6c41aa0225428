"""Sending callbacks over HTTP: bounded, to local hosts only, never following a redirect.

urllib3, because it lets us connect to the address that was checked (a name that resolves
elsewhere the second time changes nothing) while Host header and TLS name stay the URL's.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from plivo_sim.ports import Answer, Outgoing
from plivo_sim.services.callback_urls import is_local_address, looks_local
from plivo_sim.webhooks.outbox import blocked_text

if TYPE_CHECKING:
    import urllib3

KEPT_ANSWER_BYTES = 4096


class HttpTransport:
    """Sends over real sockets. A fresh connection each time: callbacks are rare."""

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
    from urllib3.exceptions import NewConnectionError

    addresses = _addresses_of(request)
    for address in addresses[:-1]:
        try:
            return _exchange_with(address, request, deadline)
        except NewConnectionError:
            continue
    return _exchange_with(addresses[-1], request, deadline)


def _exchange_with(address: str, request: Outgoing, deadline: float) -> tuple[int, str]:
    import urllib3

    parts = urlsplit(request.url)
    host, port = parts.hostname or "", _port_of(request.url)
    timeout = urllib3.Timeout(total=max(deadline - time.perf_counter(), 0.001))
    pool: urllib3.HTTPConnectionPool
    if parts.scheme == "https":
        pool = urllib3.HTTPSConnectionPool(
            address, port, timeout=timeout, server_hostname=host, assert_hostname=host
        )
    else:
        pool = urllib3.HTTPConnectionPool(address, port, timeout=timeout)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    with pool:
        response = pool.urlopen(
            request.method,
            target,
            body=request.body or None,
            headers={"Host": parts.netloc.rpartition("@")[2], **dict(request.headers)},
            retries=False,
            redirect=False,
            preload_content=False,
            assert_same_host=False,
        )
        return response.status, _start_of_body(response, deadline)


def _start_of_body(response: urllib3.BaseHTTPResponse, deadline: float) -> str:
    """Up to 4 KiB of the body; the rest is never read, so a huge one costs nothing."""
    content = b""
    while len(content) < KEPT_ANSWER_BYTES:
        if time.perf_counter() > deadline:
            raise TimeoutError("the receiver did not finish its answer in time")
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
    """A sentence for the log; urllib3's own carry object addresses."""
    name = type(error).__name__
    if name in ("NewConnectionError", "ConnectionRefusedError"):
        return "connection refused"
    if name in ("ReadTimeoutError", "ConnectTimeoutError", "TimeoutError"):
        return "timed out"
    if name == "ProtocolError":
        return "the receiver closed the connection without an answer"
    return str(error) or name
