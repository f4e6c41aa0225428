"""``EndUser``: what goes in, what comes out. Source: docs/wire-facts.md, "EndUser"."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apis.legacy_support import BUSINESS, UNKNOWN_ID, Legacy, error_of
from tests.support import Http


@pytest.fixture
def legacy(http: Http) -> Legacy:
    return Legacy(http)


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({"name": "Acme", "last_name": None, "end_user_type": "business"}, (None, "business")),
        ({"name": "Acme", "end_user_type": "business"}, (None, "business")),
        ({"name": "Acme", "last_name": "", "end_user_type": "business"}, (None, "business")),
        ({"name": "Acme", "last_name": "X", "end_user_type": "Individual"}, ("X", "individual")),
        ({"name": "Acme", "end_user_type": "BUSINESS", "end_user_id": "EU1"}, (None, "business")),
    ],
    ids=["python", "node", "java", "ruby", "go"],
)
def test_what_each_sdk_sends_creates_an_end_user(
    legacy: Legacy, body: dict[str, Any], shown: tuple[str | None, str]
) -> None:
    """Nulls and empty last names are "not given"; the type comes in any case."""
    answer = legacy.http.post("EndUser/", json=body)
    assert answer.status_code == 201
    made = answer.get_json()
    assert (made["last_name"], made["end_user_type"]) == shown
    assert made["message"] == "created"


def test_a_get_shows_what_was_created(legacy: Legacy) -> None:
    """The same keys as the create, without its message."""
    made = legacy.http.post("EndUser/", json=BUSINESS).get_json()
    shown = legacy.shown(f"EndUser/{made['end_user_id']}/")
    del made["message"]
    assert made | {"api_id": ""} == shown | {"api_id": ""}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["A", "B", "C"]),
        ({"name": "A"}, ["A"]),
        ({"last_name": "Z"}, ["B", "C"]),
        ({"end_user_type": "Business"}, ["A", "B"]),
        ({"end_user_type": "individual", "last_name": "Z"}, ["C"]),
        ({"name": "", "end_user_type": ""}, ["A", "B", "C"]),
        ({"name": "nobody"}, []),
        ({"limit": "2"}, ["A", "B"]),
        ({"limit": "2", "offset": "2"}, ["C"]),
        ({"offset": "9"}, []),
    ],
)
def test_a_list_filters_and_pages(legacy: Legacy, query: dict[str, str], names: list[str]) -> None:
    """Oldest first; empty filters count as absent."""
    legacy.end_user(name="A")
    legacy.end_user(name="B", last_name="Z")
    legacy.end_user(name="C", last_name="Z", end_user_type="individual")
    found = legacy.http.get("EndUser/", query_string=query).get_json()["objects"]
    assert [each["name"] for each in found] == names


def test_the_links_of_a_list_keep_its_filters(legacy: Legacy) -> None:
    """``next`` and ``previous`` are relative URLs or null."""
    for _ in range(3):
        legacy.end_user()
    query = {"limit": "1", "offset": "1", "end_user_type": "business"}
    meta = legacy.http.get("EndUser/", query_string=query).get_json()["meta"]
    path = f"/v1/Account/{legacy.http.auth_id}/EndUser/?limit=1"
    assert meta == {
        "limit": 1,
        "offset": 1,
        "total_count": 3,
        "next": f"{path}&offset=2&end_user_type=business",
        "previous": f"{path}&offset=0&end_user_type=business",
    }


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"name": "New", "last_name": None, "end_user_type": None}, ("New", "Last", "business")),
        ({"last_name": ""}, ("Old", None, "business")),
        ({"end_user_type": "Individual"}, ("Old", "Last", "individual")),
        ({}, ("Old", "Last", "business")),
        ([], ("Old", "Last", "business")),
    ],
)
def test_an_update_changes_what_is_given(
    legacy: Legacy, change: Any, expected: tuple[str | None, ...]
) -> None:
    """Null is "not given", an empty last name removes it."""
    id = legacy.end_user(name="Old", last_name="Last")
    answer = legacy.http.post(f"EndUser/{id}/", json=change)
    assert answer.status_code == 202
    assert answer.get_json() == {"api_id": answer.get_json()["api_id"], "message": "changed"}
    shown = legacy.shown(f"EndUser/{id}/")
    assert (shown["name"], shown["last_name"], shown["end_user_type"]) == expected


def test_an_update_that_gives_nothing_says_so(legacy: Legacy) -> None:
    """A warning, because such a call is a mistake of its caller."""
    answer = legacy.http.post(f"EndUser/{legacy.end_user()}/", json={"nmae": "X"})
    warning = answer.headers["X-Plivo-Sim-Warning"]
    assert warning == "ignored key 'nmae'; nothing to change was given"


def test_a_deleted_end_user_is_gone(legacy: Legacy) -> None:
    """200 with a body, then 404."""
    id = legacy.end_user()
    answer = legacy.http.delete(f"EndUser/{id}/")
    assert answer.status_code == 200
    assert answer.get_json()["message"] == "changed"
    assert error_of(legacy.http.get(f"EndUser/{id}/"), 404) == "End user not found."


@pytest.mark.parametrize("status", ["submitted", "accepted", "suspended", "expired"])
def test_an_end_user_in_review_or_once_accepted_is_locked(legacy: Legacy, status: str) -> None:
    """The error names the application and its true state."""
    end_user = legacy.end_user()
    made = {"end_user_id": end_user}
    id = legacy.submitted(**made) if status == "submitted" else legacy.decided(status, **made)
    error = error_of(legacy.http.post(f"EndUser/{end_user}/", json={"name": "X"}))
    assert error == f"Cannot update end user: it is used by application {id} ({status})."
    assert legacy.shown(f"EndUser/{end_user}/")["name"] == "Acme Traders"


@pytest.mark.parametrize("status", ["rejected", "more_info_required"])
def test_an_end_user_of_a_rejected_application_can_change(legacy: Legacy, status: str) -> None:
    """It is to be corrected."""
    end_user = legacy.end_user()
    legacy.decided(status, end_user_id=end_user)
    assert legacy.http.post(f"EndUser/{end_user}/", json={"name": "X"}).status_code == 202


def test_the_type_of_a_used_end_user_cannot_change(legacy: Legacy) -> None:
    """Even while its application is a draft; the same type again is no change."""
    end_user = legacy.end_user()
    id = legacy.application(end_user_id=end_user)
    error = error_of(legacy.http.post(f"EndUser/{end_user}/", json={"end_user_type": "individual"}))
    expected = f"Cannot change the type of end user: it is used by application {id} (draft), "
    assert error.startswith(expected)
    same = {"end_user_type": "Business", "name": "X"}
    assert legacy.http.post(f"EndUser/{end_user}/", json=same).status_code == 202


def test_an_end_user_that_is_used_cannot_be_deleted(legacy: Legacy) -> None:
    """By an application, or by a document that would be left without owner."""
    end_user = legacy.end_user()
    document = legacy.document(end_user)
    error = error_of(legacy.http.delete(f"EndUser/{end_user}/"))
    assert error == f"Cannot delete end user: it is used by document {document}."


def test_of_many_users_an_error_names_some(legacy: Legacy) -> None:
    """A text that people can read."""
    end_user = legacy.end_user()
    for n in range(7):
        legacy.document(end_user, alias=str(n), file=None)
    error = error_of(legacy.http.delete(f"EndUser/{end_user}/"))
    assert error.count("document ") == 5
    assert error.endswith(", 2 more.")


def test_an_unknown_end_user_is_404(legacy: Legacy) -> None:
    """To read, to update and to delete."""
    path = f"EndUser/{UNKNOWN_ID}/"
    for method in ("GET", "POST", "DELETE"):
        assert error_of(legacy.http.call(method, path), 404) == "End user not found."
