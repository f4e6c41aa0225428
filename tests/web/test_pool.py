"""Requests are served one at a time, and beside those that are stuck."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from plivo_sim.web import pool
from plivo_sim.web.pool import STUCK_S, Pool
from tests.fakes import until


class Conn:
    """A connection whose request runs until it is told to end."""

    remote_addr = "127.0.0.1"

    def __init__(self, begun: queue.SimpleQueue[Any], settled: queue.SimpleQueue[Any]) -> None:
        self._begun, self._end = begun, threading.Event()
        self.server = SimpleNamespace(
            connections=SimpleNamespace(
                settle=lambda conn, *_: settled.put(conn), drop=lambda conn, _: settled.put(conn)
            )
        )

    def communicate(self) -> bool:
        self._begun.put(self)
        assert self._end.wait(60)
        return True

    def end(self) -> None:
        self._end.set()


class Clock:
    """Monotonic time, in seconds."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Scene:
    """A pool of which nothing runs yet, under a clock that stands still."""

    def __init__(self, threads: int = 32) -> None:
        self.pool, self.clock = Pool(threads), Clock()
        self.begun: queue.SimpleQueue[Conn] = queue.SimpleQueue()
        self.settled: queue.SimpleQueue[Conn] = queue.SimpleQueue()
        self.all: list[Conn] = []

    def put(self) -> tuple[Conn, bool]:
        conn: Any = Conn(self.begun, self.settled)
        self.all.append(conn)
        return conn, self.pool.put(conn)

    def begins(self) -> Conn:
        return self.begun.get(timeout=60)


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Any:
    scene = Scene()
    monkeypatch.setattr(pool, "monotonic_s", scene.clock)
    yield scene
    for each in scene.all:
        each.end()
    for _ in scene.all:
        scene.settled.get(timeout=60)
    scene.pool.stop()


def test_one_after_the_other_in_order(scene: Scene) -> None:
    """The next begins in the thread that has ended the one before, which was put first."""
    conns = [scene.put() for _ in range(4)]
    assert [waits for _, waits in conns] == [False, True, True, True]
    for conn, _ in conns:
        assert scene.begins() is conn
        assert scene.begun.empty()
        conn.end()


def test_nobody_begins_beside_one_that_is_not_stuck(scene: Scene) -> None:
    """However often it is looked."""
    scene.put()
    scene.put()
    scene.begins()
    scene.clock.now_s += STUCK_S / 2
    assert scene.pool.relieve()
    assert scene.pool.relieve()
    assert scene.begun.empty()


def test_twice_as_many_begin_beside_what_is_stuck(scene: Scene) -> None:
    """Until nobody waits any more; those that wait longest begin first."""
    conns = [scene.put()[0] for _ in range(8)]
    assert scene.begins() is conns[0]
    for began in (2, 4):
        scene.clock.now_s += STUCK_S
        assert scene.pool.relieve()
        assert {scene.begins() for _ in range(began)} == set(conns[began - 1 : 2 * began - 1])
        assert scene.begun.empty()
    scene.clock.now_s += STUCK_S
    assert not scene.pool.relieve()
    assert scene.begins() is conns[7]


def test_one_that_was_stuck_takes_no_turn_from_others(scene: Scene) -> None:
    """When it ends while another runs, the next still waits for that one."""
    stuck, running = (scene.put()[0] for _ in range(2))
    scene.begins()
    scene.clock.now_s += STUCK_S
    assert not scene.pool.relieve()
    assert scene.begins() is running
    waiting, waits = scene.put()
    assert waits
    stuck.end()
    until(lambda: scene.pool._idle > 0)  # its thread has looked for another
    assert scene.begun.empty()
    running.end()
    assert scene.begins() is waiting


Refused = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> Refused:
    """While the system allows no further thread."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    @contextmanager
    def refusing() -> Iterator[None]:
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", refuse)
            yield

    return refusing


def test_what_found_no_thread_gets_one_when_there_is(scene: Scene, refused: Refused) -> None:
    """Although nothing ends and nothing else comes."""
    stuck, second = (scene.put()[0] for _ in range(2))
    assert scene.begins() is stuck
    scene.clock.now_s += STUCK_S
    with refused():
        assert scene.pool.relieve()
        assert scene.begun.empty()
    assert not scene.pool.relieve()
    assert scene.begins() is second


def test_a_thread_that_was_not_had_is_no_idle_one(scene: Scene, refused: Refused) -> None:
    """The next request begins beside the one that waited for it."""
    first, second = (scene.put()[0] for _ in range(2))
    assert scene.begins() is first
    scene.clock.now_s += STUCK_S
    with refused():
        scene.pool.relieve()
    first.end()
    assert scene.begins() is second
    third, _ = scene.put()
    scene.clock.now_s += STUCK_S
    scene.pool.relieve()
    assert scene.begins() is third


def test_with_all_threads_stuck_the_rest_follow_in_their_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Once one of them ends: more than that there may not be, and nobody is passed over."""
    scene = Scene(threads=2)
    monkeypatch.setattr(pool, "monotonic_s", scene.clock)
    conns = []
    for _ in range(12):
        conns.append(scene.put()[0])
        scene.clock.now_s += STUCK_S
        assert not scene.pool.relieve()
    assert {scene.begins(), scene.begins()} == set(conns[:2])
    for ended, begun in pairwise(conns[1:]):
        ended.end()
        assert scene.begins() is begun
    conns[0].end()
    conns[-1].end()
    for _ in conns:
        scene.settled.get(timeout=10)
    scene.pool.stop()


def out_of_memory(*_: Any) -> Any:
    raise MemoryError


@pytest.mark.parametrize("stage", ["serving", "settling"])
@pytest.mark.parametrize("raised", [MemoryError, SystemExit])
def test_whatever_a_request_raises_its_thread_serves_the_next(
    scene: Scene, stage: str, raised: type[BaseException]
) -> None:
    """Else one that is stuck might be the last that there is."""

    def fail(*_: Any) -> Any:
        raise raised

    first, second = (scene.put()[0] for _ in range(2))
    assert scene.begins() is first
    if stage == "serving":
        failing: Any = Conn(scene.begun, scene.settled)
        failing.communicate = fail
        scene.pool._line.appendleft(failing)
    else:
        first.server.connections.settle = fail
    first.end()
    assert scene.begins() is second
    assert scene.pool._made == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_died_nevertheless_is_replaced(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody that waits is lost with it."""
    first, second = (scene.put()[0] for _ in range(2))
    assert scene.begins() is first
    with monkeypatch.context() as full:
        full.setattr(scene.pool, "_next", out_of_memory)
        first.end()
        until(lambda: scene.pool._made == 0)
    scene.pool.relieve()
    assert scene.begins() is second


def test_threads_that_nobody_needs_end(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """All but one: what they take may be the memory that the next request lacks."""
    monkeypatch.setattr(pool, "LONGEST_IDLE_S", 0.001)
    conns = [scene.put()[0] for _ in range(3)]
    scene.clock.now_s += STUCK_S
    scene.pool.relieve()
    for _ in conns:
        scene.begins()
    for each in conns:
        each.end()
    until(lambda: (scene.pool._made, scene.pool._idle) == (1, 1))
    last, _ = scene.put()
    assert scene.begins() is last
