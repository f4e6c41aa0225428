"""One line a request, a decision and a callback: what, where, in which dialect, how, why."""

from __future__ import annotations

import io
import json
import logging
import os
import select
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from plivo_sim.domain import limits
from plivo_sim.simulator.logs import (
    MOST_KINDS,
    JsonLines,
    SparingHandler,
    TextLines,
    Unwaited,
)
from plivo_sim.webhooks.transport import MemoryTransport
from tests.fakes import full_pipe, until
from tests.support import AUTH_ID, Http


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level("INFO", logger="plivo_sim")
    return caplog


def test_a_request_a_review_and_a_callback_have_a_line_each(
    http: Http, transport: MemoryTransport, lines: pytest.LogCaptureFixture
) -> None:
    """Method, path, dialect, status, why."""
    id = http.sdk_created(callback_url="http://127.0.0.1:9/cb")
    http.advance("3 business days")
    told = [record.getMessage() for record in lines.records]
    path = f"/v1/Account/{AUTH_ID}/PhoneNumber/Compliance/"
    assert any(
        line.startswith(f"POST {path} current 201 ") and f"created {id}; accepted after" in line
        for line in told
    )
    assert f"review {id} current accepted default: accepted after 3 business days" in told
    assert any(
        line.startswith("callback POST http://127.0.0.1:9/cb current 200 ")
        and line.endswith("delivered, attempt 1: submitted -> accepted")
        for line in told
    )


def test_what_nobody_decides_stays_in_review(http: Http, lines: pytest.LogCaptureFixture) -> None:
    """Who submits it is told so."""
    http.headers["X-Plivo-Sim-Outcome"] = "nothing"
    id = http.sdk_created()
    assert lines.records[-1].getMessage().endswith(f"created {id}; stays in review")


def test_any_formatter_can_print_a_request(http: Http, lines: pytest.LogCaptureFixture) -> None:
    """Its record has all that others have, whether or not our own formatters print it."""
    http.get("EndUser/")
    (record,) = lines.records
    assert vars(logging.makeLogRecord({})).keys() <= vars(record).keys()
    shown = logging.Formatter("%(levelname)s %(name)s %(module)s %(msecs)03d").format(record)
    assert shown.startswith("INFO plivo_sim logs ")


def test_probes_have_no_line(http: Http, lines: pytest.LogCaptureFixture) -> None:
    """They come every few seconds; other calls are told."""
    http.get("/_sim/health/live")
    http.get("/_sim/health/ready")
    http.get("/_sim/health")
    (line,) = [record.getMessage() for record in lines.records]
    assert line.startswith("GET /_sim/health control 200")


def test_a_refusal_says_why(http: Http, lines: pytest.LogCaptureFixture) -> None:
    """The sentence of the answer."""
    http.sdk_create(alias=None)
    assert "Field 'alias' is required." in lines.records[-1].getMessage()


def test_a_blocked_callback_names_the_setting(http: Http, lines: pytest.LogCaptureFixture) -> None:
    """That would let it out."""
    id = http.sdk_created(callback_url="https://hooks.example.com/cb")
    http.decide(id, "accepted")
    (line,) = [r.getMessage() for r in lines.records if "hooks.example.com" in r.getMessage()]
    assert "--allow-callback-hosts hooks.example.com" in line


def test_no_secret_is_logged(http: Http, lines: pytest.LogCaptureFixture) -> None:
    """Neither the token nor its encoding."""
    http.token = "very-secret-token"
    http.decide(http.sdk_created(callback_url="http://127.0.0.1:9/cb"), "accepted")
    assert "very-secret-token" not in lines.text


def formatted(formatter: logging.Formatter, text: str, **extra: object) -> str:
    record = logging.LogRecord("plivo_sim", logging.INFO, "", 0, text, None, None)
    record.__dict__.update(extra)
    return formatter.format(record)


def test_nobody_makes_up_lines_of_the_log() -> None:
    """Whatever a path holds."""
    line = formatted(TextLines(), "GET /x\r\n12:00:00 forged\x1b[31m\u2028")
    assert line.endswith("GET /x\\r\\n12:00:00 forged\\x1b[31m\\u2028")
    assert len(line.splitlines()) == 1


LONG = "x" * 60_000
FORMATTERS = (TextLines(), JsonLines())


