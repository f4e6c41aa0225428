"""Bodies of the legacy API: JSON objects, and the form of a document.

Source: docs/wire-facts.md, "The legacy API", "Checklist of traps" (observed).

Query strings of the lists: filters in every spelling that a client is known to send.

The filters are those that the SDKs send (observed). Unknown parameters are ignored (inferred:
only the new API is known to refuse them) and named in a warning, because a misspelt filter would
otherwise look like one that matches everything.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from flask import request

from plivo_sim.apis.legacy.presenters import to_domain
from plivo_sim.apis.reading import (
    LARGEST_PAGE,
    ListQuery,
    Query,
    Shape,
    load,
    read_json_body,
    read_page,
    refuse_if_any,
    want_json_type,
)
from plivo_sim.apis.words import one_of, read_country
from plivo_sim.domain.errors import Problem, ProblemKind
from plivo_sim.domain.records import NumberType, UserType
from plivo_sim.domain.text import decode_json
from plivo_sim.services.document_sets import kind_of
from plivo_sim.services.documents import DocumentRequest
from plivo_sim.services.inputs import Upload
from plivo_sim.web.bodies import FILE_LISTS, UNSET, Body, not_taken, read_body
from plivo_sim.web.calls import Call, current_call
from plivo_sim.web.endpoints import Query as Parameter
from plivo_sim.web.parts import Part

MOST_LISTED = 100
"""The largest page (decision "Pages of the legacy API")."""

PAGE = (
    Parameter(
        name="limit",
        type="integer",
        description=f"1 to {MOST_LISTED}, default {LARGEST_PAGE}; Plivo documents no more.",
    ),
    Parameter(name="offset", type="integer"),
)

TOLERATED = ("id",)
"""Java sends ``id`` with look-ups (observed)."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter: its spellings (the first one given counts) and how a text becomes the values
    that match. ``read`` raises ValueError with a sentence."""

    names: tuple[str, ...]
    read: Callable[[str], Collection[str]] = lambda text: (text,)


def statuses(text: str) -> Collection[str]:
    """Every status that this API prints as that word, which may be in any case."""
    words = current_call().account.machine.words("legacy")
    found = [status for status, word in words.items() if word == text.strip().lower()]
    if not found:
        allowed = ", ".join(dict.fromkeys(words.values()))
        raise ValueError(f"must be one of {allowed}, not '{text[:50]}'")
    return found


COUNTRY = Filter(("country_iso2", "country_iso", "country"), lambda text: (read_country(text),))
"""Go sends ``country`` to lists (observed), the page writes ``country_iso`` (documented)."""

NUMBER_TYPE = Filter(("number_type",), lambda text: (one_of(NumberType, text),))
USER_TYPE = Filter(("end_user_type",), lambda text: (one_of(UserType, text),))


def parameters(filters: Mapping[str, Filter]) -> tuple[Parameter, ...]:
    """The filters in every spelling, as endpoints declare them."""
    return tuple(Parameter(name=name) for each in filters.values() for name in each.names)


def read_filters(
    query: Query, filters: Mapping[str, Filter], problems: list[Problem]
) -> dict[str, Collection[str]]:
    """Field -> values for the filters that are given and not empty; bad ones are problems."""
    found: dict[str, Collection[str]] = {}
    for field, each in filters.items():
        name = next((name for name in each.names if query.get(name)), None)
        if name is None:
            continue
        try:
            found[field] = each.read(query[name])
        except ValueError as error:
            problems.append(Problem(ProblemKind.BAD_PARAMETER, (name,), str(error)))
    return found


def read_list_query(call: Call, query: Query, filters: Mapping[str, Filter]) -> ListQuery:
    """Filters, ``limit`` and ``offset``. Raises Invalid with everything that is wrong.

    A ``limit`` of more than 20 passes with a warning (field-reported: docs/wire-facts.md, "Legacy
    lists"); up to 100, as in the new API (invented).
    """
    problems: list[Problem] = []
    where = read_filters(query, filters, problems)
    offset, limit = read_page(query, problems, MOST_LISTED)
    refuse_if_any(problems)
    if limit > LARGEST_PAGE:
        call.warnings.append(f"limit: Plivo documents at most {LARGEST_PAGE}")
    return ListQuery(where=where, offset=offset, limit=limit)


_REPEATED_IDS = ("id", "end_user_id", "compliance_document_id", "compliance_application_id")
"""Go, Ruby and Java repeat the path's id in the body (observed)."""

_FILE = ("file", "proof")
_INFORMATION = "information"
_CONTAINER = "data_fields"
"""Where the new API has them."""
_JUNK = ("", "path", "api_id", "multipart")
"""What PHP and Go put into the form beside the fields (observed)."""

SCHEMAS = "plivo_sim.apis.legacy.schemas"
_document_in = Shape(SCHEMAS, "DocumentIn")
_document_change_in = Shape(SCHEMAS, "DocumentChangeIn")

Loaded = tuple[dict[str, Any], list[Problem]]


def read_json(call: Call, shape: Shape, spellings: dict[str, str] | None = None) -> Loaded:
    """What is usable of a JSON body and what is wrong with it; null means "not given".

    ``spellings``: other names of keys. An empty body counts as an empty object. Raises Invalid
    when the body is no JSON object, or of another content type.
    """
    body = read_json_body(call, "a JSON object")
    data = {key: value for key, value in body.json_object().items() if value is not None}
    for other, name in (spellings or {}).items():
        if other in data:
            data.setdefault(name, data.pop(other))
    unknown = data.keys() - shape.fields.keys()
    if unknown:
        _warn_ignored(call, "key", {key: data[key] for key in data if key in unknown})
    return load(shape, data, to_domain)


def read_no_arguments(call: Call) -> None:
    """Read the body and ignore what it says, with a warning that names it. Raises Invalid when it
    cannot be read, or is JSON but no object.

    Submit comes with an empty body, ``""``, ``{}``, ``{"id": …}`` or none (observed).
    """
    body = read_body(request)
    want_json_type(call, body)
    _warn_ignored(call, "key", body.json_object())
    _warn_ignored(call, "form field", {part.name: part.text() for part in body.parts})


def read_document(call: Call, *, change: bool) -> tuple[DocumentRequest, list[Problem]]:
    """A document from its form, multipart or urlencoded. Raises Invalid when it is neither."""
    body = read_body(request)
    if body.kind not in ("multipart", "form", "empty"):
        text = (
            "the body must be a form: multipart/form-data, or without a file"
            " application/x-www-form-urlencoded"
        )
        raise not_taken(text, body.media_type)
    files = [part for part in body.parts if _names_file(part) and (part.is_file or part.content)]
    values = _values(call, body)
    if values.pop(_CONTAINER, None) is not None:
        hint = "each data field is a form field of its own"
        call.warnings.append(f"ignored form field '{_CONTAINER}': {hint}")
    information, problems = _information(values)
    shape = _document_change_in if change else _document_in
    usable, wrong = load(shape, {name: values.pop(name, None) for name in shape.fields})
    upload, bad_file = _upload(files)
    read = DocumentRequest(**usable, data_fields=information | values, upload=upload)
    return read, [*wrong, *problems, *bad_file]


def _names_file(part: Part) -> bool:
    """Whether a part is the document's file; in the spellings of lists it has to be one."""
    return part.name.lower() in _FILE or (part.name in FILE_LISTS and part.is_file)


def _values(call: Call, body: Body) -> dict[str, str]:
    """The text fields that were filled in; of a repeated one the last."""
    values = {}
    for part in body.parts:
        if part.name in _JUNK or _names_file(part):
            continue
        if part.is_file:
            _warn_ignored(call, "form field", {part.name: None})
            continue
        text = part.text()
        if part.name == "compliance_document_id":
            _warn_ignored(call, "form field", {part.name: text})
        elif text not in UNSET:
            values[part.name] = text
    return values


def _information(values: dict[str, str]) -> tuple[dict[str, str], list[Problem]]:
    """The page's ``Information``: data fields as JSON text (decision "Legacy spellings"). Taken out
    of ``values``."""
    name = next((name for name in values if name.lower() == _INFORMATION), None)
    if name is None:
        return {}, []
    path = (_INFORMATION,)
    try:
        data = decode_json(values.pop(name))
    except ValueError as error:
        return {}, [Problem(ProblemKind.UNREADABLE, path, f"is not valid JSON: {error}")]
    if not isinstance(data, dict):
        return {}, [Problem(ProblemKind.WRONG_TYPE, path, "must be a JSON object of strings")]
    given = {key: value for key, value in data.items() if value not in (None, "")}
    wrong = [
        Problem(ProblemKind.WRONG_TYPE, (*path, key), "must be a string")
        for key, value in given.items()
        if not isinstance(value, str)
    ]
    return ({}, wrong) if wrong else (given, [])


def _upload(files: list[Part]) -> tuple[Upload | None, list[Problem]]:
    """The one file."""
    path = ("file",)
    if len(files) > 1:
        return None, [Problem(ProblemKind.BAD_FILE, path, "give one file only")]
    if not files:
        return None, []
    if not files[0].is_file and kind_of(files[0].content) is None:
        text = "must be uploaded as a file part of multipart/form-data, not given as text"
        return None, [Problem(ProblemKind.BAD_FILE, path, text)]
    return files[0].upload(), []


def _warn_ignored(call: Call, what: str, given: Mapping[str, Any]) -> None:
    """Name what nothing uses, but not an id that repeats the path's: one that contradicts it is
    named as any other."""
    own = (request.view_args or {}).get("id")
    call.warnings += [
        f"ignored {what} '{name[:50]}'"
        for name, value in given.items()
        if name not in _REPEATED_IDS or own is None or value != own
    ]
