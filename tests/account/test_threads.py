"""A start ends, whatever becomes of the thread."""

from __future__ import annotations

import queue
import threading
from typing import Any

import pytest

from plivo_sim.account import threads
from plivo_sim.account.threads import Thread, Workers


def no_room(_: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def test_a_thread_that_never_begins_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """It died in its first steps, for lack of memory."""
    monkeypatch.setattr(threads, "BEGINS_WITHIN_S", 0.0)
    monkeypatch.setattr(Thread, "_bootstrap", lambda self: None)
    with pytest.raises(RuntimeError, match="has not begun"):
        Thread(pytest.fail, name="never").start()


def test_a_thread_that_begins_too_late_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever started it was told that there is none, and may have begun another."""
    monkeypatch.setattr(threads, "BEGINS_WITHIN_S", 0.0)
    may_begin, done = threading.Event(), threading.Event()
    bootstrap: Any = vars(threading.Thread)["_bootstrap"]

    def later(self: Thread) -> None:
        assert may_begin.wait(60)
        bootstrap(self)
        done.set()

    monkeypatch.setattr(Thread, "_bootstrap", later)
    did: list[str] = []
    with pytest.raises(RuntimeError, match="has not begun"):
        Thread(did.append, "work", name="late").start()
    may_begin.set()
    assert done.wait(60)
    assert did == []


def test_workers_take_nothing_without_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """And whatever one piece of work raises, the next is done."""
    done: queue.SimpleQueue[str] = queue.SimpleQueue()
    workers = Workers(1, "worker")
    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", no_room)
        with pytest.raises(RuntimeError):
            workers.submit(done.put, "lost")
    begin = threading.Event()
    workers.submit(begin.wait, 60)
    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", no_room)
        workers.submit(lambda: 1 // 0)
        workers.submit(done.put, "next")
    begin.set()
    assert done.get(timeout=60) == "next"
    assert done.empty()
