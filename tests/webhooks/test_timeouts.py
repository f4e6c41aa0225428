"""One thread ends every call whose time is up."""

from __future__ import annotations

import multiprocessing
import queue
from collections.abc import Callable
from typing import Any

import pytest

from plivo_sim.webhooks import timeouts
from plivo_sim.webhooks.timeouts import TIMEOUTS, Timeouts
from tests.fakes import until

NEVER_S = 3600.0


@pytest.fixture
def acted() -> queue.SimpleQueue[str]:
    return queue.SimpleQueue()


def putting(acted: queue.SimpleQueue[str], name: str) -> Callable[[], None]:
    return lambda: acted.put(name)


@pytest.fixture
def now_s(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the clock says, which stands still."""
    now_s = [1024.0]
    monkeypatch.setattr(timeouts, "monotonic_s", lambda: now_s[0])
    return now_s


def test_what_is_due_first_happens_first(acted: queue.SimpleQueue[str], now_s: list[float]) -> None:
    """Whenever it began, and though another is waited for."""
    kept = Timeouts()
    never = kept.begin(NEVER_S, putting(acted, "never"))
    kept.begin(0.02, putting(acted, "second"))
    kept.begin(0.01, putting(acted, "first"))
    now_s[0] += 0.05
    assert [acted.get(timeout=60) for _ in range(2)] == ["first", "second"]
    kept.end(never)


def test_nothing_happens_after_the_end(acted: queue.SimpleQueue[str], now_s: list[float]) -> None:
    """Nor is anything of it kept, however many there were."""
    kept = Timeouts()
    for _ in range(1000):
        kept.end(kept.begin(0.05, putting(acted, "late")))
    assert len(kept._line) < 200
    now_s[0] += 0.1
    kept.begin(0.0, putting(acted, "last"))
    assert acted.get(timeout=60) == "last"
    assert acted.empty()


def test_the_thread_ends_and_begins_again(
    acted: queue.SimpleQueue[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """When nothing has been waited for, for a while."""
    monkeypatch.setattr(timeouts, "LINGER_S", 0.0)
    kept = Timeouts()
    for name in ("one", "two"):
        kept.begin(0.0, putting(acted, name))
        assert acted.get(timeout=60) == name
        until(lambda: kept._thread is None)


def _in_child(told: Any) -> None:
    acted: queue.SimpleQueue[str] = queue.SimpleQueue()
    TIMEOUTS.begin(0.0, putting(acted, "child"))
    told.put(acted.get(timeout=60))


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_has_a_thread_of_its_own() -> None:
    """That of its parent is not in it."""
    waiting = TIMEOUTS.begin(NEVER_S, lambda: None)
    context = multiprocessing.get_context("fork")
    told = context.Queue()
    child = context.Process(target=_in_child, args=(told,))
    child.start()
    assert told.get(timeout=60) == "child"
    child.join(60)
    TIMEOUTS.end(waiting)


def test_a_thread_that_cannot_be_had_is_asked_for_again(
    acted: queue.SimpleQueue[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the next call; the one that found no room is told."""
    kept = Timeouts()

    def no_room(_: Any) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as full:
        full.setattr("threading.Thread.start", no_room)
        with pytest.raises(RuntimeError):
            kept.begin(0.0, putting(acted, "lost"))
    kept.begin(0.0, putting(acted, "next"))
    assert acted.get(timeout=60) == "next"
    assert acted.empty()


def test_what_fails_keeps_nobody_elses_time_from_being_up(acted: queue.SimpleQueue[str]) -> None:
    """Out of memory, say, once."""

    def fail() -> None:
        raise MemoryError

    kept = Timeouts()
    kept.begin(0.0, fail)
    kept.begin(0.0, putting(acted, "next"))
    assert acted.get(timeout=60) == "next"
