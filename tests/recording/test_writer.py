"""Exchanges are kept after they were answered, and what is not kept is counted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from plivo_sim.client import Http
from plivo_sim.recording import writer
from plivo_sim.recording.masks import Masks
from plivo_sim.recording.passing import Recorder
from plivo_sim.recording.tapes import Tape, read_tape
from plivo_sim.recording.writer import Writer
from plivo_sim.web.server import make_server

pytestmark = pytest.mark.live


class Slow(Masks):
    """Masks nothing before it is told to, or a while has passed."""

    def __init__(self) -> None:
        super().__init__()
        self.begins = Event()
        self.was_told: list[bool] = []

    def target(self, target: str) -> str:
        self.was_told.append(self.begins.wait(60))
        return super().target(target)


@pytest.fixture
def upstream() -> Iterator[str]:
    def answer(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps({"code": int(environ["QUERY_STRING"])}).encode()]

    server = make_server(answer)
    server.start()
    yield server.url
    server.stop()


def test_an_answer_does_not_wait_for_its_masks(upstream: str, tmp_path: Path) -> None:
    """The tape has all of them in their order."""
    file, masks = tmp_path / "tape.jsonl", Slow()
    tape = Tape(file, "x")
    recorder = Recorder(Http(upstream), tape, masks)
    server = make_server(recorder)
    server.start()
    answers = [Http(server.url).send("GET", f"/v1/x?{n}", {}).json() for n in range(5)]
    masks.begins.set()
    server.stop()
    recorder.close()
    tape.close()
    assert answers == [{"code": n} for n in range(5)]
    assert masks.was_told == [True] * 5
    assert [each.answer.body["json"] for each in read_tape(file)[1]] == answers
    assert recorder.lost == 0


def test_what_is_of_no_imitated_api_is_counted_as_lost(upstream: str, tmp_path: Path) -> None:
    """For the last line of the command."""
    tape = Tape(tmp_path / "tape.jsonl", "x")
    recorder = Recorder(Http(upstream), tape, Masks())
    server = make_server(recorder)
    server.start()
    assert Http(server.url).send("GET", "/other?1", {}).status == 200
    server.stop()
    recorder.close()
    tape.close()
    assert (tape.count, recorder.lost) == (0, 1)


@pytest.mark.parametrize(("name", "most"), [("MOST_WAITING", 3), ("MOST_WAITING_BYTES", 30)])
def test_of_what_waits_there_is_a_bound(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str, most: int
) -> None:
    """What comes beyond it is lost, and told of."""
    monkeypatch.setattr(writer, name, most)
    begins, kept = Event(), list[int]()

    def keep(each: int) -> None:
        begins.wait(60)
        kept.append(each)

    made = Writer(keep)
    for n in range(5):
        made.put(n, 10)
    begins.set()
    made.close()
    assert kept == [0, 1, 2]
    assert made.lost == 2
    assert "too much waits already" in caplog.text


def test_whoever_closes_waits_no_longer_than_asked() -> None:
    """What waits still is lost."""
    ends = Event()
    made: Writer[int] = Writer(lambda _: ends.wait(60) and None)
    made.put(1, 1)
    made.put(2, 1)
    made.close(grace_s=0)
    assert made.lost == 2
    ends.set()


def test_why_something_was_not_kept_repeats_nothing_of_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An error of Python quotes what it was about."""
    made: Writer[str] = Writer(lambda each: {}[each])  # type: ignore[arg-type]
    made.put("Mukherjee", 1)
    made.close()
    assert made.lost == 1
    assert "KeyError" in caplog.text
    assert "Mukherjee" not in caplog.text
