"""Numbers: bad input, credentials, methods, faults. A refusal changes nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.apis.numbers_support import (
    DELHI,
    LINK,
    MOBILE,
    MUMBAI,
    OTHER_AUTH_ID,
    REQUIRED,
    REQUIRED_IN_INDIA,
    SAN_FRANCISCO,
    TOLLFREE,
    Numbers,
    error_of,
    page_error_of,
)
from tests.support import Http, basic

NO_PAGE = "The requested URL does not exist."


@pytest.fixture
def numbers(http: Http) -> Numbers:
    return Numbers(http)


# --- search and list -------------------------------------------------------------------------

TYPES = "any, fixed, local, national, mobile, tollfree, shortcode"
BAD_QUERIES = [
    ("limit=0", "limit: must be a whole number, 1 to 20"),
    ("limit=21", "limit: must be a whole number, 1 to 20"),
    ("limit=-1", "limit: must be a whole number, 1 to 20"),
    ("limit=many", "limit: must be a whole number, 1 to 20"),
    ("limit=1.5", "limit: must be a whole number, 1 to 20"),
    ("offset=-1", "offset: must be a whole number, 0 or more"),
    ("offset=x", "offset: must be a whole number, 0 or more"),
    ("type=landline", f"type: must be one of {TYPES}, not 'landline'"),
    ("services=fax", "services: must be a list of voice, sms, mms"),
    ("services=voice,fax", "services: must be a list of voice, sms, mms"),
    ("type=x&limit=0&services=y",
     f"type: must be one of {TYPES}, not 'x'; services: must be a list of voice, sms, mms; "
     "limit: must be a whole number, 1 to 20"),
]  # fmt: skip


@pytest.mark.parametrize("path", ["PhoneNumber/?country_iso=IN&", "Number/?"])
@pytest.mark.parametrize(("query", "told"), BAD_QUERIES)
def test_bad_queries(numbers: Numbers, path: str, query: str, told: str) -> None:
    """Each problem is named, all at once."""
    assert error_of(numbers.http.get(path + query)) == told


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("", "Field 'country_iso' is required."),
        ("country_iso=", "Field 'country_iso' is required."),
        ("type=x", f"Field 'country_iso' is required. type: must be one of {TYPES}, not 'x'"),
        ("country_iso=IND", "country_iso: must be an ISO 3166-1 alpha-2 country code"),
        ("country_iso=1N", "country_iso: must be an ISO 3166-1 alpha-2 country code"),
        ("country_iso=ÍN", "country_iso: must be an ISO 3166-1 alpha-2 country code"),
        ("country_iso=IN&pattern=22x", "pattern: must be digits and *, at most 40"),
        ("country_iso=IN&pattern=٢٢", "pattern: must be digits and *, at most 40"),
        ("country_iso=IN&pattern=[0-9]*", "pattern: must be digits and *, at most 40"),
        ("country_iso=IN&pattern=22%3F", "pattern: must be digits and *, at most 40"),
        ("country_iso=IN&pattern=" + "1*" * 21, "pattern: must be digits and *, at most 40"),
        ("country_iso=US&npanxx=415-555", "npanxx: must be digits"),
        ("country_iso=US&lata=x", "lata: must be digits"),
    ],
)
def test_bad_searches(numbers: Numbers, query: str, told: str) -> None:
    """``country_iso`` is the one that is needed. source: wire-facts.md, "Search for numbers"."""
    assert error_of(numbers.http.get(f"PhoneNumber/?{query}")) == told


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("number_startswith=x", "number_startswith: must be digits"),
        ("number_type=x", f"number_type: must be one of {TYPES}, not 'x'"),
        ("cnam_lookup=maybe", "cnam_lookup: must be one of enabled, disabled"),
        ("renewal_date=tomorrow", "renewal_date: must be a date: YYYY-MM-DD"),
        ("renewal_date__gte=2026-02-30", "renewal_date__gte: must be a date: YYYY-MM-DD"),
    ],
)
def test_bad_lists(numbers: Numbers, query: str, told: str) -> None:
    """What only the list knows."""
    assert error_of(numbers.http.get(f"Number/?{query}")) == told


# --- rent --------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [MUMBAI, TOLLFREE, "4930123456", "33142685300", "97142345678"])
@pytest.mark.parametrize(
    "kwargs",
    [
        {}, {"json": {}}, {"json": {"app_id": "1"}},
        {"json": {"compliance_application_id": None}},
        {"json": {"compliance_application_id": ""}},
    ],
)  # fmt: skip
def test_a_regulated_number_is_not_rented_without_an_application(
    numbers: Numbers, number: str, kwargs: dict[str, Any]
) -> None:
    """In the very words of the live service; the page that it names is about India. source:
    wire-facts.md, "Texts of refused rents"."""
    before = numbers.state()
    told = REQUIRED_IN_INDIA if number.startswith("91") else REQUIRED
    assert error_of(numbers.http.post(f"PhoneNumber/{number}/", **kwargs)) == told
    assert numbers.state() == before


def test_an_accepted_application_of_an_individual_is_none_that_rents_in_india(
    numbers: Numbers,
) -> None:
    """The refusal is as if there were none."""
    numbers.individual()
    before = numbers.state()
    assert error_of(numbers.rent(MUMBAI)) == REQUIRED_IN_INDIA
    assert numbers.state() == before


def test_an_indian_mobile_number_is_not_rented(numbers: Numbers) -> None:
    """It is not found, and the answer says which setting lets it be rented; what is rented then
    stays. source: wire-facts.md, "Indian numbers are for Indian businesses"."""
    id = numbers.application(number_type="mobile")
    before = numbers.state()
    answer = numbers.rent(MOBILE, id)
    assert error_of(answer, 404) == "Number not found."
    assert answer.headers["X-Plivo-Sim-Warning"] == (
        "Indian mobile numbers are not for rent while the setting rent_restrictions is on"
    )
    assert numbers.state() == before
    numbers.unrestricted()
    assert numbers.rent(MOBILE, id).status_code == 201
    numbers.http.account.configure({"rent_restrictions": "on"})
    assert numbers.update(MOBILE, alias="kept").status_code == 202
    assert numbers.link_of(MOBILE) == (id, "accepted")
    assert numbers.http.delete(f"Number/{MOBILE}/").status_code == 200


def test_the_page_is_told_in_its_words_who_may_rent(numbers: Numbers) -> None:
    """The code follows the page's others."""
    body = {"compliance_id": numbers.individual()}
    error = page_error_of(numbers.http.post(f"PhoneNumber/{MUMBAI}/", json=body), 422)
    assert (error["code"], error["param"]) == ("user_type_mismatch", "compliance_id")
    assert error["message"].startswith("Number user type doesn't match compliance user type")


