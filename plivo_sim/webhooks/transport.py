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
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from plivo_sim.account.clock import monotonic_s
from plivo_sim.account.descriptors import is_wanting
from plivo_sim.account.interfaces import Answer, Outgoing
from plivo_sim.domain.records import ENDED_EARLY
from plivo_sim.domain.urls import (
    blocked_text,
    host_name,
    is_local_address,
    is_off_limits,
    looks_local,
    off_limits_text,
)
from plivo_sim.webhooks.answers import Endless, FinalAnswer
from plivo_sim.webhooks.lines import Line, Names, Secured, SlowName, connected

READ_ANSWER_BYTES = 16 * 1024
KEPT_ANSWER_BYTES = 4096
KEPT_END_BYTES = 1024
"""Of an answer that is longer than what is kept, so much is its end."""
LEFT_OUT = "[...]"
TIMED_OUT = "timed out"


class HttpTransport:
    """Sends over real sockets. A fresh connection each time: callbacks are rare.

    https receivers are verified against the system's certificates (``SSL_CERT_FILE`` replaces
    them), and against the authorities in a PEM file: the server's own, as it may call itself.
    Raises OSError, ssl.SSLError for a file that cannot be read, or has none.
    """

    def __init__(self, authority: Path | None = None) -> None:
        self._authority = b"" if authority is None else _authorities_in(authority)
        self._names = Names()
        self._lines: dict[int, Line] = {}

    def send(self, request: Outgoing) -> Answer:
        """The receiver's answer, or why there is none; takes at most ``timeout_s``. Raises what is
        for want of descriptors, memory or threads of this process."""
        began = monotonic_s()
        deadline = began + request.timeout_s
        line = self._lines[id(request)] = Line()
        try:
            addresses = _addresses_of(request, self._names, deadline)
            with (
                line.until(deadline),
                connected(addresses, _port_of(request.url), deadline) as sock,
            ):
                line.hold(sock)
                status, body, damage = _exchange_over(sock, request, line, self._authority)
        except Exception as error:
            if is_wanting(error):
                raise
            given_s = None if line.is_given_up else request.timeout_s
            return Answer(error=_told(error, given_s), latency_s=monotonic_s() - began)
        finally:
            del self._lines[id(request)]
        took_s = monotonic_s() - began
        return Answer(status=status, body=body, damage=damage, latency_s=took_s)

    def cut(self, request: Outgoing) -> None:
        """Give up the sending of this very request, if it is under way."""
        line = self._lines.get(id(request))
        if line is not None:
            line.is_given_up = True
            line.cut()

    def why_unreachable(self, url: str, allowed: tuple[str, ...], timeout_s: float) -> str | None:
        """Why a callback would not get to a receiver, or None: connects, and sends nothing."""
        request = Outgoing(
            method="GET", url=url, headers=(), body=b"", timeout_s=timeout_s, allowed_hosts=allowed
        )
        deadline = monotonic_s() + timeout_s
        try:
            connected(
                _addresses_of(request, self._names, deadline), _port_of(url), deadline
            ).close()
        except Exception as error:
            return _told(error, timeout_s)
        return None


