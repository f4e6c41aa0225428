"""Answers as the SDKs' recorded fixtures show them, key by key and in their order.

Errors of this dialect: ``{"api_id", "error": "text"}`` (observed).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plivo_sim.apis.errors import plain_error
from plivo_sim.apis.paging import Query, refuse_if_any, refuse_unknown
from plivo_sim.apis.phone_number.dialect import Shown, linked_numbers
from plivo_sim.apis.words import STATUS_WORDS, microseconds, read_word
from plivo_sim.domain.errors import Invalid, Problem, ProblemKind, SimError
from plivo_sim.domain.records import Document, EndUser, NumberType, UserType, Version
from plivo_sim.domain.requirements import Catalogue, DocumentType, FieldRule
from plivo_sim.services.applications import ApplicationView


def error_body(error: SimError, api_id: str) -> tuple[int, dict[str, Any]]:
    """Status and body; ``error`` is always a string."""
    status, text = plain_error(error)
    return status, {"api_id": api_id, "error": text}


def present_requirements(catalogue: Catalogue, query: Query) -> dict[str, Any]:
    """The recorded Requirements answer (observed). All three parameters are needed (inferred:
    every recorded call gives them, and the flat answer has room for one)."""
    problems = refuse_unknown(query, ("country_iso", "number_type", "user_type"))
    country = query.get("country_iso", "").upper()
    number_type = _word(NumberType, "number_type", query, problems)
    user_type = _word(UserType, "user_type", query, problems)
    if not country:
        problems.insert(0, Problem(ProblemKind.MISSING_FIELD, ("country_iso",), "is required"))
    refuse_if_any(problems)
    assert number_type is not None
    assert user_type is not None
    key = (country, number_type, user_type)
    found = catalogue.find(Version.CURRENT, key)
    if found is None:
        raise Invalid([catalogue.no_requirement(Version.CURRENT, key)])
    return {
        "requirement_id": found.id,
        "country_iso": found.country_iso,
        "number_type": found.number_type,
        "user_type": found.user_type,
        "document_types": [_document_type(type_) for type_ in found.document_types],
    }


def _word(words: Any, name: str, query: Query, problems: list[Problem]) -> Any:
    text = query.get(name, "")
    if not text:
        problems.append(Problem(ProblemKind.MISSING_FIELD, (name,), "is required"))
        return None
    word = read_word(words, text)
    if word is None:
        told = f"must be one of {', '.join(words)}, not '{text[:50]}'"
        problems.append(Problem(ProblemKind.BAD_PARAMETER, (name,), told))
    return word


def _document_type(type_: DocumentType) -> dict[str, Any]:
    return {
        "document_type_id": type_.id,
        "name": type_.name,
        "description": type_.description,
        "proof_required": type_.proof_required,
        "required_fields": [_field(rule) for rule in type_.fields],
    }


def _field(rule: FieldRule) -> dict[str, Any]:
    """A field; ``enums`` is a string here (observed: an array fails in Go)."""
    shown: dict[str, Any] = {
        "field_name": rule.name,
        "friendly_name": rule.label,
        "field_type": rule.type,
        "required": rule.required,
        "min_length": rule.min_length,
        "max_length": rule.max_length,
    }
    optional = {"help_text": rule.help_text, "format": rule.format, "enums": ",".join(rule.enums)}
    return shown | {key: value for key, value in optional.items() if value}


def present_created(id: str) -> dict[str, Any]:
    return {
        "compliance_id": id,
        "message": "Compliance application created and submitted for review.",
    }


def present_one(view: ApplicationView, shown: Shown) -> dict[str, Any]:
    """Wrapped in ``compliance``: Go, Java and .NET need that."""
    return {"compliance": _compliance(view, shown)}


def present_corrected(view: ApplicationView, shown: Shown) -> dict[str, Any]:
    """Both ``compliance`` (Go, Node, Ruby) and ``compliance_id`` (Java, .NET)."""
    return {
        "compliance_id": view.application.id,
        "message": "Compliance application updated and resubmitted for review.",
        "compliance": _compliance(view, shown),
    }


def present_list(
    views: Sequence[ApplicationView], meta: dict[str, Any], shown: Shown
) -> dict[str, Any]:
    """Items have no callback fields, even where the record has them (observed)."""
    return {"meta": meta, "compliances": [_listed(view, shown) for view in views]}


def present_deleted(id: str) -> dict[str, Any]:
    return {"compliance_id": id, "message": "Compliance application deleted."}


def _compliance(view: ApplicationView, shown: Shown) -> dict[str, Any]:
    application = view.application
    return _record(view, shown, {
        "callback_url": application.callback_url,
        "callback_method": application.callback_method if application.callback_url else None,
    })  # fmt: skip


def _listed(view: ApplicationView, shown: Shown) -> dict[str, Any]:
    return _record(view, shown, {})


def _record(view: ApplicationView, shown: Shown, callback: dict[str, Any]) -> dict[str, Any]:
    application = view.application
    record: dict[str, Any] = {
        "compliance_id": application.id,
        "alias": application.alias,
        "status": STATUS_WORDS[application.status],
        "country_iso": application.country_iso,
        "number_type": application.number_type,
        "user_type": application.user_type,
        **callback,
    }
    if application.rejection_reason is not None:
        record["rejection_reason"] = application.rejection_reason
    record["created_at"] = microseconds(application.created_at)
    record["updated_at"] = microseconds(application.updated_at)
    return record | _expanded(view, shown)


def _expanded(view: ApplicationView, shown: Shown) -> dict[str, Any]:
    nested: dict[str, Any] = {}
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


def _end_user(end_user: EndUser) -> dict[str, Any]:
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
) -> dict[str, Any]:
    return {
        "document_id": document.id,
        "document_type_id": document.document_type_id,
        "document_name": type_.name,
        "file_name": document.file.name if document.file else None,
        "meta_information": dict(document.data_fields),
        "download_url": shown.file_url(application_id, document) if document.file else None,
        "created_at": microseconds(document.created_at),
    }
