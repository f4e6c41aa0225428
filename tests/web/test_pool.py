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
from plivo_sim.web.costs import LONG_S, alike
from plivo_sim.web.pool import PATIENCE_S, STUCK_S, Pool
from tests.fakes import until

SMALL = b"GET /small HTTP/1.1"


class Conn:
    """A connection whose request runs until it is told to end."""

    remote_addr = "127.0.0.1"
    has_hung_up = is_left = False

    def __init__(
        self, request: bytes, begun: queue.SimpleQueue[Any], settled: queue.SimpleQueue[Any]
    ) -> None:
        self._begun, self._end = begun, threading.Event()
        self.rfile, self.arrival = SimpleNamespace(came=request), SimpleNamespace(unserved="")
        self.server = SimpleNamespace(
            connections=SimpleNamespace(
                settle=lambda conn, *_: settled.put(conn), drop=lambda conn, _: settled.put(conn)
            )
        )

    def communicate(self) -> bool:
        if self.arrival.unserved:
            return False
        self.thread = threading.current_thread()
        self._begun.put(self)
        assert self._end.wait(60)
        return True

    def end(self) -> None:
        self._end.set()


class Clock:
    """Monotonic time, and processor time of the process; in seconds."""

    def __init__(self) -> None:
        self.now_s = self.used_s = self.of_thread_s = 100.0
        self.each_s = 0.0

    def of_thread(self) -> float:
        """Each call computes for so long: ``each_s``."""
        self.of_thread_s += self.each_s
        return self.of_thread_s

    def go_on(self, for_s: float = STUCK_S, load: float = 1.0) -> None:
        """``load``: of the processor, meanwhile."""
        self.now_s += for_s
        self.used_s += for_s * load


class Scene:
    """A pool of which nothing runs yet, under a clock that stands still."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, threads: int = 32) -> None:
        self.clock = Clock()
        monkeypatch.setattr(pool, "monotonic_s", lambda: self.clock.now_s)
        monkeypatch.setattr(pool, "process_time", lambda: self.clock.used_s)
        monkeypatch.setattr(pool, "thread_time", self.clock.of_thread)
        self.pool = Pool(threads)
        self.begun: queue.SimpleQueue[Conn] = queue.SimpleQueue()
        self.settled: queue.SimpleQueue[Conn] = queue.SimpleQueue()
        self.all: list[Conn] = []
        self.took(SMALL, 0.001)

    def put(self, request: bytes = SMALL) -> tuple[Conn, bool]:
        conn: Any = Conn(request, self.begun, self.settled)
        self.all.append(conn)
        return conn, self.pool.put(conn)

    def took(self, request: bytes, *times_s: float) -> None:
        """Earlier calls, each so much processor time."""
        for each in times_s:
            self.pool._costs.note(alike(request), each)

    def begins(self) -> Conn:
        return self.begun.get(timeout=6)


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Any:
    scene = Scene(monkeypatch)
    yield scene
    for each in scene.all:
        each.end()
    for _ in scene.all:
        scene.settled.get(timeout=6)
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
    scene.clock.go_on(STUCK_S / 2)
    assert scene.pool.relieve()
    assert scene.pool.relieve()
    assert scene.begun.empty()


def test_twice_as_many_begin_beside_what_is_stuck(scene: Scene) -> None:
    """Until nobody waits any more; those that wait longest begin first."""
    conns = [scene.put()[0] for _ in range(8)]
    assert scene.begins() is conns[0]
    for began in (2, 4):
        scene.clock.go_on()
        assert scene.pool.relieve()
        assert {scene.begins() for _ in range(began)} == set(conns[began - 1 : 2 * began - 1])
        assert scene.begun.empty()
    scene.clock.go_on()
    assert not scene.pool.relieve()
    assert scene.begins() is conns[7]


def test_one_that_was_stuck_takes_no_turn_from_others(scene: Scene) -> None:
    """When it ends while another runs, the next still waits for that one."""
    stuck, running = (scene.put()[0] for _ in range(2))
    scene.begins()
    scene.clock.go_on()
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
    scene.clock.go_on()
    with refused():
        assert scene.pool.relieve()
        assert scene.begun.empty()
    assert not scene.pool.relieve()
    assert scene.begins() is second


def test_a_thread_that_was_not_had_is_no_idle_one(scene: Scene, refused: Refused) -> None:
    """The next request begins beside the one that waited for it."""
    first, second = (scene.put()[0] for _ in range(2))
    assert scene.begins() is first
    scene.clock.go_on()
    with refused():
        scene.pool.relieve()
    first.end()
    assert scene.begins() is second
    third, _ = scene.put()
    scene.clock.go_on()
    scene.pool.relieve()
    assert scene.begins() is third


def test_with_all_threads_stuck_the_rest_follow_in_their_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Once one of them ends: more than that there may not be, and nobody is passed over."""
    scene = Scene(monkeypatch, threads=2)
    conns = []
    for _ in range(12):
        conns.append(scene.put()[0])
        scene.clock.go_on()
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
        second.communicate, third = fail, scene.put()[0]
        second, third = third, second
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
        first.thread.join(60)  # its error is told before it has ended, in this test
    scene.pool.relieve()
    assert scene.begins() is second


