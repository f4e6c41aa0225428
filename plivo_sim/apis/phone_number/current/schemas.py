"""The shapes of this dialect (observed): what comes in, and what goes out, for OpenAPI and the
tests."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from plivo_sim.apis.schema import (
    Country,
    LinkedNumberOut,
    Many,
    MetaOut,
    Nested,
    Text,
    TextMap,
    WireSchema,
    Word,
)
from plivo_sim.domain.records import NumberType, UserType
from plivo_sim.domain.statuses import Status


class EndUserIn(WireSchema):
    type = Word(UserType, required=True)
    name = Text(required=True)
    last_name = Text()
    email = Text()
    address_line1 = Text()
    address_line2 = Text()
    city = Text()
    state = Text()
    postal_code = Text()
    country = Text()
    registration_number = Text()


class DocumentIn(WireSchema):
    document_type_id = Text(required=True)
    data_fields = TextMap()


class CreateIn(WireSchema):
    """The ``data`` part of a create."""

    country_iso = Country(required=True)
    number_type = Word(NumberType, required=True)
    alias = Text(required=True)
    end_user = Nested(EndUserIn, required=True)
    documents = Many(Nested(DocumentIn))
    callback_url = Text(longest=2048)
    callback_method = Text()


class EndUserChangeIn(EndUserIn):
    type = Word(UserType)
    name = Text()


class UpdateIn(WireSchema):
    """The ``data`` part of an update: all optional."""

    alias = Text()
    end_user = Nested(EndUserChangeIn)
    documents = Many(Nested(DocumentIn))
    callback_url = Text(longest=2048)
    callback_method = Text()


# --- answers -------------------------------------------------------------------------------

_STATUSES = [s.value for s in Status if s is not Status.MORE_INFO_REQUIRED]


class FieldOut(Schema):
    field_name = fields.String(required=True)
    friendly_name = fields.String(required=True)
    field_type = fields.String(required=True)
    required = fields.Boolean(required=True)
    min_length = fields.Integer(required=True)
    max_length = fields.Integer(required=True)
    help_text = fields.String()
    format = fields.String()
    enums = fields.String()


class DocumentTypeOut(Schema):
    document_type_id = fields.UUID(required=True)
    name = fields.String(required=True)
    description = fields.String(required=True)
    proof_required = fields.Boolean(required=True)
    required_fields = fields.List(fields.Nested(FieldOut), required=True)


class RequirementsOut(Schema):
    api_id = fields.UUID(required=True)
    requirement_id = fields.UUID(required=True)
    country_iso = fields.String(required=True)
    number_type = fields.String(required=True)
    user_type = fields.String(required=True)
    document_types = fields.List(fields.Nested(DocumentTypeOut), required=True)


class EndUserOut(Schema):
    end_user_id = fields.UUID(required=True)
    type = fields.String(required=True)
    name = fields.String(required=True)
    last_name = fields.String(required=True, allow_none=True)
    email = fields.String(required=True, allow_none=True)
    address_line1 = fields.String(required=True, allow_none=True)
    address_line2 = fields.String(required=True, allow_none=True)
    city = fields.String(required=True, allow_none=True)
    state = fields.String(required=True, allow_none=True)
    postal_code = fields.String(required=True, allow_none=True)
    country = fields.String(required=True, allow_none=True)
    registration_number = fields.String(required=True, allow_none=True)


class DocumentOut(Schema):
    document_id = fields.UUID(required=True)
    document_type_id = fields.UUID(required=True)
    document_name = fields.String(required=True)
    file_name = fields.String(required=True, allow_none=True)
    meta_information = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    download_url = fields.String(required=True, allow_none=True)
    created_at = fields.DateTime(required=True)


class ListedOut(Schema):
    """A record as lists show it."""

    compliance_id = fields.UUID(required=True)
    alias = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(_STATUSES))
    country_iso = fields.String(required=True)
    number_type = fields.String(required=True)
    user_type = fields.String(required=True)
    rejection_reason = fields.String()
    created_at = fields.DateTime(required=True)
    updated_at = fields.DateTime(required=True)
    end_user = fields.Nested(EndUserOut)
    documents = fields.List(fields.Nested(DocumentOut))
    linked_numbers = fields.List(fields.Nested(LinkedNumberOut))


class ComplianceOut(ListedOut):
    """A record on its own."""

    callback_url = fields.String(required=True, allow_none=True)
    callback_method = fields.String(required=True, allow_none=True)


class CreatedOut(Schema):
    api_id = fields.UUID(required=True)
    compliance_id = fields.UUID(required=True)
    message = fields.String(required=True)


class OneOut(Schema):
    api_id = fields.UUID(required=True)
    compliance = fields.Nested(ComplianceOut, required=True)


class UpdatedOut(OneOut):
    compliance_id = fields.UUID(required=True)
    message = fields.String(required=True)


class ListOut(Schema):
    api_id = fields.UUID(required=True)
    meta = fields.Nested(MetaOut, required=True)
    compliances = fields.List(fields.Nested(ListedOut), required=True)


class ErrorOut(Schema):
    api_id = fields.UUID(required=True)
    error = fields.String(required=True)
