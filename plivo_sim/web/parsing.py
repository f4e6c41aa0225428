"""A request that has come, as a WSGI application is asked, and its answer."""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from functools import lru_cache
from typing import Any, Protocol

from plivo_sim.domain import limits
from plivo_sim.web.heads import (
    HEADER,
    MAX_BODY_BYTES,
    NO_HEADER,
    Refused,
    known_of,
    read_head,
)
from plivo_sim.web.streams import (
    CONNECTION_KEY,
    HELD_KEY,
    MAX_HEADER_BYTES,
    READ_BYTES,
    REFUSED_KEY,
    Refusal,
    error_answer,
)

CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\0\r\n]*)?\r\n")


def are_too_many(chunks: int, size: int) -> bool:
    """Whether a body has so many chunks in so many bytes as are not taken."""
    return chunks > limits.CHUNKS.most and chunks * limits.LEAST_CHUNK_BYTES > size


log = logging.getLogger(__name__)


class _File(Protocol):
    """What bodies are read from."""

    def read(self, size: int, /) -> bytes: ...

    def readline(self) -> bytes: ...


class _Body:
    """``wsgi.input`` (PEP 3333). ``is_broken``: it is not known where it ends."""

    is_broken = False

    def read(self, size: int | None = None) -> bytes:
        raise NotImplementedError

    def readline(self, size: int | None = None) -> bytes:
        line = bytearray()
        while len(line) != size and (piece := self.read(1)):
            line += piece
            if piece == b"\n":
                break
        return bytes(line)

    def readlines(self, _hint: int | None = None) -> list[bytes]:
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")


class _Piece(_Body):
    """A body of which the size is known."""

    def __init__(self, file: _File, size: int) -> None:
        self._file, self._left = file, size

    def read(self, size: int | None = None) -> bytes:
        """As many bytes, all without a size; fewer at the end."""
        wanted = self._left if size is None or size < 0 else min(size, self._left)
        data = self._file.read(wanted) if wanted else b""
        self._left -= len(data)
        return data


class _Chunks(_Body):
    """A body in chunks. After something that is no chunk nothing is read: what follows cannot be
    told from the next request. All that is wrong with chunks is a ValueError."""

    def __init__(self, file: _File, most_bytes: int) -> None:
        self.rfile, self._most_bytes = file, most_bytes
        self._buffer = memoryview(b"")  # of the last chunk, what has not been read
        self._is_over = False
        self._count = self._seen_bytes = 0

    def read(self, size: int | None = None) -> bytes:
        """As many bytes, all without a size; fewer at the end. Each byte is copied once, however
        small the chunks or the reads are."""
        found = bytearray()
        while size is None or size < 0 or len(found) < size:
            if not self._buffer:
                self._fetch()
                if not self._buffer:
                    break
            left = None if size is None or size < 0 else size - len(found)
            found += self._buffer[:left]
            self._buffer = self._buffer[len(self._buffer) if left is None else left :]
        return bytes(found)

    def _fetch(self) -> None:
        if self._is_over:
            return
        if self.is_broken:
            raise ValueError("the chunks before were malformed")
        self.is_broken = True  # unless all goes well
        line = self.rfile.readline()
        head = CHUNK.fullmatch(line)
        if head is None:
            raise ValueError("a chunk does not begin with its size in hexadecimal digits")
        size = int(head[1], 16)
        self._seen_bytes += len(line) + size
        if self._seen_bytes > self._most_bytes:
            raise ValueError(f"the chunks are more than {self._most_bytes} bytes")
        self._count += 1
        if are_too_many(self._count, self._seen_bytes):
            raise ValueError(f"{limits.CHUNKS.of} has {limits.CHUNKS}")
        if size == 0:
            self._read_trailers()
            self._is_over = True
        else:
            self._buffer = memoryview(self.rfile.read(size))
            if self.rfile.read(2) != b"\r\n":
                raise ValueError("a chunk does not end where its size says")
        self.is_broken = False

    def _read_trailers(self) -> None:
        """Checked as headers are, and passed over."""
        size = 0
        while (line := self.rfile.readline()) != b"\r\n":
            size += len(line)
            if size > MAX_HEADER_BYTES or not HEADER.fullmatch(line):
                raise ValueError(f"behind the last chunk, {NO_HEADER}")


