"""Numbers: search, rent, list, read, change, release."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from plivo_sim.apis.numbers import presenters
from plivo_sim.apis.numbers.queries import LIST_PARAMETERS, SEARCH_PARAMETERS
from plivo_sim.machines import default_machine
from tests.apis.numbers_support import (
    DELHI,
    MOBILE,
    MUMBAI,
    OTHER_AUTH_ID,
    SAN_FRANCISCO,
    Numbers,
    error_of,
)
from tests.support import SDK_AGENT, Http, check_answer

MACHINE = default_machine()


@pytest.fixture
def numbers(http: Http) -> Numbers:
    return Numbers(http)


# --- search ----------------------------------------------------------------------------------

OFFER_KEYS = {
    "city", "country", "lata", "monthly_rental_rate", "number", "type", "prefix", "rate_center",
    "region", "resource_uri", "restriction", "restriction_text", "setup_rate", "sms_enabled",
    "sms_rate", "mms_enabled", "mms_rate", "voice_enabled", "voice_rate", "prerequisites",
    "compliance_requirement",
}  # fmt: skip
"""source: wire-facts.md, "Search for numbers", the fixtures of seven SDKs"""


@pytest.mark.parametrize("country", ["IN", "DE", "FR", "AE", "US"])
def test_every_country_of_the_catalogue_has_numbers(numbers: Numbers, country: str) -> None:
    """With every key of the fixtures."""
    answer = numbers.search(country_iso=country)
    check_answer(answer.get_json(), presenters.SearchOut)
    objects = answer.get_json()["objects"]
    assert len(objects) == 20
    assert all(set(each) >= OFFER_KEYS for each in objects)
    assert answer.get_json()["meta"]["total_count"] >= 800


def test_a_country_that_the_catalogue_does_not_have_has_none(numbers: Numbers) -> None:
    """An empty list, and a warning that says why."""
    answer = numbers.search(country_iso="ZW")
    assert answer.get_json()["objects"] == []
    assert answer.headers["X-Plivo-Sim-Warning"] == "the catalogue has no country ZW"


def test_a_regulated_number_says_so(numbers: Numbers) -> None:
    """And where to read what must be handed in."""
    offer = numbers.found(type="local")[0]
    assert offer["restriction"] == "country-address"
    assert "compliance application for India local numbers" in offer["restriction_text"]
    uris = offer["compliance_requirement"]
    asked = numbers.http.get(uris["business"]).get_json()
    told = asked["country_iso2"], asked["number_type"], asked["end_user_type"]
    assert told == ("IN", "local", "business")
    assert set(uris) == {"business", "individual"}


@pytest.mark.parametrize(("restricted", "country"), [(True, "IN"), (True, "DE"), (False, "IN")])
def test_what_individuals_hand_in_is_null_where_they_cannot_rent(
    numbers: Numbers, restricted: bool, country: str
) -> None:
    """In India, unless the setting brings them back. source: wire-facts.md, "The compliance
    requirement of an offered number"."""
    if not restricted:
        numbers.unrestricted()
    uri = numbers.found(type="local", country_iso=country)[0]["compliance_requirement"][
        "individual"
    ]
    if restricted and country == "IN":
        assert uri is None
    else:
        assert numbers.http.get(uri).get_json()["end_user_type"] == "individual"


def test_no_indian_mobile_numbers_are_offered(numbers: Numbers) -> None:
    """And the answer to one who looks for them says why. source: wire-facts.md, "Indian numbers
    are for Indian businesses"."""
    every = numbers.search(limit="1").get_json()["meta"]["total_count"]
    answer = numbers.search(type="mobile")
    assert (answer.status_code, answer.get_json()["objects"]) == (200, [])
    assert answer.headers["X-Plivo-Sim-Warning"] == (
        "Indian mobile numbers are not for rent while the setting rent_restrictions is on"
    )
    numbers.unrestricted()
    answer = numbers.search(type="mobile")
    assert "X-Plivo-Sim-Warning" not in answer.headers
    found = answer.get_json()["meta"]["total_count"]
    assert numbers.search(limit="1").get_json()["meta"]["total_count"] == every + found > every


def test_an_unregulated_number_says_so(numbers: Numbers) -> None:
    """All three are null, as in the fixture."""
    offer = numbers.found(country_iso="US")[0]
    told = {offer[key] for key in ("restriction", "restriction_text", "compliance_requirement")}
    assert told == {None}