def test_the_pages_client_is_told_in_its_own_words(numbers: Numbers) -> None:
    """``compliance_id`` in the body, even an empty one."""
    answer = numbers.http.post(f"PhoneNumber/{MUMBAI}/", json={"compliance_id": ""})
    error = page_error_of(answer, 422)
    assert (error["code"], error["param"]) == ("missing_required_field", "compliance_id")


@pytest.mark.parametrize(
    "number",
    [
        "14155550100123", "1415", "123456789", "999999999999", "00912248885512",
        "3545511234", "9118603451234", "911900123456", "80012345678", "+-----",
        "9" * 60,
    ],
)  # fmt: skip
def test_what_nobody_rents_out_is_not_found(numbers: Numbers, number: str) -> None:
    """Invalid numbers, countries and types that the catalogue does not have, premium ones."""
    assert error_of(numbers.http.post(f"PhoneNumber/{number}/"), 404) == "Number not found."


@pytest.mark.parametrize("number", ["abc", "Complaints", "1415abc0000", "%00", "٩١٢٢٤٨"])
def test_what_is_no_number_is_no_url(numbers: Numbers, number: str) -> None:
    """A misspelt path among them."""
    for method, path in (("POST", "PhoneNumber/{}/"), ("GET", "Number/{}/")):
        assert error_of(numbers.http.call(method, path.format(number)), 404) == NO_PAGE


def test_a_rented_number_cannot_be_rented_again(numbers: Numbers) -> None:
    """And stays as it is."""
    id = numbers.application()
    numbers.rented(MUMBAI, id)
    before = numbers.state()
    assert error_of(numbers.rent(MUMBAI, id)) == f"Number {MUMBAI} is already rented."
    page = numbers.http.post(f"PhoneNumber/{MUMBAI}/", json={"compliance_id": id})
    assert page_error_of(page, 409)["code"] == "number_already_rented"
    assert numbers.state() == before


