"""The numbers that there are to rent: made up on the spot, the same ones for the same seed.

Nothing here is stored. The n-th number of a country and type is drawn from
``(seed, country, type, n)`` until the ``phonenumbers`` library calls it valid and of that type
(invented). Countries and types are those of the requirement catalogue; where the library cannot
tell a type from another, as mobile from local in North America, there is none of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from plivo_sim.domain.countries import Country, Place
from plivo_sim.domain.records import NumberType, UserType, Version, services_of
from plivo_sim.domain.requirements import Catalogue, Requirement
from plivo_sim.domain.typed import kept

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber as Parsed

STOCK_SIZE = 400
"""How many numbers of one country and type there are to rent (invented)."""

_MOST_DRAWS = 120

_KINDS = {
    NumberType.LOCAL: ("FIXED_LINE", "FIXED_LINE_OR_MOBILE"),
    NumberType.MOBILE: ("MOBILE",),
    NumberType.TOLLFREE: ("TOLL_FREE",),
    NumberType.NATIONAL: ("UAN", "SHARED_COST", "VOIP", "PERSONAL_NUMBER"),
}
"""Which of the library's types is which of Plivo's (inferred: a number that belongs to no place
is what Plivo calls national)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a number says of itself, rented or not. ``number``: digits without ``+``;
    ``national``: those after the country code; ``prefix``: the first of these."""

    number: str
    national: str
    country_iso: str
    country: Country
    number_type: NumberType
    prefix: str
    place: Place | None = None

    @property
    def services(self) -> frozenset[str]:
        """What it can be used for; see ``services_of``."""
        return frozenset(services_of(self.number, self.number_type))


def digits_of(text: str) -> str:
    """A number's digits, however it is written (``+91 22-4888``); empty when it is no number.

    ``+E.164`` in Link, no ``+`` elsewhere (observed).
    """
    bare = "".join(c for c in text.strip().removeprefix("+") if c not in " -().")
    return bare if bare.isascii() and bare.isdigit() and 5 <= len(bare) <= 15 else ""


@kept(4096)
def describe(catalogue: Catalogue, digits: str) -> Offer | None:
    """What a number says of itself; None when it is not valid, or of a kind that nobody rents.

    Pure, hence kept.
    """
    import phonenumbers  # here because it is heavy and few ask

    try:
        parsed = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return None
    iso = phonenumbers.region_code_for_number(parsed)
    number_type = _type_of(parsed)
    if number_type is None or iso is None or len(iso) != 2:  # "001" is no country
        return None
    national = phonenumbers.national_significant_number(parsed)
    if f"{parsed.country_code}{national}" != digits:  # a trunk prefix, or an extension
        return None
    country = catalogue.country(iso)
    place = _place_of(country, number_type, national)
    area = phonenumbers.length_of_national_destination_code(parsed)
    return Offer(
        number=digits,
        national=national,
        country_iso=iso,
        country=country,
        number_type=number_type,
        prefix=place.area if place else national[: area or 3],
        place=place,
    )


def requirements_of(
    catalogue: Catalogue, country_iso: str, number_type: NumberType
) -> dict[UserType, Requirement]:
    """What must be handed in for such a number, by user type; empty when it is unregulated.

    Of the two versions the one that the SDKs recorded, if it has this case.
    """
    found: dict[UserType, Requirement] = {}
    for version in (Version.CURRENT, Version.BETA):
        for user_type in UserType:
            each = catalogue.find(version, (country_iso, number_type, user_type))
            if each is not None and each.slots:
                found.setdefault(user_type, each)
    return found


def types_of(catalogue: Catalogue, country_iso: str) -> list[NumberType]:
    """The number types that the catalogue knows in a country, in the order of the enumeration."""
    known = {r.number_type for r in catalogue.requirements if r.country_iso == country_iso}
    return [number_type for number_type in NumberType if number_type in known]


def in_stock(catalogue: Catalogue, seed: int, offer: Offer) -> bool:
    """Whether a search can find this number."""
    return offer in stock(catalogue, seed, offer.country_iso, offer.number_type)


@lru_cache(maxsize=128)
def stock(
    catalogue: Catalogue, seed: int, country_iso: str, number_type: NumberType
) -> tuple[Offer, ...]:
    """Every number of this country and type, rented ones too. Pure, hence kept for all accounts."""
    drawn: dict[str, Offer] = {}
    country = catalogue.country(country_iso)
    example = _example(country, country_iso, number_type)
    if example is not None:
        for n in range(STOCK_SIZE):
            words = f"{seed}|{country_iso}|{number_type}|{n}"
            for national in _draws(country, number_type, n, words, example):
                number = f"{example.country_code}{national}"
                offer = describe(catalogue, number) if number not in drawn else None
                if offer is not None and (offer.country_iso, offer.number_type) == (
                    country_iso,
                    number_type,
                ):
                    drawn[number] = offer
                    break
    return tuple(drawn.values())


def _draws(
    country: Country, number_type: NumberType, n: int, words: str, example: Parsed
) -> Iterator[str]:
    """Candidates for the n-th number: a place's area code, or the start of the library's example,
    and digits by lot; after many misses more of the example is kept."""
    import phonenumbers

    pattern = phonenumbers.national_significant_number(example)
    most = len(pattern) - 4
    places = country.places if number_type is NumberType.LOCAL else ()
    for attempt in range(_MOST_DRAWS):
        kept = places[n % len(places)].area if places else pattern[: min(3 + attempt // 8, most)]
        lot = hashlib.blake2b(f"{words}|{attempt}".encode(), digest_size=8).digest()
        yield f"{kept}{int.from_bytes(lot) % 10**15:015d}"[: len(pattern)]


def _example(country: Country, country_iso: str, number_type: NumberType) -> Parsed | None:
    """The country's example of a number of this type, else the library's own."""
    import phonenumbers

    given = country.number_examples.get(number_type)
    if given is not None:
        return phonenumbers.parse(given, country_iso)

    for kind in _KINDS[number_type]:
        code = getattr(phonenumbers.PhoneNumberType, kind)
        example = phonenumbers.example_number_for_type(country_iso, code)
        if example is not None and _type_of(example) is number_type:
            return example
    return None


def is_example(country_iso: str, number_type: str, digits: str) -> bool:
    """Whether these are the national digits of a valid number of this country and type."""
    import phonenumbers

    try:
        parsed = phonenumbers.parse(digits, country_iso)
    except phonenumbers.NumberParseException:
        return False
    return bool(
        phonenumbers.region_code_for_number(parsed) == country_iso
        and _type_of(parsed) == number_type
    )


def _type_of(parsed: Parsed) -> NumberType | None:
    import phonenumbers

    kind = phonenumbers.PhoneNumberType.to_string(phonenumbers.number_type(parsed))
    return next((word for word, kinds in _KINDS.items() if kind in kinds), None)


def _place_of(country: Country, number_type: NumberType, national: str) -> Place | None:
    if number_type is not NumberType.LOCAL:
        return None
    return next((p for p in country.places if national.startswith(p.area)), None)
