"""Query strings of the legacy lists: filters in any spelling that a client is known to send.

The filters are those that the SDKs send (observed). Unknown parameters are ignored (inferred:
only the new API is known to refuse them) and named in a warning, because a misspelt filter would
otherwise look like one that matches everything.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from plivo_sim.dialects.calls import Call
from plivo_sim.dialects.legacy.presenters import STATUS_WORDS
from plivo_sim.dialects.paging import Query, refuse_if_any, whole_number
from plivo_sim.dialects.words import read_word
from plivo_sim.domain.models import NumberType, UserType
from plivo_sim.errors import Fault, Problem
from plivo_sim.ports import Where

LARGEST_LIMIT = 20
"""Documented, and the default too."""

TOLERATED = ("id", "limit", "offset")
"""Java sends ``id`` with look-ups (observed)."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter: its spellings (the first one given counts) and how a text becomes the values
    that match. ``read`` raises ValueError with a sentence."""

    names: tuple[str, ...]
    read: Callable[[str], Collection[str]] = lambda text: (text,)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    where: Where
    offset: int
    limit: int


def one_of(words: type[StrEnum]) -> Callable[[str], Collection[str]]:
    """Reads one of these words, in any case, with spaces or hyphens."""

    def read(text: str) -> Collection[str]:
        word = read_word(words, text)
        if word is None:
            raise ValueError(f"must be one of {', '.join(words)}, not '{text[:50]}'")
        return (word,)

    return read


def statuses(text: str) -> Collection[str]:
    """Every status that this API prints as that word, which may be in any case."""
    found = [status for status, word in STATUS_WORDS.items() if word == text.strip().lower()]
    if not found:
        allowed = ", ".join(dict.fromkeys(STATUS_WORDS.values()))
        raise ValueError(f"must be one of {allowed}, not '{text[:50]}'")
    return found


def country(text: str) -> Collection[str]:
    if len(text) != 2 or not (text.isascii() and text.isalpha()):
        raise ValueError("must be an ISO 3166-1 alpha-2 country code")
    return (text.upper(),)


COUNTRY = Filter(("country_iso2", "country_iso", "country"), country)
"""Go sends ``country`` to lists (observed), the page writes ``country_iso`` (documented)."""

NUMBER_TYPE = Filter(("number_type",), one_of(NumberType))
USER_TYPE = Filter(("end_user_type",), one_of(UserType))


def read_filters(
    call: Call, query: Query, filters: Mapping[str, Filter], problems: list[Problem]
) -> dict[str, Collection[str]]:
    """Field -> values for the filters that are given and not empty; bad ones are problems."""
    found: dict[str, Collection[str]] = {}
    known = {*TOLERATED, *(name for each in filters.values() for name in each.names)}
    call.warnings += [f"ignored query parameter '{name}'" for name in query if name not in known]
    for field, each in filters.items():
        name = next((name for name in each.names if query.get(name)), None)
        if name is None:
            continue
        try:
            found[field] = each.read(query[name])
        except ValueError as error:
            problems.append(Problem(Fault.BAD_PARAMETER, (name,), str(error)))
    return found


def read_list_query(call: Call, query: Query, filters: Mapping[str, Filter]) -> ListQuery:
    """Filters, ``limit`` and ``offset``. Raises Invalid with everything that is wrong."""
    problems: list[Problem] = []
    found = ListQuery(
        where=read_filters(call, query, filters, problems),
        offset=whole_number(query, "offset", 0, 0, 10**9, problems),
        limit=whole_number(query, "limit", LARGEST_LIMIT, 1, LARGEST_LIMIT, problems),
    )
    refuse_if_any(problems)
    return found