@pytest.mark.parametrize(
    ("query", "types", "sub_types"),
    [
        ({}, {"fixed", "mobile", "tollfree"}, {"local", "national", "mobile", "tollfree"}),
        ({"type": "any"}, {"fixed", "mobile", "tollfree"},
         {"local", "national", "mobile", "tollfree"}),
        ({"type": "fixed"}, {"fixed"}, {"local", "national"}),
        ({"type": "local"}, {"fixed"}, {"local"}),
        ({"type": "National"}, {"fixed"}, {"national"}),
        ({"type": "mobile"}, {"mobile"}, {"mobile"}),
        ({"type": "toll-free"}, {"tollfree"}, {"tollfree"}),
        ({"type": "shortcode"}, set(), set()),
    ],
)  # fmt: skip
def test_search_by_type(
    numbers: Numbers, query: dict[str, str], types: set[str], sub_types: set[str]
) -> None:
    """In the words of Java's enumeration; ``fixed`` is local and national."""
    pages = [
        numbers.found(country_iso="DE", offset=str(offset), **query)
        for offset in range(0, 1600, 200)
    ]
    found = [offer for page in pages for offer in page]
    assert {offer["type"] for offer in found} == types
    assert {offer["sub_type"] for offer in found} == sub_types


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ({"pattern": "80"}, lambda o: o["number"].startswith("9180")),
        ({"pattern": "807"}, lambda o: o["number"].startswith("91807")),
        ({"pattern": " +807"}, lambda o: o["number"].startswith("91807")),
        ({"city": "bangalore"}, lambda o: o["city"] == "Bangalore"),
        ({"region": "Karna"}, lambda o: o["region"] == "Karnataka, INDIA"),
        ({"region": "mumbai"}, lambda o: o["city"] == "Mumbai"),
        ({"services": "voice"}, lambda o: o["voice_enabled"]),
        ({"pattern": "807*"}, lambda o: o["number"].startswith("91807")),
        ({"pattern": "*807*"}, lambda o: "807" in o["number"][2:]),
        ({"pattern": "*7"}, lambda o: o["number"].endswith("7")),
        ({"pattern": "8*0**7"}, lambda o: o["number"][2] == "8" and o["number"][-1] == "7"),
        ({"pattern": "*"}, lambda o: True),
        ({"country_iso": "DE", "services": "voice,sms"},
         lambda o: o["sms_enabled"] and o["type"] == "mobile"),
        ({"country_iso": "us", "lata": "722"}, lambda o: o["lata"] == 722),
        ({"country_iso": "US", "rate_center": "snfc"}, lambda o: o["rate_center"] == "SNFC CNTRL"),
        ({"country_iso": "US", "npanxx": "415"}, lambda o: o["number"].startswith("1415")),
        ({"country_iso": "US", "services": "mms"}, lambda o: o["mms_enabled"]),
        ({"pattern": "80", "city": "Bangalore", "type": "local"}, lambda o: o["prefix"] == "80"),
    ],
)  # fmt: skip
def test_search_filters(
    numbers: Numbers, query: dict[str, str], holds: Callable[[dict[str, Any]], bool]
) -> None:
    """Something is found, and nothing else."""
    found = numbers.found(**query)
    assert found
    assert all(holds(offer) for offer in found)


@pytest.mark.parametrize(
    "query",
    [
        {"pattern": "000"},
        {"pattern": "*91*0000*"},
        {"pattern": "80*80"},
        {"pattern": "8" * 40},
        {"city": "Atlantis"},
        {"region": "Atlantis"},
        {"services": "mms"},
        {"lata": "722"},
        {"rate_center": "SNFC"},
        {"country_iso": "DE", "city": "Berlin", "type": "mobile"},
        {"offset": "100000"},
    ],
)
def test_search_for_what_there_is_not(numbers: Numbers, query: dict[str, str]) -> None:
    """200 and an empty list."""
    assert numbers.found(**query) == []


