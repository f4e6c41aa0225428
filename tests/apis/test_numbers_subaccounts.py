"""Subaccounts: credentials of their own, and what they may do with numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from tests.apis.numbers_support import (
    DELHI,
    MUMBAI,
    OTHER_MUMBAI,
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


def test_what_a_number_asks_for_is_the_main_accounts(two: Two) -> None:
    """Whoever searches. source: wire-facts.md, "The compliance requirement of an offered
    number"."""
    mine, theirs = two.sub.found(type="local")[0], two.main.found(type="local")[0]
    assert mine["compliance_requirement"] == theirs["compliance_requirement"]
    uri = mine["compliance_requirement"]["business"]
    assert uri.startswith(f"/v1/Account/{AUTH_ID}/ComplianceRequirement/")
    assert two.main.http.get(uri).status_code == 200


@pytest.mark.parametrize("named", [True, False])
def test_a_number_is_rented_for_a_subaccount(two: Two, named: bool) -> None:
    """Which finds it, changes it, and sees its application; whether that was named or attached.
    source: wire-facts.md, "Renting for a subaccount"."""
    application = two.application if named else None
    answer = two.main.rent(OTHER_MUMBAI, application, subaccount=SUBACCOUNT)
    assert (answer.status_code, answer.get_json()["message"]) == (201, "created")
    assert two.sub.listed() == [DELHI, OTHER_MUMBAI]
    assert two.main.listed(subaccount=SUBACCOUNT) == [DELHI, OTHER_MUMBAI]
    assert two.sub.update(OTHER_MUMBAI, alias="sales", app_id="7").status_code == 202
    assert two.sub.shown(OTHER_MUMBAI)["sub_account"] == SUBACCOUNT
    assert two.sub.link_of(OTHER_MUMBAI) == (two.application, "accepted")


@pytest.mark.parametrize("own", ["", AUTH_ID, None])
def test_a_number_is_rented_for_the_main_account(two: Two, own: str | None) -> None:
    """Whose subaccount does not see it."""
    two.main.rented(SAN_FRANCISCO, subaccount=own)
    assert two.main.shown(SAN_FRANCISCO)["sub_account"] is None
    assert error_of(two.sub.http.get(f"Number/{SAN_FRANCISCO}/"), 404) == "Number not found."


def test_a_number_of_a_subaccount_is_linked_by_the_main_account(two: Two) -> None:
    """By Link, as any other."""
    id = two.main.application(alias="Second")
    item = {"number": f"+{DELHI}", "compliance_application_id": id}
    assert two.main.link({"numbers": [item]}).get_json()["updated_count"] == 1
    assert two.sub.link_of(DELHI) == (id, "accepted")


@pytest.mark.parametrize("number", [SAN_FRANCISCO, MUMBAI, "911140221001"])
def test_a_subaccount_cannot_rent(two: Two, number: str) -> None:
    """404, whatever it asks for. source: wire-facts.md, "Only the main account rents"."""
    before = two.main.state()
    assert error_of(two.sub.rent(number, two.application), 404) == "Number not found."
    assert error_of(two.sub.rent(number, subaccount=SUBACCOUNT), 404)
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


def test_a_subaccount_releases_where_the_account_says_so(two: Two) -> None:
    """Its own number; another is still 404. source: wire-facts.md, "Only the main account
    rents"."""
    two.main.http.account.configure({"subaccount_release": "on"})
    assert error_of(two.sub.http.delete(f"Number/{MUMBAI}/"), 404) == "Number not found."
    assert two.sub.http.delete(f"Number/{DELHI}/").status_code == 200
    assert two.main.listed() == [MUMBAI]


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
