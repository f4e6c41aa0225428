"""Answers as the SDKs' recorded fixtures show them, key by key and in their order.

Errors of this dialect: ``{"api_id", "error": "text"}`` (observed).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NotRequired, TypedDict

from plivo_sim.apis.errors import plain_error
from plivo_sim.apis.phone_number.dialect import (
    ApiId,
    LinkedNumberOut,
    Shown,
    linked_numbers,
    read_parameter,
)
from plivo_sim.apis.reading import MetaOut, Query, refuse_if_any, refuse_unknown
from plivo_sim.apis.words import (
    TODAYS_NUMBER_TYPES,
    CurrentWord,
    Instant,
    Uuid,
    microseconds,
    read_country,
)
from plivo_sim.domain.errors import Invalid, Problem, ProblemKind, SimError
from plivo_sim.domain.machine import Dialect, Machine
from plivo_sim.domain.records import (
    Application,
    Document,
    EndUser,
    NumberType,
    Origin,
    Pairs,
    StatusChanged,
    UserType,
    Version,
)
from plivo_sim.domain.requirements import Catalogue, DocumentType, FieldRule
from plivo_sim.services.applications import ApplicationView


class FieldOut(TypedDict):
    field_name: str
    friendly_name: str
    field_type: str
    required: bool
    min_length: int
    max_length: int
    format: str
    help_text: NotRequired[str]
    enums: NotRequired[str]


class DocumentTypeOut(TypedDict):
    document_type_id: Uuid
    name: str
    description: str
    proof_required: bool
    required_fields: list[FieldOut]


class Requirements(TypedDict):
    requirement_id: Uuid
    country_iso: str
    number_type: str
    user_type: str
    document_types: list[DocumentTypeOut]


class RequirementsOut(ApiId, Requirements): ...


class EndUserOut(TypedDict):
    end_user_id: Uuid
    type: str
    name: str
    last_name: str | None
    email: str | None
    address_line1: str | None
    address_line2: str | None
    city: str | None
    state: str | None
    postal_code: str | None
    country: str | None
    registration_number: str | None


class DocumentOut(TypedDict):
    document_id: Uuid
    document_type_id: Uuid
    document_name: str
    file_name: str | None
    meta_information: dict[str, str]
    download_url: str | None
    created_at: Instant


class Expanded(TypedDict, total=False):
    end_user: EndUserOut
    documents: list[DocumentOut]
    linked_numbers: list[LinkedNumberOut]


class Kind(TypedDict):
    compliance_id: Uuid
    alias: str
    status: CurrentWord
    country_iso: str
    number_type: str
    user_type: str


class History(TypedDict):
    rejection_reason: NotRequired[str]
    created_at: Instant
    updated_at: Instant


class ListedOut(Kind, History, Expanded):
    """A record in a list."""


class ComplianceOut(ListedOut):
    """A record on its own."""

    callback_url: str | None
    callback_method: str | None


class Created(TypedDict):
    compliance_id: Uuid
    message: str


class CreatedOut(ApiId, Created): ...


DeletedOut = CreatedOut


class One(TypedDict):
    compliance: ComplianceOut


class OneOut(ApiId, One): ...


class Updated(Created, One): ...


class UpdatedOut(ApiId, Updated): ...


class List(TypedDict):
    meta: MetaOut
    compliances: list[ListedOut]


class ListOut(ApiId, List): ...


class ErrorOut(ApiId):
    error: str


def error_body(error: SimError, api_id: str) -> tuple[int, ErrorOut]:
    """Status and body; ``error`` is always a string."""
    status, text = plain_error(error)
    return status, {"api_id": api_id, "error": text}


def present_requirements(catalogue: Catalogue, query: Query) -> Requirements:
    """The recorded Requirements answer (observed). All three parameters are needed (inferred:
    every recorded call gives them, and the flat answer has room for one)."""
    problems = refuse_unknown(query, ("country_iso", "number_type", "user_type"))
    country = query.get("country_iso", "")
    if not country:
        problems.append(Problem(ProblemKind.MISSING_FIELD, ("country_iso",), "is required"))
    else:
        try:
            country = read_country(country)
        except ValueError as error:
            problems.append(Problem(ProblemKind.BAD_PARAMETER, ("country_iso",), str(error)))
    number_type = _word(NumberType, "number_type", query, problems, TODAYS_NUMBER_TYPES)
    user_type = _word(UserType, "user_type", query, problems)
    refuse_if_any(problems)
    assert number_type is not None
    assert user_type is not None
    key = (country, number_type, user_type)
    found = catalogue.find(Version.CURRENT, key)
    if found is None:
        raise Invalid([catalogue.no_requirement(Version.CURRENT, *key)])
    return {
        "requirement_id": found.id,
        "country_iso": found.country_iso,
        "number_type": found.number_type,
        "user_type": found.user_type,
        "document_types": [_document_type(type_) for type_ in found.document_types],
    }


def _word(
    words: Any, name: str, query: Query, problems: list[Problem], offered: Iterable[str] = ()
) -> Any:
    text = query.get(name, "")
    if not text:
        problems.append(Problem(ProblemKind.MISSING_FIELD, (name,), "is required"))
        return None
    return read_parameter(words, name, text, problems, offered)


def _document_type(type_: DocumentType) -> DocumentTypeOut:
    return {
        "document_type_id": type_.id,
        "name": type_.name,
        "description": type_.description,
        "proof_required": type_.proof_required,
        "required_fields": [_field(rule) for rule in type_.fields],
    }


def _field(rule: FieldRule) -> FieldOut:
    """A field; ``enums`` is one comma-separated string here, and ``format`` is empty where there is
    none (documented: docs/wire-facts.md, "Kinds of fields"; an array fails in Go). The recorded
    answer, which is older, leaves ``format`` out (observed)."""
    shown: FieldOut = {
        "field_name": rule.name,
        "friendly_name": rule.label,
        "field_type": rule.type,
        "required": rule.required,
        "min_length": rule.min_length,
        "max_length": rule.max_length,
        "format": rule.format or "",
    }
    if rule.help_text:
        shown["help_text"] = rule.help_text
    if rule.enums:
        shown["enums"] = ",".join(rule.enums)
    return shown


def present_created(id: str) -> Created:
    return {
        "compliance_id": id,
        "message": "Compliance application created and submitted for review.",
    }


def present_one(view: ApplicationView, shown: Shown) -> One:
    """Wrapped in ``compliance``: Go, Java and .NET need that."""
    return {"compliance": _compliance(view, shown)}


def present_corrected(view: ApplicationView, shown: Shown) -> Updated:
    """Both ``compliance`` (Go, Node, Ruby) and ``compliance_id`` (Java, .NET)."""
    return {
        "compliance_id": view.application.id,
        "message": "Compliance application updated and resubmitted for review.",
        "compliance": _compliance(view, shown),
    }


def present_list(views: Sequence[ApplicationView], meta: MetaOut, shown: Shown) -> List:
    """Items have no callback fields, even where the record has them (observed)."""
    return {"meta": meta, "compliances": [_listed(view, shown) for view in views]}


def present_deleted(id: str) -> Created:
    return {"compliance_id": id, "message": "Compliance application deleted."}


def _compliance(view: ApplicationView, shown: Shown) -> ComplianceOut:
    application = view.application
    return {
        **_kind(view),
        "callback_url": application.callback_url,
        "callback_method": application.callback_method if application.callback_url else None,
        **_history(application),
        **_expanded(view, shown),
    }


def _listed(view: ApplicationView, shown: Shown) -> ListedOut:
    application = view.application
    return {**_kind(view), **_history(application), **_expanded(view, shown)}


def _kind(view: ApplicationView) -> Kind:
    application = view.application
    return {
        "compliance_id": application.id,
        "alias": application.alias,
        "status": view.row.current,
        "country_iso": application.country_iso,
        "number_type": application.number_type,
        "user_type": application.user_type,
    }


def _history(application: Application) -> History:
    dates: History = {
        "created_at": microseconds(application.created_at),
        "updated_at": microseconds(application.updated_at),
    }
    if application.rejection_reason is None:
        return dates
    return {"rejection_reason": application.rejection_reason, **dates}


def _expanded(view: ApplicationView, shown: Shown) -> Expanded:
    nested: Expanded = {}
    if "end_user" in shown.expand:
        nested["end_user"] = _end_user(view.end_user)
    if "documents" in shown.expand:
        nested["documents"] = [
            _document(view.application.id, document, type_, shown)
            for document, type_ in view.documents
        ]
    if "linked_numbers" in shown.expand:
        nested["linked_numbers"] = linked_numbers(view)
    return nested


def _end_user(end_user: EndUser) -> EndUserOut:
    return {
        "end_user_id": end_user.id,
        "type": end_user.type,
        "name": end_user.name,
        "last_name": end_user.last_name,
        "email": end_user.email,
        "address_line1": end_user.address_line1,
        "address_line2": end_user.address_line2,
        "city": end_user.city,
        "state": end_user.state,
        "postal_code": end_user.postal_code,
        "country": end_user.country,
        "registration_number": end_user.registration_number,
    }


def _document(
    application_id: str, document: Document, type_: DocumentType, shown: Shown
) -> DocumentOut:
    return {
        "document_id": document.id,
        "document_type_id": document.document_type_id,
        "document_name": type_.name,
        "file_name": document.file.name if document.file else None,
        "meta_information": dict(document.data_fields),
        "download_url": shown.file_url(application_id, document) if document.file else None,
        "created_at": microseconds(document.created_at),
    }


def encode_callback(event: StatusChanged, machine: Machine) -> Pairs:
    """``compliance_id``, ``status``, ``rejection_reason`` (observed: field-reported)."""
    application = event.application
    api: Dialect = "atoms" if application.origin is Origin.ATOMS else "current"
    _, word = machine.told(event.previous, application.status, api)
    fields = (("compliance_id", application.id), ("status", word))
    reason = application.rejection_reason
    return fields if reason is None else (*fields, ("rejection_reason", reason))
