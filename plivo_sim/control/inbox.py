"""The built-in receiver of callbacks, for those who have none yet."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from flask import Response, current_app, request

from plivo_sim.dialects.bodies import read_start
from plivo_sim.dialects.calls import current_call
from plivo_sim.exchanges import is_secret
from plivo_sim.rings import Ring

MOST_MESSAGES = 500
MOST_INBOXES = 100
MOST_INBOX_BYTES = 2 * 1024 * 1024
"""Callbacks have a few hundred bytes; this is for who sends something else."""

LARGEST_MESSAGE_BYTES = 64 * 1024

Message = dict[str, Any]


class Inboxes:
    """What arrived, by the name under which it was sent; all accounts share them.

    Not state of the simulator: bounded, in memory, untouched by a reset. ``changes`` counts, for
    those who watch. Safe from any thread.
    """

    def __init__(self) -> None:
        self.changes = 0
        self._lock = threading.Lock()
        self._kept: dict[str, Ring[Message]] = {}

    def keep(self, name: str, message: Message) -> None:
        """Put a message into an inbox; the inbox that is oldest goes when there are too many."""
        with self._lock:
            self.changes += 1
            if name not in self._kept and len(self._kept) >= MOST_INBOXES:
                del self._kept[next(iter(self._kept))]
            if name not in self._kept:
                self._kept[name] = Ring(MOST_MESSAGES, MOST_INBOX_BYTES)
            size = len(message["body"]) + len(message["url"]) + len(str(message["headers"]))
            self._kept[name].append(message, size)

    def clear(self, name: str) -> None:
        """Forget what an inbox holds."""
        with self._lock:
            self.changes += 1
            self._kept.pop(name, None)

    def messages(self, name: str) -> list[Message]:
        """What an inbox holds, oldest first."""
        with self._lock:
            return list(self._kept[name]) if name in self._kept else []

    def sizes(self) -> dict[str, int]:
        """How much each inbox holds, in the order in which they began."""
        with self._lock:
            return {name: len(kept) for name, kept in self._kept.items()}


def inboxes() -> Inboxes:
    """Those of the simulator that is being asked."""
    kept: Inboxes = current_app.extensions["inboxes"]
    return kept


def receive(name: str) -> Response:
    """The built-in receiver: answers 200 and keeps what came, for those who have none yet."""
    body = read_start(request, LARGEST_MESSAGE_BYTES).decode("utf-8", "replace")
    message = {
        "method": request.method,
        "url": request.url,
        "headers": {
            name: "***" if is_secret(name) else value for name, value in request.headers.items()
        },
        "query": request.args.to_dict(),
        "body": body,
    }
    inboxes().keep(name, message)
    return current_call().answer({"received": True})


def read_inbox(name: str) -> Response:
    """The callbacks that this inbox has received, oldest first."""
    for world in current_call().sim.accounts():
        current_call().sim.runner.catch_up(world, sends=True)
    return current_call().answer({"name": name, "messages": inboxes().messages(name)})


def empty_inbox(name: str) -> Response:
    inboxes().clear(name)
    return current_call().answer({"name": name, "messages": []})


ROUTES: list[tuple[str, str, Callable[..., Response]]] = [
    ("GET", "/inbox/<name>", receive),
    ("POST", "/inbox/<name>", receive),
    ("GET", "/inbox/<name>/messages", read_inbox),
    ("DELETE", "/inbox/<name>/messages", empty_inbox),
]
