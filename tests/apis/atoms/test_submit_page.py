"""Every sentence of the page "Submit a compliance application". Source: documented."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plivo_sim.apis.atoms.presenters import ApplicationOut
from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.settings import Settings
from tests.apis.atoms.support import END_USER, KEY, Atoms, certificates, document_types, errors
from tests.apis.atoms.test_refresh_page import PRINTED
from tests.support import JPEG, PDF, PNG, SDK_AGENT, Http, check_answer

DEMANDING = """
document_types:
  paper: {name: Paper, description: A paper}
requirements:
  - {version: current, country: ZA, number_types: [local], user_types: [business],
     documents: [registration_certificate],
     end_user_fields: [{name: postal_code, label: Postal code},
                       {name: registration_number, label: Registration number}]}
"""


@pytest.fixture
def demanding(tmp_path: Path) -> Iterator[Atoms]:
    """A simulator whose catalogue asks for more of the end user in ZA."""
    path = tmp_path / "catalogue.yaml"
    path.write_text(DEMANDING)
    sim = make_simulator(Settings(paused=True, review_delay=None, catalogue=path))
    yield Atoms(Http(create_app(sim), sim))
    sim.close()


def at_plivo(atoms: Atoms, made: dict[str, Any]) -> dict[str, Any]:
    """The application as the new API shows it, whole."""
    answer = atoms.http.get(
        f"PhoneNumber/Compliance/{made['plivoComplianceId']}/?expand=end_user,documents",
        headers={"User-Agent": SDK_AGENT},
    )
    assert answer.status_code == 200, answer.text
    return answer.get_json()["compliance"]


def test_submit_a_new_compliance_application_with_end_user_details_and_documents(
    atoms: Atoms,
) -> None:
    """It is at Plivo, with both."""
    found = at_plivo(atoms, atoms.submitted())
    assert found["status"] == "submitted"
    assert found["end_user"]["name"] == END_USER["name"]
    assert [each["document_name"] for each in found["documents"]] == [
        "Registration Certificate",
        "GST certificate",
    ]


def test_one_application_is_allowed_per_organization(atoms: Atoms) -> None:
    """Another organisation may have its own."""
    atoms.submitted()
    assert atoms.submit().status_code == 409
    assert Atoms(atoms.http, token="atoms-key-2").submit().status_code == 201


@pytest.mark.parametrize(
    "changes",
    [
        {"countryIso": "US", "documents": []},
        {"numberType": "mobile"},
        {"userType": "individual", "countryIso": "US", "documents": []},
    ],
)
def test_per_country_per_number_type_per_user_type(atoms: Atoms, changes: dict[str, Any]) -> None:
    """Each of the three makes it another one."""
    atoms.submitted()
    files = [] if changes.get("documents") == [] else None
    assert atoms.submit(files, **changes).status_code == 201


def test_the_request_uses_multipart_form_data(atoms: Atoms) -> None:
    """JSON is refused."""
    answer = atoms.call("POST", "/applications", json=atoms.fields())
    assert errors(answer, 400) == ["The body must be multipart/form-data; it is application/json"]


@pytest.mark.parametrize("name", ["endUser", "documents"])
def test_the_end_user_and_documents_fields_are_json_strings(atoms: Atoms, name: str) -> None:
    """Anything else is refused, and the field named."""
    (told,) = errors(atoms.submit(**{name: "{not json"}), 400)
    assert told.startswith(f"{name}: is not valid JSON")


def test_201_application_submitted_successfully(atoms: Atoms) -> None:
    """``status`` true and the application under ``data``, keys as printed."""
    answer = atoms.submit()
    body = answer.get_json()
    assert (answer.status_code, body["status"]) == (201, True)
    assert list(body["data"]) == PRINTED
    check_answer(body["data"], ApplicationOut)


def test_the_answer_is_what_was_sent(atoms: Atoms) -> None:
    """Value by value; ``rejectionReason`` is an empty text, as printed."""
    made = atoms.submitted(endUser=END_USER | {"lastName": "Patel"})
    organization = made["organizationId"]
    assert made == made | {
        "alias": f"{organization}-IN-production",
        "status": "submitted",
        **KEY,
        "endUserName": "Acme Traders Pvt Ltd",
        "endUserLastName": "Patel",
        "endUserEmail": "contact@acme.example",
        "endUserCountry": "IN",
        "documentFileNames": ["certificate_of_incorporation.pdf", "gst.png"],
        "rejectionReason": "",
        "createdAt": "2026-01-05T09:00:00.000Z",
        "updatedAt": "2026-01-05T09:00:00.000Z",
    }


def test_400_invalid_json(atoms: Atoms) -> None:
    """Both texts are told of at once."""
    told = errors(atoms.submit(endUser="[", documents="nope"), 400)
    assert [text.partition(":")[0] for text in told] == ["endUser", "documents"]


def test_400_unsupported_file_type(atoms: Atoms) -> None:
    """Told by its first bytes, whatever its name is."""
    answer = atoms.submit([("notes.pdf", b"plain text"), ("gst.png", PNG)])
    assert errors(answer, 400) == ["Unsupported file type: 'notes.pdf' is not PDF, JPEG or PNG"]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_400_expected_x_files_got_y(atoms: Atoms, count: int) -> None:
    """The exact message."""
    files = [(f"{i}.pdf", PDF + bytes([i])) for i in range(count)]
    assert errors(atoms.submit(files), 400) == [f"Expected 2 files, got {count}"]


def test_409_exact_message(atoms: Atoms) -> None:
    """``A compliance application already exists for {countryIso}/{numberType}. Status: …``"""
    atoms.submitted()
    text = "A compliance application already exists for IN/local. Status: submitted"
    assert errors(atoms.submit(), 409) == [text]


@pytest.mark.parametrize(
    ("decisions", "status"),
    [
        (["accepted"], "accepted"),
        (["rejected"], "rejected"),
        (["accepted", "suspended"], "suspended"),
        (["accepted", "expired"], "expired"),
    ],
)
def test_409_in_every_status(atoms: Atoms, decisions: list[str], status: str) -> None:
    """Expired and suspended ones block too; the message has the status that Atoms knows."""
    made = atoms.submitted()
    for decision in decisions:
        atoms.decide(made, decision)
    assert errors(atoms.submit(), 409)[0].endswith(f"Status: {status}")


def test_name_is_required(atoms: Atoms) -> None:
    """Missing, null and empty."""
    for name in ({}, {"name": None}, {"name": " "}):
        assert errors(atoms.submit(endUser=name), 400) == ["Field 'endUser.name' is required."]


def test_all_other_fields_are_optional(atoms: Atoms) -> None:
    """A name is enough; last name and email are then null."""
    made = atoms.submitted(endUser={"name": "Acme"})
    assert (made["endUserLastName"], made["endUserEmail"]) == (None, None)


def test_but_may_be_required_by_plivo_depending_on_country_and_number_type(
    demanding: Atoms,
) -> None:
    """Then it is Plivo's complaint, in its names, and nothing was made."""
    type_ = document_types(demanding.requirements(countryIso="ZA"))[0]
    documents = [{"documentTypeId": type_, "dataFields": {"business_name": "Acme"}}]
    answer = demanding.submit([("a.pdf", PDF)], countryIso="ZA", documents=documents)
    (told,) = errors(answer, 502)
    assert "'end_user.postal_code' is required" in told
    assert "'end_user.registration_number' is required" in told
    assert demanding.status(countryIso="ZA").get_json()["data"]["step"] == "form"


