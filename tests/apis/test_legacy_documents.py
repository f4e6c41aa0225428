"""``ComplianceDocument``: forms, files and answers. Source: docs/wire-facts.md,
"ComplianceDocument"."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.apis.legacy_support import UNKNOWN_ID, Legacy, error_of
from tests.support import JPEG, PDF, PNG, Http

GO_FIELDS = [
    "last_name", "first_name", "date_of_birth", "address_line_1", "address_line_2", "city",
    "country", "postal_code", "unique_identification_number", "nationality", "place_of_birth",
    "date_of_issue", "date_of_expiration", "type_of_utility", "billing_id", "billing_date",
    "business_name", "type_of_id", "support_phone_number", "support_email",
    "authorized_representative_name", "bill_date", "bill_id", "use_case_description",
]  # fmt: skip


@pytest.fixture
def legacy(http: Http) -> Legacy:
    return Legacy(http)


def form(legacy: Legacy, **fields: str) -> dict[str, str]:
    """The three named fields and some data fields."""
    return {
        "end_user_id": legacy.end_user(),
        "document_type_id": legacy.types()[0],
        "alias": "doc",
        "business_name": "Acme",
    } | fields


def test_a_create_answers_as_the_page_prints_it(legacy: Legacy) -> None:
    """Key by key, ``tax_code`` included: a field that the type does not know."""
    fields = form(legacy, tax_code="150")
    answer = legacy.send_document(fields, ("file", "Screenshot at 5.03.43 PM.png", PNG))
    assert answer.status_code == 201
    made = answer.get_json()
    assert made == fields_without(fields, "tax_code", "business_name") | {
        "api_id": made["api_id"],
        "created_at": "2026-01-05T09:00:00.000000Z",
        "document_id": made["document_id"],
        "file_name": "Screenshot at 5.03.43 PM.png",
        "message": "created",
        "meta_information": {"business_name": "Acme", "tax_code": "150"},
    }


def fields_without(fields: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key not in names}


def test_without_a_file_a_get_has_no_file_name(legacy: Legacy) -> None:
    """A create shows null, because PHP reads the key (observed)."""
    made = legacy.send_document(form(legacy)).get_json()
    assert made["file_name"] is None
    assert "file_name" not in legacy.shown(f"ComplianceDocument/{made['document_id']}/")


@pytest.mark.parametrize("file", [("file", "c.pdf", PDF), None])
def test_a_list_names_id_and_file_twice(legacy: Legacy, file: Any) -> None:
    """``compliance_document_id`` and ``document_id``, ``file`` and ``file_name``."""
    files = [file] if file else []
    id = legacy.send_document(form(legacy), *files).get_json()["document_id"]
    (shown,) = legacy.shown("ComplianceDocument/")["objects"]
    assert shown["compliance_document_id"] == shown["document_id"] == id
    assert shown["file"] == shown["file_name"] == (file and "c.pdf")


def test_a_document_can_come_urlencoded(legacy: Legacy) -> None:
    """Ruby sends one without a file so."""
    answer = legacy.http.post("ComplianceDocument/", data=form(legacy, business_name="Acme"))
    assert answer.get_json()["meta_information"] == {"business_name": "Acme"}


def test_pythons_empty_file_part_is_no_file(legacy: Legacy) -> None:
    """``name="file"; filename="file"`` and no bytes."""
    answer = legacy.send_document(form(legacy), ("file", "file", b""))
    assert answer.get_json()["file_name"] is None


def test_nodes_buffer_without_a_file_name_is_a_file(legacy: Legacy) -> None:
    """A part ``file`` with bytes only; it is called ``file``."""
    answer = legacy.send_document(form(legacy), ("file", None, PDF))
    assert answer.get_json()["file_name"] == "file"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("/home/me/passport.pdf", "passport.pdf"),
        ("C:\\\\Scans\\\\passport.pdf", "passport.pdf"),
        ("Prüfung.pdf", "Prüfung.pdf"),
        ("a%22b.pdf", 'a"b.pdf'),
        ("../../etc/passwd", "passwd"),
    ],
)
def test_a_file_keeps_its_bare_name(legacy: Legacy, sent: str, kept: str) -> None:
    """Java sends the whole path."""
    answer = legacy.send_document(form(legacy), ("file", sent, PDF))
    assert answer.get_json()["file_name"] == kept


def test_gos_empty_fields_are_no_data(legacy: Legacy) -> None:
    """Its create always carries all the fields that it knows."""
    fields = dict.fromkeys(GO_FIELDS, "") | form(legacy, business_name="Acme")
    answer = legacy.send_document(fields, ("file", "c.pdf", PDF))
    assert answer.get_json()["meta_information"] == {"business_name": "Acme"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("path", "/home/me/c.pdf"),
        ("api_id", ""),
        ("api_id", "x"),
        ("", "<plivo.CreateComplianceDocumentParams Value>"),
        ("multipart", "true"),
        ("last_name", "undefined"),
        ("last_name", "null"),
        ("last_name", ""),
    ],
)
def test_junk_of_the_sdks_is_no_data(legacy: Legacy, name: str, value: str) -> None:
    """PHP's, Go's and Node's."""
    answer = legacy.send_document(form(legacy) | {name: value})
    assert answer.status_code == 201
    assert answer.get_json()["meta_information"] == {"business_name": "Acme"}
    assert "X-Plivo-Sim-Warning" not in answer.headers


