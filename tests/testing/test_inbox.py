"""The receiver of callbacks of test suites."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from plivo_sim import client
from plivo_sim.testing.inbox import Inbox

pytestmark = pytest.mark.live


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.org"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_no_web_page_puts_a_message_into_the_inbox(headers: dict[str, str]) -> None:
    """Whoever waits for a callback gets no other one."""
    inbox = Inbox()
    try:
        sender, target = client.Http(inbox.url), "/"
        assert sender.send("POST", target, headers, body=b"{}").status == 403
        assert inbox.messages == []
        assert sender.send("POST", target, {}, body=b"{}").status == 200
        assert len(inbox.messages) == 1
    finally:
        inbox.close()


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with closing(Inbox()) as made:
        yield made


def answered(inbox: Inbox, head: str, body: bytes = b"") -> bytes:
    """The status line of the answer to these bytes; ``head`` without the lines that end it."""
    _, _, port = inbox.origin.rpartition(":")
    with socket.create_connection(("127.0.0.1", int(port)), 30) as connection:
        connection.sendall(head.encode() + b"\r\nConnection: close\r\n\r\n" + body)
        return connection.makefile("rb").readline().split(b" ")[1]


def test_bytes_that_are_no_text_are_kept(inbox: Inbox) -> None:
    """As they came, so that an application gets the same; they are not signed."""
    head = "POST /callback/1 HTTP/1.1\r\nHost: example.org\r\nContent-Length: 3"
    assert answered(inbox, head, b"\xffa\xfe") == b"200"
    (message,) = inbox.messages
    assert (message.body, message.signed) == ("\udcffa\udcfe", False)
    app = AsSent()
    message.send_to(app)
    assert app.data == b"\xffa\xfe"


class AsSent:
    """A test client, as those of werkzeug are, that keeps the body."""

    def open(self, url: str, *, method: str, data: bytes, headers: object) -> None:
        self.data = data


def test_a_callback_without_a_host_is_kept(inbox: Inbox) -> None:
    """Its URL is that of the inbox."""
    assert answered(inbox, "POST /callback/1 HTTP/1.0\r\nContent-Length: 2", b"{}") == b"200"
    (message,) = inbox.messages
    assert (message.url, message.body) == (inbox.url, "{}")


@pytest.mark.parametrize(
    "head",
    [
        "POST /callback/1 HTTP/1.1\r\nContent-Length: many",
        "POST /callback/1 HTTP/1.1\r\nContent-Length: -1",
        "POST /callback/1 HTTP/1.1\r\nHost: [",
        f"POST /callback/{'9' * 5000} HTTP/1.1",
    ],
)
def test_what_is_no_request_is_answered(inbox: Inbox, head: str) -> None:
    """And not kept, as its URL or its body is not known."""
    assert answered(inbox, head) == b"400"
    assert inbox.messages == []
