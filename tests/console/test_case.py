"""The sequence of one application, what its attempts changed, and its report."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from plivo_sim.console import story
from plivo_sim.console.pictures import sequence
from plivo_sim.console.pictures.sequence import MOST_STEPS, Step, draw
from plivo_sim.domain import limits
from plivo_sim.webhooks.transport import MemoryTransport
from tests.console.support import HOME
from tests.support import AUTH_ID, PDF, PNG, Http

URL = "http://127.0.0.1:9/cb"
START = datetime(2026, 1, 5, 9, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\"'{{7*7}}"


def step(**changes: Any) -> Step:
    return Step(**({"at": START, "origin": "client", "target": "plivo", "text": "x"} | changes))


def steps_of(http: Http, id: str) -> list[tuple[str, str, str]]:
    """From whom, to whom, what: as drawn."""
    account = http.account
    with account.lock:
        told = story.Told(
            account.store.applications.fetch(id),
            account.store.deliveries.having("application_id", id),
            [],
            story.exchanges_about(account, id),
        )
        found = story.story_of(account, told, lambda path: f"/{path}")
    return [(each.origin, each.target, each.text) for each in found]


# --- the picture -------------------------------------------------------------------------------


def test_a_gap_is_written_and_not_drawn_to_scale() -> None:
    """A year takes as much room as a minute."""
    late = draw([step(), step(at=START + timedelta(days=365))], START, "x")
    soon = draw([step(), step(at=START + timedelta(minutes=1))], START, "x")
    assert "365 days later" in late
    assert "1 min later" in soon
    assert re.findall(r"viewBox=\"[^\"]+\"", late) == re.findall(r"viewBox=\"[^\"]+\"", soon)


def test_times_are_told_to_the_millisecond_where_they_have_some() -> None:
    """A day is named where it begins."""
    drawn = draw([step(), step(at=START + timedelta(milliseconds=7))], START, "x")
    assert ">09:00:00<" in drawn
    assert ">09:00:00.007<" in drawn
    assert drawn.count(">2026-01-05<") == 1


def test_a_long_story_is_bounded_and_says_so() -> None:
    """The first few and the last."""
    drawn = draw([step(text=f"n{i}.") for i in range(MOST_STEPS + 300)], START, "x")
    assert "… and 300 more" in drawn
    assert drawn.count("<polygon") == MOST_STEPS
    assert "n0." in drawn
    assert f"n{MOST_STEPS + 299}." in drawn


def test_what_is_to_come_stands_below_now() -> None:
    """Hollow."""
    coming = step(at=START + timedelta(days=2), is_to_come=True, text="accepted", target="client")
    drawn = draw([step(), coming], START + timedelta(hours=1), "x")
    assert drawn.index("now, 10:00:00") < drawn.index("accepted")
    assert "to-come" in drawn
    assert "1 day 23 h later" in drawn


def test_texts_are_only_texts() -> None:
    """Whatever a client has chosen."""
    hostile = step(text=HOSTILE, detail=HOSTILE, href=f"/{HOSTILE}", origin="plivo")
    drawn = draw([hostile], START, HOSTILE)
    assert "<script" not in drawn
    assert html.escape("<script>") in drawn


def test_it_is_a_picture_where_nothing_can_be_followed() -> None:
    """Else a group of links."""
    assert 'role="img"' in draw([step()], START, "x")
    assert 'role="group"' in draw([step(href="/a")], START, "x")


# --- the story ---------------------------------------------------------------------------------


def test_calls_decisions_and_attempts_in_their_order(
    http: Http, transport: MemoryTransport
) -> None:
    """Though all of it happened at one instant of a clock that stands still."""
    transport._statuses += [500]
    id = http.sdk_created(callback_url=URL)
    http.decide(id, "rejected", "no")
    body = {"end_user": {"name": "Acme Ltd"}}
    http.sdk_send("PATCH", f"PhoneNumber/Compliance/{id}/", body, {})
    assert steps_of(http, id) == [
        ("client", "plivo", "POST Compliance/"),
        ("plivo", "client", "201"),
        ("plivo", "plivo", "submitted"),
        ("plivo", "plivo", "rejected"),
        ("plivo", "webhook", "rejected"),
        ("webhook", "plivo", "500"),
        ("client", "plivo", "PATCH Compliance/…/"),
        ("plivo", "client", "200"),
        ("plivo", "plivo", "submitted"),
        ("plivo", "webhook", "rejected, try 2 of 4"),
    ]


def test_after_a_restart_the_timeline_and_the_attempts_are_in_order(
    http: Http, transport: MemoryTransport
) -> None:
    """What came when is not known any more; what caused what still is."""
    id = http.sdk_created(callback_url=URL)
    for status in ("accepted", "suspended", "accepted"):
        http.decide(id, status)
    http.account.exchanges.clear()
    http.account.moments.clear()
    texts = [text for _, _, text in steps_of(http, id)]
    assert texts == [
        "submitted", "accepted", "accepted", "200", "suspended", "suspended", "200",
        "accepted", "accepted", "200",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "page", ["applications/{id}", "applications/{id}/report.html", "faults", "traffic", "history"]
)
def test_where_order_matters_times_are_to_the_millisecond(http: Http, page: str) -> None:
    """Of calls, changes and callbacks, wherever they are listed."""
    http.advance("7ms")
    fault = {"effect": "error", "operation": "compliance.get", "account": AUTH_ID}
    http.control("POST", "/faults", fault)
    id = http.sdk_created(callback_url=URL)
    http.decide(id, "rejected")
    http.get(f"PhoneNumber/Compliance/{id}/")
    shown = http.get(f"{HOME}/{page.format(id=id)}").text
    times = re.findall(r'<time datetime="[^"]*"[^>]*>(2026-01-05 [^<]*)<', shown)
    assert times
    assert [each for each in times if "09:00:00.007" not in each] == []


def test_repeated_reads_are_told_once(http: Http) -> None:
    """With how often; something in between parts them."""
    id = http.sdk_created()
    for _ in range(3):
        http.get(f"PhoneNumber/Compliance/{id}/")
    http.decide(id, "accepted")
    http.get(f"PhoneNumber/Compliance/{id}/")
    texts = [text for _, _, text in steps_of(http, id) if text.startswith("GET")]
    assert texts == ["GET Compliance/…/ × 3", "GET Compliance/…/"]


def test_a_callback_that_never_went_out_is_told(http: Http) -> None:
    """With its state."""
    id = http.sdk_created(callback_url="https://receiver.example.com/cb")
    http.decide(id, "accepted")
    assert ("plivo", "plivo", "blocked: accepted") in steps_of(http, id)


def test_each_arrow_leads_to_what_was_sent(http: Http) -> None:
    """And its page is there."""
    id = http.sdk_created(callback_url=URL)
    http.decide(id, "accepted")
    page = http.get(f"{HOME}/applications/{id}").text
    picture = page.partition('<svg class="sequence"')[2].partition("</svg>")[0]
    links = set(re.findall(r'<a href="([^"]+)"', picture))
    assert len(links) == 2
    assert [http.get(each).status_code for each in links] == [200, 200]


def test_a_failing_call_is_shown_with_its_fault(http: Http) -> None:
    """Its status and which fault it was."""
    id = http.sdk_created()
    fault = {"effect": "error", "status": 503, "times": 1, "account": AUTH_ID}
    http.control("POST", "/faults", fault)
    http.get(f"PhoneNumber/Compliance/{id}/")
    assert any(text.startswith("503, fault") for _, _, text in steps_of(http, id))


# --- what the page says ------------------------------------------------------------------------


def test_what_an_attempt_changed_is_a_table(http: Http) -> None:
    """From the second on."""
    id = http.sdk_created()
    assert 'id="changed"' not in http.get(f"{HOME}/applications/{id}").text
    http.decide(id, "rejected", "no")
    body = {"end_user": {"name": "Acme & Sons"}}
    http.sdk_send("PATCH", f"PhoneNumber/Compliance/{id}/", body, {})
    page = http.get(f"{HOME}/applications/{id}").text.partition('id="changed"')[2]
    assert "<del>Acme Traders Pvt Ltd</del>" in page
    assert "<ins>Acme &amp; Sons</ins>" in page


# --- the report --------------------------------------------------------------------------------


def report(http: Http, id: str = "") -> str:
    """As the console and as the control API answer it: alike."""
    path = f"applications/{id}/report.html" if id else "report.html"
    page = http.get(f"{HOME}/{path}")
    assert page.status_code == 200
    query = {"application": id} if id else {"account": AUTH_ID}
    answer = http.control("GET", "/report", format="html", **query)
    assert answer.mimetype == "text/html"
    assert answer.text == page.text
    return page.text


def test_a_report_needs_nothing_else(http: Http) -> None:
    """No link home, no script; its picture is within, and its policy allows just that."""
    id = http.sdk_created(callback_url=URL)
    http.decide(id, "rejected", "Blurred.")
    text = report(http, id)
    assert re.findall(r'(?:href|src|action)="(?!data:|#)[^"]*"', text) == []
    assert "<script" not in text
    assert f"data:image/png;base64,{base64.b64encode(PNG).decode()}" in text
    style = re.search(r"<style>(.*?)</style>", text, re.S)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy is not None
    assert f"style-src 'sha256-{digest}'" in html.unescape(policy[1])
    assert "default-src 'none'" in html.unescape(policy[1])
    assert "Rejected by hand: Blurred" in text


def test_a_report_holds_no_secret(http: Http) -> None:
    """Of the callback's URL, nor the account's token, nor the console's own."""
    id = http.sdk_created(callback_url="http://me:hush@127.0.0.1:9/cb?token=sesame")
    http.decide(id, "accepted")
    for text in (report(http, id), report(http), http.get(
        f"{HOME}/applications/{id}/report.txt").text):  # fmt: skip
        for secret in ("hush", "sesame", http.token, "_token"):
            assert secret not in text
        assert "***" in text


