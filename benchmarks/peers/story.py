"""One story from its beginning to its end, as somebody waits for it: the process starts, what is
required is asked for, an application with two files is created, three days pass, the callback
arrives, and the application is read. Each candidate tells as much of it as it can.
"""

from __future__ import annotations

import contextlib
import http.server
import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from benchmarks.peers.calls import Client, Failed, Lacks, client
from benchmarks.peers.own import STEPS, Candidate, Place
from benchmarks.peers.phases import Bench
from benchmarks.peers.processes import Process, free_port, scratch

WARM = 100
WARM_UP_S = 15.0
"""Somebody whose stories take long is asked for fewer than the hundred."""
CALLBACK_TIMEOUT_S = 10.0


class Inbox:
    """Receives callbacks on a port of its own; each counts once."""

    def __init__(self) -> None:
        self._came: queue.SimpleQueue[None] = queue.SimpleQueue()
        inbox = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()
                inbox._came.put(None)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/callback"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def wait(self) -> None:
        """Until one has come that nobody has waited for. Raises Failed."""
        try:
            self._came.get(timeout=CALLBACK_TIMEOUT_S)
        except queue.Empty:
            raise Failed(f"sent no callback within {CALLBACK_TIMEOUT_S:.0f} s") from None

    def forget(self) -> None:
        """Whatever has come."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._came.get_nowait()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def inbox() -> Iterator[Inbox]:
    made = Inbox()
    try:
        yield made
    finally:
        made.close()


@dataclass
class Told:
    """Milliseconds of each step that was told, in their order."""

    steps_ms: dict[str, float] = field(default_factory=dict)

    @property
    def total_ms(self) -> float:
        return sum(self.steps_ms.values())


def tell(candidate: Candidate, asking: Client, receiver: Inbox) -> Told:
    """Once, in a process that runs. Raises Failed, Lacks."""
    told, answer = Told(), None
    receiver.forget()
    story = candidate.story(asking, receiver.url)
    began = time.perf_counter()
    with contextlib.suppress(StopIteration):
        while True:
            step, request = story.send(answer)  # type: ignore[arg-type]  # None starts it
            if request is None:
                receiver.wait()
                answer = None
            else:
                answer = asking.ask(request)
            now = time.perf_counter()
            told.steps_ms[step] = told.steps_ms.get(step, 0.0) + (now - began) * 1000
            began = now
    return told


def measure_story(bench: Bench) -> None:
    """From cold, step by step; then the hundredth in one process, each after a reset."""
    book = bench.book
    book.row("story steps", f"the story: steps of {len(STEPS)} that it can tell", "", "more")
    book.row("story cold", "the story, from process start", "ms")
    for step in STEPS:
        book.row(f"story {step}", f"the story, from process start: {step}", "ms")
    book.row("story warm", f"the story, the {WARM}th, after a reset", "ms")
    for turn in range(bench.plan.rounds + 1):
        for candidate, installed in bench.candidates:
            if candidate.name in book.absent:
                continue
            with scratch() as folder, inbox() as receiver:
                _once(bench, candidate, Place(free_port(), folder, installed), receiver, turn)


def _once(bench: Bench, candidate: Candidate, place: Place, receiver: Inbox, turn: int) -> None:
    """A process of its own; the first round is not noted, and the last one goes on."""
    who = candidate.name
    try:
        bench.plan.check_time()
        process = Process(candidate.command(place), place.folder, candidate.env())
    except Lacks as error:
        bench.book.absent[who] = str(error)
        return
    try:
        started_ms = process.wait_until_listening(place.port)
        if not turn:
            return
        with client(place.port) as asking:
            told = tell(candidate, asking, receiver)
            _note(bench, who, started_ms, told)
            if turn == bench.plan.rounds:
                _warm(bench, candidate, asking, receiver)
    except (Lacks, Failed) as error:
        bench.book.rows["story cold"].missing[who] = str(error)
    finally:
        process.stop()


def _note(bench: Bench, who: str, started_ms: float, told: Told) -> None:
    rows = bench.book.rows
    steps = {STEPS[0]: started_ms, **told.steps_ms}
    bench.note(rows["story steps"], who, lambda: len(steps))
    bench.note(rows["story cold"], who, lambda: sum(steps.values()))
    for step in STEPS:
        if step in steps:
            bench.note(rows[f"story {step}"], who, lambda: steps[step])  # noqa: B023
        else:
            rows[f"story {step}"].missing[who] = "its story has no such step"


def _warm(bench: Bench, candidate: Candidate, asking: Client, receiver: Inbox) -> None:
    row = bench.book.rows["story warm"]
    ends_s = time.monotonic() + WARM_UP_S
    for _ in range(WARM - bench.plan.rounds):
        if time.monotonic() < ends_s:
            _again(candidate, asking, receiver)
    for _ in range(bench.plan.rounds):
        bench.note(row, candidate.name, lambda: _again(candidate, asking, receiver).total_ms)


def _again(candidate: Candidate, asking: Client, receiver: Inbox) -> Told:
    """Once more, after a reset where there is one."""
    with contextlib.suppress(Lacks):
        asking.ask(candidate.reset())
    return tell(candidate, asking, receiver)
