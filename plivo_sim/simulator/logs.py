"""The log: a line for every request, every callback attempt and every decision.

As text for people, or as one JSON object a line (``--log-format json``) with the same facts by
name: of a request ``request_id``, which is the answer's ``api_id``, ``method``, ``path``,
``dialect``, ``account``, ``status``, ``took_ms`` and ``why``.

Clients choose paths, names and URLs: each such text, and each line, is cut where it is too long
(``limits.LOG_TEXT``, ``LOG_LINE``), and makes up no lines of its own.
"""

from __future__ import annotations

import json
import logging
import os
import select
import sys
import threading
import time
import traceback
from collections.abc import Callable, Hashable
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from typing import Any

from plivo_sim.account.account import Account
from plivo_sim.account.clock import monotonic_s
from plivo_sim.account.threads import NONE_TO_BE_HAD, Thread
from plivo_sim.domain import limits
from plivo_sim.domain.records import Attempt, Delivery, StatusChanged
from plivo_sim.domain.secrets import without_secrets
from plivo_sim.simulator.instants import Happening

TOLD_AGAIN_AFTER_S = 60.0
MOST_KINDS = 100

logger = logging.getLogger("plivo_sim")

Line = tuple[str, str, str, int, float, str]
"""What is told of a request: method, path, dialect, status, took_ms, why."""


def _cut(text: str, most: limits.Limit) -> str:
    if len(text) <= most.most:
        return text
    return f"{text[: most.most]}... ({len(text) - most.most} more characters)"


def _message(record: logging.LogRecord) -> str:
    """The words of a record, in which each text is cut."""
    args = record.args
    if not isinstance(args, tuple) or not args:
        return record.getMessage()
    texts = [_cut(each, limits.LOG_TEXT) if isinstance(each, str) else each for each in args]
    return str(record.msg) % tuple(texts)


def _line(text: str) -> str:
    """On one line, without control characters."""
    if not text.isprintable():
        text = _cut(text, limits.LOG_LINE)  # before it grows
        text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    return _cut(text, limits.LOG_LINE)


class RequestLine(logging.LogRecord):
    """The line of a request, with its ``fields`` for logs that machines read. What is the same in
    each, or nobody prints (caller, thread, process), is worked out once: half the cost of it."""

    _SAME = vars(logging.makeLogRecord({})) | {
        "name": logger.name, "msg": "%s %s %s %d %.1fms %s", "pathname": __file__,
        "filename": "logs.py", "module": "logs", "funcName": "log_request",
        "thread": None, "threadName": None, "process": None, "processName": None,
    }  # fmt: skip

    def __init__(self, level: int, line: Line, fields: dict[str, Any]) -> None:
        now_s = time.time()
        self.__dict__ = {
            **self._SAME, "levelno": level, "levelname": logging.getLevelName(level), "args": line,
            "created": now_s, "msecs": now_s % 1 * 1000, "fields": fields,
        }  # fmt: skip


def log_request(level: int, api_id: str, auth_id: str, line: Line) -> None:
    """Write the line of a request."""
    if not logger.isEnabledFor(level):
        return
    method, path, dialect, status, took_ms, why = line
    fields = {
        "event": "request",
        "request_id": api_id,
        "method": method,
        "path": path,
        "dialect": dialect or None,
        "account": auth_id or None,
        "status": status,
        "took_ms": round(took_ms, 1),
        "why": why,
    }
    told = method, path, dialect or "-", status, took_ms, why
    logger.handle(RequestLine(level, told, fields))


