"""Answers as the SDKs' fixtures show them, key by key (observed). Prices are invented.

Errors of numbers and of Link are strings, which every SDK can read (observed), in the words of the
live service where they are known (docs/wire-facts.md, "Texts of refused rents"). The sentences of
a wrong country and a wrong type are the beta page's (documented). That of a user type that may not
rent is our own (invented). The page's codes stay in its own object (decision "Words of number
errors"), the answer in the beta.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, NotRequired, TypedDict

from msgspec import Meta

from plivo_sim.apis.errors import ErrorObjectOut, ProblemOut, plain_error
from plivo_sim.apis.reading import MessageOut as MessageOut  # endpoints name it
from plivo_sim.apis.reading import MetaOut
from plivo_sim.apis.words import JsonObject, NumbersWord, Uuid, word_of
from plivo_sim.domain.errors import (
    AlreadyRented,
    ApplicationRequired,
    MainAccountOnly,
    Mismatch,
    NotFound,
    SimError,
    WrongState,
)
from plivo_sim.domain.records import NumberType, PhoneNumber, UserType
from plivo_sim.domain.requirements import Requirement
from plivo_sim.services.inventory import Offer
from plivo_sim.services.numbers import Linked, NumberView
from plivo_sim.web.calls import Call

_STATUS: tuple[tuple[type[SimError], int], ...] = (
    (Mismatch, 400),
    (ApplicationRequired, 400),
    (AlreadyRented, 400),
    (MainAccountOnly, 403),
)

_MISMATCHES = {
    "country": "Number country doesn't match compliance country",
    "number_type": "Number type doesn't match compliance type",
    "user_type": "This number is not rented to end users of this type",
}
_REQUIRED = "compliance_application_id is required to rent this number."
_NOT_ACCEPTED = "Compliance application must be in 'accepted' status. Current status: '{}'."
_NOT_RENTED = "Number not found on your account. Only rented numbers can be linked."


class ErrorOut(TypedDict):
    """A string; or, in the beta, the page's object without ``api_id`` beside it."""

    api_id: NotRequired[Uuid]
    error: str | ErrorObjectOut
    problems: NotRequired[list[ProblemOut]]


def error_body(call: Call, error: SimError) -> tuple[int, ErrorOut]:
    """Status and ``{"api_id", "error": "text"}``."""
    status = next((code for type_, code in _STATUS if isinstance(error, type_)), None)
    if status is None:
        status, _ = plain_error(error)
    return status, {"api_id": call.api_id, "error": text_of(error)}


def text_of(error: SimError) -> str:
    """The sentence for an error; ``remarks`` of Link use the same.

    That an application is required is told with the country's page, which India has (documented),
    elsewhere with the first sentence alone (inferred). That one is not accepted is told as the live
    service tells it for renting (documented), the same for number update and Link (inferred).
    """
    match error:
        case Mismatch():
            return (
                f"{_MISMATCHES[error.aspect]} (number: {error.number_has}, "
                f"compliance: {error.application_has})."
            )
        case WrongState(verb="link"):
            return _NOT_ACCEPTED.format(word_of(error, "numbers"))
        case ApplicationRequired():
            more = f" Refer to {error.page} for details." if error.page else ""
            return _REQUIRED + more
    return plain_error(error)[1]


# --- numbers -------------------------------------------------------------------------------

Rate = Annotated[str, Meta(pattern=r"^\d+\.\d{5}$")]
Digits = Annotated[str, Meta(pattern=r"^\d{5,15}$")]
Day = Annotated[str, Meta(extra_json_schema={"format": "date"})]
TypeWord = Literal["fixed", "mobile", "tollfree"]


class ServicesOut(TypedDict):
    """What a number can be used for, and the price; offers and rented numbers have it."""

    mms_enabled: bool
    mms_rate: Rate
    sms_enabled: bool
    sms_rate: Rate
    voice_enabled: bool
    voice_rate: Rate


