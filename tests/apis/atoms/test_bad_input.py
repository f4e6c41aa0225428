"""Tables of bad input: refused in the printed shape, and nothing changed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.apis.atoms.support import END_USER, KEY, Atoms, certificates, errors
from tests.support import PDF, PNG, multipart

CUT_SHORT = b"--x\r\nContent-Disposition: form-data; name=endUser\r\n\r\n{}"


def types(atoms: Atoms) -> list[str]:
    return [each["documentTypeId"] for each in atoms.documents()]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"countryIso": "IND"}, "countryIso: must be an ISO 3166-1 alpha-2 country code"),
        ({"countryIso": ""}, "Field 'countryIso' is required."),
        ({"numberType": "national"}, "numberType: must be one of local, mobile, tollfree"),
        ({"numberType": ""}, "Field 'numberType' is required."),
        ({"userType": "company"}, "userType: must be one of individual, business"),
        ({"endUser": ""}, "Field 'endUser' is required."),
        ({"endUser": "null"}, "Field 'endUser' is required."),
        ({"endUser": "{'name': 'Acme'}"}, "endUser: is not valid JSON"),
        ({"endUser": '{"name": NaN}'}, "endUser: is not valid JSON"),
        ({"endUser": "[1]"}, "endUser: must be an object"),
        ({"endUser": '"Acme"'}, "endUser: must be an object"),
        ({"endUser": "7"}, "endUser: must be an object"),
        ({"endUser": {"name": 7}}, "endUser.name: must be a string"),
        ({"endUser": {"name": "x" * 256}}, "endUser.name: must have at most 255 characters"),
        ({"endUser": END_USER | {"city": ["Mumbai"]}}, "endUser.city: must be a string"),
        ({"endUser": "[" * 100 + "]" * 100}, "endUser: is not valid JSON"),
        ({"documents": ""}, "Field 'documents' is required."),
        ({"documents": "{"}, "documents: is not valid JSON"),
        ({"documents": "{}"}, "documents: must be a list"),
        ({"documents": '"dt_1"'}, "documents: must be a list"),
        ({"documents": "[1, 2]"}, "documents[0]: must be an object"),
        ({"documents": [{}, {}]}, "Field 'documents[0].documentTypeId' is required."),
        ({"documents": [{"documentTypeId": 7}] * 2}, "documents[0].documentTypeId: must be a str"),
        ({"documents": [{"documentTypeId": "a", "dataFields": "x"}] * 2},
         "documents[0].dataFields: must be an object of strings"),
        ({"documents": [{"documentTypeId": "a", "dataFields": {"first_name": 1}}] * 2},
         "documents[0].dataFields.first_name: must be a string"),
        ({"documents": [{"documentTypeId": "a", "dataFields": {"x": "y" * 16_384}}] * 2},
         "documents[0].dataFields: has 16385 characters: at most 16384 characters"),
        ({"documents": []}, "Expected 0 files, got 2"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(atoms: Atoms, changes: dict[str, Any], told: str) -> None:
    """400; no application, no file, no account."""
    answer = atoms.submit(**changes)
    assert any(text.startswith(told) for text in errors(answer, 400)), answer.text
    assert atoms.sim.accounts() == []


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ([("a.pdf", b""), ("b.png", PNG)], "files[0]: file 'a.pdf' is empty"),
        ([("a.pdf", PDF), ("b.gif", b"GIF89a...")], "Unsupported file type: 'b.gif'"),
        ([("a.pdf", PDF), ("b.pdf", b"MZ\x90")], "Unsupported file type: 'b.pdf'"),
        ([("a.pdf", PDF), ("x" * 96 + ".png", PNG)], "files[1]: file name has 100 characters"),
    ],
)
def test_a_wrong_file_is_named(atoms: Atoms, files: list[tuple[str, bytes]], told: str) -> None:
    """For a submission and a resubmission alike."""
    made = atoms.rejected(numberType="mobile")
    before = atoms.state()
    for answer in (atoms.submit(files), atoms.resubmit(made["_id"], files)):
        assert errors(answer, 400)[0].startswith(told)
    assert atoms.state() == before


@pytest.mark.parametrize(
    ("documents", "told"),
    [
        (None, "Field 'documents' is required."),
        ("", "Field 'documents' is required."),
        ("[", "documents: is not valid JSON"),
        ("{}", "documents: must be a list"),
        ([], "Expected 0 files, got 2"),
        ([{}, {}], "Field 'documents[0].documentTypeId' is required."),
    ],
)
def test_a_wrong_resubmission_changes_nothing(atoms: Atoms, documents: Any, told: str) -> None:
    """It stays rejected, here and at Plivo, with the documents that it had."""
    made = atoms.rejected()
    before = atoms.state()
    answer = atoms.resubmit(made["_id"], documents=documents)
    assert any(text.startswith(told) for text in errors(answer, 400)), answer.text
    assert atoms.state() == before


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", None),
        (b"", "multipart/form-data; boundary=x"),
        (b"garbage", "multipart/form-data; boundary=x"),
        (CUT_SHORT, "multipart/form-data; boundary=x"),
        (b"--x--\r\n", "multipart/form-data"),
        (b"{}", "application/json"),
        (b"{", "application/json"),
        (b"<a/>", "text/xml"),
        (b"countryIso=IN", "application/x-www-form-urlencoded"),
        (b"countryIso=%ff", "application/x-www-form-urlencoded"),
    ],
)  # fmt: skip
def test_bodies_that_are_no_form(atoms: Atoms, body: bytes, content_type: str | None) -> None:
    """400 in the printed shape."""
    answer = atoms.call("POST", "/applications", data=body, content_type=content_type)
    errors(answer, 400)
    assert atoms.sim.accounts() == []


def test_every_problem_of_a_form_is_told_at_once(atoms: Atoms) -> None:
    """One text each, in the order of the page."""
    answer = atoms.submit(
        [("a.txt", b"text")],
        countryIso="IND",
        numberType="fax",
        endUser={"email": 1},
        documents=[{"documentTypeId": ""}, {}],
    )
    assert [text.split(":")[0] for text in errors(answer, 400)] == [
        "countryIso",
        "numberType",
        "Field 'endUser.name' is required.",
        "endUser.email",
        "Field 'documents[0].documentTypeId' is required.",
        "Field 'documents[1].documentTypeId' is required.",
        "Expected 2 files, got 1",
        "Unsupported file type",
    ]


def test_what_plivo_finds_is_502_with_its_text(atoms: Atoms) -> None:
    """One text, with everything, in its words and under its names, as it answers today."""
    documents = [{"documentTypeId": types(atoms)[0]}, {"documentTypeId": "dt_2"}]
    (told,) = errors(atoms.submit(documents=documents), 502)
    assert told.startswith("Field 'business_name' is required for document type")
    for each in ("documents[1].document_type_id: unknown", "documents: a document of type"):
        assert each in told
    documents = atoms.documents()
    documents[0]["dataFields"]["business_name"] = "x" * 51
    (told,) = errors(atoms.submit(documents=documents), 502)
    assert told.startswith("documents[0].data_fields.business_name: must have 1 to 50 characters")


def test_what_plivo_refuses_changes_nothing_however_often(atoms: Atoms) -> None:
    """Repeating a 502 makes nothing, here or at Plivo; what is right is then taken."""
    made = atoms.rejected(numberType="mobile")
    before = atoms.state()
    unknown = [{"documentTypeId": "dt_1"}] * 2
    for _ in range(3):
        errors(atoms.submit(documents=unknown), 502)
        errors(atoms.resubmit(made["_id"], documents=unknown), 502)
    assert atoms.state() == before
    atoms.submitted()
    assert atoms.resubmit(made["_id"], certificates(b"2")).status_code == 200
    assert len(atoms.account.store.applications) == 2


def test_what_atoms_sees_goes_before_what_plivo_finds(atoms: Atoms) -> None:
    """400 with Atoms' problems alone: Plivo was not asked."""
    answer = atoms.submit(countryIso="ZZ", endUser={}, documents=[{"documentTypeId": "dt_1"}] * 2)
    assert errors(answer, 400) == ["Field 'endUser.name' is required."]


