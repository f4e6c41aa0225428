"""What this dialect takes (observed)."""

from __future__ import annotations

from plivo_sim.apis.fields import (
    Country,
    Fields,
    Many,
    Nested,
    Text,
    TextMap,
    Word,
)
from plivo_sim.apis.words import TODAYS_NUMBER_TYPES
from plivo_sim.domain.records import NumberType, UserType


class EndUserIn(Fields):
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


class DocumentIn(Fields):
    document_type_id = Text(required=True)
    data_fields = TextMap()


class CreateIn(Fields):
    """The ``data`` part of a create."""

    country_iso = Country(required=True)
    number_type = Word(NumberType, offered=TODAYS_NUMBER_TYPES, required=True)
    alias = Text(required=True)
    end_user = Nested(EndUserIn, required=True)
    documents = Many(Nested(DocumentIn))
    callback_url = Text(longest=2048)
    callback_method = Text()


class EndUserChangeIn(EndUserIn):
    type = Word(UserType)
    name = Text(filled=True)


class UpdateIn(Fields):
    """The ``data`` part of an update: all optional."""

    alias = Text(filled=True)
    end_user = Nested(EndUserChangeIn)
    documents = Many(Nested(DocumentIn))
    callback_url = Text(longest=2048)
    callback_method = Text()
