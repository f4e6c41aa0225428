"""The shapes of this dialect: what comes in, and (for OpenAPI and the tests) what goes out.

The order of the fields is the page's; it decides which of several problems comes first.
"""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from plivo_sim.apis.phone_number.beta.presenters import PageNumberType
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
from plivo_sim.domain.records import DocumentReview, UserType


class AddressIn(WireSchema):
    line1 = Text()
    line2 = Text()
    city = Text()
    state = Text()
    postal_code = Text()
    country = Text()


class EndUserIn(WireSchema):
    type = Word(UserType, required=True)
    name = Text(required=True)
    email = Text()
    address = Nested(AddressIn)
    registration_number = Text()


class DocumentIn(WireSchema):
    """``data_fields`` is not on the page: records made by an SDK have them (inferred)."""

    type = Text(required=True)
    file = fields.Raw()
    data_fields = TextMap()


class CreateIn(WireSchema):
    """A create. ``alias`` is optional: the page's own sample has none (documented)."""

    country_iso = Country(required=True)
    number_type = Word(PageNumberType, required=True)
    alias = Text()
    end_user = Nested(EndUserIn, required=True)
    documents = Many(Nested(DocumentIn))
    callback_url = Text(longest=2048)
    callback_method = Text()


class EndUserChangeIn(EndUserIn):
    type = Word(UserType)
    name = Text()


class UpdateIn(WireSchema):
    """An update: all optional. The page names the first three; the callback is inferred."""

    alias = Text()
    end_user = Nested(EndUserChangeIn)
    documents = Many(Nested(DocumentIn))
    callback_url = Text(longest=2048)
    callback_method = Text()


# --- answers -------------------------------------------------------------------------------

_STATUSES = ("pending_review", "approved", "rejected", "more_info_required")


class RequiredDocumentOut(Schema):
    title = fields.String(required=True)
    type = fields.String(required=True)
    accepted_formats = fields.List(fields.String(), required=True)
    description = fields.String(required=True)


class RequiredFieldOut(Schema):
    field_name = fields.String(required=True)
    field_label = fields.String(required=True)
    required = fields.Boolean(required=True)
    field_type = fields.String(required=True)
    max_length = fields.Integer(required=True)
    min_length = fields.Integer(required=True)


class UserTypeOut(Schema):
    user_type = fields.String(required=True)
    required_documents = fields.List(fields.Nested(RequiredDocumentOut), required=True)
    required_fields = fields.List(fields.Nested(RequiredFieldOut), required=True)
    estimated_review_days = fields.Integer(required=True)


class NumberTypeOut(Schema):
    number_type = fields.String(required=True)
    user_types = fields.List(fields.Nested(UserTypeOut), required=True)


class RequirementsOut(Schema):
    api_id = fields.UUID(required=True)
    country_iso = fields.String(required=True)
    number_types = fields.List(fields.Nested(NumberTypeOut), required=True)


class AddressOut(Schema):
    """``line2`` is there when it was given, as in the page's sample."""

    line1 = fields.String(required=True, allow_none=True)
    line2 = fields.String()
    city = fields.String(required=True, allow_none=True)
    state = fields.String(required=True, allow_none=True)
    postal_code = fields.String(required=True, allow_none=True)
    country = fields.String(required=True, allow_none=True)


class EndUserOut(Schema):
    id = fields.UUID(required=True)
    type = fields.String(required=True)
    name = fields.String(required=True)
    email = fields.String(required=True, allow_none=True)
    address = fields.Nested(AddressOut, required=True)
    registration_number = fields.String(required=True, allow_none=True)


class DocumentOut(Schema):
    id = fields.UUID(required=True)
    type = fields.String(required=True)
    file_name = fields.String(required=True, allow_none=True)
    file_url = fields.Url(required=True, allow_none=True, require_tld=False)
    status = fields.String(
        required=True, validate=validate.OneOf([review.value for review in DocumentReview])
    )


class ListedOut(Schema):
    """A record as lists show it; the nested objects when they are expanded."""

    compliance_id = fields.UUID(required=True)
    alias = fields.String(required=True, allow_none=True)
    status = fields.String(required=True, validate=validate.OneOf(_STATUSES))
    country_iso = fields.String(required=True)
    number_type = fields.String(required=True)
    end_user = fields.Nested(EndUserOut)
    documents = fields.List(fields.Nested(DocumentOut))
    linked_numbers = fields.List(fields.Nested(LinkedNumberOut))
    rejection_reason = fields.String(required=True, allow_none=True)
    created_at = fields.DateTime(required=True)
    updated_at = fields.DateTime(required=True)
    submitted_at = fields.DateTime(required=True, allow_none=True)


class OneOut(ListedOut):
    """A record on its own: the bare object and the ``api_id`` of the answer."""

    api_id = fields.UUID(required=True)
    end_user = fields.Nested(EndUserOut, required=True)
    documents = fields.List(fields.Nested(DocumentOut), required=True)


class ListOut(Schema):
    api_id = fields.UUID(required=True)
    meta = fields.Nested(MetaOut, required=True)
    compliances = fields.List(fields.Nested(ListedOut), required=True)


class CreatedOut(Schema):
    """The answer to a create, an update and a delete."""

    api_id = fields.UUID(required=True)
    compliance_id = fields.UUID(required=True)
    message = fields.String(required=True)


class ProblemOut(Schema):
    code = fields.String(required=True)
    message = fields.String(required=True)
    param = fields.String(required=True, allow_none=True)


class ErrorObjectOut(Schema):
    type = fields.String(required=True)
    code = fields.String(required=True)
    message = fields.String(required=True)
    param = fields.String(required=True, allow_none=True)
    doc_url = fields.Url(required=True)


class ErrorOut(Schema):
    error = fields.Nested(ErrorObjectOut, required=True)
    problems = fields.List(fields.Nested(ProblemOut))


class CallbackOut(Schema):
    """The payload of a webhook."""

    event = fields.String(required=True)
    compliance_id = fields.UUID(required=True)
    status = fields.String(required=True, validate=validate.OneOf(_STATUSES))
    rejection_reason = fields.String()