def test_pages_of_a_search_meet(numbers: Numbers) -> None:
    """Each number once, as ``meta.next`` leads."""
    seen: list[str] = []
    path = "/v1/Account/MAXXXXXXXXXXXXXXXXXX/PhoneNumber/?country_iso=IN&type=local&city=Delhi"
    while path:
        body = numbers.http.get(path).get_json()
        seen += [offer["number"] for offer in body["objects"]]
        path = body["meta"]["next"]
    assert len(seen) == len(set(seen)) == body["meta"]["total_count"]


def test_the_same_seed_finds_the_same_numbers_in_any_account(http: Http) -> None:
    """Nothing is random, and nothing is stored by looking."""
    other = Numbers(replace(http, auth_id=OTHER_AUTH_ID))
    mine, theirs = Numbers(http).found(type="local"), other.found(type="local")
    assert [offer["number"] for offer in mine] == [offer["number"] for offer in theirs]
    assert http.sim.accounts() == []


def test_a_rented_number_is_no_longer_found_and_a_released_one_is(numbers: Numbers) -> None:
    """In its own account; another account goes on finding it."""
    number = numbers.found(country_iso="US")[0]["number"]
    other = Numbers(replace(numbers.http, auth_id=OTHER_AUTH_ID))
    before = numbers.search(country_iso="US").get_json()["meta"]["total_count"]
    numbers.rented(number)
    body = numbers.search(country_iso="US").get_json()
    assert number not in [offer["number"] for offer in body["objects"]]
    assert body["meta"]["total_count"] == before - 1
    assert number in [offer["number"] for offer in other.found(country_iso="US")]
    numbers.http.delete(f"Number/{number}/")
    assert number in [offer["number"] for offer in numbers.found(country_iso="US")]


# --- rent ------------------------------------------------------------------------------------


def test_rent_answers_as_recorded(numbers: Numbers) -> None:
    """201, and the number without ``+``. source: wire-facts.md, "Rent"."""
    number = numbers.found(type="local")[0]["number"]
    answer = numbers.rent(number, numbers.application())
    check_answer(answer.get_json(), presenters.RentedOut)
    assert answer.status_code == 201
    assert answer.get_json() == {
        "api_id": answer.headers["X-Request-Id"],
        "message": "created",
        "numbers": [{"number": number, "status": "Success"}],
        "status": "fulfilled",
    }
    assert "X-Plivo-Sim-Warning" not in answer.headers


BUY_BODIES = [
    {"number": MUMBAI, "app_id": "1", "verification_info": {}, "cnam_lookup": "enabled",
     "ha_enable": True},
    {"app_id": "1", "ha_enable": True},
    {"ha_enabled": True, "verification_info": None, "app_id": None, "cnam_lookup": None},
    {},
]  # fmt: skip
"""source: wire-facts.md, "Rent", what each SDK sends beside the application"""


@pytest.mark.parametrize("body", BUY_BODIES)
@pytest.mark.parametrize("key", ["compliance_application_id", "compliance_id"])
def test_rent_takes_what_every_sdk_sends(numbers: Numbers, body: dict[str, Any], key: str) -> None:
    """The application under the SDKs' name, and under the page's."""
    id = numbers.application()
    answer = numbers.http.post(f"PhoneNumber/{MUMBAI}/", json=body | {key: id})
    assert answer.status_code == 201, answer.text
    shown = numbers.shown()
    assert (shown["compliance_application_id"], shown["compliance_status"]) == (id, "accepted")
    app = "/v1/Account/MAXXXXXXXXXXXXXXXXXX/Application/1/" if body.get("app_id") else None
    assert shown["application"] == app
    assert shown["cnam_lookup"] == body.get("cnam_lookup")


@pytest.mark.parametrize("body", [{}, {"compliance_application_id": ""}, {"app_id": "1"}])
def test_rent_attaches_the_application_that_was_accepted_last(
    numbers: Numbers, body: dict[str, Any]
) -> None:
    """Not the one that was made last; the clock, which stands still, does not tell. source:
    wire-facts.md, "Rent attaches the latest accepted application"."""
    first, second = (numbers.http.sdk_created(alias=alias) for alias in ("a", "b"))
    for id in (second, first):
        numbers.http.decide(id, "accepted")
    numbers.rent(MUMBAI, **body)
    assert numbers.link_of() == (first, "accepted")


