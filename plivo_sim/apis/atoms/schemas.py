"""The shapes of Atoms: what comes in, and (for OpenAPI and the tests) what goes out.

Names and enumerations are the pages' own (documented).
"""

from __future__ import annotations

from enum import StrEnum

from marshmallow import Schema, fields, validate

from plivo_sim.apis.schema import Country, Many, Nested, Text, TextMap, WireSchema, Word
from plivo_sim.domain.records import AtomsStatus, UserType


class AtomsNumberType(StrEnum):
    """Fewer than the core has: nothing is national here."""

    LOCAL = "local"
    MOBILE = "mobile"
    TOLLFREE = "tollfree"


class KeyIn(WireSchema):
    """What an application is for; an organisation has one for each of these."""

    country_iso = Country(required=True, data_key="countryIso")
    number_type = Word(AtomsNumberType, required=True, data_key="numberType")
    user_type = Word(UserType, required=True, data_key="userType")


class EndUserIn(WireSchema):
    name = Text(required=True)
    last_name = Text(data_key="lastName")
    email = Text()
    address_line1 = Text(data_key="addressLine1")
    address_line2 = Text(data_key="addressLine2")
    city = Text()
    state = Text()
    postal_code = Text(data_key="postalCode")
    country = Text()
    registration_number = Text(data_key="registrationNumber")


class DocumentIn(WireSchema):
    document_type_id = Text(required=True, data_key="documentTypeId")
    data_fields = TextMap(data_key="dataFields")


class ResubmitIn(WireSchema):
    documents = Many(Nested(DocumentIn), required=True)


class SubmitIn(KeyIn):
    end_user = Nested(EndUserIn, required=True, data_key="endUser")
    documents = Many(Nested(DocumentIn), required=True)


# --- answers -------------------------------------------------------------------------------


class FieldOut(Schema):
    fieldName = fields.String(required=True)
    friendlyName = fields.String(required=True)
    helpText = fields.String(required=True, allow_none=True)
    fieldType = fields.String(required=True)
    required = fields.Boolean(required=True)


class DocumentTypeOut(Schema):
    documentTypeId = fields.UUID(required=True)
    name = fields.String(required=True)
    description = fields.String(required=True)
    proofRequired = fields.Boolean(required=True)
    requiredFields = fields.List(fields.Nested(FieldOut), required=True)


class RequirementOut(Schema):
    requirementId = fields.UUID(required=True)
    countryIso = fields.String(required=True)
    numberType = fields.String(required=True, validate=validate.OneOf(list(AtomsNumberType)))
    userType = fields.String(required=True, validate=validate.OneOf(list(UserType)))
    documentTypes = fields.List(fields.Nested(DocumentTypeOut), required=True)


class ApplicationOut(Schema):
    _id = fields.String(required=True, validate=validate.Regexp(r"[0-9a-f]{24}$"))
    organizationId = fields.String(required=True)
    plivoComplianceId = fields.String(required=True)
    alias = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(list(AtomsStatus)))
    countryIso = fields.String(required=True)
    numberType = fields.String(required=True, validate=validate.OneOf(list(AtomsNumberType)))
    userType = fields.String(required=True, validate=validate.OneOf(list(UserType)))
    endUserName = fields.String(required=True)
    endUserLastName = fields.String(required=True, allow_none=True)
    endUserEmail = fields.String(required=True, allow_none=True)
    endUserCountry = fields.String(required=True, allow_none=True)
    documentFileNames = fields.List(fields.String(), required=True)
    rejectionReason = fields.String(required=True, allow_none=True)
    createdBy = fields.String(required=True)
    createdAt = fields.DateTime(required=True)
    updatedAt = fields.DateTime(required=True)


_STEPS = ("form", "submitted", "accepted", "rejected", "expired", "suspended")


class StatusOut(Schema):
    step = fields.String(required=True, validate=validate.OneOf(_STEPS))
    application = fields.Nested(ApplicationOut, required=True, allow_none=True)
    requiredDocuments = fields.List(fields.Nested(DocumentTypeOut), required=True)


class ErrorOut(Schema):
    status = fields.Constant(False)
    errors = fields.List(fields.String(), required=True, validate=validate.Length(min=1))
