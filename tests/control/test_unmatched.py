"""``/_sim/unmatched``: calls that reached no account, with the reason and what was meant."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.control.support import OTHER_ID
from tests.support import AUTH_ID, TOKEN, Http, basic

COMPLIANCE = f"/v1/Account/{AUTH_ID}/PhoneNumber/Compliance/"
ID = "2e6852e6-b737-4008-b5d8-dc20acd1d2ce"


def unmatched(http: Http) -> Any:
    return http.control("GET", "/unmatched").get_json()["unmatched"]


def test_a_refused_token_is_listed_without_it(http: Http) -> None:
    """With the reason, and in the requests of no account that nobody has used."""
    http.call("GET", COMPLIANCE, headers={"Authorization": "Basic very-secret"})
    (found,) = unmatched(http)
    assert (found["method"], found["status"]) == ("GET", 401)
    assert found["url"].endswith(COMPLIANCE)
    assert "malformed" in found["why"]
    assert found["nearest"] is None
    assert "very-secret" not in http.control("GET", "/unmatched").text
    assert "very-secret" not in repr(list(http.sim.unmatched))
    assert http.control("GET", "/requests", account=AUTH_ID).get_json()["requests"] == []


def test_credentials_of_another_account_are_refused(http: Http) -> None:
    """The other one's list does not show it either."""
    other = "MAOTHEROTHEROTHEROTH"
    http.call("GET", COMPLIANCE, headers={"Authorization": basic(other)})
    assert "not those of the account in the URL" in unmatched(http)[0]["why"]


def test_the_body_of_a_refused_call_is_kept(http: Http) -> None:
    """Though nobody has read it."""
    http.call("POST", COMPLIANCE, headers={"Authorization": None}, json={"alias": "Acme"})
    assert unmatched(http)[0]["sent"]["text"] == '{"alias": "Acme"}'


@pytest.mark.parametrize(
    ("path", "nearest"),
    [
        ("/PhoneNumber/Compliance/", "/v1/Account/{auth_id}/PhoneNumber/Compliance/"),
        (f"/v1/Accounts/{AUTH_ID}/PhoneNumber/Compliance/", COMPLIANCE),
        (f"/v1/v1/Account/{AUTH_ID}/PhoneNumber/Compliance/", COMPLIANCE),
        (f"/Account/{AUTH_ID}/PhoneNumber/Compliance/{ID}/", f"{COMPLIANCE}{ID}/"),
        (f"/v2/Account/{AUTH_ID}/EndUser", f"/v1/Account/{AUTH_ID}/EndUser/"),
        ("/_sim/clock/advanced", "/_sim/clock/advance"),
        ("/nothing/of/the/kind", None),
        ("/" + "x" * 5000, None),
    ],
)
def test_the_nearest_url_is_told(http: Http, path: str, nearest: str | None) -> None:
    """With the ids that were given, where they fit."""
    assert http.call("GET", path).status_code in (401, 404)
    assert unmatched(http)[0]["nearest"] == nearest


def test_a_foreign_host_is_listed(http: Http) -> None:
    """A control call under another name than ours is refused, and seen here."""
    http.call("GET", "/_sim/health", headers={"Host": "evil.example"})
    assert [each["status"] for each in unmatched(http)] == [403]


def test_what_an_account_or_a_control_call_answers_is_not_here(http: Http) -> None:
    """Nor are pages of the console that there are."""
    http.get("EndUser/none/")
    http.get("nowhere/")
    http.control("GET", "/applications/none")
    http.get(f"/console/{AUTH_ID}/applications/none")
    assert unmatched(http) == []


@pytest.mark.parametrize(
    "path",
    ["/favicon.ico", "/console/none", f"/console/{AUTH_ID}/aplications", "/console/static/x"],
)
def test_what_a_browser_asks_for_in_vain_is_not_here(http: Http, path: str) -> None:
    """Its icon, and pages that a person mistyped, are no calls of a client's."""
    assert http.call("GET", path).status_code >= 400
    assert unmatched(http) == []


def test_the_list_is_bounded_and_says_what_it_forgot(http: Http) -> None:
    """The newest stay."""
    most = http.sim.unmatched.most
    for n in range(most + 2):
        http.call("GET", f"/{n}")
    answer = http.control("GET", "/unmatched").get_json()
    assert len(answer["unmatched"]) == most
    assert answer["forgotten"] == 2
    assert answer["unmatched"][-1]["url"].endswith(f"/{most + 1}")


def test_the_list_is_emptied(http: Http) -> None:
    """And so is the count of what it forgot; asking for it changes nothing."""
    http.call("GET", "/typo")
    assert http.control("GET", "/unmatched").get_json() == (
        http.control("GET", "/unmatched").get_json()
    )
    assert http.control("DELETE", "/unmatched").get_json() == {"unmatched": [], "forgotten": 0}
    assert unmatched(http) == []


@pytest.mark.parametrize(
    ("path", "credentials"),
    [
        (COMPLIANCE, {"Authorization": None}),
        (COMPLIANCE.replace("MA", "SA"), {"Authorization": "Basic none"}),
        (COMPLIANCE.replace(AUTH_ID, OTHER_ID), {"Authorization": basic(AUTH_ID)}),
        ("/atoms/v1/compliance/applications", {"Authorization": f"Bearer {AUTH_ID}.key"}),
    ],
    ids=["url", "subaccount", "user", "atoms"],
)
def test_the_account_that_was_meant_shows_it_too(
    http: Http, path: str, credentials: dict[str, str | None]
) -> None:
    """Whichever part of the call named it; not what a page was refused of the control API."""
    http.sim.settings = replace(http.sim.settings, credentials={AUTH_ID: TOKEN})
    http.call("GET", "/_sim/clock", headers={"Origin": "http://evil.example"})
    http.sdk_created()
    answer = http.call("GET", path, headers=credentials)
    assert answer.status_code == 401
    listed = http.control("GET", "/requests", account=AUTH_ID).get_json()
    assert [each["status"] for each in listed["requests"]][-2:] == [201, 401]
    assert listed["requests"][-1]["at"].startswith("2026-01-05")