def test_a_reinstated_application_was_accepted_last(numbers: Numbers) -> None:
    """And a suspended one is none that is accepted."""
    reinstated, other = numbers.application(), numbers.application(alias="Second")
    numbers.http.decide(reinstated, "suspended", "Complaints")
    numbers.rent(MUMBAI)
    assert numbers.link_of() == (other, "accepted")
    numbers.http.decide(reinstated, "accepted")
    numbers.rent(DELHI)
    assert numbers.link_of(DELHI) == (reinstated, "accepted")


def test_rent_attaches_an_application_of_the_number_itself_only(numbers: Numbers) -> None:
    """Of its country, its type and its account."""
    fits = numbers.application()
    numbers.german()
    numbers.application(number_type="tollfree", alias="Second")
    Numbers(replace(numbers.http, auth_id=OTHER_AUTH_ID)).application()
    numbers.rent(MUMBAI)
    assert numbers.link_of() == (fits, "accepted")


def test_an_application_that_may_not_rent_is_not_attached(numbers: Numbers) -> None:
    """One of an individual, in India."""
    fits = numbers.application()
    individual = numbers.individual()
    numbers.rent(MUMBAI)
    assert numbers.link_of() == (fits, "accepted")
    numbers.unrestricted()
    numbers.rent(DELHI)
    assert numbers.link_of(DELHI) == (individual, "accepted")


def test_an_application_of_any_api_is_attached(numbers: Numbers) -> None:
    """One of the legacy API too."""
    id = numbers.draft()
    numbers.http.post(f"ComplianceApplication/{id}/Submit/")
    numbers.http.decide(id, "accepted")
    numbers.rent(MUMBAI)
    assert numbers.link_of() == (id, "accepted")


def test_an_unregulated_number_gets_no_application(numbers: Numbers) -> None:
    """Though there is an accepted one of its country and type."""
    numbers.application(country_iso="US", documents=[])
    numbers.rented(SAN_FRANCISCO)
    assert numbers.link_of(SAN_FRANCISCO) == (None, None)


@pytest.mark.parametrize("path", ["PhoneNumber/{}/", "PhoneNumber/{}", "PhoneNumber/+{}/"])
def test_a_number_in_a_path_is_told_by_its_digits(numbers: Numbers, path: str) -> None:
    """With and without ``+``, with and without the last slash."""
    answer = numbers.http.post(path.format(SAN_FRANCISCO))
    assert answer.status_code == 201
    assert numbers.http.get(f"Number/+{SAN_FRANCISCO}").get_json()["number"] == SAN_FRANCISCO


@pytest.mark.parametrize("kwargs", [{}, {"json": {}}, {"json": []}, {"json": ""}])
def test_an_unregulated_number_needs_nothing(numbers: Numbers, kwargs: dict[str, Any]) -> None:
    """Not even a body."""
    answer = numbers.http.post(f"PhoneNumber/{SAN_FRANCISCO}/", **kwargs)
    assert answer.status_code == 201
    assert numbers.link_of(SAN_FRANCISCO) == (None, None)


def test_a_number_of_a_fixture_can_be_rented_though_no_search_finds_it(numbers: Numbers) -> None:
    """The answer warns of it."""
    answer = numbers.rent(MUMBAI, numbers.application())
    assert answer.status_code == 201
    assert f"{MUMBAI} is in no search" in answer.headers["X-Plivo-Sim-Warning"]


def test_a_strict_account_rents_only_what_a_search_finds(numbers: Numbers) -> None:
    """As the live service does."""
    id, number = numbers.application(), numbers.found(type="local")[0]["number"]
    numbers.http.account.configure({"strict": "true"})
    assert error_of(numbers.rent(MUMBAI, id), 404) == "Number not found."
    assert numbers.rent(number, id).status_code == 201


def test_one_application_takes_many_numbers(numbers: Numbers) -> None:
    """Of its country and type. source: the beta page"""
    id = numbers.application()
    assert [numbers.rent(n, id).status_code for n in (MUMBAI, DELHI)] == [201, 201]
    assert numbers.link_of(MUMBAI) == numbers.link_of(DELHI) == (id, "accepted")


# --- read and list ---------------------------------------------------------------------------

