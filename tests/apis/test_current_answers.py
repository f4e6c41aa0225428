"""What the current dialect answers when all is well: shapes, headers, and the traps for SDKs.

Source: the recorded fixtures of the Go, Ruby and PHP SDKs (wire-facts.md, "The new API today") and
"Checklist of traps", whose numbers the tests carry; decisions: "Answers and errors".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from plivo_sim.apis.phone_number.current.presenters import (
    CreatedOut,
    ListOut,
    OneOut,
    RequirementsOut,
    UpdatedOut,
)
from plivo_sim.domain.records import PhoneNumber
from plivo_sim.machines import default_machine
from tests.apis.current_support import BASE, COMPLETE_KEY, documents_of, form_of, rejected
from tests.support import PDF, SDK_AGENT, Http, check_answer

EVERYTHING = "expand=end_user,documents,linked_numbers"
RECORDED_KEYS = [
    "compliance_id", "alias", "status", "country_iso", "number_type", "user_type",
    "callback_url", "callback_method", "created_at", "updated_at",
]  # fmt: skip
LISTED_KEYS = [key for key in RECORDED_KEYS if not key.startswith("callback")]


@pytest.fixture
def sdk(http: Http) -> Http:
    http.agent = SDK_AGENT
    return http


def link(sdk: Http, id: str, number: str = "912248885512") -> None:
    """A number of the account that is linked to this application."""
    with sdk.account.transaction():
        application = sdk.account.store.applications.fetch(id)
        sdk.account.store.numbers.put(
            PhoneNumber(
                id=number,
                seq=sdk.account.next_seq(),
                country_iso="IN",
                number_type=application.number_type,
                application_id=id,
                rented_at=sdk.account.now(),
            )
        )


def expanded_one(sdk: Http) -> TestResponse:
    id = sdk.sdk_created(callback_url="http://127.0.0.1:9/cb")
    link(sdk, id)
    return sdk.get(f"{BASE}{id}/?{EVERYTHING}")


def expanded_list(sdk: Http) -> TestResponse:
    link(sdk, sdk.sdk_created())
    rejected(sdk)
    return sdk.get(f"{BASE}?{EVERYTHING}&limit=1")


Happy = Callable[[Http], TestResponse]
HAPPY: list[tuple[str, Happy, int, Any]] = [
    ("requirements", lambda sdk: sdk.get(f"{BASE}Requirements/?{COMPLETE_KEY}"), 200,
     RequirementsOut),
    ("create", lambda sdk: sdk.sdk_create(), 201, CreatedOut),
    ("get", lambda sdk: sdk.get(f"{BASE}{sdk.sdk_created()}/"), 200, OneOut),
    ("get rejected", lambda sdk: sdk.get(f"{BASE}{rejected(sdk)}/"), 200, OneOut),
    ("get expanded", expanded_one, 200, OneOut),
    ("list", lambda sdk: sdk.get(BASE), 200, ListOut),
    ("list expanded", expanded_list, 200, ListOut),
    ("update", lambda sdk: sdk.patch(f"{BASE}{rejected(sdk)}/", **form_of({"alias": "x"})), 200,
     UpdatedOut),
    ("delete", lambda sdk: sdk.delete(f"{BASE}{sdk.sdk_created()}/"), 200, CreatedOut),
]  # fmt: skip


@pytest.mark.parametrize(
    ("happy", "status", "kind"), [h[1:] for h in HAPPY], ids=[h[0] for h in HAPPY]
)
def test_answers_fit_their_types(sdk: Http, happy: Happy, status: int, kind: Any) -> None:
    """Every documented key is there and no other one; status 200, or 201 for a create."""
    answer = happy(sdk)
    assert answer.status_code == status
    check_answer(answer.get_json(), kind)
    assert answer.headers["Content-Type"] == "application/json"  # trap 12
    assert answer.headers["X-Request-Id"] == answer.get_json()["api_id"]
    assert answer.headers["X-Plivo-Sim-Dialect"] == "current"
    assert "error" not in answer.get_json()  # trap 14


@pytest.mark.parametrize(
    ("happy", "limit"), [(h[1], h[0]) for h in HAPPY], ids=[h[0] for h in HAPPY]
)
def test_rate_limit_headers_are_on_every_answer(sdk: Http, happy: Happy, limit: str) -> None:
    """The page says so (documented)."""
    answer = happy(sdk)
    assert answer.headers["X-RateLimit-Limit"] == ("100" if limit == "requirements" else "60")
    assert int(answer.headers["X-RateLimit-Remaining"]) >= 0
    assert int(answer.headers["X-RateLimit-Reset"]) > 1_700_000_000


# --- requirements ----------------------------------------------------------------------------


def test_the_recorded_requirements_answer(sdk: Http) -> None:
    """The recorded body, ids apart, with the empty ``format`` of today's page
    (wire-facts.md, "Kinds of fields")."""
    body = sdk.get(f"{BASE}Requirements/?{COMPLETE_KEY}").get_json()
    first, second = body["document_types"]
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-1[0-9a-f]{3}-.*", body["api_id"])
    assert list(body) == [
        "api_id", "requirement_id", "country_iso", "number_type", "user_type", "document_types",
    ]  # fmt: skip
    assert first | {"document_type_id": ""} == {
        "document_type_id": "",
        "name": "Registration Certificate",
        "description": "Certificate Registration",
        "proof_required": True,
        "required_fields": [
            {
                "field_name": "business_name",
                "friendly_name": "Legal Name",
                "field_type": "string",
                "required": True,
                "min_length": 1,
                "max_length": 50,
                "format": "",
            }
        ],
    }
    assert second | {"document_type_id": ""} == {
        "document_type_id": "",
        "name": "GST certificate",
        "description": "GST certificate",
        "proof_required": True,
        "required_fields": [],
    }


def test_a_date_has_its_type_and_its_format(sdk: Http) -> None:
    """source: today's page (wire-facts.md, "Kinds of fields")"""
    types = sdk.sdk_requirement(user_type="individual")["document_types"]
    fields = {each["field_name"]: each for type_ in types for each in type_["required_fields"]}
    expires = fields["date_of_expiration"]
    assert (expires["field_type"], expires["format"]) == ("date", "yyyy-mm-dd")
    assert fields["type_of_utility"]["field_type"] == "enum"


