"""Answers of the legacy API: flat objects, every documented key always there.

Keys are those that the SDKs read (observed); beside them the page's own spellings (documented):
``country_iso``, ``acceptable_document_type``, ``last_updated_at``, ``compliance_document_id``.

Errors of the legacy API: ``{"api_id", "error": "text"}``, paths in its own names (observed).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, NotRequired, TypedDict

from msgspec import Meta

from plivo_sim.apis.errors import plain_error
from plivo_sim.apis.reading import MessageOut as MessageOut  # endpoints name it
from plivo_sim.apis.reading import MetaOut
from plivo_sim.apis.words import Instant, LegacyWord, Uuid, microseconds
from plivo_sim.domain.errors import Invalid, Path, Problem, ProblemKind, SimError
from plivo_sim.domain.machine import Machine
from plivo_sim.domain.records import (
    Document,
    EndUser,
    NumberType,
    Pairs,
    StatusChanged,
    UserType,
)
from plivo_sim.domain.requirements import DocumentType, FieldRule, Requirement, Slot
from plivo_sim.services.applications import ApplicationView
from plivo_sim.web.calls import Call

_WIRE = {
    "requirement_id": "compliance_requirement_id",
    "country_iso": "country_iso2",
    "user_type": "end_user_type",
    "documents": "document_ids",
}
_DOMAIN = {wire: name for name, wire in _WIRE.items() if name != "documents"}


class ErrorOut(TypedDict):
    api_id: Uuid
    error: Annotated[str, Meta(min_length=1)]


class ListOut(TypedDict):
    api_id: Uuid
    meta: MetaOut


def error_body(call: Call, error: SimError) -> tuple[int, ErrorOut]:
    """Status and body; ``error`` is always a string that names every problem."""
    if isinstance(error, Invalid):
        error = Invalid([_in_wire_words(problem) for problem in error.problems])
    status, text = plain_error(error, "legacy")
    return status, {"api_id": call.api_id, "error": text}


def to_domain(path: Path) -> Path:
    """A path of a body in the domain's names, so that one complaint a path is made."""
    return tuple(_DOMAIN.get(step, step) if isinstance(step, str) else step for step in path)


def _in_wire_words(problem: Problem) -> Problem:
    """The problem with a path as the caller knows it: data fields are flat here. ``… not provided``
    is the text of the live service (field-reported)."""
    steps = [_WIRE.get(step, step) if isinstance(step, str) else step for step in problem.path]
    path = tuple(step for step in steps if step != "data_fields")
    if problem.fault is ProblemKind.MISSING_DATA_FIELD:
        field, id = problem.facts["field"], problem.facts["type"].id
        text = f"{field} not provided; GET ComplianceDocumentType/{id}/ lists its fields"
        return replace(problem, fault=ProblemKind.BAD_VALUE, path=path[:-1], text=text)
    return replace(problem, path=path)


# --- end users -----------------------------------------------------------------------------


class EndUserOut(TypedDict):
    end_user_id: Uuid
    name: str
    last_name: str | None
    end_user_type: UserType
    created_at: Instant


class EndUserGetOut(EndUserOut):
    api_id: Uuid


class EndUserCreatedOut(EndUserGetOut):
    message: str


class EndUserListOut(ListOut):
    objects: list[EndUserOut]


def present_end_user(end_user: EndUser) -> EndUserOut:
    return {
        "created_at": microseconds(end_user.created_at),
        "end_user_id": end_user.id,
        "end_user_type": end_user.type,
        "last_name": end_user.last_name,
        "name": end_user.name,
    }


# --- document types and requirements -------------------------------------------------------


TYPES_CREATED_AT = datetime(2022, 6, 6, 5, 33, 12, 75868, UTC)
"""When every document type was made (invented: the instant of the page's samples)."""


