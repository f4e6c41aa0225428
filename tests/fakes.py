"""Fakes that several tests share: a wall clock that they move, a disk that fills up, receivers that
wait or call in."""

from __future__ import annotations

import errno
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from plivo_sim.account.account import Account
from plivo_sim.account.interfaces import Answer, Outgoing
from plivo_sim.account.store.disk import open_file
from plivo_sim.domain.errors import StorageFailed

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
T = TypeVar("T")


class Wall:
    """Call it for the real time; ``pass_s`` lets it pass (or go back)."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


FULL = "No space left on device"


class Disk:
    """What every file of a state lies on. ``room``: how many bytes it still takes."""

    def __init__(self) -> None:
        self.room = 1 << 30

    def open_file(self, *args: Any) -> Any:
        return OnDisk(self, open_file(*args))


class OnDisk:
    """A file on it."""

    def __init__(self, disk: Disk, file: Any) -> None:
        self._disk, self._file = disk, file

    def write(self, content: Any) -> int:
        fits = bytes(content[: self._disk.room])
        self._file.write(fits)
        self._disk.room -= len(fits)
        if len(fits) < len(content):
            raise OSError(errno.ENOSPC, FULL)
        return len(content)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> OnDisk:
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._file)


def refuse_writes(
    monkeypatch: pytest.MonkeyPatch,
    account: Account,
    when: Callable[[Any], bool] = lambda _: True,
    times: int | None = None,
) -> None:
    """The next transactions of which this is true cannot be written; so many ``times``, or for
    good. Also of an account in memory."""
    append, refused = account.store.journal.append, []  # type: ignore[attr-defined]  # our store's

    def attempt(ops: Any) -> None:
        if when(ops) and (times is None or len(refused) < times):
            refused.append(ops)
            raise StorageFailed(FULL)
        append(ops)

    monkeypatch.setattr(account.store.journal, "append", attempt)  # type: ignore[attr-defined]


class Gate:
    """A transport whose receivers answer 200 once the gate is opened."""

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []
        self._came = threading.Condition()
        self._opened = threading.Event()

    def send(self, request: Outgoing) -> Answer:
        with self._came:
            self.sent.append(request)
            self._came.notify_all()
        assert self._opened.wait(60), "nobody opened the gate"
        return Answer(status=200)

    def wait_for(self, count: int) -> None:
        """Until this many requests have come."""
        with self._came:
            assert self._came.wait_for(lambda: len(self.sent) >= count, 60)

    def open(self) -> None:
        self._opened.set()

    def statuses(self, id: str) -> list[str]:
        """What this application's receivers were told, in the order in which they were called."""
        told = [json.loads(request.body) for request in self.sent]
        return [each["status"] for each in told if each["compliance_id"] == id]


class Calling:
    """A transport whose receiver does something while it is called, and answers 200, after the
    ``statuses`` that it is given."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.sent: list[Outgoing] = []
        self.on_call: Callable[[Outgoing], Any] = lambda _: None

    def send(self, request: Outgoing) -> Answer:
        self.sent.append(request)
        self.on_call(request)
        return Answer(status=self.statuses.pop(0) if self.statuses else 200)


def until(holds: Callable[[], bool]) -> None:
    """What another thread or process brings about, and tells nobody of, is so."""
    deadline_s = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline_s, "it did not come about"
        time.sleep(0.001)


@contextmanager
def full_pipe() -> Iterator[tuple[int, int]]:
    """Reader and writer of a pipe that is full of zeros: of what is written now, nothing comes
    through until those are read."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, bytes(65536))
    os.set_blocking(writer, True)
    try:
        yield reader, writer
    finally:
        os.close(reader)
        os.close(writer)


@contextmanager
def meanwhile(work: Callable[[], T]) -> Iterator[Future[T]]:
    """Work in another thread; its end is waited for, and its error raised, at the latest at the
    end of the block."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work)
        yield future
        future.result(60)


def all_at_once(*works: Callable[[], T]) -> list[T]:
    """Each in a thread of its own, begun together; their results in their order."""
    ready = threading.Barrier(len(works))

    def begin(work: Callable[[], T]) -> T:
        ready.wait(60)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(begin, works))
