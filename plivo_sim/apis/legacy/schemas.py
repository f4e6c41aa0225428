"""The shapes of bodies of the legacy API; answers have theirs in ``presenters``.

Source: the legacy page (documented), and the union of what the SDKs send and read (observed).
"""

from __future__ import annotations

from plivo_sim.apis.fields import Country, Fields, Many, Text, Word
from plivo_sim.domain.records import NumberType, UserType


class EndUserIn(Fields):
    name = Text(required=True)
    last_name = Text()
    end_user_type = Word(UserType, required=True)


class EndUserChangeIn(Fields):
    """All optional; the name cannot be emptied."""

    name = Text(filled=True)
    last_name = Text()
    end_user_type = Word(UserType)


class DocumentIn(Fields):
    """The named fields of the form; every other one is a data field."""

    end_user_id = Text(required=True)
    document_type_id = Text(required=True)
    alias = Text(required=True)


class DocumentChangeIn(Fields):
    end_user_id = Text()
    document_type_id = Text()
    alias = Text(filled=True)


class ApplicationIn(Fields):
    """A draft: the requirement by id or by its three parts.

    ``operation_type`` and ``callback_url`` are on no page (field-reported).
    """

    compliance_requirement_id = Text()
    country_iso2 = Country()
    number_type = Word(NumberType)
    end_user_type = Word(UserType)
    end_user_id = Text(required=True)
    alias = Text(required=True)
    document_ids = Many(Text(required=True), required=True)
    operation_type = Text()
    callback_url = Text()


class ApplicationChangeIn(Fields):
    document_ids = Many(Text(required=True))