NUMBER_KEYS = {
    "active", "added_on", "alias", "application", "carrier", "city", "cnam_lookup",
    "compliance_application_id", "compliance_status", "country", "mms_enabled", "mms_rate",
    "monthly_rental_rate", "number", "number_type", "region", "renewal_date", "resource_uri",
    "sms_enabled", "sms_rate", "sub_account", "sub_account_name", "tendlc_campaign_id",
    "tendlc_registration_status", "toll_free_sms_verification", "toll_free_sms_verification_id",
    "toll_free_sms_verification_order_status", "voice_enabled", "voice_rate",
}  # fmt: skip
"""source: wire-facts.md, "Number list and get"."""


@pytest.mark.parametrize("number", [MUMBAI, MOBILE, SAN_FRANCISCO, "18006647411"])
def test_a_number_has_every_key_of_the_fixture(numbers: Numbers, number: str) -> None:
    """Read and listed alike, but for ``api_id``."""
    numbers.unrestricted()
    numbers.rented(number)
    one, listed = numbers.http.get(f"Number/{number}/"), numbers.http.get("Number/")
    check_answer(one.get_json(), presenters.NumberGetOut)
    check_answer(listed.get_json(), presenters.NumberListOut)
    assert set(one.get_json()) == {"api_id", *NUMBER_KEYS}
    assert set(listed.get_json()["objects"][0]) == NUMBER_KEYS


def test_what_a_number_says_of_itself(numbers: Numbers) -> None:
    """Dates are the account's, URIs its own."""
    numbers.rented(SAN_FRANCISCO, app_id="29986316244302815")
    shown = numbers.shown(SAN_FRANCISCO)
    expected = {
        "active": True,
        "added_on": "2026-01-05",
        "renewal_date": "2026-02-05",
        "application": "/v1/Account/MAXXXXXXXXXXXXXXXXXX/Application/29986316244302815/",
        "city": "San Francisco",
        "region": "California, UNITED STATES",
        "country": "UNITED STATES",
        "monthly_rental_rate": "0.80000",
        "number_type": "local",
        "resource_uri": "/v1/Account/MAXXXXXXXXXXXXXXXXXX/Number/14154009186/",
        "tendlc_registration_status": "UNREGISTERED",
    }
    assert {key: shown[key] for key in expected} == expected


def test_the_renewal_date_moves_with_the_clock(numbers: Numbers) -> None:
    """It is always ahead."""
    numbers.rented(SAN_FRANCISCO)
    numbers.http.advance("31d")
    assert numbers.shown(SAN_FRANCISCO)["renewal_date"] == "2026-03-05"


@pytest.mark.parametrize("status", [s for s in MACHINE.statuses if s not in ("draft", "submitted")])
def test_a_number_shows_how_its_application_stands_now(numbers: Numbers, status: str) -> None:
    """Whatever became of it after the link; in the SDKs' words."""
    id = numbers.application()
    numbers.rented(MUMBAI, id)
    if status in ("suspended", "expired"):
        numbers.http.decide(id, status, "Complaints")
        assert numbers.link_of() == (id, status)
    else:
        assert numbers.link_of() == (id, "accepted")


def test_a_reinstated_application_shows_as_accepted_again(numbers: Numbers) -> None:
    """Suspended, then accepted."""
    id = numbers.application()
    numbers.rented(MUMBAI, id)
    numbers.http.decide(id, "suspended", "Complaints")
    numbers.http.decide(id, "accepted")
    assert numbers.link_of() == (id, "accepted")


