"""Answers as the page's samples show them, key by key and in their order (documented)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from itertools import groupby
from typing import Any

from plivo_sim.apis.paging import Query, refuse_if_any, refuse_unknown
from plivo_sim.apis.phone_number.dialect import Shown, linked_numbers, read_parameter
from plivo_sim.apis.words import seconds
from plivo_sim.domain.errors import Invalid, Problem, ProblemKind
from plivo_sim.domain.records import Application, Document, EndUser, UserType, Version
from plivo_sim.domain.requirements import Catalogue, DocumentType, FieldRule, Requirement
from plivo_sim.domain.statuses import Status
from plivo_sim.services.applications import ApplicationView


class PageNumberType(StrEnum):
    """The number types that the page has (documented): fewer than the domain's."""

    LOCAL = "local"
    MOBILE = "mobile"
    TOLLFREE = "tollfree"


STATUS_WORDS: dict[Status, str] = {
    Status.DRAFT: "pending_review",  # lossy: the page has no drafts
    Status.SUBMITTED: "pending_review",
    Status.ACCEPTED: "approved",
    Status.REJECTED: "rejected",
    Status.MORE_INFO_REQUIRED: "more_info_required",
    Status.SUSPENDED: "rejected",  # lossy, as is the next: the reason says which
    Status.EXPIRED: "rejected",
}


_TOLD_BY_REASON = {Status.SUSPENDED: "Suspended", Status.EXPIRED: "Expired"}


# --- requirements --------------------------------------------------------------------------


def present_requirements(catalogue: Catalogue, query: Query) -> dict[str, Any]:
    """The country's requirements by number type and user type, filtered (documented).

    Raises Invalid: a missing or wrong parameter, or nothing of that kind in the catalogue.
    """
    problems = refuse_unknown(query, ("country_iso", "number_type", "user_type"))
    country = _country(query, problems)
    number_type = _filter(PageNumberType, "number_type", query, problems)
    user_type = _filter(UserType, "user_type", query, problems)
    refuse_if_any(problems)
    found = catalogue.of_country(Version.BETA, country)
    if not found:
        known = ", ".join(catalogue.countries(Version.BETA))
        raise _unsupported("country_iso", f"country '{country}' is not supported; {known} is")
    for name, word in (("number_type", number_type), ("user_type", user_type)):
        kept = [each for each in found if not word or getattr(each, name) == word]
        if not kept:
            known = ", ".join(dict.fromkeys(getattr(each, name) for each in found))
            raise _unsupported(name, f"{name} '{word}' is not supported in {country}; {known} is")
        found = kept
    return {
        "country_iso": country,
        "number_types": [
            {"number_type": number_type, "user_types": [_user_type(each) for each in group]}
            for number_type, group in groupby(found, lambda each: each.number_type)
        ],
    }


def _country(query: Query, problems: list[Problem]) -> str:
    text = query.get("country_iso", "").upper()
    if len(text) != 2 or not (text.isascii() and text.isalpha()):
        told = "must be an ISO 3166-1 alpha-2 country code" if text else "is required"
        problems.append(Problem(ProblemKind.BAD_PARAMETER, ("country_iso",), told))
    return text


def _filter(words: Any, name: str, query: Query, problems: list[Problem]) -> str | None:
    text = query.get(name, "")
    return read_parameter(words, name, text, problems) if text else None


def _unsupported(name: str, text: str) -> Invalid:
    return Invalid([Problem(ProblemKind.NO_REQUIREMENT, (name,), text)])


def _user_type(requirement: Requirement) -> dict[str, Any]:
    return {
        "user_type": requirement.user_type,
        "required_documents": [_required(type_) for type_ in requirement.document_types],
        "required_fields": [_field(rule) for rule in requirement.end_user_fields],
        "estimated_review_days": requirement.estimated_review_days,
    }


