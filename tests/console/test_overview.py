"""The overview, the facts in every header, and the search that leads anywhere."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from plivo_sim.account.interfaces import Damage
from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.console.pictures.due import draw, in_words
from plivo_sim.machines import default_machine
from plivo_sim.machines.drawing import svg_of
from plivo_sim.webhooks.transport import Answer, MemoryTransport
from tests.conftest import PAUSED
from tests.console.support import HOME, press
from tests.support import AUTH_ID, Http

CSS = Path(__file__).parents[2] / "plivo_sim/console/static/console.css"


def stream(http: Http, query: str = "") -> list[str]:
    """The lines of the stream, from above, without their times."""
    page = http.get(f"{HOME}/{query}").text
    lines = re.findall(r'<li class="(\w+)" data-key="\d+">(.*?)</li>', page, re.S)
    texts = [re.sub(r"<time.*?</time>|<[^>]+>", " ", text) for _, text in lines]
    return [" ".join(text.split()) for text in texts]


def chips(http: Http) -> list[str]:
    """What every header says is on, or goes wrong."""
    found = re.search(r'id="notices".*?</div>', http.get(f"{HOME}/time").text, re.S)
    assert found is not None
    return re.findall(r">([^<]+)</a>", found[0])


# --- the machine -------------------------------------------------------------------------------


def test_the_machine_has_its_counts(http: Http) -> None:
    """Each status leads to its applications; arrows that nothing took are dotted."""
    http.sdk_created()
    http.decide(http.sdk_created(alias="b"), "accepted")
    page = http.get(f"{HOME}/").text
    link = f'<a href="{HOME}/applications?status=accepted" aria-label="accepted; beta: approved; 1 now">'  # fmt: skip  # noqa: E501
    assert link in page
    assert '<path class="line reviewer" ' in page
    assert '<path class="line client never" ' in page


def test_its_colours_are_the_sheets(http: Http) -> None:
    """The page's policy allows no style in it; each class that is drawn has its colour there."""
    picture = svg_of(default_machine(), {}, {}, dict.fromkeys(default_machine().statuses, "/x"))
    assert "<style" not in picture
    assert "style=" not in picture
    sheet = CSS.read_text(encoding="utf-8")
    for names in set(re.findall(r'class="([^"]+)"', picture)):
        for name in names.split():
            assert f".{name}" in sheet, name


def test_the_arrows_are_the_accounts(http: Http) -> None:
    """What others did in the same simulator is not counted, and a reset begins anew."""
    other = "MAOTHEROTHEROTHEROTH"
    http.decide(http.sdk_created(), "accepted")
    page = http.get(f"/console/{other}/").text
    assert '<path class="line reviewer" ' not in page
    http.control("POST", "/reset", {"account": AUTH_ID})
    assert '<path class="line reviewer" ' not in http.get(f"{HOME}/").text


def test_the_picture_in_words(http: Http) -> None:
    """The same in two tables."""
    http.sdk_created()
    page = http.get(f"{HOME}/").text
    table = page.partition('id="statuses-table"')[2]
    assert '<td>draft</td><td>submitted</td><td>client</td><td class="num">1</td>' in table
    assert '<td class="num">never</td>' in table


# --- the stream --------------------------------------------------------------------------------


def test_the_stream_has_everything(http: Http) -> None:
    """Requests, changes of status, callbacks and moves of the clock, the newest first."""
    id = http.sdk_created(alias="Acme", callback_url="http://localhost:9/cb")
    http.decide(id, "rejected", "The seal is missing.")
    http.advance("90m")
    assert stream(http)[:5] == [
        "clock Clock moved by 1 h 30 min",
        "callback 200 rejected of Acme callback 1, try 1: delivered; to http://localhost:9/cb",
        "status rejected Acme was submitted; a tester decided; The seal is missing.",
        "request 201 POST …/PhoneNumber/Compliance/ compliance.create",
        "status submitted Acme was draft; created and submitted",
    ]


@pytest.mark.parametrize("kind", ["request", "transition", "callback", "clock"])
def test_one_kind(http: Http, kind: str) -> None:
    """A filter of the URL; what it leaves out is left out."""
    id = http.sdk_created(callback_url="http://localhost:9/cb")
    http.decide(id, "rejected")
    http.advance("1h")
    page = http.get(f"{HOME}/?kind={kind}").text
    assert set(re.findall(r'<li class="(\w+)" data-key', page)) == {kind}