FIVE = (MUMBAI, DELHI, MOBILE, SAN_FRANCISCO, "18006647411")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, FIVE),
        ({"limit": "20", "offset": "0"}, FIVE),
        ({"limit": "2"}, FIVE[:2]),
        ({"limit": "2", "offset": "3"}, FIVE[3:]),
        ({"type": "local"}, (MUMBAI, DELHI, SAN_FRANCISCO)),
        ({"number_type": "mobile"}, (MOBILE,)),
        ({"type": "toll free"}, ("18006647411",)),
        ({"type": "fixed"}, (MUMBAI, DELHI, SAN_FRANCISCO)),
        ({"type": "any"}, FIVE),
        ({"type": "shortcode"}, ()),
        ({"number_startswith": "1"}, FIVE[3:]),
        ({"number_startswith": "91"}, FIVE[:3]),
        ({"number_startswith": DELHI}, (DELHI,)),
        ({"number_startswith": "+9111"}, (DELHI,)),
        ({"number_startswith": "91", "type": "local", "limit": "1", "offset": "1"}, (DELHI,)),
        ({"alias": "head office"}, (DELHI,)),
        ({"alias": "head"}, ()),
        ({"services": "voice,sms,mms"}, FIVE[3:]),
        ({"cnam_lookup": "enabled"}, (SAN_FRANCISCO,)),
        ({"renewal_date": "2026-02-05"}, FIVE),
        ({"renewal_date__lt": "2026-02-05"}, ()),
        ({"renewal_date__lte": "2026-02-05"}, FIVE),
        ({"renewal_date__gt": "2026-02-04"}, FIVE),
        ({"renewal_date__gte": "2026-02-06"}, ()),
        ({"subaccount": "SAXXXXXXXXXXXXXXXXXX"}, (MOBILE,)),
        ({"subaccount": "SAYYYYYYYYYYYYYYYYYY"}, ()),
        ({"type": "", "alias": "", "renewal_date": ""}, FIVE),
    ],
)
def test_list_filters(numbers: Numbers, query: dict[str, str], expected: tuple[str, ...]) -> None:
    """Oldest first. source: wire-facts.md, "Number list and get"."""
    numbers.unrestricted()
    local, mobile = numbers.application(), numbers.application(number_type="mobile")
    for number in FIVE:
        numbers.rented(number, {MUMBAI: local, DELHI: local, MOBILE: mobile}.get(number))
    numbers.update(DELHI, alias="head office")
    numbers.update(SAN_FRANCISCO, cnam_lookup="enabled")
    numbers.update(MOBILE, subaccount="SAXXXXXXXXXXXXXXXXXX")
    assert numbers.listed(**query) == list(expected)


def test_a_filter_for_what_there_is_not_is_named(numbers: Numbers) -> None:
    """Ignored, with a warning."""
    answer = numbers.http.get("Number/?tendlc_campaign_id=C1&x=1")
    assert answer.headers["X-Plivo-Sim-Warning"] == (
        "ignored query parameter 'tendlc_campaign_id'; ignored query parameter 'x'"
    )


def test_pages_of_a_list_lead_on(numbers: Numbers) -> None:
    """``next`` and ``previous`` are relative URLs that keep the filters."""
    for number in (SAN_FRANCISCO, "14154009187", "14154009188"):
        numbers.rented(number)
    body = numbers.http.get("Number/?limit=1&offset=1&type=local").get_json()
    base = "/v1/Account/MAXXXXXXXXXXXXXXXXXX/Number/?limit=1"
    assert body["meta"] == {
        "limit": 1, "offset": 1, "total_count": 3,
        "next": f"{base}&offset=2&type=local", "previous": f"{base}&offset=0&type=local",
    }  # fmt: skip


# --- update ----------------------------------------------------------------------------------


def test_an_update_answers_as_recorded(numbers: Numbers) -> None:
    """202 ``changed``."""
    answer = numbers.update(numbers.rented(), alias="head office")
    check_answer(answer.get_json(), presenters.MessageOut)
    assert (answer.status_code, answer.get_json()["message"]) == (202, "changed")


@pytest.mark.parametrize(
    ("body", "key", "value"),
    [
        ({"alias": "reception"}, "alias", "reception"),
        ({"alias": ""}, "alias", None),
        ({"alias": None}, "alias", "head office"),
        ({"app_id": "7"}, "application", "/v1/Account/MAXXXXXXXXXXXXXXXXXX/Application/7/"),
        ({"app_id": ""}, "application", None),
        ({"app_id": None}, "application", None),
        ({"cnam_lookup": "disabled"}, "cnam_lookup", "disabled"),
        ({"cnam_lookup": ""}, "cnam_lookup", None),
        ({"subaccount": "SAXXXXXXXXXXXXXXXXXX"}, "sub_account", "SAXXXXXXXXXXXXXXXXXX"),
        ({"subaccount": ""}, "sub_account", None),
        ({"verification_info": {"x": 1}, "cnam": "ACME"}, "alias", "head office"),
    ],
)
def test_an_update_changes_what_it_names(
    numbers: Numbers, body: dict[str, Any], key: str, value: Any
) -> None:
    """And nothing else; null is not given, but for ``app_id``, which .NET clears by it."""
    numbers.rented(MUMBAI)
    numbers.update(MUMBAI, alias="head office", app_id="1", cnam_lookup="enabled")
    before = numbers.shown()
    assert numbers.update(MUMBAI, **body).status_code == 202
    changed = {key} if before[key] != value else set()
    after = numbers.shown()
    assert after[key] == value
    assert {name for name in NUMBER_KEYS if after[name] != before[name]} == changed


