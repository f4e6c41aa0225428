"""Document types and requirements. Source: docs/wire-facts.md, "ComplianceDocumentType",
"ComplianceRequirement"."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from plivo_sim.domain.records import NumberType, PhoneNumber, Version
from tests.apis.legacy_support import UNKNOWN_ID, Legacy, error_of
from tests.support import COUNTRIES, TYPES_COUNT, Http


@pytest.fixture
def legacy(http: Http) -> Legacy:
    return Legacy(http)


def test_the_list_publishes_the_types_that_the_sdks_recorded(legacy: Legacy) -> None:
    """Each once; none of the beta page's (decision "Requirement versions")."""
    found = legacy.shown("ComplianceDocumentType/")["objects"]
    assert len(found) == 20
    assert [each["document_name"] for each in found[:7]] == [
        "Registration Certificate",
        "GST certificate",
        "Passport",
        "National ID",
        "Address Information",
        "Trade Licence",
        "Use Case",
    ]


def test_the_list_of_types_pages(legacy: Legacy) -> None:
    """``limit`` and ``offset``, and the total of all."""
    shown = legacy.shown("ComplianceDocumentType/?limit=2&offset=2")
    assert [each["document_name"] for each in shown["objects"]] == ["Passport", "National ID"]
    assert shown["meta"]["total_count"] == TYPES_COUNT


def test_the_list_of_types_filters_by_name(legacy: Legacy) -> None:
    """As the Node SDK names it."""
    shown = legacy.shown("ComplianceDocumentType/?document_name=Passport")
    assert [each["document_name"] for each in shown["objects"]] == ["Passport"]


def test_a_type_says_what_to_fill_in_and_hand_in(legacy: Legacy) -> None:
    """``information`` is an array, ``enums`` an array of strings, ``proof_required`` a string."""
    types = legacy.shown("ComplianceDocumentType/?document_name=Address+Information")["objects"]
    shown = legacy.shown(f"ComplianceDocumentType/{types[0]['document_type_id']}/")
    assert shown["proof_required"] == "Scanned copy of the Bill"
    assert shown["information"][-1] == {
        "field_name": "type_of_utility",
        "field_type": "enum",
        "friendly_name": "Type of Utility",
        "help_text": "Optional",
        "format": None,
        "min_length": 1,
        "max_length": 50,
        "enums": ["Water", "Electricity", "Gas", "Property Rental", "Others"],
    }


def test_a_type_that_needs_no_proof_says_null(legacy: Legacy) -> None:
    """The field is free text, so its absence is null."""
    types = legacy.shown("ComplianceDocumentType/?document_name=Use+Case")["objects"]
    assert types[0]["proof_required"] is None


@pytest.mark.parametrize("version", list(Version))
def test_both_versions_are_readable_by_id(legacy: Legacy, version: Version) -> None:
    """Requirements and document types of the beta page too (decision "Requirement versions")."""
    catalogue = legacy.http.sim.catalogue
    requirement = next(r for r in catalogue.requirements if r.version is version)
    shown = legacy.shown(f"ComplianceRequirement/{requirement.id}/")
    assert shown["compliance_requirement_id"] == requirement.id
    type_ = requirement.document_types[0]
    shown = legacy.shown(f"ComplianceDocumentType/{type_.id}/")
    assert shown["document_name"] == type_.name


@pytest.mark.parametrize(
    "query",
    [
        "country_iso2=IN&number_type=local&end_user_type=business",
        "country_iso=in&number_type=Local&end_user_type=Business",
        "id=&phone_number=&country_iso2=IN&number_type=LOCAL&end_user_type=business",
        "phone_number=%2B912248885512&end_user_type=business",
        "phone_number=912248885512&end_user_type=Business",
        "id=912248885512&phone_number=912248885512&end_user_type=business",
        "id=1&phone_number=nonsense&country_iso2=IN&number_type=local&end_user_type=business",
    ],
    ids=["current", "page", "java-empty", "phone", "digits", "java", "java-both"],
)
@pytest.mark.parametrize("path", ["ComplianceRequirement/", "ComplianceRequirements"])
def test_a_look_up_answers_one_object(legacy: Legacy, path: str, query: str) -> None:
    """By key or by phone number, in either spelling of the URL."""
    shown = legacy.shown(f"{path}?{query}")
    assert (shown["country_iso2"], shown["number_type"]) == ("IN", "local")
    names = [slot["name"] for slot in shown["acceptable_document_types"]]
    assert names == ["Registration Certificate", "GST certificate"]


def test_a_look_up_carries_the_pages_spellings_too(legacy: Legacy) -> None:
    """``country_iso`` and ``acceptable_document_type`` (decision "Legacy spellings")."""
    shown = legacy.requirement()
    assert shown["country_iso"] == shown["country_iso2"]
    assert shown["acceptable_document_type"] == shown["acceptable_document_types"]