@pytest.mark.parametrize("formatter", FORMATTERS, ids=["text", "json"])
def test_what_clients_send_is_cut(http: Http, lines: Any, formatter: logging.Formatter) -> None:
    """Paths, queries, methods, headers, and reasons that repeat them; what the line says behind
    them is still there."""
    http.call("GET", f"/v1/Account/{AUTH_ID}/{LONG}")
    http.call("X" * 9000, "/_sim/accounts")
    http.get(f"/_sim/{LONG}")
    http.get("EndUser/", query_string={LONG: LONG}, headers={"Origin": f"http://{LONG}"})
    http.sdk_create(alias=LONG, callback_url=f"http://127.0.0.1:9/{LONG}")
    id = http.sdk_created(callback_url=f"http://127.0.0.1:9/{'x' * 2000}")
    http.decide(id, "accepted", LONG[:2000])
    told = [formatter.format(record) for record in lines.records]
    assert len(told) > 7
    assert max(map(len, told)) < limits.LOG_LINE.most
    refused = next(line for line in told if "/xxx" in line)
    assert "more characters)" in refused
    assert "404" in refused


@pytest.mark.parametrize("formatter", FORMATTERS, ids=["text", "json"])
def test_every_kind_of_line_has_an_end(formatter: logging.Formatter) -> None:
    """What is no text among the arguments, and exceptions with their messages."""
    kinds: list[tuple[str, Any]] = [
        (LONG, None),
        ("%s", (ValueError(LONG),)),
        ("\0" * 60_000, None),
    ]
    for msg, args in kinds:
        record = logging.LogRecord("plivo_sim", logging.ERROR, "", 0, msg, args, None)
        assert len(formatter.format(record)) < 7 * limits.LOG_LINE.most
    try:
        raise ValueError("y\n" * 9000 + LONG)
    except ValueError:
        told = formatted(formatter, "oh", exc_info=sys.exc_info())
    assert len(told) < 2 * limits.LOG_LINE.most


def test_a_traceback_makes_up_no_lines() -> None:
    """A line of the log begins with the time; those of a traceback are indented."""
    try:
        raise ValueError("forged\n12:00:00 GET / - 200\x1b[31m")
    except ValueError:
        first, *rest = formatted(TextLines(), "oh", exc_info=sys.exc_info()).split("\n")
    assert first.endswith(" oh")
    assert all(line.startswith("  ") for line in rest)
    assert rest[-1] == "  12:00:00 GET / - 200\\x1b[31m"