def test_it_leads_to_what_is_there(http: Http) -> None:
    """Each line has the page of its request, application or callback; none that is gone."""
    id = http.sdk_created(alias="Acme")
    assert f'<a href="{HOME}/applications/{id}">Acme</a>' in http.get(f"{HOME}/").text
    http.control("POST", "/reset", {"account": AUTH_ID})
    page = http.get(f"{HOME}/").text
    assert "<bdi>Acme</bdi>" in page
    assert f'href="{HOME}/applications/{id}"' not in page


def test_another_accounts_stream(http: Http) -> None:
    """What happens in one account is not told in another."""
    Http(http.app, http.sim, auth_id="MAYYYYYYYYYYYYYYYYYY").sdk_created()
    assert stream(http) == []


# --- what needs attention -----------------------------------------------------------------------


def test_nothing_needs_attention(http: Http) -> None:
    """A quiet account has no chips, and no empty box."""
    http.sdk_created()
    assert chips(http) == []
    assert "What needs attention" not in http.get(f"{HOME}/").text


def test_what_is_switched_on(http: Http) -> None:
    """Scenario, faults and the next outcome, each with a way to its page."""
    http.control("POST", "/scenario", {"name": "name-mismatch", "account": AUTH_ID})
    for _ in range(2):
        http.control("POST", "/faults", {"effect": "error", "account": AUTH_ID})
    http.control("POST", "/next-outcome", {"decide": "rejected", "account": AUTH_ID})
    assert chips(http) == ["scenario: Two names", "2 faults", "next outcome set"]
    assert f'<a href="{HOME}/faults"><span class="chip wait">2 faults' in http.get(f"{HOME}/").text


def test_callbacks_that_do_not_arrive() -> None:
    """Those that wait for another try, then those that failed for good."""
    sim = make_simulator(PAUSED, transport=MemoryTransport(*[500] * 8))
    http = Http(create_app(sim), sim)
    for i in range(2):
        id = http.sdk_created(alias=f"case {i}", callback_url="http://localhost:9/")
        http.decide(id, "rejected")
    http.advance("1s")
    assert chips(http) == ["2 callbacks to retry"]
    http.advance("1h")
    assert chips(http) == ["2 callbacks failed"]
    assert f'href="{HOME}/traffic?kind=callback&amp;state=failed"' in http.get(f"{HOME}/").text
    sim.close()


def test_damaged_state(http: Http) -> None:
    """What was lost is said on each page."""
    where = {"file": "a.jsonl", "line": 3, "offset": 9, "size_bytes": 5, "kept_in": "b"}
    http.sim.damages = [Damage(**where, whole_lines=1, torn=False)]  # type: ignore[arg-type]
    assert chips(http) == ["state damaged"]
    assert "a.jsonl was DAMAGED" in http.get(f"{HOME}/").text


# --- what is due next ---------------------------------------------------------------------------


def test_what_is_due_next(http: Http) -> None:
    """Beside the clock: in how long, what, and when."""
    http.sdk_created()
    page = http.get(f"{HOME}/time").text
    assert 'To next event<span class="until"> (in 3 d)</span>' in page
    assert 'aria-label="Due in 3 d: accepted, at 2026-01-08 09:00:00 UTC"' in page


def test_ticks_are_in_proportion() -> None:
    """From now at the left to the last at the right; each in its colour; words are escaped."""
    now = datetime(2026, 1, 5, tzinfo=UTC)
    due = [(now, "good"), (now + timedelta(days=1), "bad"), (now + timedelta(days=2), "idle")]
    picture = draw(now, due, "<b> & co")
    assert re.findall(r'class="tick (\w+)" d="M([\d.]+) ', picture) == [
        ("good", "4.0"), ("bad", "48.0"), ("idle", "92.0"),
    ]  # fmt: skip
    assert "&lt;b&gt; &amp; co" in picture
    assert "<b>" not in picture


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.25, "0.25 s"), (59, "59 s"), (3600, "1 h"), (93784, "1 d 2 h"), (172800, "2 d")],
)
def test_a_duration_in_words(seconds: float, words: str) -> None:
    """Its two largest units."""
    assert in_words(seconds) == words


# --- the search ---------------------------------------------------------------------------------


def found(http: Http, text: str) -> str:
    page = http.get(f"{HOME}/search", query_string={"q": text}).text
    return page.partition('id="found"')[2].partition("</main>")[0]


