"""Numbers without HTTP: the inventory, the calendar of rents, races, restarts."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import phonenumbers
import pytest

from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.catalogue import load_catalogue
from plivo_sim.domain.errors import AlreadyRented, SimError
from plivo_sim.domain.records import NumberType
from plivo_sim.services import inventory, numbers
from plivo_sim.services.numbers import Caller, Change, renewal_date
from plivo_sim.settings import Settings
from plivo_sim.simulator import Simulator
from tests.apis.numbers_support import DELHI, MUMBAI, SAN_FRANCISCO, SUBACCOUNT, Numbers
from tests.conftest import PAUSED
from tests.support import AUTH_ID, Http

CATALOGUE = load_catalogue(1)
OFFERED = [
    (country, number_type)
    for country in sorted({r.country_iso for r in CATALOGUE.requirements})
    for number_type in inventory.types_of(CATALOGUE, country)
]
UNTOLD = {("US", NumberType.MOBILE), ("MX", NumberType.MOBILE)}
"""The library cannot tell it from a local one."""

LIBRARY_TYPES = {
    NumberType.LOCAL: {"FIXED_LINE", "FIXED_LINE_OR_MOBILE"},
    NumberType.MOBILE: {"MOBILE"},
    NumberType.TOLLFREE: {"TOLL_FREE"},
    NumberType.NATIONAL: {"UAN", "SHARED_COST", "VOIP", "PERSONAL_NUMBER"},
}


@pytest.mark.parametrize(("country", "number_type"), [o for o in OFFERED if o not in UNTOLD])
def test_every_number_is_valid_and_of_its_country_and_type(
    country: str, number_type: NumberType
) -> None:
    """As the library sees it, all of them."""
    stock = inventory.stock(CATALOGUE, 1, country, number_type)
    assert len({offer.number for offer in stock}) == len(stock) == inventory.STOCK_SIZE
    for offer in stock:
        parsed = phonenumbers.parse(f"+{offer.number}")
        assert phonenumbers.is_valid_number(parsed)
        assert phonenumbers.region_code_for_number(parsed) == country
        kind = phonenumbers.PhoneNumberType.to_string(phonenumbers.number_type(parsed))
        assert kind in LIBRARY_TYPES[number_type]
        assert offer.national.startswith(offer.prefix)
        has_place = number_type is NumberType.LOCAL and bool(offer.country.places)
        assert (offer.place is not None) is has_place


def test_what_the_library_cannot_tell_apart_there_is_none_of() -> None:
    """Mobile numbers of North America."""
    assert [inventory.stock(CATALOGUE, 1, *each) for each in UNTOLD] == [(), ()]


def test_another_seed_has_other_numbers() -> None:
    """And the same seed the same."""
    one = inventory.stock(CATALOGUE, 1, "IN", NumberType.LOCAL)
    inventory.stock.cache_clear()
    assert inventory.stock(CATALOGUE, 1, "IN", NumberType.LOCAL) == one
    two = inventory.stock(CATALOGUE, 2, "IN", NumberType.LOCAL)
    assert {o.number for o in one} != {o.number for o in two}


def test_a_country_of_a_users_own_catalogue_has_numbers_too(tmp_path: Path) -> None:
    """Without a city or a name where none is written down."""
    extra = tmp_path / "more.yaml"
    extra.write_text(
        "requirements:\n"
        "  - {version: current, country: KE, number_types: [local], user_types: [business],\n"
        "     documents: [registration_certificate]}\n"
    )
    simulator = make_simulator(Settings(port=0, paused=True, catalogue=extra))
    found = Numbers(Http(create_app(simulator), simulator)).found(country_iso="KE")
    simulator.close()
    assert found[0]["country"] == "KE"
    assert found[0]["city"] is None
    assert found[0]["compliance_requirement"]["individual"] is None


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("+912248885512", "912248885512"),
        ("912248885512", "912248885512"),
        (" +91 (22) 4888-5512 ", "912248885512"),
        ("91.22.48885512", "912248885512"),
        ("", ""),
        ("+", ""),
        ("1234", ""),
        ("++912248885512", ""),
        ("91224888551x", ""),
        ("٩١٢٢٤٨٨٨", ""),
        ("1" * 16, ""),
    ],
)
def test_digits(text: str, digits: str) -> None:
    """However a number is written."""
    assert inventory.digits_of(text) == digits


@pytest.mark.parametrize(
    ("digits", "country", "number_type", "city"),
    [
        ("912248885512", "IN", "local", "Mumbai"),
        ("911140221000", "IN", "local", "Delhi"),
        ("918031790436", "IN", "local", "Bangalore"),
        ("919876543210", "IN", "mobile", None),
        ("911800123456", "IN", "tollfree", None),
        ("14154009186", "US", "local", "San Francisco"),
        ("18006647411", "US", "tollfree", None),
        ("33806123456", "FR", "national", None),
        ("4915123456789", "DE", "mobile", None),
        ("97145678901", "AE", "local", "Dubai"),
    ],
)
def test_what_a_number_says_of_itself(
    digits: str, country: str, number_type: str, city: str | None
) -> None:
    """Country and type from the library, the city from our table."""
    offer = inventory.describe(CATALOGUE, digits)
    assert offer is not None
    assert (offer.country_iso, offer.number_type) == (country, number_type)
    assert (offer.place.city if offer.place else None) == city


@pytest.mark.parametrize("digits", ["123456", "4401212345678", "80012345678", "911900123456"])
def test_what_says_nothing(digits: str) -> None:
    """Invalid, with a trunk prefix, of no country, premium."""
    assert inventory.describe(CATALOGUE, digits) is None


@pytest.mark.parametrize(
    ("rented", "now", "due"),
    [
        ("2026-01-05T09:00", "2026-01-05T09:00", "2026-02-05"),
        ("2026-01-05T09:00", "2026-02-04T23:59", "2026-02-05"),
        ("2026-01-05T09:00", "2026-02-05T00:00", "2026-03-05"),
        ("2026-01-31T09:00", "2026-02-01T09:00", "2026-02-28"),
        ("2026-01-31T09:00", "2026-02-28T09:00", "2026-03-31"),
        ("2028-01-31T09:00", "2028-02-10T09:00", "2028-02-29"),
        ("2025-12-05T09:00", "2025-12-31T09:00", "2026-01-05"),
        ("2024-02-29T09:00", "2026-02-01T09:00", "2026-02-28"),
    ],
)
def test_rent_is_due_every_month(rented: str, now: str, due: str) -> None:
    """On the same day, or the last of a shorter month; always ahead."""
    instants = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (rented, now))
    assert renewal_date(*instants) == date.fromisoformat(due)


@pytest.mark.parametrize("number", [SAN_FRANCISCO, MUMBAI])
def test_of_many_who_rent_one_number_one_gets_it(sim: Simulator, number: str) -> None:
    """The others are told that it is rented, whether they rent for the main account or for its
    subaccount; what is stored is the winner's, all of it."""
    account = sim.account(AUTH_ID)
    id = Numbers(Http(create_app(sim), sim)).application()
    start = threading.Barrier(8)
    outcomes: list[Any] = []

    def rent(change: Change) -> None:
        start.wait()
        try:
            outcomes.append(numbers.rent(account, number, change, Caller())[0])
        except SimError as error:
            outcomes.append(error)

    wanted = [Change(), Change(subaccount=SUBACCOUNT)] * 4
    threads = [threading.Thread(target=rent, args=(each,)) for each in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refused = [each for each in outcomes if isinstance(each, AlreadyRented)]
    [winner] = [each for each in outcomes if each not in refused]
    assert (len(refused), len(outcomes)) == (7, 8)
    assert list(account.store.numbers.every()) == [winner]
    assert winner.application_id == (id if number == MUMBAI else None)


def test_numbers_and_their_links_survive_a_restart(tmp_path: Path) -> None:
    """With the status of their application, and out of the search as before."""
    settings = replace(PAUSED, state=tmp_path)
    first = make_simulator(settings)
    client = Numbers(Http(create_app(first), first))
    id = client.application()
    searched = client.found(type="local")[0]["number"]
    for number in (MUMBAI, DELHI, searched):
        client.rented(number, id)
    client.update(MUMBAI, alias="head office", cnam_lookup="enabled")
    client.http.delete(f"Number/{DELHI}/")
    before = client.shown(MUMBAI)
    first.close()

    second = make_simulator(settings)
    client = Numbers(Http(create_app(second), second))
    assert client.listed() == [MUMBAI, searched]
    assert client.shown(MUMBAI) | {"api_id": ""} == before | {"api_id": ""}
    assert client.link_of(searched) == (id, "accepted")
    assert searched not in [offer["number"] for offer in client.found(type="local")]
    second.close()


def test_a_failing_write_rents_nothing(sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """All or nothing."""
    account = sim.account(AUTH_ID)

    def fail(_: object) -> None:
        raise RuntimeError("disk full")

    monkeypatch.setattr(account.store.numbers, "put", fail)
    with pytest.raises(RuntimeError):
        numbers.rent(account, SAN_FRANCISCO, Change(), Caller())
    assert len(account.store.numbers) == 0
