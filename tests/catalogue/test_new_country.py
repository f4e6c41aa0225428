"""A country is added by one file: given with ``--catalogue``, alone or in a folder, or put where
the countries are that ship."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from plivo_sim import catalogue
from plivo_sim.app import create_app
from plivo_sim.assembly import LiveSimulator
from plivo_sim.catalogue.shape import File
from plivo_sim.domain.typed import decode
from tests.apis.atoms.support import Atoms, document_types
from tests.apis.numbers_support import Numbers
from tests.cli.conftest import Shell
from tests.conftest import PAUSED
from tests.support import PDF, Http

KENYA = """\
country: KE
name: Kenya
adjective: Kenyan
monthly_rate: "3.25000"
rent_page: https://www.plivo.com/docs/numbers/rent-kenya-numbers
withheld: [mobile]
renters: [business]
places:
  - {area: "20", city: Nairobi, region: Nairobi County}
number_examples: {local: "202012345"}
applicants:
  locale: en_KE
  cities: [{city: Mombasa, postal_code: "801##"}]
  companies: ["{} Traders Nairobi"]
  last_names: [Wanjiru, Otieno]
  registration: PVT-??###
fields:
  kra_pin: {label: KRA PIN, min_length: 11, max_length: 11, made_up: "A#########?"}
document_types:
  pin_certificate:
    id: 0a1b2c3d-0000-4000-8000-000000000001
    name: PIN Certificate
    description: Tax registration of the business
    proof: Scanned copy of the certificate
    fields: [business_name, kra_pin]
requirements:
  - version: beta
    number_types: [local]
    user_types: [business]
    documents: [pin_certificate]
  - number_types: [mobile]
    user_types: [business]
    documents: [pin_certificate]
  - number_types: [local]
    user_types: [business]
    id: 0a1b2c3d-0000-4000-8000-000000000002
    source: observed
    observed: 2026-11-29
    evidence: the live account
    documents: [pin_certificate]
"""
TYPE_ID = "0a1b2c3d-0000-4000-8000-000000000001"
REQUIREMENT_ID = "0a1b2c3d-0000-4000-8000-000000000002"
KEY = {"country_iso": "KE", "number_type": "local", "user_type": "business"}


def as_shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package's folder with one more file, and the twin that is made of it."""
    place = tmp_path / "package"
    with resources.as_file(resources.files("plivo_sim.catalogue")) as package:
        shutil.copytree(package, place, ignore=shutil.ignore_patterns("__pycache__"))
    (place / "countries" / "KE.yaml").write_text(KENYA)
    files = decode(catalogue.shipped_as_json(place), tuple[File, ...])
    monkeypatch.setattr(catalogue, "shipped_files", lambda: files)
    monkeypatch.setattr(catalogue, "_shipped_catalogue", lambda seed: catalogue.build(files, seed))


@pytest.fixture(params=["a file", "a folder", "the package"])
def kenya(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LiveSimulator]:
    """A simulator that knows one country more."""
    own: Path | None = tmp_path / "KE.yaml"
    if request.param == "the package":
        as_shipped(tmp_path, monkeypatch)
        own = None
    else:
        (tmp_path / "KE.yaml").write_text(KENYA)
        own = tmp_path if request.param == "a folder" else own
    with LiveSimulator(replace(PAUSED, catalogue=own)) as live:
        yield live


@pytest.mark.live
def test_a_country_is_one_file(kenya: LiveSimulator) -> None:
    """Requirements, an application, numbers, made-up people and Atoms."""
    http = Http(create_app(kenya.sim), kenya.sim)
    numbers = Numbers(http)
    check_requirements(http)
    refused = numbers.rent(numbers.found(country_iso="KE")[0]["number"]).get_json()["error"]
    assert refused.endswith("Refer to https://www.plivo.com/docs/numbers/rent-kenya-numbers for"
                            " details.")  # fmt: skip
    check_numbers(numbers)
    check_people(Shell(kenya.url), http)
    check_atoms(http)


