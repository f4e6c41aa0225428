"""``{"status": false, "errors": [text]}``, whatever went wrong (documented).

The two texts that the pages print are theirs, the others ours (invented). What Plivo finds wrong
with a submission is passed on in its words, the paths in Atoms' (DECISIONS 39). Never a rate-limit
header: the SDK would sleep (DECISIONS 15).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from plivo_sim.dialects.calls import Call
from plivo_sim.dialects.plain_errors import plain_error, word
from plivo_sim.errors import Invalid, Path, Problem, SimError, WrongState


class AlreadyExists(SimError):
    """The organisation has an application for this country, number type and user type."""

    def __init__(self, country_iso: str, number_type: str, status: str) -> None:
        super().__init__(
            f"A compliance application already exists for {country_iso}/{number_type}. "
            f"Status: {status}"
        )


class TooSoon(SimError):
    """The application was refreshed a moment ago, and the account has a cooldown."""

    def __init__(self, cooldown: str) -> None:
        super().__init__(f"Please wait {cooldown} between refreshes.")


class NotRejected(WrongState):
    """Only a rejected application can be resubmitted."""

    def __init__(self, id: str, status: str) -> None:
        super().__init__("application", id, "resubmit", status)


def error_body(call: Call, error: SimError) -> tuple[int, dict[str, Any]]:
    """Status and body; several problems are several texts."""
    status, text = plain_error(error)
    texts = [text]
    if isinstance(error, Invalid):
        texts = [word(_in_atoms_words(problem)) for problem in error.problems]
    elif isinstance(error, AlreadyExists):
        status, texts = 409, [str(error)]
    elif isinstance(error, TooSoon):
        status, texts = 429, [str(error)]
    elif isinstance(error, NotRejected):
        told = "Only rejected applications can be resubmitted."
        texts = [f"{told} Status: {error.status}"]
    return status, {"status": False, "errors": texts}


def _in_atoms_words(problem: Problem) -> Problem:
    return replace(problem, path=_wire_path(problem.path))


def _wire_path(path: Path) -> Path:
    """The core's path in camel case; names of data fields stay, files have a list of their own."""
    if len(path) == 3 and path[0] == "documents" and path[2] == "file":
        return ("files", path[1])
    steps: list[str | int] = []
    for step in path:
        literal = isinstance(step, int) or "dataFields" in steps
        steps.append(step if literal else _camel(str(step)))
    return tuple(steps)


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(each.capitalize() for each in others)