def test_records_are_found(http: Http) -> None:
    """Applications, callbacks, requests and numbers, with their pages."""
    id = http.sdk_created(alias="Zenith", callback_url="http://localhost:9/zenith")
    http.decide(id, "rejected")
    http.advance("1s")
    account = http.sim.account(AUTH_ID)
    with account.lock:
        (delivery,) = account.store.deliveries.having("application_id", id)
    (*_, request) = account.exchanges
    assert f'href="{HOME}/applications/{id}"' in found(http, "zenith")
    assert f'href="{HOME}/webhooks/{delivery.id}"' in found(http, "/zenith")
    assert f'href="{HOME}/webhooks/{delivery.id}"' in found(http, delivery.id[:9])
    assert f'href="{HOME}/requests/{request.id}"' in found(http, request.id[:9])
    assert f'href="{HOME}/requests/{request.id}"' in found(http, "compliance.create")


@pytest.mark.parametrize(
    ("text", "hit"),
    [
        ("", f'href="{HOME}/"'),
        ("over", f'href="{HOME}/"'),
        ("traffic", f'href="{HOME}/traffic"'),
        ("rejected", f'href="{HOME}/applications?status=rejected"'),
        ("new app", 'action="/console/do/seed?'),
        ("scenario name-mis", 'name="name" value="name-mismatch"'),
        ("pause", "Run the clock"),
        ("HIST", f'href="{HOME}/history"'),
    ],
)
def test_commands_are_found(http: Http, text: str, hit: str) -> None:
    """Pages and things to do, by words in any order and case."""
    text = "run" if text == "pause" else text  # the clock stands still already
    assert hit in found(http, text)


def test_nothing_is_found(http: Http) -> None:
    """What was looked through is said; what was typed is only text."""
    page = found(http, "<script>alert(1)</script>")
    assert "Nothing found" in page
    assert "<script>" not in page


def test_a_command_works(http: Http) -> None:
    """The button of the search page does it, and leads back."""
    page = press(http, "advance", f"{HOME}/search?q=hour", account=AUTH_ID, by="1h").text
    assert "Moved 1 hour, " in page
    assert "Found for" in page


@pytest.mark.parametrize("text", ["\x00", "%", "_", "a" * 5000, "\U0001f600", "'", "٣٣٣٣"])
def test_any_text_can_be_searched_for(http: Http, text: str) -> None:
    """Whatever it is, it is a page."""
    http.sdk_created()
    assert http.get(f"{HOME}/search", query_string={"q": text}).status_code == 200
    assert http.get(f"{HOME}/applications", query_string={"q": text}).status_code == 200


def test_the_stream_says_what_failed_and_why(
    http: Http, transport: MemoryTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused call with its reason; a receiver that gave no answer as such, not without one."""
    http.post("EndUser/", data=b"{", content_type="application/json")
    assert "400 POST …/EndUser/ legacy.create_end_user: the body is not" in stream(http)[0]
    nobody = Answer(status=None, error="connection refused")
    monkeypatch.setattr(transport, "send", lambda _: nobody)
    http.decide(http.sdk_created(callback_url="http://localhost:9/"), "accepted")
    assert "callback no answer accepted of" in stream(http, "?kind=callback")[0]


def test_a_state_has_one_name() -> None:
    """A callback that is tried again is at the same retry in the stream, in Traffic, in the list of
    applications and in the report; the filter that the header leads to finds it."""
    sim = make_simulator(PAUSED, transport=MemoryTransport(*[500] * 8))
    http = Http(create_app(sim), sim)
    id = http.sdk_created(alias="case", callback_url="http://localhost:9/")
    http.decide(id, "rejected")
    http.advance("1m")
    assert "retry 2 of 3; to http://localhost:9/" in stream(http)[1]
    told = "\n".join(http.control("GET", "/report", account=AUTH_ID).get_json()["lines"])
    assert re.findall(r"retry .*", told)[::2] == ["retry 2 of 3, last answer 500", "retry 2 of 3"]
    asked = {"account": AUTH_ID, "kind": "callback"}
    tried = http.control("GET", "/events", **asked).get_json()["events"]
    assert [(each["attempt"], each["retries"]) for each in tried] == [(1, 3), (2, 3)]
    asked = (f"{HOME}/traffic?kind=callback&state=retry", f"{HOME}/applications?callbacks=retry")
    case = (f"{HOME}/applications/{id}", *(f"{HOME}/applications/{id}/report.{it}" for it in
            ("txt", "html")))  # fmt: skip
    for page in (*asked, *case, "/_sim/report"):
        assert "retry 2 of 3" in http.get(page).text, page
    assert "retry 2 of 3" not in http.get(f"{HOME}/traffic?state=pending").text
    sim.close()
