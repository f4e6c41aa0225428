"""Answers as the page's samples show them, key by key and in their order (documented)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from itertools import groupby
from typing import Any, NotRequired, TypedDict

from plivo_sim.apis.phone_number.dialect import (
    ApiId,
    LinkedNumberOut,
    Shown,
    linked_numbers,
    read_parameter,
)
from plivo_sim.apis.reading import MetaOut, Query, refuse_if_any, refuse_unknown
from plivo_sim.apis.words import BetaWord, Instant, Url, Uuid, read_country, seconds
from plivo_sim.domain.errors import Invalid, Problem, ProblemKind
from plivo_sim.domain.machine import Machine, StatusRow
from plivo_sim.domain.records import (
    Application,
    Document,
    DocumentReview,
    EndUser,
    Pairs,
    StatusChanged,
    UserType,
    Version,
)
from plivo_sim.domain.requirements import Catalogue, DocumentType, FieldRule, Requirement
from plivo_sim.services.applications import ApplicationView


class PageNumberType(StrEnum):
    """The number types that the page has (documented): fewer than the domain's."""

    LOCAL = "local"
    MOBILE = "mobile"
    TOLLFREE = "tollfree"


class RequiredDocumentOut(TypedDict):
    title: str
    type: str
    accepted_formats: list[str]
    description: str


class RequiredFieldOut(TypedDict):
    field_name: str
    field_label: str
    required: bool
    field_type: str
    max_length: int
    min_length: int


class UserTypeOut(TypedDict):
    user_type: str
    required_documents: list[RequiredDocumentOut]
    required_fields: list[RequiredFieldOut]
    estimated_review_days: int


class NumberTypeOut(TypedDict):
    number_type: str
    user_types: list[UserTypeOut]


class Requirements(TypedDict):
    country_iso: str
    number_types: list[NumberTypeOut]


class RequirementsOut(ApiId, Requirements): ...


class _SecondLine(TypedDict, total=False):
    line2: str


class AddressOut(_SecondLine):
    """``line2`` is there when it was given, as in the page's sample."""

    line1: str | None
    city: str | None
    state: str | None
    postal_code: str | None
    country: str | None


class EndUserOut(TypedDict):
    id: Uuid
    type: str
    name: str
    email: str | None
    address: AddressOut
    registration_number: str | None


class DocumentOut(TypedDict):
    id: Uuid
    type: str
    file_name: str | None
    file_url: Url | None
    status: DocumentReview


class Expanded(TypedDict, total=False):
    end_user: EndUserOut
    documents: list[DocumentOut]
    linked_numbers: list[LinkedNumberOut]


class Kind(TypedDict):
    compliance_id: Uuid
    alias: str | None
    status: BetaWord
    country_iso: str
    number_type: str


class History(TypedDict):
    rejection_reason: str | None
    created_at: Instant
    updated_at: Instant
    submitted_at: Instant | None


class ListedOut(Kind, Expanded, History):
    """A record in a list, with the nested objects that are expanded."""


class One(Kind, History):
    end_user: EndUserOut
    documents: list[DocumentOut]
    linked_numbers: NotRequired[list[LinkedNumberOut]]


class OneOut(ApiId, One):
    """A record on its own: the bare object and the ``api_id`` of the answer."""


class List(TypedDict):
    meta: MetaOut
    compliances: list[ListedOut]


class ListOut(ApiId, List): ...


class Created(TypedDict):
    compliance_id: Uuid
    message: str


class CreatedOut(ApiId, Created):
    """The answer to a create, an update and a delete."""


UpdatedOut = DeletedOut = CreatedOut


# --- requirements --------------------------------------------------------------------------


def present_requirements(catalogue: Catalogue, query: Query) -> Requirements:
    """The country's requirements by number type and user type, filtered (documented).

    Raises Invalid: a missing or wrong parameter, or nothing of that kind in the catalogue.
    """
    problems = refuse_unknown(query, ("country_iso", "number_type", "user_type"))
    country = _country(query, problems)
    number_type = _filter(PageNumberType, "number_type", query, problems)
    user_type = _filter(UserType, "user_type", query, problems)
    refuse_if_any(problems)
    found = [
        each
        for each in catalogue.of_country(Version.BETA, country)
        if number_type in (None, each.number_type) and user_type in (None, each.user_type)
    ]
    if not found:
        problem = catalogue.no_requirement(Version.BETA, country, number_type, user_type)
        raise Invalid([problem])
    return {
        "country_iso": country,
        "number_types": [
            {"number_type": number_type, "user_types": [_user_type(each) for each in group]}
            for number_type, group in groupby(found, lambda each: each.number_type)
        ],
    }


def _country(query: Query, problems: list[Problem]) -> str:
    text = query.get("country_iso", "")
    try:
        return read_country(text)
    except ValueError as error:
        complaint = str(error) if text else "is required"
        problems.append(Problem(ProblemKind.BAD_PARAMETER, ("country_iso",), complaint))
        return text


def _filter(words: Any, name: str, query: Query, problems: list[Problem]) -> str | None:
    text = query.get(name, "")
    return read_parameter(words, name, text, problems) if text else None


def _user_type(requirement: Requirement) -> UserTypeOut:
    return {
        "user_type": requirement.user_type,
        "required_documents": [_required(type_) for type_ in requirement.document_types],
        "required_fields": [_field(rule) for rule in requirement.end_user_fields],
        "estimated_review_days": requirement.estimated_review_days,
    }