class FieldOut(TypedDict):
    """One field of a document type; ``enums`` is an array here (observed: Go needs that)."""

    field_name: str
    friendly_name: str
    field_type: str
    help_text: str | None
    format: str | None
    min_length: int
    max_length: int
    enums: list[str]


class DocumentTypeOut(TypedDict):
    document_type_id: Uuid
    document_name: str
    description: str
    information: list[FieldOut]
    proof_required: str | None
    created_at: Instant


class DocumentTypeGetOut(DocumentTypeOut):
    api_id: Uuid


class DocumentTypeListOut(ListOut):
    objects: list[DocumentTypeOut]


class AcceptableDocumentOut(TypedDict):
    document_type_id: Uuid
    document_type_name: str


class SlotOut(TypedDict):
    name: str
    scope: str
    acceptable_documents: list[AcceptableDocumentOut]


class PresentedRequirement(TypedDict):
    compliance_requirement_id: Uuid
    country_iso2: str
    country_iso: str
    number_type: NumberType
    end_user_type: UserType
    acceptable_document_types: list[SlotOut]
    acceptable_document_type: list[SlotOut]


class RequirementOut(PresentedRequirement):
    api_id: Uuid


def present_document_type(type_: DocumentType) -> DocumentTypeOut:
    """``proof_required`` is free text here, or null (observed); a sentence of our own where the
    catalogue has none (invented)."""
    proof = type_.proof or "Scanned copy of the document"
    return {
        "document_type_id": type_.id,
        "document_name": type_.name,
        "description": type_.description,
        "information": [_field(rule) for rule in type_.fields],
        "proof_required": proof if type_.proof_required else None,
        "created_at": microseconds(TYPES_CREATED_AT),
    }


def _field(rule: FieldRule) -> FieldOut:
    """No key says that a field may be left out, so its help text does (invented)."""
    return {
        "field_name": rule.name,
        "field_type": rule.type,
        "friendly_name": rule.label,
        "help_text": rule.help_text or (None if rule.required else "Optional"),
        "format": rule.format,
        "min_length": rule.min_length,
        "max_length": rule.max_length,
        "enums": list(rule.enums),
    }


def present_requirement(requirement: Requirement) -> PresentedRequirement:
    """One object, in a look-up too (observed: all SDKs decode a single one)."""
    slots = [_slot(slot) for slot in requirement.slots]
    return {
        "compliance_requirement_id": requirement.id,
        "country_iso2": requirement.country_iso,
        "country_iso": requirement.country_iso,
        "number_type": requirement.number_type,
        "end_user_type": requirement.user_type,
        "acceptable_document_types": slots,
        "acceptable_document_type": slots,
    }


def _slot(slot: Slot) -> SlotOut:
    return {
        "name": slot.name,
        "scope": slot.scope,
        "acceptable_documents": [
            {"document_type_id": type_.id, "document_type_name": type_.name} for type_ in slot.types
        ],
    }


# --- documents -----------------------------------------------------------------------------


class DocumentOut(TypedDict):
    document_id: Uuid
    document_type_id: Uuid
    end_user_id: Uuid
    alias: str | None
    meta_information: dict[str, str]
    created_at: Instant


class PresentedDocument(DocumentOut):
    file_name: NotRequired[str]


class DocumentGetOut(PresentedDocument):
    """Without a file there is no ``file_name``."""

    api_id: Uuid


class CreatedDocument(DocumentOut):
    file_name: str | None


class DocumentCreatedOut(CreatedDocument):
    api_id: Uuid
    message: str


class DocumentListedOut(CreatedDocument):
    compliance_document_id: Uuid
    file: str | None


class DocumentListOut(ListOut):
    objects: list[DocumentListedOut]


def present_created_document(document: Document) -> CreatedDocument:
    """``file_name`` is there even without a file: PHP reads it unconditionally (observed)."""
    name = document.file.name if document.file else None
    return {**_document(document), "file_name": name}