def test_18_enums_are_a_string_and_proof_required_a_boolean(sdk: Http) -> None:
    """Go fails on anything else."""
    fields = {
        field["field_name"]: field
        for type_ in sdk.sdk_requirement(country_iso="DE")["document_types"]
        for field in type_["required_fields"]
    }
    assert fields["type_of_utility"]["enums"] == "Water,Electricity,Gas,Property Rental,Others"
    use_case = sdk.sdk_requirement(country_iso="AE")["document_types"][1]
    assert use_case["proof_required"] is False


def test_an_unregulated_country_asks_for_nothing(sdk: Http) -> None:
    """An empty list, all else filled."""
    body = sdk.sdk_requirement(country_iso="US")
    assert (body["document_types"], body["country_iso"]) == ([], "US")


def test_requirement_ids_are_those_of_the_seed(sdk: Http, http: Http) -> None:
    """Asking twice gives the same ids; each combination has its own requirement id."""
    local, mobile = sdk.sdk_requirement(), sdk.sdk_requirement(number_type="mobile")
    assert sdk.sdk_requirement()["requirement_id"] == local["requirement_id"]
    assert mobile["requirement_id"] != local["requirement_id"]


# --- one record ------------------------------------------------------------------------------


def test_17_create_is_flat_get_and_update_are_wrapped(sdk: Http) -> None:
    """And an update has the id on top too, for Java and .NET."""
    created = sdk.sdk_create().get_json()
    assert list(created) == ["api_id", "compliance_id", "message"]
    id = created["compliance_id"]
    assert list(sdk.get(f"{BASE}{id}/").get_json()) == ["api_id", "compliance"]
    sdk.decide(id, "rejected")
    updated = sdk.patch(f"{BASE}{id}/", **form_of({"alias": "x"})).get_json()
    assert list(updated) == ["api_id", "compliance_id", "message", "compliance"]
    assert list(updated["compliance"]) == RECORDED_KEYS


@pytest.mark.parametrize(
    ("happy", "message"),
    [
        (HAPPY[1][1], "Compliance application created and submitted for review."),
        (HAPPY[7][1], "Compliance application updated and resubmitted for review."),
        (HAPPY[8][1], "Compliance application deleted."),
    ],
    ids=["create", "update", "delete"],
)
def test_the_recorded_messages(sdk: Http, happy: Happy, message: str) -> None:
    """Word for word."""
    assert happy(sdk).get_json()["message"] == message


