"""Control calls of a test's account: over HTTP, or handed to the WSGI application in process.

What is refused is raised as the domain's own errors, whichever way the call took.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from plivo_sim.client import Client, Refused
from plivo_sim.domain.errors import (
    AccountReplaced,
    AccountRequired,
    Busy,
    ClockRefused,
    Invalid,
    NotFound,
    NotReached,
    Problem,
    ProblemKind,
    SimError,
    WrongState,
)
from plivo_sim.domain.typed import short

PAGE = 500
"""So many records are asked for at a time."""


class Mistaken(Invalid, ValueError):
    """What a verb was given makes no sense; the text has a line for each problem."""

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self, what: str = "") -> Iterator[str]:
        """A line for each problem, which begins with ``what`` and its path."""
        for problem in self.problems:
            path = ".".join(map(str, problem.path))
            yield ": ".join(filter(None, (what, path, problem.text)))


class Calls:
    """The control calls of one account of a simulator. Raises what the domain raises: NotFound,
    NotReached, WrongState, Busy, ClockRefused, AccountRequired; Mistaken, which is Invalid and a
    ValueError; else SimError. Raises Unreachable.

    ``began``: when accounts began, by auth id, as ``POST /_sim/accounts`` told it. A call about one
    of these that began anew meanwhile does nothing, and raises AccountReplaced."""

    def __init__(self, client: Client, auth_id: str, began: Mapping[str, str]) -> None:
        self._client = client
        self.auth_id = auth_id
        self._began = began

    def get(self, path: str, **query: Any) -> Any:
        return self.call("GET", path, **query)

    def post(self, path: str, body: Any = None, **query: Any) -> Any:
        return self.call("POST", path, body, **query)

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """The answer to a call about this account; with ``account=None`` it names none."""
        _check_json(body)
        named = {"account": self.auth_id, **query}
        began = self._began.get(named["account"])
        try:
            return self._client.control(method, path, body, **{"began": began, **named})
        except Refused as refusal:
            raise _error_of(refusal) from None

    def every(self, path: str, key: str, **query: Any) -> Iterator[dict[str, Any]]:
        """All records of a list that is answered in pages."""
        offset = 0
        while True:
            page = self.get(path, offset=offset, limit=PAGE, **query)
            yield from page[key]
            offset += len(page[key])
            if offset >= page["total_count"] or not page[key]:
                return


def _check_json(body: Any) -> None:
    """Raises Mistaken that names what cannot be sent."""
    for name, value in body.items() if isinstance(body, dict) else ():
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError):
            told = f"{short(value)} cannot be written in JSON"
            raise Mistaken([Problem(ProblemKind.BAD_VALUE, (name,), told)]) from None


def path_of(id: str, tail: str = "") -> str:
    """The path of an application. Raises NotFound for an id that cannot stand in it: none is so."""
    if id in ("", ".", "..") or "/" in id or not id.isprintable():
        raise NotFound("application", id)
    return f"/applications/{id}{tail}"


_WORDED: dict[str, type[SimError]] = {
    "not_reached": NotReached,
    "busy": Busy,
    "clock_refused": ClockRefused,
}


def _error_of(refusal: Refused) -> SimError:
    body, code = refusal.body, str(refusal.body.get("code"))
    special: dict[str, Callable[[], SimError]] = {
        "not_found": lambda: NotFound(str(body.get("kind")), str(body.get("id"))),
        "account_required": lambda: AccountRequired(list(body.get("accounts", ()))),
        "invalid": lambda: Mistaken([_problem(each) for each in body.get("problems", ())]),
        "replaced": lambda: _worded(AccountReplaced, refusal.text),
        "wrong_state": lambda: _worded(WrongState, refusal.text),
    }
    if code in special:
        return special[code]()
    if code in _WORDED:
        return _WORDED[code](refusal.text)
    return SimError(str(refusal))


def _problem(told: Mapping[str, str]) -> Problem:
    path = (told["path"],) if told["path"] else ()
    return Problem(ProblemKind.BAD_VALUE, path, told["message"])


def _worded(kind: type[SimError], text: str) -> SimError:
    """With its sentence; of the record, or the account, more is not told."""
    error = kind.__new__(kind)
    error.args = (text,)
    return error
