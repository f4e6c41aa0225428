"""The beginning of an id, wherever a command takes one."""

from __future__ import annotations

from typing import Any

import pytest

from plivo_sim.control.ids import KINDS
from tests.cli.conftest import OTHER_ID, Shell
from tests.support import AUTH_ID, Http

pytestmark = pytest.mark.live


def ids(http: Http, kind: str, **query: str) -> dict[str, Any]:
    answer = http.control("GET", "/ids", kind=kind, **query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def alike(http: Http) -> tuple[str, list[str]]:
    """A letter with which several ids of applications begin, and these ids."""
    made = [http.sdk_created(alias=f"number {n}") for n in range(17)]
    letters = [id[0] for id in made]
    letter = max(letters, key=letters.count)
    return letter, [id for id in made if id[0] == letter]


def test_a_beginning_is_enough(shell: Shell, http: Http, application: str) -> None:
    """In any case of letters, for arguments and options."""
    short = application[:8].upper()
    assert shell.json("apps", "show", short)["id"] == application
    assert shell.json("apps", "why", short)["id"] == application
    assert shell.told("apps", "accept", short) == f"{application} is accepted\n"
    (sent,) = shell.json("webhooks", "list", "--application", short)["webhooks"]
    assert shell.json("webhooks", "show", sent["id"][:6])["id"] == sent["id"]
    words = ("clock", "advance", "--until", "accepted", "--application", short)
    assert shell.json(*words)["account"] == AUTH_ID
    first = next(iter(http.account.exchanges)).id
    (request,) = shell.json("requests", "--id", first[:8])["requests"]
    assert request["id"] == first


def test_the_variable_chooses_as_the_option_does(shell: Shell, http: Http) -> None:
    """Ids of other accounts are not looked at."""
    letter, _ = alike(http)
    http.control("POST", "/accounts", {"auth_id": OTHER_ID})
    shell.env["PLIVO_SIM_ACCOUNT"] = OTHER_ID
    by_variable = shell.error("apps", "show", letter, code=1)
    shell.env["PLIVO_SIM_ACCOUNT"] = ""
    assert by_variable == shell.error("apps", "show", letter, "--account", OTHER_ID, code=1)


def test_several_begin_so(shell: Shell, http: Http) -> None:
    """Exit code 2; those that do are named, with what tells them apart."""
    letter, found = alike(http)
    told = shell.error("apps", "accept", letter, code=2)
    assert f"'{letter}' is the beginning of {len(found)} ids; write more of the one:" in told
    assert f"  {found[0]}  submitted number " in told
    assert shell.json("apps", "list", "--status", "accepted")["total_count"] == 0


def test_many_begin_so(shell: Shell, http: Http) -> None:
    """Five are named, and the others counted."""
    http.sdk_created()
    for n in range(7):
        body = {"effect": "error", "name": f"mine-{n}", "account": AUTH_ID}
        http.control("POST", "/faults", body)
    told = shell.error("fault", "clear", "min", code=2)
    assert told.count("mine-") == 5
    assert "and 2 more" in told


def test_a_whole_one_is_not_the_beginning_of_another(shell: Shell, http: Http) -> None:
    """It is itself, whatever begins with it."""
    http.sdk_created()
    for name in ("one", "one-more"):
        body = {"effect": "error", "name": name, "account": AUTH_ID}
        http.control("POST", "/faults", body)
    left = shell.json("fault", "clear", "one")["faults"]
    assert [each["id"] for each in left] == ["one-more"]


def test_accounts(shell: Shell, http: Http, other: Http) -> None:
    """So are auth ids; where several begin so, they are named."""
    http.sdk_created()
    other.sdk_created()
    assert shell.json("clock", "show", "--account", "mayy")["account"] == OTHER_ID
    told = shell.error("clock", "show", "--account", "MA", code=2)
    assert AUTH_ID in told
    assert OTHER_ID in told


def test_none_begins_so(shell: Shell, application: str) -> None:
    """The simulator says so, as of any other id."""
    assert "'zzz' not found" in shell.error("apps", "show", "zzz", code=1)


def test_the_control_call(shell: Shell, http: Http, other: Http) -> None:
    """Of every kind; it changes nothing and needs no account."""
    assert ids(http, "account") == {"kind": "account", "total_count": 0, "ids": []}
    id = http.sdk_created()
    other.sdk_created()
    http.control("POST", "/snapshot", {"name": "before", "account": AUTH_ID})
    changes = http.account.changes
    assert {kind: ids(http, kind)["total_count"] > 0 for kind in KINDS} == {
        "application": True, "webhook": False, "fault": False, "request": True,
        "snapshot": True, "account": True,
    }  # fmt: skip
    (found,) = ids(http, "application", account=AUTH_ID)["ids"]
    assert found == {"id": id, "account": AUTH_ID, "about": "submitted Acme Mumbai"}
    assert ids(http, "application", prefix=id[:4], account=OTHER_ID)["ids"] == []
    assert http.account.changes == changes
    assert http.control("GET", "/ids", kind="appl").status_code == 400
