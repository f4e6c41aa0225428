"""The HTTP server the simulator runs on, behind one small port.

The only module that knows which server that is: cheroot, chosen by `benchmarks/servers.py`. Its
thread pool, its reading of sockets and its error answers are replaced here, because as they come
they let a slow client hold a thread for ever, `stop` wait for ever, and errors be plain text.

TLS for clients that cannot be pointed elsewhere: certificates for the live services' names.

A local certificate authority, made with ``trustme`` and kept in a folder, so that it has to be
trusted once. Needs the ``tls`` extra.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol
from urllib.parse import quote_from_bytes

from cheroot import connections, wsgi
from cheroot import server as cheroot

from plivo_sim.account.clock import monotonic_s
from plivo_sim.domain.urls import ANY_ADDRESS, base_url
from plivo_sim.web.streams import (
    CONNECTION_KEY,
    MAX_HEADER_BYTES,
    REQUEST_TIMEOUT_S,
    Reader,
    Stream,
    Writer,
    error_answer,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

IDLE_TIMEOUT_S = 75.0  # a keep-alive connection is closed after this long without a request
LINGER_S = 2.0  # how long to discard an unread body, so that the client gets to read its answer

MAX_BODY_BYTES = 64 * 1024 * 1024  # a backstop for memory; the app's own limit is to be lower

MAX_SKIPPED_BYTES = 64 * 1024  # an unread body up to this is read so as to keep the connection

_ASCII = bytes(range(128))

_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([^\0\r\n]*)\r\n")

_ONLY_ONCE = (b"content-length", b"host")

_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\0\r\n]*)?\r\n")

_VERSION = re.compile(rb"HTTP/[0-9]\.[0-9]")

_WHOLE_URL = re.compile(rb"https?://([^/?#\s]*)", re.IGNORECASE)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tls:
    """Paths of a PEM certificate (chain) and its private key."""

    certificate: str | PathLike[str]
    key: str | PathLike[str]


HeadersOf = Callable[[str], Mapping[str, str]]


def _no_headers(url: str) -> Mapping[str, str]:
    return {}


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
    headers_of: HeadersOf = _no_headers,
) -> Server:
    """Return a server, not yet started, which can be started once.

    `threads` bounds the requests in progress; threads are made on demand, and idle keep-alive
    connections need none. `stop` waits for requests in progress for at most `grace_s`.
    `headers_of` makes the headers of what is refused before the application sees it, of its URL.
    Raise OSError or ssl.SSLError if the certificate or key cannot be loaded.
    """
    server = _Server(app, host, port)
    server.requests = _Pool(threads)
    server.shutdown_timeout = grace_s
    server.headers_of = headers_of
    server.ssl_adapter = _TlsAdapter(tls) if tls else None
    return server


class _Server(wsgi.Server):
    _connections: Any  # cheroot makes it in `prepare`
    headers_of: HeadersOf = staticmethod(_no_headers)

    def __init__(self, app: WSGIApplication, host: str, port: int) -> None:
        super().__init__((host, port), app, server_name="plivo-sim")
        self.host, self.port = host, port
        self.gateway = _Gateway
        self.ConnectionClass = _Connection
        # By default cheroot keeps 10 waiting connections, closes further ones after each answer,
        # and has a backlog of 5: reconnecting clients lose SYNs, each costing them a second.
        self.keep_alive_conn_limit: int | None = None  # type: ignore[assignment]  # as documented
        self.request_queue_size = 1024
        self.timeout = IDLE_TIMEOUT_S
        self.expiration_interval = 0.05  # s; the selector's tick, which `stop` has to wait for
        self.max_request_header_size = MAX_HEADER_BYTES
        self.max_request_body_size = MAX_BODY_BYTES
        self._bind_error: OSError | None = None

    @property
    def url(self) -> str:
        host = ANY_ADDRESS.get(self.host, self.host)
        return base_url("https" if self.ssl_adapter else "http", host, self.port)

    def prepare(self) -> None:
        super().prepare()
        self._connections.close()
        self._connections = _Connections(self)

    def start(self) -> None:
        try:
            self.prepare()
        except OSError as error:  # cheroot's own has the message, but no errno
            raise self._bind_error or error from None
        self.port = self.bind_addr[1]
        threading.Thread(target=self.serve, name="plivo-sim-select", daemon=True).start()

    def bind_socket(self, socket_: Any, bind_addr: Any) -> Any:  # type: ignore[override]  # static
        try:
            socket_.bind(bind_addr)
        except OSError as error:
            socket_.close()
            self._bind_error = error
            raise
        # After it, so that port 0 is a free one: cheroot then sets it never, and what a killed
        # server leaves of its connections keeps its port for a minute. Two servers share none.
        socket_.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return socket_

    def process_conn(self, conn: _Connection) -> None:
        if conn.last_used is None:  # a new one waits for its first byte without a thread
            self.put_conn(conn)
        else:
            self.requests.put(conn)

    def error_log(self, msg: str = "", level: int = 20, traceback: bool = False) -> None:
        log.log(level, msg, exc_info=traceback)


class _Pool:
    """Daemon threads made on demand; has the methods cheroot requires of a pool."""

    def __init__(self, max_threads: int) -> None:
        self._queue: queue.SimpleQueue[_Connection | None] = queue.SimpleQueue()
        self._changed = threading.Condition()
        self._max = max_threads
        self._made = 0
        self._idle = 0  # threads waiting, less the connections put for them
        self._busy: set[_Connection] = set()

    def start(self) -> None:
        """Nothing: threads are made by `put`."""

    def put(self, conn: _Connection) -> None:
        with self._changed:
            self._busy.add(conn)
            if self._idle > 0:
                self._idle -= 1
            elif self._made < self._max:
                self._made += 1
                threading.Thread(target=self._work, name="plivo-sim-request", daemon=True).start()
        self._queue.put(conn)

    def _work(self) -> None:
        while (conn := self._queue.get()) is not None:
            keep = False
            try:
                keep = conn.communicate()
            except Exception as error:
                log.info("connection from %s dropped: %r", conn.remote_addr, error)
            with self._changed:
                self._busy.discard(conn)
                self._idle += keep
                self._changed.notify_all()
            try:
                if keep:
                    conn.server.put_conn(conn)
                else:
                    conn.close()
            except (OSError, ValueError, KeyError):  # gone, or the server stopped meanwhile
                conn.socket.close()
            if not keep:  # `close` may have lingered
                with self._changed:
                    self._idle += 1

    def stop(self, timeout: float) -> None:
        """Wait up to `timeout` seconds for requests in progress, cut the rest, end the threads."""
        with self._changed:
            for conn in self._busy:
                if not conn.in_request:  # its head has not arrived: nothing has been promised
                    conn.shut(socket.SHUT_RD)
            self._changed.wait_for(lambda: not self._busy, timeout)
            for conn in self._busy:
                conn.shut(socket.SHUT_RDWR)
            for _ in range(self._made):
                self._queue.put(None)


class _Connections(connections.ConnectionManager):
    """The idle ones. cheroot's own goes by ``time.time``, and would close all of them whenever a
    test in this process freezes or frees that."""

    def put(self, conn: Any) -> None:
        conn.idle_since_s = monotonic_s()
        super().put(conn)

    def _expire(self, threshold: float) -> None:
        selector: Any = self._selector  # type: ignore[attr-defined]  # cheroot's stubs
        oldest_s = monotonic_s() - IDLE_TIMEOUT_S
        for fd, conn in list(selector.connections):
            if isinstance(conn, _Connection) and conn.idle_since_s < oldest_s:
                selector.unregister(fd)
                conn.close()


class _Connection(cheroot.HTTPConnection):
    idle_since_s = 0.0
    in_request = False  # between its head having been read and its answer written
    unread = False  # closing at once would send RST, and take the answer with it

    def __init__(self, server: Any, sock: socket.socket, makefile: Any = None) -> None:
        self.stream = stream = Stream(sock)
        super().__init__(
            server, sock, lambda _, mode, __: Reader(stream) if "r" in mode else Writer(stream)
        )

    def communicate(self) -> bool:
        self.stream.deadline_s = monotonic_s() + REQUEST_TIMEOUT_S
        self.unread = True
        try:
            keep = super().communicate()  # type: ignore[no-untyped-call]  # cheroot's stubs
            return bool(keep) and not self.stream.is_cut
        finally:
            self.in_request = False

    def shut(self, how: int) -> None:
        with contextlib.suppress(OSError):  # not SSLSocket's own, which is not safe mid-read
            socket.socket.shutdown(self.socket, how)

    def cut(self, how: Literal["reset", "close"]) -> None:
        self.stream.is_cut = True
        if how == "reset":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.socket.close()
        else:
            self.shut(socket.SHUT_WR)

    def close(self) -> None:
        if self.unread and self.socket.fileno() >= 0:
            self.shut(socket.SHUT_WR)
            end_s = monotonic_s() + LINGER_S
            with contextlib.suppress(OSError):
                while (left_s := end_s - monotonic_s()) > 0:
                    self.socket.settimeout(left_s)
                    if not socket.socket.recv(self.socket, 65536):
                        break
        super().close()


class _HeaderReader(cheroot.HeaderReader):
    def __call__(self, rfile: Any, hdict: Any = None) -> Any:
        headers = super().__call__(_HeaderLines(rfile), hdict)
        coding = headers.get(b"Transfer-Encoding")
        if coding is not None:
            if b"Content-Length" in headers:
                raise _Unclear("Content-Length and Transfer-Encoding are both there; one is taken")
            names = [name.strip().lower() for name in coding.split(b",")]
            if names != [b"chunked"] and not set(names) - {b"chunked", b""}:  # cheroot: no body
                seen = coding[:50].decode("latin-1")
                raise _Unclear(f"the Transfer-Encoding is '{seen}'; chunked, once, is taken")
        if headers.get(b"Expect", b"").lower() == b"100-continue":  # PHP writes 100-Continue
            headers[b"Expect"] = b"100-continue"  # the spelling that cheroot looks for
        if headers.get(b"Connection", b"").lower() == b"close":
            headers[b"Connection"] = b"close"
        return headers


class _Unclear(ValueError):
    """A head that others may read in another way: cheroot takes more than RFC 9112 allows."""

    def __init__(self, told: str) -> None:
        super().__init__(_Told(told))


class _Told(str):
    """What is said to the client; cheroot hands it on, and its own words are replaced."""

    __slots__ = ()


class _HeaderLines:
    """The file that headers are read from, each a name, a colon and a value on one line; what
    tells where the body ends stands there once and is plain digits. Raises _Unclear."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._seen: set[bytes] = set()

    def readline(self) -> bytes:
        line: bytes = self._file.readline()
        if line and line != b"\r\n":
            self._check(line)
        return line

    def _check(self, line: bytes) -> None:
        header = _HEADER.fullmatch(line)
        if header is None:
            raise _Unclear("a header is not NAME: VALUE on one line that ends with CRLF")
        name = header[1].lower().replace(b"_", b"-")  # WSGI does not tell these apart
        if name in _ONLY_ONCE:
            if name in self._seen:
                raise _Unclear(f"there is more than one {name.decode().title()} header")
            self._seen.add(name)
        value = header[2].strip(b" \t")
        if name == b"content-length" and not value.isdigit():
            seen = value[:50].decode("latin-1")
            raise _Unclear(f"the Content-Length is '{seen}'; digits are taken")
        if name in (b"content-length", b"transfer-encoding") and b"_" in header[1]:
            raise _Unclear(f"a header is named {header[1].decode()}; it is spelled with a hyphen")