def test_a_file_under_another_name_is_ignored_with_a_warning(legacy: Legacy) -> None:
    """The live service ignores unknown file fields silently (observed)."""
    answer = legacy.send_document(form(legacy), ("file_0", "c.pdf", PDF))
    assert answer.get_json()["file_name"] is None
    assert answer.headers["X-Plivo-Sim-Warning"] == "ignored form field 'file_0'"


def test_the_pages_information_and_proof_are_other_spellings(legacy: Legacy) -> None:
    """JSON text and a file; flat fields win (decision "Legacy spellings")."""
    information = json.dumps({"business_name": "Acme", "tax_code": "1", "x": None})
    fields = form(legacy, Information=information, tax_code="2")
    made = legacy.send_document(fields, ("proof", "c.pdf", PDF)).get_json()
    assert made["meta_information"] == {"business_name": "Acme", "tax_code": "2"}
    assert made["file_name"] == "c.pdf"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("{", "information: is not valid JSON: JSON ends too early"),
        ('["a"]', "information: must be a JSON object of strings"),
        ('{"a": 1, "b": []}', "information.a: must be a string; information.b: must be a string"),
    ],
)
def test_information_must_be_an_object_of_strings(legacy: Legacy, text: str, error: str) -> None:
    """Otherwise it says where."""
    assert error_of(legacy.send_document(form(legacy, information=text))) == error


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("alias=one", ["one"]),
        ("document_type_id={type}", ["two"]),
        ("end_user_id={end_user}", ["one", "two"]),
        ("end_user_id={end_user}&alias=two", ["two"]),
        ("limit=1&offset=1", ["two"]),
        ("alias=none", []),
    ],
)
def test_a_list_filters(legacy: Legacy, query: str, found: list[str]) -> None:
    """By alias, type and end user."""
    end_user, (first, second) = legacy.end_user(), legacy.types()
    legacy.document(end_user, first, alias="one")
    legacy.document(end_user, second, alias="two")
    legacy.document(legacy.end_user(), first, alias="three")
    query = query.format(type=second, end_user=end_user)
    shown = legacy.shown(f"ComplianceDocument/?{query}")["objects"]
    assert [each["alias"] for each in shown] == found


# --- update --------------------------------------------------------------------------------


def update(legacy: Legacy, id: str, fields: dict[str, str], *files: Any) -> Any:
    return legacy.send_document(fields, *files, path=f"ComplianceDocument/{id}/")


def test_an_update_merges_data_and_replaces_the_file(legacy: Legacy) -> None:
    """What is not given stays; the old file is forgotten."""
    id = legacy.document(legacy.end_user(), business_name="Acme", tax_code="1")
    answer = update(legacy, id, {"alias": "new", "tax_code": "2"}, ("file", "n.png", PNG))
    assert answer.status_code == 202
    assert answer.get_json() == {"api_id": answer.get_json()["api_id"], "message": "changed"}
    shown = legacy.shown(f"ComplianceDocument/{id}/")
    assert shown["meta_information"] == {"business_name": "Acme", "tax_code": "2"}
    assert (shown["alias"], shown["file_name"]) == ("new", "n.png")


