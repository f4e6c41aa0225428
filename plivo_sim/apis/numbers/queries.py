"""Query strings of search and list. Parameters are those of the SDKs (observed).

Unknown ones are ignored (decision "Unknown query parameters"), and so are those about what the
simulator does not have (10DLC, toll-free SMS verification …); either is named in a warning, because
a filter that does nothing looks like one that matches everything.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from plivo_sim.apis.reading import (
    PAGE,
    Query,
    read_page,
    refuse_if_any,
)
from plivo_sim.apis.words import one_of, read_country
from plivo_sim.domain.errors import Problem, ProblemKind
from plivo_sim.domain.records import NumberType
from plivo_sim.services.numbers import Filter, Search
from plivo_sim.web.endpoints import Query as Parameter


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

_PATTERN = re.compile(r"[0-9*]{0,40}")

_NOT_LOOKED_AT = ("local_calling_area", "eligible")
"""Ruby and .NET may send these with any search; nothing can be found by them (invented)."""

LOOKUPS = ("", "enabled", "disabled")

_RENEWALS: dict[str, Callable[[date, date], bool]] = {
    "renewal_date": operator.eq,
    "renewal_date__lt": operator.lt,
    "renewal_date__lte": operator.le,
    "renewal_date__gt": operator.gt,
    "renewal_date__gte": operator.ge,
}

SEARCH_PARAMETERS = (
    Parameter(name="country_iso", required=True),
    Parameter(name="type", description="any, fixed, local, national, mobile, tollfree."),
    Parameter(
        name="pattern",
        description="The digits after the country code begin with it; with *, which stands for any "
        "digits, they are it.",
    ),
    *(Parameter(name=name) for name in (
        "region", "city", "services", "rate_center", "lata", "npanxx",
    )),
    *(Parameter(name=name, description="Nothing is found by it.") for name in _NOT_LOOKED_AT),
    *PAGE,
)  # fmt: skip

LIST_PARAMETERS = (
    *(Parameter(name=name) for name in (
        "type", "number_type", "number_startswith", "subaccount", "alias", "services",
        "cnam_lookup", *_RENEWALS,
    )),
    *PAGE,
)  # fmt: skip


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


def read_search(query: Query) -> SearchQuery:
    """What to look for. Raises Invalid with everything that is wrong."""
    problems: list[Problem] = []
    search = Search(
        country_iso=_country(query, problems),
        types=_types(query, "type", problems),
        pattern=_pattern(query, problems),
        region=query.get("region", ""),
        city=query.get("city", ""),
        services=_services(query, problems),
        rate_center=query.get("rate_center", ""),
        lata=_digits(query, "lata", problems),
        npanxx=_digits(query, "npanxx", problems),
    )
    offset, limit = read_page(query, problems)
    refuse_if_any(problems)
    return SearchQuery(search, offset, limit)


def read_list(query: Query) -> ListQuery:
    """Which rented numbers to list. Go and Java write ``number_type`` for ``type`` (observed).
    Raises Invalid with everything that is wrong."""
    problems: list[Problem] = []
    where: dict[str, Collection[str]] = {
        name: (query[name],) for name in ("subaccount", "alias", "cnam_lookup") if query.get(name)
    }
    if query.get("cnam_lookup", "") not in LOOKUPS:
        problems.append(not_a_lookup(ProblemKind.BAD_PARAMETER))
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
    offset, limit = read_page(query, problems)
    refuse_if_any(problems)
    return ListQuery(found, offset, limit)


def _country(query: Query, problems: list[Problem]) -> str:
    text = query.get("country_iso", "")
    if not text:
        problems.append(Problem(ProblemKind.MISSING_FIELD, ("country_iso",), "is required"))
        return ""
    try:
        return read_country(text)
    except ValueError as error:
        problems.append(Problem(ProblemKind.BAD_PARAMETER, ("country_iso",), str(error)))
        return ""


def _types(query: Query, name: str, problems: list[Problem]) -> Collection[NumberType]:
    text = query.get(name, "") or TypeWord.ANY
    try:
        word = one_of(TypeWord, text)
    except ValueError as error:
        problems.append(Problem(ProblemKind.BAD_PARAMETER, (name,), str(error)))
        return ()
    return _TYPES[word] if word in _TYPES else (NumberType(word),)


def _digits(query: Query, name: str, problems: list[Problem]) -> str:
    text = query.get(name, "").strip().removeprefix("+")
    if text and not (text.isascii() and text.isdigit()):
        problems.append(Problem(ProblemKind.BAD_PARAMETER, (name,), "must be digits"))
    return text


def _pattern(query: Query, problems: list[Problem]) -> str:
    """Digits, with ``*`` for any in one client's searches (field-reported)."""
    text = re.sub(r"\*+", "*", query.get("pattern", "").strip().removeprefix("+"))
    if not _PATTERN.fullmatch(text):
        text = "must be digits and *, at most 40"
        problems.append(Problem(ProblemKind.BAD_PARAMETER, ("pattern",), text))
        return ""
    return text


def _services(query: Query, problems: list[Problem]) -> Collection[str]:
    """A comma list of these (documented)."""
    words = [word.strip().lower() for word in query.get("services", "").split(",") if word.strip()]
    if not {"voice", "sms", "mms"}.issuperset(words):
        text = "must be a list of voice, sms, mms"
        problems.append(Problem(ProblemKind.BAD_PARAMETER, ("services",), text))
    return words


def _renews(
    query: Query, name: str, compare: Callable[[date, date], bool], problems: list[Problem]
) -> Callable[[date], bool] | None:
    try:
        day = date.fromisoformat(query[name])
    except ValueError:
        problems.append(Problem(ProblemKind.BAD_PARAMETER, (name,), "must be a date: YYYY-MM-DD"))
        return None
    return lambda due: compare(due, day)


def not_a_lookup(kind: ProblemKind) -> Problem:
    return Problem(kind, ("cnam_lookup",), "must be one of enabled, disabled")


# --- Link ----------------------------------------------------------------------------------
