"""Time in the console: the header, the strip of what is due, the buttons."""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime, timedelta

import pytest

from plivo_sim.console.clock import SHOWN_LANES, WINDOWS
from plivo_sim.console.pictures.axis import MOST_TICKS, Axis
from plivo_sim.webhooks.transport import MemoryTransport
from tests.console.support import HOME, press
from tests.support import AUTH_ID, Http

CALLBACK = "http://127.0.0.1:9/hook"


def now(http: Http) -> str:
    answer = http.control("GET", "/clock", account=AUTH_ID).get_json()
    return str(answer["now"])


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "paused"),
        ({"paused": "false"}, "real time"),
        ({"paused": "false", "warp": "5"}, "5 × real time"),
    ],
)
def test_the_header_says_how_time_goes(http: Http, settings: dict[str, str], told: str) -> None:
    """And while somebody advances, that."""
    http.account.configure(settings)
    for is_advancing, expected in ((False, told), (True, "advancing")):
        http.account.advancing = is_advancing
        assert f'<span class="rate dim">{expected}</span>' in http.get(f"{HOME}/time").text


def test_advancing_by(http: Http) -> None:
    """The button moves the account's clock."""
    press(http, "advance", account=AUTH_ID, by="1d")
    assert now(http) == "2026-01-06T09:00:00.000000Z"


def test_advancing_to_the_next_event(http: Http) -> None:
    """Where something is due, a button goes exactly there."""
    id = http.sdk_created()
    press(http, "advance-to", account=AUTH_ID, to="2026-01-08T09:00:00+00:00")
    assert http.control("GET", f"/applications/{id}").get_json()["status"] == "accepted"


@pytest.mark.parametrize("path", ["applications", "time"])
def test_an_event_that_is_over(http: Http, path: str) -> None:
    """Where the clock got there first, the button says so: no error, nothing to copy."""
    http.sdk_created()
    page = http.get(f"{HOME}/{path}").text
    assert "/console/do/to-event" in page
    http.advance("30d")
    page = press(http, "to-event", account=AUTH_ID, to="2026-01-08T09:00:00+00:00").text
    assert 'class="done good"' in page
    assert "It has happened already: the clock is past 2026-01-08" in page
    assert "The same from a shell" not in page
    assert "clock advance --to" not in http.get(f"{HOME}/history").text


@pytest.mark.parametrize("path", ["applications", "time"])
def test_an_event_that_never_comes(http: Http, path: str) -> None:
    """What is due behind the end of the clock is told to be: no button goes there."""
    press(http, "advance-to", account=AUTH_ID, to="8999-12-31T23:00:00+00:00")
    http.sdk_created()
    page = http.get(f"{HOME}/{path}").text
    assert "/console/do/to-event" not in page
    assert "Due never, as the clock stops at the year 9000: accepted, at 9000-01-03" in page
    found = http.get(f"{HOME}/search?q=advance").text
    assert "Advance 1 hour" in found
    assert "Advance to next event" not in found


def test_an_event_to_come(http: Http) -> None:
    """The same button goes there."""
    id = http.sdk_created()
    page = press(http, "to-event", account=AUTH_ID, to="2026-01-08T09:00:00+00:00").text
    assert "clock advance --to 2026-01-08T09:00:00+00:00" in page
    assert http.control("GET", f"/applications/{id}").get_json()["status"] == "accepted"


def test_an_event_that_is_no_instant(http: Http) -> None:
    """Any other refusal is one."""
    assert 'class="done bad"' in press(http, "to-event", account=AUTH_ID, to="soon").text


def test_a_past_that_was_typed_is_refused(http: Http) -> None:
    """Time never goes back."""
    page = press(http, "advance-to", account=AUTH_ID, to="2020-01-01T00:00:00Z").text
    assert "the clock never goes back" in page
    assert 'class="done bad"' in page


@pytest.mark.parametrize(
    ("do", "fields", "command"),
    [
        ("advance", {"by": "2 business days"}, "clock advance &#39;2 business days&#39;"),
        ("advance-to", {"to": "2026-02-01T00:00:00Z"}, "clock advance --to 2026-02-01T00:00:00Z"),
        ("pause", {}, "clock pause"),
        ("resume", {}, "clock resume"),
        ("rate", {"rate": "3600"}, "clock rate 3600"),
    ],
)
def test_each_button_is_a_command(
    http: Http, do: str, fields: dict[str, str], command: str
) -> None:
    """What a button did is shown as the command line that does it."""
    page = press(http, do, account=AUTH_ID, **fields).text
    assert 'class="done good"' in page
    assert f"plivo-sim {command} --account {AUTH_ID}" in page


def test_a_wrong_duration_is_told(http: Http) -> None:
    """What cannot be read changes nothing, and the page says what can."""
    before = now(http)
    page = press(http, "advance", account=AUTH_ID, by="soon").text
    assert "cannot read duration" in page
    assert now(http) == before