def test_gos_update_loses_its_fields_and_changes_the_file_only(legacy: Legacy) -> None:
    """It sends the id, a part without a name, and the file (observed)."""
    id = legacy.document(legacy.end_user())
    junk = {"compliance_document_id": id, "": "<plivo.CreateComplianceDocumentParams Value>"}
    assert update(legacy, id, junk, ("file", "n.pdf", PDF)).status_code == 202
    answer = update(legacy, id, junk)
    assert answer.status_code == 202
    assert answer.headers["X-Plivo-Sim-Warning"] == "nothing to change was given"


def test_the_type_of_a_document_can_change(legacy: Legacy) -> None:
    """The page lists it among the arguments of an update."""
    first, second = legacy.types()
    id = legacy.document(legacy.end_user(), first)
    assert update(legacy, id, {"document_type_id": second}).status_code == 202
    assert legacy.shown(f"ComplianceDocument/{id}/")["document_type_id"] == second


def test_the_end_user_of_a_free_document_can_change(legacy: Legacy) -> None:
    """As long as no application uses the document."""
    other = legacy.end_user()
    id = legacy.document(legacy.end_user())
    assert update(legacy, id, {"end_user_id": other}).status_code == 202
    assert legacy.shown(f"ComplianceDocument/{id}/")["end_user_id"] == other


def test_the_end_user_of_a_used_document_stays(legacy: Legacy) -> None:
    """An application's documents belong to its end user (decision "Locked documents")."""
    end_user = legacy.end_user()
    document = legacy.document(end_user)
    id = legacy.application(end_user_id=end_user, document_ids=[document])
    error = error_of(update(legacy, document, {"end_user_id": legacy.end_user()}))
    assert error == (
        "Cannot change the end user of compliance document:"
        f" it is used by application {id} (draft)."
    )


@pytest.mark.parametrize("status", ["submitted", "accepted", "suspended", "expired"])
def test_a_document_in_review_or_once_accepted_is_locked(legacy: Legacy, status: str) -> None:
    """Against changes and deletion."""
    end_user = legacy.end_user()
    document, other = legacy.documents(end_user)
    made = {"end_user_id": end_user, "document_ids": [document, other]}
    id = legacy.submitted(**made) if status == "submitted" else legacy.decided(status, **made)
    used = f"compliance document: it is used by application {id} ({status})."
    assert error_of(update(legacy, document, {"alias": "x"})) == f"Cannot update {used}"
    gone = legacy.http.delete(f"ComplianceDocument/{document}/")
    assert error_of(gone) == f"Cannot delete {used}"


@pytest.mark.parametrize("status", ["rejected", "more_info_required"])
def test_a_document_of_a_rejected_application_can_change(legacy: Legacy, status: str) -> None:
    """The application keeps its status."""
    end_user = legacy.end_user()
    documents = legacy.documents(end_user)
    id = legacy.decided(status, end_user_id=end_user, document_ids=documents)
    before = legacy.application_shown(id)["status"]
    assert update(legacy, documents[0], {"alias": "x"}).status_code == 202
    assert legacy.application_shown(id)["status"] == before


def test_a_document_that_a_draft_uses_cannot_be_deleted(legacy: Legacy) -> None:
    """Nor one of any other application."""
    end_user = legacy.end_user()
    document = legacy.document(end_user)
    legacy.application(end_user_id=end_user, document_ids=[document])
    answer = legacy.http.delete(f"ComplianceDocument/{document}/")
    assert "it is used by application" in error_of(answer)


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_deleted_document_is_gone(legacy: Legacy, slash: str) -> None:
    """The page writes the URL without the last slash."""
    id = legacy.document(legacy.end_user())
    answer = legacy.http.delete(f"ComplianceDocument/{id}{slash}")
    assert answer.status_code == 200
    assert answer.get_json()["message"] == "changed"
    gone = legacy.http.get(f"ComplianceDocument/{id}/")
    assert error_of(gone, 404) == "Compliance document not found."


# --- what is wrong with a document -----------------------------------------------------------


def test_every_missing_field_is_named(legacy: Legacy) -> None:
    """At once, whatever the encoding."""
    expected = (
        "Field 'end_user_id' is required. Field 'document_type_id' is required."
        " Field 'alias' is required."
    )
    assert error_of(legacy.send_document({"x": "y"})) == expected
    assert error_of(legacy.http.post("ComplianceDocument/", data={"alias": " "})) == expected
    assert error_of(legacy.http.post("ComplianceDocument/")) == expected