BAD_CHANGES = [
    ({"compliance_application_id": 5}, "compliance_application_id: must be a string"),
    ({"compliance_application_id": {}}, "compliance_application_id: must be a string"),
    ({"compliance_application_id": ["x"]}, "compliance_application_id: must be a string"),
    ({"app_id": 5}, "app_id: must be a string"),
    ({"app_id": "x" * 256}, "app_id: must have at most 255 characters, has 256"),
    ({"cnam_lookup": True}, "cnam_lookup: must be a string"),
    ({"cnam_lookup": "maybe"}, "cnam_lookup: must be one of enabled, disabled"),
    ({"subaccount": 5}, "subaccount: must be a string"),
    ({"app_id": "1", "subaccount": {}}, "subaccount: must be a string"),
    ({"app_id": 5, "cnam_lookup": "maybe"},
     "app_id: must be a string; cnam_lookup: must be one of enabled, disabled"),
]  # fmt: skip
BAD_UPDATES = [
    ({"alias": 5}, "alias: must be a string"),
    ({"alias": ["x"]}, "alias: must be a string"),
]


@pytest.mark.parametrize(("body", "told"), BAD_CHANGES)
def test_bad_bodies_of_rent(numbers: Numbers, body: dict[str, Any], told: str) -> None:
    """Wrong types and words."""
    before = numbers.state()
    assert error_of(numbers.rent(SAN_FRANCISCO, **body)) == told
    assert numbers.state() == before


@pytest.mark.parametrize(("body", "told"), BAD_CHANGES + BAD_UPDATES)
def test_bad_bodies_of_update(numbers: Numbers, body: dict[str, Any], told: str) -> None:
    """Wrong types and words; good keys beside them are not applied."""
    numbers.rented(SAN_FRANCISCO)
    before = numbers.state()
    assert error_of(numbers.update(SAN_FRANCISCO, **body)) == told
    assert numbers.state() == before


@pytest.mark.parametrize("path", [f"PhoneNumber/{MUMBAI}/", f"Number/{SAN_FRANCISCO}/"])
def test_two_different_applications_in_one_body(numbers: Numbers, path: str) -> None:
    """Nobody can tell which is meant, where both are names of it."""
    numbers.rented(SAN_FRANCISCO)
    body = {"compliance_id": "a", "compliance_application_id": "b"}
    answer = numbers.http.post(path, json=body, headers={"X-Plivo-Sim-Dialect": "beta"})
    assert answer.status_code == 422
    assert "is not the same as 'compliance_application_id'" in answer.get_json()["error"]["message"]


@pytest.mark.parametrize("path", [f"PhoneNumber/{DELHI}/", f"Number/{SAN_FRANCISCO}/"])
@pytest.mark.parametrize(
    ("data", "content_type", "told"),
    [
        (b"[1]", "application/json", "the body must be a JSON object"),
        (b"5", "application/json", "the body must be a JSON object"),
        (b'"x"', "application/json", "the body must be a JSON object"),
        (b'{"alias"', "application/json", "the body is not valid JSON"),
        (b"\xff", "application/json", "the body is not valid JSON"),
        (b"alias=x", "application/x-www-form-urlencoded", "the body must be JSON"),
        (b"alias", "text/plain", "the body must be JSON"),
    ],
)
def test_malformed_bodies(
    numbers: Numbers, path: str, data: bytes, content_type: str, told: str
) -> None:
    """400 in a sentence."""
    numbers.rented(SAN_FRANCISCO)
    before = numbers.state()
    answer = numbers.http.post(path, data=data, content_type=content_type)
    assert error_of(answer).startswith(told)
    assert numbers.state() == before


# --- rented numbers ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "kwargs"), [("GET", {}), ("POST", {"json": {"alias": "x"}}), ("DELETE", {})]
)
def test_a_number_that_the_account_does_not_have(
    http: Http, method: str, kwargs: dict[str, Any]
) -> None:
    """Not rented, or another account's."""
    Numbers(replace(http, auth_id=OTHER_AUTH_ID)).rented(SAN_FRANCISCO)
    for number in (SAN_FRANCISCO, "123456"):
        answer = http.call(method, f"Number/{number}/", **kwargs)
        assert error_of(answer, 404) == "Number not found."


def test_releasing_twice(numbers: Numbers) -> None:
    """The second time there is nothing."""
    numbers.rented(SAN_FRANCISCO)
    assert numbers.http.delete(f"Number/{SAN_FRANCISCO}/").status_code == 200
    assert error_of(numbers.http.delete(f"Number/{SAN_FRANCISCO}/"), 404)


@pytest.mark.parametrize("subaccount", ["SAYYYYYYYYYYYYYYYYYY", "sales", OTHER_AUTH_ID])
def test_a_number_goes_to_the_accounts_own_subaccount_only(
    numbers: Numbers, subaccount: str
) -> None:
    """Rented or handed over; the refusal names the one there is. source: decision "Lenient
    credentials"."""
    number, other = numbers.rented(SAN_FRANCISCO), "14154009187"
    before = numbers.state()
    for answer in (
        numbers.rent(other, subaccount=subaccount),
        numbers.update(number, alias="x", subaccount=subaccount),
    ):
        assert error_of(answer) == (
            f"subaccount: '{subaccount}' is no subaccount of this account, whose only one is "
            "SAXXXXXXXXXXXXXXXXXX"
        )
    assert numbers.state() == before


