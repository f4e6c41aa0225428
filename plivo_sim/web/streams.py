"""Sockets as the server reads and writes them: buffered, never waited for.

How the application cuts the connection that a request came on, or puts the request off; the server
provides both.
"""

from __future__ import annotations

import contextlib
import errno
import json
import socket
import ssl
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

CONNECTION_KEY = "plivo_sim.connection"
"""The environ key under which the server puts the connection."""
REQUEST_THREAD = "plivo-sim-request"
"""What the threads are called that serve requests: nobody sleeps in one."""


def cut_connection(environ: WSGIEnvironment, how: Literal["reset", "close"] = "reset") -> None:
    """Cut the TCP connection the request came on; whatever the app answers further is discarded.

    "reset" sends RST; "close" sends FIN after what has been written. What the app's iterable has
    yielded so far has been written: cutting before the first item makes an empty answer, cutting
    between two a truncated one. Raise KeyError if `environ` is not from this server.
    """
    environ[CONNECTION_KEY].cut(how)


class Delay(NamedTuple):
    """How long the answer to a request waits before it is sent, and whether it is cut then; nobody
    waits with it. ``instead``: asked when its time is up; the JSON that is answered with 409 in its
    place, or None."""

    wait_s: float
    instead: Callable[[], bytes | None]


def delay_answer(environ: WSGIEnvironment, delay: Delay) -> None:
    """Have the answer wait that the application is about to give. Raise KeyError if `environ` is
    not from this server."""
    environ[CONNECTION_KEY].delay(delay)


HELD_KEY = "plivo_sim.held"
"""The environ key under which a request that was put off finds what it noted."""


class Held(BaseException):
    """A request is put off; its connection needs no thread meanwhile.

    Raised by an application that has changed nothing yet and was given a ``CONNECTION_KEY``. It is
    asked again after ``wait_s``, with the ``note`` under ``HELD_KEY``, and has to find the way back
    to where it was. With a ``watch`` it is asked sooner once that has come, behind the number
    ``seen``. With a ``line`` it is asked again when that has room for it, in the order of coming,
    instead. No Exception: no handler of errors on the way is meant.
    """

    def __init__(
        self,
        wait_s: float,
        note: object,
        line: Line | None = None,
        watch: Watch | None = None,
        seen: int = 0,
    ) -> None:
        super().__init__(
            f"put off for {wait_s} s" if line is None else "put off until there is room"
        )
        self.wait_s, self.note, self.line = wait_s, note, line
        self.watch, self.seen = watch, seen


class Line(Protocol):
    """What many requests wait for."""

    @property
    def room(self) -> int:
        """How many of them may be begun again now."""


class Watch(Protocol):
    """Something that many requests wait for; equal ones are asked as one, and by the thread that
    waits for all connections. What may be it is numbered as it happens."""

    @property
    def newest(self) -> int:
        """The number of what happened last."""

    def has_come(self, after: int) -> bool:
        """Whether it has happened behind that number. Asked when ``newest`` is another, and when
        the server stops."""

    def __hash__(self) -> int: ...


CUT_KEY = "plivo_sim.cut"

REFUSED_KEY = "plivo_sim.refused"
"""The environ key under which a request is a ``Refusal`` already, and only its words are asked."""


class Refusal(NamedTuple):
    """What the server refuses before the application sees it: the HTTP status, and the reason."""

    status: int
    told: str


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


MAX_HEADER_BYTES = 64 * 1024
READ_BYTES = 64 * 1024  # more than a TLS record: what was decrypted must not stay behind


