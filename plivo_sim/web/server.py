"""The HTTP server the simulator runs on, behind one small port.

It is our own, because the faults need the sockets, and because no client may hold a thread or make
`stop` wait: `connections` waits for all, `parsing` serves what has come. `benchmarks/servers.py`
compares it with others.
"""

from __future__ import annotations

import errno
import logging
import os
import queue
import socket
import sys
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from plivo_sim.domain.urls import ANY_ADDRESS, base_url
from plivo_sim.web.connection import Connection
from plivo_sim.web.connections import Connections
from plivo_sim.web.streams import REQUEST_THREAD, Held
from plivo_sim.web.tls import Tls, TlsAdapter

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

BACKLOG = 1024  # with few, reconnecting clients lose SYNs, each costing them a second

log = logging.getLogger(__name__)


class Server(Protocol):
    """A server for one WSGI application. `port` is the bound one once `start` has returned."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """Base URL a client on this machine can use, without a trailing slash."""

    def start(self) -> None:
        """Bind, then serve in daemon threads; raise OSError, errno kept, if binding fails."""

    def stop(self) -> None:
        """Stop listening, give requests in progress their grace, then cut what is left."""


def make_server(
    app: WSGIApplication,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    threads: int = 128,
    tls: Tls | None = None,
    grace_s: float = 5.0,
    drain_s: float = 0.0,
    words_refusals: bool = False,
) -> Server:
    """Return a server, not yet started, which can be started once.

    `threads` bounds the requests that are served at once; threads are made on demand, and whoever
    is waited for needs none. `stop` lets open connections bring one more request for `drain_s`, and
    then waits for requests in progress for at most `grace_s`.
    `words_refusals`: the application is asked for the words of what is refused before it sees it
    (`REFUSED_KEY`); else that is answered in plain JSON.
    Raise OSError or ssl.SSLError if the certificate or key cannot be loaded.
    """
    return _Server(
        app, host, port, _Pool(threads), TlsAdapter(tls) if tls else None, grace_s, drain_s,
        words_refusals,
    )  # fmt: skip


@dataclass
class _Server:
    wsgi_app: WSGIApplication
    host: str
    port: int
    requests: _Pool
    tls: TlsAdapter | None
    grace_s: float
    drain_s: float
    words_refusals: bool
    connections: Connections = field(init=False)
    ready: bool = False
    """From the start to the stop, in between which an answer leaves its connection open."""

    @property
    def url(self) -> str:
        host = ANY_ADDRESS.get(self.host, self.host)
        return base_url("https" if self.tls else "http", host, self.port)

    def start(self) -> None:
        listener = handed_over() or listening(self.host, self.port)
        self.port = listener.getsockname()[1]
        self.ready = True
        self.connections = Connections(self, listener)
        self.connections.start()

    def stop(self) -> None:
        if self.ready:
            self.ready = False
            self.connections.stop(self.grace_s, self.drain_s)
            self.requests.stop()


def listening(host: str, port: int) -> socket.socket:
    """A socket at the first address of that name that can be had. Raises OSError."""
    failure: OSError | None = None
    for family, kind, protocol, _, address in socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    ):
        try:
            listener = socket.socket(family, kind, protocol)
        except OSError as error:  # such as no IPv6
            failure = error
            continue
        try:
            _bind(listener, address)
        except OSError as error:
            listener.close()
            failure = error
        else:
            return listener
    raise failure or OSError(errno.EADDRNOTAVAIL, f"there is no address of {host}")


def _bind(listener: socket.socket, address: Any) -> None:
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # connections inherit it
    if sys.platform == "win32":  # else a second server could take the port away
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    if listener.family == socket.AF_INET6 and address[0] == "::":  # IPv4 too
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    # What a killed server leaves of its connections keeps its port for a minute, unless both have
    # set this. Two servers share none; it is set afterwards for port 0, so that that is a free one.
    may_reuse = sys.platform != "win32"
    if may_reuse and address[1]:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    if may_reuse:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.listen(BACKLOG)


_FIRST_FD = 3
_HANDED_OVER = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")


def handed_over() -> socket.socket | None:
    """The listening socket that systemd opened for this process (socket activation, see
    sd_listen_fds(3)); it is taken once: the variables that tell of it are removed. Raises OSError
    when it is more than one, or none that TCP connections come over."""
    pid, count, _ = (os.environ.pop(name, "") for name in _HANDED_OVER)
    if pid != str(os.getpid()):
        return None  # another process's: this one has inherited the variables
    if count != "1":
        raise OSError(errno.EINVAL, f"systemd hands over {count or 'no'} sockets; one is taken")
    given = socket.socket(fileno=_FIRST_FD)
    if given.family not in (socket.AF_INET, socket.AF_INET6) or given.type != socket.SOCK_STREAM:
        raise OSError(errno.EINVAL, "the socket that systemd hands over is not one of TCP")
    given.set_inheritable(False)
    return given


class _Pool:
    """Daemon threads made on demand."""

    def __init__(self, max_threads: int) -> None:
        self._queue: queue.SimpleQueue[Connection | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._max = max_threads
        self._made = 0
        self._idle = 0  # threads waiting, less the connections put for them

    def put(self, conn: Connection) -> None:
        with self._lock:
            if self._idle > 0:
                self._idle -= 1
            elif self._made < self._max:
                self._make()
        self._queue.put(conn)

    def _make(self) -> None:
        try:
            threading.Thread(target=self._work, name=REQUEST_THREAD, daemon=True).start()
        except RuntimeError as error:  # as many as the system allows: those there are come to it
            log.warning("no further thread for requests: %s", error)
        else:
            self._made += 1

    def _work(self) -> None:
        while self._serve(self._queue.get()):  # which refers to no connection while it waits
            pass

    def _serve(self, conn: Connection | None) -> bool:
        if conn is None:
            return False
        keep, held = False, None
        try:
            keep = conn.communicate()
        except Held as put_off:
            held = put_off.with_traceback(None)
        except Exception as error:
            log.warning("connection from %s dropped: %r", conn.remote_addr, error)
        with self._lock:
            self._idle += 1
        conn.server.connections.settle(conn, keep, held)
        return True

    def stop(self) -> None:
        """End the threads once they have served what was put."""
        with self._lock:
            for _ in range(self._made):
                self._queue.put(None)
