"""What Atoms takes. Names and enumerations are the pages' own (documented)."""

from __future__ import annotations

from enum import StrEnum

from plivo_sim.apis.fields import Country, Fields, Many, Nested, Text, TextMap, Word
from plivo_sim.domain.records import UserType


class AtomsNumberType(StrEnum):
    """Fewer than the core has: nothing is national here."""

    LOCAL = "local"
    MOBILE = "mobile"
    TOLLFREE = "tollfree"


class KeyIn(Fields):
    """What an application is for; an organisation has one for each of these."""

    country_iso = Country(required=True, data_key="countryIso")
    number_type = Word(AtomsNumberType, required=True, data_key="numberType")
    user_type = Word(UserType, required=True, data_key="userType")


class EndUserIn(Fields):
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


class DocumentIn(Fields):
    document_type_id = Text(required=True, data_key="documentTypeId")
    data_fields = TextMap(data_key="dataFields")


class ResubmitIn(Fields):
    documents = Many(Nested(DocumentIn), required=True)


class SubmitIn(KeyIn):
    end_user = Nested(EndUserIn, required=True, data_key="endUser")
    documents = Many(Nested(DocumentIn), required=True)
