"""The list of applications, and the page of one."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from urllib.request import urlopen

import pytest

from plivo_sim.assembly import LiveSimulator
from plivo_sim.console.pages import PAGE_SIZE
from tests.console.support import HOME, press
from tests.support import AUTH_ID, PNG, Http


def listed(http: Http, query: str = "") -> list[str]:
    """The ids on a list page, from above."""
    page = http.get(f"{HOME}/applications{query}").text
    return re.findall(r'name="id" value="([^"]+)"', page)


def test_a_browser_is_led_to_the_console(http: Http) -> None:
    """``/`` sends whoever wants HTML to the console."""
    answer = http.get("/", headers={"Accept": "text/html,*/*"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/")


def test_a_script_learns_where_things_are(http: Http) -> None:
    """``/`` tells a script in JSON what is here."""
    assert http.get("/").get_json()["console"] == "/console/"


def test_an_empty_simulator_says_how_to_begin(http: Http) -> None:
    """With no account there is a command to copy, not an empty table."""
    assert "plivo-sim try" in http.get("/console/").text


def test_the_only_account_is_opened(http: Http) -> None:
    """With one account there is nothing to choose."""
    http.sdk_created()
    assert http.get("/console/").headers["Location"] == f"{HOME}/"


def test_several_accounts_are_listed(http: Http) -> None:
    """With two accounts, both can be chosen."""
    other = Http(http.app, http.sim, auth_id="MAYYYYYYYYYYYYYYYYYY")
    http.sdk_created()
    other.sdk_created()
    page = http.get("/console/").text
    assert f"/console/{AUTH_ID}/" in page
    assert f"/console/{other.auth_id}/" in page


@pytest.mark.parametrize("path", [HOME, f"{HOME}/"])
def test_an_account_begins_with_its_overview(http: Http, path: str) -> None:
    """A URL that is cut short leads there."""
    assert "<h1>Overview</h1>" in http.get(path).text


def test_looking_at_an_account_does_not_make_it(http: Http) -> None:
    """A page of an unknown account is a page, and the account is still unknown."""
    assert http.get(f"{HOME}/applications").status_code == 200
    assert http.sim.accounts() == []


def test_what_is_no_account_is_a_404_page(http: Http) -> None:
    """A wrong account id is told as HTML with the right status."""
    answer = http.get("/console/MA123/applications")
    assert (answer.status_code, answer.mimetype) == (404, "text/html")


def test_a_filter_that_leaves_nothing_says_so(http: Http) -> None:
    """How to begin is said where there is nothing at all."""
    http.sdk_created()
    page = http.get(f"{HOME}/applications?status=accepted").text
    assert "No matching application" in page


def test_newest_first(http: Http) -> None:
    """The list begins with what was made last."""
    made = [http.sdk_created(alias=f"a{i}") for i in range(3)]
    assert listed(http) == made[::-1]


def test_pages(http: Http) -> None:
    """Each page holds the next older ones, none twice and none lost."""
    made = [http.sdk_created(alias=f"a{i}") for i in range(PAGE_SIZE + 2)][::-1]
    assert listed(http, "?page=1") == made[:PAGE_SIZE]
    assert listed(http, "?page=2") == made[PAGE_SIZE:]


@pytest.mark.parametrize("number", ["3", "99999", "0", "-1", "x", "1e9", "٣"])
def test_a_page_that_is_none(http: Http, number: str) -> None:
    """A page number from anywhere is answered with the nearest page."""
    id = http.sdk_created()
    assert listed(http, f"?page={number}") == [id]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?status=rejected", [0]),
        ("?status=submitted", [2, 1]),
        ("?origin=current", [2, 1, 0]),
        ("?origin=legacy", []),
        ("?country_iso=IN", [2, 1, 0]),
        ("?q=Bolt", [1]),
        ("?q=bolt&status=rejected", []),
        ("?q=ACME+traders", [2, 0]),
        ("?q=nothing", []),
        ("?status=nonsense", []),
    ],
)
def test_filters_and_search(http: Http, query: str, found: list[int]) -> None:
    """Filters narrow the list; a search looks at aliases and names, whatever the case."""
    bolt = {"type": "business", "name": "Bolt & Co", "country": "IN"}
    made = [
        http.sdk_created(alias="first"),
        http.sdk_created(alias="second", end_user={**http.sdk_data()["end_user"], **bolt}),
        http.sdk_created(alias="third"),
    ]
    http.decide(made[0], "rejected", "no")
    assert listed(http, query) == [made[i] for i in found]


def test_search_by_id(http: Http) -> None:
    """A part of an id finds its application."""
    made = [http.sdk_created(alias=f"a{i}") for i in range(2)]
    assert listed(http, f"?q={made[0][:13]}") == [made[0]]


def test_an_empty_account_says_how_to_fill_it(http: Http) -> None:
    """No application yet: the page names the URL to point at and a command to copy."""
    page = http.get(f"{HOME}/applications").text
    assert "http://127.0.0.1" in page
    assert "plivo-sim seed 20" in page


def test_many_are_decided_at_once(http: Http) -> None:
    """The ticked ones get one decision; the others do not."""
    made = [http.sdk_created(alias=f"a{i}") for i in range(3)]
    press(http, "decide", id=made[:2], status="rejected", preset="name_mismatch")
    statuses = [http.control("GET", f"/applications/{id}").get_json()["status"] for id in made]
    assert statuses == ["rejected", "rejected", "submitted"]


def test_a_preset_becomes_its_sentence(http: Http) -> None:
    """A rejection by preset tells the applicant the preset's words."""
    id = http.sdk_created()
    press(http, "decide", id=id, status="rejected", preset="unreadable_scan")
    reason = http.control("GET", f"/applications/{id}").get_json()["rejection_reason"]
    assert reason.startswith("The scan is not readable")


