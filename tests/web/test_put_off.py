"""What waiting costs: what is due is looked at, not what waits."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, cast
from unittest.mock import Mock

import pytest

from plivo_sim.web import put_off
from plivo_sim.web.connection import Connection, Phase
from plivo_sim.web.connections import Connections
from plivo_sim.web.put_off import LOOK_S, REST_S, PutOff
from plivo_sim.web.server import make_server
from plivo_sim.web.streams import HELD_KEY, Held

IDLE = b"GET /idle HTTP/1.1\r\nHost: sim\r\n\r\n"
MANY, WATCHES = 40, 4
WAITING = (Phase.HELD, Phase.IDLE)


class Watch:
    """One that counts how often it is asked."""

    def __init__(self) -> None:
        self.newest, self.is_wanted, self.asked = 1, False, 0

    def has_come(self, after: int) -> bool:
        self.asked += 1
        return self.is_wanted and after < self.newest


class Turns:
    """A server whose selector turns when the test says so. The application puts each call off once,
    until the watch comes that its path names."""

    def __init__(self, opened: ExitStack) -> None:
        self.watches = [Watch() for _ in range(WATCHES)]
        self.paths: list[str] = []  # of the calls
        self._opened = opened
        self.server = cast("Any", make_server(self._app))
        self.server.start()
        self.waited: Connections = self.server.connections

    def _app(self, environ: Any, start_response: Any) -> list[bytes]:
        self.paths.append(environ["PATH_INFO"])
        if environ["PATH_INFO"] != "/idle" and HELD_KEY not in environ:
            watch = self.watches[int(environ["PATH_INFO"][1:])]
            raise Held(3600.0, "noted", watch=watch, seen=watch.newest)
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    def poll(self, many: int) -> None:
        """So many calls, in turn for the one and the other watch."""
        for n in range(many):
            self.send(b"GET /%d HTTP/1.1\r\nHost: sim\r\n\r\n" % (n % WATCHES))

    def send(self, sent: bytes) -> None:
        address = "127.0.0.1", self.server.port
        self._opened.enter_context(socket.create_connection(address, 60)).sendall(sent)

    def turn_until_all_wait(self, calls: int) -> None:
        """After so many calls."""
        while len(self.paths) < calls or any(
            each.phase not in WAITING for each in self.waited._open
        ):
            self.waited._turn()

    def turn(self) -> None:
        """Look for everything that is looked for from time to time."""
        self.waited._put_off._looks_at_s = self.waited._looked_at_s = 0.0
        self.waited._wake()
        self.waited._turn()


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> Iterator[Turns]:
    monkeypatch.setattr(Connections, "start", lambda _: None)
    with ExitStack() as opened:
        turns = Turns(opened)
        yield turns
        turns.waited._thread.start()
        turns.server.stop()


@pytest.mark.live
def test_those_that_wait_are_not_looked_at(turns: Turns, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the calls that were put off nor idle connections; and no call is begun again."""
    turns.poll(MANY)
    for _ in range(MANY):
        turns.send(IDLE)
    turns.turn_until_all_wait(2 * MANY)
    looked: list[Connection] = []

    def until_s(conn: Connection) -> float:
        looked.append(conn)
        return float(vars(conn)["until_s"])

    with monkeypatch.context() as patched:
        patched.setattr(Connection, "until_s", property(until_s), raising=False)
        for _ in range(3):
            turns.turn()
    assert len(looked) <= 6
    assert sum(each.asked for each in turns.watches) == MANY
    assert len(turns.paths) == 2 * MANY


@pytest.mark.live
def test_only_what_is_due_is_begun_again(turns: Turns) -> None:
    """Of those who wait for the same, one is asked, once something may have been it."""
    turns.poll(MANY)
    turns.turn_until_all_wait(MANY)
    come, passed = turns.watches[:2]
    come.is_wanted = True
    come.newest = passed.newest = 2
    turns.turn()
    turns.turn_until_all_wait(MANY + MANY // WATCHES)
    for _ in range(3):
        turns.turn()
    assert turns.paths[MANY:] == ["/0"] * (MANY // WATCHES)
    asked = [each.asked - MANY // WATCHES for each in turns.watches]
    assert asked == [1, 1, 0, 0]


@pytest.mark.live
def test_what_happened_before_it_was_put_off_is_not_missed(
    turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is due at once, although nothing happens any more."""
    monkeypatch.setattr(Watch, "has_come", lambda *_: True)
    turns.poll(1)
    turns.turn_until_all_wait(2)
    assert turns.paths == ["/0", "/0"]


def test_those_that_were_dropped_are_forgotten() -> None:
    """However many were put off for long and hung up: as many remain as wait, about."""
    put_off = PutOff()
    held = Held(3600.0, None)
    kept = [Mock(Connection, held=held) for _ in range(10)]
    for conn in kept:
        put_off.add(conn, held)
    for _ in range(1000):
        gone = Mock(Connection, held=held)
        put_off.add(gone, held)
        put_off.drop(gone)
        put_off.add(gone, watched := Held(3600.0, None, watch=Watch()))
        gone.held = watched
        put_off.drop(gone)
    assert list(put_off.timed) == kept
    assert len(put_off._heap) <= 2 * len(kept) + 1
    assert not put_off.watched
    assert not put_off._seen


def test_a_long_look_lets_others_have_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on where it was, and asks each watch once."""
    now_s = 100.0
    monkeypatch.setattr(put_off, "monotonic_s", lambda: now_s)

    class Slow(Watch):
        def has_come(self, after: int) -> bool:
            nonlocal now_s
            now_s += LOOK_S / 2
            return super().has_come(after)

    waiting, watches = PutOff(), [Slow() for _ in range(10)]
    for each in watches:
        waiting.add(Mock(Connection), Held(3600.0, None, watch=each))
        each.newest = 2
    now_s += 1.0
    for done in range(12, 21, 2):
        waiting.look()
        waiting.look()
        assert sum(each.asked for each in watches) == done
        assert REST_S in waiting.naps_s() or done == 20
        now_s += REST_S
    assert [each.asked for each in watches] == [2] * 10


def test_accounts_have_their_turn_one_after_the_other() -> None:
    """Of those that wait for the same, however many of one account came before."""
    line, waiting = Mock(room=4), PutOff()
    conns = [Mock(account=each) for each in (b"A", b"A", b"A", b"B", b"A", b"C", b"B")]
    for conn in conns:
        waiting.add(conn, Held(0.0, None, line))
    assert [conns.index(conn) for conn in waiting.called()] == [0, 3, 5, 1]
    line.room = 0
    assert waiting.called() == []