class TextLines(logging.Formatter):
    """A line a record; those of a traceback are indented."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(message)s")
        self._clock = 0, ""

    def format(self, record: logging.LogRecord) -> str:
        line = _line(f"{self.formatTime(record)} {_message(record)}")
        if not record.exc_info:
            return line
        shown = self.formatException(record.exc_info).split("\n")[-limits.LOG_TRACEBACK.most :]
        return "\n  ".join([line, *map(_line, shown)])

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        """The time of day, put into words once a second."""
        (known, told), second = self._clock, int(record.created)
        if second != known:
            told = time.strftime("%H:%M:%S", time.localtime(second))
            self._clock = second, told
        return told


class JsonLines(logging.Formatter):
    """A JSON object a record; ``fields`` of the record become its own."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        message = _cut(_message(record), limits.LOG_LINE)
        told = {"at": at, "level": record.levelname.lower(), "message": message}
        for name, value in getattr(record, "fields", {}).items():
            told[name] = _cut(value, limits.LOG_TEXT) if isinstance(value, str) else value
        if record.exc_info:
            shown = self.formatException(record.exc_info).split("\n")
            lines = (_cut(each, limits.LOG_LINE) for each in shown[-limits.LOG_TRACEBACK.most :])
            told["exception"] = "\n".join(lines)
        return json.dumps(told, default=str)


class SparingHandler(logging.StreamHandler[Any]):
    """The same warning or error is written once a minute, and then how often it came meanwhile.

    The same: of one logger, in the same words before their arguments are put in, raised at one
    place. Of too many kinds at once, the further ones count as one.
    """

    def __init__(self, now_s: Callable[[], float] = monotonic_s, stream: Any = None) -> None:
        super().__init__(stream)
        self._now_s = now_s
        self._told: dict[Hashable, _Told] = {}
        self._next_s = inf  # when the first of them may be told again

    def emit(self, record: logging.LogRecord) -> None:
        if self._now_s() >= self._next_s:
            self._sum_up(self._now_s() - TOLD_AGAIN_AFTER_S)
        if record.levelno < logging.WARNING or self._is_news(record):
            super().emit(record)

    def close(self) -> None:
        """Nothing that was counted is lost."""
        with self.lock or nullcontext():
            self._sum_up(inf)
        finish(self.stream)
        super().close()

    def _is_news(self, record: logging.LogRecord) -> bool:
        kind: Hashable = (record.name, record.levelno, str(record.msg), _raised_at(record))
        if kind not in self._told and len(self._told) >= MOST_KINDS:
            kind = None
        told = self._told.get(kind)
        if told is None:
            self._told[kind] = _Told(record, self._now_s())
            self._next_s = min(self._next_s, self._now_s() + TOLD_AGAIN_AFTER_S)
            return True
        told.more += 1
        return False

    def _sum_up(self, before_s: float) -> None:
        """Tell how often what was told before then came since, and forget it."""
        for kind, told in list(self._told.items()):
            if told.at_s > before_s:
                continue
            del self._told[kind]
            if told.more:
                first, text = told.record, "%s (%d more like it since)"
                args = _message(first), told.more
                again = logging.LogRecord(first.name, first.levelno, "", 0, text, args, None)
                super().emit(again)
        first_s = min((told.at_s for told in self._told.values()), default=inf)
        self._next_s = first_s + TOLD_AGAIN_AFTER_S


@dataclass(slots=True)
class _Told:
    record: logging.LogRecord
    at_s: float
    more: int = 0


def _raised_at(record: logging.LogRecord) -> Hashable:
    """What kind of exception, and in which line."""
    if not isinstance(record.exc_info, tuple) or record.exc_info[2] is None:
        return None
    *_, (frame, line) = traceback.walk_tb(record.exc_info[2])
    return record.exc_info[0], frame.f_code.co_filename, line


