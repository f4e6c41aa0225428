"""The account page: counts, settings, snapshots, reset; and what a run has covered."""

from __future__ import annotations

import io
import json
import re
import subprocess
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.console.accounts import setting_text
from plivo_sim.console.actions import Action
from plivo_sim.settings import ACCOUNT_SETTINGS, Settings, read_setting
from tests.console.support import HOME, press, token_of
from tests.support import AUTH_ID, Http

PAGE = f"{HOME}/account"
COVERAGE = f"{PAGE}/coverage"
EVIL = "<script>alert(1)</script>\"'"


def account(http: Http) -> Any:
    found = http.control("GET", "/accounts").get_json()["accounts"]
    return next((each for each in found if each["auth_id"] == AUTH_ID), None)


def row(page: str, name: str) -> str:
    """The row of one setting."""
    found = re.search(rf'<tr><td class="text"><a href="\?setting={name}#set">.*?</tr>', page, re.S)
    assert found is not None
    return found[0]


def keep(http: Http, name: str) -> None:
    answer = http.control("POST", "/snapshot", {"name": name, "account": AUTH_ID})
    assert answer.status_code == 201, answer.text


def upload(http: Http, content: bytes, name: str = "kept.json") -> TestResponse:
    """Send a file with the form, and go where it leads."""
    form = {
        "_token": token_of(http), "_back": PAGE, "account": AUTH_ID,
        "document": (io.BytesIO(content), name),
    }  # fmt: skip
    answer = http.post("/console/do/restore-file", data=form)
    assert answer.status_code == 303, answer.text
    return http.get(answer.headers["Location"])


# --- counts, settings ------------------------------------------------------------------------


def test_what_it_holds(http: Http) -> None:
    """Records of each kind are counted."""
    id = http.sdk_created(callback_url="http://127.0.0.1:9/")
    http.decide(id, "accepted")
    http.sdk_created(alias="in review")
    section = re.search(r'<section id="counts".*?</section>', http.get(PAGE).text, re.S)
    assert section is not None
    assert re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", section[0]) == [
        ("Applications", "2"),
        ("End users", "2"),
        ("Documents", "4"),
        ("Numbers", "0"),
        ("Callbacks", "1"),
        ("Waiting for their time", "1"),
    ]


def test_an_empty_account_says_how_to_fill_it(http: Http) -> None:
    """The command that files made-up applicants is there to copy, and looking makes nothing."""
    assert f"plivo-sim seed 20 --account {AUTH_ID}" in http.get(PAGE).text
    assert http.sim.accounts() == []


@pytest.mark.parametrize(
    ("name", "source"), [("magic", "default"), ("paused", "server"), ("strict", "this account")]
)
def test_where_a_setting_comes_from(http: Http, name: str, source: str) -> None:
    """Each setting says who set it."""
    http.control("POST", "/accounts", {"auth_id": AUTH_ID, "settings": {"strict": "true"}})
    assert f">{source}<" in row(http.get(PAGE).text, name)


@pytest.mark.parametrize("name", ACCOUNT_SETTINGS)
def test_a_value_is_shown_as_one_writes_it(name: str) -> None:
    """The shown text of a setting means the setting."""
    default = next(each.default for each in fields(Settings) if each.name == name)
    text = setting_text(name, default)
    if default is not None or text:
        assert read_setting(name, text) == default


def test_changing_a_setting(http: Http) -> None:
    """The form makes the control call, and the new value is in force."""
    page = press(http, "set-setting", back=PAGE, account=AUTH_ID, name="review_delay", value="3d")
    assert account(http)["settings"] == {"review_delay": "3d"}
    assert '<td class="text">3d</td>' in row(page.text, "review_delay")
    assert "/_sim/accounts" in page.text


@pytest.mark.parametrize(("name", "value"), [("review_delay", EVIL), ("warp", "0"), ("seed", "2")])
def test_a_wrong_value_is_told_and_kept(http: Http, name: str, value: str) -> None:
    """What cannot be changes nothing, and stays in the form as text."""
    page = press(http, "set-setting", back=PAGE, account=AUTH_ID, name=name, value=value).text
    assert account(http) is None
    assert "Not done:" in page
    assert 'name="value" value="' + value.translate(
        {ord("<"): "&lt;", ord(">"): "&gt;", ord('"'): "&#34;", ord("'"): "&#39;"}
    ) in page  # fmt: skip