def test_what_is_due_soonest_first(http: Http) -> None:
    """The strip begins with what comes next."""
    first, second = http.sdk_created(alias="late"), http.sdk_created(alias="soon")
    http.decide(first, "accepted")  # its timer goes
    http.sdk_created(alias="third")
    due = http.get(f"{HOME}/time").text.partition('id="due"')[2]
    assert due.index(second) < due.index("third")
    assert first not in due


def test_nothing_due_says_so(http: Http) -> None:
    """An empty strip says what would fill it."""
    assert "Nothing is due." in http.get(f"{HOME}/time").text


def test_the_pulse_changes_with_a_write(http: Http) -> None:
    """The script sees that something changed, and not when nothing did."""
    http.sdk_created()
    before = http.get(f"{HOME}/pulse").get_json()["pulse"]
    assert http.get(f"{HOME}/pulse").get_json()["pulse"] == before
    http.sdk_created(alias="another")
    assert http.get(f"{HOME}/pulse").get_json()["pulse"] != before


def test_the_pulse_changes_with_a_decision(http: Http) -> None:
    """A decision without a callback is a change, too."""
    id = http.sdk_created()
    before = http.get(f"{HOME}/pulse").get_json()["pulse"]
    http.decide(id, "accepted")
    assert http.get(f"{HOME}/pulse").get_json()["pulse"] != before


def test_pages_change_nothing(http: Http) -> None:
    """Looking leaves no trace: not in the records, not in the ids that follow."""
    id = http.sdk_created()
    before = http.control("GET", "/export", account=AUTH_ID).get_json()
    for path in ("applications", f"applications/{id}", "time", "history", "pulse"):
        assert http.get(f"{HOME}/{path}").status_code == 200
    assert http.control("GET", "/export", account=AUTH_ID).get_json() == before


def test_the_history_is_a_script(http: Http) -> None:
    """What was done in the console can be copied as commands, in order."""
    press(http, "advance", account=AUTH_ID, by="1h")
    press(http, "advance", account=AUTH_ID, by="nonsense")
    press(http, "pause", account=AUTH_ID)
    script = http.get(f"{HOME}/history").text.partition('id="scripts"')[2]
    assert script.index("clock advance 1h") < script.index("clock pause")
    assert "nonsense" not in script


def test_looking_is_not_logged(http: Http, caplog: pytest.LogCaptureFixture) -> None:
    """A page that asks every second does not fill the log; a button is one line, and its calls."""
    caplog.set_level(logging.INFO, "plivo_sim")
    http.get(f"{HOME}/pulse")
    press(http, "advance", account=AUTH_ID, by="1h")
    told = [record.getMessage().split(" ")[:2] for record in caplog.records]
    paths = ["/_sim/undo/points", "/_sim/clock/advance", "/console/do/advance"]
    assert told == [["POST", path] for path in paths]


# --- what a move did -------------------------------------------------------------------------


def told(page: str) -> str:
    """The notice of what the button did, without its tags."""
    notice = page.partition('id="done"')[2].partition("</section>")[0].partition(">")[2]
    return " ".join(re.sub("<[^>]+>", "", notice.partition("<details")[0]).split())


def test_a_move_says_what_happened(http: Http) -> None:
    """Each status with its count, and what became of the callbacks, with a link to each."""
    ids = [http.sdk_created(alias=f"case {n}", callback_url=CALLBACK) for n in range(3)]
    http.control("POST", "/next-outcome", {"decide": "rejected", "account": AUTH_ID})
    http.sdk_created(alias="SIM-REJECT", callback_url=CALLBACK)
    page = press(http, "advance", account=AUTH_ID, by="3d").text
    assert told(page).startswith(
        "Moved 3 days, to Thu 2026-01-08 09:00:00 UTC: 3 accepted, 1 rejected, 4 callbacks."
    )
    assert f'href="{HOME}/applications?status=rejected"' in page
    assert f'href="{HOME}/webhooks?state=delivered"' in page
    assert len(ids) == 3


def test_a_move_tells_failed_callbacks(http: Http, transport: MemoryTransport) -> None:
    """Those that are tried again, and those that failed for good."""
    http.sdk_created(callback_url=CALLBACK)
    transport._statuses += [500] * 4
    page = press(http, "advance", account=AUTH_ID, by="3d").text
    assert "1 accepted, 1 callback: 1 to be tried again." in told(page)
    page = press(http, "advance", account=AUTH_ID, by="1h").text
    assert "3 callbacks: 1 failed, 2 to be tried again." in told(page)


@pytest.mark.parametrize(
    ("by", "expected"),
    [("1d", "1 day"), ("90m", "1 hour 30 minutes"), ("2.5s", "2.5 seconds"), ("0s", "0 seconds")],
)
def test_how_far_a_move_went(http: Http, by: str, expected: str) -> None:
    """In the units that one says."""
    page = press(http, "advance", account=AUTH_ID, by=by).text
    assert told(page).startswith(f"Moved {expected}, to ")
    assert "nothing was due" in told(page)


# --- the forms -------------------------------------------------------------------------------


def test_a_date_and_a_time(http: Http) -> None:
    """The form of the page, without a script, goes to an instant in UTC."""
    press(http, "advance-to", account=AUTH_ID, date="2026-01-08", time="10:30")
    assert now(http) == "2026-01-08T10:30:00.000000Z"


