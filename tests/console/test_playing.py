"""Playing a scenario in the console: the steps of ``plivo-sim replay``, one at a time."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from plivo_sim.client.replay import account_of
from plivo_sim.scenarios.loader import find_scenario, shipped_names
from tests.console.support import HOME, press
from tests.support import AUTH_ID, Http

REJECTED = "name-mismatch"


def page_of(auth_id: str) -> str:
    return f"/console/{auth_id}/scenario/play"


def begun(http: Http, name: str, auth_id: str = AUTH_ID) -> str:
    page = press(http, "begin-play", back=page_of(auth_id), account=auth_id, name=name).text
    return html.unescape(page)


def pressed(http: Http, do: str, auth_id: str = AUTH_ID) -> str:
    return html.unescape(press(http, do, back=page_of(auth_id), account=auth_id).text)


def listed(http: Http, auth_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = http.control("GET", "/applications", account=auth_id).get_json()[
        "applications"
    ]
    return found


@pytest.mark.parametrize("name", shipped_names())
def test_every_scenario_that_ships_can_be_played(http: Http, name: str) -> None:
    """To its end, where all that it expects holds, in an empty account."""
    begun(http, name)
    page = pressed(http, "play-all")
    assert "It holds</span>" in page, page
    assert "does not hold</span>" not in page
    assert "Check what is expected at the end" not in page
    steps = find_scenario(name).steps
    assert f"{len(steps) + 1} of {len(steps) + 1} steps played" in page


def test_a_step_at_a_time(http: Http) -> None:
    """Each step shows its call and answer, what changed, who decided, what was expected."""
    page = begun(http, REJECTED)
    assert "0 of 6 steps played" in page
    assert "Next:</strong> Submit app: name Acme Traders Pvt. Ltd." in page
    page = pressed(http, "next-step")
    assert re.search(rf'href="{HOME}/requests/[^"]+">POST /v1/Account/{AUTH_ID}/Phone', page)
    assert "compliance_id" in page
    assert "rule 'two names'" in page
    assert "Next:</strong> Let 1 business day pass" in page
    assert listed(http, AUTH_ID)[0]["status"] == "submitted"
    page = pressed(http, "next-step")
    assert listed(http, AUTH_ID)[0]["status"] == "rejected"
    assert "Business name is not identical" in page
    assert "answered 200, delivered" in page
    page = pressed(http, "next-step")
    assert '<td class="text">status.app</td><td class="text">rejected</td>' in page
    page = pressed(http, "next-step")
    assert "PATCH" in page
    assert (
        "not two names: data field business_name is 'Acme Traders Private Limited', while name"
        in page
    )
    (one,) = listed(http, AUTH_ID)
    assert f'href="{HOME}/applications/{one["id"]}">Open app</a>' in page


def test_each_step_shows_its_calls(http: Http) -> None:
    """As the commands that make them, and the command that plays it all."""
    page = begun(http, REJECTED)
    assert "/_sim/reset" in page
    assert f"plivo-sim replay {REJECTED} --url" in page
    assert f"-u {AUTH_ID}:replay" in pressed(http, "next-step")
    assert f"/_sim/clock/advance?account={AUTH_ID}' -H 'Content-Type: application/json'" in pressed(
        http, "next-step"
    )


def test_a_play_is_in_the_history(http: Http) -> None:
    """With the calls that do it again, in their order."""
    begun(http, REJECTED)
    pressed(http, "play-all")
    page = html.unescape(http.get(f"{HOME}/history").text)
    assert page.index("/_sim/clock/advance") < page.index("PhoneNumber/Compliance/"), "newest first"


def test_what_is_not_empty_is_left_alone(http: Http) -> None:
    """The cards then lead to an account of the scenario's own, and its button keeps to it."""
    own = account_of(REJECTED)
    assert f'value="{page_of(AUTH_ID)}"' in http.get(f"{HOME}/scenario").text
    id = http.sdk_created()
    assert f'value="{page_of(own)}"' in http.get(f"{HOME}/scenario").text
    assert "Not done:" in begun(http, REJECTED)
    assert [each["id"] for each in listed(http, AUTH_ID)] == [id]
    begun(http, REJECTED, own)
    assert "It holds</span>" in pressed(http, "play-all", own)
    assert [each["id"] for each in listed(http, AUTH_ID)] == [id]


def test_beginning_again(http: Http) -> None:
    """In the same account, from its first step."""
    begun(http, REJECTED)
    pressed(http, "play-all")
    assert "0 of 6 steps played" in begun(http, REJECTED)
    assert listed(http, AUTH_ID) == []


def test_an_account_that_was_emptied_has_no_play(http: Http) -> None:
    """Its story is not gone on with."""
    begun(http, REJECTED)
    http.control("POST", "/reset", {"account": AUTH_ID})
    assert "Nothing is being played" in http.get(page_of(AUTH_ID)).text
    assert "Not done:" in pressed(http, "next-step")


def test_what_does_not_hold_is_told(http: Http) -> None:
    """With what was expected and what was found."""
    begun(http, REJECTED)
    pressed(http, "next-step")
    (one,) = listed(http, AUTH_ID)
    http.decide(one["id"], "accepted")
    page = pressed(http, "play-all")
    assert "It does not hold</span>" in page
    assert '<td class="text">rejected</td><td class="text">accepted</td>' in page


@pytest.mark.parametrize("name", ["", "no-such", "../x", "<b>"])
def test_what_does_not_ship_is_not_played(http: Http, name: str) -> None:
    """It is told, and nothing is changed."""
    assert "Not done:" in begun(http, name)
    assert "Nothing is being played" in http.get(page_of(AUTH_ID)).text


def test_plays_are_bounded(http: Http) -> None:
    """The oldest is forgotten; its account stays."""
    for name in shipped_names()[:9]:
        begun(http, name, account_of(name))
    first, last = account_of(shipped_names()[0]), account_of(shipped_names()[8])
    assert "Nothing is being played" in http.get(page_of(first)).text
    assert "steps played" in http.get(page_of(last)).text