class _Chunks(cheroot.ChunkedRFile):
    """A body in chunks. After something that is no chunk nothing is read: what follows cannot be
    told from the next request. All that is wrong with chunks is a ValueError."""

    is_broken = False

    def _fetch(self) -> None:
        if self.closed:
            return
        if self.is_broken:
            raise ValueError("the chunks before were malformed")
        self.is_broken = True  # unless all goes well
        line = self.rfile.readline()
        head = _CHUNK.fullmatch(line)
        if head is None:
            raise ValueError("a chunk does not begin with its size in hexadecimal digits")
        size = int(head[1], 16)
        self.bytes_read += len(line) + size
        if self.bytes_read > self.maxlen:
            raise ValueError(f"the chunks are more than {self.maxlen} bytes")
        if size == 0:
            self.closed = True
        else:
            self.buffer += self.rfile.read(size)
            if self.rfile.read(2) != b"\r\n":
                raise ValueError("a chunk does not end where its size says")
        self.is_broken = False


class _FirstLine:
    """The file that a request is read from, its target in origin form (RFC 9112, 3.2.1): a whole
    URL, which proxies are sent, loses its ``host``, several slashes at the start become one, and
    bytes that are no ASCII are escaped."""

    host: bytes | None = None

    def __init__(self, file: Any) -> None:
        self._file = file

    def readline(self) -> bytes:
        line: bytes = self._file.readline()
        method, space, rest = line.partition(b" ")
        whole = _WHOLE_URL.match(rest)
        if whole is not None:
            self.host, rest = whole[1], rest[whole.end() :]
        if whole is not None or rest.startswith(b"//"):
            rest = b"/" + rest.lstrip(b"/")
        if not rest.isascii():
            rest = quote_from_bytes(rest, _ASCII).encode()
        return method + space + rest


