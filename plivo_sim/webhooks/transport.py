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
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from plivo_sim.account.clock import monotonic_s
from plivo_sim.account.interfaces import Answer, Outgoing
from plivo_sim.domain.urls import (
    blocked_text,
    host_name,
    is_local_address,
    is_off_limits,
    looks_local,
)

READ_ANSWER_BYTES = 16 * 1024
KEPT_ANSWER_BYTES = 4096
KEPT_END_BYTES = 1024
"""Of an answer that is longer than what is kept, so much is its end."""
MOST_LOOK_UPS = 1024
MOST_LOOK_UPS_EACH = 8
"""Of one account, so that names that hang in one leave room for the others' names."""
LOOPBACK = ["::1", "127.0.0.1"]
LEFT_OUT = "[...]"
TIMED_OUT = "timed out"


class HttpTransport:
    """Sends over real sockets. A fresh connection each time: callbacks are rare.

    https receivers are verified against the system's certificates (``SSL_CERT_FILE`` replaces
    them).
    """

    def __init__(self) -> None:
        self._names = _Names()
        self._lines: dict[int, _Line] = {}

    def send(self, request: Outgoing) -> Answer:
        """The receiver's answer, or why there is none; takes at most ``timeout_s``."""
        began = monotonic_s()
        deadline = began + request.timeout_s
        line = self._lines[id(request)] = _Line()
        try:
            addresses = _addresses_of(request, self._names, deadline)
            status, body, damage = _exchange(request, addresses, deadline, line)
        except Exception as error:
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
        error: Exception = OSError("the host has no address")
        try:
            for address in _addresses_of(request, self._names, deadline):
                try:
                    socket.create_connection((address, _port_of(url)), _left_s(deadline)).close()
                except OSError as refusal:
                    error = refusal
                else:
                    return None
        except Exception as refusal:
            error = refusal
        return _told(error, timeout_s)


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


class _SlowName(Exception):
    """Whoever knows the host's name has not told it in time."""


class _Names:
    """Look-ups of names with a deadline. The system's own has none and cannot be cut, so each has
    a thread that is left behind; only so many of them at once, and one for each name: whoever
    wants the same name meanwhile gets the same answer."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._asked: dict[str, Future[list[str]]] = {}
        self._running: Counter[str] = Counter()

    def addresses(self, host: str, account: str, deadline: float) -> list[str]:
        """Raises OSError for an unknown name, _SlowName. What needs no look-up waits for none."""
        known = _known_addresses(host)
        return known if known is not None else self._begun(host, account, deadline)

    def _begun(self, host: str, account: str, deadline: float) -> list[str]:
        def may_begin() -> bool:
            is_room = len(self._asked) < MOST_LOOK_UPS
            return host in self._asked or (is_room and self._running[account] < MOST_LOOK_UPS_EACH)

        with self._changed:
            if not self._changed.wait_for(may_begin, _left_s(deadline)):
                raise _SlowName
            found = self._asked.get(host)
            if found is None:
                found = Future()
                threading.Thread(
                    target=self._look_up, args=(host, account, found),
                    name="plivo-sim-name", daemon=True,
                ).start()  # fmt: skip
                self._asked[host] = found
                self._running[account] += 1
        try:
            return found.result(_left_s(deadline))
        except TimeoutError:
            raise _SlowName from None

    def _look_up(self, host: str, account: str, found: Future[list[str]]) -> None:
        try:
            infos = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except BaseException as error:
            found.set_exception(error)
        else:
            found.set_result([str(info[4][0]) for info in infos])
        finally:
            with self._changed:
                del self._asked[host]
                self._running[account] -= 1
                if not self._running[account]:
                    del self._running[account]
                self._changed.notify_all()


def _known_addresses(host: str) -> list[str] | None:
    """Of a literal address, and of the names that always mean this machine (RFC 6761)."""
    name = host_name(host)
    if name == "localhost" or name.endswith(".localhost"):
        return LOOPBACK
    try:
        return [str(ipaddress.ip_address(name))]
    except ValueError:
        return None


def _left_s(deadline: float) -> float:
    return max(deadline - monotonic_s(), 0.001)


def _exchange(
    request: Outgoing, addresses: list[str], deadline: float, line: _Line
) -> tuple[int, str, str]:
    """Over the first of the host's addresses that takes the connection."""
    refusal = OSError("the host has no address")
    for address in addresses:
        try:
            with _connected(address, _port_of(request.url), deadline, line) as sock:
                return _exchange_over(sock, request)
        except _NotConnected as error:
            refusal = error.reason
    raise refusal