def test_a_setting_is_chosen_by_its_link(http: Http) -> None:
    """The link of a setting puts it and its value into the form."""
    page = http.get(f"{PAGE}?setting=callback_retries").text
    assert "<option selected>callback_retries</option>" in page
    assert 'name="value" value="1m, 2m, 4m"' in page


def test_credentials_are_not_shown(transport: Any) -> None:
    """No token of the server's is on the page."""
    settings = Settings(port=0, paused=True, credentials={AUTH_ID: "s3cret-token"})
    sim = make_simulator(settings, transport=transport)
    http = Http(create_app(sim), sim, token="s3cret-token")
    http.sdk_created()
    assert "s3cret" not in http.get(PAGE).text
    sim.close()


# --- snapshots -------------------------------------------------------------------------------


def test_taking_one(http: Http) -> None:
    """It is kept under its name, and listed with its time and size."""
    http.sdk_created()
    page = press(http, "take-snapshot", back=PAGE, account=AUTH_ID, name="before").text
    assert list(http.account.marks) == ["before"]
    assert f"plivo-sim snapshot save before --account {AUTH_ID}" in page
    assert re.search(r"before</td><td><time[^>]*>2026-01-05 09:00:00 UTC</time></td>"
                     r'<td class="num">1</td>', page)  # fmt: skip


def test_taking_one_without_a_name(http: Http) -> None:
    """The simulator names it."""
    press(http, "take-snapshot", back=PAGE, account=AUTH_ID, name=" ")
    assert list(http.account.marks) == ["snapshot-1"]


def test_the_newest_are_shown(http: Http) -> None:
    """Newest first, and how many older ones there are."""
    for n in range(52):
        keep(http, f"mark-{n}")
    page = http.get(PAGE).text
    shown = re.findall(r'<td class="text">(mark-\d+)</td>', page)
    assert shown == [f"mark-{n}" for n in range(51, 1, -1)]
    assert "… and 2 older ones." in page


def test_going_back_to_one(http: Http) -> None:
    """What came after it is gone, and time is back."""
    keep(http, "before")
    http.sdk_created()
    http.advance("1d")
    page = press(http, "restore", back=PAGE, account=AUTH_ID, name="before").text
    assert account(http)["applications"] == 0
    assert "2026-01-05" in account(http)["now"]
    assert f"plivo-sim snapshot load before --account {AUTH_ID}" in page


@pytest.mark.parametrize("name", ["plain", f"a/b {EVIL}", "..", "é\nü 🙂", "%2e%2e?x#y"])
def test_downloading_one(http: Http, name: str) -> None:
    """The link beside each leads to its document, whatever it is called."""
    keep(http, name)
    page = http.get(PAGE).text
    assert "<script>alert" not in page
    link = re.search(r'href="([^"]+)" download>Download', page)
    assert link is not None
    answer = http.get(link[1])
    assert answer.get_json()["plivo_sim_snapshot"] == 1
    assert answer.headers["Content-Disposition"].startswith("attachment; filename")


def test_downloading_one_that_is_not_kept(http: Http) -> None:
    """A wrong name is a page that says so."""
    answer = http.get(f"{PAGE}/snapshot.json?name=none")
    assert (answer.status_code, answer.mimetype) == (404, "text/html")


def test_going_back_to_a_file(http: Http) -> None:
    """A document that was downloaded is the present again when it is uploaded."""
    http.sdk_created()
    keep(http, "full")
    document = http.get(f"{PAGE}/snapshot.json?name=full").data
    http.control("POST", "/reset", {"account": AUTH_ID})
    page = upload(http, document).text
    assert account(http)["applications"] == 1
    assert f"plivo-sim snapshot load --file kept.json --account {AUTH_ID}" in page