def test_every_wrong_reference_and_value_is_named(legacy: Legacy) -> None:
    """Unknown records and a file of another kind."""
    fields = {"end_user_id": UNKNOWN_ID, "document_type_id": "passport", "alias": "a" * 256}
    error = error_of(legacy.send_document(fields, ("file", "notes.txt", b"plain text")))
    assert error == (
        "alias: must have at most 255 characters, has 256; "
        f"end_user_id: no end user '{UNKNOWN_ID}' in this account; "
        "document_type_id: no document type 'passport'; "
        "file: file 'notes.txt' must be PDF or PNG or JPEG; its content is none of them"
    )


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("business_name", "x" * 51, "business_name: must have 1 to 50 characters, has 51"),
        ("tax_code", "x" * 1001, "tax_code: must have at most 1000 characters, has 1001"),
    ],
)
def test_a_value_that_breaks_its_rule_is_refused_at_once(
    legacy: Legacy, field: str, value: str, error: str
) -> None:
    """On create and on update."""
    assert error_of(legacy.send_document(form(legacy, **{field: value}))) == error
    id = legacy.document(legacy.end_user())
    assert error_of(update(legacy, id, {field: value})) == error


def test_all_data_fields_of_a_document_have_a_limit_together(legacy: Legacy) -> None:
    """Those that an update would add to others, too."""
    some = {f"x{n}": "y" * 1000 for n in range(15)}
    id = legacy.document(legacy.end_user(), **some)
    told = "the document's data has 17056 characters: at most 16384 characters (limit data_fields)"
    assert error_of(update(legacy, id, {f"z{n}": "y" * 1000 for n in range(2)})) == told
    many = {"Information": json.dumps({str(n): "y" for n in range(300)})}
    assert error_of(legacy.send_document(form(legacy, **many))).startswith(
        "the document's data has 301 entries: at most 300 entries"
    )


def test_a_word_that_is_not_on_the_list_is_refused(legacy: Legacy) -> None:
    """``type_of_utility`` has a list of words."""
    type_id = legacy.types(end_user_type="individual")[1]
    fields = form(legacy, **legacy.data_fields(type_id), document_type_id=type_id)
    fields["type_of_utility"] = "Firewood"
    error = error_of(legacy.send_document(fields))
    words = "Water, Electricity, Gas, Property Rental, Others"
    assert error == f"type_of_utility: must be one of {words}"


@pytest.mark.parametrize("content", [PDF, PNG, JPEG], ids=["pdf", "png", "jpeg"])
def test_three_kinds_of_file_are_taken(legacy: Legacy, content: bytes) -> None:
    """By their first bytes, whatever they are called."""
    answer = legacy.send_document(form(legacy), ("file", "scan.bin", content))
    assert answer.status_code == 201


@pytest.mark.parametrize(
    ("file", "error"),
    [
        (
            ("c.pdf", b"MZ\x90"),
            "file: file 'c.pdf' must be PDF or PNG or JPEG; its content is none of them",
        ),
        (("c.pdf", PDF + b" " * (5 << 20)), "file: file 'c.pdf' exceeds the 5 MB size limit"),
        (("n" * 96 + ".pdf", PDF), "file: file name has 100 characters, at most 99 allowed"),
        ((None, b"passport.pdf"), "file: must be uploaded as a file part"),
    ],
    ids=["bytes", "size", "name", "path"],
)
def test_a_file_that_cannot_be_taken_is_refused(
    legacy: Legacy, file: tuple[str | None, bytes], error: str
) -> None:
    """On create and on update; nothing changes."""
    fields, id = form(legacy), legacy.document(legacy.end_user())
    before = legacy.state()
    assert error in error_of(legacy.send_document(fields, ("file", *file)))
    assert error in error_of(update(legacy, id, {}, ("file", *file)))
    assert legacy.state() == before


def test_a_file_of_5_mb_is_taken(legacy: Legacy) -> None:
    """The limit is 5 MiB, the lenient reading."""
    content = PDF + b" " * ((5 << 20) - len(PDF))
    assert legacy.send_document(form(legacy), ("file", "c.pdf", content)).status_code == 201


def test_two_files_are_one_too_many(legacy: Legacy) -> None:
    """In either spelling; Python sends a list as repeated parts."""
    files = [("file", "a.pdf", PDF), ("proof", "b.png", PNG)]
    assert error_of(legacy.send_document(form(legacy), *files)) == "file: give one file only"