class _Request(cheroot.HTTPRequest):
    header_reader = _HeaderReader()

    def read_request_line(self) -> bool:
        file, self.rfile = self.rfile, (line := _FirstLine(self.rfile))
        try:
            understood = bool(super().read_request_line())  # type: ignore[no-untyped-call]  # cheroot's stubs
            is_clear = not understood or _VERSION.fullmatch(self.request_protocol) is not None
        except ValueError:  # such as half an IPv6 address
            understood = is_clear = False
        finally:
            self.rfile = file
        self._host = line.host
        if not is_clear:
            self.simple_response("400 Bad Request")
        return understood and is_clear

    def read_request_headers(self) -> bool:
        understood = bool(super().read_request_headers())  # type: ignore[no-untyped-call]  # as above
        if self._host is not None:  # it counts, whatever the header says
            self.inheaders[b"Host"] = self._host
        if understood and b"Transfer-Encoding" in self.inheaders and not self.chunked_read:
            told = "HTTP/1.0 has no Transfer-Encoding; a Content-Length is taken"
            self.simple_response("400 Bad Request", _Told(told))
            return False
        return understood

    def respond(self) -> None:
        self.conn.in_request = True
        super().respond()
        self.conn.in_request = False
        if not self.close_connection:
            self._skip_body()
        self.conn.unread = self._remaining() > 0 or (self.chunked_read and self.close_connection)

    def _skip_body(self) -> None:
        """Read what the application has not, so that the next request can be read."""
        try:
            while self.rfile.read(65536):
                pass
            if self.chunked_read:
                for _ in self.rfile.read_trailer_lines():
                    pass
        except (OSError, ValueError, EOFError):  # what follows cannot be told from the body
            self.close_connection = True
        if self._remaining() > 0:
            self.close_connection = True

    def _remaining(self) -> int:
        return getattr(self.rfile, "remaining", 0)

    def send_headers(self) -> None:
        if not any(name.lower() == b"date" for name, _ in self.outheaders):
            self.outheaders.append((b"Date", _http_date(int(time.time()))))
        is_broken = self.conn.stream.is_over or getattr(self.rfile, "is_broken", False)
        if is_broken or self._remaining() > MAX_SKIPPED_BYTES:
            self.close_connection = True
        body, self.rfile = self.rfile, None  # cheroot would wait for all of it, and answer then
        super().send_headers()
        self.rfile = body

    def simple_response(self, status: str, msg: str = "") -> None:
        self.close_connection = self.sent_headers = True
        told = msg if isinstance(msg, _Told) else _REFUSALS.get(status[:3], status[4:])
        if status.startswith("501"):
            told = told.format(self.inheaders[b"Transfer-Encoding"][:50].decode("latin-1"))
        method, url = (getattr(self, name, b"?").decode("latin-1") for name in ("method", "uri"))
        log.info("%s %s - %s: %s", method, url, status[:3], told)
        self.conn.wfile.write(error_answer(status, told, self.server.headers_of(url)))


