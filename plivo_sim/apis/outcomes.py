"""``X-Plivo-Sim-Outcome``, the shortest scenario there is: the outcome of one submission (invented:
Plivo has no such header). ``rejected; after=2d; reason="Name mismatch"``; the reason may be a
preset's name; ``nothing`` leaves the application in review for ever.

All of it counts, or it is refused. A value with a blank, a comma or a semicolon is quoted, or
percent-encoded as ``reason*=UTF-8''Name%20mismatch`` (RFC 8187).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote_to_bytes

from flask import Blueprint, Request

from plivo_sim.domain import limits
from plivo_sim.domain.durations import parse_duration
from plivo_sim.domain.errors import Invalid, Problem, ProblemKind
from plivo_sim.domain.machine import NOTHING, Machine
from plivo_sim.domain.words import like_listed
from plivo_sim.machines import default_machine, lacks
from plivo_sim.scenarios.language import Decision
from plivo_sim.scenarios.rules import RequestedOutcome, read_reason
from plivo_sim.scenarios.validation import idle_keys
from plivo_sim.web import endpoints
from plivo_sim.web.calls import current_call

OUTCOME_HEADER = "X-Plivo-Sim-Outcome"
_OUTCOME_KEY = "HTTP_X_PLIVO_SIM_OUTCOME"

OUTCOME = endpoints.Query(
    name=OUTCOME_HEADER,
    place="header",
    description="What the reviewer decides about this submission, such as rejected; after=2d; "
    'reason="Name mismatch". Plivo has no such header.',
)


def requested_outcome(request: Request, machine: Machine | None = None) -> RequestedOutcome | None:
    """The outcome that the request wants for itself, one of the account's machine (None: the
    default one). Raises Invalid when something of the header cannot be read, or has no effect."""
    machine = machine or default_machine()
    text = request.headers.get(OUTCOME_HEADER)
    if not text:
        return None
    try:
        limits.OUTCOME.check(len(text), "the header")
        word, *parameters = _parts(text)
        word = word.lower()
        _check_word(word, machine)
        values = _values(parameters)
        reason = values.get("reason")
        limits.REASON.check(len(reason or ""), "the reason")
        after = parse_duration(values["after"]) if "after" in values else None
        reason = read_reason(reason) if reason else None
    except ValueError as error:
        raise _refused(str(error)) from None
    asked = Decision(decide=word, reason=reason or "", after=values.get("after"))
    for path, told in idle_keys(asked, (), machine):
        raise _refused(f"{path[0]}: {told}")
    return RequestedOutcome(status=None if word == NOTHING else word, reason=reason, after=after)


def warn_where_idle(blueprint: Blueprint, rows: Iterable[endpoints.Endpoint]) -> None:
    """Have every write of a blueprint that submits nothing warn of the header."""
    submits = {row.name for row in rows if OUTCOME in row.query}

    @blueprint.before_request
    def warn() -> None:
        call = current_call()
        if _OUTCOME_KEY not in call.request.environ or call.is_read:
            return
        if (call.request.endpoint or "").rpartition(".")[2] not in submits:
            call.warnings.append(f"{OUTCOME_HEADER} has no effect: this call submits nothing")


def _refused(text: str) -> Invalid:
    return Invalid([Problem(ProblemKind.BAD_VALUE, (OUTCOME_HEADER,), text)])


def _check_word(word: str, machine: Machine) -> None:
    outcomes = machine.outcomes
    if word not in outcomes:
        hint = like_listed(word, outcomes) or _foreign(word, machine)
        raise ValueError(f"must be one of {', '.join(outcomes)}, not '{word[:50]}'{hint}")


def _foreign(word: str, machine: Machine) -> str:
    """Of which machine the outcomes are, for a word that is not like any of them."""
    if word in machine.statuses:
        return f"; in machine {machine.name} no review ends in it"
    return f"; {lacks(machine, word)}"


_PART = re.compile(r'(?:[^;,"]|"(?:[^"\\]|\\.)*")*')
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_ESCAPED = re.compile(r'\\(["\\])')
_TO_QUOTE = re.compile(r'[\s"]')


def _parts(text: str) -> Iterator[str]:
    """What stands between the semicolons that are not in quotes. Raises ValueError."""
    at = 0
    while (found := _PART.match(text, at)) is not None:
        yield found[0].strip()
        at = found.end() + 1
        if at > len(text):
            return
        if text[found.end()] == '"':
            raise ValueError(f"has a quote that does not end: {text[found.end() :][:50]}")
        if text[found.end()] == ",":  # as between two headers of this name
            raise ValueError("is there twice, or has a comma that is not in quotes")


def _values(parameters: list[str]) -> dict[str, str]:
    """By their names. Raises ValueError for what is not ``name=value``."""
    values: dict[str, str] = {}
    for part in filter(None, parameters):
        name, _, text = (each.strip() for each in part.partition("="))
        name, is_encoded = name.lower().removesuffix("*"), name.endswith("*")
        if name not in ("after", "reason"):
            raise ValueError(f"knows after and reason, not '{name[:50]}'")
        if name in values:
            raise ValueError(f"has {name} more than once")
        if not text:
            raise ValueError(f"has {name} without a value; it is written {name}=VALUE")
        values[name] = _decoded(name, text) if is_encoded else _plain(name, text)
    return values


def _plain(name: str, text: str) -> str:
    if _QUOTED.fullmatch(text):
        return _ESCAPED.sub(r"\1", text[1:-1])
    if _TO_QUOTE.search(text):
        raise ValueError(f'has a blank or a quote in {name}={text[:50]}: write {name}="…"')
    return text


def _decoded(name: str, text: str) -> str:
    charset, _, value = text.partition("'")
    _, is_whole, encoded = value.partition("'")
    try:
        if charset.lower() == "utf-8" and is_whole:
            return unquote_to_bytes(encoded).decode()
    except UnicodeDecodeError:
        pass
    raise ValueError(f"{name}* is written {name}*=UTF-8''… and percent-encoded")
