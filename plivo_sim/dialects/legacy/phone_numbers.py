"""What a phone number says of itself in a look-up: its country and its type, told as those of
rented numbers are (inferred)."""

from __future__ import annotations

from plivo_sim.domain.models import NumberType
from plivo_sim.services.inventory import describe, digits_of


def classify(text: str) -> tuple[str, NumberType]:
    """Country and type of a number in E.164, with or without ``+``.

    Raises ValueError with a sentence when it is no number, or of a kind that nobody rents.
    """
    digits = digits_of(text)
    if not digits:
        raise ValueError("must be a phone number in E.164 format")
    offer = describe(digits)
    if offer is None:
        raise ValueError(
            "is no number whose country and type can be told; give country_iso2 and number_type"
        )
    return offer.country_iso, offer.number_type