_REFUSALS = {
    "400": "what was sent is no HTTP request that can be read: METHOD /PATH HTTP/1.1, then headers,"
    " each on a line that ends with CRLF",
    "405": "this method is not served",
    "408": "the request did not arrive in time",
    "413": f"the request's head or body is too large; at most {MAX_HEADER_BYTES} bytes are taken of"
    f" the one and {MAX_BODY_BYTES} of the other",
    "414": f"the URL is too long; at most {MAX_HEADER_BYTES} bytes are taken",
    "501": "the Transfer-Encoding is '{}'; chunked alone is taken",
    "505": "HTTP/1.0 and HTTP/1.1 are spoken here",
}
"""What is said in cheroot's stead, whose words differ from version to version."""


_Connection.RequestHandlerClass = _Request


class _Gateway(wsgi.Gateway_10):
    def __init__(self, req: Any) -> None:
        if req.chunked_read:
            req.rfile = _Chunks(req.conn.rfile, MAX_BODY_BYTES)
        super().__init__(req)

    def get_environ(self) -> dict[str, Any]:  # type: ignore[override]  # cheroot's stubs say None
        environ: dict[str, Any] = super().get_environ()  # type: ignore[no-untyped-call]  # stubs
        environ[CONNECTION_KEY] = self.req.conn
        environ["SERVER_NAME"] = self.req.server.host  # who sends no Host came to this one
        return environ

    def write(self, chunk: bytes) -> None:
        file = self.req.conn.wfile
        file.held = True  # the head, if this is the first chunk
        try:
            super().write(chunk)
        finally:
            file.held = False
            file.flush()