def test_an_update_that_gives_nothing_says_so(numbers: Numbers) -> None:
    """Ruby drops what it does not know, and would never learn."""
    numbers.rented(SAN_FRANCISCO)
    before = numbers.state()
    answer = numbers.update(SAN_FRANCISCO, colour=None)
    assert answer.status_code == 202
    assert answer.headers["X-Plivo-Sim-Warning"] == "nothing to change was given"
    assert numbers.state() == before


UNTAKEN = [
    ({"ha_enable": False, "sub_account": "SA"}, ["ha_enable", "sub_account"]),
    ({"colour": "green", "app_id": 5}, ["colour"]),
    ({"number": MUMBAI}, ["number"]),
    ({"number": f"+{SAN_FRANCISCO}", "app_id": "1", "x": None}, []),
]
"""A body, and which keys are not taken: misspelt ones, also on a refusal; not null, nor the number
itself, which Python and Java repeat."""


@pytest.mark.parametrize("way", ["rent", "update"])
@pytest.mark.parametrize(("body", "untaken"), UNTAKEN)
def test_what_a_change_does_not_take_is_named(
    numbers: Numbers, way: str, body: dict[str, Any], untaken: list[str]
) -> None:
    """Each key in the warning. source: wire-facts.md, "Rent"."""
    path = f"PhoneNumber/{SAN_FRANCISCO}/" if way == "rent" else f"Number/{SAN_FRANCISCO}/"
    if way == "update":
        numbers.rented(SAN_FRANCISCO)
    told = numbers.http.post(path, json=body).headers.get("X-Plivo-Sim-Warning", "")
    named = [each for each in told.split("; ") if each.startswith("ignored")]
    assert named == [f"ignored field '{name}'" for name in untaken]


@pytest.mark.parametrize(
    ("key", "headers"),
    [
        ("compliance_application_id", {}),
        ("compliance_application_id", {"User-Agent": SDK_AGENT}),
        ("compliance_application_id", {"X-Plivo-Sim-Dialect": "beta"}),
        ("compliance_id", {}),
        ("compliance_id", {"X-Plivo-Sim-Dialect": "beta"}),
    ],
)
def test_an_update_links(numbers: Numbers, key: str, headers: dict[str, str]) -> None:
    """By the page's name and by the SDKs'."""
    numbers.unlinked()
    id = numbers.application()
    answer = numbers.http.post(f"Number/{MUMBAI}/", json={key: id}, headers=headers)
    assert answer.status_code == 202
    assert numbers.link_of() == (id, "accepted")


def test_a_link_can_be_moved_to_another_application(numbers: Numbers) -> None:
    """Without unlinking first."""
    numbers.rented(MUMBAI)
    id = numbers.application(alias="Second")
    assert numbers.update(MUMBAI, compliance_id=id).status_code == 202
    assert numbers.link_of() == (id, "accepted")


def test_an_unregulated_number_can_be_linked_too(numbers: Numbers) -> None:
    """Where the catalogue has a requirement that asks for nothing."""
    numbers.rented(SAN_FRANCISCO)
    id = numbers.application(country_iso="US", documents=[])
    assert numbers.update(SAN_FRANCISCO, compliance_application_id=id).status_code == 202
    assert numbers.link_of(SAN_FRANCISCO) == (id, "accepted")


# --- unlinking, releasing, deleting ------------------------------------------------------------


@pytest.mark.parametrize("key", ["compliance_application_id", "compliance_id"])
def test_an_empty_string_unlinks(numbers: Numbers, key: str) -> None:
    """source: decision "Unlinking numbers"."""
    numbers.rented(MUMBAI)
    assert numbers.update(MUMBAI, **{key: ""}).status_code == 202
    assert numbers.link_of() == (None, None)


@pytest.mark.parametrize("key", ["compliance_application_id", "compliance_id"])
def test_null_does_not_unlink(numbers: Numbers, key: str) -> None:
    """source: decision "Unlinking numbers"."""
    id = numbers.application()
    numbers.rented(MUMBAI, id)
    assert numbers.update(MUMBAI, alias="x", **{key: None}).status_code == 202
    assert numbers.link_of() == (id, "accepted")