def _required(type_: DocumentType) -> dict[str, Any]:
    return {
        "title": type_.name,
        "type": type_.word,
        "accepted_formats": list(type_.accepted_formats),
        "description": type_.description,
    }


def _field(rule: FieldRule) -> dict[str, Any]:
    return {
        "field_name": rule.name,
        "field_label": rule.label,
        "required": rule.required,
        "field_type": rule.type,
        "max_length": rule.max_length,
        "min_length": rule.min_length,
    }


# --- records -------------------------------------------------------------------------------


def present_created(id: str) -> dict[str, Any]:
    return {"compliance_id": id, "message": "Created successfully"}


def present_one(view: ApplicationView, shown: Shown) -> dict[str, Any]:
    """The bare object, end user and documents always with it: the page's example (documented)."""
    return _record(view, shown, {"end_user", "documents", *shown.expand})


def present_corrected(view: ApplicationView, shown: Shown) -> dict[str, Any]:
    """The page shows no answer; this one follows the create's (inferred)."""
    return {"compliance_id": view.application.id, "message": "Updated successfully"}


def present_list(
    views: Sequence[ApplicationView], meta: dict[str, Any], shown: Shown
) -> dict[str, Any]:
    """The page shows no list; the envelope is the recorded one (inferred)."""
    records = [_record(view, shown, set(shown.expand)) for view in views]
    return {"meta": meta, "compliances": records}


def present_deleted(id: str) -> dict[str, Any]:
    """The page shows no answer; this one follows the create's (inferred)."""
    return {"compliance_id": id, "message": "Deleted successfully"}


def told_reason(application: Application) -> str | None:
    """``rejection_reason``; it tells what the status word hides (invented)."""
    reason, word = application.rejection_reason, _TOLD_BY_REASON.get(application.status)
    return f"{word}: {reason}" if reason is not None and word else reason


def _record(view: ApplicationView, shown: Shown, nested: set[str]) -> dict[str, Any]:
    application = view.application
    record: dict[str, Any] = {
        "compliance_id": application.id,
        "alias": application.alias or None,
        "status": STATUS_WORDS[application.status],
        "country_iso": application.country_iso,
        "number_type": application.number_type,
    }
    if "end_user" in nested:
        record["end_user"] = _end_user(view.end_user)
    if "documents" in nested:
        record["documents"] = [
            _document(application.id, document, type_, shown) for document, type_ in view.documents
        ]
    if "linked_numbers" in nested:
        record["linked_numbers"] = linked_numbers(view)
    submitted_at = application.submitted_at
    return record | {
        "rejection_reason": told_reason(application),
        "created_at": seconds(application.created_at),
        "updated_at": seconds(application.updated_at),
        "submitted_at": seconds(submitted_at) if submitted_at is not None else None,
    }


def _end_user(end_user: EndUser) -> dict[str, Any]:
    """``name`` is the full name of an individual (documented): first and last (inferred)."""
    return {
        "id": end_user.id,
        "type": end_user.type,
        "name": " ".join(part for part in (end_user.name, end_user.last_name) if part),
        "email": end_user.email or None,
        "address": _address(end_user),
        "registration_number": end_user.registration_number or None,
    }


def _address(end_user: EndUser) -> dict[str, Any]:
    """The page's sample has no ``line2`` where none was given (documented)."""
    second = {"line2": end_user.address_line2} if end_user.address_line2 else {}
    return {
        "line1": end_user.address_line1 or None,
        **second,
        "city": end_user.city or None,
        "state": end_user.state or None,
        "postal_code": end_user.postal_code or None,
        "country": end_user.country or None,
    }


def _document(
    application_id: str, document: Document, type_: DocumentType, shown: Shown
) -> dict[str, Any]:
    return {
        "id": document.id,
        "type": type_.word,
        "file_name": document.file.name if document.file else None,
        "file_url": shown.file_url(application_id, document) if document.file else None,
        "status": document.review,
    }