def test_a_link_fills_the_form(http: Http) -> None:
    """An instant of the picture stands in the form, rounded up to a millisecond: not before it."""
    page = http.get(f"{HOME}/time?to=2026-01-08T09:00:00.000001Z").text
    assert 'name="date" value="2026-01-08"' in page
    assert 'value="09:00:00.001"' in page


@pytest.mark.parametrize("to", ["soon", "9999-12-31T23:59:59.999999Z", "x" * 9000, "2026-01-08"])
def test_a_link_that_fills_nothing(http: Http, to: str) -> None:
    """What is no instant leaves the form empty."""
    assert http.get(f"{HOME}/time", query_string={"to": to}).status_code == 200


@pytest.mark.parametrize(
    ("do", "fields", "kept"),
    [
        ("advance", {"by": "so<on"}, 'name="by" value="so&lt;on"'),
        ("advance-to", {"date": "2020-01-01", "time": "10:00"}, 'name="date" value="2020-01-01"'),
        ("rate", {"rate": "-3"}, 'name="rate" inputmode="decimal" value="-3"'),
    ],
)
def test_what_was_typed_stays(http: Http, do: str, fields: dict[str, str], kept: str) -> None:
    """After a refusal the form holds what was refused."""
    page = press(http, do, account=AUTH_ID, **fields).text
    assert 'class="done bad"' in page
    assert kept in page


# --- the swimlanes ---------------------------------------------------------------------------


def test_a_lane_for_each_application(http: Http) -> None:
    """Past statuses are bars of their colours, what is due is a ring, a weekend is shaded."""
    id = http.sdk_created(alias="<b>Acme")
    http.decide(id, "rejected")
    http.sdk_created(alias="waits")
    page = http.get(f"{HOME}/time?window=month").text
    assert f'<a href="{HOME}/applications/{id}"><text class="name"' in page
    assert "&lt;b&gt;Acme" in page
    assert 'class="span bad"' in page
    assert page.count('class="due good"') == 1
    assert "Saturday, 2026-01-10" in page


def test_holidays_are_shaded(http: Http) -> None:
    """Those of the account."""
    http.account.configure({"holidays": "2026-01-14"})
    http.sdk_created()
    assert "holiday, 2026-01-14" in http.get(f"{HOME}/time?window=month").text


def test_instants_are_grouped(http: Http) -> None:
    """What is due together is one mark with its count, and one entry of the list."""
    for n in range(3):
        http.sdk_created(alias=f"case {n}")
    page = http.get(f"{HOME}/time").text
    assert page.count('class="mark"') == 1
    assert "3 due from Thu 2026-01-08 09:00:00 UTC on" in page
    due = page.partition('id="due"')[2].partition("</section>")[0]
    assert due.count("Go there") == 1
    assert due.count("/applications/") == 3


def test_lanes_are_filtered(http: Http) -> None:
    """By status, and by whether something is due; every filter is in the URL."""
    done = http.sdk_created(alias="done")
    http.decide(done, "accepted")
    http.sdk_created(alias="waits")

    def lanes(query: str) -> list[str]:
        page = http.get(f"{HOME}/time?{query}").text
        return re.findall(r'class="isolated">([^<]*)<', page)

    assert lanes("") == ["waits", "done"]
    assert lanes("status=accepted") == ["done"]
    assert lanes("which=due") == ["waits"]
    assert lanes("which=due&status=accepted") == []
    assert lanes("status=%22%3E&window=nonsense&which=x") == []


def test_lanes_are_bounded(http: Http) -> None:
    """So many a page, with links to the others that keep the filters."""
    for n in range(SHOWN_LANES + 1):
        http.sdk_created(alias=f"case {n}")
    page = http.get(f"{HOME}/time?window=day").text
    assert page.count('class="isolated"') == SHOWN_LANES
    assert "?window=day&amp;page=2" in page
    assert http.get(f"{HOME}/time?window=day&page=2").text.count('class="isolated"') == 1


@pytest.mark.parametrize("start", ["0001-01-01T00:00:00Z", "8999-12-31T23:59:59Z"])
@pytest.mark.parametrize("window", ["", *WINDOWS])
def test_the_ends_of_time(http: Http, start: str, window: str) -> None:
    """A clock that stands at either end of the calendar has a picture, too."""
    http.account.configure({"start": start})
    http.sdk_created()
    assert 'class="lanes"' in http.get(f"{HOME}/time?window={window}").text


@pytest.mark.parametrize("span_s", [1, 59, 3600, 86400, 40 * 86400, 365 * 86400, 3000 * 86400])
def test_an_axis_has_a_few_ticks(span_s: int) -> None:
    """Whatever its length: some, in order, and not more than can be read."""
    start = datetime(2026, 1, 5, 9, 7, 13, 250_000, tzinfo=UTC)
    axis = Axis(start, start + timedelta(seconds=span_s), 0, 1000)
    places = [x for x, _ in axis.ticks()]
    assert 1 <= len(places) <= MOST_TICKS + 1
    assert places == sorted(set(places))
