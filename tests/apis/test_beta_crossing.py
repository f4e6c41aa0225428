"""One record, two dialects: made in one, read, listed, corrected and deleted through the other."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from plivo_sim.apis.phone_number.beta import presenters as beta
from plivo_sim.apis.phone_number.current import presenters as current
from plivo_sim.domain.records import NumberType, UserType, Version
from plivo_sim.webhooks.transport import MemoryTransport
from tests.apis import page
from tests.apis.page import FILES, Page, embedded
from tests.support import AUTH_ID, PDF, PNG, Http, check_answer, multipart

NEW = embedded(PDF + b"new", "new.pdf")


def base(dialect: str) -> str:
    return f"/{dialect}/v1/Account/{AUTH_ID}/PhoneNumber/Compliance"


def get(http: Http, dialect: str, id: str, query: str = "") -> Any:
    """A record through a fixed mount, checked against the dialect's schema."""
    answer = http.get(f"{base(dialect)}/{id}/{query}")
    assert answer.status_code == 200, answer.text
    check_answer(answer.get_json(), beta.OneOut if dialect == "beta" else current.OneOut)
    return answer.get_json()


def sdk_patch(http: Http, id: str, data: Any, files: dict[int, tuple[bytes, str]]) -> Any:
    """An update as the SDKs send it."""
    named = [(f"documents[{i}].file", name, content) for i, (content, name) in files.items()]
    body, content_type = multipart([("data", json.dumps(data))], named)
    return http.patch(f"{base('current')}/{id}/", data=body, content_type=content_type)


def type_ids(http: Http, version: Version, user_type: UserType = UserType.BUSINESS) -> list[str]:
    found = http.sim.catalogue.find(version, ("IN", NumberType.LOCAL, user_type))
    assert found is not None
    return [type_.id for type_ in found.document_types]


def rejected(http: Http, id: str) -> str:
    assert http.decide(id, "rejected").status_code == 200
    return id


def individual(http: Http) -> str:
    """A record that the page's dialect itself cannot make."""
    types = type_ids(http, Version.CURRENT, UserType.INDIVIDUAL)
    passport = {"first_name": "Asha", "last_name": "Rao", "unique_identification_number": "P1"}
    address = {"address_line_1": "1", "city": "Pune", "postal_code": "411001", "country": "IN"}
    return http.sdk_created(
        end_user={"type": "individual", "name": "Asha", "last_name": "Rao"},
        documents=[
            {"document_type_id": types[0], "data_fields": passport},
            {"document_type_id": types[2], "data_fields": address},
        ],
    )


# --- reading -------------------------------------------------------------------------------


def test_an_sdk_record_as_the_page_prints_it(http: Http) -> None:
    """The flat address is nested, the documents have the words of their own version."""
    shown = get(http, "beta", http.sdk_created())
    assert shown["status"] == "pending_review"
    assert shown["end_user"]["address"] == {
        "line1": "12 MG Road",
        "city": "Mumbai",
        "state": "Maharashtra",
        "postal_code": "400001",
        "country": "IN",
    }
    assert [each["type"] for each in shown["documents"]] == [
        "registration_certificate",
        "gst_certificate",
    ]


def test_a_record_of_the_page_as_the_sdks_see_it(http: Http) -> None:
    """The nested address is flat, the documents have the ids of their own version."""
    id = Page(http).id(alias="Plivo India Local")
    shown = get(http, "current", id, "?expand=end_user,documents")["compliance"]
    assert (shown["status"], shown["user_type"]) == ("submitted", "business")
    assert shown["end_user"]["address_line1"] == "123 MG Road"
    types = type_ids(http, Version.BETA)
    assert [each["document_type_id"] for each in shown["documents"]] == types
    assert [each["document_name"] for each in shown["documents"]] == [
        "Identity Proof",
        "Address Proof",
        "Business Registration",
    ]


def test_an_individual_has_one_full_name_on_the_page(http: Http) -> None:
    """First and last name. source: documented ("full name"), inferred (how it is put together)"""
    shown = get(http, "beta", individual(http))["end_user"]
    assert (shown["type"], shown["name"]) == ("individual", "Asha Rao")


@pytest.mark.parametrize("dialect", ["current", "beta"])
def test_both_kinds_stand_in_every_list(http: Http, dialect: str) -> None:
    """One account, one history."""
    ids = [http.sdk_created(), Page(http).id(), individual(http)]
    body = http.get(f"{base(dialect)}/?expand=end_user,documents,linked_numbers").get_json()
    check_answer(body, beta.ListOut if dialect == "beta" else current.ListOut)
    assert [each["compliance_id"] for each in body["compliances"]] == ids


