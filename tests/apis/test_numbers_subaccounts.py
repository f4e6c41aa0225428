"""Subaccounts: credentials of their own, and what they may do with numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from tests.apis.numbers_support import (
    DELHI,
    MUMBAI,
    SAN_FRANCISCO,
    SUBACCOUNT,
    Numbers,
    error_of,
    page_error_of,
)
from tests.support import AUTH_ID, Http, basic


@dataclass
class Two:
    """The main account's client and its subaccount's; Delhi is assigned to the latter."""

    main: Numbers
    sub: Numbers
    application: str


@pytest.fixture
def two(http: Http) -> Two:
    main = Numbers(http)
    application = main.application()
    for number in (MUMBAI, DELHI):
        main.rented(number, application)
    assert main.update(DELHI, subaccount=SUBACCOUNT).status_code == 202
    return Two(main, Numbers(replace(http, auth_id=SUBACCOUNT, token="its own")), application)


def test_a_subaccount_sees_the_numbers_that_are_its_own(two: Two) -> None:
    """The main account sees them all."""
    assert two.main.listed() == [MUMBAI, DELHI]
    assert two.sub.listed() == [DELHI]
    assert two.sub.shown(DELHI)["sub_account"] == SUBACCOUNT
    assert two.sub.shown(DELHI)["resource_uri"] == f"/v1/Account/{SUBACCOUNT}/Number/{DELHI}/"
    assert error_of(two.sub.http.get(f"Number/{MUMBAI}/"), 404) == "Number not found."
    assert two.sub.listed(subaccount="SAYYYYYYYYYYYYYYYYYY") == []
    assert two.sub.listed(number_startswith="9122") == []


def test_a_subaccount_sees_how_the_application_of_its_number_stands(two: Two) -> None:
    """It must stop calling when it is suspended."""
    assert two.sub.link_of(DELHI) == (two.application, "accepted")
    two.main.http.decide(two.application, "suspended", "Complaints")
    assert two.sub.link_of(DELHI) == (two.application, "suspended")


def test_a_subaccount_can_search(two: Two) -> None:
    """It finds what the main account finds."""
    assert two.sub.found(type="local")[0]["number"] == two.main.found(type="local")[0]["number"]


@pytest.mark.parametrize("number", [SAN_FRANCISCO, MUMBAI, "911140221001"])
def test_a_subaccount_cannot_rent(two: Two, number: str) -> None:
    """404, whatever it asks for. source: wire-facts.md, "Only the main account rents"."""
    before = two.main.state()
    assert error_of(two.sub.rent(number, two.application), 404) == "Number not found."
    assert error_of(two.sub.rent(number), 404)
    assert two.main.state() == before


def test_a_subaccount_can_name_its_number(two: Two) -> None:
    """And point it at an application."""
    assert two.sub.update(DELHI, alias="sales", app_id="7").status_code == 202
    assert two.main.shown(DELHI)["alias"] == "sales"
    assert error_of(two.sub.update(MUMBAI, alias="sales"), 404)


@pytest.mark.parametrize(
    "body",
    [
        {"compliance_application_id": "ID"},
        {"compliance_application_id": ""},
        {"subaccount": ""},
        {"subaccount": SUBACCOUNT},
        {"alias": "x", "compliance_application_id": "ID"},
    ],
)
def test_a_subaccount_cannot_link_or_hand_over(two: Two, body: dict[str, str]) -> None:
    """403, and nothing changes."""
    body = {key: two.application if value == "ID" else value for key, value in body.items()}
    before = two.main.state()
    told = error_of(two.sub.update(DELHI, **body), 403)
    assert told == "Only the main account can link a number or assign it to a subaccount."
    assert two.main.state() == before


def test_a_subaccount_is_told_so_in_the_pages_words(two: Two) -> None:
    """``compliance_id`` in the body."""
    error = page_error_of(two.sub.update(DELHI, compliance_id=two.application), 403)
    assert (error["type"], error["code"]) == ("permission_error", "insufficient_permissions")


def test_a_subaccount_cannot_use_link(two: Two) -> None:
    """Not even for its own number."""
    before = two.main.state()
    item = {"number": f"+{DELHI}", "compliance_application_id": two.application}
    told = error_of(two.sub.link({"numbers": [item]}), 403)
    assert told == "Only the main account can link numbers."
    assert two.main.state() == before


def test_a_subaccount_cannot_release(two: Two) -> None:
    """Its own number 403, another 404."""
    before = two.main.state()
    told = error_of(two.sub.http.delete(f"Number/{DELHI}/"), 403)
    assert told == "Only the main account can release a number."
    assert error_of(two.sub.http.delete(f"Number/{MUMBAI}/"), 404)
    assert two.main.state() == before


def test_the_main_account_acts_for_its_subaccount(two: Two) -> None:
    """With its own credentials under the subaccount's URL: it sees what that sees, and rents for
    it."""
    acting = {"Authorization": basic(AUTH_ID)}
    base = f"/v1/Account/{SUBACCOUNT}"
    listed = two.main.http.get(f"{base}/Number/", headers=acting).get_json()["objects"]
    assert [each["number"] for each in listed] == [DELHI]
    rented = two.main.http.post(f"{base}/PhoneNumber/{SAN_FRANCISCO}/", headers=acting)
    assert rented.status_code == 201
    assert two.sub.listed() == [DELHI, SAN_FRANCISCO]


@pytest.mark.parametrize("back", ["", AUTH_ID])
def test_a_number_comes_back_to_the_main_account(two: Two, back: str) -> None:
    """By an empty string, or the main account's id."""
    assert two.main.update(DELHI, subaccount=back).status_code == 202
    assert two.main.shown(DELHI)["sub_account"] is None
    assert two.sub.listed() == []


def test_a_subaccounts_credentials_do_not_open_the_main_account(two: Two) -> None:
    """source: decision "Lenient credentials"."""
    answer = two.main.http.get("Number/", headers={"Authorization": basic(SUBACCOUNT)})
    assert answer.status_code == 401