class Unwaited:
    """A descriptor to write text to, which may be one that nobody reads: a full pipe, a terminal
    that is held. Nobody waits for it but a thread of its own, which begins with the first text.

    Texts are written in the order in which they came. What finds ``limits.LOG_WAITING`` characters
    waiting is left out, and how many lines that were is told in their place. Safe from any thread.
    """

    PATIENCE_S = 1.0
    """How long the end of the process waits for what is not written yet."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._changed = threading.Condition()
        self._waiting: list[str] = []
        self._size = self._left_out = 0
        self._is_writing = False
        self._writer: threading.Thread | None = None

    def write(self, text: str) -> None:
        with self._changed:
            if self._left_out or self._size + len(text) > limits.LOG_WAITING.most:
                self._left_out += text.count("\n")
            else:
                self._waiting.append(text)
                self._size += len(text)
            if self._writer is None or not self._writer.is_alive():
                self._begin()
            self._changed.notify_all()

    def flush(self) -> None:
        """Nothing: who has written does not wait."""

    def finish(self) -> None:
        """Wait until all is written, for a second at most."""
        with self._changed:
            self._changed.wait_for(lambda: not (self._waiting or self._is_writing), self.PATIENCE_S)

    def _begin(self) -> None:
        try:
            self._writer = Thread(self._run, name="log")
            self._writer.start()
        except NONE_TO_BE_HAD:  # the next line asks again
            self._writer = None

    def _run(self) -> None:
        while True:
            with self._changed:
                self._is_writing = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._waiting)
                text, self._is_writing = "".join(self._waiting), True
                if self._left_out:
                    text += f"{self._left_out} lines of this log are left out: nobody read it\n"
                self._waiting, self._size, self._left_out = [], 0, 0
            with suppress(OSError):  # it is closed, or its reader is gone
                _write_whole(self._descriptor, text.encode(errors="backslashreplace"))


def _write_whole(descriptor: int, data: bytes) -> None:
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:  # whoever made it does not want to wait for it
            select.select([], [descriptor], [])


def unwaited(stream: Any) -> Any:
    """A stream of the process as one that nobody waits for; one without a descriptor as it is."""
    try:
        return Unwaited(stream.fileno())
    except (OSError, ValueError, AttributeError):  # it is closed, or replaced, or none
        return stream


def finish(stream: Any) -> None:
    """Before the process ends: wait for what is not written yet, see ``Unwaited``."""
    if isinstance(stream, Unwaited):
        stream.finish()


def configure_logging(log_format: str, level: int = logging.INFO) -> None:
    """Log to standard error: ``text`` or ``json``. No call waits for who reads it.

    Records carry neither caller nor thread nor process, which nobody prints: half their cost.
    """
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # the documented way to skip the search for the caller
    handler = SparingHandler(stream=unwaited(sys.stderr))
    handler.setFormatter(JsonLines() if log_format == "json" else TextLines())
    logging.basicConfig(level=level, handlers=[handler])


def log_happening(account: Account, happening: Happening) -> None:
    """``callback POST url current 200 delivered …`` or ``review id accepted …``."""
    if not logger.isEnabledFor(logging.INFO):
        return
    if isinstance(happening, StatusChanged):
        application = happening.application
        why = application.timeline[-1].why
        by_name = {
            "event": "review",
            "account": account.auth_id,
            "application": application.id,
            "status": str(application.status),
            "why": why,
        }
        told = (application.id, application.origin, application.status, why)
        logger.info("review %s %s %s %s", *told, extra={"fields": by_name})
        return
    delivery = happening.delivery
    attempt = delivery.attempts[-1]
    found = account.store.applications.fetch(delivery.application_id)
    logger.info(
        "callback %s %s %s %s %.1fms %s, attempt %d: %s",
        delivery.method,
        without_secrets(attempt.url),
        found.origin if found is not None else "-",
        attempt.status if attempt.status is not None else attempt.error,
        attempt.latency_s * 1000,
        happening.standing,
        len(delivery.attempts),
        delivery.why,
        extra={"fields": _of_attempt(account, delivery, attempt)},
    )


def _of_attempt(account: Account, delivery: Delivery, attempt: Attempt) -> dict[str, Any]:
    return {
        "event": "callback",
        "account": account.auth_id,
        "application": delivery.application_id,
        "delivery": delivery.id,
        "attempt": len(delivery.attempts),
        "url": without_secrets(attempt.url),
        "status": attempt.status,
        "error": attempt.error,
        "state": str(delivery.state),
        "took_ms": round(attempt.latency_s * 1000, 1),
        "why": delivery.why,
    }
