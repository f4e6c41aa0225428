"""Playing a scenario in the console: the steps of ``plivo-sim replay``, one at a time."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import Any

import pytest

from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.client.replay import Replay, account_of
from plivo_sim.console.plays import _form_words
from plivo_sim.domain import limits
from plivo_sim.scenarios.loader import find_scenario, shipped_names
from plivo_sim.webhooks.transport import MemoryTransport
from tests.conftest import PAUSED
from tests.console.support import HOME, press
from tests.support import AUTH_ID, Http

REJECTED = "name-mismatch"
API = f"/v1/Account/{AUTH_ID}/PhoneNumber/Compliance"


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


def test_what_is_sent_again_as_it_was_is_called_that(http: Http) -> None:
    """By the play, the timeline and the page of the application alike."""
    begun(http, "unreadable-scan")
    page = pressed(http, "play-all")
    assert "Submit app again as it was" in page
    assert "Correct app: files registration_certificate" in page
    (one,) = listed(http, AUTH_ID)
    timeline = http.control("GET", f"/applications/{one['id']}").get_json()["timeline"]
    sent = [each["why"] for each in timeline if each["by"] == "client"]
    assert sent[1:] == ["submitted again as it was", "corrected and submitted again"]
    told = html.unescape(http.get(f"{HOME}/applications/{one['id']}").text)
    assert "Nothing: it was submitted again as it was." in told


def test_each_step_shows_its_calls(http: Http) -> None:
    """As the commands that make them, and the command that plays it all."""
    page = begun(http, REJECTED)
    assert "/_sim/reset" in page
    assert f"plivo-sim replay {REJECTED} --url" in page
    assert f'-u "{AUTH_ID}:${{PLIVO_AUTH_TOKEN:-token}}"' in pressed(http, "next-step")
    assert f"/_sim/clock/advance?account={AUTH_ID}' -H 'Content-Type: application/json'" in pressed(
        http, "next-step"
    )


def test_an_account_with_a_fixed_token() -> None:
    """Is played in with that token, which no page shows; callbacks are signed with it."""
    sim = make_simulator(
        replace(PAUSED, credentials={AUTH_ID: "s3cret-token"}), transport=MemoryTransport()
    )
    http = Http(create_app(sim), sim)
    begun(http, REJECTED)
    page = pressed(http, "play-all")
    assert "It holds</span>" in page, page
    assert "s3cret-token" not in page
    assert sim.account(AUTH_ID).token == "s3cret-token"
    sim.close()


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


def test_somebody_corrects_by_hand_during_a_play(http: Http) -> None:
    """The play tells it, leaves its own correction out, and goes on from what is there."""
    begun(http, REJECTED)
    for _ in range(3):
        pressed(http, "next-step")
    (one,) = listed(http, AUTH_ID)
    back = f"{HOME}/applications/{one['id']}"
    press(http, "submit", back=back, account=AUTH_ID, id=one["id"])
    page = pressed(http, "next-step")
    assert "Before this step somebody stepped in:" in page
    assert "<bdi>Submitted again as it was. " in page
    assert "Left out, as somebody stepped in: app is submitted by now" in page
    assert page.count("stepped in:</p>") == 1
    page = pressed(http, "play-all")
    assert page.count("stepped in:</p>") == 1, "it was told"
    assert "6 of 6 steps played" in page
    assert "It does not hold</span>" in page, "it was rejected again"
    assert "Somebody stepped in, which the scenario knows nothing of." in page
    made = [each for each in http.account.exchanges if each.method == "PATCH"]
    assert [each.status for each in made] == [200]


def test_somebody_deletes_by_hand_during_a_play(http: Http) -> None:
    """What is gone is neither read nor corrected."""
    begun(http, REJECTED)
    for _ in range(3):
        pressed(http, "next-step")
    (one,) = listed(http, AUTH_ID)
    assert http.delete(f"{API}/{one['id']}/").status_code == 200
    page = pressed(http, "next-step")
    assert "Left out, as somebody has deleted app." in page


def test_somebody_moves_the_clock_during_a_play(http: Http) -> None:
    """It is told, and the steps are played as they are."""
    begun(http, REJECTED)
    pressed(http, "next-step")
    http.advance("2h")
    page = pressed(http, "play-all")
    assert "somebody stepped in:" in page
    assert "Left out" not in page
    assert "It holds</span>" in page


def test_somebody_steps_in_while_a_step_is_played(
    http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told at that step, and none of the play's own calls is taken for such a one."""
    begun(http, REJECTED)
    step = Replay.step

    def busy(replay: Replay) -> Any:
        done = step(replay)
        http.advance("1s")
        return done

    monkeypatch.setattr(Replay, "step", busy)
    page = pressed(http, "next-step")
    monkeypatch.undo()
    assert page.count("stepped in:</p>") == 1
    assert "While this step was played somebody stepped in:" in page
    page = pressed(http, "play-all")
    assert page.count("stepped in:</p>") == 1
    assert "Somebody stepped in, which the scenario knows nothing of." in page


def test_a_refusal_that_the_scenario_wants_is_played(http: Http) -> None:
    """Nobody stepped in: the correction of what cannot be corrected is sent, and refused."""
    begun(http, "suspended")
    page = pressed(http, "play-all")
    assert "stepped in" not in page
    assert "It holds</span>" in page


@pytest.mark.parametrize("name", ["", "no-such", "../x", "<b>"])
def test_what_does_not_ship_is_not_played(http: Http, name: str) -> None:
    """It is told, and nothing is changed."""
    assert "Not done:" in begun(http, name)
    assert "Nothing is being played" in http.get(page_of(AUTH_ID)).text


def test_plays_are_bounded(http: Http) -> None:
    """The oldest is forgotten; its account stays."""
    accounts = [f"MA{n:018}" for n in range(limits.PLAYS.most + 1)]
    for auth_id in accounts:
        begun(http, "expired", auth_id)
    found = [http.get(page_of(auth_id)).text for auth_id in (*accounts[:2], accounts[-1])]
    assert "Nothing is being played" in found[0]
    assert all("steps played" in page for page in found[1:])


def test_curl_takes_a_text_for_a_text() -> None:
    """Not for a file, or a type, as it does behind ``-F``."""
    assert _form_words("alias", "@a;type=b") == ("--form-string", "alias=@a;type=b")
    assert _form_words("file", ('a";b', b"")) == ("-F", r'file=@"a\";b"')
