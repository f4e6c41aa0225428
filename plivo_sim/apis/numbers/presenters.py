"""Answers as the SDKs' fixtures show them, key by key (observed). Prices are invented.

Errors of numbers and of Link: a string that begins with the page's code, where it has one.

``country_mismatch``, ``number_type_mismatch`` and ``compliance_not_approved`` and their sentences
are the page's (documented), the form of a string is what every SDK can read (observed), together
they are the decision "Words of number errors" (inferred). The page's own object answers those who
speak as the page does: ``compliance_id`` in the body, and no SDK.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plivo_sim.apis.errors import plain_error
from plivo_sim.catalogue.countries import country_of
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
from plivo_sim.domain.statuses import Status
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
    "country": "country_mismatch: Number country doesn't match compliance country",
    "number_type": "number_type_mismatch: Number type doesn't match compliance type",
}


_REQUIRED = "compliance_application_id is required to rent this number."
"""Field-reported: the text of the live service."""


def error_body(call: Call, error: SimError) -> tuple[int, dict[str, Any]]:
    """Status and ``{"api_id", "error": "text"}``."""
    status = next((code for type_, code in _STATUS if isinstance(error, type_)), None)
    if status is None:
        status, _ = plain_error(error)
    return status, {"api_id": call.api_id, "error": text_of(error)}


def text_of(error: SimError) -> str:
    """The sentence for an error; ``remarks`` of Link use the same."""
    match error:
        case Mismatch():
            return (
                f"{_MISMATCHES[error.aspect]} (number: {error.number_has}, "
                f"compliance: {error.application_has})."
            )
        case WrongState(verb="link"):
            return (
                "compliance_not_approved: Only approved compliance records can be linked to "
                f"numbers ({error.id} is {error.status})."
            )
        case ApplicationRequired():
            return _REQUIRED
    return plain_error(error)[1]


STATUS_WORDS: dict[Status, str] = {
    Status.DRAFT: "draft",
    Status.SUBMITTED: "submitted",
    Status.ACCEPTED: "accepted",
    Status.REJECTED: "rejected",
    Status.MORE_INFO_REQUIRED: "rejected",  # lossy: the SDKs' word list has no such status
    Status.SUSPENDED: "suspended",
    Status.EXPIRED: "expired",
}
"""``compliance_status`` is in the SDKs' words: the fixture's is ``submitted`` (observed)."""


_TYPE_WORDS = {NumberType.LOCAL: "fixed", NumberType.NATIONAL: "fixed"}
"""``type`` is fixed, mobile or tollfree; ``sub_type`` tells more (documented)."""


_RATES = {"voice": "0.00500", "sms": "0.00800", "mms": "0.00750"}


_SETUP_RATE = "0.00000"


def present_offer(
    offer: Offer, requirements: Mapping[UserType, Requirement], auth_id: str
) -> dict[str, Any]:
    """A number that can be rented (observed: every key of the fixtures; documented:
    ``sub_type`` and the words of ``restriction``; invented: that regulation is a restriction)."""
    place = offer.place
    return {
        "city": place.city if place else None,
        "compliance_requirement": _uris(requirements, auth_id),
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
        "type": _TYPE_WORDS.get(offer.number_type, offer.number_type),
    }


def _uris(requirements: Mapping[UserType, Requirement], auth_id: str) -> dict[str, Any] | None:
    """Where to read what each user type must hand in: null or an object with both user types
    (observed), whose values are the requirements' URIs (field-reported)."""
    if not requirements:
        return None
    base = f"/v1/Account/{auth_id}/ComplianceRequirement"
    ids = {user_type: requirement.id for user_type, requirement in requirements.items()}
    return {
        user_type.value: f"{base}/{ids[user_type]}/" if user_type in ids else None
        for user_type in (UserType.BUSINESS, UserType.INDIVIDUAL)
    }


def _restriction(offer: Offer) -> str:
    country = country_of(offer.country_iso).name
    return (
        f"An accepted compliance application for {country} {offer.number_type} numbers is "
        "required to rent this number."
    )


def _country(offer: Offer) -> str:
    return country_of(offer.country_iso).name.upper()


def _region(offer: Offer) -> str:
    """As in the fixture's ``California, UNITED STATES`` (observed)."""
    country = country_of(offer.country_iso).name
    return f"{offer.place.region}, {country.upper()}" if offer.place else country


def _services(offer: Offer) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for name in ("mms", "sms", "voice"):
        shown[f"{name}_enabled"] = name in offer.services
        shown[f"{name}_rate"] = _RATES[name] if name in offer.services else "0.00000"
    return shown


def _monthly(offer: Offer) -> str:
    return country_of(offer.country_iso).monthly_rate


def present_rented(number: PhoneNumber) -> dict[str, Any]:
    """As recorded; ``fallback_number`` is for high availability, which there is none of."""
    return {
        "message": "created",
        "numbers": [{"number": number.id, "status": "Success"}],
        "status": "fulfilled",
    }


def present_number(view: NumberView, auth_id: str) -> dict[str, Any]:
    """A rented number, with every key of the fullest fixture (observed)."""
    number, offer, application = view.number, view.offer, view.application
    base = f"/v1/Account/{auth_id}"
    is_us_local = offer.country_iso == "US" and offer.number_type is NumberType.LOCAL
    return {
        "active": True,
        "added_on": number.rented_at.date().isoformat(),
        "alias": number.alias,
        "application": f"{base}/Application/{number.app_id}/" if number.app_id else None,
        "carrier": "Plivo",
        "city": offer.place.city if offer.place else None,
        "cnam_lookup": number.cnam_lookup,
        "compliance_application_id": number.application_id,
        "compliance_status": STATUS_WORDS[application.status] if application else None,
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
        "tendlc_registration_status": "UNREGISTERED" if is_us_local else None,
        "toll_free_sms_verification": None,
        "toll_free_sms_verification_id": None,
        "toll_free_sms_verification_order_status": None,
    }


def present_links(links: Sequence[Linked]) -> dict[str, Any]:
    """As recorded: one line for each item, whatever became of it (observed)."""
    return {
        "total_count": len(links),
        "updated_count": sum(each.error is None for each in links),
        "report": [_reported(each) for each in links],
    }


def _reported(linked: Linked) -> dict[str, Any]:
    """The remarks on success and on an unknown number are recorded (observed), the others are
    the errors' own words (inferred)."""
    if linked.error is None:
        status, remarks = "success", "Number linked to compliance application."
    elif isinstance(linked.error, NotFound) and linked.error.kind == "number":
        status, remarks = "failed", "Number not found on your account."
    else:
        status, remarks = "failed", text_of(linked.error)
    return {"number": linked.number, "status": status, "remarks": remarks}
