"""New applications from the console: filed through the imitated API, as the command files them."""

from __future__ import annotations

import html
import re
import shlex

import pytest

from tests.console.support import HOME, press
from tests.console.test_forms import text_of
from tests.support import AUTH_ID, Http


def filed(http: Http) -> list[str]:
    rows = http.control("GET", "/applications", account=AUTH_ID).get_json()["applications"]
    return [each["alias"] for each in rows]


def test_one_is_filed(http: Http) -> None:
    """Complete, with its files, through the very API; the page leads to it."""
    page = press(http, "seed", f"{HOME}/", account=AUTH_ID, count="1", country="IN")
    (alias,) = filed(http)
    assert text_of(page) == f"Filed: {alias}. Undo"
    (made,) = [e for e in http.sim.account(AUTH_ID).exchanges if e.operation == "compliance.create"]
    assert made.status == 201
    id = http.control("GET", "/applications", account=AUTH_ID).get_json()["applications"][0]["id"]
    assert f'<a href="{HOME}/applications/{id}">' in page.text
    found = http.control("GET", f"/applications/{id}").get_json()
    assert found["status"] == "submitted"


def test_each_press_files_others(http: Http) -> None:
    """Nobody is filed twice."""
    for _ in range(2):
        press(http, "seed", account=AUTH_ID, count="3")
    assert len(set(filed(http))) == 6


def test_the_command_is_the_same(http: Http) -> None:
    """One line for all of them, with the seed that makes these people."""
    page = press(http, "seed", account=AUTH_ID, count="2", country="IN", callback_url="").text
    found = re.search(r'<pre id="done-cli"[^>]*>(.*?)</pre>', page, re.S)
    assert found is not None
    words = shlex.split(html.unescape(found[1]))[:8]
    assert words == ["plivo-sim", "seed", "2", "--seed", "1", "--country", "IN", "--account"]
    assert page.count("/PhoneNumber/Compliance/") == 2


def test_the_token_stays(http: Http) -> None:
    """Callbacks are signed with the token that the client uses, and no page shows it."""
    http.sdk_created()
    page = press(http, "seed", account=AUTH_ID, count="1").text
    assert http.sim.account(AUTH_ID).token == http.token
    assert http.token not in page
    assert f'-u "{AUTH_ID}:$PLIVO_AUTH_TOKEN"' in html.unescape(page)


@pytest.mark.parametrize("count", ["0", "201", "-1", "x", "", "1e3", "٣"])
def test_so_many_at_once(http: Http, count: str) -> None:
    """From 1 to 200; nothing is filed otherwise, and the form stays as it was."""
    page = press(http, "seed", f"{HOME}/", account=AUTH_ID, count=count).text
    assert "how many: a number from 1 to 200" in page
    assert re.search(rf'name="count"[^>]* value="{re.escape(count)}"[^>]* data-kept', page)
    assert http.sim.accounts() == []


def test_a_country_without_requirements(http: Http) -> None:
    """The catalogue's countries are named."""
    page = press(http, "seed", account=AUTH_ID, count="1", country="XX").text
    assert "XX: the catalogue has" in page


def test_a_fault_strikes_it_too(http: Http) -> None:
    """It is a call like any other: what hit it is told."""
    http.control("POST", "/faults", {"effect": "error", "status": 503, "account": AUTH_ID})
    page = press(http, "seed", account=AUTH_ID, count="1").text
    assert "Not done:" in page
    assert filed(http) == []