class _TlsAdapter:
    """The parts of a cheroot TLS adapter that are used; the handshake is left to the threads."""

    makefile = None  # _Connection makes its own files

    def __init__(self, tls: Tls) -> None:
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(tls.certificate, tls.key)

    def bind(self, sock: socket.socket) -> socket.socket:
        return sock

    def wrap(self, sock: socket.socket) -> tuple[ssl.SSLSocket, dict[str, str]]:
        tls_sock = self._context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        return tls_sock, {"wsgi.url_scheme": "https", "HTTPS": "on"}


@lru_cache(maxsize=4)
def _http_date(second: int) -> bytes:
    return formatdate(second, usegmt=True).encode()


NAMES = ("api.plivo.com", "api.smallest.ai", "localhost", "127.0.0.1")


class TlsUnavailable(ValueError):
    """There is no library that makes certificates, no place for them, or a damaged authority."""


def default_folder() -> Path:
    """Where the authority is kept unless a folder is named. Raises TlsUnavailable."""
    try:
        return Path.home() / ".plivo-sim" / "tls"
    except RuntimeError:
        told = "--tls: this user has no home directory; say where the authority is kept: --tls-dir"
        raise TlsUnavailable(told) from None


def make_tls(folder: Path, *more_names: str) -> tuple[Tls, Path]:
    """A certificate for the live services' names and these, and the path of its authority.

    The authority in the folder is used again, or made. Raises TlsUnavailable, OSError.
    """
    try:
        import trustme
    except ImportError:
        raise TlsUnavailable(
            "--tls needs a library that is not installed: pip install trustme"
        ) from None
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority, private = folder / "ca.pem", folder / "ca-key.pem"
    if authority.exists() and private.exists():
        try:
            made = trustme.CA.from_pem(authority.read_bytes(), private.read_bytes())
        except (TypeError, ValueError):
            raise TlsUnavailable(
                f"--tls-dir: {authority} and {private} are not a certificate and its key; "
                "remove both, and new ones are made"
            ) from None
    else:
        made = trustme.CA(organization_name="plivo-sim")
        _write_private(private, made.private_key_pem.bytes())
        made.cert_pem.write_to_path(str(authority))
    issued = made.issue_cert(*NAMES, *more_names)
    certificate, key = folder / "server.pem", folder / "server-key.pem"
    certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    _write_private(key, issued.private_key_pem.bytes())
    return Tls(certificate, key), authority


def _write_private(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_bytes(content)
