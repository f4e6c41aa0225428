"""The shapes of bodies of numbers and of Link. Keys are what the SDKs send (observed), and the
page's ``compliance_id`` (documented). All keys of a change are optional, null means "not given",
unknown keys are ignored and named in a warning."""

from __future__ import annotations

from marshmallow import Schema, fields

from plivo_sim.apis.schema import Text, WireSchema


class RentIn(WireSchema):
    """``PhoneNumber/{number}/``."""

    app_id = Text()
    cnam_lookup = Text()
    compliance_application_id = Text()
    compliance_id = Text()
    subaccount = Text()


class ChangeIn(RentIn):
    """``Number/{number}/``."""

    alias = Text()


class LinkItemIn(Schema):
    """One number; ``compliance_id`` is read as well."""

    number = fields.String(required=True)
    compliance_application_id = fields.String(required=True)


class LinkIn(Schema):
    """The shape that most SDKs send; ``reading.read_links`` takes the others with a warning."""

    numbers = fields.List(fields.Nested(LinkItemIn), required=True)
