"""Time in the console: the header, the strip of what is due, the buttons."""

from __future__ import annotations

import logging

import pytest

from tests.console.support import HOME, press
from tests.support import AUTH_ID, Http


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
        assert f'<span class="dim">{expected}</span>' in http.get(f"{HOME}/time").text


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
    assert "No button was pressed yet" in http.get(f"{HOME}/history").text


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
    page = http.get(f"{HOME}/time").text
    assert page.index(second) < page.index("third")
    assert first not in page


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
    page = http.get(f"{HOME}/history").text
    assert page.index("clock advance 1h") < page.index("clock pause")
    assert "nonsense" not in page


def test_looking_is_not_logged(http: Http, caplog: pytest.LogCaptureFixture) -> None:
    """A page that asks every second does not fill the log; a button is one line, and its call."""
    caplog.set_level(logging.INFO, "plivo_sim")
    http.get(f"{HOME}/pulse")
    press(http, "advance", account=AUTH_ID, by="1h")
    told = [record.getMessage().split(" ")[:2] for record in caplog.records]
    assert told == [["POST", "/_sim/clock/advance"], ["POST", "/console/do/advance"]]