def test_own_words_win_over_a_preset(http: Http) -> None:
    """Free text is taken where both are given."""
    id = http.sdk_created()
    press(http, "decide", id=id, status="rejected", preset="unreadable_scan", reason="Because.")
    assert http.control("GET", f"/applications/{id}").get_json()["rejection_reason"] == "Because."


def test_what_was_done_can_be_copied(http: Http) -> None:
    """The page after a decision shows the command and the HTTP call that do the same."""
    id = http.sdk_created()
    page = press(http, "decide", id=id, status="rejected", reason="Because.").text
    assert f"plivo-sim apps reject {id} --reason Because. --url http://127.0.0.1" in page
    assert f"curl -X POST http://127.0.0.1/_sim/applications/{id}/decision" in page


@pytest.mark.parametrize("form", [{"status": "accepted"}, {}, {"status": "draft"}])
def test_a_decision_needs_what_it_decides(http: Http, form: dict[str, str]) -> None:
    """Nothing ticked, or no decision chosen: that is said, and nothing happens."""
    id = http.sdk_created()
    page = press(http, "decide", **form, **({} if form == {"status": "accepted"} else {"id": id}))
    assert "Not done:" in page.text
    assert http.control("GET", f"/applications/{id}").get_json()["status"] == "submitted"


def test_a_reason_does_not_accept(http: Http) -> None:
    """Whoever writes a reason and presses Enter meant no acceptance; the reason stays."""
    id = http.sdk_created()
    back = f"{HOME}/applications/{id}"
    page = press(http, "decide", back=back, id=id, status="accepted", reason="Too blurred").text
    assert "accepted goes without a reason" in page
    assert 'id="reason" value="Too blurred"' in page
    assert http.control("GET", f"/applications/{id}").get_json()["status"] == "submitted"


def test_a_refused_decision_says_why(http: Http) -> None:
    """What the control API refuses is shown in its words."""
    id = http.sdk_created()
    http.decide(id, "accepted")
    page = press(http, "decide", id=id, status="rejected").text
    assert "Not done:" in page
    assert f"cannot reject application {id} in status accepted" in page


@pytest.mark.parametrize(
    ("path", "labels"),
    [
        ([], ["Accept", "Reject", "Ask for more information"]),
        (["rejected"], []),
        (["accepted"], ["Suspend", "Let expire"]),
        (["accepted", "suspended"], ["Reinstate"]),
        (["accepted", "expired"], []),
    ],
)
def test_only_what_may_follow_has_a_button(http: Http, path: list[str], labels: list[str]) -> None:
    """The decisions offered are those of the table of statuses."""
    id = http.sdk_created()
    for status in path:
        http.decide(id, status)
    page = http.get(f"{HOME}/applications/{id}").text
    assert re.findall(r'<button name="status"[^>]*>([^<]+)<', page) == labels


def test_reinstating(http: Http) -> None:
    """The button of a suspended application is the command of the same name."""
    id = http.sdk_created()
    http.decide(id, "accepted")
    http.decide(id, "suspended")
    page = press(http, "decide", id=id, status="accepted", verb="reinstate").text
    assert f"plivo-sim apps reinstate {id}" in page
    assert http.control("GET", f"/applications/{id}").get_json()["status"] == "accepted"


def test_the_page_tells_what_comes_next(http: Http) -> None:
    """The timeline ends with the review to come, and a way there."""
    id = http.sdk_created()
    page = http.get(f"{HOME}/applications/{id}").text
    assert 'name="to" value="2026-01-08T09:00:00+00:00"' in page