def test_the_pages_client_is_told_of_a_wrong_subaccount_in_its_own_words(numbers: Numbers) -> None:
    """In the error object."""
    body = {"subaccount": "SAYYYYYYYYYYYYYYYYYY", "compliance_id": numbers.application()}
    error = page_error_of(numbers.http.post(f"PhoneNumber/{MUMBAI}/", json=body), 422)
    assert (error["code"], error["param"]) == ("invalid_field", "subaccount")


@pytest.mark.parametrize("kwargs", [{"json": {}}, {"data": b'""', "content_type": "text/json"}])
def test_a_delete_may_bring_a_body(numbers: Numbers, kwargs: dict[str, Any]) -> None:
    """Node, PHP and .NET send one. source: wire-facts.md, "Bodies where none is needed"."""
    numbers.rented(SAN_FRANCISCO)
    assert numbers.http.delete(f"Number/{SAN_FRANCISCO}/", **kwargs).status_code == 200


# --- methods, credentials, faults ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "wrong", "right"),
    [
        ("PhoneNumber/", ["POST", "PUT", "PATCH", "DELETE"], "GET"),
        (f"PhoneNumber/{MUMBAI}/", ["GET", "PUT", "PATCH", "DELETE"], "POST"),
        ("Number/", ["POST", "PUT", "PATCH", "DELETE"], "GET"),
        (f"Number/{MUMBAI}", ["PUT", "PATCH"], "DELETE, GET, POST"),
    ],
)
def test_wrong_methods(numbers: Numbers, path: str, wrong: list[str], right: str) -> None:
    """405, with those that there are."""
    for method in wrong:
        answer = numbers.http.call(method, path)
        assert error_of(answer, 405) == f"Method not allowed; use {right}."
        assert answer.headers["Allow"] == right


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "PhoneNumber/?country_iso=IN"),
        ("POST", f"PhoneNumber/{MUMBAI}/"),
        ("GET", "Number/"),
        ("GET", f"Number/{MUMBAI}/"),
        ("POST", f"Number/{MUMBAI}/"),
        ("DELETE", f"Number/{MUMBAI}/"),
        ("POST", LINK),
    ],
)
@pytest.mark.parametrize(
    "authorization",
    [None, "Bearer x", "Basic !", basic("MAx"), basic(token=""), basic(OTHER_AUTH_ID)],
)
def test_credentials(numbers: Numbers, method: str, path: str, authorization: str | None) -> None:
    """401 in a string, also where the page's client asks."""
    answer = numbers.http.call(
        method, path, json={"compliance_id": "x"}, headers={"Authorization": authorization}
    )
    assert answer.status_code == 401
    assert isinstance(answer.get_json()["error"], str)


@pytest.mark.parametrize(
    ("fault", "path", "struck"),
    [
        ({"api": "numbers"}, "Number/", True),
        ({"api": "numbers"}, "PhoneNumber/?country_iso=IN", True),
        ({"operation": "numbers.search"}, "PhoneNumber/?country_iso=IN", True),
        ({"operation": "numbers.search"}, "Number/", False),
        ({"api": "numbers"}, "EndUser/", False),
        ({"api": "legacy"}, "Number/", False),
        ({"api": "new"}, "Number/", False),
    ],
)
def test_faults_can_be_aimed_at_numbers(
    numbers: Numbers, fault: dict[str, str], path: str, struck: bool
) -> None:
    """By the API's name, or the operation's."""
    body = {"account": numbers.http.auth_id, "effect": "error", "status": 503, **fault}
    assert numbers.http.control("POST", "/faults", body).status_code < 300
    answer = numbers.http.get(path)
    if struck:
        assert error_of(answer, 503)
    else:
        assert answer.status_code == 200


@pytest.mark.parametrize("fault", [{"api": "new"}, {"operation": "compliance.numbers.link"}])
def test_a_fault_strikes_link(numbers: Numbers, fault: dict[str, str]) -> None:
    """Which belongs to the new API, and is refused in a string."""
    body = {"account": numbers.http.auth_id, "effect": "error", "status": 500, **fault}
    numbers.http.control("POST", "/faults", body)
    assert error_of(numbers.link({"numbers": []}), 500)
