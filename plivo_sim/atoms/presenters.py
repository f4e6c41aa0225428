"""Answers as the pages print them: ``{"status": true, "data": …}``, keys in their order
(documented)."""

from __future__ import annotations

from typing import Any

from plivo_sim.dialects.timestamps import milliseconds
from plivo_sim.domain.atoms import AtomsApplication, AtomsStatus
from plivo_sim.domain.requirements import DocumentType, FieldRule, Requirement

_STEPS: dict[AtomsStatus | None, str] = {
    None: "form",
    AtomsStatus.DRAFT: "form",
    AtomsStatus.SUBMITTED: "submitted",
    AtomsStatus.ACCEPTED: "accepted",
    AtomsStatus.REJECTED: "rejected",
    AtomsStatus.SUSPENDED: "suspended",
    AtomsStatus.EXPIRED: "expired",
}


def present_status(application: AtomsApplication | None, required: Requirement) -> dict[str, Any]:
    """Which step to show; ``form`` when there is no application (documented)."""
    return {
        "step": _STEPS[application.status if application else None],
        "application": present_application(application) if application else None,
        "requiredDocuments": [_document_type(each) for each in required.document_types],
    }


def present_requirement(requirement: Requirement) -> dict[str, Any]:
    """An empty ``documentTypes`` means that no compliance is needed (documented)."""
    return {
        "requirementId": requirement.id,
        "countryIso": requirement.country_iso,
        "numberType": requirement.number_type,
        "userType": requirement.user_type,
        "documentTypes": [_document_type(each) for each in requirement.document_types],
    }


def _document_type(type_: DocumentType) -> dict[str, Any]:
    return {
        "documentTypeId": type_.id,
        "name": type_.name,
        "description": type_.description,
        "proofRequired": type_.proof_required,
        "requiredFields": [_field(rule) for rule in type_.fields],
    }


def _field(rule: FieldRule) -> dict[str, Any]:
    return {
        "fieldName": rule.name,
        "friendlyName": rule.label,
        "helpText": rule.help_text,
        "fieldType": rule.type,
        "required": rule.required,
    }


def present_application(application: AtomsApplication) -> dict[str, Any]:
    return {
        "_id": application.id,
        "organizationId": application.organization_id,
        "plivoComplianceId": application.plivo_compliance_id,
        "alias": application.alias,
        "status": application.status,
        "countryIso": application.country_iso,
        "numberType": application.number_type,
        "userType": application.user_type,
        "endUserName": application.end_user_name,
        "endUserLastName": application.end_user_last_name,
        "endUserEmail": application.end_user_email,
        "endUserCountry": application.end_user_country,
        "documentFileNames": list(application.document_file_names),
        "rejectionReason": application.rejection_reason,
        "createdBy": application.created_by,
        "createdAt": milliseconds(application.created_at),
        "updatedAt": milliseconds(application.updated_at),
    }
