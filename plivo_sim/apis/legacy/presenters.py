"""Answers of the legacy API: flat objects, every documented key always there.

Keys are those that the SDKs read (observed); beside them the page's own spellings (documented):
``country_iso``, ``acceptable_document_type``, ``last_updated_at``, ``compliance_document_id``.

Errors of the legacy API: ``{"api_id", "error": "text"}``, paths in its own names (observed).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from plivo_sim.apis.errors import plain_error
from plivo_sim.apis.words import microseconds
from plivo_sim.domain.errors import Invalid, Path, Problem, ProblemKind, SimError
from plivo_sim.domain.records import Document, EndUser
from plivo_sim.domain.requirements import DocumentType, FieldRule, Requirement, Slot
from plivo_sim.domain.statuses import Status
from plivo_sim.services.applications import ApplicationView
from plivo_sim.web.calls import Call

_WIRE = {
    "requirement_id": "compliance_requirement_id",
    "country_iso": "country_iso2",
    "user_type": "end_user_type",
    "documents": "document_ids",
}


_DOMAIN = {wire: name for name, wire in _WIRE.items() if name != "documents"}


def error_body(call: Call, error: SimError) -> tuple[int, dict[str, Any]]:
    """Status and body; ``error`` is always a string that names every problem."""
    if isinstance(error, Invalid):
        error = Invalid([_in_wire_words(problem) for problem in error.problems])
    status, text = plain_error(error)
    return status, {"api_id": call.api_id, "error": text}


def to_domain(path: Path) -> Path:
    """A path of a body in the domain's names, so that one complaint a path is made."""
    return tuple(_DOMAIN.get(step, step) if isinstance(step, str) else step for step in path)


def _in_wire_words(problem: Problem) -> Problem:
    """The problem with a path as the caller knows it: data fields are flat here."""
    steps = [_WIRE.get(step, step) if isinstance(step, str) else step for step in problem.path]
    path = tuple(step for step in steps if step != "data_fields")
    if problem.fault is ProblemKind.MISSING_DATA_FIELD:
        id = problem.facts["type"].id
        text = f"{problem.text}; GET ComplianceDocumentType/{id}/ lists its fields"
        return replace(problem, fault=ProblemKind.BAD_VALUE, path=path, text=text)
    return replace(problem, path=path)


STATUS_WORDS: dict[Status, str] = {
    Status.DRAFT: "draft",
    Status.SUBMITTED: "submitted",
    Status.ACCEPTED: "accepted",
    Status.REJECTED: "rejected",
    Status.MORE_INFO_REQUIRED: "rejected",  # lossy: the page has no such status
    Status.SUSPENDED: "suspended",
    Status.EXPIRED: "expired",
}
"""Lower case on the wire (observed), capitalised in the page's prose."""


TYPES_CREATED_AT = datetime(2022, 6, 6, 5, 33, 12, 75868, UTC)
"""When every document type was made (invented: the instant of the page's samples)."""


def present_end_user(end_user: EndUser) -> dict[str, Any]:
    return {
        "created_at": microseconds(end_user.created_at),
        "end_user_id": end_user.id,
        "end_user_type": end_user.type,
        "last_name": end_user.last_name,
        "name": end_user.name,
    }


def present_document_type(type_: DocumentType) -> dict[str, Any]:
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


def _field(rule: FieldRule) -> dict[str, Any]:
    """A field; that one may be left out has no key of its own, so the help says so (invented)."""
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


def present_requirement(requirement: Requirement) -> dict[str, Any]:
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


def _slot(slot: Slot) -> dict[str, Any]:
    return {
        "name": slot.name,
        "scope": slot.scope,
        "acceptable_documents": [
            {"document_type_id": type_.id, "document_type_name": type_.name} for type_ in slot.types
        ],
    }


def present_created_document(document: Document) -> dict[str, Any]:
    """``file_name`` is there even without a file: PHP reads it unconditionally (observed)."""
    return {**_document(document), "file_name": document.file.name if document.file else None}


def present_document(document: Document) -> dict[str, Any]:
    """Without a file there is no ``file_name`` (observed)."""
    named = {"file_name": document.file.name} if document.file else {}
    return {**_document(document), **named}


def present_listed_document(document: Document) -> dict[str, Any]:
    """Lists call the id and the file otherwise (observed): both pairs of names."""
    return {
        **present_created_document(document),
        "compliance_document_id": document.id,
        "file": document.file.name if document.file else None,
    }


def _document(document: Document) -> dict[str, Any]:
    """``alias`` is null where the new API made the document (inferred)."""
    return {
        "alias": document.alias,
        "created_at": microseconds(document.created_at),
        "document_id": document.id,
        "document_type_id": document.document_type_id,
        "end_user_id": document.end_user_id,
        "meta_information": dict(document.data_fields),
    }


def present_application(view: ApplicationView, requirement: Requirement) -> dict[str, Any]:
    """``rejection_reason`` only when there is one; ``documents`` never null (observed).

    ``alias`` is null where the new API was given none (inferred).
    """
    application = view.application
    shown = {
        "compliance_application_id": application.id,
        "compliance_requirement_id": application.requirement_id,
        "alias": application.alias or None,
        "status": STATUS_WORDS[application.status],
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
        "created_at": microseconds(application.created_at),
        "last_updated_at": microseconds(application.updated_at),
    }
    if application.rejection_reason is not None:
        shown["rejection_reason"] = application.rejection_reason
    return shown


def _application_document(
    document: Document, type_: DocumentType, requirement: Requirement
) -> dict[str, Any]:
    """``name`` and ``scope`` are those of the demand that it meets; a surplus one meets none and
    shows its type's name and null (invented)."""
    slot = next((slot for slot in requirement.slots if type_ in slot.types), None)
    return {
        "document_id": document.id,
        "name": slot.name if slot else type_.name,
        "document_name": document.alias or type_.name,
        "document_type_id": type_.id,
        "document_type_name": type_.name,
        "scope": slot.scope if slot else None,
    }