def test_the_same_record_as_each_api_shows_it(http: Http) -> None:
    """One record, in the words of each API: a tab and a URL for each, first that which made it."""
    id = http.sdk_created()
    page = http.get(f"{HOME}/applications/{id}").text
    tabs = re.findall(r'<a href="\?view=(\w+)#as-shown"( aria-current="true")?>([^<]+)</a>', page)
    assert tabs == [
        ("legacy", "", "Legacy"),
        ("beta", "", "New API, beta"),
        ("current", ' aria-current="true"', "New API, current"),
    ]
    assert "&#34;pending_review&#34;" not in page
    page = http.get(f"{HOME}/applications/{id}?view=beta").text
    assert "&#34;status&#34;: &#34;pending_review&#34;" in page


@pytest.mark.parametrize("view", ["legacy", "beta", "current"])
def test_the_calls_beside_the_views_are_real(http: Http, view: str) -> None:
    """Whoever makes the call gets the body that the page shows."""
    id = http.sdk_created()
    page = html.unescape(http.get(f"{HOME}/applications/{id}?view={view}").text)
    pairs = re.findall(r'<p class="call">GET ([^<]+)</p>.*?<pre[^>]*>(.*?)</pre>', page, re.S)
    (shown,) = pairs
    answer = http.get(shown[0]).get_json()
    answer.pop("api_id", None)
    assert json.loads(shown[1]) == answer


def test_requests_about_it_have_real_times(http: Http) -> None:
    """Their times are times to the page, which tells the local one."""
    page = http.get(f"{HOME}/applications/{http.sdk_created()}").text
    assert '<time datetime="2026-01-05' in page.partition('id="exchanges"')[2]


def test_who_decided_is_explained(http: Http) -> None:
    """The page of a case names the rule that decided it, and those that did not match."""
    rules = [
        {"name": "others", "when": {"country": "DE"}, "decide": "accepted"},
        {"name": "ours", "when": {"country": "IN"}, "decide": "rejected"},
    ]
    scenario = {"scenario": "Some are refused.", "rules": rules}
    answer = http.control("POST", "/scenario", {"scenario": scenario, "account": AUTH_ID})
    assert answer.status_code == 200, answer.text
    page = http.get(f"{HOME}/applications/{http.sdk_created()}").text
    assert "rule &#39;ours&#39;" in page
    assert "others" in page


def test_a_report_is_text(http: Http) -> None:
    """The report of a case is plain text with its permalink and its timeline."""
    id = http.sdk_created(alias="<b>Acme</b>")
    answer = http.get(f"{HOME}/applications/{id}/report.txt")
    assert answer.mimetype == "text/plain"
    assert "<b>Acme</b>: submitted" in answer.text
    assert f"http://127.0.0.1{HOME}/applications/{id}" in answer.text


def test_a_report_obeys_nobody(http: Http) -> None:
    """A terminal that shows it is told nothing by a stored name: what it might obey is a space."""
    id = http.sdk_created(alias="Ac\x1b[31mme\x07\u009b1m Ltd")
    text = http.get(f"{HOME}/applications/{id}/report.txt").text
    assert "Ac [31mme  1m Ltd" in text
    assert text.replace("\n", "").isprintable()


def test_an_image_is_shown_and_cannot_run(http: Http) -> None:
    """An uploaded image is served as what it is, within a sandbox."""
    id = http.sdk_created()
    page = http.get(f"{HOME}/applications/{id}").text
    (src,) = re.findall(r'<img src="([^"]+)"', page)
    answer = http.get(src)
    assert (answer.data, answer.mimetype) == (PNG, "image/png")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_pdf_is_only_saved(http: Http) -> None:
    """A PDF is an attachment: no browser opens it in our origin."""
    id = http.sdk_created()
    page = http.get(f"{HOME}/applications/{id}").text
    (at,) = re.findall(r'<a href="([^"]+/file)" download', page)
    assert http.get(at).headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("path", ["", "/report.txt", "/documents/nope/file"])
def test_an_unknown_case_is_a_404_page(http: Http, path: str) -> None:
    """An id that nobody has is told on a page."""
    answer = http.get(f"{HOME}/applications/nope{path}")
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert f'href="{HOME}/"' in answer.text


def test_another_accounts_case_is_not_shown(http: Http) -> None:
    """Accounts do not mix in the console either."""
    other = Http(http.app, http.sim, auth_id="MAYYYYYYYYYYYYYYYYYY")
    assert http.get(f"{HOME}/applications/{other.sdk_created()}").status_code == 404


@pytest.mark.live
def test_the_first_lines_of_python_work_as_shown(live: LiveSimulator) -> None:
    """Whoever pastes what the empty console shows gets an answer."""
    shown = urlopen(f"{live.url}/console/").read().decode()
    found = re.search(r'<pre id="first-sdk"[^>]*>(.*?)</pre>', shown, re.S)
    assert found is not None
    ran = subprocess.run(
        [sys.executable, "-c", html.unescape(found[1])], capture_output=True, text=True, timeout=60
    )
    assert "'number_type': 'local'" in ran.stdout, ran.stderr