@pytest.mark.parametrize("reader", ["current", "beta"])
@pytest.mark.parametrize("maker", ["current", "beta"])
def test_files_come_back_through_either_dialect(http: Http, maker: str, reader: str) -> None:
    """The URL that one prints is the URL that the other prints."""
    id = http.sdk_created() if maker == "current" else Page(http).id()
    shown = get(http, reader, id, "?expand=documents")
    documents = shown["documents"] if reader == "beta" else shown["compliance"]["documents"]
    url = documents[0]["file_url" if reader == "beta" else "download_url"]
    content = PDF if maker == "current" else FILES["identity_proof"][1]
    assert http.get(urlsplit(url).path).data == content


@pytest.mark.parametrize("status", ["more_info_required", "suspended"])
def test_a_status_in_both_words(http: Http, status: str) -> None:
    """Each loses what its list of words has no room for, and keeps the reason."""
    id = Page(http).id()
    for step in ("accepted", "suspended") if status == "suspended" else (status,):
        http.decide(id, step, "Blurred scan" if step == status else None)
    page_view, sdk_view = get(http, "beta", id), get(http, "current", id)["compliance"]
    told = [(each["status"], each["rejection_reason"]) for each in (page_view, sdk_view)]
    assert (
        told
        == {
            "more_info_required": [
                ("more_info_required", "Blurred scan"),
                ("rejected", "Blurred scan"),
            ],
            "suspended": [("rejected", "Suspended: Blurred scan"), ("suspended", "Blurred scan")],
        }[status]
    )


# --- correcting an SDK record through the page's dialect -----------------------------------


def patch(http: Http, id: str, **change: Any) -> Any:
    return http.patch(f"{base('beta')}/{id}", json=change)


@pytest.mark.parametrize("by_id", [False, True])
def test_the_page_replaces_a_document_of_an_sdk_record(http: Http, by_id: bool) -> None:
    """By word or id of the version that the record keeps (decision "Requirement versions"); its
    data stays."""
    id = rejected(http, http.sdk_created())
    reference = type_ids(http, Version.CURRENT)[0] if by_id else "registration_certificate"
    assert patch(http, id, documents=[{"type": reference, "file": NEW}]).status_code == 200
    documents = get(http, "current", id, "?expand=documents")["compliance"]["documents"]
    assert [each["file_name"] for each in documents] == ["new.pdf", "gst.png"]
    assert documents[0]["meta_information"] == {"business_name": "Acme"}


def test_the_page_may_change_the_data_of_an_sdk_record(http: Http) -> None:
    """With the SDKs' name for it. source: invented"""
    id = rejected(http, http.sdk_created())
    entry = {
        "type": "registration_certificate",
        "file": NEW,
        "data_fields": {"business_name": "Acme Traders"},
    }
    assert patch(http, id, documents=[entry]).status_code == 200
    documents = get(http, "current", id, "?expand=documents")["compliance"]["documents"]
    assert documents[0]["meta_information"] == {"business_name": "Acme Traders"}


@pytest.mark.parametrize("reference", ["identity_proof", "by id"])
def test_types_of_the_other_version_are_refused(http: Http, reference: str) -> None:
    """400 that names the right ones (decision "Requirement versions")."""
    id = rejected(http, http.sdk_created())
    if reference == "by id":
        reference = type_ids(http, Version.BETA)[0]
    answer = patch(http, id, documents=[{"type": reference, "file": NEW}])
    error = answer.get_json()["error"]
    assert (answer.status_code, error["code"]) == (400, "unknown_document_type")
    assert "Registration Certificate (" in error["message"]


def test_missing_data_is_told_in_the_pages_words(http: Http) -> None:
    """Its place is in the document."""
    id = rejected(http, http.sdk_created())
    entry = {"type": "registration_certificate", "file": NEW, "data_fields": {"x": "y"}}
    answer = patch(http, id, documents=[entry])
    error = answer.get_json()["error"]
    assert (answer.status_code, error["code"]) == (422, "missing_required_field")
    assert error["param"] == "documents[0].data_fields.business_name"


def test_jpeg_is_refused_by_the_page_though_the_record_is_an_sdks(http: Http) -> None:
    """The rules of files are the caller's dialect's (decision "Files and downloads")."""
    id = rejected(http, http.sdk_created())
    jpeg = embedded(b"\xff\xd8\xff\xe0jpeg", "a.jpg")
    answer = patch(http, id, documents=[{"type": "gst_certificate", "file": jpeg}])
    assert answer.get_json()["error"]["code"] == "invalid_file"