def test_accepted_fields(atoms: Atoms) -> None:
    """Every one of them reaches Plivo under its name there."""
    given = {
        "name": "John", "lastName": "Doe", "email": "john.doe@example.com",
        "addressLine1": "456 Elm Street", "addressLine2": "Apt 12B", "city": "San Francisco",
        "state": "CA", "postalCode": "94107", "country": "US", "registrationNumber": "R-1",
    }  # fmt: skip
    end_user = at_plivo(atoms, atoms.submitted(endUser=given))["end_user"]
    assert end_user == end_user | {
        "type": "business", "name": "John", "last_name": "Doe", "email": "john.doe@example.com",
        "address_line1": "456 Elm Street", "address_line2": "Apt 12B", "city": "San Francisco",
        "state": "CA", "postal_code": "94107", "country": "US", "registration_number": "R-1",
    }  # fmt: skip


def test_country_defaults_to_country_iso_if_omitted(atoms: Atoms) -> None:
    """At Plivo too."""
    made = atoms.submitted(endUser={"name": "Acme"})
    assert made["endUserCountry"] == "IN"
    assert at_plivo(atoms, made)["end_user"]["country"] == "IN"


def test_each_entry_must_have_a_document_type_id_from_the_requirements_endpoint(
    atoms: Atoms,
) -> None:
    """Without one Atoms refuses, with another one Plivo does and names the right ones."""
    documents = atoms.documents()
    answer = atoms.submit(documents=[{"dataFields": {}}, documents[1]])
    assert errors(answer, 400) == ["Field 'documents[0].documentTypeId' is required."]
    answer = atoms.submit(documents=[documents[0], {"documentTypeId": "dt_123"}])
    (told,) = errors(answer, 502)
    assert told.startswith("documents[1].document_type_id: unknown document type 'dt_123'")
    assert documents[1]["documentTypeId"] in told


