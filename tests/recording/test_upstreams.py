"""A recorder before a service whose answers are odd on their wire."""

from __future__ import annotations

from pathlib import Path

import pytest

from plivo_sim.client import Http
from plivo_sim.recording.tapes import read_tape
from tests.peers import OK, Peer, answering, peer
from tests.recording.traffic import AUTH_ID, recording

pytestmark = pytest.mark.live
TARGET = f"/v1/Account/{AUTH_ID}/PhoneNumber/Compliance/"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"


@pytest.mark.parametrize("length", ["12abc", "-1", "2, 2", "²", "9" * 60, ""])
def test_a_length_that_is_none_is_not_handed_on(tape: Path, length: str) -> None:
    """To a HEAD, whose answer has no other body to count."""
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode("latin-1")
    with (
        peer(answering(head)) as there,
        recording(f"http://127.0.0.1:{there.port}", tape) as url,
    ):
        answer = Http(url).send("HEAD", TARGET, {})
    assert (answer.status, answer.headers["Content-Length"]) == (200, "0")
    assert len(read_tape(tape)[1]) == 1


def test_what_announces_an_answer_is_not_taken_for_it(tape: Path) -> None:
    """Nor is the answer taken for that of the next call over the same connection."""

    def treat(self: Peer, connection: object) -> None:
        for body in (b"one", b"two"):
            self.read_request(connection)  # type: ignore[arg-type]
            told = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n" + body
            connection.sendall(HINTS + told)  # type: ignore[attr-defined]

    with peer(treat) as there, recording(f"http://127.0.0.1:{there.port}", tape) as url:
        answers = [Http(url).send("GET", TARGET, {}) for _ in range(2)]
    assert [(each.status, each.data) for each in answers] == [(200, b"one"), (200, b"two")]
    assert "Link" not in answers[0].headers


def test_a_change_of_protocols_is_no_answer(tape: Path) -> None:
    """Nobody asked for one."""
    head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n" + OK
    with peer(answering(head)) as there, recording(f"http://127.0.0.1:{there.port}", tape) as url:
        answer = Http(url).send("GET", TARGET, {})
    assert answer.status == 502
    assert "broke the connection off" in answer.json()["error"]


def test_control_characters_of_a_head_are_left_out(tape: Path) -> None:
    """The exchange is kept; what stays of reason and header reaches the application."""
    head = (
        b"HTTP/1.1 200 F\x1b[31mine\x00\rSet: 1\r\nX-Request-Id: a\x1b[31m\x00b\r\n"
        b"Content-Length: 2\r\n\r\n{}"
    )
    with peer(answering(head)) as there, recording(f"http://127.0.0.1:{there.port}", tape) as url:
        answer = Http(url).send("GET", TARGET, {})
    assert (answer.reason, answer.headers["X-Request-Id"]) == ("F[31mineSet: 1", "a[31mb")
    assert len(read_tape(tape)[1]) == 1
