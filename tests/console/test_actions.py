"""What the console shows of an action: commands that are safe to paste and do the same."""

from __future__ import annotations

import json
import subprocess

import pytest
from flask import g, request
from werkzeug.datastructures import ImmutableMultiDict

from plivo_sim.console import ACTIONS, correcting, playing
from plivo_sim.console.actions import (
    MOST_AT_ONCE,
    MOST_UNTOLD,
    Action,
    Done,
    Memory,
)
from plivo_sim.console.api_calls import ApiCall
from plivo_sim.console.doing import KEPT_ITEMS
from plivo_sim.control.presenters import problem_details
from plivo_sim.domain import limits
from plivo_sim.settings import DEFAULT_URL
from plivo_sim.web.calls import Call
from tests.console.support import HOME, did, press
from tests.support import AUTH_ID, Http

TEXTS = [
    "it's",
    "$(id)",
    "`id`",
    "!!",
    "a\x1b[201~b\r",
    "\x9b31m",
    "\u202exyz",
    "a\tb",
    "\\'!x\x07",
]


def words_of(command: str) -> list[str]:
    """The words that bash makes of it."""
    done = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {command}"], capture_output=True, check=True
    )
    return done.stdout.decode().split("\0")[:-1]


FILLED = {
    "account": AUTH_ID, "id": "x1", "name": "n", "yaml": "a: b", "url": "http://127.0.0.1:9/",
    "text": "{path: /x, kind: latency}", "status": "accepted", "by": "1d", "to": "2030-01-01",
    "rate": "2", "decide": "accepted", "sure": "yes",
    "preset": "late",
}  # fmt: skip


class Nothing:
    """A body without a file."""

    def part(self, name: str) -> None:
        return None


OF_THE_SERVER = ("empty-inbox", "clear-coverage", "clear-unmatched")
OTHERS = (*playing.ACTIONS, "check-scenario")
"""These make their calls themselves (see test_playing), or have a command that needs no account."""


@pytest.mark.parametrize(
    "name", [name for name in ACTIONS if name not in (*OF_THE_SERVER, *OTHERS)]
)
def test_a_button_steers_the_account_of_its_page(http: Http, name: str) -> None:
    """The control API is told which, and so is the command; else the call were for another one
    that has an application, a fault or a callback of the same id."""
    about = {"id": http.sdk_created()} if name in correcting.ACTIONS else {}
    with http.app.test_request_context("/", headers={"Host": "127.0.0.1"}):
        g.call = Call(http.sim, problem_details, request)
        g.call.body = Nothing()
        built = list(ACTIONS[name](ImmutableMultiDict(FILLED | about)))
    assert built
    for action in built:
        if isinstance(action, ApiCall):
            assert action.url.startswith(f"/v1/Account/{AUTH_ID}/")
            assert action.cli[-2:] == ("--account", AUTH_ID)
            continue
        named = {**action.query, **(action.body or {})}
        caller = getattr(action, "auth_id", None)  # of a call of an imitated API
        assert AUTH_ID in (named.get("account"), named.get("auth_id"), caller)
        assert action.cli[-2:] == ("--account", AUTH_ID)


@pytest.mark.parametrize("text", TEXTS)
def test_a_command_is_printable_and_exact(text: str) -> None:
    """Nothing that a terminal obeys is in it, and the shell hands the text on as it is."""
    command = Action(message="", operation="snapshot", cli=("apps", text)).as_command(DEFAULT_URL)
    assert command.isprintable()
    assert words_of(command) == ["plivo-sim", "apps", text]


@pytest.mark.parametrize("text", TEXTS)
def test_a_call_is_printable_and_exact(text: str) -> None:
    """The body, too."""
    action = Action(message="", operation="snapshot", body={"name": text})
    call = action.as_curl(DEFAULT_URL)
    assert call.isprintable()
    assert words_of(call)[-1] == f'{{"name": {json.dumps(text, ensure_ascii=False)}}}'