def test_a_clients_texts_are_only_texts_in_a_report(http: Http) -> None:
    """Every one that a client can set."""
    data = http.sdk_data(alias=HOSTILE)
    data["end_user"] |= dict.fromkeys(("name", "city", "state"), HOSTILE)
    data["documents"][0]["data_fields"] = {"business_name": HOSTILE}
    id = http.sdk_create(data, {0: (PDF, "<b>.pdf"), 1: (PNG, "<i>.png")}).get_json()[
        "compliance_id"
    ]
    http.decide(id, "rejected", HOSTILE)
    for text in (report(http, id), report(http)):
        assert "<script" not in text
        assert "49" not in text.partition("<main>")[2].partition("Timeline")[0]
        assert "<i>.png" not in text


def test_the_report_of_an_account_tells_all_its_applications(http: Http) -> None:
    """The newest first, with a list that leads to each."""
    ids = [http.sdk_created(alias=f"case {i}") for i in range(3)]
    text = report(http)
    assert re.findall(r'<article class="case" id="case-([^"]+)"', text) == ids[::-1]
    assert re.findall(r'<a href="#case-([^"]+)"', text) == ids[::-1]
    assert "3 applications" in text


def test_a_long_text_of_an_older_state_is_cut_where_it_is_shown(http: Http) -> None:
    """In the page and in the reports; the API has it whole."""
    id = http.sdk_created()
    account = http.account
    with account.lock, account.transaction():
        document = next(iter(account.store.documents.every()))
        pairs = (*document.data_fields, ("old", "y" * 1_000_000))
        account.store.documents.put(replace(document, data_fields=pairs))
    pages = [http.get(f"{HOME}/applications/{id}").text, report(http, id), report(http)]
    for text in pages:
        assert "yyy… (990000 more characters)" in text
        assert len(text) < 200_000
    assert len(http.get(f"PhoneNumber/Compliance/{id}/?expand=documents").data) > 1_000_000


