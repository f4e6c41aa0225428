"""The HTTP server the simulator runs on, behind one small port.

Only the modules of this folder know which server that is: cheroot, chosen by
`benchmarks/servers.py`, for its reading of requests and its WSGI. Its threads and its waiting for
sockets are replaced (`connections`), because as they come they let a slow client hold a thread for
ever, and `stop` wait for ever.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import sys
from typing import TYPE_CHECKING, Any, Protocol

from cheroot import wsgi

from plivo_sim.domain.urls import ANY_ADDRESS, base_url
from plivo_sim.web.connection import most_open
from plivo_sim.web.connections import Connections
from plivo_sim.web.parsing import MAX_BODY_BYTES, Gateway
from plivo_sim.web.pool import Pool
from plivo_sim.web.streams import MAX_HEADER_BYTES
from plivo_sim.web.tls import Tls, TlsAdapter

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

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

    `threads` bounds the requests that are served at once (`pool`); threads are made on demand, and
    whoever is waited for needs none. `stop` lets open connections bring one more request for
    `drain_s`, and then waits for requests in progress for at most `grace_s`.
    `words_refusals`: the application is asked for the words of what is refused before it sees it
    (`REFUSED_KEY`); else that is answered in plain JSON.
    Raise OSError or ssl.SSLError if the certificate or key cannot be loaded.
    """
    server = _Server(app, host, port)
    server.requests = Pool(threads)
    server.shutdown_timeout = grace_s
    server.drain_s = drain_s
    server.words_refusals = words_refusals
    server.ssl_adapter = TlsAdapter(tls) if tls else None
    return server


class _Server(wsgi.Server):
    connections: Connections
    _connections: Any  # cheroot makes it in `prepare`
    words_refusals = False
    drain_s = 0.0

    def __init__(self, app: WSGIApplication, host: str, port: int) -> None:
        super().__init__((host, port), app, server_name="plivo-sim")
        self.host, self.port = host, port
        self.gateway = Gateway
        # By default cheroot has a backlog of 5: reconnecting clients lose SYNs, each costing them
        # a second.
        self.request_queue_size = 1024
        self.max_request_header_size = MAX_HEADER_BYTES
        self.max_request_body_size = MAX_BODY_BYTES
        self._bind_error: OSError | None = None
        self._given: socket.socket | None = None

    @property
    def url(self) -> str:
        host = ANY_ADDRESS.get(self.host, self.host)
        return base_url("https" if self.ssl_adapter else "http", host, self.port)

    @property
    def can_add_keepalive_connection(self) -> bool:
        """Whether an answer leaves its connection open: until the stop."""
        return bool(self.ready)

    def start(self) -> None:
        try:
            most_open()
            self._given = handed_over()
            self.prepare()
        except OSError as error:  # cheroot's own has the message, but no errno
            raise self._bind_error or error from None
        self.port = self.bind_addr[1]
        self._connections.close()  # cheroot's
        self.connections = Connections(self, self.socket)
        self.connections.start()

    def stop(self) -> None:
        if self.ready:
            self.ready = False
            self.connections.stop(self.shutdown_timeout, self.drain_s)
            self.requests.stop()

    def bind(self, family: int, type: int, proto: int = 0) -> Any:
        """Listen on the socket that systemd has opened for this process, if it has."""
        if self._given is None:
            return super().bind(family, type, proto)
        self.socket, self.bind_addr = self._given, self._given.getsockname()[:2]
        return self.socket

    def bind_socket(self, socket_: Any, bind_addr: Any) -> Any:  # type: ignore[override]  # static
        if sys.platform == "win32":  # else a second server could take the port away
            socket_.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        try:
            socket_.bind(bind_addr)
        except OSError as error:
            socket_.close()
            self._bind_error = error
            raise
        # After it, so that port 0 is a free one: cheroot then sets it never, and what a killed
        # server leaves of its connections keeps its port for a minute. Two servers share none.
        if sys.platform != "win32":
            socket_.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return socket_

    def error_log(self, msg: str = "", level: int = 20, traceback: bool = False) -> None:
        log.log(level, "%s", msg, exc_info=traceback)


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
    is_tcp = given.family in (socket.AF_INET, socket.AF_INET6) and given.type == socket.SOCK_STREAM
    if not is_tcp or not given.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        text = "the socket that systemd hands over is not one of TCP that listens"
        raise OSError(errno.EINVAL, text)
    given.set_inheritable(False)
    return given
