"""Connections that end when the time for a whole call is up: of callbacks, and of the commands.

A socket's own timeout begins anew with every byte: whoever drips could hold on. So
``timeouts`` cuts the connection, and the name of the host is looked up within the same time.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any

from plivo_sim.account.clock import monotonic_s
from plivo_sim.account.descriptors import Shares, is_wanting, most_look_ups
from plivo_sim.account.threads import Thread
from plivo_sim.domain.urls import host_name
from plivo_sim.webhooks.timeouts import TIMEOUTS

MOST_LOOK_UPS_EACH = 8
"""Of one account, so that names that hang in one leave room for the others' names."""
LOOPBACK = ["::1", "127.0.0.1"]


class SlowName(TimeoutError):
    """Whoever knows the host's name has not told it in time."""


class Names:
    """Look-ups of names with a deadline. The system's own has none and cannot be cut, so each has
    a thread that is left behind; only so many of them at once, and one for each name: whoever
    wants the same name meanwhile gets the same answer."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._asked: dict[str, Future[list[str]]] = {}
        self._shares = Shares[str](most_look_ups(), MOST_LOOK_UPS_EACH)

    def addresses(self, host: str, account: str, deadline: float) -> list[str]:
        """Raises OSError for an unknown name, SlowName. What needs no look-up waits for none."""
        known = _known_addresses(host)
        return known if known is not None else self._begun(host, account, deadline)

    def _begun(self, host: str, account: str, deadline: float) -> list[str]:
        def may_begin() -> bool:
            return host in self._asked or self._shares.take(account)

        with self._changed:
            if not self._changed.wait_for(may_begin, _left_s(deadline)):
                raise SlowName
            found = self._asked.get(host)
            if found is None:
                found = Future()
                try:
                    Thread(self._look_up, host, account, found, name="plivo-sim-name").start()
                except BaseException:
                    self._shares.give_back(account)
                    raise
                self._asked[host] = found
        try:
            return found.result(_left_s(deadline))
        except TimeoutError:
            raise SlowName from None

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
                self._shares.give_back(account)
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


def connected(addresses: Iterable[str], port: int, deadline: float) -> socket.socket:
    """A connection to the first of a host's addresses that takes it. Raises OSError: TimeoutError
    when the time is up, else why the last one took none, or what this process wants."""
    refusal = OSError("the host has no address")
    for address in addresses:
        try:
            return socket.create_connection((address, port), _left_s(deadline))
        except TimeoutError:
            raise
        except OSError as error:
            if is_wanting(error):
                raise
            refusal = error
    raise refusal


def _left_s(deadline: float) -> float:
    return max(deadline - monotonic_s(), 0.001)


def _nothing() -> None: ...


class Line:
    """The connection of one call, which another thread may cut at any moment, before it is made
    too."""

    def __init__(self) -> None:
        self.is_cut = False
        self.is_given_up = False
        """Cut by whoever made the call, not because the time is up."""
        self._lock = threading.Lock()
        self._used: socket.socket | None = None
        self._release: Callable[[], None] = _nothing

    @contextmanager
    def until(self, deadline: float) -> Iterator[None]:
        """The call: what is used in it is cut at the deadline. Raises TimeoutError when it was cut,
        whatever else came of that."""
        timeout = TIMEOUTS.begin(_left_s(deadline), self.cut)
        try:
            yield
        except Exception:
            if not self.is_cut:
                raise
        finally:
            TIMEOUTS.end(timeout)
            self._end()
        if self.is_cut:
            raise TimeoutError

    def use(self, sock: socket.socket) -> None:
        """This is the connection from now on. Raises TimeoutError if it was cut already.

        A twin of it is cut, with a descriptor of its own: whoever has the socket may close it, or
        wrap it in TLS, at any moment.
        """
        with self._lock:
            self._end_use()
            twin = socket.fromfd(sock.fileno(), sock.family, sock.type)
            self._used, self._release = twin, twin.close

    def hold(self, sock: socket.socket) -> None:
        """As ``use``, without a twin: the socket is open until the call ends, whoever closes it.
        What TLS makes of it is another one."""
        with self._lock:
            self._end_use()
            self._used, self._release = sock, sock.makefile("rb", 0).close

    def cut(self) -> None:
        with self._lock:
            self.is_cut = True
            if self._used is not None:
                with suppress(OSError):  # not as TLS does it, which somebody may be reading
                    socket.socket.shutdown(self._used, socket.SHUT_RDWR)

    def _end(self) -> None:
        with self._lock, suppress(TimeoutError):
            self._end_use()

    def _end_use(self) -> None:
        """Raises TimeoutError if it was cut."""
        release, self._used, self._release = self._release, None, _nothing
        release()
        if self.is_cut:
            raise TimeoutError


class Secured(ssl.SSLSocket):
    """One whose connection ended before the handshake began (it was cut, or the server reset
    it, while certificates were loaded) is closed: ``ssl`` asks who is connected, and leaves it
    open when nobody is."""

    def getpeername(self) -> Any:
        try:
            return super().getpeername()
        except OSError:
            self.close()
            raise ConnectionResetError from None
