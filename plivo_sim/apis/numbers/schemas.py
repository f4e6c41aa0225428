"""The shapes of bodies of numbers and of Link. Keys are what the SDKs send (observed), and the
page's ``compliance_id`` (documented). All keys of a change are optional, null means "not given",
unknown keys are ignored and named in a warning."""

from __future__ import annotations

from plivo_sim.apis.fields import Fields, Many, Nested, Text


class RentIn(Fields):
    """``PhoneNumber/{number}/``."""

    app_id = Text()
    cnam_lookup = Text()
    compliance_application_id = Text()
    compliance_id = Text()
    subaccount = Text()


class ChangeIn(RentIn):
    """``Number/{number}/``."""

    alias = Text()


class LinkItemIn(Fields):
    """One number; ``compliance_id`` is read as well."""

    closed = True
    number = Text(required=True)
    compliance_application_id = Text(required=True)


class LinkIn(Fields):
    """The shape that most SDKs send; ``reading.read_links`` takes the others with a warning."""

    closed = True
    numbers = Many(Nested(LinkItemIn), required=True)
