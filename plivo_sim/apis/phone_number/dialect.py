"""What a dialect of the new API is: a package with these names, and nothing else in it.

Query strings of the new API, and the inputs that both dialects read alike. The parameters are those
of the SDKs (observed); of them the beta page names ``expand``, ``status``, ``country_iso`` and
``limit`` (documented).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, TypedDict

from plivo_sim.account.interfaces import Where
from plivo_sim.apis.reading import (
    MetaOut,
    Query,
    refuse_if_any,
    refuse_unknown,
    whole_number,
)
from plivo_sim.apis.words import Uuid, read_country, read_word
from plivo_sim.domain.errors import Problem, ProblemKind, SimError
from plivo_sim.domain.limits import DOCUMENTS
from plivo_sim.domain.machine import Machine
from plivo_sim.domain.records import Document, Method, NumberType, UserType
from plivo_sim.domain.requirements import Catalogue
from plivo_sim.services.applications import ApplicationView
from plivo_sim.services.inputs import Correction, Dialect, NewApplication
from plivo_sim.web.bodies import Body, unreadable

EXPANDABLE = ("end_user", "documents", "linked_numbers")


def check_number_of_documents(count: int) -> None:
    """Before anything is made of each. Raises Invalid over the limit (invented)."""
    try:
        DOCUMENTS.check(count, "documents")
    except ValueError as error:
        raise unreadable(str(error)) from None


@dataclass(slots=True)
class ReadCreate:
    """A create as far as it could be read; ``ignored`` names the fields that nothing uses."""

    wanted: NewApplication
    problems: list[Problem] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ReadCorrection:
    change: Correction
    problems: list[Problem] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ListQuery:
    where: Where
    offset: int
    limit: int
    expand: Collection[str]


@dataclass(slots=True)
class Shown:
    """What presenters need besides the records: where links point, and what to expand."""

    base_url: str
    auth_id: str
    expand: Collection[str] = ()

    def file_url(self, application_id: str, document: Document) -> str:
        """Where the file comes from (decision "Files and downloads"); the shape is the beta page's
        (documented)."""
        return (
            f"{self.base_url}/v1/Account/{self.auth_id}/PhoneNumber/Compliance/"
            f"{application_id}/Document/{document.id}/download"
        )


class LinkedNumberOut(TypedDict):
    number: str
    number_type: str


def linked_numbers(view: ApplicationView) -> list[LinkedNumberOut]:
    """``linked_numbers`` as the SDKs' own tests have it (observed); the page names it only."""
    return [
        {"number": f"+{number.id}", "number_type": number.number_type} for number in view.numbers
    ]


class ApiId(TypedDict):
    """What the routes add to every answer."""

    api_id: Uuid


Presented = Mapping[str, object]


class NewApi(Protocol):
    """The names that a dialect's package offers."""

    @property
    def NAME(self) -> str: ...
    @property
    def RULES(self) -> Dialect: ...

    def read_create(self, body: Body) -> ReadCreate: ...
    def read_correction(self, body: Body) -> ReadCorrection: ...
    def read_get_query(self, query: Query) -> Collection[str]: ...
    def read_list_query(self, query: Query, machine: Machine) -> ListQuery: ...
    def present_requirements(self, catalogue: Catalogue, query: Query) -> Presented: ...
    def present_created(self, id: str) -> Presented: ...
    def present_one(self, view: ApplicationView, shown: Shown) -> Presented: ...
    def present_corrected(self, view: ApplicationView, shown: Shown) -> Presented: ...
    def present_list(
        self, views: Sequence[ApplicationView], meta: MetaOut, shown: Shown
    ) -> Presented: ...
    def present_deleted(self, id: str) -> Presented: ...
    def error_body(self, error: SimError, api_id: str) -> tuple[int, Presented]: ...


LIST_PARAMETERS = (
    "limit", "offset", "status", "country_iso", "number_type", "user_type", "alias", "expand",
)  # fmt: skip


