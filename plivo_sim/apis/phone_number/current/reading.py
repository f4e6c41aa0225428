"""Reads what the SDKs send: a form field ``data`` with JSON text, files as ``documents[i].file``.

Source: docs/wire-facts.md, "The new API today" (observed).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from plivo_sim.apis.dialects import FILE_FIELD
from plivo_sim.apis.phone_number import dialect
from plivo_sim.apis.phone_number.dialect import (
    ListQuery,
    ReadCorrection,
    ReadCreate,
    read_callback_method,
)
from plivo_sim.apis.reading import Query, Shape, ignored_keys, load
from plivo_sim.apis.words import TODAYS_NUMBER_TYPES
from plivo_sim.domain.errors import Problem, ProblemKind
from plivo_sim.domain.machine import Machine
from plivo_sim.domain.records import Origin, Version
from plivo_sim.domain.text import decode_json
from plivo_sim.services.inputs import Correction, Dialect, DocumentDraft, NewApplication, Upload
from plivo_sim.web.bodies import Body, unreadable

RULES = Dialect(
    origin=Origin.CURRENT,
    version=Version.CURRENT,
    formats=("PDF", "PNG", "JPEG"),
    replaces_documents=True,
    expected_details=("email", "address_line1", "city", "state", "postal_code", "country"),
)
"""``expected_details``: those that the Node SDK's documentation calls required and that clients are
seen to leave out (observed)."""

_SCHEMAS = "plivo_sim.apis.phone_number.current.schemas"


_create_in, _update_in = Shape(_SCHEMAS, "CreateIn"), Shape(_SCHEMAS, "UpdateIn")


def read_create(body: Body) -> ReadCreate:
    """A create: ``data`` and its files. Raises Invalid when ``data`` is missing or not JSON."""
    read = _read(body, _create_in)
    usable, problems = read.usable, read.problems
    end_user = usable.get("end_user") or {}
    wanted = NewApplication(
        country_iso=usable.get("country_iso"),
        number_type=usable.get("number_type"),
        user_type=end_user.get("type"),
        alias=usable.get("alias"),
        end_user=end_user,
        documents=read.drafts or (),
        callback_url=usable.get("callback_url"),
        callback_method=read_callback_method(usable, problems) or "POST",
    )
    return ReadCreate(wanted, problems, read.ignored)


def read_correction(body: Body) -> ReadCorrection:
    """An update: every field is optional; files without ``data.documents`` are refused."""
    read = _read(body, _update_in, optional=bool(body.parts))
    usable, problems = read.usable, read.problems
    if read.has_files and read.drafts is None:
        text = "is required in 'data' when files are sent: name the type of each"
        problems.append(Problem(ProblemKind.BAD_VALUE, ("documents",), text))
    change = Correction(
        alias=usable.get("alias"),
        end_user=usable.get("end_user") or {},
        documents=read.drafts,
        callback_url=usable.get("callback_url"),
        callback_method=read_callback_method(usable, problems),
    )
    return ReadCorrection(change, problems, read.ignored)


def read_get_query(query: Query) -> Collection[str]:
    """What to expand; ``true`` means everything (PHP's own test sends it, observed)."""
    return dialect.read_get_query(query, everything=("true",))


def read_list_query(query: Query, machine: Machine) -> ListQuery:
    """The eight parameters of a list; empty ones count as absent. Raises Invalid."""
    return dialect.read_list_query(
        query,
        machine.words("current"),
        offered=TODAYS_NUMBER_TYPES,
        everything=("true",),
    )


@dataclass(slots=True)
class _Read:
    """What was read: the usable values, the problems, the documents if any were named."""

    usable: dict[str, Any]
    problems: list[Problem]
    drafts: list[DocumentDraft] | None
    has_files: bool
    ignored: list[str]


def _read(body: Body, shape: Shape, *, optional: bool = False) -> _Read:
    part = body.part("data")
    if part is None and not optional:
        text = "Field 'data' is required: a form field that holds the application as JSON text"
        if body.kind in ("json", "other"):
            text += f"; the body is {body.media_type or 'JSON'}"
        raise unreadable(text)
    try:
        data = decode_json(part.content) if part is not None and part.content.strip() else {}
    except ValueError as error:
        raise unreadable(f"Field 'data' is not valid JSON: {error}") from None
    if isinstance(data, dict) and isinstance(data.get("documents"), list):
        dialect.check_number_of_documents(len(data["documents"]))
    usable, problems = load(shape, data)
    files: dict[int, Upload] = {}
    ignored = list(ignored_keys(shape.kind, data))
    for each in body.parts:
        match = FILE_FIELD.fullmatch(each.name)
        at = int(match[1]) if match and (each.content or each.is_file) else -1
        if at >= 0 and at not in files:
            files[at] = each.upload()
        elif each is not part:
            ignored.append(each.name)
    drafts = _drafts(data, files)
    if drafts is not None:
        ignored += [f"documents[{at}].file" for at in files if at >= len(drafts)]
    return _Read(usable, problems, drafts, bool(files), ignored)


def _drafts(data: Any, files: dict[int, Upload]) -> list[DocumentDraft] | None:
    """The documents with the files that their index pairs them with.

    Taken from what was sent, not from what the schema kept, so that indexes stay those of the
    request when an entry is unusable.
    """
    documents = data.get("documents") if isinstance(data, dict) else None
    if not isinstance(documents, list):
        return None
    return [_draft(each, files.get(index)) for index, each in enumerate(documents)]


def _draft(entry: Any, upload: Upload | None) -> DocumentDraft:
    given = entry if isinstance(entry, dict) else {}
    reference, values = given.get("document_type_id"), given.get("data_fields")
    fields = values.items() if isinstance(values, dict) else ()
    return DocumentDraft(
        type_reference=reference if isinstance(reference, str) else "",
        data_fields={key: value for key, value in fields if isinstance(value, str)},
        upload=upload,
    )
