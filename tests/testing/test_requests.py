"""What came can be asked for; what did not come is told with what came near to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from plivo_sim.account.account import KEPT_EXCHANGES
from plivo_sim.client import Refused
from plivo_sim.testing import Handle
from tests.testing.conftest import client_of

File = Callable[..., str]


def test_requests_by_what_is_in_them(handle: Handle, file: File) -> None:
    """Operation, method, path, status, query, headers, data; texts may have stars."""
    file("Acme")
    file("Bolt")
    client_of(handle).compliance("GET", "?limit=1", headers={"X-Own": "yes"})
    assert len(handle.requests()) == 3
    creates = handle.requests(operation="compliance.create")
    assert [each.data["alias"] for each in creates] == ["Acme", "Bolt"]
    assert [each.json()["message"][:10] for each in creates] == ["Compliance"] * 2
    assert handle.requests(data={"end_user": {"name": "B*"}}) == [creates[1]]
    assert handle.requests(path="*/Compliance/", method="POST", status=201) == creates
    (listed,) = handle.requests(query={"limit": "1"}, headers={"x-own": "yes"})
    assert (listed.method, listed.data, listed.files) == ("GET", None, {})
    assert (listed.at, listed.arrived >= creates[1].arrived) == (handle.now, True)
    assert handle.expect_request(operation="compliance.*", times=3) == listed


def test_a_request_that_did_not_come(handle: Handle, file: File) -> None:
    """The closest ones are told, nearest first, with the conditions that they do not meet."""
    with pytest.raises(AssertionError, match=r"no request with .* came\nno request came\nclock: "):
        handle.expect_request(operation="compliance.create")
    file("Acme")
    file("Bolt", country_iso="CA")
    client_of(handle).compliance("GET")
    data = {"alias": "Acme Inc.", "country_iso": "US", "vat": "x"}
    with pytest.raises(AssertionError) as failed:
        handle.expect_request(operation="compliance.create", data=data)
    lines = str(failed.value).partition("\nclock: ")[0].splitlines()
    assert lines[1] == "of 3 requests that came, the closest:"
    assert [line.strip().partition(" http")[0] for line in lines[2:]] == [
        "POST",
        "data.alias is 'Acme', wanted 'Acme Inc.'",
        "data.vat is missing, wanted 'x'",
        "POST",
        "data.alias is 'Bolt', wanted 'Acme Inc.'",
        "data.country_iso is 'CA', wanted 'US'",
        "data.vat is missing, wanted 'x'",
        "GET",
        "operation is 'compliance.list', wanted 'compliance.create'",
        "data.alias is missing, wanted 'Acme Inc.'",
        "data.country_iso is missing, wanted 'US'",
        "data.vat is missing, wanted 'x'",
    ]


def test_so_many_requests(handle: Handle, file: File) -> None:
    """Exactly; none, too."""
    file("Acme")
    handle.expect_request(operation="compliance.create", times=1)
    assert handle.expect_request(operation="compliance.delete", times=0) is None
    with pytest.raises(AssertionError, match="1 requests, not 2, with operation="):
        handle.expect_request(operation="compliance.create", times=2)
    with pytest.raises(AssertionError, match="1 requests, not 0, with operation="):
        handle.expect_request(operation="compliance.create", times=0)


def test_what_is_not_kept_any_more_may_have_come(
    handle: Handle, file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that nobody can tell how many came, or that none did."""
    file("Acme")
    for _ in range(KEPT_EXCHANGES):
        client_of(handle).compliance("GET", "?limit=1")
    listed = {"operation": "compliance.list"}
    assert handle.expect_request(**listed)
    told = r"nobody can tell whether 0 requests .* came; 1 older ones are not kept any more"
    with pytest.raises(AssertionError, match=told):
        handle.expect_request(operation="compliance.create", times=0)
    with pytest.raises(AssertionError, match=r"no request .* came; 1 older ones are not kept"):
        handle.expect_request(operation="compliance.create")

    handle.expect_no_callback()
    get = handle.calls.get

    def forgetting(path: str, **query: Any) -> Any:
        answer = get(path, **query)
        return answer | {"forgotten": 3} if path == "/webhooks" else answer

    monkeypatch.setattr(handle.calls, "get", forgetting)
    with pytest.raises(AssertionError, match="nobody can tell: 3 older callbacks are not kept"):
        handle.expect_no_callback()


def test_what_no_request_can_have_is_refused(handle: Handle) -> None:
    """With what was probably meant."""
    with pytest.raises(ValueError, match="requests have no 'operaton'; did you mean 'operation'"):
        handle.requests(operaton="compliance.create")
    with pytest.raises(ValueError, match=r"'compliance.creat'; did you mean 'compliance\.create'"):
        handle.expect_request(operation="compliance.creat")
    for name, value, hint in (
        ("dialect", "curent", "; did you mean 'current'"),
        ("method", "PSOT", "; did you mean 'POST'"),
        ("fault", "eror", "; did you mean 'error'"),
        ("fault", "fault-1: eror", "; did you mean 'error'"),
        ("status", "404", "; write a number"),
    ):
        with pytest.raises(ValueError, match=hint):
            handle.expect_request(**{name: value}, times=0)


def test_refused_requests_and_faults(handle: Handle, file: File) -> None:
    """Are requests like others."""
    handle.fault("unavailable", name="maintenance", times=1)
    with pytest.raises(Refused):
        file()
    assert handle.expect_request(fault="*other*", times=0) is None
    assert handle.expect_request(fault="unavailable", method="post", times=1)
    found = handle.expect_request(status=503, fault="*maintenance*")
    assert found is not None
    assert found.operation == "compliance.create"


def test_a_request_that_was_not_let_in(handle: Handle, file: File) -> None:
    """It came, so there was not none; it is not the one that is wanted; and the report tells it."""
    refused = {"Authorization": "Basic old"}
    with pytest.raises(Refused, match="401"):
        client_of(handle).compliance("POST", form=[("data", "{}")], headers=refused)
    told = "1 that would fit were not let in [(]401[)]"
    for wanted in ({}, {"operation": "compliance.create"}, {"method": "POST"}):
        for times in (0, 1, None):
            with pytest.raises(AssertionError, match=told):
                handle.expect_request(times=times, **wanted)
    with pytest.raises(AssertionError, match="1 requests, not 0, with status=401"):
        handle.expect_request(times=0, status=401)
    found = handle.expect_request(status=401, times=1)
    assert found is not None
    assert (found.operation, found.at) == ("compliance.create", handle.now)
    assert f"request POST {found.url}: 401 The Authorization header is malformed" in handle.report()
    file()
    filed = handle.expect_request(operation="compliance.create")
    assert filed is not None
    assert filed.status == 201
    handle.reset()
    handle.expect_request(times=0)


def test_a_fault_answers_401_to_who_is_let_in(handle: Handle, file: File) -> None:
    """That is a request like others."""
    handle.fault("error", status=401, times=1)
    with pytest.raises(Refused):
        file()
    handle.expect_request(operation="compliance.create", times=1)


def test_a_misspelt_unit_of_time(handle: Handle) -> None:
    """Is refused."""
    with pytest.raises(ValueError, match="'busines_days'; did you mean 'business_days'"):
        handle.advance(busines_days=3)