def test_and_optional_data_fields(atoms: Atoms) -> None:
    """Optional for Atoms; Plivo says which ones a type needs, in its own words."""
    documents = atoms.documents()
    del documents[0]["dataFields"]
    (told,) = errors(atoms.submit(documents=documents), 502)
    assert told.startswith("Field 'business_name' is required for document type '")


def test_document_files_in_the_same_order_as_the_documents_metadata_array(atoms: Atoms) -> None:
    """The n-th file is the n-th document's."""
    documents = atoms.documents()[::-1]
    made = atoms.submitted(documents=documents, files=[("gst.png", PNG), ("cert.pdf", PDF)])
    found = at_plivo(atoms, made)["documents"]
    assert [(each["document_name"], each["file_name"]) for each in found] == [
        ("GST certificate", "gst.png"),
        ("Registration Certificate", "cert.pdf"),
    ]


def test_accepted_formats_pdf_jpeg_png(atoms: Atoms) -> None:
    """All three."""
    assert atoms.submit([("a.pdf", PDF), ("b.png", PNG)]).status_code == 201
    assert atoms.submit([("a.jpg", JPEG), ("b.pdf", PDF)], numberType="mobile").status_code == 201


def test_maximum_5_mb_per_file(atoms: Atoms) -> None:
    """One byte over is refused; exactly that is not."""
    just = PDF.ljust(5 * 1024 * 1024, b" ")
    answer = atoms.submit([("a.pdf", just + b" "), ("b.png", PNG)])
    assert errors(answer, 400) == ["files[0]: file 'a.pdf' exceeds the 5 MB size limit"]
    assert atoms.submit([("a.pdf", just), ("b.png", PNG)]).status_code == 201


@pytest.mark.parametrize(("count", "status"), [(10, 502), (11, 400)])
def test_up_to_10_files(atoms: Atoms, count: int, status: int) -> None:
    """Ten reach Plivo (which has no use for them), eleven do not."""
    documents = [{"documentTypeId": "dt_1"}] * count
    files = [(f"{i}.pdf", PDF + bytes([i])) for i in range(count)]
    told = errors(atoms.submit(files, documents=documents), status)
    assert (told == ["Too many files: at most 10, got 11"]) is (status == 400)


