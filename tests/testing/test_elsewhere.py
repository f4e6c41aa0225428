"""That nothing came to the test's account says nothing when another one was called instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
import requests

from plivo_sim.assembly import LiveSimulator
from plivo_sim.client import Refused
from plivo_sim.testing import Handle, in_process, remote
from plivo_sim.testing.sdk import pointed
from tests.support import Http
from tests.testing.conftest import client_of, file_in

OTHER = "MAOTHEROTHEROTHEROTH"
LIST = "PhoneNumber/Compliance/"
ATOMS = "/atoms/v1/compliance/status?countryIso=IN&numberType=local&userType=business"
KEY = {"Authorization": "Bearer sk-app-key"}

Check = Callable[[Handle], object]
NONE_CAME: dict[str, Check] = {
    "request": lambda sim: sim.expect_request(times=0),
    "create": lambda sim: sim.expect_request(operation="compliance.create", times=0),
}
NONE_SENT: dict[str, Check] = {
    "callback": lambda sim: sim.expect_no_callback(),
    "accepted": lambda sim: sim.expect_no_callback(status="accepted"),
}
EVERY = NONE_CAME | NONE_SENT


def is_refused(sim: Handle, check: Check, told: str) -> None:
    with pytest.raises(AssertionError, match=f"^this says nothing; account {told}"):
        check(sim)


@pytest.mark.parametrize("check", EVERY.values(), ids=EVERY)
def test_another_account_was_called(check: Check) -> None:
    """By an application with an auth id of its own. Once the test names that account, it knows."""
    with in_process() as sim:
        check(sim)
        file_in(sim, auth_id=OTHER)
        told = f"{OTHER} was called .* 1 such requests, the last POST .*: 201; choose .* auth_id=;"
        is_refused(sim, check, told)
        sim.expect_request(operation="compliance.delete", times=0)
        sim.reset()
        check(sim)
        file_in(sim, auth_id=OTHER)
        sim.for_account(OTHER, "token")
        check(sim)


def test_another_account_was_only_read() -> None:
    """That causes no callback; the report tells of it."""
    with in_process() as sim:
        own = file_in(sim)
        client_of(sim, OTHER).compliance("GET")
        list_requests = {"operation": "compliance.list", "times": 0}
        is_refused(sim, lambda sim: sim.expect_request(**list_requests), f"{OTHER} .* the last GET")
        assert f"account {OTHER} was called, too: 1 requests, 0 applications" in sim.report()
        sim.expect_no_callback()
        file_in(sim, auth_id=OTHER)
        sim.expect_no_callback(compliance_id=own)


def test_an_atoms_key_of_its_own() -> None:
    """Its account is derived from it."""
    with in_process() as sim:
        assert Http(sim.app, sim.sim).get(ATOMS, headers=KEY).status_code == 200
        is_refused(sim, NONE_CAME["request"], "MAF0F327639C26980E92 .* with atoms_tokens=;")


@pytest.mark.parametrize(
    "settings", [{"credentials": {OTHER: "token"}}, {"atoms_tokens": {"sk-app-key": OTHER}}]
)
def test_accounts_that_settings_name(settings: dict[str, Any]) -> None:
    """Are known."""
    with in_process(**settings) as sim:
        Http(sim.app, sim.sim, OTHER, "token").get(LIST)
        Http(sim.app, sim.sim).get(ATOMS, headers=KEY) if "atoms_tokens" in settings else None
        for check in EVERY.values():
            check(sim)


def test_a_foreign_call_that_was_not_let_in() -> None:
    """It did nothing: tests of who may do what make such calls."""
    with in_process() as sim:
        sim.calls.post("/accounts", {"auth_id": OTHER}, account=None)
        with pytest.raises(Refused, match="401"):
            client_of(sim, OTHER).compliance("GET", headers={"Authorization": "Basic old"})
        assert len(sim.calls.get("/requests", account=OTHER)["requests"]) == 1
        for check in EVERY.values():
            check(sim)


@pytest.mark.live
def test_on_a_shared_server_what_was_pointed_counts(elsewhere: LiveSimulator) -> None:
    """As that was this test; for what others call there, nobody is blamed."""
    plivo = "https://api.plivo.com/v1/Account"
    with remote(elsewhere.url, name="test") as sim, pointed(sim.url):
        file_in(sim, auth_id=OTHER)
        login = (sim.auth_id, "token")
        assert requests.get(f"{plivo}/{sim.auth_id}/EndUser/", auth=login, timeout=30).ok
        sim.expect_request(operation="compliance.create", times=0)
        sim.expect_no_callback()

        login = (OTHER, "token")
        assert requests.get(f"{plivo}/{OTHER}/{LIST}", auth=login, timeout=30).ok
        file_in(sim, auth_id=OTHER)
        told = f"{OTHER} .* 1 such requests, the last GET .* auth_id=; that gives it a server"
        is_refused(sim, lambda sim: sim.expect_request(operation="compliance.list", times=0), told)
        NONE_CAME["create"](sim)
        NONE_SENT["callback"](sim)

        sim.reset()
        NONE_CAME["request"](sim)
        assert httpx.get(f"https://api.smallest.ai{ATOMS}", headers=KEY).status_code == 200
        is_refused(sim, NONE_CAME["request"], "MAF0F327639C26980E92 .* with atoms_tokens=;")
    elsewhere.sim.remove_all()
