"""What a country is called, what its numbers cost, who may rent them, and what made-up applicants
look like there. The values are data: a file of ``catalogue/countries`` each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from plivo_sim.domain.records import NumberType, UserType

Digits = Annotated[str, Meta(pattern=r"^[0-9]{1,15}$", title="at most 15 digits", examples=["20"])]
Rate = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{1,6}\.[0-9]{5}$",
        title="a price with five digits after the point",
        examples=["1.50000"],
    ),
]
Weight = Annotated[int, Meta(ge=1, le=1000)]
Word = Annotated[str, Meta(min_length=1, max_length=200)]


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True,
           omit_defaults=True):  # fmt: skip
    """A part of a catalogue file: immutable, and strict about unknown keys."""


class Town(Part, frozen=True, kw_only=True):
    """Where a made-up applicant lives; without ``state``, that is the city's name. In
    ``postal_code`` ``#`` is a digit and ``?`` a letter."""

    city: Word
    state: str = ""
    postal_code: Word


class Applicants(Part, frozen=True, kw_only=True):
    """What the names and addresses of made-up applicants look like. ``locale``: a locale of Faker,
    which makes up what is not given here. In ``streets`` and ``registration`` ``#`` is a digit and
    ``?`` a letter; in ``companies`` ``{}`` is a last name."""

    locale: Annotated[str, Meta(pattern=r"^[a-z]{2,3}_[A-Z]{2}$")] = "en_US"
    cities: tuple[Town, ...] = ()
    companies: tuple[Word, ...] = ()
    first_names: tuple[Word, ...] = ()
    last_names: tuple[Word, ...] = ()
    streets: tuple[Word, ...] = ()
    registration: Word = "#########"


class Place(Part, frozen=True, kw_only=True):
    """Where the local numbers with this area code are; ``lata``: North America only."""

    area: Digits
    city: Word
    region: Word
    rate_center: str | None = None
    lata: int | None = None


class Country(Part, frozen=True, kw_only=True):
    """All that is known of a country except what it requires.

    Monthly rates are made up (invented). ``places`` are a few cities (invented) with their real
    area codes. The adjective is that of the page's "for German local numbers" (documented).
    Without ``applicants``, Faker's locale for the country is used. ``number_examples``: the
    national digits of a valid number of each type, from which others are made up, where the
    ``phonenumbers`` library's own example does not do.

    ``withheld``: the number types that are not for rent, though applications for them are taken;
    ``renters``: who may rent. There are no Indian mobile numbers, and only businesses rent Indian
    ones (field-reported: docs/wire-facts.md, "Indian numbers are for Indian businesses").
    ``rent_page``: a page of Plivo that the refusal of a number without an application names
    (documented for India). ``campaign_types``: the number types whose texts need a registered
    campaign (observed for the United States). ``weight``: how often made-up applicants are from
    there, compared with other countries; the heaviest come first in lists.
    """

    name: Word
    adjective: Word
    monthly_rate: Rate = "1.50000"
    places: tuple[Place, ...] = ()
    number_examples: Mapping[NumberType, Digits] = {}
    applicants: Applicants | None = None
    withheld: tuple[NumberType, ...] = ()
    renters: tuple[UserType, ...] = tuple(UserType)
    rent_page: str = ""
    campaign_types: tuple[NumberType, ...] = ()
    weight: Weight = 1


def is_country(country_iso: str) -> bool:
    """Whether a code in capital letters is of a country that has phone numbers."""
    return country_iso in countries_with_numbers()


def countries_with_numbers() -> Collection[str]:
    """The codes of the regions that the ``phonenumbers`` library has."""
    from phonenumbers import SUPPORTED_REGIONS  # here because it is heavy

    regions: Collection[str] = SUPPORTED_REGIONS
    return regions


def nameless(country_iso: str) -> Country:
    """A country that no file describes is called by its code."""
    return Country(name=country_iso, adjective=country_iso)
