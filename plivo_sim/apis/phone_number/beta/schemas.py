"""What this dialect takes.

The order of the fields is the page's; it decides which of several problems comes first.
"""

from __future__ import annotations

from plivo_sim.apis.fields import (
    Country,
    EmbeddedFile,
    Fields,
    Many,
    Nested,
    Text,
    TextMap,
    Word,
)
from plivo_sim.apis.phone_number.beta.presenters import PageNumberType
from plivo_sim.domain.records import UserType


class AddressIn(Fields):
    line1 = Text()
    line2 = Text()
    city = Text()
    state = Text()
    postal_code = Text()
    country = Text()


class EndUserIn(Fields):
    type = Word(UserType, required=True)
    name = Text(required=True)
    email = Text()
    address = Nested(AddressIn)
    registration_number = Text()


class DocumentIn(Fields):
    """``data_fields`` is not on the page: records made by an SDK have them (inferred)."""

    type = Text(required=True)
    file = EmbeddedFile()
    data_fields = TextMap()


class CreateIn(Fields):
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
    name = Text(filled=True)


class UpdateIn(Fields):
    """An update: all optional. The page names the first three; the callback is inferred."""

    alias = Text(filled=True)
    end_user = Nested(EndUserChangeIn)
    documents = Many(Nested(DocumentIn))
    callback_url = Text(longest=2048)
    callback_method = Text()
