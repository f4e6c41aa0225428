"""What the page's clients send. It names the arguments (documented), but no encoding (inferred)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plivo_sim.dialects.bodies import Body, not_taken, unreadable
from plivo_sim.dialects.paging import Query
from plivo_sim.dialects.phone_number import queries
from plivo_sim.dialects.phone_number.documented.embedded import read_file
from plivo_sim.dialects.phone_number.documented.forms import MOST_DOCUMENTS, object_of
from plivo_sim.dialects.phone_number.documented.paths import ADDRESS, to_domain
from plivo_sim.dialects.phone_number.documented.presenters import STATUS_WORDS
from plivo_sim.dialects.phone_number.port import ListQuery, ReadCorrection, ReadCreate
from plivo_sim.dialects.phone_number.queries import read_callback_method
from plivo_sim.dialects.shapes import Shape, load
from plivo_sim.dialects.words import dotted
from plivo_sim.domain.models import NumberType, Origin, Version
from plivo_sim.errors import Fault, Path, Problem
from plivo_sim.services.inputs import Correction, Dialect, DocumentDraft, NewApplication

if TYPE_CHECKING:
    from marshmallow import Schema

RULES = Dialect(
    origin=Origin.DOCUMENTED,
    version=Version.DOCUMENTED,
    formats=("PDF", "PNG"),
    https_only=False,
    replaces_documents=False,
)

_SCHEMAS = "plivo_sim.dialects.phone_number.documented.schemas"
_create_in, _update_in = Shape(_SCHEMAS, "CreateIn"), Shape(_SCHEMAS, "UpdateIn")


def read_create(body: Body) -> ReadCreate:
    """A create. No body at all counts as an empty object, so that all that is needed is named."""
    read = _read(body, _create_in)
    usable, problems = read.usable, read.problems
    number_type = usable.get("number_type")
    end_user = _flat(usable.get("end_user") or {})
    wanted = NewApplication(
        country_iso=usable.get("country_iso"),
        number_type=NumberType(number_type) if number_type else None,
        user_type=end_user.get("type"),
        alias=usable.get("alias") or "",
        end_user=end_user,
        documents=read.drafts or (),
        callback_url=usable.get("callback_url"),
        callback_method=read_callback_method(usable, problems) or "POST",
    )
    has_key = wanted.country_iso and wanted.number_type and wanted.user_type
    if read.drafts is None and not has_key and not _flagged(problems, ("documents",)):
        problems.append(Problem(Fault.MISSING_FIELD, ("documents",), "is required"))
    return ReadCreate(wanted, problems, read.ignored)


def read_correction(body: Body) -> ReadCorrection:
    """An update: everything optional, but a body there must be."""
    if body.kind == "empty":
        names = ", ".join(_update_in.fields)
        raise unreadable(f"the body is empty; send one or more of {names}")
    read = _read(body, _update_in)
    usable, problems = read.usable, read.problems
    end_user = _flat(usable.get("end_user") or {})
    if "name" in end_user:
        end_user["last_name"] = ""  # this dialect's name is the full one
        if not end_user["name"].strip():
            problems.append(Problem(Fault.MISSING_FIELD, ("end_user", "name"), "is required"))
    change = Correction(
        alias=usable.get("alias"),
        end_user=end_user,
        documents=read.drafts,
        callback_url=usable.get("callback_url"),
        callback_method=read_callback_method(usable, problems),
    )
    return ReadCorrection(change, problems, read.ignored)


def read_get_query(query: Query) -> Collection[str]:
    """What to expand."""
    return queries.read_get_query(query)


def read_list_query(query: Query) -> ListQuery:
    """Filters and paging. Raises Invalid."""
    return queries.read_list_query(query, STATUS_WORDS)


@dataclass(slots=True)
class _Read:
    """What came in: the usable values, what is wrong, the documents if any were named."""

    usable: dict[str, Any]
    problems: list[Problem]
    drafts: list[DocumentDraft] | None
    ignored: list[str]


def _read(body: Body, shape: Shape) -> _Read:
    data, ignored = _object(body)
    documents = data.get("documents") if isinstance(data, Mapping) else None
    if isinstance(documents, list) and len(documents) > MOST_DOCUMENTS:
        raise unreadable(f"there are more than {MOST_DOCUMENTS} documents")
    usable, problems = load(shape, data, to_domain)
    drafts = None
    if isinstance(documents, list):
        drafts = [_draft(each, index, problems) for index, each in enumerate(documents)]
    return _Read(usable, problems, drafts, ignored + list(_unknown(shape.schema, data, ())))


def _object(body: Body) -> tuple[Any, list[str]]:
    """What the body says, whatever its encoding. Raises Invalid (unreadable)."""
    if body.kind in ("multipart", "form"):
        return object_of(body.parts)
    if body.kind == "other":
        text = "the Content-Type must be multipart/form-data or application/json"
        raise not_taken(text, body.media_type)
    return (body.json if body.kind == "json" else {}), []


def _draft(entry: Any, index: int, problems: list[Problem]) -> DocumentDraft:
    """One document, taken from what was sent, so that indexes stay those of the request."""
    given = entry if isinstance(entry, Mapping) else {}
    reference, values = given.get("type"), given.get("data_fields")
    word = reference if isinstance(reference, str) else ""
    path: Path = ("documents", index, "file")
    upload, problem = read_file(given.get("file"), path, word or "document")
    if problem is not None:
        problems.append(problem)
    fields = values.items() if isinstance(values, Mapping) else ()
    return DocumentDraft(
        type_reference=word,
        data_fields={key: value for key, value in fields if isinstance(value, str)},
        upload=upload,
    )


def _flat(end_user: Mapping[str, Any]) -> dict[str, Any]:
    """The page's end user with the domain's names."""
    flat = {key: value for key, value in end_user.items() if key != "address"}
    address = end_user.get("address") or {}
    return flat | {ADDRESS[key]: value for key, value in address.items()}


def _flagged(problems: list[Problem], path: Path) -> bool:
    return any(problem.path in ((), path) for problem in problems)


def _unknown(schema: Schema, data: Any, path: Path) -> Iterator[str]:
    """The names in ``data`` that the schema does not know and nobody looks at."""
    from marshmallow import fields as wire_fields  # here: see ``shapes``

    for key, value in data.items() if isinstance(data, Mapping) else ():
        field = schema.fields.get(key)
        if field is None:
            yield dotted((*path, key))
        elif isinstance(field, wire_fields.Nested):
            yield from _unknown(field.schema, value, (*path, key))
        elif isinstance(field, wire_fields.List) and isinstance(value, list):
            nested = field.inner
            assert isinstance(nested, wire_fields.Nested)
            for index, each in enumerate(value):
                yield from _unknown(nested.schema, each, (*path, key, index))