def _required(type_: DocumentType) -> RequiredDocumentOut:
    return {
        "title": type_.name,
        "type": type_.word,
        "accepted_formats": list(type_.accepted_formats),
        "description": type_.description,
    }


def _field(rule: FieldRule) -> RequiredFieldOut:
    return {
        "field_name": rule.name,
        "field_label": rule.label,
        "required": rule.required,
        "field_type": rule.type,
        "max_length": rule.max_length,
        "min_length": rule.min_length,
    }


# --- records -------------------------------------------------------------------------------


def present_created(id: str) -> Created:
    return {"compliance_id": id, "message": "Created successfully"}


def present_one(view: ApplicationView, shown: Shown) -> One:
    """The bare object, end user and documents always with it: the page's example (documented)."""
    numbers: Expanded = {}
    if "linked_numbers" in shown.expand:
        numbers["linked_numbers"] = linked_numbers(view)
    return {
        **_kind(view),
        "end_user": _end_user(view.end_user),
        "documents": _documents(view, shown),
        **numbers,
        **_history(view),
    }


def present_corrected(view: ApplicationView, shown: Shown) -> Created:
    """The page shows no answer to an update; this one follows the create's (inferred)."""
    return {"compliance_id": view.application.id, "message": "Updated successfully"}


def present_list(views: Sequence[ApplicationView], meta: MetaOut, shown: Shown) -> List:
    """The page shows no list of applications; the envelope is the recorded one of the current
    dialect (inferred)."""
    return {"meta": meta, "compliances": [_listed(view, shown) for view in views]}


def present_deleted(id: str) -> Created:
    """The page shows no answer to a delete; this one follows the create's (inferred)."""
    return {"compliance_id": id, "message": "Deleted successfully"}


def reason_shown(application: Application, row: StatusRow) -> str | None:
    """``rejection_reason`` begins with ``Suspended:`` or ``Expired:``, which the beta dialect's
    status ``rejected`` hides (invented)."""
    reason, word = application.rejection_reason, row.beta_reason
    return f"{word}: {reason}" if reason is not None and word else reason


def _listed(view: ApplicationView, shown: Shown) -> ListedOut:
    nested: Expanded = {}
    if "end_user" in shown.expand:
        nested["end_user"] = _end_user(view.end_user)
    if "documents" in shown.expand:
        nested["documents"] = _documents(view, shown)
    if "linked_numbers" in shown.expand:
        nested["linked_numbers"] = linked_numbers(view)
    return {**_kind(view), **nested, **_history(view)}


def _kind(view: ApplicationView) -> Kind:
    application = view.application
    return {
        "compliance_id": application.id,
        "alias": application.alias or None,
        "status": view.row.beta,
        "country_iso": application.country_iso,
        "number_type": application.number_type,
    }


def _history(view: ApplicationView) -> History:
    application = view.application
    submitted_at = application.submitted_at
    return {
        "rejection_reason": reason_shown(application, view.row),
        "created_at": seconds(application.created_at),
        "updated_at": seconds(application.updated_at),
        "submitted_at": seconds(submitted_at) if submitted_at is not None else None,
    }


def _end_user(end_user: EndUser) -> EndUserOut:
    """``name`` is the full name of an individual (documented): first and last (inferred)."""
    return {
        "id": end_user.id,
        "type": end_user.type,
        "name": " ".join(part for part in (end_user.name, end_user.last_name) if part),
        "email": end_user.email or None,
        "address": _address(end_user),
        "registration_number": end_user.registration_number or None,
    }


def _address(end_user: EndUser) -> AddressOut:
    """The page's sample has no ``line2`` where none was given (documented)."""
    second: _SecondLine = {"line2": end_user.address_line2} if end_user.address_line2 else {}
    return {
        "line1": end_user.address_line1 or None,
        **second,
        "city": end_user.city or None,
        "state": end_user.state or None,
        "postal_code": end_user.postal_code or None,
        "country": end_user.country or None,
    }


def _documents(view: ApplicationView, shown: Shown) -> list[DocumentOut]:
    application, reviews = view.application, view.application.reviews()
    return [
        _document(application, document, type_, reviews.get(document.id), shown)
        for document, type_ in view.documents
    ]


def _document(
    application: Application,
    document: Document,
    type_: DocumentType,
    review: DocumentReview | None,
    shown: Shown,
) -> DocumentOut:
    return {
        "id": document.id,
        "type": type_.word,
        "file_name": document.file.name if document.file else None,
        "file_url": shown.file_url(application.id, document) if document.file else None,
        "status": review or DocumentReview.PENDING,
    }


def encode_callback(event: StatusChanged, machine: Machine) -> Pairs:
    """``event``, ``compliance_id``, ``status``, ``rejection_reason`` if there is one (documented).

    A reinstated record is ``compliance.approved``, a suspended or expired one
    ``compliance.rejected`` (inferred).
    """
    application = event.application
    happened, word = machine.told(event.previous, application.status, "beta")
    fields = (
        ("event", f"compliance.{happened}"),
        ("compliance_id", application.id),
        ("status", word),
    )
    reason = reason_shown(application, machine.statuses[application.status])
    return fields if reason is None else (*fields, ("rejection_reason", reason))