def test_threads_that_nobody_needs_end(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """All but one: what they take may be the memory that the next request lacks."""
    monkeypatch.setattr(pool, "LONGEST_IDLE_S", 0.001)
    conns = [scene.put()[0] for _ in range(3)]
    scene.clock.go_on()
    scene.pool.relieve()
    for _ in conns:
        scene.begins()
    for each in conns:
        each.end()
    until(lambda: (scene.pool._made, scene.pool._idle) == (1, 1))
    last, _ = scene.put()
    assert scene.begins() is last


LONG, OTHER = b"GET /long HTTP/1.1", b"GET /other HTTP/1.1"


def begun_of(scene: Scene, number: int) -> set[Conn]:
    """So many, and no more."""
    found = {scene.begins() for _ in range(number)}
    assert scene.begun.empty()
    return found


def test_a_small_call_begins_before_long_ones_that_came_before_it(scene: Scene) -> None:
    """Of these one runs at a time, however long, while the processor is busy."""
    scene.took(LONG, LONG_S, LONG_S)
    long = [scene.put(LONG)[0] for _ in range(3)]
    small, waits = scene.put()
    assert not waits
    assert begun_of(scene, 2) == {long[0], small}
    for _ in range(8):
        scene.clock.go_on()
        assert scene.pool.relieve()
    assert scene.begun.empty()
    small.end()
    long[0].end()
    assert begun_of(scene, 1) == {long[1]}


def test_of_calls_of_which_nothing_is_known_few_begin(scene: Scene) -> None:
    """They may all be long; small ones begin beside them."""
    conns = [scene.put(OTHER)[0] for _ in range(9)]
    assert begun_of(scene, 2) == set(conns[:2])
    scene.clock.go_on()
    assert scene.pool.relieve()
    assert scene.begun.empty()
    small, waits = scene.put()
    assert not waits
    assert begun_of(scene, 1) == {small}


def test_where_the_processor_is_idle_all_of_them_wait_for_something(scene: Scene) -> None:
    """For a disk, say: more begin beside them, as beside small ones."""
    scene.took(LONG, LONG_S, LONG_S)
    conns = [scene.put(LONG)[0] for _ in range(4)]
    assert begun_of(scene, 1) == {conns[0]}
    scene.clock.go_on(load=0.1)
    assert scene.pool.relieve()
    assert begun_of(scene, 2) == set(conns[1:3])


def test_one_that_waits_for_an_account_leaves_its_place_to_the_next(scene: Scene) -> None:
    scene.took(LONG, LONG_S, LONG_S)
    first, second = (scene.put(LONG)[0] for _ in range(2))
    assert begun_of(scene, 1) == {first}
    scene.pool.pause(first)  # type: ignore[arg-type]
    scene.clock.go_on()
    assert not scene.pool.relieve()
    assert begun_of(scene, 1) == {second}
    third, _ = scene.put(LONG)
    scene.pool.go_on(first)  # type: ignore[arg-type]
    second.end()
    until(lambda: scene.pool._idle > 0)
    assert scene.begun.empty()
    first.end()
    assert begun_of(scene, 1) == {third}


def of(account: int, path: str = "") -> bytes:
    return f"GET /v1/Account/MA{account:018}/{path} HTTP/1.1".encode()


def test_what_is_small_elsewhere_is_likely_small(scene: Scene) -> None:
    """In an account of which nothing is known. Of those few may be stuck: they may be long there,
    and then count as those of which nothing is known."""
    scene.took(of(0), 0.001)
    conns = [scene.put(of(n))[0] for n in range(1, 9)]
    assert begun_of(scene, 1) == set(conns[:1])
    for began, waiting in ((1 + 2, 4), (0, 4)):
        scene.clock.go_on()
        assert scene.pool.relieve()
        begun_of(scene, began)
        assert sum(len(line.waiting) for line in scene.pool._lines) == waiting
    known, _ = scene.put(of(0))
    scene.clock.go_on()
    assert scene.pool.relieve()
    assert begun_of(scene, 1) == {known}


def test_what_turns_out_to_be_long_waits_for_others(scene: Scene) -> None:
    """Calls that wait already are looked at again when it is their turn."""
    scene.clock.each_s = LONG_S
    conns = [scene.put(OTHER)[0] for _ in range(5)]
    unknown, _ = scene.put(b"GET /third HTTP/1.1")
    assert begun_of(scene, 2) == set(conns[:2])
    conns[0].end()
    assert begun_of(scene, 1) == {conns[2]}
    conns[1].end()
    assert begun_of(scene, 2) == {unknown, conns[3]}


def test_of_long_ones_the_shorter_wait_for_less(scene: Scene) -> None:
    """Whatever came before them, unless that is long ago."""
    scene.took(LONG, 1.0, 1.0)
    scene.took(OTHER, LONG_S, LONG_S)
    first, long = (scene.put(LONG)[0] for _ in range(2))
    assert begun_of(scene, 1) == {first}
    scene.clock.go_on(50.0)
    other, _ = scene.put(OTHER)
    scene.clock.go_on(60.0)
    late, _ = scene.put(OTHER)
    for ended, begun in ((first, other), (other, long), (long, late)):
        ended.end()
        assert begun_of(scene, 1) == {begun}


@pytest.mark.parametrize(
    ("request_line", "for_s", "is_seen", "is_served"),
    [
        (SMALL, PATIENCE_S / 2, False, True),
        (SMALL, PATIENCE_S / 2, True, False),
        (SMALL, PATIENCE_S * 2, False, False),
        (b"HEAD /small HTTP/1.1", PATIENCE_S * 2, False, False),
        (b"POST /small HTTP/1.1", PATIENCE_S * 2, True, True),
        (b"DELETE /small HTTP/1.1", PATIENCE_S * 2, False, True),
        (b"GET /_sim/inbox/name HTTP/1.1", PATIENCE_S * 2, False, True),
    ],
)
def test_the_read_of_who_has_hung_up_while_it_waited_is_not_served(
    scene: Scene, request_line: bytes, for_s: float, is_seen: bool, is_served: bool
) -> None:
    """Once it has waited for long, as each call would have to be asked for nothing else, or it was
    seen before; what is told to the logs says so. What is written is: nobody can take it back."""
    scene.took(request_line, 0.001)
    first, second, third = scene.put()[0], scene.put(request_line)[0], scene.put()[0]
    assert scene.begins() is first
    second.has_hung_up, second.is_left = True, is_seen
    scene.clock.go_on(for_s)
    for each in (first, second, third):
        each.end()
    assert begun_of(scene, 1 + is_served) == ({second, third} if is_served else {third})
    assert bool(second.arrival.unserved) is not is_served
