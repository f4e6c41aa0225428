"""Query strings of lists: known parameters only, limits, and the ``meta`` object.

Answers that several nouns share: the list envelope, and ``changed``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Response, request
from werkzeug.datastructures import MultiDict

from plivo_sim.account.interfaces import Where
from plivo_sim.domain.errors import Invalid, Problem, ProblemKind
from plivo_sim.web.calls import Call


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    where: Where
    offset: int
    limit: int


Query = MultiDict[str, str]


_WHOLE = re.compile(r"-?[0-9]{1,11}")


def refuse_unknown(query: Query, known: Collection[str]) -> list[Problem]:
    """A problem for every parameter that the new API does not know (observed: it refuses them)."""
    return [
        Problem(ProblemKind.UNKNOWN_PARAMETER, (name,), "unknown")
        for name in query
        if name not in known
    ]


def whole_number(
    query: Query, name: str, default: int, low: int, high: int, problems: list[Problem]
) -> int:
    """A parameter within bounds; a wrong one is added to ``problems``."""
    text = query.get(name, "")
    if not text:
        return default
    if _WHOLE.fullmatch(text) and low <= int(text) <= high:
        return int(text)
    bounds = f"{low} to {high}" if high < 10**9 else f"{low} or more"
    problems.append(
        Problem(ProblemKind.BAD_PARAMETER, (name,), f"must be a whole number, {bounds}")
    )
    return default


def refuse_if_any(problems: Iterable[Problem]) -> None:
    found = list(problems)
    if found:
        raise Invalid(found)


def meta(
    path: str, query: Mapping[str, str], offset: int, limit: int, total: int
) -> dict[str, Any]:
    """The ``meta`` object of a list; ``next`` and ``previous`` are relative URLs or null.

    Source: observed (docs/wire-facts.md, "Legacy lists", "List of the new API").
    """
    others = {key: value for key, value in query.items() if key not in ("limit", "offset")}

    def link(at: int) -> str:
        return f"{path}?{urlencode({'limit': limit, 'offset': at, **others})}"

    return {
        "limit": limit,
        "offset": offset,
        "total_count": total,
        "next": link(offset + limit) if offset + limit < total else None,
        "previous": link(max(offset - limit, 0)) if offset > 0 else None,
    }


def answer_list(
    call: Call, query: ListQuery, objects: list[dict[str, Any]], total_count: int
) -> Response:
    """``{api_id, meta, objects}`` (observed)."""
    path = request.script_root + request.path  # a fixed mount stays in the links
    about = meta(path, request.args, query.offset, query.limit, total_count)
    return call.answer({"api_id": call.api_id, "meta": about, "objects": objects})


def changed(call: Call, why: str, status: int = 200) -> Response:
    """The answer to updates and, with 200, to deletes (documented; 200 with a body is the only
    answer to a delete that every SDK takes: observed)."""
    call.why = why
    return call.answer({"api_id": call.api_id, "message": "changed"}, status)


def warn_nothing_given(call: Call, given: Collection[Any], problems: Collection[Any]) -> None:
    """An update that gives nothing changes nothing and says so: Go's update of a document
    loses its fields on the way (observed)."""
    if not given and not problems:
        call.warnings.append("nothing to change was given")
