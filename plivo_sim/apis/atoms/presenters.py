"""Answers as the pages print them: ``{"status": true, "data": …}``, keys in their order
(documented); ``{"status": false, "errors": [text]}``, whatever went wrong (documented).

Of the texts of errors the pages print two; Atoms' other ones are worded here (invented). What Atoms
itself sees is 400; an error of Plivo's is 502 (documented), with Plivo's text (invented; decision
"Refusals of Plivo").
There is never a rate-limit header: the SDK would sleep (decision "Rate limits in real time").
"""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

from msgspec import Meta

from plivo_sim.apis.errors import plain_error, word
from plivo_sim.apis.words import AtomsWord, Instant, Uuid, milliseconds
from plivo_sim.domain.errors import Invalid, SimError, WrongState
from plivo_sim.domain.machine import WORDS_KEY, Machine
from plivo_sim.domain.records import AtomsApplication, UserType
from plivo_sim.domain.requirements import DocumentType, FieldRule, Requirement
from plivo_sim.web.calls import Call

Step = Annotated[str, Meta(extra_json_schema={WORDS_KEY: "atoms step"})]
NumberTypeWord = Annotated[str, Meta(extra_json_schema={"enum": ["local", "mobile", "tollfree"]})]


class FieldOut(TypedDict):
    fieldName: str
    friendlyName: str
    helpText: str | None
    fieldType: str
    required: bool
    minLength: int
    maxLength: int
    enums: NotRequired[str]


class DocumentTypeOut(TypedDict):
    documentTypeId: Uuid
    name: str
    description: str
    proofRequired: bool
    requiredFields: list[FieldOut]


class RequirementOut(TypedDict):
    requirementId: Uuid
    countryIso: str
    numberType: NumberTypeWord
    userType: UserType
    documentTypes: list[DocumentTypeOut]


class ApplicationOut(TypedDict):
    _id: Annotated[str, Meta(pattern="[0-9a-f]{24}$")]
    organizationId: str
    plivoComplianceId: str
    alias: str
    status: AtomsWord
    countryIso: str
    numberType: NumberTypeWord
    userType: UserType
    endUserName: str
    endUserLastName: str | None
    endUserEmail: str | None
    endUserCountry: str | None
    documentFileNames: list[str]
    rejectionReason: str | None
    createdBy: str
    createdAt: Instant
    updatedAt: Instant


class StatusOut(TypedDict):
    step: Step
    application: ApplicationOut | None
    requiredDocuments: list[DocumentTypeOut]


class StatusAnswerOut(TypedDict):
    status: bool
    data: StatusOut


class RequirementAnswerOut(TypedDict):
    status: bool
    data: RequirementOut


class ApplicationAnswerOut(TypedDict):
    status: bool
    data: ApplicationOut


class ErrorOut(TypedDict):
    status: bool
    errors: Annotated[list[str], Meta(min_length=1)]


class AlreadyExists(SimError):
    """The organisation has an application for this country, number type and user type."""

    def __init__(self, country_iso: str, number_type: str, status: str) -> None:
        super().__init__(
            f"A compliance application already exists for {country_iso}/{number_type}. "
            f"Status: {status}"
        )


class PlivoRefused(SimError):
    """Plivo answered a call of Atoms with an error; the text is Plivo's own."""


class TooSoon(SimError):
    """The application was refreshed a moment ago, and the account has a cooldown."""

    def __init__(self, cooldown: str) -> None:
        super().__init__(f"Please wait {cooldown} between refreshes.")


class NotRejected(WrongState):
    """Only a rejected application can be resubmitted."""

    def __init__(self, id: str, status: str) -> None:
        super().__init__("application", id, "resubmit", status)


def error_body(call: Call, error: SimError) -> tuple[int, ErrorOut]:
    """Status and body, with one text for each problem."""
    status, text = plain_error(error)
    texts = [text]
    if isinstance(error, Invalid):
        texts = [word(problem) for problem in error.problems]
    elif isinstance(error, PlivoRefused):
        status, texts = 502, [str(error)]
    elif isinstance(error, AlreadyExists):
        status, texts = 409, [str(error)]
    elif isinstance(error, TooSoon):
        status, texts = 429, [str(error)]
    elif isinstance(error, NotRejected):
        texts = [f"Only rejected applications can be resubmitted. Status: {error.status}"]
    return status, {"status": False, "errors": texts}


NO_APPLICATION = "form"
"""The step while there is no application (documented)."""


def present_status(
    application: AtomsApplication | None, required: Requirement, machine: Machine
) -> StatusOut:
    """Which step to show; ``form`` when there is no application (documented)."""
    return {
        "step": machine.step_of(application.status) if application else NO_APPLICATION,
        "application": present_application(application) if application else None,
        "requiredDocuments": [_document_type(each) for each in required.document_types],
    }


def present_requirement(requirement: Requirement) -> RequirementOut:
    """An empty ``documentTypes`` means that no compliance is needed (documented)."""
    return {
        "requirementId": requirement.id,
        "countryIso": requirement.country_iso,
        "numberType": requirement.number_type,
        "userType": requirement.user_type,
        "documentTypes": [_document_type(each) for each in requirement.document_types],
    }


def _document_type(type_: DocumentType) -> DocumentTypeOut:
    return {
        "documentTypeId": type_.id,
        "name": type_.name,
        "description": type_.description,
        "proofRequired": type_.proof_required,
        "requiredFields": [_field(rule) for rule in type_.fields],
    }


def _field(rule: FieldRule) -> FieldOut:
    """The five keys of the SDK's type (observed), and then the lengths and words that Plivo's
    current API shows, under its names in camel case (inferred: the names of the others line up)."""
    shown: FieldOut = {
        "fieldName": rule.name,
        "friendlyName": rule.label,
        "helpText": rule.help_text,
        "fieldType": rule.type,
        "required": rule.required,
        "minLength": rule.min_length,
        "maxLength": rule.max_length,
    }
    if rule.enums:
        shown["enums"] = ",".join(rule.enums)
    return shown


def present_application(application: AtomsApplication) -> ApplicationOut:
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
