"""Traffic in the console: requests, callbacks and messages in one list, and calls of no account."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta

import pytest

from plivo_sim.console.pages import PAGE_SIZE
from plivo_sim.console.pictures.waterfall import Line, Mark, draw, wait_told
from tests.console.support import HOME, press
from tests.support import AUTH_ID, Http

TRAFFIC = f"{HOME}/traffic"
INBOX = "http://127.0.0.1/_sim/inbox/mine"
START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


@pytest.fixture
def busy(http: Http) -> Http:
    """A request that was refused, an application that was made, its callback, and the message that
    came of it."""
    http.post("EndUser/", data=b'{"name": "Zanzibar"', content_type="application/json")
    id = http.sdk_created(callback_url=INBOX, alias="Acme")
    http.decide(id, "accepted")
    (sent,) = http.control("GET", "/webhooks", account=AUTH_ID).get_json()["webhooks"]
    http.call("POST", "/_sim/inbox/mine", data=sent["attempts"][0]["body"], headers={
        "X-Plivo-Sim-Delivery": sent["id"], "X-Plivo-Sim-Attempt": "1",
    })  # fmt: skip
    return http


def kinds(http: Http, query: str = "") -> list[str]:
    """The kind of each row, from above."""
    page = http.get(f"{TRAFFIC}{query}").text
    return re.findall(r'<tr class="(\w+)">', page)


def test_everything_is_in_one_list(busy: Http) -> None:
    """In the order in which it came."""
    found = kinds(busy)
    assert found[:2] == ["message", "callback"]
    assert set(found[2:]) == {"request"}


def application_of(http: Http) -> str:
    listed = http.control("GET", "/applications", account=AUTH_ID).get_json()["applications"]
    return str(listed[0]["id"])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?kind=callback", {"callback"}),
        ("?kind=message", {"message"}),
        ("?q=zanzibar", {"request"}),
        ("?q=accepted&kind=callback", {"callback"}),
        ("?q=nowhere", set()),
        ("?status=4", {"request"}),
        ("?status=none", set()),
        ("?state=delivered", {"callback"}),
        ("?operation=compliance.create", {"request"}),
        ("?kind=elephant", set()),
    ],
)
def test_filters(busy: Http, query: str, expected: set[str]) -> None:
    """By kind, text, class of answer, state and operation; several must all hold."""
    assert set(kinds(busy, query)) == expected


def test_one_application(busy: Http) -> None:
    """All that is about it: the create, the callback, the message."""
    found = kinds(busy, f"?application={application_of(busy)}")
    assert sorted(found) == ["callback", "message", "request"]


def test_details_keep_the_filters(busy: Http) -> None:
    """The list beside one of its calls is the same list."""
    page = busy.get(f"{TRAFFIC}?kind=callback").text
    found = re.search(rf'href="({HOME}/webhooks/[^"]+\?kind=callback)"', page)
    assert found is not None
    detail = busy.get(found[1]).text
    beside = detail[detail.index('id="side"') : detail.index('<div class="detail">')]
    assert 'class="chosen"' in beside
    assert "/requests/" not in beside


def test_the_list_beside_an_old_one(http: Http) -> None:
    """Is the page that it is on, not the newest."""
    for _ in range(PAGE_SIZE + 5):
        http.get("EndUser/")
    oldest = next(iter(http.account.exchanges)).id
    page = http.get(f"{HOME}/requests/{oldest}").text
    assert 'class="chosen"' in page
    assert "← Newer: GET …/EndUser/" in page
    assert "Older:" not in page


def test_a_message_has_a_page_of_its_own(busy: Http) -> None:
    """By its place in the inbox, which stays the same."""
    page = busy.get(f"{HOME}/inbox/mine/1").text
    assert "X-Plivo-Sim-Attempt: 1" in page
    assert busy.get(f"{HOME}/inbox/mine/99").status_code == 404
    assert busy.get(f"{HOME}/inbox/mine/x").status_code == 404


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("requests?status=5&fault=any", "kind=request&status=5&fault=any"),
        ("webhooks?state=failed&application=x%26y", "kind=callback&state=failed&application=x%26y"),
        ("requests", "kind=request"),
    ],
)
def test_the_old_lists_lead_here(http: Http, old: str, new: str) -> None:
    """With their filters."""
    answer = http.get(f"{HOME}/{old}")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{TRAFFIC}?{new}")


def test_what_was_forgotten_is_said(http: Http) -> None:
    """How many of each kind."""
    for _ in range(http.account.exchanges.most + 7):
        http.get("EndUser/")
    assert "the oldest 7 requests were forgotten" in http.get(TRAFFIC).text


def test_what_clients_write_is_text(http: Http) -> None:
    """In the list, its picture, and the filters."""
    nasty = "<script>alert(1)</script>"
    http.get(f"EndUser/?q={nasty}")
    http.call("GET", f"/{nasty}")
    for path in (TRAFFIC, f"{TRAFFIC}?q={nasty}&kind={nasty}&fault={nasty}", "/console/unmatched"):
        page = http.get(path).text
        assert "<script>alert" not in page
        assert "alert(1)" in page


def test_sending_again(busy: Http) -> None:
    """The button makes the control call, and says so."""
    refused = next(each.id for each in busy.account.exchanges if each.status == 400)
    page = html.unescape(
        press(busy, "resend", back=f"{HOME}/requests/{refused}", id=refused, account=AUTH_ID).text
    )
    assert f"Sent {refused} again" in page
    assert f"plivo-sim requests --id {refused} --again --account {AUTH_ID}" in page
    assert f"/_sim/requests/{refused}/resend?account={AUTH_ID}" in page
    assert kinds(busy, "?status=4") == ["request", "request"]


def test_calls_of_no_account_are_one_click_away(http: Http) -> None:
    """With their number, the reason, and the URL that was meant."""
    http.call("GET", f"/v1/Accounts/{AUTH_ID}/EndUser/", data=b"hello")
    assert re.search(r"Calls that reached no account <span[^>]*>1</span>", http.get(TRAFFIC).text)
    page = html.unescape(http.get(f"/console/unmatched?account={AUTH_ID}").text)
    assert f"<code>/v1/Account/{AUTH_ID}/EndUser/</code>" in page
    found = re.search(r'href="(/console/unmatched/[^"]+)"', page)
    assert found is not None
    detail = html.unescape(http.get(found[1]).text)
    assert f"Did you mean <code>/v1/Account/{AUTH_ID}/EndUser/</code>?" in detail
    assert "hello" in detail
    assert http.get("/console/unmatched/none").status_code == 404


def test_calls_of_no_account_can_be_forgotten(http: Http) -> None:
    http.call("GET", "/typo")
    page = press(http, "clear-unmatched", back="/console/unmatched").text
    assert "Every call reached its account" in page
    assert "plivo-sim requests --unmatched --clear" in page


# --- the picture -----------------------------------------------------------------------------


def line(*after_s: float, kind: str = "callback") -> Line:
    marks = tuple(Mark(START + timedelta(seconds=each), "bad", "500") for each in after_s)
    return Line(kind, "rejected", "/x", marks)  # type: ignore[arg-type]


def test_a_wait_is_a_line_with_its_length() -> None:
    """Between the attempts."""
    picture = draw([line(0, 60, 180)])
    assert "+1 min<" in picture
    assert "+2 min<" in picture
    assert picture.count('class="mark bad"') == 3


def test_a_second_and_a_year_are_in_one_picture() -> None:
    """Both can be told apart."""
    picture = draw([line(0, 1), line(365 * 86400)])
    places = [float(each) for each in re.findall(r"translate\(([\d.]+),", picture)]
    assert places[1] - places[0] > 20
    assert places[2] > places[1]


def test_of_nothing_there_is_no_picture() -> None:
    assert draw([]) == ""


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.25, "0.25 s"), (60, "1 min"), (90, "90 s"), (86400 * 3, "3 d")]
)
def test_waits_are_told_as_people_say_them(seconds: float, told: str) -> None:
    assert wait_told(seconds) == told