class Request:
    """What has come over a connection, and its answer. ``closes``: the connection ends with it."""

    def __init__(self, conn: Any) -> None:
        self._conn, self._server = conn, conn.server
        self.closes = self.has_begun = False  # to be answered
        self._status = ""
        self._answer_headers: list[tuple[str, str]] = []
        self._left: int | None = None  # of the length that the application has announced
        self._in_chunks = False

    def read(self) -> bool:
        """Whether the application is to be asked; else it was refused. Raises OSError."""
        try:
            self._head = head = read_head(self._conn.rfile.head(self._conn.arrival.body_at))
        except Refused as refused:
            self.refuse(refused.status, refused.told)
            return False
        self.closes = head.wants_close
        file = self._conn.rfile
        self._body: _Body = (
            _Chunks(file, MAX_BODY_BYTES) if head.is_chunked else _Piece(file, head.size)
        )
        return True

    def respond(self) -> None:
        """Have the application answer, and send that. Raises what it raises, OSError."""
        self._ask(self._environ())
        if not self.closes:
            self._skip_body()
        self._conn.unread = not self._conn.arrival.is_complete

    def _ask(self, environ: dict[str, Any]) -> None:
        answer = self._server.wsgi_app(environ, self._start_response)
        try:
            for content in answer:
                if content:
                    self._write(content)
            if not self.has_begun:
                self._write(b"")
            if self._in_chunks:
                self._conn.stream.send(b"0\r\n\r\n")
        finally:
            if hasattr(answer, "close"):
                answer.close()

    def _skip_body(self) -> None:
        """Read what the application has not, so that the next request can be read."""
        try:
            while self._body.read(65536):
                pass
        except (OSError, ValueError):  # what follows cannot be told from the body
            self.closes = True

    def _environ(self) -> dict[str, Any]:
        head, conn, server = self._head, self._conn, self._server
        environ: dict[str, Any] = {
            "HTTP_" + name.decode().replace("-", "_"): value.decode("latin-1")
            for name, value in head.headers.items()
        }
        for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            if (value := environ.pop(f"HTTP_{name}", None)) is not None:
                environ[name] = value
        environ |= {
            "PATH_INFO": head.path.decode("latin-1") if head.path != b"*" else "/*",
            "QUERY_STRING": head.query.decode("latin-1"),
            "REMOTE_ADDR": conn.remote_addr,
            "REMOTE_PORT": str(conn.remote_port),
            "REQUEST_METHOD": head.method.decode(),
            "REQUEST_URI": head.target.decode("latin-1"),
            "SCRIPT_NAME": "",
            "SERVER_NAME": server.host,  # who sends no Host came to this one
            "SERVER_PORT": str(server.port),
            "SERVER_PROTOCOL": f"HTTP/{head.version.decode()}",
            "SERVER_SOFTWARE": "plivo-sim",
            "wsgi.errors": sys.stderr,
            "wsgi.input": self._body,
            "wsgi.input_terminated": head.is_chunked,
            "wsgi.multiprocess": False,
            "wsgi.multithread": True,
            "wsgi.run_once": False,
            "wsgi.url_scheme": "http" if server.tls is None else "https",
            "wsgi.version": (1, 0),
            CONNECTION_KEY: conn,
        }
        if conn.held is not None:
            environ[HELD_KEY] = conn.held.note
        return environ

    def _start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        """PEP 3333's."""
        if exc_info and self.has_begun:
            raise exc_info[1].with_traceback(exc_info[2])
        if self._status and not exc_info:
            raise RuntimeError("the application has begun an answer twice")
        self._status, self._answer_headers = status, headers
        return self._write

    def _write(self, content: bytes) -> None:
        """Raises ValueError when it is more than was announced, once that much is sent."""
        head = b""
        if not self.has_begun:
            head = self._begin_answer()
            self.has_begun = True
        allowed = content if self._left is None else content[: self._left]
        if self._left is not None:
            self._left -= len(allowed)
        if self._in_chunks and allowed:
            allowed = b"%x\r\n%b\r\n" % (len(allowed), allowed)
        if len(allowed) > READ_BYTES:  # no copy is made of it
            self._conn.stream.send(head)
            self._conn.stream.send(allowed)
        else:
            self._conn.stream.send(head + allowed)
        if len(allowed) < len(content):
            raise ValueError("the answer is longer than its Content-Length")

    def _begin_answer(self) -> bytes:
        """The head of the answer, with what the application has not said. Raises RuntimeError if it
        has said nothing."""
        if not self._status:
            raise RuntimeError("the application has begun no answer")
        lines = [f"HTTP/1.1 {self._status}"]
        given = {}
        for name, value in self._answer_headers:
            given[name.lower()] = value
            lines.append(f"{name}: {value}")
        if not self._conn.arrival.is_complete or self._body.is_broken:
            self.closes = True
        if not self._server.ready or self._status.startswith("413"):
            self.closes = True
        if "content-length" in given:
            self._left = int(given["content-length"])
        elif self._status[:1] != "1" and self._status[:3] not in ("204", "205", "304"):
            self._in_chunks = not self._head.is_old and self._head.method != b"HEAD"
            self.closes |= not self._in_chunks
            lines += ["Transfer-Encoding: chunked"] * self._in_chunks
        if "connection" not in given and self.closes:
            lines += ["Connection: close"] * (not self._head.is_old)
        elif "connection" not in given and self._head.is_old:
            lines.append("Connection: Keep-Alive")
        if "date" not in given:
            lines.append(_date_line(int(time.time())))
        if "server" not in given:
            lines.append("Server: plivo-sim")
        lines.append("\r\n")
        return "\r\n".join(lines).encode("latin-1")

    def refuse(self, status: str, told: str) -> None:
        """Answer what is no request, comes too late, or makes the application fail; in the words of
        the API whose URL it is, if the application has them."""
        self.closes = True
        self._head = head = known_of(bytes(memoryview(self._conn.rfile.came)[:MAX_HEADER_BYTES]))
        self._body = _Piece(self._conn.rfile, 0)
        if not (self._server.words_refusals and self._is_worded(Refusal(int(status[:3]), told))):
            method = head.method.decode()
            log.info("%s %s - %s: %s", method, head.target.decode("latin-1"), status[:3], told)
            self._conn.stream.send(error_answer(status, told, is_head=method == "HEAD"))

    def _is_worded(self, refusal: Refusal) -> bool:
        self._status, self._left = "", None
        try:
            self._ask(self._environ() | {REFUSED_KEY: refusal})
        except Exception:
            log.exception("unforeseen error in a refusal")
        return self.has_begun


@lru_cache(maxsize=4)
def _date_line(second: int) -> str:
    return f"Date: {formatdate(second, usegmt=True)}"
