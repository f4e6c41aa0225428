"""The page of the account's status machine."""

from __future__ import annotations

import html
import re

import pytest

from plivo_sim.console.machines import MACHINE_FILE
from plivo_sim.machines import default_machine, shipped_text
from tests.console.support import HOME, press
from tests.machines.files import IN_REVIEW, WITH_IN_REVIEW, YEARLY
from tests.support import AUTH_ID, Http

PAGE = f"{HOME}/account/machine"


def text_of(page: str) -> str:
    """What stands in the editor."""
    found = re.search(r'<textarea name="yaml".*?>\n(.*?)</textarea>', page, re.S)
    assert found is not None
    return html.unescape(found[1])


def write(http: Http, text: str) -> str:
    return press(http, "write-machine", back=PAGE, account=AUTH_ID, yaml=text).text


def test_the_account_says_which_it_has_and_who_chose_it(http: Http) -> None:
    """The server, the account, or its scenario."""

    def said() -> str:
        found = re.search(r"Its <a href=.*?</p>", http.get(f"{HOME}/account").text)
        assert found is not None
        return re.sub("<.*?>", "", found[0])

    assert said() == "Its status machine is default, chosen by the server."
    write(http, YEARLY)
    assert said() == "Its status machine is yearly, chosen by this account."
    scenario = {"scenario": "It looks first.", "machine": "default"}
    http.control("POST", "/scenario", {"scenario": scenario, "account": AUTH_ID})
    assert said() == "Its status machine is default, chosen by the scenario."


def test_writing_one_and_going_back(http: Http) -> None:
    """The page shows its arrows and its picture; browsers end lines with CRLF."""
    page = write(http, IN_REVIEW.replace("\n", "\r\n"))
    assert http.account.machine == WITH_IN_REVIEW
    assert "<td>time</td><td>1h</td><td></td>" in page
    assert "<td>reviewer, hand</td><td></td><td>1d</td>" in page
    picture = re.search(r'<img src="([^"]+)"', page)
    assert picture is not None
    assert http.get(picture[1].partition("#")[0]).content_type == "image/svg+xml"
    assert "img-src 'self'" in http.get(PAGE).headers["Content-Security-Policy"]
    press(http, "drop-machine", back=PAGE, account=AUTH_ID)
    assert http.account.machine == default_machine()


def test_one_that_ships(http: Http) -> None:
    """It can be used, and written from."""
    write(http, YEARLY)
    press(http, "use-machine", back=PAGE, account=AUTH_ID, name="default")
    assert http.account.machine == default_machine()
    assert text_of(http.get(f"{PAGE}?edit=default").text) == shipped_text("default")


def test_a_wrong_one_stays_in_the_editor(http: Http) -> None:
    """With every mistake, its line and what stands there; nothing changes."""
    wrong = IN_REVIEW.replace("locks", "lokcs")
    page = write(http, wrong)
    assert "<strong>Line 4</strong>" in page
    assert "did you mean &#39;locks&#39;?" in page
    assert text_of(page) == wrong
    assert http.account.machine == default_machine()


def test_one_that_lacks_a_status_is_not_used(http: Http) -> None:
    """The page says which application is in the way."""
    write(http, IN_REVIEW)
    id = http.sdk_created()
    http.advance("1h")
    page = press(http, "drop-machine", back=PAGE, account=AUTH_ID).text
    assert f"cannot change the machine of application {id} in status in_review" in page
    assert http.account.machine == WITH_IN_REVIEW


@pytest.mark.parametrize("name", ["no-such", "../x", "", "a" * 5000])
def test_editing_what_does_not_ship(http: Http, name: str) -> None:
    """An unknown name begins with nothing."""
    assert text_of(http.get(PAGE, query_string={"edit": name}).text) == ""


def test_the_buttons_name_their_commands(http: Http) -> None:
    """A file is written first."""
    page = html.unescape(write(http, YEARLY))
    assert f"plivo-sim machine use {MACHINE_FILE} --account {AUTH_ID}" in page
    page = html.unescape(press(http, "drop-machine", back=PAGE, account=AUTH_ID).text)
    assert f"plivo-sim machine use --none --account {AUTH_ID}" in page
