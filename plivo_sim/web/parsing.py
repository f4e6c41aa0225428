"""How a request that has come is read and answered: cheroot's way, where that is RFC 9112's.

Its reading of heads, chunks and targets takes more than the RFC allows, and its error answers are
plain text whose words differ from version to version; both are replaced here.
"""

from __future__ import annotations

import io
import logging
import re
import time
from email.utils import formatdate
from functools import lru_cache
from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

from cheroot import errors, wsgi
from cheroot import server as cheroot

from plivo_sim.domain import limits
from plivo_sim.domain.text import HTTP_TOKEN
from plivo_sim.web.streams import (
    CONNECTION_KEY,
    HELD_KEY,
    MAX_HEADER_BYTES,
    REFUSED_KEY,
    Refusal,
    error_answer,
)

MAX_BODY_BYTES = 64 * 1024 * 1024  # a backstop for memory; the app's own limit is to be lower

_ASCII = bytes(range(128))

_TOKEN = HTTP_TOKEN.encode()
_METHOD = re.compile(_TOKEN)

_HEADER = re.compile(rb"(" + _TOKEN + rb"):([\t\x20-\x7e\x80-\xff]*)\r\n")

_NO_HEADER = (
    "a header is not NAME: VALUE on one line that ends with CRLF and has no control characters"
)

_ONLY_ONCE = frozenset(
    (
        b"content-length", b"transfer-encoding", b"content-encoding", b"host", b"authorization",
        b"origin", b"sec-fetch-site", b"sec-fetch-mode",
    )
)  # fmt: skip
"""Headers of which another reader, a proxy or our own ``Arrival``, may take another one."""

CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\0\r\n]*)?\r\n")


def are_too_many(chunks: int, size: int) -> bool:
    """Whether a body has so many chunks in so many bytes as are not taken."""
    return chunks > limits.CHUNKS.most and chunks * limits.LEAST_CHUNK_BYTES > size


_VERSION = re.compile(rb"HTTP/[0-9]\.[0-9]")

_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")

_WHOLE_URL = re.compile(rb"https?://([^/?#\s]*)", re.IGNORECASE)

log = logging.getLogger(__name__)


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
        headers.pop(b"Expect", None)  # answered while the body was waited for
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
    tells where the body ends, and how large it may become, stands there once. Raises _Unclear.

    A header whose name has an underscore is left out, as proxies do: WSGI does not tell it from
    the one with a hyphen, and the script of a page may set ``Sec_Fetch_Site``."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._seen: set[bytes] = set()

    def readline(self) -> bytes:
        while True:
            line: bytes = self._file.readline()
            if not line or line == b"\r\n" or self._counts(line):
                return line

    def _counts(self, line: bytes) -> bool:
        header = _HEADER.fullmatch(line)
        if header is None:
            raise _Unclear(_NO_HEADER)
        name = header[1].lower()
        if b"_" in name:
            if name in (b"content_length", b"transfer_encoding"):
                seen = header[1].decode()
                raise _Unclear(f"a header is named {seen}; it is spelled with a hyphen")
            return False
        if name in _ONLY_ONCE:
            if name in self._seen:
                raise _Unclear(f"there is more than one {name.decode().title()} header")
            self._seen.add(name)
        value = header[2].strip(b" \t")
        if name == b"content-length" and not value.isdigit():
            seen = value[:50].decode("latin-1")
            raise _Unclear(f"the Content-Length is '{seen}'; digits are taken")
        return True


