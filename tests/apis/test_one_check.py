"""One check of alias and end user, whoever makes or changes an application: what a create refuses,
a correction does not let in."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apis.current_support import BASE, form_of, rejected
from tests.apis.legacy_support import Legacy, error_of
from tests.apis.page import Page, speaking_beta
from tests.support import SDK_AGENT, Http

WARNING = "X-Plivo-Sim-Warning"
EMPTIED = dict.fromkeys(("email", "address_line1", "city", "state", "postal_code"), " ")


@pytest.fixture
def sdk(http: Http) -> Http:
    http.agent = SDK_AGENT
    return http


def strict(http: Http) -> None:
    http.account.configure({"strict": "true"})


@pytest.mark.parametrize("blank", ["", " "])
def test_a_correction_cannot_blank_what_a_create_needs(sdk: Http, blank: str) -> None:
    path = f"{BASE}{rejected(sdk)}/"
    change = {"alias": blank, "end_user": {"name": blank}}
    text = "Field 'alias' is required. Field 'end_user.name' is required."
    answer = sdk.patch(path, **form_of(change))
    assert answer.status_code == 400
    for told in ("alias", "end_user.name"):
        assert told in answer.get_json()["error"], text
    assert sdk.get(path).get_json()["compliance"]["status"] == "rejected"


def test_emptied_details_are_told_of_as_missing_ones_are(sdk: Http) -> None:
    """Stored as a create stores what is not given; refused in a strict account."""
    path, change = f"{BASE}{rejected(sdk)}/", {"end_user": EMPTIED}
    answer = sdk.patch(path, **form_of(change))
    assert answer.status_code == 200
    for name in EMPTIED:
        assert f"end_user.{name}: is required" in answer.headers[WARNING]
    end_user = sdk.get(f"{path}?expand=end_user").get_json()["compliance"]["end_user"]
    assert {end_user[name] for name in EMPTIED} == {None}
    path = f"{BASE}{rejected(sdk)}/"
    strict(sdk)
    assert sdk.patch(path, **form_of(change)).status_code == 400


def test_what_was_missing_before_does_not_hinder_a_correction(sdk: Http) -> None:
    end_user = {"type": "business", "name": "Acme"}
    path = f"{BASE}{sdk.sdk_created(end_user=end_user)}/"
    sdk.decide(path.split("/")[-2], "rejected")
    strict(sdk)
    documents = sdk.sdk_data()["documents"]
    change = {"alias": "other", "documents": documents}
    assert sdk.sdk_send("PATCH", path, change).status_code == 200


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"alias": " "}, "alias"),
        ({"end_user": {"name": " "}}, "end_user.name"),
        ({"end_user": {"address": {"city": " "}}}, "end_user.address.city"),
    ],
)
def test_a_correction_of_the_beta_page_neither(
    http: Http, change: dict[str, Any], param: str
) -> None:
    page = Page(speaking_beta(http))
    id = page.id()
    http.decide(id, "rejected")
    answer = http.patch(f"PhoneNumber/Compliance/{id}/", json=change)
    assert answer.status_code == 422, answer.text
    assert answer.get_json()["error"]["param"] == param


def test_an_alias_cannot_be_taken_by_a_correction(sdk: Http) -> None:
    sdk.sdk_created(alias="one")
    paths = []
    for alias in ("two", "three"):
        paths.append(f"{BASE}{sdk.sdk_created(alias=alias)}/")
        sdk.decide(paths[-1].split("/")[-2], "rejected")
    answer = sdk.patch(paths[0], **form_of({"alias": "one"}))
    assert "alias: 'one' is used by application" in answer.headers[WARNING]
    strict(sdk)
    documents = sdk.sdk_data()["documents"]
    for alias, status in (("one", 400), ("three", 200)):
        change = {"alias": alias, "documents": documents}
        assert sdk.sdk_send("PATCH", paths[1], change).status_code == status


def test_a_new_name_of_the_end_user_makes_an_alias_its_own_twice(sdk: Http) -> None:
    end_user = sdk.sdk_data()["end_user"]
    sdk.sdk_created(alias="same")
    id = sdk.sdk_created(alias="same", end_user=end_user | {"name": "B"})
    sdk.decide(id, "rejected")
    change = {"end_user": {"name": end_user["name"]}}
    answer = sdk.patch(f"{BASE}{id}/", **form_of(change))
    assert "alias: 'same' is used by application" in answer.headers[WARNING]


def test_the_same_alias_is_seen_across_the_apis(http: Http) -> None:
    """By the end user's name, since the new API makes an end user with each application."""
    legacy = Legacy(http)
    end_user = http.sdk_data()["end_user"] | {"name": "Acme"}
    http.sdk_created(alias="al", end_user=end_user)
    http.sdk_created(alias="al", end_user=end_user | {"last_name": "Other"})
    strict(http)
    ours, other = legacy.end_user(name="Acme"), legacy.end_user(name="B")
    body = legacy.application_body(alias="al", end_user_id=ours)
    body |= {"operation_type": "buy_number"}
    told = error_of(http.post("ComplianceApplication/", json=body))
    assert "alias: 'al' is used by application" in told
    body = legacy.application_body(alias="al", end_user_id=other) | {"operation_type": "buy_number"}
    assert http.post("ComplianceApplication/", json=body).status_code == 201


def test_a_renamed_end_user_cannot_take_an_alias_either(http: Http) -> None:
    legacy = Legacy(http)
    http.sdk_created(alias="al", end_user=http.sdk_data()["end_user"] | {"name": "Acme"})
    id = legacy.end_user(name="B")
    legacy.application(alias="al", end_user_id=id)
    answer = http.post(f"EndUser/{id}/", json={"name": "Acme"})
    assert "name: 'al' is used by application" in answer.headers[WARNING]
    strict(http)
    http.post(f"EndUser/{id}/", json={"name": "B"})
    told = error_of(http.post(f"EndUser/{id}/", json={"name": "Acme"}))
    assert "name: 'al' is used by application" in told


def test_a_blank_data_field_is_missing(sdk: Http) -> None:
    """In every API."""
    data = sdk.sdk_data()
    data["documents"][0]["data_fields"] = dict.fromkeys(data["documents"][0]["data_fields"], " ")
    answer = sdk.sdk_create(data)
    assert answer.status_code == 400
    assert "is required" in answer.get_json()["error"]
    legacy = Legacy(sdk)
    type_id = legacy.types()[0]
    fields = dict.fromkeys(legacy.data_fields(type_id), " ")
    answer = sdk.post("ComplianceDocument/", data={
        "end_user_id": legacy.end_user(), "document_type_id": type_id, "alias": "d", **fields,
    })  # fmt: skip
    assert "business_name not provided" in error_of(answer)
