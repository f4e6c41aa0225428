"""Query strings of lists: known parameters only, limits, and the ``meta`` object."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from plivo_sim.errors import Fault, Invalid, Problem

Query = MultiDict[str, str]
_WHOLE = re.compile(r"-?[0-9]{1,11}")


def refuse_unknown(query: Query, known: Collection[str]) -> list[Problem]:
    """A problem for every parameter that the new API does not know (observed: it refuses them)."""
    return [
        Problem(Fault.UNKNOWN_PARAMETER, (name,), "unknown") for name in query if name not in known
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
    problems.append(Problem(Fault.BAD_PARAMETER, (name,), f"must be a whole number, {bounds}"))
    return default


def refuse_if_any(problems: Iterable[Problem]) -> None:
    found = list(problems)
    if found:
        raise Invalid(found)


def meta(
    path: str, query: Mapping[str, str], offset: int, limit: int, total: int
) -> dict[str, Any]:
    """The ``meta`` object of a list; ``next`` and ``previous`` are relative URLs or null.

    Source: observed (``wire-facts.md`` 1.0 and 2.4).
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
