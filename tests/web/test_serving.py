"""Several servers behind a proxy: a call that went to the wrong one, and one that names nobody."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.control import CONTROL
from plivo_sim.domain.errors import NotServed
from plivo_sim.domain.serving import read_rule
from plivo_sim.settings import read_setting
from plivo_sim.web.access import account_of
from plivo_sim.web.endpoints import full_path
from tests.conftest import PAUSED
from tests.control.support import check_problem
from tests.support import AUTH_ID, SDK_AGENT, Http

OURS, OTHERS = "MAXXXXXXXXXXXXXXXXX1", "MAXXXXXXXXXXXXXXXXX9"
RULE = "*[0-7]"
WRONG_ROUTE = str(
    NotServed(OTHERS, f"it serves those that end in {RULE}; the proxy in front has another rule")
)
SOME = replace(PAUSED, serves=read_rule(RULE))


@pytest.fixture
def http() -> Iterator[Http]:
    sim = make_simulator(SOME)
    yield Http(create_app(sim), sim, OTHERS)
    sim.close()


@pytest.mark.parametrize("auth_id", [OTHERS, f"SA{OTHERS[2:]}"])
@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        ("PhoneNumber/Compliance/", "current"),
        ("PhoneNumber/Compliance/", "beta"),
        ("PhoneNumber/Compliance/Link/", "current"),
        ("EndUser/", "legacy"),
        ("Number/", "numbers"),
    ],
)
def test_a_wrong_route_is_loud(http: Http, auth_id: str, path: str, dialect: str) -> None:
    """421 with the rule, in the words of each API, and nothing is made."""
    http.auth_id = auth_id
    headers = {"X-Plivo-Sim-Dialect": dialect} if dialect in ("current", "beta") else {}
    for method in ("GET", "POST"):
        answer = http.call(method, path, headers=headers)
        assert answer.status_code == 421
        error = answer.get_json()["error"]
        text = error["message"] if dialect == "beta" else error
        assert RULE in text
        assert OTHERS in text
    assert http.sim.accounts() == []


def test_of_control_calls_pages_and_atoms_too(http: Http) -> None:
    token = next(t for t in map(str, range(99)) if not SOME.serves.serves(account_of(t)))
    found = http.call(
        "GET", "/atoms/v1/compliance/status", headers={"Authorization": f"Bearer {token}"}
    )
    assert (found.status_code, RULE in found.get_json()["errors"][0]) == (421, True)
    found = http.call("GET", "/_sim/clock", query_string={"account": OTHERS})
    check_problem(found, "misdirected", WRONG_ROUTE)
    page = http.call("GET", f"/console/{OTHERS}/applications")
    assert (page.status_code, RULE in page.text) == (421, True)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("ids?kind=application&prefix=ab", None),
        ("events", None),
        ("handover", {"to": "http://127.0.0.1:1"}),
        ("handover/end", {"moved": True}),
    ],
)
def test_of_every_control_call_that_names_it(
    http: Http, path: str, body: dict[str, Any] | None
) -> None:
    """Of those, too, that look for it in a way of their own: they answered 200 and nothing, or
    404."""
    url = f"/_sim/{path}{'&' if '?' in path else '?'}account={OTHERS}"
    found = http.call("POST", url, json=body) if body else http.call("GET", url)
    check_problem(found, "misdirected", WRONG_ROUTE)


def test_its_own_accounts_are_served(http: Http) -> None:
    http.auth_id = OURS
    http.sdk_created()
    assert [each.auth_id for each in http.sim.accounts()] == [OURS]


def test_kept_accounts_of_others_stay_as_they_are(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """They are told of, are not served, and nothing of them is lost."""
    whole = replace(PAUSED, state=tmp_path)
    sim = make_simulator(whole)
    for auth_id in (OURS, OTHERS):
        Http(create_app(sim), sim, auth_id).sdk_created()
    sim.close()
    with caplog.at_level(logging.WARNING, "plivo_sim"):
        sim = make_simulator(replace(SOME, state=tmp_path))
    assert [each.auth_id for each in sim.accounts()] == [OURS]
    assert "1 of the 2 accounts" in caplog.text
    sim.close()
    sim = make_simulator(whole)
    assert [each.auth_id for each in sim.accounts()] == [OURS, OTHERS]
    assert len(sim.account(OTHERS).store.applications) == 1
    sim.close()


FORWARDED = {
    "Host": "replica-1:8700",
    "X-Forwarded-Host": "plivo.test",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-For": "192.0.2.7",
}


@pytest.mark.parametrize(
    ("trusted", "peer", "base"),
    [
        ("", "10.1.2.3", "http://replica-1:8700"),
        ("10.0.0.0/8", "10.1.2.3", "https://plivo.test"),
        ("10.0.0.0/8 ::1", "::1", "https://plivo.test"),
        ("10.0.0.0/8", "192.0.2.1", "http://replica-1:8700"),
        ("10.0.0.0/8", "", "http://replica-1:8700"),
    ],
)
def test_a_trusted_proxy_says_where_the_client_called(trusted: str, peer: str, base: str) -> None:
    """And nobody else does."""
    chosen = read_setting("trusted_proxies", trusted)
    sim = make_simulator(replace(PAUSED, trusted_proxies=chosen, allowed_hosts=("plivo.test",)))
    http = Http(create_app(sim), sim)
    id = http.sdk_created()
    answer = http.get(
        f"PhoneNumber/Compliance/{id}/",
        query_string={"expand": "documents"},
        headers={**FORWARDED, "User-Agent": SDK_AGENT},
        environ_base={"REMOTE_ADDR": peer},
    )
    assert answer.status_code == 200
    urls = set(re.findall(r"https?://[^/\"]+(?=/v1/Account)", answer.text))
    assert urls == {base}


def test_a_scheme_that_is_none_is_not_believed() -> None:
    trusted = read_setting("trusted_proxies", "127.0.0.1")
    sim = make_simulator(replace(PAUSED, trusted_proxies=trusted))
    http = Http(create_app(sim), sim)
    id = http.sdk_created()
    answer = http.get(
        f"PhoneNumber/Compliance/{id}/",
        query_string={"expand": "documents"},
        headers={"X-Forwarded-Proto": "javascript", "User-Agent": SDK_AGENT},
    )
    assert "javascript" not in answer.text
    assert "http://127.0.0.1/" in answer.text


@pytest.mark.parametrize("text", ["proxy", "10.0.0.1/8", "10.0.0.0/99"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="trusted_proxies: "):
        read_setting("trusted_proxies", text)


ABOUT_THE_SERVER = {
    "catalogue_schema", "check_scenario", "clear_unmatched", "empty_inbox", "get_document",
    "get_fidelity", "get_shipped", "health", "list_accounts", "list_documents", "list_events",
    "list_ids", "list_machines", "list_operations", "list_requirements", "list_scenarios",
    "list_unmatched", "live", "make_account", "read_inbox", "ready", "receive_get",
    "receive_post", "scenario_schema", "verify_signature", "words",
}  # fmt: skip
"""What is about no account, or about all of this server's."""
BODIES = {
    "add_fault": {"effect": "reset", "method": "GET"},
    "advance": {"by": "1d"},
    "end_handover": {"moved": True},
    "end_takeover": {"move": "a"},
    "hand_over": {"to": "http://127.0.0.1:8702"},
    "set_clock": {"to": "2030-01-01T00:00:00Z"},
    "set_rate": {"rate": 2},
    "use_machine": {"name": "default"},
    "use_scenario": {"name": "india-happy-path"},
}


def test_every_control_call_names_its_account_where_that_is_required() -> None:
    """But for those that are about the server."""
    sim = make_simulator(replace(PAUSED, require_account=True))
    http = Http(create_app(sim), sim)
    id = http.sdk_created()
    unnamed = set()
    for row in CONTROL.endpoints:
        path = full_path(CONTROL, row)
        for name in ("id", "path:name", "name"):
            path = path.replace(f"{{{name}}}", id)
        answer = http.call(row.method, path, json=BODIES.get(row.name))
        if answer.status_code != 400 or answer.get_json().get("code") != "account_required":
            unnamed.add(row.name)
        else:
            assert "--require-account" in answer.get_json()["detail"]
    assert unnamed == ABOUT_THE_SERVER
    found = http.call("GET", f"/_sim/applications/{id}", query_string={"account": AUTH_ID})
    assert found.status_code == 200