def test_a_report_is_bounded_and_says_so(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """In applications and in bytes of pictures."""
    from plivo_sim.console import reports

    few = limits.Limit("few", 2, "applications", "")
    small = limits.Limit("small", len(PNG) + 10, "bytes", "")
    monkeypatch.setattr(reports, "REPORT_APPLICATIONS", few)
    monkeypatch.setattr(reports, "REPORT_FILES", small)
    for i in range(3):
        http.sdk_created(alias=f"case {i}")
    text = report(http)
    assert "the 2 newest are told here; 1 older ones are left out" in text
    assert text.count("data:image/png") == 1
    assert "1 uploaded picture is not in this file" in text


def test_a_report_is_bounded_in_documents(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """Older applications are left out; the newest never is."""
    from plivo_sim.console import reports

    for i in range(4):
        http.sdk_created(alias=f"case {i}")
    for most, told in ((1, 1), (2, 1), (5, 2), (8, 4)):
        few = limits.Limit("few", most, "documents", "")
        monkeypatch.setattr(reports, "REPORT_DOCUMENTS", few)
        text = report(http)
        assert text.count('<article class="case"') == told
        left_out = f"the {told} newest are told here; {4 - told} older ones are left out"
        assert (left_out in text) == (told < 4)


def test_a_report_is_sent_in_parts(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """None of which has more of its pictures than is encoded at once; each stands in its place."""
    from plivo_sim.console import reports

    monkeypatch.setattr(reports, "ENCODED_AT_ONCE", 3 * 1024)
    pictures = [PNG + bytes([n]) * 10_000 for n in range(2)]
    id = http.sdk_created(files={n: (each, f"{n}.png") for n, each in enumerate(pictures)})
    encoded = [base64.b64encode(each).decode() for each in pictures]
    answer = http.app.test_client().get(f"{HOME}/applications/{id}/report.html")
    parts = list(answer.iter_encoded())
    text = b"".join(parts).decode()
    assert answer.content_length == sum(map(len, parts))
    assert [text.count(f'src="data:image/png;base64,{each}"') for each in encoded] == [1, 1]
    assert text.index(encoded[0]) < text.index(encoded[1])
    assert all(encoded[0] not in part.decode() for part in parts)


def test_an_empty_account_has_a_report(http: Http) -> None:
    """That says so; looking at it makes no account."""
    assert "This account has no applications." in http.get(f"{HOME}/report.html").text
    assert http.sim.accounts() == []


def test_a_report_is_saved_where_asked_for(http: Http) -> None:
    """Under a name of its own."""
    id = http.sdk_created()
    saved = http.get(f"{HOME}/applications/{id}/report.html?save").headers["Content-Disposition"]
    assert saved.startswith("attachment")
    assert f"plivo-sim-{id}.html" in saved
    assert http.get(f"{HOME}/report.html").headers["Content-Disposition"].startswith("inline")


def test_the_report_in_lines_of_one_application(http: Http) -> None:
    """Only what is about it."""
    id, other = http.sdk_created(alias="one", callback_url=URL), http.sdk_created(alias="two")
    http.decide(id, "accepted")
    http.decide(other, "accepted")
    lines = http.control("GET", "/report", application=id).get_json()["lines"]
    assert any(line.startswith(f"application {id}") for line in lines)
    assert any("callback accepted to" in line for line in lines)
    assert not any(other in line for line in lines)
    assert http.control("GET", "/report", application="nope").status_code == 404
    assert http.control("GET", "/report", format="pdf").status_code == 400


def test_the_whole_picture_is_short_enough() -> None:
    """However long the story: it is one picture of a page."""
    drawn = draw([step(text="y" * 5000, detail="z" * 5000)] * 5000, START, "x")
    assert len(drawn) < 120 * (5000 * 2 + 1200)
    assert sequence.MOST_STEPS == 120