def check_requirements(http: Http) -> None:
    today = http.sdk_requirement(**KEY)
    assert [each["name"] for each in today["document_types"]] == ["PIN Certificate"]
    query = {"country_iso2": "KE", "number_type": "local", "end_user_type": "business"}
    legacy = http.get(
        "ComplianceRequirement/", query_string=query | {"operation_type": "buy_number"}
    ).get_json()
    assert legacy["compliance_requirement_id"] == today["requirement_id"] == REQUIREMENT_ID
    [slot] = legacy["acceptable_document_types"]
    for types in (today["document_types"], slot["acceptable_documents"]):
        assert [each["document_type_id"] for each in types] == [TYPE_ID]
    for path in (f"ComplianceRequirement/{REQUIREMENT_ID}/", f"ComplianceDocumentType/{TYPE_ID}/"):
        assert http.get(path).status_code == 200
    beta = http.get(
        "PhoneNumber/Compliance/Requirements/?country_iso=KE",
        headers={"X-Plivo-Sim-Dialect": "beta"},
    )
    assert beta.get_json()["number_types"][0]["number_type"] == "local"
    shown = http.control("GET", "/requirements").get_json()
    assert shown["countries"]["KE"]["name"] == "Kenya"
    [entry] = [e for e in shown["requirements"] if (e["country_iso"], e["number_type"]) == (
        "KE", "local")]  # fmt: skip
    told = entry["source"], entry["observed"], entry["evidence"]
    assert told == ("observed", "2026-11-29", "the live account")


def check_numbers(numbers: Numbers) -> None:
    [type_] = numbers.http.sdk_requirement(**KEY)["document_types"]
    fields = {"business_name": "Acme", "kra_pin": "A123456789Z"}
    documents = [{"document_type_id": type_["document_type_id"], "data_fields": fields}]
    id = numbers.application(country_iso="KE", documents=documents)
    one, two = numbers.found(country_iso="KE", city="nairobi")[:2]
    assert (one["country"], one["region"]) == ("KENYA", "Nairobi County, KENYA")
    assert one["monthly_rental_rate"] == "3.25000"
    assert one["number"].startswith("25420")
    assert one["compliance_requirement"]["individual"] is None
    mobile = numbers.search(country_iso="KE", type="mobile")
    assert "Kenyan mobile numbers are not for rent" in mobile.headers["X-Plivo-Sim-Warning"]
    assert numbers.rent(one["number"], id).status_code == 201
    assert numbers.rent(two["number"]).status_code == 201
    assert numbers.update(two["number"], compliance_application_id="").status_code == 202
    body = {"numbers": [{"number": f"+{two['number']}", "compliance_application_id": id}]}
    assert numbers.link(body).status_code == 200
    assert numbers.link_of(one["number"]) == numbers.link_of(two["number"]) == (id, "accepted")


def check_people(shell: Shell, http: Http) -> None:
    answer = shell.json("seed", "3", "--country", "ke", "--account", http.auth_id)
    assert len(answer["applications"]) == 3
    every: Any = http.account.store
    made = [each for each in every.end_users.every() if "Traders Nairobi" in each.name]
    assert {each.city for each in made} == {"Mombasa"}
    assert {each.country for each in made} == {"KE"}
    filled = [dict(each.data_fields) for each in every.documents.every()]
    assert all(len(each["kra_pin"]) == 11 for each in filled)
    assert len({each["kra_pin"] for each in filled}) >= 3


def check_atoms(http: Http) -> None:
    atoms = Atoms(http)
    key = {"countryIso": "KE", "numberType": "local", "userType": "business"}
    [type_] = document_types(atoms.requirements(**key))
    documents = [
        {"documentTypeId": type_, "dataFields": {"business_name": "A", "kra_pin": "A123456789Z"}}
    ]
    made = atoms.submitted(**key, documents=documents, files=[("pin.pdf", PDF)])
    assert made["countryIso"] == "KE"
    atoms.decide(made, "accepted")
