"""Servers that misbehave on their sockets."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

PATIENCE_S = 0.25
"""How long whoever calls them waits."""

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Peer:
    """A server on loopback that treats each connection as it is told; ``seen`` is what came,
    ``outlasted`` how many listened until it had dripped all."""

    def __init__(self, treat: Callable[[Peer, socket.socket], None], family: Any) -> None:
        self.seen: list[bytes] = []
        self.sent_bytes = 0
        self.outlasted = 0
        self.over = threading.Event()
        self._treat = treat
        self._listener = socket.socket(family)
        self._listener.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        self._listener.listen()
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while not self.over.is_set():
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            self._treat(self, connection)

    def read_request(self, connection: socket.socket) -> None:
        """Head and body."""
        content = b""
        while b"\r\n\r\n" not in content:
            content += connection.recv(65536)
        head, _, body = content.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        while len(body) < length:
            body += connection.recv(65536)
        self.seen.append(head + b"\r\n\r\n" + body)

    def drip(self, connection: socket.socket, drop: bytes) -> None:
        """A little at a time, far longer than anybody waits."""
        for _ in range(300):
            if self.over.wait(PATIENCE_S / 20):
                return
            connection.sendall(drop)
        self.outlasted += 1

    def stop(self) -> None:
        self.over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)


@contextmanager
def peer(
    treat: Callable[[Peer, socket.socket], None], family: Any = socket.AF_INET
) -> Iterator[Peer]:
    """Serves until the end of the block."""
    serving = Peer(treat, family)
    try:
        yield serving
    finally:
        serving.stop()


def answering(content: bytes) -> Callable[[Peer, socket.socket], None]:
    """Reads the request, answers these bytes, closes."""

    def treat(self: Peer, connection: socket.socket) -> None:
        self.read_request(connection)
        connection.sendall(content)

    return treat


def hanging_after(content: bytes) -> Callable[[Peer, socket.socket], None]:
    """Reads the request, answers these bytes, and then neither goes on nor closes."""

    def treat(self: Peer, connection: socket.socket) -> None:
        self.read_request(connection)
        connection.sendall(content)
        self.over.wait(60)

    return treat


def dripping(begin: bytes, drop: bytes) -> Callable[[Peer, socket.socket], None]:
    """Answers a little at a time: each byte comes well within the sender's patience."""

    def treat(self: Peer, connection: socket.socket) -> None:
        self.read_request(connection)
        connection.sendall(begin)
        self.drip(connection, drop)

    return treat


_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
ENDLESS = {
    "interim": answering(b"HTTP/1.1 100 Continue\r\n\r\n" * 101 + OK),
    "interim_bytes": answering(
        (b"HTTP/1.1 103 Early Hints\r\nLink: " + b"x" * 33_000 + b"\r\n\r\n") * 2 + OK
    ),
    "trailer": answering(_CHUNKED + b"2\r\nok\r\n0\r\n" + b"a: b\r\n" * 3000 + b"\r\n"),
    "chunk_line": answering(_CHUNKED + b"2;" + b"x" * 1100 + b"\r\nok\r\n0\r\n\r\n"),
}
"""More around an answer than is read, by the limit's name."""
WITHIN = answering(
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 100
    + (_CHUNKED + b"1;x=y\r\no\r\n1\r\nk\r\n0\r\n" + b"a: b\r\n" * 1000 + b"\r\n")
)
"""As much as is read: the answer is ``ok``."""


def dripping_handshake(self: Peer, connection: socket.socket) -> None:
    """One TLS record, a byte at a time, for ever."""
    connection.recv(65536)
    connection.sendall(b"\x16\x03\x03\x40\x00")
    self.drip(connection, b"\x00")


_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
DRIPS = {
    "no answer": hanging_after(b""),
    "half a head": hanging_after(b"HTTP/1.1 200 OK\r\nContent-"),
    "half a body": hanging_after(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nslow"),
    "a dripping status": dripping(b"", b"H"),
    "dripping headers": dripping(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
    "one dripping header": dripping(b"HTTP/1.1 200 OK\r\nX-Long: ", b"a"),
    "a dripping body": dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n", b"z"),
    "dripping chunks": dripping(_CHUNKED, b"1\r\na\r\n"),
    "a dripping size of a chunk": dripping(_CHUNKED, b"0"),
    "dripping trailers": dripping(_CHUNKED + b"2\r\n{}\r\n0\r\n", b"X-A: b\r\n"),
    "continue for ever": dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}
"""Ways to spend the time of whoever calls."""