class _Chunks(cheroot.ChunkedRFile):
    """A body in chunks. After something that is no chunk nothing is read: what follows cannot be
    told from the next request. All that is wrong with chunks is a ValueError."""

    is_broken = False
    count = 0
    buffer: bytes | memoryview  # of the last chunk, what has not been read

    def read(self, size: int | None = None) -> bytes:
        """As many bytes, all without a size; fewer at the end. Each byte is copied once, however
        small the chunks or the reads are."""
        found = bytearray()
        while size is None or len(found) < size:
            if not self.buffer:
                self._fetch()
                if not self.buffer:
                    break
            left = None if size is None else size - len(found)
            found += self.buffer[:left]
            self.buffer = self.buffer[len(self.buffer) if left is None else left :]
        return bytes(found)

    def _fetch(self) -> None:
        if self.closed:
            return
        if self.is_broken:
            raise ValueError("the chunks before were malformed")
        self.is_broken = True  # unless all goes well
        line = self.rfile.readline()
        head = CHUNK.fullmatch(line)
        if head is None:
            raise ValueError("a chunk does not begin with its size in hexadecimal digits")
        size = int(head[1], 16)
        self.bytes_read += len(line) + size
        if self.bytes_read > self.maxlen:
            raise ValueError(f"the chunks are more than {self.maxlen} bytes")
        self.count += 1
        if are_too_many(self.count, self.bytes_read):
            raise ValueError(f"{limits.CHUNKS.of} has {limits.CHUNKS}")
        if size == 0:
            self._read_trailers()
            self.closed = True
        else:
            self.buffer = memoryview(self.rfile.read(size))
            if self.rfile.read(2) != b"\r\n":
                raise ValueError("a chunk does not end where its size says")
        self.is_broken = False

    def _read_trailers(self) -> None:
        """Checked as headers are, and passed over."""
        size = 0
        while (line := self.rfile.readline()) != b"\r\n":
            size += len(line)
            if size > MAX_HEADER_BYTES or not _HEADER.fullmatch(line):
                raise ValueError(f"behind the last chunk, {_NO_HEADER}")


class _FirstLine:
    """The file that a request is read from, its target in origin form (RFC 9112, 3.2.1): a whole
    URL, which proxies are sent, loses its ``host``, several slashes at the start become one, and
    bytes that are no ASCII are escaped."""

    host: bytes | None = None
    has_controls = False

    def __init__(self, file: Any) -> None:
        self._file = file

    def readline(self) -> bytes:
        line: bytes = self._file.readline()
        self.has_controls = _CONTROL.search(line.removesuffix(b"\r\n")) is not None
        method, space, rest = line.partition(b" ")
        whole = _WHOLE_URL.match(rest)
        if whole is not None:
            self.host, rest = whole[1], rest[whole.end() :]
        if whole is not None or rest.startswith(b"//"):
            rest = b"/" + rest.lstrip(b"/")
        if not rest.isascii():
            rest = quote_from_bytes(rest, _ASCII).encode()
        return method + space + rest