class ComplianceRequirementOut(TypedDict):
    business: str | None
    individual: str | None


class OfferOut(ServicesOut):
    city: str | None
    compliance_requirement: ComplianceRequirementOut | None
    country: str
    lata: int | None
    monthly_rental_rate: Rate
    number: Digits
    prefix: str
    prerequisites: list[JsonObject]
    rate_center: str | None
    region: str
    resource_uri: str
    restriction: str | None
    restriction_text: str | None
    setup_rate: Rate
    sub_type: NumberType
    type: TypeWord


class NumberOut(ServicesOut):
    active: bool
    added_on: Day
    alias: str | None
    application: str | None
    carrier: str
    city: str | None
    cnam_lookup: str | None
    compliance_application_id: Uuid | None
    compliance_status: NumbersWord | None
    country: str
    monthly_rental_rate: Rate
    number: Digits
    number_type: NumberType
    region: str
    renewal_date: Day
    resource_uri: str
    sub_account: str | None
    sub_account_name: str | None
    tendlc_campaign_id: str | None
    tendlc_registration_status: str | None
    toll_free_sms_verification: str | None
    toll_free_sms_verification_id: str | None
    toll_free_sms_verification_order_status: str | None


class NumberGetOut(NumberOut):
    api_id: Uuid


class SearchOut(TypedDict):
    api_id: Uuid
    meta: MetaOut
    objects: list[OfferOut]


class NumberListOut(TypedDict):
    api_id: Uuid
    meta: MetaOut
    objects: list[NumberOut]


class RentedItemOut(TypedDict):
    number: Digits
    status: str


class Rented(TypedDict):
    message: str
    numbers: list[RentedItemOut]
    status: str


class RentedOut(Rented):
    api_id: Uuid


_TYPE_WORDS: dict[NumberType, TypeWord] = {
    NumberType.LOCAL: "fixed",
    NumberType.NATIONAL: "fixed",
    NumberType.MOBILE: "mobile",
    NumberType.TOLLFREE: "tollfree",
}
"""``type`` is fixed, mobile or tollfree; ``sub_type`` tells more (documented)."""

_RATES = {"voice": "0.00500", "sms": "0.00800", "mms": "0.00750"}
_SETUP_RATE = "0.00000"


def present_offer(
    offer: Offer,
    requirements: Mapping[UserType, Requirement | None],
    auth_id: str,
    main_auth_id: str,
) -> OfferOut:
    """A number that can be rented (observed: every key of the fixtures; documented:
    ``sub_type`` and the words of ``restriction``; invented: that regulation is a restriction).
    ``main_auth_id``: the requirements are the main account's, whoever searches (field-reported)."""
    place = offer.place
    return {
        "city": place.city if place else None,
        "compliance_requirement": _uris(requirements, main_auth_id),
        "country": _country(offer),
        "lata": place.lata if place else None,
        **_services(offer),
        "monthly_rental_rate": _monthly(offer),
        "number": offer.number,
        "prefix": offer.prefix,
        "prerequisites": [],
        "rate_center": place.rate_center if place else None,
        "region": _region(offer),
        "resource_uri": f"/v1/Account/{auth_id}/PhoneNumber/{offer.number}/",
        "restriction": "country-address" if requirements else None,
        "restriction_text": _restriction(offer) if requirements else None,
        "setup_rate": _SETUP_RATE,
        "sub_type": offer.number_type,
        "type": _TYPE_WORDS[offer.number_type],
    }


def _uris(
    requirements: Mapping[UserType, Requirement | None], auth_id: str
) -> ComplianceRequirementOut | None:
    """Where to read what each user type must hand in: null or an object with both user types
    (observed), whose values are the requirements' URIs, null for one that may not rent
    (field-reported)."""
    if not requirements:
        return None
    base = f"/v1/Account/{auth_id}/ComplianceRequirement"
    uris = {user: f"{base}/{each.id}/" for user, each in requirements.items() if each}
    return {
        "business": uris.get(UserType.BUSINESS),
        "individual": uris.get(UserType.INDIVIDUAL),
    }


