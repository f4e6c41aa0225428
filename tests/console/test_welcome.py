"""The page of all accounts, with a form that opens any of them; the tabs."""

from __future__ import annotations

import re

import pytest

from tests.console.support import HOME
from tests.support import AUTH_ID, Http

OTHER_ID = "MAYYYYYYYYYYYYYYYYYY"
FORM = r'<form method="get" action="/console/".*?name="open".*?</form>'


@pytest.mark.parametrize("accounts", [0, 1])
def test_the_form_is_there(http: Http, accounts: int) -> None:
    """With accounts and without."""
    for _ in range(accounts):
        http.sdk_created()
    assert re.search(FORM, http.get("/console/?all").text, re.S)


@pytest.mark.parametrize("accounts", [0, 1])
def test_opening_an_account(http: Http, accounts: int) -> None:
    """It leads to its applications, blanks around the id or not, and makes no account."""
    for _ in range(accounts):
        http.sdk_created()
    answer = http.get(f"/console/?open=+{OTHER_ID}+")
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/console/{OTHER_ID}/"
    assert len(http.sim.accounts()) == accounts


@pytest.mark.parametrize("accounts", [0, 1])
@pytest.mark.parametrize(
    "text", ["MA1", OTHER_ID.lower(), f"S{OTHER_ID[1:]}", "//evil", "<script>x", OTHER_ID + "Y"]
)
def test_a_wrong_id_is_told(http: Http, accounts: int, text: str) -> None:
    """On the same page, as text, and it stays in the form."""
    for _ in range(accounts):
        http.sdk_created()
    answer = http.get("/console/", query_string={"open": text})
    assert answer.status_code == 200
    shown = text.replace("<", "&lt;").replace(">", "&gt;")
    assert f"{shown} is no account" in answer.text
    assert f'name="open" value="{shown}"' in answer.text


def test_a_first_call_that_went_wrong_is_told(http: Http) -> None:
    """Though no account exists yet: it is what somebody looks for here."""
    http.call("GET", f"/v1/Accounts/{AUTH_ID}/EndUser/")
    page = http.get("/console/").text
    assert (
        '<a href="/console/unmatched"><span class="chip wait">1 unmatched call</span></a>' in page
    )


def test_what_needs_attention_in_each_account(http: Http) -> None:
    """With a link to it."""
    http.sdk_created()
    http.control("POST", "/faults", {"effect": "error", "account": AUTH_ID})
    page = http.get("/console/?all").text
    assert f'<a href="{HOME}/faults"><span class="chip wait">1 fault</span></a>' in page


def test_a_spent_fault_is_told_as_one(http: Http) -> None:
    """In the header, in the sentence, and beside one that strikes on."""
    http.sdk_created()
    http.control("POST", "/faults", {"effect": "error", "times": 1, "account": AUTH_ID})
    assert http.get("PhoneNumber/Compliance/").status_code == 500
    page = http.get(f"{HOME}/").text
    assert f'<a class="chip " href="{HOME}/faults">1 fault, spent</a>' in page
    assert "1 fault switched on, spent: error." in page
    http.control("POST", "/faults", {"effect": "reset", "account": AUTH_ID})
    page = http.get("/console/?all").text
    assert '<span class="chip wait">2 faults, 1 spent</span>' in page


def test_nothing_given_is_nothing_wrong(http: Http) -> None:
    """The page is as it was, even with a single account."""
    http.sdk_created()
    answer = http.get("/console/?open=")
    assert (answer.status_code, "is no account" in answer.text) == (200, False)
    assert AUTH_ID in answer.text


@pytest.mark.parametrize(
    ("path", "tab"),
    [
        ("", ""), ("traffic", "traffic"), ("webhooks/x", None), ("inbox", "traffic"),
        ("inbox/mine", "traffic"), ("webhooks/policy", "traffic"),
        ("account/coverage", "account"), ("time", "time"),
    ],
)  # fmt: skip
def test_the_tab_that_is_current(http: Http, path: str, tab: str | None) -> None:
    """One, callbacks and the inbox are traffic; a page that tells that something is missing has
    none."""
    page = http.get(f"{HOME}/{path}").text
    found = re.findall(rf'<a href="{HOME}/([a-z]*)" aria-current="page">', page)
    assert found == ([] if tab is None else [tab])


def test_calls_of_no_account_are_traffic(http: Http) -> None:
    """Their page has the tabs of the account from which somebody came."""
    page = http.get(f"/console/unmatched?account={AUTH_ID}").text
    assert re.findall(rf'<a href="{HOME}/([a-z]*)" aria-current="page">', page) == ["traffic"]


def test_many_accounts_are_paged(http: Http) -> None:
    """50 a page, by auth id; so many are in the menu of each page, too."""
    ids = [f"MA{n:018}" for n in range(51)]
    for id in ids:
        http.control("POST", "/accounts", {"auth_id": id, "settings": {}})
    pages = [http.get("/console/?all").text, http.get("/console/?all&page=2").text]
    listed = [re.findall(r'<td><a href="/console/(MA\w+)/">', page) for page in pages]
    assert listed == [ids[:50], ids[50:]]
    assert "After →" in pages[0]
    assert http.get(f"/console/{ids[50]}/").text.count('<li><a href="/console/MA') == 50
