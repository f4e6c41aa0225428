"""Query strings of search and list. Parameters are those of the SDKs (observed).

Unknown ones are ignored (DECISIONS 26), and so are those about what the simulator does not have
(10DLC, toll-free SMS verification …); either is named in a warning, because a filter that does
nothing looks like one that matches everything.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from plivo_sim.dialects.calls import Call
from plivo_sim.dialects.paging import Query, refuse_if_any, whole_number
from plivo_sim.dialects.words import read_word
from plivo_sim.domain.models import NumberType
from plivo_sim.errors import Fault, Problem
from plivo_sim.services.numbers import Filter, Search

LARGEST_LIMIT = 20
"""Documented for lists, and the default too; the same for searches (inferred)."""


class TypeWord(StrEnum):
    """What ``type`` can be: the words that Java's enumeration knows (observed)."""

    ANY = "any"
    FIXED = "fixed"
    LOCAL = "local"
    NATIONAL = "national"
    MOBILE = "mobile"
    TOLLFREE = "tollfree"
    SHORTCODE = "shortcode"


_TYPES = {
    TypeWord.ANY: tuple(NumberType),
    TypeWord.FIXED: (NumberType.LOCAL, NumberType.NATIONAL),
    TypeWord.SHORTCODE: (),
}
"""``fixed`` is local and national (documented); there are no short codes (invented)."""

_SEARCH = (
    "country_iso", "type", "pattern", "region", "city", "services", "rate_center", "lata",
    "npanxx", "limit", "offset",
)  # fmt: skip
_QUIET = ("local_calling_area", "eligible")
"""Ruby and .NET may send these with any search; there is nothing to find by them (invented)."""

_LIST = (
    "type", "number_type", "number_startswith", "subaccount", "alias", "services",
    "cnam_lookup", "limit", "offset",
)  # fmt: skip
_RENEWALS: dict[str, Callable[[date, date], bool]] = {
    "renewal_date": operator.eq,
    "renewal_date__lt": operator.lt,
    "renewal_date__lte": operator.le,
    "renewal_date__gt": operator.gt,
    "renewal_date__gte": operator.ge,
}


@dataclass(frozen=True, slots=True)
class SearchQuery:
    search: Search
    offset: int
    limit: int


@dataclass(frozen=True, slots=True)
class ListQuery:
    filter: Filter
    offset: int
    limit: int


def read_search(call: Call, query: Query) -> SearchQuery:
    """What to look for. Raises Invalid with everything that is wrong."""
    problems: list[Problem] = []
    _warn_of_ignored(call, query, (*_SEARCH, *_QUIET))
    search = Search(
        country_iso=_country(query, problems),
        types=_types(query, "type", problems),
        pattern=_digits(query, "pattern", problems),
        region=query.get("region", ""),
        city=query.get("city", ""),
        services=_services(query, problems),
        rate_center=query.get("rate_center", ""),
        lata=_digits(query, "lata", problems),
        npanxx=_digits(query, "npanxx", problems),
    )
    offset, limit = _window(query, problems)
    refuse_if_any(problems)
    return SearchQuery(search, offset, limit)


def read_list(call: Call, query: Query) -> ListQuery:
    """Which numbers. Go and Java write ``number_type`` for ``type`` (observed). Raises Invalid."""
    problems: list[Problem] = []
    _warn_of_ignored(call, query, (*_LIST, *_RENEWALS))
    where: dict[str, Collection[str]] = {
        name: (query[name],) for name in ("subaccount", "alias", "cnam_lookup") if query.get(name)
    }
    name = "number_type" if query.get("number_type") else "type"
    if query.get(name):
        where["number_type"] = _types(query, name, problems)
    found = Filter(
        where=where,
        starts_with=_digits(query, "number_startswith", problems),
        services=_services(query, problems),
        renews=[
            holds
            for name, compare in _RENEWALS.items()
            if query.get(name) and (holds := _renews(query, name, compare, problems))
        ],
    )
    offset, limit = _window(query, problems)
    refuse_if_any(problems)
    return ListQuery(found, offset, limit)


def _window(query: Query, problems: list[Problem]) -> tuple[int, int]:
    return (
        whole_number(query, "offset", 0, 0, 10**9, problems),
        whole_number(query, "limit", LARGEST_LIMIT, 1, LARGEST_LIMIT, problems),
    )


def _warn_of_ignored(call: Call, query: Query, known: Collection[str]) -> None:
    call.warnings += [
        f"ignored query parameter '{name[:50]}'" for name in query if name not in known
    ]


def _country(query: Query, problems: list[Problem]) -> str:
    text = query.get("country_iso", "").upper()
    if not text:
        problems.append(Problem(Fault.MISSING_FIELD, ("country_iso",), "is required"))
    elif len(text) != 2 or not (text.isascii() and text.isalpha()):
        told = "must be an ISO 3166-1 alpha-2 country code"
        problems.append(Problem(Fault.BAD_PARAMETER, ("country_iso",), told))
    return text


def _types(query: Query, name: str, problems: list[Problem]) -> Collection[NumberType]:
    text = query.get(name, "") or TypeWord.ANY
    word = read_word(TypeWord, text)
    if word is None:
        told = f"must be one of {', '.join(TypeWord)}, not '{text[:50]}'"
        problems.append(Problem(Fault.BAD_PARAMETER, (name,), told))
        return ()
    return _TYPES[word] if word in _TYPES else (NumberType(word),)


def _digits(query: Query, name: str, problems: list[Problem]) -> str:
    text = query.get(name, "").strip().removeprefix("+")
    if text and not (text.isascii() and text.isdigit()):
        problems.append(Problem(Fault.BAD_PARAMETER, (name,), "must be digits"))
    return text


def _services(query: Query, problems: list[Problem]) -> Collection[str]:
    """A comma list of these (documented)."""
    words = [word.strip().lower() for word in query.get("services", "").split(",") if word.strip()]
    if not {"voice", "sms", "mms"}.issuperset(words):
        told = "must be a list of voice, sms, mms"
        problems.append(Problem(Fault.BAD_PARAMETER, ("services",), told))
    return words


def _renews(
    query: Query, name: str, compare: Callable[[date, date], bool], problems: list[Problem]
) -> Callable[[date], bool] | None:
    try:
        day = date.fromisoformat(query[name])
    except ValueError:
        problems.append(Problem(Fault.BAD_PARAMETER, (name,), "must be a date: YYYY-MM-DD"))
        return None
    return lambda due: compare(due, day)