@pytest.mark.parametrize("text", ["a: b\nc: 'd'\n", "a:\tb\x1b\n"])
def test_a_written_file_is_exact(text: str) -> None:
    """Lines stay lines where nothing else is in them."""
    action = Action(message="", operation="snapshot", cli=("x",), written=("f.yaml", text))
    written = action.as_command(DEFAULT_URL).rpartition(" > f.yaml\n")[0]
    assert written.replace("\n", "").isprintable()
    done = subprocess.run(["bash", "-c", written], capture_output=True, check=True)
    assert done.stdout.decode() == text


def test_a_name_that_looks_like_an_option(http: Http) -> None:
    """It stands behind all options, so that the command line takes it for a name."""
    page = press(http, "take-snapshot", back=f"{HOME}/account", account=AUTH_ID, name="-x").text
    assert f"plivo-sim snapshot save --account {AUTH_ID} --url http://127.0.0.1 -- -x" in page


def test_a_long_answer_is_not_kept_whole(http: Http) -> None:
    """What an advance did may be a lot, and only its beginning is shown."""
    for each in range(KEPT_ITEMS + 1):
        http.sdk_created(alias=f"case {each}")
    (done,) = did(http, "advance", account=AUTH_ID, by="30d")
    assert len(done.answer["happenings"]) == KEPT_ITEMS


def test_what_nobody_looks_at_is_forgotten() -> None:
    """Of so many buttons, those before."""
    done = Done(action=Action(message="x", operation="pause_clock"), status=200, answer={})
    kept = Memory()
    names = [kept.keep([done]) for _ in range(MOST_UNTOLD + 1)]
    assert list(kept.untold) == names[1:]


def test_a_text_that_is_longer_than_any_is_not_kept(http: Http) -> None:
    """It was refused; 200 of 50 MB each would be 10 GB."""
    http.sdk_created()
    (done,) = did(http, "write-scenario", account=AUTH_ID, yaml="x" * 1_000_000)
    assert not done.ok
    kept = [done.action, *(each.action for each in http.account.steering if each.action)]
    assert max(each.size_bytes for each in kept) <= 9 * limits.SCENARIO_TEXT.most


def test_another_runs_action_is_not_shown() -> None:
    """A page that is reloaded after a restart does not tell what was done since."""
    action = Action(message="", operation="snapshot")
    here, there = Memory(), Memory()
    names = [each.keep([Done(action=action, status=200, answer={})]) for each in (here, there)]
    assert not here.tell(names[1]).done
    assert here.tell(names[0]).done


@pytest.mark.parametrize("pending", [True, False])
def test_what_carries_on_is_said(pending: bool) -> None:
    """An advance that is answered before it is through is not told as done."""
    action = Action(message="Advanced by 9y.", operation="advance")
    done = Done(action=action, status=202 if pending else 200, answer={"pending": pending})
    assert ("carries on" in done.message) == pending


def test_other_names_stand_in_front(http: Http) -> None:
    """As one writes it."""
    page = press(http, "take-snapshot", back=f"{HOME}/account", account=AUTH_ID, name="x").text
    assert f"plivo-sim snapshot save x --account {AUTH_ID}" in page


@pytest.mark.parametrize(("do", "fields"), [("decide", {"status": "accepted"}), ("replay", {})])
def test_too_many_at_once(http: Http, do: str, fields: dict[str, str]) -> None:
    """Each is a call, so a form has a limit, and says so before any is made."""
    http.sdk_created()
    ids = [f"id-{number}" for number in range(MOST_AT_ONCE + 1)]
    page = press(http, do, **fields, id=ids).text
    assert "these are 1,001: at most 1,000 go at once" in page
    assert len(did(http, do, **fields, id=ids)) == 1


def test_as_many_as_may_be(http: Http) -> None:
    """The limit itself is none too many."""
    ids = [f"id-{number}" for number in range(MOST_AT_ONCE)]
    assert len(did(http, "replay", id=ids)) == MOST_AT_ONCE
