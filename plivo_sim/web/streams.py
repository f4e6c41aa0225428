"""Sockets as the server reads and writes them: buffered, under deadlines, never blocking.

How the application cuts the connection that a request came on; the server provides it.
"""

from __future__ import annotations

import errno
import json
import select
import socket
import ssl
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from plivo_sim.account.clock import monotonic_s

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

CONNECTION_KEY = "plivo_sim.connection"
"""The environ key under which the server puts the connection."""


def cut_connection(environ: WSGIEnvironment, how: Literal["reset", "close"] = "reset") -> None:
    """Cut the TCP connection the request came on; whatever the app answers further is discarded.

    "reset" sends RST; "close" sends FIN after what has been written. What the app's iterable has
    yielded so far has been written: cutting before the first item makes an empty answer, cutting
    between two a truncated one. Raise KeyError if `environ` is not from this server.
    """
    environ[CONNECTION_KEY].cut(how)


CUT_KEY = "plivo_sim.cut"


class CuttingApp:
    """WSGI wrapper that cuts the connection of answers marked for it.

    In process, where there is no connection, the caller gets ConnectionResetError.
    """

    def __init__(self, app: Callable[..., Any]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        body = self._app(environ, start_response)
        how = environ.get(CUT_KEY)
        if how is None:
            return body
        content = b"".join(body)
        if hasattr(body, "close"):
            body.close()
        if CONNECTION_KEY not in environ:
            raise ConnectionResetError(f"connection cut by a fault: {how}")
        return self._cut(environ, how, content)

    def _cut(self, environ: dict[str, Any], how: str, content: bytes) -> Any:
        if how == "truncated":
            yield content[: max(len(content) // 2, 1)]
        cut_connection(environ, "close" if how == "empty" else "reset")
        yield b""


REQUEST_TIMEOUT_S = 10.0  # a request's head and body must both have arrived within this
MAX_HEADER_BYTES = 64 * 1024
READ_BYTES = 64 * 1024  # more than a TLS record: what was decrypted must not stay behind


class Stream:
    """A socket that never blocks, read and written under deadlines; silent once cut.

    It is tried before it is waited for: what there is to read has mostly come, and each call of
    the system lets another thread have the interpreter.
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.deadline_s = 0.0  # for reading, on the monotonic clock
        self.is_cut = False
        self.is_over = False  # nothing came when it was last read, and nothing will

    def recv(self) -> bytes:
        """What has come, or comes by the deadline; empty at the end. Raises TimeoutError."""
        self.is_over = True  # unless something comes
        while not self.is_cut:
            try:
                data = self.sock.recv(READ_BYTES)
                self.is_over = not data
                return data
            except (BlockingIOError, ssl.SSLWantReadError):
                self._wait(select.POLLIN, self.deadline_s)
            except ssl.SSLWantWriteError:
                self._wait(select.POLLOUT, self.deadline_s)
            except ssl.SSLError as error:
                if error.reason == "HTTP_REQUEST":
                    answer = error_answer("400 Bad Request", "this port speaks HTTPS only")
                    socket.socket.send(self.sock, answer)
                raise ConnectionResetError(errno.ECONNRESET, str(error)) from error
        return b""

    def send(self, data: bytes) -> None:
        """Send all of it. Raises TimeoutError when a part is not taken for too long."""
        left = memoryview(data)
        while left and not self.is_cut:
            try:
                left = left[self.sock.send(left) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                self._wait(select.POLLOUT, monotonic_s() + REQUEST_TIMEOUT_S)
            except ssl.SSLWantReadError:
                self._wait(select.POLLIN, monotonic_s() + REQUEST_TIMEOUT_S)

    def _wait(self, event: int, until_s: float) -> None:
        poll = select.poll()
        poll.register(self.sock, event)
        # Never 0: what has already arrived can be read however late the app comes to it.
        if not poll.poll(max(until_s - monotonic_s(), 0.01) * 1000):
            raise TimeoutError("timed out")  # cheroot knows it by these words


class Reader:
    """The buffered file that cheroot reads requests from; its own is the slow one of `_pyio`."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._buffer = b""
        self._at = 0  # what is before has been read

    def has_data(self) -> bool:
        return self._at < len(self._buffer)

    def read(self, size: int) -> bytes:
        """As many bytes; fewer at the end."""
        found = [self._take(size)]
        missing = size - len(found[0])
        while missing > 0 and (chunk := self._stream.recv()):
            self._buffer, self._at = chunk, 0
            found.append(self._take(missing))
            missing -= len(found[-1])
        return b"".join(found)

    def readline(self, size: int = MAX_HEADER_BYTES) -> bytes:
        """Up to a line's end, but no more bytes than that."""
        while (end := self._buffer.find(b"\n", self._at, self._at + size)) < 0:
            if len(self._buffer) - self._at >= size or not (chunk := self._stream.recv()):
                return self._take(size)
            self._buffer, self._at = self._buffer[self._at :] + chunk, 0
        return self._take(end + 1 - self._at)

    def _take(self, size: int) -> bytes:
        taken = self._buffer[self._at : self._at + size]
        self._at += len(taken)
        return taken

    def close(self) -> None:
        """Nothing: the connection closes the socket itself."""


class Writer:
    """The file that cheroot writes answers to. ``held``: what is written waits for more, so that
    head and body go out together."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._waiting = b""
        self.held = False

    def write(self, data: bytes) -> None:
        self._waiting += data
        if not self.held:
            self.flush()

    def flush(self) -> None:
        data, self._waiting = self._waiting, b""
        self._stream.send(data)


def error_answer(status: str, message: str, headers: Mapping[str, str] | None = None) -> bytes:
    """Return a whole answer, after which the connection is closed. The body names the request's
    id if one of the headers does."""
    headers = headers or {}
    api_id = headers.get("X-Request-Id")
    told = {"api_id": api_id, "error": message} if api_id else {"error": message}
    named = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    body = json.dumps(told).encode()
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{named}"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode("latin-1") + body