class Stream:
    """A socket on which nobody waits: what has come is taken, and what it does not take is kept;
    silent once cut, which it is as soon as its peer is gone."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.unsent: deque[memoryview] = deque()
        self.is_cut = False
        self.is_kept = False  # what is sent waits
        self.is_full = False  # and is all that is sent
        self.is_over = False  # nothing more will come
        self.must_write = False  # before anything can come: TLS has something to say
        self.failure: OSError | None = None  # why nothing more will come, if it did not just end

    @property
    def shakes_hands(self) -> bool:
        """Whether a TLS handshake is not over yet."""
        return isinstance(self.sock, ssl.SSLSocket) and self.sock.version() is None

    def take(self) -> bytes:
        """What has come; empty when nothing has, or will: then ``is_over``."""
        self.must_write = False
        try:
            data = b"" if self.is_cut else self.sock.recv(READ_BYTES)
            self.is_over = not data
            return data
        except (BlockingIOError, ssl.SSLWantReadError):
            return b""
        except ssl.SSLWantWriteError:
            self.must_write = True
            return b""
        except ssl.SSLError as error:
            if error.reason == "HTTP_REQUEST":
                answer = error_answer("400 Bad Request", "this port speaks HTTPS only")
                with contextlib.suppress(OSError):
                    socket.socket.send(self.sock, answer)
            self.failure = ConnectionResetError(errno.ECONNRESET, str(error))
        except OSError as error:
            self.failure = error.with_traceback(None)
        self.is_over = True
        return b""

    def send(self, data: bytes) -> None:
        """Send it after what is still unsent, as much as is taken."""
        if not (self.is_cut or self.is_full):
            self.unsent.append(memoryview(data))
            self.flush()

    @property
    def kept_bytes(self) -> int:
        """How much memory what is unsent takes: of each piece all, until it has been sent."""
        return sum(memoryview(piece.obj).nbytes for piece in self.unsent)

    def flush(self) -> None:
        """Send what is unsent, as much as is taken. A peer that is gone is no error of anybody."""
        while self.unsent and not self.is_kept:
            try:
                left = self.unsent[0][self.sock.send(self.unsent[0]) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                return
            except OSError:
                self.cut()
                return
            if left:
                self.unsent[0] = left
            else:
                self.unsent.popleft()

    def cut(self) -> None:
        """Nothing more is read or sent."""
        self.is_cut = True
        self.forget()

    def forget(self) -> None:
        """Free what is unsent, and the failure with all that its traceback refers to."""
        self.unsent.clear()
        self.failure = None


class Reader:
    """The file that cheroot reads requests from: what has come of one, and of those behind it.

    Nobody waits here either: reading what has not come raises TimeoutError, because a request is
    read when it is there, or when its time is up.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self.came = bytearray()
        self._at = 0  # what is before has been read

    def gather(self) -> int:
        """Take what has come; how many bytes."""
        taken = self._stream.take()
        self.came += taken
        return len(taken)

    def rewind(self) -> None:
        """To the beginning of the request that is being read."""
        self._at = 0

    def forget(self) -> None:
        """What has been read: the next request begins here."""
        del self.came[: self._at]
        self._at = 0

    def read(self, size: int) -> bytes:
        """As many bytes; fewer at the end."""
        if len(self.came) - self._at < size:
            self._missing()
        return self._take(size)

    def readline(self, size: int = MAX_HEADER_BYTES) -> bytes:
        """Up to a line's end, but no more bytes than that."""
        end = self.came.find(b"\n", self._at, self._at + size)
        if end >= 0:
            return self._take(end + 1 - self._at)
        return self.read(size)

    def _missing(self) -> None:
        if self._stream.failure is not None:
            raise self._stream.failure
        if not self._stream.is_over:
            raise TimeoutError("timed out")  # cheroot knows it by these words

    def _take(self, size: int) -> bytes:
        taken = bytes(memoryview(self.came)[self._at : self._at + size])
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
        if len(data) > READ_BYTES:  # no copy is made of it
            self.flush()
        self._waiting += data
        if not self.held:
            self.flush()

    def flush(self) -> None:
        data, self._waiting = self._waiting, b""
        self._stream.send(data)


def error_answer(status: str, message: str, *, is_head: bool = False) -> bytes:
    """Return a whole answer, after which the connection is closed; to a HEAD without the body."""
    return whole_answer(status, json.dumps({"error": message}).encode(), is_head=is_head)


def whole_answer(status: str, body: bytes, *, is_head: bool = False) -> bytes:
    """The same with a body that is JSON already."""
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode("latin-1") + (b"" if is_head else body)