class _NotConnected(Exception):
    def __init__(self, reason: OSError) -> None:
        self.reason = reason


class _Line:
    """A connection that another thread may cut at any moment, before it is made too."""

    def __init__(self) -> None:
        self.is_cut = False
        self.is_given_up = False  # cut by us, not because the time is up
        self._lock = threading.Lock()
        self._sock: socket.socket | None = None

    def use(self, sock: socket.socket | None) -> None:
        """This is the connection now. Raises TimeoutError if it was cut already."""
        with self._lock:
            self._sock = sock
            if sock is not None and self.is_cut:
                raise TimeoutError

    def cut(self) -> None:
        with self._lock:
            self.is_cut = True
            if self._sock is not None:
                with suppress(OSError):
                    self._sock.shutdown(socket.SHUT_RDWR)


@contextmanager
def _connected(address: str, port: int, deadline: float, line: _Line) -> Iterator[socket.socket]:
    """A connection that is cut at the deadline. Raises TimeoutError then, _NotConnected when the
    address takes none.

    A socket's own timeout begins anew with every byte: a receiver that drips could hold on.
    """
    try:
        sock = socket.create_connection((address, port), _left_s(deadline))
    except TimeoutError:
        raise
    except OSError as error:
        raise _NotConnected(error) from None
    with sock, sock.dup() as twin:  # TLS takes the socket over, its twin stays
        line.use(twin)
        timer = threading.Timer(_left_s(deadline), line.cut)
        timer.daemon = True
        timer.start()
        try:
            yield sock
        except Exception:
            if not line.is_cut:
                raise
        finally:
            timer.cancel()
            timer.join()
            line.use(None)
        if line.is_cut:
            raise TimeoutError


class _Secured(ssl.SSLSocket):
    """One whose connection ended before the handshake began (it was cut, or the receiver reset
    it, while certificates were loaded) is closed: ``ssl`` asks who is connected, and leaves it
    open when nobody is."""

    def getpeername(self) -> Any:
        try:
            return super().getpeername()
        except OSError:
            self.close()
            raise ConnectionResetError from None


def _exchange_over(sock: socket.socket, request: Outgoing) -> tuple[int, str, str]:
    """Status, start of the body, and what is wrong with that."""
    parts = urlsplit(request.url)
    connection = http.client.HTTPConnection(parts.hostname or "", _port_of(request.url))
    if parts.scheme == "https":
        context = ssl.create_default_context()
        context.sslsocket_class = _Secured
        sock = context.wrap_socket(sock, server_hostname=parts.hostname)
    connection.sock = sock
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Host": parts.netloc.rpartition("@")[2], **dict(request.headers)}
    with closing(connection):
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
            damage.append(f"it ended early: {len(content):,} of {announced:,} bytes came")
    except http.client.IncompleteRead:
        damage.append(f"it ended early: within a chunk, after {len(content):,} bytes")
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


def _addresses_of(request: Outgoing, names: _Names, deadline: float) -> list[str]:
    """The addresses of the host, if all of them may be used; raises Blocked, OSError, _SlowName.

    A host that the user allowed may be anywhere but where a cloud keeps its secrets.
    """
    host, allowed = urlsplit(request.url).hostname or "", request.allowed_hosts
    if not looks_local(host, allowed):
        raise Blocked(blocked_text(host))
    found = names.addresses(host, request.account, deadline)
    for address in {ipaddress.ip_address(each.partition("%")[0]) for each in found}:
        if is_off_limits(address) and host_name(str(address)) not in allowed:
            raise Blocked(f"blocked: {host} means {address}, which callbacks never go to")
        if host_name(host) not in allowed and not is_local_address(address):
            raise Blocked(blocked_text(host))
    return list(dict.fromkeys(map(host_name, found)))


def _port_of(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def _told(error: Exception, given_s: float | None) -> str:
    """A sentence for the log. ``given_s``: how long the receiver was given; None if that was not
    waited for."""
    if isinstance(error, _SlowName):
        return "timed out while looking up the host's name"
    if isinstance(error, TimeoutError):
        return TIMED_OUT if given_s is None else f"{TIMED_OUT} after {given_s:g} s"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, ConnectionError):
        return "the receiver closed the connection without an answer"
    if isinstance(error, http.client.HTTPException):
        return f"the receiver's answer is not HTTP: {str(error) or type(error).__name__}"
    if isinstance(error, socket.gaierror):
        return f"the host's name cannot be resolved: {error.strerror}"
    return str(error) or type(error).__name__
