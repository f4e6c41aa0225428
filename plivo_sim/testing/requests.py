"""The requests that came, and how near each is to what was wanted of one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from http import HTTPStatus
from typing import Any, get_args
from urllib.parse import parse_qsl, urlsplit

import msgspec

from plivo_sim.domain.machine import Dialect
from plivo_sim.domain.typed import Instant, convert
from plivo_sim.domain.words import did_you_mean
from plivo_sim.scenarios.language import EFFECTS
from plivo_sim.scenarios.patterns import is_glob
from plivo_sim.scenarios.validation import METHODS, OPERATIONS

CLOSEST = 3
"""So many near misses are told."""

PLAIN = ("operation", "method", "path", "status", "dialect", "fault", "why")
CONDITIONS = (*PLAIN, "query", "headers", "data")
WORDS: Mapping[str, Sequence[str]] = {
    "operation": OPERATIONS,
    "dialect": get_args(Dialect),
    "method": (*METHODS, "HEAD", "OPTIONS"),
    "fault": EFFECTS,
}
"""The conditions whose words are known, and these."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request to an imitated API, and its answer.

    ``at`` is simulated, ``arrived`` real time. ``body``: JSON as values, or the parts of a form;
    ``answer``: its text, as far as it was kept; secrets are masked in all of them.
    """

    id: str
    at: Instant
    arrived: Instant
    method: str
    url: str
    headers: dict[str, str]
    body: Any
    status: int
    answer: str
    answer_type: str
    dialect: str
    operation: str
    fault: str | None
    why: str
    took_ms: float

    @property
    def is_let_in(self) -> bool:
        """Whether its credentials were those of the account; a fault answers 401 all the same."""
        return self.status != HTTPStatus.UNAUTHORIZED or self.fault is not None

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))

    @property
    def data(self) -> Any:
        """What was sent: the JSON body, the JSON of a form's part ``data``, or a form's texts by
        name; None without a body."""
        if not isinstance(self.body, list) or not all(
            isinstance(part, dict) and "name" in part for part in self.body
        ):
            return self.body
        texts = {part["name"]: part["text"] for part in self.body if "text" in part}
        try:
            return json.loads(texts["data"])
        except (KeyError, ValueError):  # a form of texts, or one that was cut or is no JSON
            return texts

    @property
    def files(self) -> dict[str, str]:
        """The names of the files that were sent, by the names of their parts."""
        parts = self.body if isinstance(self.body, list) else []
        return {part["name"]: part["filename"] for part in parts if "filename" in part}

    def json(self) -> Any:
        """The answer. Raises ValueError if it is none, or was not kept whole."""
        return json.loads(self.answer)


def request_of(shown: Mapping[str, Any]) -> Request:
    return convert(shown, Request)


def check_conditions(wanted: Mapping[str, Any], came: Sequence[Request]) -> None:
    """Raises ValueError for a condition that there is not, and for an operation, a dialect, a
    method, a fault or a status that no request can have."""
    for name, value in wanted.items():
        if name not in CONDITIONS:
            hint = did_you_mean(name, CONDITIONS)
            raise ValueError(f"requests have no {name!r}{hint}")
        if name in WORDS and value is not None:
            _check_word(name, value, [getattr(each, name) for each in came])
    status = wanted.get("status", 200)
    if not isinstance(status, int) or not 100 <= status <= 599:
        raise ValueError(f"there is no HTTP status {status!r}; write a number, such as 404")


def _check_word(name: str, value: Any, came: Iterable[Any]) -> None:
    """A pattern for faults may be about the name of one, which is any text."""
    if name == "fault" and isinstance(value, str):
        if is_glob(value):
            return
        value = value.rpartition(": ")[2]
    if not any(_is_same(name, each, value) for each in (*WORDS[name], *came)):
        hint = did_you_mean(str(value), WORDS[name])
        raise ValueError(f"there is no {name} {value!r}{hint}")


def misses(request: Request, wanted: Mapping[str, Any]) -> list[str]:
    """Which conditions a request does not meet; none if it is one that is wanted."""
    return [
        text
        for name, value in wanted.items()
        for text in (
            _missed(name, getattr(request, name), value)
            if name in PLAIN
            else _missed_in(name, _found(request, name), value)
        )
    ]


def _found(request: Request, name: str) -> Any:
    if name == "headers":
        return {key.lower(): value for key, value in request.headers.items()}
    return getattr(request, name)


def _missed_in(name: str, found: Any, wanted: Any) -> Iterator[str]:
    """Of objects, what is wanted must be there; more may be. Lists are of equal length."""
    if isinstance(wanted, Mapping):
        for key, value in wanted.items():
            key = key.lower() if name == "headers" else key
            inner = found.get(key, _NOTHING) if isinstance(found, Mapping) else _NOTHING
            yield from _missed_in(f"{name}.{key}", inner, value)
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for place, value in enumerate(wanted):
            yield from _missed_in(f"{name}.{place}", found[place], value)
    else:
        yield from _missed(name, found, wanted)


def _missed(name: str, found: Any, wanted: Any) -> Iterator[str]:
    if not _is_same(name, found, wanted):
        shown = "is missing" if found is _NOTHING else f"is {found!r}"
        yield f"{name} {shown}, wanted {wanted!r}"


def _is_same(name: str, found: Any, wanted: Any) -> bool:
    """A wanted text may have ``*`` and ``?`` in it. Of a fault, ``fault-1: error``, the effect
    is enough."""
    if not isinstance(found, str) or not isinstance(wanted, str):
        return bool(found == wanted)
    if name == "method":
        wanted = wanted.upper()
    texts = (found, found.rpartition(": ")[2]) if name == "fault" else (found,)
    return found == wanted or any(fnmatchcase(each, wanted) for each in texts)


_NOTHING = object()


def near_misses(came: Sequence[Request], wanted: Mapping[str, Any]) -> Iterator[str]:
    """The requests that are nearest to what is wanted, later ones first where they are as near, and
    the conditions that each does not meet."""
    if not came:
        yield "no request came"
        return
    yield f"of {len(came)} requests that came, the closest:"
    newest_first = came[::-1]
    ranked = sorted(newest_first, key=lambda each: len(misses(each, wanted)))
    for request in ranked[:CLOSEST]:
        named = f" ({request.operation})" if request.operation else ""
        yield f"  {request.method} {request.url}: {request.status}{named}"
        yield from (f"    {text}" for text in misses(request, wanted))
