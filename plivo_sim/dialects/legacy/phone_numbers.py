"""What a phone number says of itself: its country and its type.

A shared-cost, universal-access or IP number belongs to no place, which is what Plivo calls
national (inferred).
"""

from __future__ import annotations

from plivo_sim.domain.models import NumberType

_TYPES = {
    "FIXED_LINE": NumberType.LOCAL,
    "FIXED_LINE_OR_MOBILE": NumberType.LOCAL,
    "MOBILE": NumberType.MOBILE,
    "TOLL_FREE": NumberType.TOLLFREE,
    "SHARED_COST": NumberType.NATIONAL,
    "UAN": NumberType.NATIONAL,
    "VOIP": NumberType.NATIONAL,
    "PERSONAL_NUMBER": NumberType.NATIONAL,
}


def classify(text: str) -> tuple[str, NumberType]:
    """Country and type of a number in E.164, with or without ``+``.

    Raises ValueError with a sentence when it is no number, or of a kind that nobody rents.
    """
    import phonenumbers  # here because it is heavy and few ask

    try:
        number = phonenumbers.parse(f"+{text.strip().removeprefix('+')}")
    except phonenumbers.NumberParseException:
        raise ValueError("must be a phone number in E.164 format") from None
    country = phonenumbers.region_code_for_number(number)
    kind = phonenumbers.PhoneNumberType.to_string(phonenumbers.number_type(number))
    if country is None or len(country) != 2 or kind not in _TYPES:
        raise ValueError(
            "is no number whose country and type can be told; give country_iso2 and number_type"
        )
    return country, _TYPES[kind]