def test_the_pages_name_replaces_first_and_last_name(http: Http) -> None:
    """It is the full one, so the last name of before must not come after it."""
    id = rejected(http, individual(http))
    assert patch(http, id, end_user={"name": "Asha Rao-Iyer"}).status_code == 200
    assert get(http, "beta", id)["end_user"]["name"] == "Asha Rao-Iyer"


@pytest.mark.parametrize("name", ["", "  "])
def test_a_name_cannot_be_blanked(http: Http, name: str) -> None:
    """Not even where the requirement has no rule for it."""
    id = rejected(http, http.sdk_created())
    answer = patch(http, id, end_user={"name": name})
    assert answer.get_json()["error"]["param"] == "end_user.name"
    assert get(http, "beta", id)["end_user"]["name"] == "Acme Traders Pvt Ltd"


# --- correcting a record of the page through the current dialect -----------------------------


@pytest.mark.parametrize("by_id", [False, True])
def test_an_sdk_replaces_the_documents_of_a_record_of_the_page(http: Http, by_id: bool) -> None:
    """The whole set, as always there (decision "All-or-nothing corrections")."""
    id = rejected(http, Page(http).id())
    types = type_ids(http, Version.BETA) if by_id else list(FILES)
    data = {"documents": [{"document_type_id": each} for each in types]}
    files = {0: (PDF, "1.pdf"), 1: (PNG, "2.png"), 2: (PDF + b"3", "3.pdf")}
    answer = sdk_patch(http, id, data, files)
    assert answer.status_code == 200, answer.text
    names = [each["file_name"] for each in get(http, "beta", id)["documents"]]
    assert names == ["1.pdf", "2.png", "3.pdf"]


def test_an_sdk_that_leaves_documents_out_is_refused(http: Http) -> None:
    """They would be gone; the record stays as it was."""
    id = rejected(http, Page(http).id())
    data = {"documents": [{"document_type_id": "identity_proof"}]}
    answer = sdk_patch(http, id, data, {0: (PDF, "1.pdf")})
    assert answer.status_code == 400
    assert isinstance(answer.get_json()["error"], str)
    assert len(get(http, "beta", id)["documents"]) == 3


def test_an_sdk_is_held_to_the_fields_of_the_version_that_the_record_keeps(http: Http) -> None:
    """A required field cannot be emptied, in the SDKs' flat name of it."""
    id = rejected(http, Page(http).id())
    answer = sdk_patch(http, id, {"end_user": {"city": ""}}, {})
    assert (answer.status_code, "end_user.city" in answer.get_json()["error"]) == (400, True)


def test_types_of_the_sdks_version_are_refused_for_a_record_of_the_page(http: Http) -> None:
    """400 that names the right ones (decision "Requirement versions")."""
    id = rejected(http, Page(http).id())
    data = {"documents": [{"document_type_id": type_ids(http, Version.CURRENT)[0]}]}
    answer = sdk_patch(http, id, data, {0: (PDF, "1.pdf")})
    assert answer.status_code == 400
    assert "it takes identity_proof, address_proof" in answer.get_json()["error"]


# --- and the rest --------------------------------------------------------------------------


@pytest.mark.parametrize(("maker", "other"), [("current", "beta"), ("beta", "current")])
def test_deleting_through_the_other_dialect(http: Http, maker: str, other: str) -> None:
    """Nothing is left of it."""
    before = page.counts(http)
    id = http.sdk_created() if maker == "current" else Page(http).id()
    answer = http.delete(f"{base(other)}/{id}")
    assert (answer.status_code, answer.get_json()["compliance_id"]) == (200, id)
    assert page.counts(http) == before


@pytest.mark.parametrize("header", [True, False])
def test_a_correction_does_not_change_whose_record_it_is(
    http: Http, header: bool, transport: MemoryTransport
) -> None:
    """Its callbacks keep the language that it was created with (DESIGN, section 2)."""
    id = rejected(http, http.sdk_created(callback_url="http://127.0.0.1:9/cb"))
    if header:
        headers = {"X-Plivo-Sim-Dialect": "beta"}
        answer = http.patch(f"PhoneNumber/Compliance/{id}", json={"alias": "b"}, headers=headers)
    else:
        answer = patch(http, id, alias="b")
    assert answer.headers["X-Plivo-Sim-Dialect"] == "beta"
    assert http.get(f"PhoneNumber/Compliance/{id}").headers["X-Plivo-Sim-Dialect"] == "current"
    http.advance("3 business days")
    assert set(json.loads(transport.sent[-1].body)) == {"compliance_id", "status"}