def _restriction(offer: Offer) -> str:
    country = offer.country.name
    return (
        f"An accepted compliance application for {country} {offer.number_type} numbers is "
        "required to rent this number."
    )


def _country(offer: Offer) -> str:
    return offer.country.name.upper()


def _region(offer: Offer) -> str:
    """As in the fixture's ``California, UNITED STATES`` (observed)."""
    country = offer.country.name
    return f"{offer.place.region}, {country.upper()}" if offer.place else country


def _services(offer: Offer) -> ServicesOut:
    services = offer.services
    rates = {name: rate if name in services else "0.00000" for name, rate in _RATES.items()}
    return {
        "mms_enabled": "mms" in services,
        "mms_rate": rates["mms"],
        "sms_enabled": "sms" in services,
        "sms_rate": rates["sms"],
        "voice_enabled": "voice" in services,
        "voice_rate": rates["voice"],
    }


def _monthly(offer: Offer) -> str:
    return offer.country.monthly_rate


def present_rented(number: PhoneNumber) -> Rented:
    """As recorded, without ``fallback_number``: there is no high availability."""
    return {
        "message": "created",
        "numbers": [{"number": number.id, "status": "Success"}],
        "status": "fulfilled",
    }


def present_number(view: NumberView, auth_id: str) -> NumberOut:
    """A rented number, with every key of the fullest fixture (observed)."""
    number, offer = view.number, view.offer
    base = f"/v1/Account/{auth_id}"
    needs_campaign = offer.number_type in offer.country.campaign_types
    return {
        "active": True,
        "added_on": number.rented_at.date().isoformat(),
        "alias": number.alias,
        "application": f"{base}/Application/{number.app_id}/" if number.app_id else None,
        "carrier": "Plivo",
        "city": offer.place.city if offer.place else None,
        "cnam_lookup": number.cnam_lookup,
        "compliance_application_id": number.application_id,
        "compliance_status": view.row.word("numbers") if view.row else None,
        "country": _country(offer),
        **_services(offer),
        "monthly_rental_rate": _monthly(offer),
        "number": number.id,
        "number_type": number.number_type,
        "region": _region(offer),
        "renewal_date": view.renewal_date.isoformat(),
        "resource_uri": f"{base}/Number/{number.id}/",
        "sub_account": number.subaccount,
        "sub_account_name": None,
        "tendlc_campaign_id": None,
        "tendlc_registration_status": "UNREGISTERED" if needs_campaign else None,
        "toll_free_sms_verification": None,
        "toll_free_sms_verification_id": None,
        "toll_free_sms_verification_order_status": None,
    }


# --- Link ----------------------------------------------------------------------------------


class ReportLineOut(TypedDict):
    number: str
    status: Literal["success", "failed"]
    remarks: str


class Links(TypedDict):
    total_count: int
    updated_count: int
    report: list[ReportLineOut]


class LinkOut(Links):
    api_id: Uuid


def present_links(links: Sequence[Linked]) -> Links:
    """As recorded: one line for each item, whatever became of it (observed)."""
    return {
        "total_count": len(links),
        "updated_count": sum(each.error is None for each in links),
        "report": [_reported(each) for each in links],
    }


def _reported(linked: Linked) -> ReportLineOut:
    """The remarks on success are recorded (observed), those on an unknown number the newer text
    (documented), the others are the errors' own words (inferred)."""
    error = linked.error
    if error is None:
        remarks = "Number linked to compliance application."
        return {"number": linked.number, "status": "success", "remarks": remarks}
    is_unknown = isinstance(error, NotFound) and error.kind == "number"
    remarks = _NOT_RENTED if is_unknown else text_of(error)
    return {"number": linked.number, "status": "failed", "remarks": remarks}
