"""The log: a line for every callback attempt and every decision; requests have theirs in ``app``.

As text for people, or as one JSON object a line (``--log-format json``) with the same facts by
name: of a request ``request_id``, which is the answer's ``api_id``, ``method``, ``path``,
``dialect``, ``account``, ``status``, ``took_ms`` and ``why``.
"""

from __future__ import annotations

import json
import logging
import time
from datetime import UTC, datetime
from typing import Any

from plivo_sim.account.account import Account
from plivo_sim.domain.records import Attempt, Delivery, StatusChanged
from plivo_sim.domain.urls import without_secrets
from plivo_sim.simulator.runner import Happening

logger = logging.getLogger("plivo_sim")


class TextLines(logging.Formatter):
    """A line a record: callers choose paths and names, and must not make up lines of their own."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(message)s")
        self._second, self._clock = 0, ""

    def format(self, record: logging.LogRecord) -> str:
        if record.exc_info or record.stack_info:
            return super().format(record)
        record.message, record.asctime = record.getMessage(), self.formatTime(record)
        return self.formatMessage(record)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        """The time of day, put into words once a second."""
        second = int(record.created)
        if second != self._second:
            self._second, self._clock = second, time.strftime("%H:%M:%S", time.localtime(second))
        return self._clock

    def formatMessage(self, record: logging.LogRecord) -> str:
        text = f"{record.asctime} {record.message}"
        if text.isprintable():
            return text
        return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


class JsonLines(logging.Formatter):
    """A JSON object a record; ``fields`` of the record become its own."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        told = {"at": at, "level": record.levelname.lower(), "message": record.getMessage()}
        told |= getattr(record, "fields", {})
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps(told, default=str)


def configure_logging(log_format: str) -> None:
    """Log to standard error: ``text`` or ``json``.

    Records carry neither caller nor thread nor process, which nobody prints: half their cost.
    """
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # the documented way to skip the search for the caller
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if log_format == "json" else TextLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])


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
        delivery.state,
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