def present_document(document: Document) -> PresentedDocument:
    """Without a file there is no ``file_name`` (observed)."""
    shown: PresentedDocument = _document(document)
    if document.file is not None:
        shown["file_name"] = document.file.name
    return shown


def present_listed_document(document: Document) -> DocumentListedOut:
    """Lists have other names for the id and the file (observed): both pairs of names are given."""
    return {
        **present_created_document(document),
        "compliance_document_id": document.id,
        "file": document.file.name if document.file else None,
    }


def _document(document: Document) -> PresentedDocument:
    """``alias`` is null where the new API made the document (inferred)."""
    return {
        "alias": document.alias,
        "created_at": microseconds(document.created_at),
        "document_id": document.id,
        "document_type_id": document.document_type_id,
        "end_user_id": document.end_user_id,
        "meta_information": dict(document.data_fields),
    }


# --- applications --------------------------------------------------------------------------


class ApplicationDocumentOut(TypedDict):
    document_id: Uuid
    name: str
    document_name: str
    document_type_id: Uuid
    document_type_name: str
    scope: str | None


class ApplicationOut(TypedDict):
    compliance_application_id: Uuid
    compliance_requirement_id: Uuid
    alias: str | None
    status: LegacyWord
    end_user_id: Uuid
    end_user_type: UserType
    country_iso2: str
    country_iso: str
    number_type: NumberType
    documents: list[ApplicationDocumentOut]
    compliance_document_id: list[Uuid]
    rejection_reason: NotRequired[str]
    created_at: Instant
    last_updated_at: Instant


class ApplicationGetOut(ApplicationOut):
    api_id: Uuid


class ApplicationSentOut(ApplicationGetOut):
    """The answer to a create or a Submit."""

    message: str


class ApplicationListOut(ListOut):
    objects: list[ApplicationOut]


def present_application(view: ApplicationView, requirement: Requirement) -> ApplicationOut:
    """``rejection_reason`` only when there is one; ``documents`` never null (observed).

    ``alias`` is null where the new API was given none (inferred).
    """
    application = view.application
    created_at = microseconds(application.created_at)
    is_new = application.updated_at is application.created_at
    shown: ApplicationOut = {
        "compliance_application_id": application.id,
        "compliance_requirement_id": application.requirement_id,
        "alias": application.alias or None,
        "status": view.row.legacy,
        "end_user_id": application.end_user_id,
        "end_user_type": application.user_type,
        "country_iso2": application.country_iso,
        "country_iso": application.country_iso,
        "number_type": application.number_type,
        "documents": [
            _application_document(document, type_, requirement)
            for document, type_ in view.documents
        ],
        "compliance_document_id": list(application.document_ids),
        "created_at": created_at,
        "last_updated_at": created_at if is_new else microseconds(application.updated_at),
    }
    if application.rejection_reason is not None:
        shown["rejection_reason"] = application.rejection_reason
    return shown


def _application_document(
    document: Document, type_: DocumentType, requirement: Requirement
) -> ApplicationDocumentOut:
    """``name`` and ``scope`` are those of the requirement's slot that the document fills; one that
    fills none has its type's name, and null (invented)."""
    slot = next((slot for slot in requirement.slots if type_ in slot.types), None)
    return {
        "document_id": document.id,
        "name": slot.name if slot else type_.name,
        "document_name": document.alias or type_.name,
        "document_type_id": type_.id,
        "document_type_name": type_.name,
        "scope": slot.scope if slot else None,
    }


def encode_callback(event: StatusChanged, machine: Machine) -> Pairs:
    """A callback of the legacy API has both names of the id, ``status`` and
    ``rejection_reason`` (invented: no page shows one; decision "Format of callbacks")."""
    application = event.application
    fields = (
        ("compliance_application_id", application.id),
        ("compliance_id", application.id),
        ("status", machine.told(event.previous, application.status, "legacy")[1]),
    )
    reason = application.rejection_reason
    return fields if reason is None else (*fields, ("rejection_reason", reason))
