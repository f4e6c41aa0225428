"""What is sent to a server: requests as data, and a plain client that sends them."""

from __future__ import annotations

import http.client
import itertools
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

UNIQUE = "@@"
"""Stands for another number of twelve digits in every request, in path, headers and body."""

NUMBER_DIGITS = 12

GROUP = "##"
"""Stands for a number that changes every GROUP_SIZE requests."""

GROUP_SIZE = 4000
TIMEOUT_S = 20.0
FILE_BYTES = 200_000

_numbers = itertools.count(1)


class Lacks(Exception):
    """A server has no such operation; says why."""


class Failed(Exception):
    """A server did not do what was asked of it; says what it did."""


@dataclass(frozen=True)
class Request:
    """One call, with the placeholders above; ``body`` empty for none."""

    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def varies(self) -> bool:
        return any(UNIQUE in text or GROUP in text for text in self._texts())

    def _texts(self) -> Iterator[str]:
        yield self.path
        yield from self.headers.values()
        yield self.body.decode("latin-1")

    def numbered(self, number: int) -> Request:
        """The request with its placeholders filled in."""
        if not self.varies:
            return self
        unique, group = f"{number:0{NUMBER_DIGITS}d}", str(number // GROUP_SIZE)

        def fill(text: str) -> str:
            return text.replace(UNIQUE, unique).replace(GROUP, group)

        return Request(
            self.method,
            fill(self.path),
            fill(self.body.decode("latin-1")).encode("latin-1"),
            {name: fill(value) for name, value in self.headers.items()},
        )


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def get(path: str, **headers: str) -> Request:
    """A GET; header names with underscores."""
    return Request("GET", path, b"", _named(headers))


def post_json(path: str, value: Any, **headers: str) -> Request:
    return Request(
        "POST",
        path,
        json.dumps(value).encode(),
        {"Content-Type": "application/json", **_named(headers)},
    )


def post_form(path: str, value: Mapping[str, str], **headers: str) -> Request:
    kind = "application/x-www-form-urlencoded"
    return Request(
        "POST",
        path,
        urlencode(value, safe="@#").encode(),
        {"Content-Type": kind, **_named(headers)},
    )


def post_files(path: str, data: Any, names: Sequence[str], **headers: str) -> Request:
    """A form: ``data`` as JSON text, and files of FILE_BYTES, other ones in every request."""
    boundary = "cb1ea573abe400c9f6d6a0fce7a2fead"
    head = f"--{boundary}\r\nContent-Disposition: form-data; name="
    parts = [f'{head}"data"\r\n\r\n{json.dumps(data)}\r\n'.encode()]
    for name in names:
        about = f'{head}"{name}"; filename="proof.pdf"\r\nContent-Type: application/pdf\r\n\r\n'
        parts.append(about.encode() + file_content(name) + b"\r\n")
    kind = f"multipart/form-data; boundary={boundary}"
    body = b"".join([*parts, f"--{boundary}--\r\n".encode()])
    return Request("POST", path, body, {"Content-Type": kind, **_named(headers)})


def file_content(name: str) -> bytes:
    """FILE_BYTES, once the number is in, that begin as a PDF does."""
    head = f"%PDF-1.4\n% {UNIQUE} {name}\n".encode()
    return head + b"x" * (FILE_BYTES - len(head) - NUMBER_DIGITS + len(UNIQUE))


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def first_number(requests: int) -> int:
    """The first of so many numbers that nobody else will use."""
    return next(_numbers) * max(requests, 1_000_000)


class Client:
    """One connection, kept alive where the server allows it."""

    def __init__(self, port: int, timeout_s: float = TIMEOUT_S) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
        self._number = first_number(1)

    def send(self, request: Request) -> Answer:
        """Raises OSError or http.client.HTTPException."""
        return self._send(self._next(request))

    def ask(self, request: Request) -> Answer:
        """Raises Failed unless the answer is a 2xx."""
        return self._ask(self._next(request))

    def timed_ms(self, request: Request) -> float:
        """Milliseconds from sending to the whole answer. Raises Failed."""
        filled = self._next(request)
        began = time.perf_counter()
        self._ask(filled)
        return (time.perf_counter() - began) * 1000

    def _next(self, request: Request) -> Request:
        self._number += 1
        return request.numbered(self._number)

    def _ask(self, request: Request) -> Answer:
        try:
            answer = self._send(request)
        except (OSError, http.client.HTTPException) as error:
            raise Failed(f"{request.method} broke off ({type(error).__name__})") from None
        if not 200 <= answer.status < 300:
            raise Failed(f"{request.method} was answered {answer.status}")
        return answer

    def _send(self, filled: Request) -> Answer:
        try:
            self._connection.request(
                filled.method, filled.path, filled.body or None, dict(filled.headers)
            )
            answer = self._connection.getresponse()
            return Answer(answer.status, answer.read())
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        self._connection.close()


@contextmanager
def client(port: int) -> Iterator[Client]:
    made = Client(port)
    try:
        yield made
    finally:
        made.close()