def test_36_a_record_without_expand_has_the_recorded_keys(sdk: Http) -> None:
    """No nested objects, and no reason where nothing was rejected."""
    shown = sdk.get(f"{BASE}{sdk.sdk_created()}/").get_json()["compliance"]
    assert list(shown) == RECORDED_KEYS


@pytest.mark.parametrize("status", ["rejected", "more_info_required"])
def test_36_a_reason_is_shown_where_there_is_one(sdk: Http, status: str) -> None:
    """It goes with the next submission."""
    id = sdk.sdk_created()
    sdk.decide(id, status, "Blurred scan")
    assert sdk.get(f"{BASE}{id}/").get_json()["compliance"]["rejection_reason"] == "Blurred scan"
    sdk.patch(f"{BASE}{id}/", **form_of({"alias": "x"}))
    assert "rejection_reason" not in sdk.get(f"{BASE}{id}/").get_json()["compliance"]


@pytest.mark.parametrize("asked", ["end_user", "documents", "linked_numbers"])
def test_36_expand_adds_what_it_names(sdk: Http, asked: str) -> None:
    """And nothing else."""
    shown = sdk.get(f"{BASE}{sdk.sdk_created()}/?expand={asked}").get_json()["compliance"]
    assert list(shown) == [*RECORDED_KEYS, asked]


def test_20_linked_numbers_are_objects_and_never_null(sdk: Http) -> None:
    """An array of strings fails in Go; the number has its plus."""
    id = sdk.sdk_created()
    path = f"{BASE}{id}/?expand=linked_numbers"
    assert sdk.get(path).get_json()["compliance"]["linked_numbers"] == []
    link(sdk, id)
    assert sdk.get(path).get_json()["compliance"]["linked_numbers"] == [
        {"number": "+912248885512", "number_type": "local"}
    ]


def test_expanded_documents(sdk: Http) -> None:
    """The keys that Go's struct has; a document without file has neither name nor URL."""
    data = sdk.sdk_data(country_iso="AE", documents=None)
    data["documents"] = [
        {
            "document_type_id": type_["document_type_id"],
            "data_fields": {field["field_name"]: "Acme" for field in type_["required_fields"]},
        }
        for type_ in sdk.sdk_requirement(country_iso="AE")["document_types"]
    ]
    licence = ("documents[0].file", "licence.pdf", PDF)
    id = sdk.post(BASE, **form_of(data, licence)).get_json()["compliance_id"]
    first, second = documents_of(sdk, id)
    assert list(first) == [
        "document_id", "document_type_id", "document_name", "file_name", "meta_information",
        "download_url", "created_at",
    ]  # fmt: skip
    assert (first["document_name"], first["file_name"]) == ("Trade Licence", "licence.pdf")
    assert first["meta_information"] == data["documents"][0]["data_fields"]
    assert (second["file_name"], second["download_url"]) == (None, None)


def test_timestamps_have_microseconds(sdk: Http) -> None:
    """As recorded; ``updated_at`` moves with every change of the record."""
    id = sdk.sdk_created()
    sdk.advance("90m")
    sdk.decide(id, "rejected")
    shown = sdk.get(f"{BASE}{id}/").get_json()["compliance"]
    assert shown["created_at"] == "2026-01-05T09:00:00.000000Z"
    assert shown["updated_at"] == "2026-01-05T10:30:00.000000Z"


@pytest.mark.parametrize(
    ("status", "steps"),
    [
        ("submitted", []),
        ("accepted", ["accepted"]),
        ("rejected", ["rejected"]),
        ("more_info_required", ["more_info_required"]),
        ("suspended", ["accepted", "suspended"]),
        ("expired", ["accepted", "expired"]),
    ],
)
def test_26_statuses_are_the_words_of_the_sdks(sdk: Http, status: str, steps: list[str]) -> None:
    """Neither the page's words nor those of invented fixtures."""
    id = sdk.sdk_created()
    for step in steps:
        sdk.decide(id, step)
    shown = sdk.get(f"{BASE}{id}/").get_json()["compliance"]["status"]
    assert shown == default_machine().statuses[status].current
    assert shown in ("draft", "submitted", "accepted", "rejected", "suspended", "expired")


# --- lists -----------------------------------------------------------------------------------


