"""Undo in the console: a moment is kept before each button, and a button goes back to it."""

from __future__ import annotations

import re

import pytest

from plivo_sim.console import ACTIONS
from plivo_sim.console.undoing import NOT_UNDONE
from plivo_sim.control import CONTROL
from plivo_sim.web.steering import BESIDES
from tests.console.support import press
from tests.support import AUTH_ID, PDF, Http


def point_in(page: str) -> str:
    """The number of the undo button's point."""
    found = re.search(
        r'action="/console/do/undo[^"]*".*?name="point" value="(\d+)"', page, re.DOTALL
    )
    assert found is not None
    return found[1]


def status(http: Http, id: str) -> str:
    return str(http.control("GET", f"/applications/{id}").get_json()["status"])


def test_a_move_is_undone(http: Http) -> None:
    """The notice of what a button did has the one that takes it back."""
    id = http.sdk_created()
    page = press(http, "advance", account=AUTH_ID, by="5d").text
    assert status(http, id) == "accepted"
    page = press(http, "undo", account=AUTH_ID, point=point_in(page)).text
    assert "Undone: Advanced by 5d." in page
    assert status(http, id) == "submitted"
    assert f"plivo-sim undo 1 --account {AUTH_ID}" in page
    assert "/console/do/undo" not in page  # it cannot be done again


def test_it_asks_where_others_have_written(http: Http) -> None:
    """It says what would be lost, and goes back when that is meant."""
    id = http.sdk_created()
    point = point_in(press(http, "decide", id=id, status="accepted", account=AUTH_ID).text)
    http.sdk_created(alias="another")
    page = press(http, "undo", account=AUTH_ID, point=point).text
    assert "followed by 1 other call, which would be undone too" in page
    assert "Undo it all" in page
    assert status(http, id) == "accepted"
    press(http, "undo", account=AUTH_ID, point=point, sure="yes")
    assert status(http, id) == "submitted"


def test_a_look_is_nothing_to_lose(http: Http) -> None:
    """The editor checks its text while one writes; that, and a dry run, change nothing."""
    http.sdk_created()
    point = point_in(press(http, "advance", account=AUTH_ID, by="1h").text)
    http.control("POST", "/scenario/check", {"yaml": "scenario: x", "account": AUTH_ID})
    http.control("POST", "/scenario/dry-run", {"submit": {"name": "Acme"}, "account": AUTH_ID})
    assert "/_sim/scenario" not in http.get(f"/console/{AUTH_ID}/history").text
    page = press(http, "undo", account=AUTH_ID, point=point).text
    assert "Undone: Advanced by 1h." in page


def test_what_keeps_nothing_is_not_noted() -> None:
    """Every control call that says so of itself."""
    looks = {
        each.view.__name__
        for each in CONTROL.endpoints
        if each.method == "POST" and each.summary.endswith(("nothing is kept.", "is changed."))
    }
    assert {"evaluate", "check_scenario", "dry_run"} <= looks <= BESIDES


def test_a_reset_is_undone(http: Http) -> None:
    """All is back: the records, and the files."""
    id = http.sdk_created()
    page = press(http, "reset", account=AUTH_ID, scope="one", sure="yes").text
    press(http, "undo", account=AUTH_ID, point=point_in(page))
    assert status(http, id) == "submitted"
    (first, _) = http.account.store.documents.every()
    assert http.account.files.read(first.file.sha256) == PDF


def test_a_reset_of_all_is_undone_in_each(http: Http) -> None:
    """Every account has its own point."""
    other = Http(http.app, http.sim, auth_id="MAYYYYYYYYYYYYYYYYYY")
    http.sdk_created()
    other.sdk_created()
    press(http, "reset", account=AUTH_ID, scope="all", sure="yes")
    for each in (http, other):
        answer = http.control("POST", "/undo", {"account": each.auth_id})
        assert answer.status_code == 200, answer.text
        assert len(each.account.store.applications) == 1


def test_many_decisions_are_one(http: Http) -> None:
    """One button is undone as one."""
    ids = [http.sdk_created(alias=f"case {n}") for n in range(3)]
    page = press(http, "decide", id=ids, status="accepted", account=AUTH_ID).text
    press(http, "undo", account=AUTH_ID, point=point_in(page))
    assert {status(http, id) for id in ids} == {"submitted"}


@pytest.mark.parametrize("fields", [{"by": "soon"}, {"by": ""}])
def test_nothing_to_undo_of_a_refusal(http: Http, fields: dict[str, str]) -> None:
    """What changed nothing has no undo, and the account is not created for it."""
    page = press(http, "advance", account=AUTH_ID, **fields).text
    assert "/console/do/undo" not in page
    assert http.sim.accounts() == []


@pytest.mark.parametrize("point", ["", "x", "-1", "9" * 30, "7"])
def test_a_wrong_point(http: Http, point: str) -> None:
    """It is told."""
    http.sdk_created()
    assert 'class="done bad"' in press(http, "undo", account=AUTH_ID, point=point).text


def test_only_the_last_button_is_undone_from_the_notice(http: Http) -> None:
    """A page that is reloaded later does not offer to undo more than it says."""
    http.sdk_created()
    first = press(http, "advance", account=AUTH_ID, by="1h")
    assert "/console/do/undo" in first.text
    press(http, "advance", account=AUTH_ID, by="1h")
    assert "/console/do/undo" not in http.get(first.request.full_path).text


def test_the_buttons_without_undo_exist() -> None:
    """None was renamed meanwhile."""
    assert set(ACTIONS) >= NOT_UNDONE