@pytest.mark.parametrize("name", ["countryIso", "numberType", "userType", "endUser", "documents"])
def test_required_fields(atoms: Atoms, name: str) -> None:
    """Each is told of by name."""
    assert errors(atoms.submit(**{name: None}), 400) == [f"Field '{name}' is required."]


def test_all_missing_fields_are_told_at_once(atoms: Atoms) -> None:
    """One text each."""
    names = ("countryIso", "numberType", "userType", "endUser", "documents")
    told = errors(atoms.call("POST", "/applications"), 400)
    assert told == [f"Field '{name}' is required." for name in names]


def test_files_are_required(atoms: Atoms) -> None:
    """As many as there are documents."""
    assert errors(atoms.submit([]), 400) == ["Expected 2 files, got 0"]


def test_auto_generated_alias_org_id_country_iso_env(atoms: Atoms) -> None:
    """The application has it at Plivo, too."""
    made = atoms.submitted()
    assert made["alias"] == f"{made['organizationId']}-IN-production"
    assert at_plivo(atoms, made)["alias"] == made["alias"]


def test_plivo_s_compliance_application_identifier(atoms: Atoms) -> None:
    """Under that id the legacy API shows it as well."""
    made = atoms.submitted()
    answer = atoms.http.get(f"ComplianceApplication/{made['plivoComplianceId']}/")
    assert answer.get_json()["status"] == "submitted"


def test_an_application_made_here_prints_in_the_sdk_dialect(atoms: Atoms) -> None:
    """Though nothing in the request says so, and it has no callback URL."""
    made = atoms.submitted()
    answer = atoms.http.get(f"PhoneNumber/Compliance/{made['plivoComplianceId']}/")
    assert answer.headers["X-Plivo-Sim-Dialect"] == "current"
    assert answer.get_json()["compliance"]["callback_url"] is None


def test_user_id_of_the_person_who_created_this_application(atoms: Atoms) -> None:
    """The same for the same token, another for another."""
    one, other = atoms.submitted(), Atoms(atoms.http, token="atoms-key-2").submitted()
    assert one["createdBy"] == atoms.submitted(numberType="mobile")["createdBy"]
    assert one["createdBy"] != other["createdBy"]
    assert one["organizationId"] != other["organizationId"]


def test_ids_are_those_of_the_seed(atoms: Atoms) -> None:
    """The same calls in a fresh simulator give the same ``_id``."""
    again = make_simulator(Settings(paused=True, review_delay=None))
    try:
        assert Atoms(Http(create_app(again), again)).submitted() == atoms.submitted()
    finally:
        again.close()


def test_names_with_other_letters_survive(atoms: Atoms) -> None:
    """In JSON texts and file names."""
    files = [("प्रमाणपत्र.pdf", PDF), ("gst.png", PNG)]
    made = atoms.submitted(files=files, endUser=json.dumps({"name": "Müller & Söhne"}))
    assert made["endUserName"] == "Müller & Söhne"
    assert made["documentFileNames"][0] == "प्रमाणपत्र.pdf"


def test_files_are_kept_with_the_application_at_plivo(atoms: Atoms) -> None:
    """And come back byte by byte."""
    found = at_plivo(atoms, atoms.submitted())["documents"][1]
    path = found["download_url"].partition("127.0.0.1")[2]
    assert atoms.http.get(path).data == certificates()[1][1]


def test_a_strict_account_takes_a_second_application_of_one_country(atoms: Atoms) -> None:
    """Atoms makes the alias itself, of organisation and country: it is no client's to repeat."""
    atoms.account.configure({"strict": "true"})
    assert atoms.submit().status_code == 201
    answer = atoms.submit(numberType="tollfree")
    assert answer.status_code == 201, answer.text
    assert "alias" not in answer.headers.get("X-Plivo-Sim-Warning", "")