def test_files_under_another_name_are_not_seen(atoms: Atoms) -> None:
    """And a warning says so."""
    fields = [(name, _text(value)) for name, value in atoms.fields().items()]
    body, content_type = multipart(
        fields, [(f"documents[{i}].file", *each) for i, each in enumerate(certificates())]
    )
    answer = atoms.call("POST", "/applications", data=body, content_type=content_type)
    assert errors(answer, 400) == ["Expected 2 files, got 0"]
    assert answer.headers["X-Plivo-Sim-Warning"] == (
        "ignored field 'documents[0].file'; ignored field 'documents[1].file'"
    )


def test_files_that_are_texts_are_no_files(atoms: Atoms) -> None:
    """As the page's JavaScript sample sends them."""
    fields = [(name, _text(value)) for name, value in atoms.fields().items()]
    body, content_type = multipart([*fields, ("files", "passport_scan.pdf")], [])
    answer = atoms.call("POST", "/applications", data=body, content_type=content_type)
    assert errors(answer, 400) == ["Expected 2 files, got 0"]
    assert answer.headers["X-Plivo-Sim-Warning"] == "ignored field 'files'"


def test_unknown_keys_of_the_end_user_are_ignored_with_a_warning(atoms: Atoms) -> None:
    """A misspelt one would be lost without a word."""
    answer = atoms.submit(endUser=END_USER | {"address_line1": "12 MG Road"})
    assert answer.status_code == 201
    assert answer.headers["X-Plivo-Sim-Warning"] == "ignored field 'endUser.address_line1'"


def test_words_are_taken_in_any_case(atoms: Atoms) -> None:
    """And answered as they are printed."""
    made = atoms.submitted(countryIso="in", numberType="Local", userType="BUSINESS")
    assert {name: made[name] for name in KEY} == KEY


def test_an_outcome_header_that_cannot_be_read_is_refused(atoms: Atoms) -> None:
    """400, and nothing was made."""
    answer = atoms.submit(headers={"X-Plivo-Sim-Outcome": "maybe"})
    assert errors(answer, 400)[0].startswith("X-Plivo-Sim-Outcome: must be one of")
    assert atoms.sim.accounts() == []


def test_a_body_over_the_limit_is_refused_unread(atoms: Atoms) -> None:
    """By its announced length."""
    answer = atoms.call(
        "POST",
        "/applications",
        content_type="multipart/form-data; boundary=x",
        environ_overrides={"CONTENT_LENGTH": str(60 * 1024 * 1024)},
    )
    assert "over the limit" in errors(answer, 400)[0]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
