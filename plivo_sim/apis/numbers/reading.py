"""Bodies of numbers and of Link, in every shape that an SDK is known to send (observed).

Keys without an effect here (``ha_enable``, ``verification_info``, ``cnam`` …) are ignored and named
in a warning.

Query strings of search and list. Parameters are those of the SDKs (observed).

Unknown ones are ignored (decision "Unknown query parameters"), and so are those about what the
simulator does not have (10DLC, toll-free SMS verification …); either is named in a warning, because
a filter that does nothing looks like one that matches everything.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from plivo_sim.apis.reading import (
    PAGE,
    Query,
    Shape,
    load,
    read_page,
    refuse_if_any,
)
from plivo_sim.apis.words import MOST_ENTRIES, one_of, read_country
from plivo_sim.domain.errors import Path, Problem, ProblemKind
from plivo_sim.domain.records import NumberType
from plivo_sim.domain.typed import dotted
from plivo_sim.services.inventory import digits_of
from plivo_sim.services.numbers import Change, Filter, Search
from plivo_sim.web.bodies import Body, unreadable
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
    if query.get("cnam_lookup", "") not in _LOOKUPS:
        problems.append(_not_a_lookup(ProblemKind.BAD_PARAMETER))
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


SDK_KEY = "compliance_application_id"
PAGE_KEY = "compliance_id"
SCHEMAS = "plivo_sim.apis.numbers.schemas"


_rent_in, _change_in = Shape(SCHEMAS, "RentIn"), Shape(SCHEMAS, "ChangeIn")


_LOOKUPS = ("", "enabled", "disabled")


@dataclass(slots=True)
class ReadChange:
    """A change as far as it could be read."""

    change: Change
    problems: list[Problem] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ReadLinks:
    """A Link request as far as it could be read. ``items``: pairs of a number, as written, and an
    application id. ``id_key``: what an id that is missing is called."""

    id_key: str
    items: list[tuple[str, str]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


Keys = Mapping[str, tuple[str, Any]]
"""What an object gives: by what it means, the key as it is written and the value."""


# --- one number ----------------------------------------------------------------------------


def read_rent(body: Body, digits: str, dialect: str) -> ReadChange:
    """What to do with the number of these digits once it is rented."""
    return _read_change(_rent_in, body.json_object(), digits, dialect)


def read_change(body: Body, digits: str, dialect: str) -> ReadChange:
    """``app_id: null`` removes the application: .NET sends it for that (observed)."""
    data = body.json_object()
    if "app_id" in data and data["app_id"] is None:
        data = {**data, "app_id": ""}
    return _read_change(_change_in, data, digits, dialect)


def _read_change(shape: Shape, data: Mapping[str, Any], digits: str, dialect: str) -> ReadChange:
    """The number itself, which Python and Java repeat (observed), is nothing that is ignored.

    In today's API ``compliance_id`` is no parameter: the id counts as not given, with a soft
    problem (inferred: docs/wire-facts.md, "What commit messages tell of the live service")."""
    usable, problems = load(shape, data)
    by_sdk, by_page = usable.pop(SDK_KEY, None), usable.pop(PAGE_KEY, None)
    if by_page is not None and dialect == "current":
        text = f"is no parameter of today's API and was ignored; it is called {SDK_KEY}"
        problems.append(Problem(ProblemKind.BAD_VALUE, (PAGE_KEY,), text, soft=True))
        by_page = None
    if by_sdk is not None and by_page is not None and by_sdk != by_page:
        text = f"is not the same as '{SDK_KEY}'"
        problems.append(Problem(ProblemKind.BAD_VALUE, (PAGE_KEY,), text))
    if usable.get("cnam_lookup", "") not in _LOOKUPS:
        problems.append(_not_a_lookup(ProblemKind.NOT_ALLOWED))
    application_id = by_page if by_sdk is None else by_sdk
    change = Change(**usable, application_id=application_id)
    ignored = [
        name[:50]
        for name, value in data.items()
        if value is not None
        and name not in shape.fields
        and not (name == "number" and digits_of(str(value)) == digits)
    ]
    return ReadChange(change, problems, ignored)


def _not_a_lookup(kind: ProblemKind) -> Problem:
    return Problem(kind, ("cnam_lookup",), "must be one of enabled, disabled")


# --- Link ----------------------------------------------------------------------------------


def read_links(body: Body, dialect: str) -> ReadLinks:
    """Every shape of docs/wire-facts.md, "Link is bulk": ``{"numbers": [...]}`` or the list alone;
    items with either spelling of the id, or strings beside one id for all; a single item. Keys are
    taken in any case, because .NET keeps its caller's (observed). Each but the one that most SDKs
    send has a soft problem: the others stand in tests of SDKs only, and whether the live service
    takes them is unknown (inferred). An id that is missing is asked for by the dialect's name for
    it. Raises Invalid for what no SDK sends."""
    data = body.json
    read = ReadLinks(id_key=PAGE_KEY if dialect == "beta" else SDK_KEY)
    if not _is_the_usual_shape(data):
        read.problems.append(Problem(ProblemKind.UNREADABLE, (), _USUAL_SHAPE, soft=True))
    if isinstance(data, list):
        _read_items(data, {}, (), read)
        return read
    if not isinstance(data, dict):
        raise unreadable("the body must be a JSON object with 'numbers', or a list")
    is_item = not _has(data, "numbers")
    if is_item and _has(data, "number"):
        _read_item(data, {}, (), read)
        return read
    keys = _used(data, ("numbers", SDK_KEY), (), read)
    if is_item:
        read.problems.append(Problem(ProblemKind.MISSING_FIELD, ("numbers",), "is required"))
    else:
        key, items = keys["numbers"]
        _read_items(items, keys, (key,), read)
    return read


_USUAL_SHAPE = (
    'today\'s API is only known to take {"numbers": [{"number": ..., "compliance_application_id":'
    " ...}]}"
)


def _is_the_usual_shape(data: Any) -> bool:
    items = data.get("numbers") if isinstance(data, dict) else None
    return isinstance(items, list) and all(
        isinstance(each, dict) and {"number", SDK_KEY} <= each.keys() for each in items
    )


def _read_items(items: Any, above: Keys, path: Path, read: ReadLinks) -> None:
    if not isinstance(items, list):
        read.problems.append(Problem(ProblemKind.WRONG_TYPE, path, "must be a list"))
        return
    if len(items) > MOST_ENTRIES:
        text = f"must have at most {MOST_ENTRIES} entries, has {len(items)}"
        read.problems.append(Problem(ProblemKind.BAD_LENGTH, path, text))
        return
    for index, item in enumerate(items):
        _read_item(item, above, (*path, index), read)


def _read_item(item: Any, above: Keys, path: Path, read: ReadLinks) -> None:
    if not isinstance(item, str | dict):
        text = "must be an object with 'number', or a string"
        read.problems.append(Problem(ProblemKind.WRONG_TYPE, path, text))
        return
    before = len(read.problems)
    given = {"number": item} if isinstance(item, str) else item
    own = _used(given, ("number", SDK_KEY), path, read)
    number: tuple[str, Any] = own.get("number", ("number", None))
    id: tuple[str, Any] = own.get(SDK_KEY) or above.get(SDK_KEY) or (read.id_key, None)
    read.problems += [each for key, value in (number, id) for each in _wrong(value, (*path, key))]
    if len(read.problems) == before:
        read.items.append((number[1], id[1]))


def _wrong(value: Any, path: Path) -> Iterator[Problem]:
    if value is None or value == "":
        yield Problem(ProblemKind.MISSING_FIELD, path, "is required")
    elif not isinstance(value, str):
        yield Problem(ProblemKind.WRONG_TYPE, path, "must be a string")


_SPELLINGS = {
    "numbers": "numbers",
    "number": "number",
    "phonenumber": "number",
    "complianceapplicationid": SDK_KEY,
    "complianceid": SDK_KEY,
}


def _meant_by(key: str) -> str | None:
    return _SPELLINGS.get(key.lower().replace("_", ""))


def _has(data: Mapping[str, Any], name: str) -> bool:
    return any(value is not None and _meant_by(key) == name for key, value in data.items())


def _used(data: Mapping[str, Any], names: Collection[str], path: Path, read: ReadLinks) -> Keys:
    """These of an object; null counts as not given. Notes the keys that nothing uses, and those
    that say something else than another spelling of them."""
    found: dict[str, tuple[str, Any]] = {}
    for key, value in data.items():
        name = _meant_by(key)
        if value is None:
            continue
        if name not in names:
            read.ignored.append(dotted((*path, key[:50])))
        elif name in found and value != found[name][1]:
            text = f"is not the same as '{found[name][0]}'"
            read.problems.append(Problem(ProblemKind.BAD_VALUE, (*path, key), text))
        elif name is not None:
            found.setdefault(name, (key, value))
    return found
