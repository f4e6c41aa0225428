"""The countries that ship: somebody can be made up for each of their requirements, and the page and
the schema say what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.catalogue import load_catalogue, read_file, shipped_files
from plivo_sim.catalogue.shape import File, RequirementEntry, json_schema
from plivo_sim.client.applications import create_request
from plivo_sim.client.people import People
from plivo_sim.domain.countries import Country
from plivo_sim.domain.records import Version
from tests.conftest import PAUSED
from tests.support import SDK_AGENT, Http, multipart

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGE = (DOCS / "catalogue.md").read_text("utf-8")
CATALOGUE = load_catalogue(1)
COUNTRIES = CATALOGUE.countries(Version.CURRENT)


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_requirement_can_be_met_by_somebody_made_up(country: str) -> None:
    """The API takes the application, without a warning about its documents."""
    simulator = make_simulator(PAUSED)
    http = Http(create_app(simulator), simulator, agent=SDK_AGENT)
    asked = http.control("GET", "/requirements").get_json()["requirements"]
    people = People(1, CATALOGUE.country)
    for index, each in enumerate(asked):
        key = (each["country_iso"], each["number_type"], each["user_type"])
        if key[0] != country:
            continue
        request = create_request(people.draw(index, [key]), each)
        files = [(field, name, content) for field, (name, content) in request.files]
        body, content_type = multipart([("data", json.dumps(request.data))], files)
        answer = http.post("PhoneNumber/Compliance/", data=body, content_type=content_type)
        assert answer.status_code == 201, (key, answer.text)
    simulator.close()


@pytest.mark.parametrize("country", COUNTRIES)
def test_a_country_is_described(country: str) -> None:
    """It has a name, an adjective and people of its own."""
    told = CATALOGUE.country(country)
    assert told.name != country
    assert told.adjective[:1].isupper()
    assert told.applicants is not None


def test_local_numbers_in_australia_stay_unknown() -> None:
    """Nothing is asked for them (field-reported); other Australian numbers are known."""
    entries = CATALOGUE.of_country(Version.CURRENT, "AU")
    assert {each.number_type for each in entries} == {"mobile", "tollfree"}


def test_the_local_numbers_of_spain_are_as_an_sdk_prints_them() -> None:
    """Two groups, the second with a blank at its end."""
    found = next(e for e in CATALOGUE.of_country(Version.CURRENT, "ES") if e.source == "observed")
    assert [(slot.name, slot.scope) for slot in found.slots] == [
        ("End User Address Details", "local"),
        ("Proof of Address ", "local"),
    ]
    names = [type_.name for type_ in found.document_types]
    assert names == ["Address Information", "Utility Bill"]


# --- the page and the schema -----------------------------------------------------------------


def test_the_schema_beside_the_page_is_up_to_date() -> None:
    """Write it anew with ``python -c 'import json; from plivo_sim.catalogue.shape import *;
    print(json.dumps(json_schema(), indent=2))' > docs/catalogue.schema.json``."""
    written = (DOCS / "catalogue.schema.json").read_text("utf-8")
    assert written == json.dumps(json_schema(), indent=2) + "\n"


def test_the_schema_is_served() -> None:
    """The same, over HTTP."""
    simulator = make_simulator(PAUSED)
    answer = Http(create_app(simulator), simulator).control("GET", "/schema/catalogue.json")
    simulator.close()
    assert answer.get_json() == json.loads(json.dumps(json_schema()))


def test_the_schema_of_a_file_that_ships_is_there() -> None:
    """As its first line names it."""
    folder = Path(__file__).parent.parent.parent / "plivo_sim" / "catalogue"
    for path in [folder / "common.yaml", *(folder / "countries").glob("*.yaml")]:
        named = path.read_text("utf-8").partition("\n")[0].partition("$schema=")[2]
        assert (path.parent / named).resolve() == DOCS / "catalogue.schema.json"


def test_the_files_of_the_page_are_valid() -> None:
    """Each as it stands there."""
    blocks = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    for text in blocks:
        read_file(text, "page", shipped_files())


def test_every_key_of_a_file_is_on_the_page() -> None:
    """Nothing can be written that the page does not name."""
    for part in (File, RequirementEntry, Country):
        for name in part.__struct_encode_fields__:
            assert f"`{name}`" in PAGE, name


def test_a_file_can_say_every_fact_of_a_country() -> None:
    """Under the same name and of the same type."""
    facts = {each.name: each.type for each in msgspec.structs.fields(Country)}
    given = {each.name: each.type for each in msgspec.structs.fields(File)}
    for name, type_ in facts.items():
        wanted = type_ if name != "applicants" else type_.__args__[0]
        assert given[name].__args__[0] == wanted, name