def test_an_uploaded_file_is_not_remembered(http: Http) -> None:
    """The console keeps the file's name, not its content."""
    http.sdk_created()
    keep(http, "full")
    upload(http, http.get(f"{PAGE}/snapshot.json?name=full").data)
    assert [*http.account.steering][-1].action.body == {"account": AUTH_ID}
    assert "cat -- kept.json" in http.get(f"{HOME}/history").text


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        (b"{", "x.json", "x.json is no snapshot: not valid JSON"),
        (b"\xff\xfe", "<b>.json", "&lt;b&gt;.json is no snapshot: not valid JSON"),
        (b"[]", "x.json", "must be a snapshot document"),
        (b'{"plivo_sim_snapshot": 1}', "x.json", "snapshot.tables: must be an object"),
        (b"", "", "choose the file of a snapshot first"),
    ],
)
def test_a_file_that_is_no_snapshot(http: Http, content: bytes, name: str, told: str) -> None:
    """It changes nothing, and the page says what is wrong with it."""
    http.sdk_created()
    assert told in upload(http, content, name).text
    assert account(http)["applications"] == 1


def test_the_command_for_a_file_is_whole(tmp_path: Path) -> None:
    """The shell puts the same body together around the file."""
    (tmp_path / "it's -kept.json").write_text('{"tables": {}}')
    action = Action(
        message="", operation="restore", attached=("snapshot", "it's -kept.json"),
        body={"account": AUTH_ID, "snapshot": {"tables": {}}},
    )  # fmt: skip
    piped = action.as_curl("http://127.0.0.1:8700").partition(" | curl ")[0]
    made = subprocess.run(["sh", "-c", piped], cwd=tmp_path, capture_output=True, check=True)
    assert json.loads(made.stdout) == action.body


# --- reset -----------------------------------------------------------------------------------


def test_resetting_the_account(http: Http) -> None:
    """With the box ticked it is gone; others stay."""
    other = Http(http.app, http.sim, auth_id="MAYYYYYYYYYYYYYYYYYY")
    http.sdk_created()
    other.sdk_created()
    page = press(http, "reset", back=PAGE, account=AUTH_ID, scope="one", sure="yes").text
    assert [each.auth_id for each in http.sim.accounts()] == [other.auth_id]
    assert f"plivo-sim reset --undoable --account {AUTH_ID}" in page


def test_resetting_all(http: Http) -> None:
    """With the box ticked none is left."""
    http.sdk_created()
    Http(http.app, http.sim, auth_id="MAYYYYYYYYYYYYYYYYYY").sdk_created()
    page = press(http, "reset", back=PAGE, account=AUTH_ID, scope="all", sure="yes").text
    assert http.sim.accounts() == []
    assert "plivo-sim reset --all" in page


@pytest.mark.parametrize("scope", ["one", "all"])
@pytest.mark.parametrize("sure", [{}, {"sure": ""}, {"sure": "no"}])
def test_reset_needs_the_tick(http: Http, scope: str, sure: dict[str, str]) -> None:
    """Without it nothing happens, the page says what is missing, and nothing is shown to copy."""
    http.sdk_created()
    page = press(http, "reset", back=PAGE, account=AUTH_ID, scope=scope, **sure).text
    assert account(http)["applications"] == 1
    assert "yes, forget everything" in page[page.index("Not done") :]
    assert "plivo-sim reset" not in page


# --- coverage --------------------------------------------------------------------------------


def test_what_was_covered(http: Http) -> None:
    """What happened is counted, what did not is never."""
    id = http.sdk_created()
    http.decide(id, "rejected", EVIL)
    page = http.get(COVERAGE).text
    assert 'submitted → rejected</td><td class="num">1</td>' in page
    assert re.search(r'submitted → accepted</td><td class="num"><span class="dim">never', page)
    assert "&lt;script&gt;alert" in page


def test_beginning_anew(http: Http) -> None:
    """The button forgets what was covered."""
    http.decide(http.sdk_created(), "rejected", "blurred")
    page = press(http, "clear-coverage", back=COVERAGE).text
    assert "<h2>Nothing is covered yet</h2>" in page


@pytest.mark.parametrize("path", ["account", "account/coverage", "account/snapshot.json"])
def test_what_is_no_account_is_a_404_page(http: Http, path: str) -> None:
    """A wrong account id is told as HTML with the right status."""
    answer = http.get(f"/console/MA123/{path}")
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