def test_release(numbers: Numbers) -> None:
    """200 with a body, which every SDK takes; then it is gone. source: wire-facts.md,
    "Answers to a delete"."""
    number = numbers.rented()
    answer = numbers.http.delete(f"Number/{number}/")
    check_answer(answer.get_json(), presenters.MessageOut)
    assert (answer.status_code, answer.get_json()["message"]) == (200, "deleted")
    assert error_of(numbers.http.get(f"Number/{number}/"), 404) == "Number not found."
    assert numbers.listed() == []


def test_a_released_number_can_be_rented_again_and_has_forgotten_everything(
    numbers: Numbers,
) -> None:
    """Its alias and its link too."""
    id = numbers.application()
    numbers.rented(MUMBAI, id)
    numbers.update(MUMBAI, alias="head office")
    numbers.http.delete(f"Number/{MUMBAI}/")
    numbers.rented(MUMBAI, id)
    assert numbers.shown()["alias"] is None


@pytest.mark.parametrize("way", ["release", "unlink"])
def test_a_suspended_application_is_deletable_once_its_numbers_are_unlinked(
    numbers: Numbers, way: str
) -> None:
    """Before that the refusal names them. source: decision "Deleting applications"."""
    id = numbers.application()
    numbers.rented(MUMBAI, id)
    numbers.http.decide(id, "suspended", "Complaints")
    path = f"PhoneNumber/Compliance/{id}/"
    refused = numbers.http.delete(path, headers={"User-Agent": SDK_AGENT})
    assert MUMBAI in error_of(refused)
    if way == "release":
        numbers.http.delete(f"Number/{MUMBAI}/")
    else:
        numbers.update(MUMBAI, compliance_id="")
    assert numbers.http.delete(path).status_code == 200


def test_an_accepted_application_is_not_deletable_even_unlinked(numbers: Numbers) -> None:
    """source: decision "Deleting applications"."""
    id = numbers.application()
    numbers.rented(MUMBAI, id)
    path = f"PhoneNumber/Compliance/{id}/"
    sdk = {"User-Agent": SDK_AGENT}
    assert MUMBAI in error_of(numbers.http.delete(path, headers=sdk))
    numbers.http.delete(f"Number/{MUMBAI}/")
    assert error_of(numbers.http.delete(path, headers=sdk)).startswith("Cannot delete")


# --- expand ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", ["current", "beta"])
def test_linked_numbers_expand_in_both_dialects(numbers: Numbers, dialect: str) -> None:
    """Objects, not strings: Go reads nothing else. source: wire-facts.md,
    "Get wraps the record"."""
    id = numbers.application()
    numbers.rented(MUMBAI, id)
    numbers.rented(DELHI, id)
    header = {"X-Plivo-Sim-Dialect": dialect}
    query = {"expand": "linked_numbers"}
    one = numbers.http.get(f"PhoneNumber/Compliance/{id}/", headers=header, query_string=query)
    listed = numbers.http.get("PhoneNumber/Compliance/", headers=header, query_string=query)
    record = one.get_json()["compliance"] if dialect == "current" else one.get_json()
    expected = [
        {"number": f"+{MUMBAI}", "number_type": "local"},
        {"number": f"+{DELHI}", "number_type": "local"},
    ]
    assert record["linked_numbers"] == expected
    assert listed.get_json()["compliances"][0]["linked_numbers"] == expected


def test_what_can_be_asked_for_is_documented() -> None:
    """The parameters of the list and of the search, each by its name."""
    pages = {"limit", "offset"}
    assert {each.name for each in LIST_PARAMETERS} == pages | {
        "type", "number_type", "number_startswith", "subaccount", "alias", "services",
        "cnam_lookup", "renewal_date", "renewal_date__lt", "renewal_date__lte",
        "renewal_date__gt", "renewal_date__gte",
    }  # fmt: skip
    assert {each.name for each in SEARCH_PARAMETERS} == pages | {
        "country_iso", "type", "pattern", "region", "city", "services", "rate_center", "lata",
        "npanxx", "local_calling_area", "eligible",
    }  # fmt: skip
