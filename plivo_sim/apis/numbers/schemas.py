"""Bodies and answers of numbers. Keys are what the SDKs send and what their fixtures show
(observed), and the page's ``compliance_id`` (documented). Of a body all keys are optional, null
means "not given", unknown keys are ignored."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from plivo_sim.apis.numbers.presenters import STATUS_WORDS
from plivo_sim.apis.schema import Text, WireSchema
from plivo_sim.domain.records import NumberType

# --- what comes in -------------------------------------------------------------------------


class RentIn(WireSchema):
    """``PhoneNumber/{number}/``."""

    app_id = Text()
    cnam_lookup = Text()
    compliance_application_id = Text()
    compliance_id = Text()


class ChangeIn(RentIn):
    """``Number/{number}/``."""

    alias = Text()
    subaccount = Text()


class LinkItemIn(Schema):
    """One number; ``compliance_id`` is read as well."""

    number = fields.String(required=True)
    compliance_application_id = fields.String(required=True)


class LinkIn(Schema):
    """The shape that most SDKs send; the others are in ``requests``."""

    numbers = fields.List(fields.Nested(LinkItemIn), required=True)


# --- what goes out -------------------------------------------------------------------------


def _text(**kwargs: Any) -> fields.String:
    return fields.String(required=True, **kwargs)


def _flag() -> fields.Boolean:
    return fields.Boolean(required=True, truthy={True}, falsy={False})


_RATE = validate.Regexp(r"^\d+\.\d{5}$")


_NUMBER = validate.Regexp(r"^\d{5,15}$")


_TYPES = validate.OneOf([word.value for word in NumberType])


class ServicesOut(Schema):
    """What a number can do, and for how much; shared by offers and rented numbers."""

    number = _text(validate=_NUMBER)
    city = _text(allow_none=True)
    country = _text()
    region = _text()
    monthly_rental_rate = _text(validate=_RATE)
    resource_uri = _text()
    mms_enabled = _flag()
    mms_rate = _text(validate=_RATE)
    sms_enabled = _flag()
    sms_rate = _text(validate=_RATE)
    voice_enabled = _flag()
    voice_rate = _text(validate=_RATE)


class ComplianceRequirementOut(Schema):
    business = _text(allow_none=True)
    individual = _text(allow_none=True)


class OfferOut(ServicesOut):
    compliance_requirement = fields.Nested(ComplianceRequirementOut, required=True, allow_none=True)
    lata = fields.Integer(required=True, strict=True, allow_none=True)
    prefix = _text()
    prerequisites = fields.List(fields.Dict(), required=True)
    rate_center = _text(allow_none=True)
    restriction = _text(allow_none=True)
    restriction_text = _text(allow_none=True)
    setup_rate = _text(validate=_RATE)
    sub_type = _text(validate=_TYPES)
    type = _text(validate=validate.OneOf(["fixed", "mobile", "tollfree"]))


class NumberOut(ServicesOut):
    active = _flag()
    added_on = fields.Date(required=True)
    alias = _text(allow_none=True)
    application = _text(allow_none=True)
    carrier = _text()
    cnam_lookup = _text(allow_none=True)
    compliance_application_id = fields.UUID(required=True, allow_none=True)
    compliance_status = _text(allow_none=True, validate=validate.OneOf(list(STATUS_WORDS.values())))
    number_type = _text(validate=_TYPES)
    renewal_date = fields.Date(required=True)
    sub_account = _text(allow_none=True)
    sub_account_name = _text(allow_none=True)
    tendlc_campaign_id = _text(allow_none=True)
    tendlc_registration_status = _text(allow_none=True)
    toll_free_sms_verification = _text(allow_none=True)
    toll_free_sms_verification_id = _text(allow_none=True)
    toll_free_sms_verification_order_status = _text(allow_none=True)


class NumberGetOut(NumberOut):
    api_id = fields.UUID(required=True)


class MetaOut(Schema):
    limit = fields.Integer(required=True, strict=True)
    offset = fields.Integer(required=True, strict=True)
    total_count = fields.Integer(required=True, strict=True)
    next = _text(allow_none=True)
    previous = _text(allow_none=True)


class SearchOut(Schema):
    api_id = fields.UUID(required=True)
    meta = fields.Nested(MetaOut, required=True)
    objects = fields.List(fields.Nested(OfferOut), required=True)


class NumberListOut(Schema):
    api_id = fields.UUID(required=True)
    meta = fields.Nested(MetaOut, required=True)
    objects = fields.List(fields.Nested(NumberOut), required=True)


class RentedItemOut(Schema):
    number = _text(validate=_NUMBER)
    status = _text()


class RentedOut(Schema):
    api_id = fields.UUID(required=True)
    message = _text()
    numbers = fields.List(fields.Nested(RentedItemOut), required=True)
    status = _text()


class MessageOut(Schema):
    api_id = fields.UUID(required=True)
    message = _text()


class ReportLineOut(Schema):
    number = _text()
    status = _text(validate=validate.OneOf(["success", "failed"]))
    remarks = _text()


class LinkOut(Schema):
    api_id = fields.UUID(required=True)
    total_count = fields.Integer(required=True, strict=True)
    updated_count = fields.Integer(required=True, strict=True)
    report = fields.List(fields.Nested(ReportLineOut), required=True)


class ErrorOut(Schema):
    """A string; the page's object, which has no ``api_id`` beside it, for those who send the
    page's ``compliance_id`` and are no SDK."""

    api_id = fields.UUID()
    error = fields.Raw(required=True, metadata={"oneOf": [{"type": "string"}, {"type": "object"}]})
    problems = fields.List(fields.Dict())