def test_a_slot_lists_every_document_that_fills_it(legacy: Legacy) -> None:
    """Name, scope and the acceptable documents."""
    slot = legacy.requirement(end_user_type="individual")["acceptable_document_types"][0]
    assert (slot["name"], slot["scope"]) == ("Proof of Identity", "local")
    names = [each["document_type_name"] for each in slot["acceptable_documents"]]
    assert names == ["Passport", "National ID"]


def test_an_unregulated_country_asks_for_nothing(legacy: Legacy) -> None:
    """The list is empty, the rest is filled."""
    assert legacy.requirement(country_iso2="US")["acceptable_document_types"] == []


@pytest.mark.parametrize(
    ("phone", "country", "number_type"),
    [
        ("+919876543210", "IN", "mobile"),
        ("+911800123456", "IN", "tollfree"),
        ("+14155550123", "US", "local"),
        ("+18005551234", "US", "tollfree"),
        ("+33123456789", "FR", "local"),
        ("+33970123456", "FR", "national"),
        ("+33810123456", "FR", "national"),
        ("+4970012345678", "DE", "national"),
        ("+971501234567", "AE", "mobile"),
    ],
)
def test_the_type_of_a_phone_number_is_told_by_its_digits(
    legacy: Legacy, phone: str, country: str, number_type: str
) -> None:
    """Numbers that belong to no place are national (inferred)."""
    query = {"phone_number": phone, "end_user_type": "individual"}
    shown = legacy.http.get("ComplianceRequirement/", query_string=query).get_json()
    assert (shown["country_iso2"], shown["number_type"]) == (country, number_type)


def test_a_rented_number_is_what_the_account_rents_it_as(legacy: Legacy) -> None:
    """Its record counts before its digits."""
    account = legacy.http.account
    with account.transaction():
        number = PhoneNumber(
            id="15551234567",
            seq=account.next_seq(),
            country_iso="DE",
            number_type=NumberType.MOBILE,
            rented_at=datetime(2026, 1, 5, tzinfo=UTC),
        )
        account.store.numbers.put(number)
    query = {"phone_number": "+15551234567", "end_user_type": "business"}
    shown = legacy.http.get("ComplianceRequirement/", query_string=query).get_json()
    assert (shown["country_iso2"], shown["number_type"]) == ("DE", "mobile")


UNTOLD = (
    "phone_number: is not a number whose country and type are known;"
    " give country_iso2 and number_type"
)
UNLESS = "is required, unless phone_number is given"


@pytest.mark.parametrize(
    ("query", "error"),
    [
        (
            "",
            f"Field 'end_user_type' is required. country_iso2: {UNLESS}; number_type: {UNLESS}",
        ),
        ("country_iso2=IN&end_user_type=business", f"number_type: {UNLESS}"),
        ("number_type=local&end_user_type=business", f"country_iso2: {UNLESS}"),
        ("country_iso2=IN&number_type=local", "Field 'end_user_type' is required."),
        (
            "country_iso2=India&number_type=fax&end_user_type=robot",
            "country_iso2: must be an ISO 3166-1 alpha-2 country code; "
            "number_type: must be one of local, mobile, tollfree, national, not 'fax'; "
            "end_user_type: must be one of individual, business, not 'robot'",
        ),
        ("phone_number=912248885512", "Field 'end_user_type' is required."),
        (
            "phone_number=nonsense&end_user_type=business",
            "phone_number: must be a phone number in E.164 format",
        ),
        ("phone_number=15551234567&end_user_type=business", UNTOLD),
        ("phone_number=80012345678&end_user_type=business", UNTOLD),
        (
            "country_iso2=XX&number_type=local&end_user_type=business",
            f"Could not find any requirement for country XX; there is one for {COUNTRIES}",
        ),
        (
            "phone_number=254202012345&end_user_type=business",
            f"Could not find any requirement for country KE; there is one for {COUNTRIES}",
        ),
    ],
)
def test_a_look_up_that_cannot_be_answered_says_why(legacy: Legacy, query: str, error: str) -> None:
    """Everything that is wrong at once."""
    assert error_of(legacy.http.get(f"ComplianceRequirement/?{query}")) == error


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("ComplianceDocumentType", "Compliance document type"),
        ("ComplianceRequirement", "Compliance requirement"),
        ("ComplianceRequirements", "Compliance requirement"),
    ],
)
def test_an_unknown_id_is_404(legacy: Legacy, path: str, name: str) -> None:
    """Of a document type or of a requirement."""
    assert error_of(legacy.http.get(f"{path}/{UNKNOWN_ID}/"), 404) == f"{name} not found."
