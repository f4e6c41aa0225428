"""The head of a request: RFC 9112's and no wider, since others may read what is wider in another
way. What is not taken is ``Refused``, with the reason for the client."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote_from_bytes, unquote_to_bytes

from plivo_sim.web.streams import MAX_HEADER_BYTES

MAX_BODY_BYTES = 64 * 1024 * 1024  # a backstop for memory; the app's own limit is to be lower

_ASCII = bytes(range(128))
_NAME = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_LINE = re.compile(rb"(%b) ([^\x00-\x20\x7f]+) HTTP/([0-9]\.[0-9])\r\n" % _NAME)
_BEGIN = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,50}) ([^ \r\n]*)")
_WHOLE_URL = re.compile(rb"https?://([^/?#\s]*)", re.IGNORECASE)
_QUOTED_SLASH = re.compile(rb"%2F", re.IGNORECASE)
HEADER = re.compile(rb"%b:[\t\x20-\x7e\x80-\xff]*\r\n" % _NAME)
_HEADERS = re.compile(rb"(?:%b:[\t\x20-\x7e\x80-\xff]*\r\n)*\r\n" % _NAME)

_ONLY_ONCE = frozenset(
    (b"CONTENT-LENGTH", b"HOST", b"AUTHORIZATION", b"ORIGIN", b"SEC-FETCH-SITE", b"SEC-FETCH-MODE")
)
_LISTS = frozenset((
    b"ACCEPT", b"ACCEPT-CHARSET", b"ACCEPT-ENCODING", b"ACCEPT-LANGUAGE", b"CACHE-CONTROL",
    b"CONNECTION", b"CONTENT-ENCODING", b"IF-MATCH", b"IF-NONE-MATCH", b"PRAGMA", b"TE", b"TRAILER",
    b"TRANSFER-ENCODING", b"UPGRADE", b"VIA", b"WARNING",
))  # fmt: skip
"""Headers that may be there several times, and count together; of others the last one does."""

NO_HEADER = (
    "a header is not NAME: VALUE on one line that ends with CRLF and has no control characters"
)
_NO_REQUEST = (
    "what was sent is no HTTP request that can be read: METHOD /PATH HTTP/1.1, then headers,"
    " each on a line that ends with CRLF"
)


class Refused(Exception):
    """With the status, words and all, and what is told."""

    def __init__(self, status: str, told: str) -> None:
        super().__init__(status, told)
        self.status, self.told = status, told


def unclear(told: str) -> Refused:
    return Refused("400 Bad Request", told)


@dataclass(slots=True)
class Head:
    """``target``: in origin form; ``path``: it, unquoted (but slashes), without ``query``.
    ``headers``: by their names in capitals."""

    method: bytes
    target: bytes
    path: bytes
    query: bytes
    version: bytes
    headers: dict[bytes, bytes]
    is_chunked: bool = False
    size: int = 0
    """Of the body, when it is in one piece."""

    @property
    def is_old(self) -> bool:
        """Of HTTP/1.0."""
        return self.version == b"1.0"

    @property
    def wants_close(self) -> bool:
        """Whether the connection ends with the answer."""
        options = self.headers.get(b"CONNECTION")
        if options is None:
            return self.is_old
        wanted = {option.strip() for option in options.lower().split(b",")}
        return b"close" in wanted or (self.is_old and b"keep-alive" not in wanted)


def read_head(sent: bytes) -> Head:
    """The head that begins there, as far as it has come. Raises Refused."""
    at = 2 if sent.startswith(b"\r\n") else 0  # RFC 9112, 2.2
    begin = sent.find(b"\n", at) + 1 or len(sent)
    if begin - at > MAX_HEADER_BYTES:
        told = f"the URL is too long; at most {MAX_HEADER_BYTES} bytes are taken"
        raise Refused("414 URI Too Long", told)
    line = _LINE.fullmatch(sent, at, begin)
    if line is None:
        raise unclear(_NO_REQUEST)
    method, target, version = line.groups()
    if version not in (b"1.1", b"1.0"):
        raise Refused("505 HTTP Version Not Supported", "HTTP/1.0 and HTTP/1.1 are spoken here")
    if method != method.upper():
        raise unclear(_NO_REQUEST)
    if method == b"CONNECT":
        raise Refused("405 Method Not Allowed", "this method is not served")
    target, host = _origin_form(target)
    path, _, query = target.partition(b"?")
    if not (path.startswith(b"/") or (method, path) == (b"OPTIONS", b"*")) or b"#" in target:
        raise unclear(_NO_REQUEST)
    if b"%" in path:
        path = b"%2F".join(map(unquote_to_bytes, _QUOTED_SLASH.split(path)))
    headers = _headers(sent, begin)
    if host is not None:  # it counts, whatever the header says
        headers[b"HOST"] = host
    head = Head(method, target, path, query, version, headers)
    _find_body(head)
    _check_host(head)
    return head


def known_of(sent: bytes) -> Head:
    """Of what is no request, or none that is taken, method and target, as far as they can be
    told."""
    begin = sent[:MAX_HEADER_BYTES].lstrip(b"\r\n").partition(b"\n")[0]
    words = _BEGIN.match(begin)
    method, target = words.groups() if words else (b"?", b"*")
    target, _ = _origin_form(target)
    if not target.startswith(b"/"):
        method, target = b"?", b"*"
    path, _, query = target.partition(b"?")
    return Head(method, target, unquote_to_bytes(path), query, b"1.1", {})


def _origin_form(target: bytes) -> tuple[bytes, bytes | None]:
    """RFC 9112, 3.2.1: a whole URL, which proxies are sent, loses its host (the second), several
    slashes at the start become one, and bytes that are no ASCII are escaped."""
    host = None
    if not target.startswith(b"/") and (whole := _WHOLE_URL.match(target)) is not None:
        host, target = whole[1], target[whole.end() :]
    if host is not None or target.startswith(b"//"):
        target = b"/" + target.lstrip(b"/")
    if not target.isascii():
        target = quote_from_bytes(target, _ASCII).encode()
    return target, host


def _headers(sent: bytes, begin: int) -> dict[bytes, bytes]:
    """Each a name, a colon and a value on one line; what tells where the body ends stands there
    once. One whose name has an underscore is left out, as proxies do: WSGI does not tell it from
    the one with a hyphen, and the script of a page may set ``Sec_Fetch_Site``. Raises Refused."""
    if len(sent) > MAX_HEADER_BYTES:
        told = f"the request's head is too large; at most {MAX_HEADER_BYTES} bytes are taken"
        raise Refused("431 Request Header Fields Too Large", told)
    if not _HEADERS.fullmatch(sent, begin):
        raise unclear(NO_HEADER)
    headers: dict[bytes, bytes] = {}
    for line in sent[begin:].split(b"\r\n")[:-2]:
        written, _, value = line.partition(b":")
        name = written.upper()
        if b"_" in name:
            if name in (b"CONTENT_LENGTH", b"TRANSFER_ENCODING"):
                told = f"a header is named {written.decode()}; it is spelled with a hyphen"
                raise unclear(told)
            continue
        value = value.strip(b" \t")
        if name in headers:
            if name in _ONLY_ONCE:
                raise unclear(f"there is more than one {name.decode().title()} header")
            if name in _LISTS:
                value = headers[name] + b", " + value
        headers[name] = value
    headers.pop(b"EXPECT", None)  # answered while the body was waited for
    return headers


def _find_body(head: Head) -> None:
    """Raises Refused."""
    length, coding = head.headers.get(b"CONTENT-LENGTH"), head.headers.get(b"TRANSFER-ENCODING")
    if length is not None:
        if not length.isdigit():
            seen = length[:50].decode("latin-1")
            raise unclear(f"the Content-Length is '{seen}'; digits are taken")
        if coding is not None:
            raise unclear("Content-Length and Transfer-Encoding are both there; one is taken")
        head.size = int(length.lstrip(b"0")[:19] or b"0")
        if head.size > MAX_BODY_BYTES:
            told = f"the request's body is too large; at most {MAX_BODY_BYTES} bytes are taken"
            raise Refused("413 Content Too Large", told)
    if coding is not None:
        names = [name.strip().lower() for name in coding.split(b",")]
        head.is_chunked = names == [b"chunked"]
        seen = coding[:50].decode("latin-1")
        if not head.is_chunked and not set(names) - {b"chunked", b""}:
            raise unclear(f"the Transfer-Encoding is '{seen}'; chunked, once, is taken")
        if head.is_old:
            raise unclear("HTTP/1.0 has no Transfer-Encoding; a Content-Length is taken")
        if not head.is_chunked:
            told = f"the Transfer-Encoding is '{seen}'; chunked alone is taken"
            raise Refused("501 Not Implemented", told)


def _check_host(head: Head) -> None:
    """Raises Refused."""
    host = head.headers.get(b"HOST")
    if host is None and not head.is_old:
        raise unclear("a request of HTTP/1.1 has a Host header")
    if host is not None and b"@" in host:
        raise unclear("the Host, or the URL, has a user name or password before the host")