def _authorities_in(file: Path) -> bytes:
    """The certificates of authorities in a PEM file, as DER, one behind the other."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(file)
    return b"".join(context.get_ca_certs(binary_form=True))


class MemoryTransport:
    """Keeps what was sent and answers from a list of statuses (then 200): for tests.

    ``immediate``: nobody waits for it, so it needs no threads.
    """

    immediate = True

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


def _exchange_over(
    sock: socket.socket, request: Outgoing, line: Line, authority: bytes
) -> tuple[int, str, str]:
    """Status, start of the body, and what is wrong with that. ``authority``: certificates
    that are trusted, too (DER, one behind the other)."""
    parts = urlsplit(request.url)
    connection = http.client.HTTPConnection(parts.hostname or "", _port_of(request.url))
    if parts.scheme == "https":
        context = ssl.create_default_context()
        if authority:
            context.load_verify_locations(cadata=authority)
        context.sslsocket_class = Secured
        sock = context.wrap_socket(
            sock, server_hostname=parts.hostname, do_handshake_on_connect=False
        )
    connection.response_class = FinalAnswer
    connection.sock = sock
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Host": parts.netloc.rpartition("@")[2], **dict(request.headers)}
    with closing(connection):
        if isinstance(sock, ssl.SSLSocket):
            line.hold(sock)
            sock.do_handshake()
        connection.request(request.method, target, request.body or None, headers)
        with connection.getresponse() as response:
            return response.status, *_start_of_body(response)


def _start_of_body(response: http.client.HTTPResponse) -> tuple[str, str]:
    """Start and end of up to 16 KiB of the body, and what is wrong with it; the rest is never read,
    so a huge one costs nothing. Bytes that are no text are written as ``\\xNN``."""
    content, damage = b"", []
    announced = response.length
    try:  # the answer counts, however its body ends
        while len(content) < READ_ANSWER_BYTES:
            chunk = response.read1(READ_ANSWER_BYTES - len(content))
            if not chunk:
                break
            content += chunk
        if announced is not None and len(content) < min(announced, READ_ANSWER_BYTES):
            damage.append(f"{ENDED_EARLY}: {len(content):,} of {announced:,} bytes came")
    except http.client.IncompleteRead:
        damage.append(f"{ENDED_EARLY}: within a chunk, after {len(content):,} bytes")
    if len(content) == READ_ANSWER_BYTES and announced != READ_ANSWER_BYTES:
        more = "" if announced is None else f" of {announced:,}"
        damage.append(f"only the first {READ_ANSWER_BYTES:,}{more} bytes were read")
    kept, end = content, b""
    if len(content) > KEPT_ANSWER_BYTES:
        kept = content[: KEPT_ANSWER_BYTES - KEPT_END_BYTES - len(LEFT_OUT)]
        end = content[-KEPT_END_BYTES:]
        left_out = len(content) - len(kept) - len(end)
        damage.append(f"{left_out:,} bytes in the middle are left out at {LEFT_OUT}")
    if not _is_text(content):
        damage.append("it is not UTF-8: bytes that are no text are shown as \\xNN")
    text = kept.decode("utf-8", "backslashreplace")
    if end:
        text += LEFT_OUT + end.decode("utf-8", "backslashreplace")
    return text, "; ".join(damage)


def _is_text(content: bytes) -> bool:
    """Whether it is UTF-8, but for a character that was cut at its end."""
    try:
        content.decode()
    except UnicodeDecodeError as error:
        return len(content) == READ_ANSWER_BYTES and len(content) - error.start < 4
    return True


def _addresses_of(request: Outgoing, names: Names, deadline: float) -> list[str]:
    """The addresses of the host, if all of them may be used; raises Blocked, OSError, SlowName.

    A host that the user allowed may be anywhere but where a cloud keeps its secrets. The allowed
    hosts of a request name such an address only if the server was started with it.
    """
    host, allowed = urlsplit(request.url).hostname or "", request.allowed_hosts
    if not looks_local(host, allowed):
        raise Blocked(blocked_text(host, request.way))
    found = names.addresses(host, request.account, deadline)
    for address in {ipaddress.ip_address(each.partition("%")[0]) for each in found}:
        name = host_name(str(address))
        if is_off_limits(address) and name not in allowed:
            raise Blocked(f"blocked: {host} means {name}; {off_limits_text(name, request.way)}")
        if host_name(host) not in allowed and not is_local_address(address):
            raise Blocked(blocked_text(host, request.way))
    return list(dict.fromkeys(map(host_name, found)))


def _port_of(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def _told(error: Exception, given_s: float | None) -> str:
    """A sentence for the log. ``given_s``: how long the receiver was given; None if that was not
    waited for."""
    if is_wanting(error):
        return "this machine has no room for another connection (ulimit -n, memory)"
    if isinstance(error, SlowName):
        return "timed out while looking up the host's name"
    if isinstance(error, TimeoutError):
        return TIMED_OUT if given_s is None else f"{TIMED_OUT} after {given_s:g} s"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, ConnectionError):
        return "the receiver closed the connection without an answer"
    if isinstance(error, Endless):
        return f"the receiver's answer {error}"
    if isinstance(error, http.client.HTTPException):
        return f"the receiver's answer is not HTTP: {str(error).strip() or type(error).__name__}"
    if isinstance(error, socket.gaierror):
        return f"the host's name cannot be resolved: {error.strerror}"
    text = str(error) or type(error).__name__
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError):
        return f"the receiver cannot be reached: {error.strerror or text}"
    return text
