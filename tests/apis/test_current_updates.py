"""Corrections in the current dialect: what they change, and what they must not.

Source: wire-facts.md, "Update replaces all documents"; decisions "Correctable applications",
"All-or-nothing corrections".
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.apis.current_support import (
    BASE,
    FILES,
    FORM,
    LACKING,
    NO_DOCUMENTS,
    created,
    form_of,
    names_of,
    refused,
    rejected,
)
from tests.support import PDF, PNG, SDK_AGENT, Http


@pytest.fixture
def sdk(http: Http) -> Http:
    http.agent = SDK_AGENT
    return http


def test_an_update_pairs_files_by_index(sdk: Http) -> None:
    """Node leaves out the entries that have no file and keeps the numbers of the others."""
    data = sdk.sdk_data(country_iso="AE", documents=None)
    asked = sdk.sdk_requirement(country_iso="AE")["document_types"]
    documents = [
        {
            "document_type_id": type_["document_type_id"],
            "data_fields": {field["field_name"]: "Acme" for field in type_["required_fields"]},
        }
        for type_ in asked
    ]
    licence = ("documents[0].file", "licence.pdf", PDF)
    id = created(sdk, **form_of(data | {"documents": documents}, licence))
    sdk.decide(id, "rejected")
    turned = {"documents": documents[::-1]}
    answer = sdk.patch(f"{BASE}{id}/", **form_of(turned, ("documents[1].file", "new.png", PNG)))
    assert answer.status_code == 200, answer.text
    assert names_of(sdk, id) == [None, "new.png"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"alias": "other"}, {"alias": "other"}),
        ({"callback_url": "http://127.0.0.1:9/b"}, {"callback_url": "http://127.0.0.1:9/b"}),
        ({"callback_url": ""}, {"callback_url": None, "callback_method": None}),
        ({"callback_url": None}, {"callback_url": "http://127.0.0.1:9/a"}),
        ({"callback_method": "GET"}, {"callback_method": "GET"}),
    ],
)
def test_an_update_changes_what_it_names(
    sdk: Http, change: dict[str, Any], expected: dict[str, Any]
) -> None:
    """And nothing else; null means "not given", an empty URL takes the callback away."""
    id = sdk.sdk_created(callback_url="http://127.0.0.1:9/a")
    sdk.decide(id, "rejected")
    before = sdk.get(f"{BASE}{id}/?expand=end_user,documents").get_json()["compliance"]
    body = urlencode({"data": json.dumps(change)}).encode()
    assert sdk.patch(f"{BASE}{id}/", data=body, content_type=FORM).status_code == 200
    after = sdk.get(f"{BASE}{id}/?expand=end_user,documents").get_json()["compliance"]
    del before["rejection_reason"]
    assert after == before | {"status": "submitted"} | expected


def test_an_update_merges_the_end_user_by_key(sdk: Http) -> None:
    """Keys that are not named keep their values, and so do those that are null."""
    id = rejected(sdk)
    change = {"end_user": {"city": "Pune", "name": None, "last_name": "Ltd"}}
    assert sdk.patch(f"{BASE}{id}/", **form_of(change)).status_code == 200
    end_user = sdk.get(f"{BASE}{id}/?expand=end_user").get_json()["compliance"]["end_user"]
    assert [end_user[key] for key in ("name", "last_name", "city", "state")] == [
        "Acme Traders Pvt Ltd",
        "Ltd",
        "Pune",
        "Maharashtra",
    ]


# --- what is refused --------------------------------------------------------------------------

WRONG_CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"alias": 5}, "alias: must be a string"),
    ({"alias": "x" * 256}, "alias: must have at most 255 characters, has 256"),
    ({"end_user": "x"}, "end_user: must be an object"),
    ({"end_user": {"type": "individual"}}, "end_user.type: cannot change from business"),
    ({"end_user": {"type": "person"}},
     "end_user.type: must be one of individual, business, not 'person'"),
    ({"end_user": {"postal_code": 400001}}, "end_user.postal_code: must be a string"),
    ({"callback_url": "http://hooks.example.com/x"}, "callback_url: must be an https URL"),
    ({"callback_method": "PUT"}, "callback_method: must be one of GET, POST, not 'PUT'"),
    ({"documents": {}}, "documents: must be a list"),
    ({"documents": []}, NO_DOCUMENTS),
    ({"documents": [{"document_type_id": "gst_certificate"}]},
     "documents[0].file: a file is required for document type 'GST certificate'; "
     "documents: a document of type 'Registration Certificate' is required"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "text"), WRONG_CHANGES, ids=lambda each: str(each)[:50])
def test_wrong_data_in_an_update(sdk: Http, change: dict[str, Any], text: str) -> None:
    """All or nothing: a refused correction leaves the rejected application as it was."""
    path = f"{BASE}{rejected(sdk)}/"
    refused(sdk, lambda: sdk.patch(path, **form_of(change)), 400, text)


def test_files_without_documents_in_an_update(sdk: Http) -> None:
    """Nothing says of which type they are."""
    path = f"{BASE}{rejected(sdk)}/"
    body = form_of({"alias": "x"}, *FILES)
    text = "documents: is required in 'data' when files are sent: name the type of each"
    refused(sdk, lambda: sdk.patch(path, **body), 400, text)


def test_an_update_counts_a_document_without_file_as_without(sdk: Http) -> None:
    """``documents`` replaces the whole set, and the files of the old one do not carry over."""
    path, data = f"{BASE}{rejected(sdk)}/", {"documents": sdk.sdk_data()["documents"]}
    refused(sdk, lambda: sdk.patch(path, **form_of(data, FILES[0])), 400, LACKING[1])


def test_one_file_in_two_slots_of_an_update(sdk: Http) -> None:
    """The same rule as in a create."""
    path, data = f"{BASE}{rejected(sdk)}/", {"documents": sdk.sdk_data()["documents"]}
    again = ("documents[1].file", "b.pdf", PDF)
    answer = sdk.patch(path, **form_of(data, FILES[0], again))
    assert answer.status_code == 200
    told = answer.headers["X-Plivo-Sim-Warning"]
    assert told.startswith("documents[1].file: the same file as documents[0].file")


KEEPS = "documents: on Plivo an update replaces all documents: send them again"
NOTHING = "nothing to change was given; it was submitted as it was"


def test_an_update_without_documents_keeps_them_and_says_what_plivo_does(sdk: Http) -> None:
    """A strict account refuses it. source: decision "All-or-nothing corrections"."""
    id = sdk.sdk_created()
    sdk.decide(id, "rejected")
    before = sdk.account.store.applications.fetch(id)
    sdk.account.configure({"strict": "on"})
    patch = {"data": urlencode({"data": '{"end_user": {"name": "B"}}'}), "content_type": FORM}
    refused(sdk, lambda: sdk.call("PATCH", f"{BASE}{id}/", **patch), 400, KEEPS)
    sdk.account.configure({"strict": "off"})
    answer = sdk.call("PATCH", f"{BASE}{id}/", **patch)
    assert (answer.status_code, answer.headers["X-Plivo-Sim-Warning"]) == (200, KEEPS)
    after = sdk.account.store.applications.fetch(id)
    assert before is not None
    assert after is not None
    assert after.document_ids == before.document_ids


@pytest.mark.parametrize(
    ("data", "warning"),
    [('{"end_user": {"name": "B"}}', None), ('{"country_iso": "US"}', NOTHING), ("{}", NOTHING)],
)
def test_an_update_where_no_document_is_asked_for(
    sdk: Http, data: str, warning: str | None
) -> None:
    """Nothing can be lost; an update without anything in it says that it only submits."""
    id = sdk.sdk_created(country_iso="US", documents=[])
    sdk.decide(id, "rejected")
    body = urlencode({"data": data})
    answer = sdk.call("PATCH", f"{BASE}{id}/", data=body, content_type=FORM)
    assert answer.status_code == 200, answer.text
    told = answer.headers.get("X-Plivo-Sim-Warning", "")
    assert KEEPS not in told
    assert (NOTHING in told) is (warning is not None)


@pytest.mark.parametrize(
    ("url", "is_blocked"),
    [
        ("https://hooks.example.com/cb", True),
        ("https://allowed.example.com/cb", False),
        ("https://127.0.0.1:4000/cb", False),
    ],
)
def test_a_callback_url_that_will_not_be_called_is_told_at_once(
    sdk: Http, url: str, is_blocked: bool
) -> None:
    """On create and on update, with the option that allows it. source: decision "Plain-http
    callbacks"."""
    sdk.account.configure({"allow_callback_hosts": "allowed.example.com"})
    data = sdk.sdk_data(country_iso="US", documents=[], callback_url=url)
    made = sdk.post(BASE, data=urlencode({"data": json.dumps(data)}), content_type=FORM)
    id = made.get_json()["compliance_id"]
    sdk.decide(id, "rejected")
    body = urlencode({"data": json.dumps({"callback_url": url})})
    changed = sdk.call("PATCH", f"{BASE}{id}/", data=body, content_type=FORM)
    for answer, status in ((made, 201), (changed, 200)):
        assert answer.status_code == status
        told = answer.headers.get("X-Plivo-Sim-Warning", "")
        assert ("--allow-callback-hosts hooks.example.com" in told) is is_blocked
