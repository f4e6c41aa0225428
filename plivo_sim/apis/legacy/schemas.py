"""The shapes of the legacy API: what comes in, and (for OpenAPI and the tests) what goes out.

Source: the legacy page (documented), and the union of what the SDKs send and read (observed).
"""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from plivo_sim.apis.schema import Country, Many, Text, WireSchema, Word
from plivo_sim.domain.records import NumberType, UserType
from plivo_sim.domain.statuses import Status


class EndUserIn(WireSchema):
    name = Text(required=True)
    last_name = Text()
    end_user_type = Word(UserType, required=True)


class EndUserChangeIn(WireSchema):
    """All optional; the name cannot be emptied."""

    name = Text()
    last_name = Text()
    end_user_type = Word(UserType)


class DocumentIn(WireSchema):
    """The named fields of the form; every other one is a data field."""

    end_user_id = Text(required=True)
    document_type_id = Text(required=True)
    alias = Text(required=True)


class DocumentChangeIn(WireSchema):
    end_user_id = Text()
    document_type_id = Text()
    alias = Text()


class ApplicationIn(WireSchema):
    """A draft: the requirement by id or by its three parts."""

    compliance_requirement_id = Text()
    country_iso2 = Country()
    number_type = Word(NumberType)
    end_user_type = Word(UserType)
    end_user_id = Text(required=True)
    alias = Text(required=True)
    document_ids = Many(Text(required=True))


class ApplicationChangeIn(WireSchema):
    document_ids = Many(Text(required=True))


# --- answers -------------------------------------------------------------------------------

_STATUSES = [s.value for s in Status if s is not Status.MORE_INFO_REQUIRED]


_USER_TYPES = validate.OneOf(list(UserType))


_NUMBER_TYPES = validate.OneOf(list(NumberType))


def _text(*, allow_none: bool = False) -> fields.String:
    return fields.String(required=True, allow_none=allow_none)


class MessageOut(Schema):
    """An update or a delete."""

    api_id = fields.UUID(required=True)
    message = _text()


class ErrorOut(Schema):
    api_id = fields.UUID(required=True)
    error = fields.String(required=True, validate=validate.Length(min=1))


class MetaOut(Schema):
    limit = fields.Integer(required=True, strict=True)
    offset = fields.Integer(required=True, strict=True)
    total_count = fields.Integer(required=True, strict=True)
    next = _text(allow_none=True)
    previous = _text(allow_none=True)


class ListOut(Schema):
    api_id = fields.UUID(required=True)
    meta = fields.Nested(MetaOut, required=True)


class EndUserOut(Schema):
    end_user_id = fields.UUID(required=True)
    name = _text()
    last_name = _text(allow_none=True)
    end_user_type = fields.String(required=True, validate=_USER_TYPES)
    created_at = fields.DateTime(required=True)


class EndUserGetOut(EndUserOut):
    api_id = fields.UUID(required=True)


class EndUserCreatedOut(EndUserGetOut):
    message = _text()


class EndUserListOut(ListOut):
    objects = fields.List(fields.Nested(EndUserOut), required=True)


class FieldOut(Schema):
    """One field of a document type; ``enums`` is an array here (observed: Go needs that)."""

    field_name = _text()
    friendly_name = _text()
    field_type = _text()
    help_text = _text(allow_none=True)
    format = _text(allow_none=True)
    min_length = fields.Integer(required=True, strict=True)
    max_length = fields.Integer(required=True, strict=True)
    enums = fields.List(fields.String(), required=True)


class DocumentTypeOut(Schema):
    document_type_id = fields.UUID(required=True)
    document_name = _text()
    description = _text()
    information = fields.List(fields.Nested(FieldOut), required=True)
    proof_required = _text(allow_none=True)
    created_at = fields.DateTime(required=True)


class DocumentTypeGetOut(DocumentTypeOut):
    api_id = fields.UUID(required=True)


class DocumentTypeListOut(ListOut):
    objects = fields.List(fields.Nested(DocumentTypeOut), required=True)


class AcceptableDocumentOut(Schema):
    document_type_id = fields.UUID(required=True)
    document_type_name = _text()


class SlotOut(Schema):
    name = _text()
    scope = _text()
    acceptable_documents = fields.List(fields.Nested(AcceptableDocumentOut), required=True)


class RequirementOut(Schema):
    api_id = fields.UUID(required=True)
    compliance_requirement_id = fields.UUID(required=True)
    country_iso2 = _text()
    country_iso = _text()
    number_type = fields.String(required=True, validate=_NUMBER_TYPES)
    end_user_type = fields.String(required=True, validate=_USER_TYPES)
    acceptable_document_types = fields.List(fields.Nested(SlotOut), required=True)
    acceptable_document_type = fields.List(fields.Nested(SlotOut), required=True)


class DocumentOut(Schema):
    document_id = fields.UUID(required=True)
    document_type_id = fields.UUID(required=True)
    end_user_id = fields.UUID(required=True)
    alias = _text(allow_none=True)
    meta_information = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    created_at = fields.DateTime(required=True)


class DocumentGetOut(DocumentOut):
    """Without a file there is no ``file_name``."""

    api_id = fields.UUID(required=True)
    file_name = fields.String()


class DocumentCreatedOut(DocumentOut):
    api_id = fields.UUID(required=True)
    file_name = _text(allow_none=True)
    message = _text()


class DocumentListedOut(DocumentOut):
    compliance_document_id = fields.UUID(required=True)
    file_name = _text(allow_none=True)
    file = _text(allow_none=True)


class DocumentListOut(ListOut):
    objects = fields.List(fields.Nested(DocumentListedOut), required=True)


class ApplicationDocumentOut(Schema):
    document_id = fields.UUID(required=True)
    name = _text()
    document_name = _text()
    document_type_id = fields.UUID(required=True)
    document_type_name = _text()
    scope = _text(allow_none=True)


class ApplicationOut(Schema):
    compliance_application_id = fields.UUID(required=True)
    compliance_requirement_id = fields.UUID(required=True)
    alias = _text(allow_none=True)
    status = fields.String(required=True, validate=validate.OneOf(_STATUSES))
    end_user_id = fields.UUID(required=True)
    end_user_type = fields.String(required=True, validate=_USER_TYPES)
    country_iso2 = _text()
    country_iso = _text()
    number_type = fields.String(required=True, validate=_NUMBER_TYPES)
    documents = fields.List(fields.Nested(ApplicationDocumentOut), required=True)
    compliance_document_id = fields.List(fields.UUID(), required=True)
    rejection_reason = fields.String()
    created_at = fields.DateTime(required=True)
    last_updated_at = fields.DateTime(required=True)


class ApplicationGetOut(ApplicationOut):
    api_id = fields.UUID(required=True)


class ApplicationSentOut(ApplicationGetOut):
    """A create or a Submit."""

    message = _text()


class ApplicationListOut(ListOut):
    objects = fields.List(fields.Nested(ApplicationOut), required=True)
