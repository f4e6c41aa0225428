"""The list of applications: tabs, columns, order, the search, and a decision for all that match."""

from __future__ import annotations

import re
from typing import Any

import pytest

from plivo_sim.account.store.database import RecordTable
from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.console import applications
from plivo_sim.console.pages import PAGE_SIZE
from plivo_sim.webhooks.transport import MemoryTransport
from tests.conftest import PAUSED
from tests.console.support import HOME, press
from tests.support import AUTH_ID, Http


def listed(http: Http, query: str = "") -> list[str]:
    """The aliases on a list page, from above."""
    page = http.get(f"{HOME}/applications{query}").text
    return re.findall(r'<td class="text"><a href="[^"]+">([^<]+)</a>', page)


def tabs(http: Http, query: str = "") -> dict[str, str]:
    """What the tabs say, by status."""
    page = http.get(f"{HOME}/applications{query}").text
    nav = re.search(r'<nav class="statuses".*?</nav>', page, re.S)
    assert nav is not None
    return dict(re.findall(r'>([A-Za-z ]+) <span class="count">([0-9,]+)</span>', nav[0]))


def person(http: Http, **changes: Any) -> dict[str, Any]:
    return {**http.sdk_data()["end_user"], **changes}


# --- tabs, columns, order --------------------------------------------------------------------


def test_tabs_count(http: Http) -> None:
    """Each status with how many there are; a filter narrows the counts, a status does not."""
    made = [http.sdk_created(alias=f"case {i}") for i in range(3)]
    http.decide(made[0], "accepted")
    assert tabs(http)["All"] == "3"
    assert tabs(http, "?status=accepted")["submitted"] == "2"
    assert tabs(http, "?q=case+0")["submitted"] == "0"
    assert tabs(http, "?origin=legacy")["accepted"] == "0"


def test_a_reason_has_a_column(http: Http) -> None:
    """Why something was rejected is seen in the list."""
    http.decide(http.sdk_created(), "rejected", "The seal is missing.")
    assert "The seal is missing." in http.get(f"{HOME}/applications").text


def test_callbacks_have_a_column() -> None:
    """What became of the newest callback: a retry that waits, one that failed for good, none."""
    sim = make_simulator(PAUSED, transport=MemoryTransport(500, 500, 500, 500))
    http = Http(create_app(sim), sim)
    http.sdk_created(alias="silent")
    http.decide(http.sdk_created(alias="dead", callback_url="http://localhost:9/"), "rejected")
    http.advance("1s")
    page = http.get(f"{HOME}/applications").text
    assert '<span class="chip wait">retry 1 of 3</span></a>' in page
    assert listed(http, "?callbacks=none") == ["silent"]
    assert listed(http, "?callbacks=retry") == ["dead"]
    http.advance("1h")
    assert listed(http, "?callbacks=failed") == ["dead"]
    assert listed(http, "?sort=callbacks") == ["dead", "silent"]
    sim.close()


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("", ["b", "a", "C"]), ("alias", ["a", "b", "C"]), ("-alias", ["C", "b", "a"]),
        ("status", ["b", "a", "C"]), ("-status", ["C", "b", "a"]), ("reason", ["C", "b", "a"]),
        ("applicant", ["b", "C", "a"]), ("changed", ["b", "a", "C"]), ("-changed", ["C", "b", "a"]),
        ("next", ["b", "a", "C"]), ("for", ["b", "a", "C"]), ("origin", ["b", "a", "C"]),
        ("nonsense", ["b", "a", "C"]),
    ],
)  # fmt: skip
def test_order(http: Http, sort: str, order: list[str]) -> None:
    """By any column, either way; what is alike stays newest first."""
    made = [
        http.sdk_created(alias=alias, end_user=person(http, name=name))
        for alias, name in (("C", "Mid"), ("a", "Zed"), ("b", "Abe"))
    ]
    http.advance("1h")
    http.decide(made[0], "rejected", "x")
    assert listed(http, f"?sort={sort}") == order


def test_a_heading_turns_the_order_round(http: Http) -> None:
    """It leads to the other way, keeps the filters, and says how the list is sorted."""
    http.sdk_created()
    page = http.get(f"{HOME}/applications?status=submitted&sort=alias").text
    assert (
        f'<th aria-sort="ascending"><a href="{HOME}/applications?status=submitted&amp;sort=-alias">'
        in page
    )


def test_pages_have_numbers(http: Http) -> None:
    """Each page is one click away, with the filters that were chosen."""
    for i in range(PAGE_SIZE + 1):
        http.sdk_created(alias=f"case {i}")
    page = http.get(f"{HOME}/applications?sort=alias").text
    assert '<a href="?sort=alias&amp;page=2" aria-label="Page 2">2</a>' in page
    assert listed(http, "?sort=alias&page=2") == ["case 9"]


# --- the search ------------------------------------------------------------------------------