def read_get_query(query: Query, *, everything: Collection[str] = ()) -> Collection[str]:
    """What to expand. ``id`` is tolerated: the Java SDK sends it on every get (observed)."""
    problems = refuse_unknown(query, ("expand", "id"))
    expand = read_expand(query, problems, everything=everything)
    refuse_if_any(problems)
    return expand


def read_expand(
    query: Query, problems: list[Problem], *, everything: Collection[str] = ()
) -> Collection[str]:
    """The ``expand`` list. ``everything``: words that expand all of it."""
    words = [word for part in query.get("expand", "").split(",") if (word := part.strip())]
    if len(words) == 1 and words[0] in everything:
        return EXPANDABLE
    unknown = [word for word in words if word not in EXPANDABLE]
    if unknown:
        text = f"must be a list of {', '.join(EXPANDABLE)}; not '{unknown[0][:50]}'"
        problems.append(Problem(ProblemKind.BAD_PARAMETER, ("expand",), text))
    return words


def read_list_query(
    query: Query,
    status_words: Mapping[str, str],
    number_types: type[StrEnum] = NumberType,
    *,
    offered: Iterable[str] = (),
    everything: Collection[str] = (),
) -> ListQuery:
    """The eight parameters of a list; empty ones count as absent. A word that the dialect does not
    have is refused (inferred). ``offered``: the number types that a refusal names. Raises Invalid.
    """
    problems = refuse_unknown(query, LIST_PARAMETERS)
    where: dict[str, Collection[str]] = {}
    if text := query.get("status", ""):
        where["status"] = statuses_of(text, status_words, problems)
    if text := query.get("country_iso", ""):
        try:
            where["country_iso"] = (read_country(text),)
        except ValueError as error:
            problems.append(Problem(ProblemKind.BAD_PARAMETER, ("country_iso",), str(error)))
    if text := query.get("alias", ""):
        where["alias"] = (text,)
    for name, words, named in (
        ("number_type", number_types, offered),
        ("user_type", UserType, ()),
    ):
        if text := query.get(name, ""):
            word = read_parameter(words, name, text, problems, named)
            if word is not None:
                where[name] = (word,)
    found = ListQuery(
        where=where,
        offset=whole_number(query, "offset", 0, 0, 10**9, problems),
        limit=whole_number(query, "limit", 20, 1, 100, problems),
        expand=read_expand(query, problems, everything=everything),
    )
    refuse_if_any(problems)
    return found


def statuses_of(
    text: str, status_words: Mapping[str, str], problems: list[Problem]
) -> Collection[str]:
    """Every status that the dialect prints as that word."""
    found = [status for status, word in status_words.items() if word == text.strip().lower()]
    if not found:
        problems.append(_not_one_of("status", dict.fromkeys(status_words.values()), text))
    return found


def read_parameter(
    words: type[StrEnum],
    name: str,
    text: str,
    problems: list[Problem],
    offered: Iterable[str] = (),
) -> Any | None:
    """The word of an enumeration that a parameter means; a wrong one is a problem, which names
    the words that are ``offered``, or all."""
    word = read_word(words, text)
    if word is None:
        problems.append(_not_one_of(name, offered or words, text))
    return word


_METHODS: Mapping[str, Method] = {"GET": "GET", "POST": "POST"}


def read_callback_method(usable: Mapping[str, Any], problems: list[Problem]) -> Method | None:
    """``GET`` or ``POST``, in any case; None when it was not given or is neither."""
    text = usable.get("callback_method")
    if not text:
        return None
    method = _METHODS.get(text.upper())
    if method is None:
        complaint = f"must be one of GET, POST, not '{text[:50]}'"
        problems.append(Problem(ProblemKind.NOT_ALLOWED, ("callback_method",), complaint))
    return method


def _not_one_of(name: str, allowed: Iterable[str], text: str) -> Problem:
    complaint = f"must be one of {', '.join(allowed)}, not '{text[:50]}'"
    return Problem(ProblemKind.BAD_PARAMETER, (name,), complaint)
