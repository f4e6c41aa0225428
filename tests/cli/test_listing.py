"""The control calls that the command line lists with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tinydb import Query, TinyDB

from tests.support import AUTH_ID, TOKEN, Http


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["one", "two"]),
        ({"status": "rejected"}, ["two"]),
        ({"status": ["rejected", "submitted"]}, ["one", "two"]),
        ({"country_iso": "in"}, ["one", "two"]),
        ({"country_iso": "DE"}, []),
        ({"number_type": "local", "status": "submitted"}, ["one"]),
        ({"user_type": "individual"}, []),
        ({"limit": "1", "offset": "1"}, ["two"]),
    ],
)
def test_applications_by_filter(http: Http, query: dict[str, str], found: list[str]) -> None:
    """Filters narrow, and one that is given twice takes either."""
    http.sdk_created(alias="one")
    http.decide(http.sdk_created(alias="two"), "rejected")
    answer = http.control("GET", "/applications", account=AUTH_ID, **query)
    assert [each["alias"] for each in answer.get_json()["applications"]] == found


def test_a_filter_word_that_nobody_knows_is_refused(http: Http) -> None:
    """With the words that there are."""
    answer = http.control("GET", "/applications", account=AUTH_ID, status="acepted")
    assert answer.status_code == 400
    assert answer.get_json()["problems"][0]["path"] == "status"
    assert "accepted" in answer.get_json()["detail"]


def test_requirements_tell_which_types_satisfy_which_demand(http: Http) -> None:
    """An Indian individual proves identity with a passport or a national id."""
    found = {
        (each["country_iso"], each["number_type"], each["user_type"]): each
        for each in http.control("GET", "/requirements").get_json()["requirements"]
    }
    identity, address = found["IN", "local", "individual"]["documents"]
    assert [type_["word"] for type_ in identity["any_of"]] == ["passport", "national_id"]
    assert address["any_of"][0]["fields"][0]["name"] == "address_line_1"


def test_an_export_is_a_tinydb_file(http: Http, tmp_path: Path) -> None:
    """Stock TinyDB opens and queries it."""
    id = http.sdk_created(alias="to keep")
    answer = http.control("GET", "/export", account=AUTH_ID)
    path = tmp_path / "export.json"
    path.write_bytes(answer.data)
    with TinyDB(path) as db:
        (found,) = db.table("applications").search(Query().alias == "to keep")
        assert found["id"] == id
        assert len(db.table("documents")) == 2
        assert db.tables() >= {"ledger", "end_users", "explanations", "timers"}


def test_an_export_holds_no_token(http: Http) -> None:
    """Though the account has one, with which it signs."""
    http.sdk_created()
    assert http.account.token == TOKEN
    assert TOKEN not in json.dumps(http.control("GET", "/export", account=AUTH_ID).get_json())


def test_an_export_of_an_unknown_account_makes_none(http: Http) -> None:
    """It is empty, and the account still does not exist."""
    assert http.control("GET", "/export", account=AUTH_ID).get_json() == {}
    assert http.sim.accounts() == []