class Request(cheroot.HTTPRequest):
    header_reader = _HeaderReader()

    def read_request_line(self) -> bool:
        file, self.rfile = self.rfile, (line := _FirstLine(self.rfile))
        try:
            understood = bool(super().read_request_line())  # type: ignore[no-untyped-call]  # cheroot's stubs
            is_clear = not understood or (
                _VERSION.fullmatch(self.request_protocol) is not None
                and _METHOD.fullmatch(self.method) is not None
                and not line.has_controls
            )
        except ValueError:  # such as half an IPv6 address
            understood = is_clear = False
        finally:
            self.rfile = file
        self._host = line.host
        if not is_clear:
            self.simple_response("400 Bad Request")
        return understood and is_clear

    def read_request_headers(self) -> bool:
        try:
            understood = bool(super().read_request_headers())  # type: ignore[no-untyped-call]  # as above
        except errors.MaxSizeExceeded:
            self.simple_response("431 Request Header Fields Too Large")
            return False
        if self._host is not None:  # it counts, whatever the header says
            self.inheaders[b"Host"] = self._host
        if understood and self.response_protocol == "HTTP/1.1" and b"Host" not in self.inheaders:
            self.simple_response(
                "400 Bad Request", _Told("a request of HTTP/1.1 has a Host header")
            )
            return False
        if understood and b"@" in self.inheaders.get(b"Host", b""):
            told = "the Host, or the URL, has a user name or password before the host"
            self.simple_response("400 Bad Request", _Told(told))
            return False
        if understood and b"Transfer-Encoding" in self.inheaders and not self.chunked_read:
            told = "HTTP/1.0 has no Transfer-Encoding; a Content-Length is taken"
            self.simple_response("400 Bad Request", _Told(told))
            return False
        options = self.inheaders.get(b"Connection", b"").lower().split(b",")
        wanted = {option.strip() for option in options}
        is_old = understood and self.response_protocol != "HTTP/1.1"
        if b"close" in wanted or (is_old and b"keep-alive" not in wanted):
            self.close_connection = True
        elif understood:  # cheroot compares the whole header, in one spelling
            self.close_connection = False
        return understood

    def respond(self) -> None:
        if self.conn.arrival.unserved:
            self.simple_response("503 Service Unavailable", _Told(self.conn.arrival.unserved))
            return
        super().respond()
        if not self.close_connection:
            self._skip_body()
        self.conn.unread = not self.conn.arrival.is_complete

    def _skip_body(self) -> None:
        """Read what the application has not, so that the next request can be read."""
        try:
            while self.rfile.read(65536):
                pass
        except (OSError, ValueError, EOFError):  # what follows cannot be told from the body
            self.close_connection = True

    def send_headers(self) -> None:
        if not any(name.lower() == b"date" for name, _ in self.outheaders):
            self.outheaders.append((b"Date", _http_date(int(time.time()))))
        if not self.conn.arrival.is_complete or getattr(self.rfile, "is_broken", False):
            self.close_connection = True
        body, self.rfile = self.rfile, None  # cheroot would wait for all of it, and answer then
        super().send_headers()
        self.rfile = body

    def simple_response(self, status: str, msg: str = "") -> None:
        self.close_connection = self.sent_headers = True
        told = msg if isinstance(msg, _Told) else _REFUSALS.get(status[:3], status[4:])
        if status.startswith("501"):
            told = told.format(self.inheaders[b"Transfer-Encoding"][:50].decode("latin-1"))
        self._take_what_is_known()
        if not (
            self.server.words_refusals and self._is_worded(Refusal(int(status[:3]), str(told)))
        ):
            method, url = self.method.decode("latin-1"), self.uri.decode("latin-1")
            log.info("%s %s - %s: %s", method, url, status[:3], told)
            self.conn.wfile.write(error_answer(status, told, is_head=method == "HEAD"))

    def _take_what_is_known(self) -> None:
        """Method and target of what is no request, as far as they can be told."""
        begin = bytes(memoryview(self.conn.rfile.came)[:MAX_HEADER_BYTES]).lstrip(b"\r\n")
        line = _FirstLine(io.BytesIO(begin.partition(b"\n")[0])).readline()
        words = _BEGIN.match(line)
        self.method, self.uri = words.groups() if words else (b"?", b"*")
        path, _, self.qs = self.uri.partition(b"?")
        self.path = unquote_to_bytes(path)
        self.request_protocol, self.response_protocol = b"HTTP/1.1", "HTTP/1.1"
        for name in (b"Content-Length", b"Transfer-Encoding"):
            self.inheaders.pop(name, None)
        self.rfile, self.chunked_read = io.BytesIO(), False

    def _is_worded(self, refusal: Refusal) -> bool:
        """Have the application answer, in the words of the API whose URL it is."""
        self.sent_headers, self.outheaders = False, []
        gateway = self.server.gateway(self)
        gateway.env[REFUSED_KEY] = refusal
        try:
            gateway.respond()
        except Exception:
            log.exception("unforeseen error in a refusal")
        was_sent, self.sent_headers = self.sent_headers, True
        return bool(was_sent)


_BEGIN = re.compile(rb"((?=[^ ]{1,50} )" + _TOKEN + rb") (/[^ \r\n]*)")

_REFUSALS = {
    "400": "what was sent is no HTTP request that can be read: METHOD /PATH HTTP/1.1, then headers,"
    " each on a line that ends with CRLF",
    "405": "this method is not served",
    "408": "the request did not arrive in time",
    "413": f"the request's body is too large; at most {MAX_BODY_BYTES} bytes are taken",
    "414": f"the URL is too long; at most {MAX_HEADER_BYTES} bytes are taken",
    "431": f"the request's head is too large; at most {MAX_HEADER_BYTES} bytes are taken",
    "501": "the Transfer-Encoding is '{}'; chunked alone is taken",
    "505": "HTTP/1.0 and HTTP/1.1 are spoken here",
}
"""What is said in cheroot's stead, whose words differ from version to version."""


class Gateway(wsgi.Gateway_10):
    def __init__(self, req: Any) -> None:
        if req.chunked_read:
            req.rfile = _Chunks(req.conn.rfile, MAX_BODY_BYTES)
        super().__init__(req)

    def get_environ(self) -> dict[str, Any]:  # type: ignore[override]  # cheroot's stubs say None
        environ: dict[str, Any] = super().get_environ()  # type: ignore[no-untyped-call]  # stubs
        environ[CONNECTION_KEY] = self.req.conn
        if self.req.conn.held is not None:
            environ[HELD_KEY] = self.req.conn.held.note
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


@lru_cache(maxsize=4)
def _http_date(second: int) -> bytes:
    return formatdate(second, usegmt=True).encode()