def test_whatever_somebody_holds_in_hand(http: Http) -> None:
    """Ids or their beginnings, names, e-mail, number, reason, file name, registration number."""
    http.sdk_created(alias="other")
    wanted = person(
        http, name="Zenith Ltd", email="ops@zenith.example", registration_number="REG-77-X"
    )
    id = http.sdk_created(alias="Wanted", end_user=wanted, callback_url="http://localhost:9/cb77")
    http.decide(id, "rejected", "The seal is smudged.")
    account = http.sim.account(AUTH_ID)
    with account.lock:
        application = account.store.applications.fetch(id)
        assert application is not None
        (delivery,) = account.store.deliveries.having("application_id", id)
        paper = account.store.documents.fetch(application.document_ids[0])
    assert paper is not None
    assert paper.file is not None
    for held in (
        id, id[:9], application.end_user_id, paper.id, paper.id[:12], delivery.id, "zenith", "OPS@",
        "reg-77", "smudged", "/cb77", "Wanted",
    ):  # fmt: skip
        assert listed(http, f"?q={held}") == ["Wanted"], held
    assert listed(http, f"?q={paper.file.name}") == ["Wanted", "other"]


@pytest.mark.parametrize("written", ["{}", "%2B{}", "{:.5}", "%2B{0:.2} {0:.9}"])
def test_by_a_number(http: Http, written: str) -> None:
    """The number that was rented for it, with a plus and blanks or without."""
    id = http.sdk_created(alias="Rents")
    http.sdk_created(alias="other")
    http.decide(id, "accepted")
    rows = http.get("PhoneNumber/", query_string={"country_iso": "IN", "type": "local"}).get_json()
    number = rows["objects"][0]["number"]
    http.post(f"PhoneNumber/{number}/", json={"compliance_application_id": id})
    text = written.format(number) if " " not in written else f"%2B{number[:2]} {number[2:]}"
    assert listed(http, f"?q={text}") == ["Rents"]


# --- a decision for all that match ------------------------------------------------------------


def many(http: Http) -> list[str]:
    return [http.sdk_created(alias=f"case {i}") for i in range(PAGE_SIZE + 3)]


def test_all_that_match_are_decided(http: Http) -> None:
    """Not only those of the page, and not those that the filters leave out."""
    made = many(http)
    http.sdk_created(alias="kept out")
    page = press(
        http, "decide", f"{HOME}/applications?q=case", account=AUTH_ID, all="yes", match="q=case&",
        status="accepted",
    )  # fmt: skip
    assert f"Accepted {len(made)}" in page.text
    assert tabs(http)["submitted"] == "1"


def test_what_cannot_be_decided_so_is_said(http: Http) -> None:
    """Of all that match, those whose status does not lead there stay as they are."""
    made = [http.sdk_created(alias=f"case {i}") for i in range(3)]
    http.decide(made[0], "rejected")
    page = press(http, "decide", account=AUTH_ID, all="yes", match="", status="accepted").text
    assert "1 that match cannot become accepted as they are" in page
    assert tabs(http)["accepted"] == "2"


def test_so_many_at_once(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit, the newest are decided, and how many are left is said."""
    monkeypatch.setattr(applications, "MOST_AT_ONCE", 2)
    for i in range(5):
        http.sdk_created(alias=f"case {i}")
    page = press(http, "decide", account=AUTH_ID, all="yes", match="", status="accepted").text
    assert "at most 2 go at once, and 3 more match: decide again" in page
    assert listed(http, "?status=accepted") == ["case 4", "case 3"]


# --- how much is looked at ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "query", ["", "?status=submitted", "?origin=current&country_iso=IN", "?page=2"]
)
def test_a_page_looks_at_its_own_rows(
    http: Http, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    """Without a search, however many there are: nothing but the rows of the page is fetched."""
    many(http)
    http.get(f"{HOME}/applications{query}")  # indexes are made once
    looked: list[str] = []
    fetch, every = RecordTable.fetch, RecordTable.every
    monkeypatch.setattr(RecordTable, "fetch", lambda s, id: looked.append(id) or fetch(s, id))
    monkeypatch.setattr(RecordTable, "every", lambda s: looked.append("*" * 999) or every(s))
    rows = len(listed(http, query))
    assert len(looked) <= 6 * rows + 40
    assert "*" * 999 not in looked


def test_a_search_looks_once_at_each(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """One pass over each kind of record, and no record is fetched for one that does not match."""
    many(http)
    passes: list[str] = []
    every, fetch = RecordTable.every, RecordTable.fetch
    monkeypatch.setattr(RecordTable, "every", lambda s: passes.append(s.name) or every(s))
    fetched: list[str] = []
    monkeypatch.setattr(RecordTable, "fetch", lambda s, id: fetched.append(id) or fetch(s, id))
    assert listed(http, "?q=case+52&callbacks=none&sort=applicant") == ["case 52"]
    assert len(passes) == len(set(passes))
    assert len(fetched) < 50