class Flood:
    """A logger with the handler of ``serve``, a clock that the test moves, and what was written."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.written, self.now_s = io.StringIO(), 0.0
        monkeypatch.setattr(sys, "stderr", self.written)
        self.handler = SparingHandler(lambda: self.now_s)
        self.logger = logging.Logger("flood")
        self.logger.addHandler(self.handler)

    def lines(self) -> list[str]:
        return self.written.getvalue().splitlines()


@pytest.fixture
def flood(monkeypatch: pytest.MonkeyPatch) -> Flood:
    return Flood(monkeypatch)


def test_the_same_error_is_told_once_a_minute_with_its_count(flood: Flood) -> None:
    """Whatever its arguments; other lines pass, and a minute later it is news again."""
    for n in range(1000):
        flood.logger.warning("no room: %s", n)
    flood.logger.info("a request")
    flood.logger.info("a request")
    assert flood.lines() == ["no room: 0", "a request", "a request"]
    flood.now_s = 60.0
    flood.logger.info("a request")
    flood.logger.warning("no room: %s", "again")
    assert flood.lines()[3:] == [
        "no room: 0 (999 more like it since)",
        "a request",
        "no room: again",
    ]


def test_a_count_is_told_behind_a_long_text(flood: Flood) -> None:
    """It is not what is cut."""
    flood.handler.setFormatter(TextLines())
    flood.logger.warning(LONG)
    flood.logger.warning(LONG)
    flood.handler.close()
    assert flood.lines()[1].endswith("more characters) (1 more like it since)")


def test_errors_of_two_places_are_two(flood: Flood) -> None:
    """Each with its own traceback, once."""

    def one() -> float:
        return 1 / 0

    def other() -> float:
        return 2 / 0

    for divide in (one, other):
        for _ in range(9):
            try:
                divide()
            except ZeroDivisionError:
                flood.logger.exception("unforeseen")
    assert flood.written.getvalue().count("Traceback") == 2


def test_what_was_counted_is_told_at_the_end(flood: Flood) -> None:
    flood.logger.error("broken")
    flood.logger.error("broken")
    flood.handler.close()
    assert flood.lines() == ["broken", "broken (1 more like it since)"]


def test_errors_of_ever_new_words_are_bounded(flood: Flood) -> None:
    """A thousand kinds are a hundred, and one more for the rest."""
    for n in range(1000):
        flood.logger.error(f"error {n}")
    assert len(flood.lines()) == MOST_KINDS + 1


def test_json_has_the_answers_id(http: Http, lines: pytest.LogCaptureFixture) -> None:
    """One object a line, the facts by name."""
    answer = http.get("EndUser/")
    told = json.loads(JsonLines().format(lines.records[-1]))
    assert told["request_id"] == answer.get_json()["api_id"] == answer.headers["X-Request-Id"]
    assert (told["event"], told["method"], told["status"]) == ("request", "GET", 200)
    assert (told["account"], told["level"]) == (AUTH_ID, "info")


def test_json_is_one_line_with_its_exception() -> None:
    """A lone surrogate is no reason to fail."""
    try:
        raise ValueError("no\nway \ud800")
    except ValueError:
        line = formatted(JsonLines(), "oh\n", exc_info=sys.exc_info())
    assert "\n" not in line
    first, *_, last = json.loads(line)["exception"].split("\n")
    assert (first, last) == ("Traceback (most recent call last):", "way \ud800")


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    with full_pipe() as ends:
        yield ends


def read_until(reader: int, end: str) -> list[str]:
    """The lines behind what the pipe was full of."""
    seen = b""
    while not seen.endswith(end.encode()):
        assert select.select([reader], [], [], 60)[0], seen[-1000:]
        seen += os.read(reader, 1 << 20)
    return seen.lstrip(b"\0").decode().splitlines()


def test_a_log_that_nobody_reads_stops_nobody(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So much waits; how many lines are left out is told in their place."""
    monkeypatch.setattr(limits, "LOG_WAITING", replace(limits.LOG_WAITING, most=10_000))
    reader, writer = pipe
    stream = Unwaited(writer)
    stream.write("line 0\n")
    until(lambda: not stream._waiting)  # its thread waits for the pipe
    for n in range(1, 3000):
        stream.write(f"line {n}\n")
    *whole, told = read_until(reader, "nobody read it\n")
    count, _, rest = told.partition(" ")
    assert whole == [f"line {n}" for n in range(3000 - int(count))]
    assert rest == "lines of this log are left out: nobody read it"
    assert whole
    stream.write("after\n")
    assert read_until(reader, "after\n") == ["after"]


def test_no_line_waits_for_who_reads_the_log(pipe: tuple[int, int]) -> None:
    """Neither that of a request nor a warning; none is lost, or out of order."""
    reader, writer = pipe
    own = logging.Logger("of this test")
    own.addHandler(SparingHandler(stream=Unwaited(writer)))
    threads = [
        threading.Thread(target=own.log, args=(level, text), daemon=True)
        for level, text in ((logging.INFO, "first"), (logging.WARNING, "second"))
    ]
    for each in threads:
        each.start()
        each.join(60)
        assert not each.is_alive()
    own.info("third")
    assert read_until(reader, "third\n") == ["first", "second", "third"]


def test_the_end_waits_for_the_last_lines(pipe: tuple[int, int]) -> None:
    """If somebody reads them."""
    reader, writer = pipe
    handler = SparingHandler(stream=Unwaited(writer))
    for _ in range(2):
        handler.handle(logging.LogRecord("x", logging.ERROR, "", 0, "broken", None, None))
    reads = threading.Thread(target=os.read, args=(reader, 1 << 20))
    reads.start()
    handler.close()
    reads.join()
    assert read_until(reader, "since)\n") == ["broken", "broken (1 more like it since)"]


def test_an_end_without_a_reader_comes(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Unwaited, "PATIENCE_S", 0.0)
    stream = Unwaited(pipe[1])
    stream.write("x\n")
    stream.finish()
    assert read_until(pipe[0], "x\n") == ["x"]


def test_who_does_not_want_to_wait_for_a_full_pipe_loses_nothing(pipe: tuple[int, int]) -> None:
    """Some programs start others with pipes of that kind."""
    reader, writer = pipe
    os.set_blocking(writer, False)
    stream = Unwaited(writer)
    stream.write("x" * 200_000 + "\n")
    assert read_until(reader, "x\n") == ["x" * 200_000]


def test_what_is_no_text_is_written_escaped(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    Unwaited(writer).write("\udcff ü\n")
    assert read_until(reader, "ü\n") == ["\\udcff ü"]