def test_17_the_list_key_is_compliances(sdk: Http) -> None:
    """Not ``objects``; items have the eight recorded keys, callbacks are left out."""
    sdk.sdk_created(callback_url="http://127.0.0.1:9/cb")
    body = sdk.get(BASE).get_json()
    assert list(body) == ["api_id", "meta", "compliances"]
    assert [list(each) for each in body["compliances"]] == [LISTED_KEYS]


def test_20_an_empty_list_is_a_list(sdk: Http) -> None:
    """Java iterates over it."""
    body = sdk.get(BASE).get_json()
    assert body["compliances"] == []
    assert body["meta"] == {
        "limit": 20, "offset": 0, "total_count": 0, "next": None, "previous": None,
    }  # fmt: skip


def test_22_pages_are_walked_by_meta_next(sdk: Http) -> None:
    """Relative URLs by offset that keep the filters; following them shows each record once."""
    made = [sdk.sdk_created(alias=f"a b&{n}") for n in range(5)]
    path, seen, steps = f"{BASE}?limit=2&country_iso=IN&expand=end_user", [], []
    while path:
        body = sdk.get(path).get_json()
        seen += [each["compliance_id"] for each in body["compliances"]]
        assert all("end_user" in each for each in body["compliances"])
        path = body["meta"]["next"]
        steps.append(path)
        assert "cursor" not in (path or "")
    assert seen == made
    assert [(step or "")[:12] for step in steps] == ["/v1/Account/"] * 2 + [""]
    assert body["meta"]["previous"].startswith(f"/v1/Account/{sdk.auth_id}/{BASE}?limit=2&offset=2")


@pytest.mark.parametrize(("limit", "offset"), [(4, 0), (2, 2), (1, 3), (100, 0)])
def test_22_the_last_page_has_no_next(sdk: Http, limit: int, offset: int) -> None:
    """Also when it is full."""
    for n in range(4):
        sdk.sdk_created(alias=str(n))
    meta = sdk.get(f"{BASE}?limit={limit}&offset={offset}").get_json()["meta"]
    assert (meta["next"], meta["total_count"]) == (None, 4)


def test_32_lists_are_oldest_first(sdk: Http) -> None:
    """A change does not move a record."""
    first, second = sdk.sdk_created(alias="1"), sdk.sdk_created(alias="2")
    sdk.decide(first, "rejected")
    sdk.patch(f"{BASE}{first}/", **form_of({"alias": "again"}))
    listed = sdk.get(BASE).get_json()["compliances"]
    assert [each["compliance_id"] for each in listed] == [first, second]


# --- delete and download ---------------------------------------------------------------------


def test_15_a_delete_is_200_with_a_body(sdk: Http) -> None:
    """The one answer that no SDK stumbles over."""
    id = sdk.sdk_created()
    answer = sdk.delete(f"{BASE}{id}/")
    assert answer.status_code == 200
    assert answer.get_json() | {"api_id": ""} == {
        "api_id": "",
        "compliance_id": id,
        "message": "Compliance application deleted.",
    }


# --- warnings --------------------------------------------------------------------------------


def warning_of(answer: TestResponse) -> str:
    assert answer.status_code == 201, answer.text
    return answer.headers.get("X-Plivo-Sim-Warning", "")


def without(data: dict[str, Any], *names: str) -> dict[str, Any]:
    kept = {key: value for key, value in data["end_user"].items() if key not in names}
    return data | {"end_user": kept}


def test_a_complete_create_has_no_warning(sdk: Http) -> None:
    """Silence means that the live service would take it."""
    answer = sdk.sdk_create()
    assert warning_of(answer) == ""


def test_what_the_live_service_refuses_is_warned_of(sdk: Http) -> None:
    """http to a local host, a repeated alias, end-user fields that its SDK calls required."""
    sdk.sdk_created()
    data = without(sdk.sdk_data(callback_url="http://127.0.0.1:9/cb"), "email", "state")
    told = warning_of(sdk.sdk_create(data))
    for part in (
        "end_user.email: is required",
        "end_user.state: is required",
        "callback_url: must be an https URL",
        "alias: 'Acme Mumbai' is used by application ",
    ):
        assert part in told


def test_strict_refuses_it(sdk: Http) -> None:
    """As problems like any other."""
    sdk.account.configure({"strict": "true"})
    data = without(sdk.sdk_data(callback_url="http://127.0.0.1:9/cb"), "email")
    answer = sdk.sdk_create(data)
    assert (answer.status_code, answer.get_json()["error"]) == (
        400,
        "Field 'end_user.email' is required. callback_url: must be an https URL",
    )
