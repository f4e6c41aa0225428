"""What came can be asked for; what did not come is told with what came near to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import ANY

import pytest
import urllib3

from plivo_sim.account.account import KEPT_EXCHANGES
from plivo_sim.client import Refused
from plivo_sim.domain.urls import basic
from plivo_sim.testing import Handle, in_process
from plivo_sim.testing.starts import AUTH_ID, AUTH_TOKEN
from plivo_sim.web.kept_bodies import KEPT_BODY_BYTES
from tests.support import Http
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
        is_list = path == "/webhooks" and query.get("taken_back") != "yes"
        return answer | {"forgotten": 3} if is_list else answer

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


# --- what can be wanted ------------------------------------------------------------------------

LIST = "/v1/Account/MATESTTESTTESTTESTTE/PhoneNumber/Compliance"
USED = basic(AUTH_ID, AUTH_TOKEN)
SENT = {
    "alias": "Acme",
    "callback_url": "http://127.0.0.1:9/hook?token=abc",
    "documents": [],
    "end_user": {"name": "Acme", "type": "business"},
}
NEVER: list[tuple[dict[str, Any], str]] = [
    ({"data": {"alias": object()}}, "data.alias: <object .* cannot be written in JSON"),
    ({"data": {1: "x"}}, "data: the key 1 is not a text"),
    ({"data": {"callback_url": SENT["callback_url"]}}, r"data.callback_url: .*token=\*\*\*"),
    ({"data": {"list": [{"auth_token": "x"}]}}, "data.list.0.auth_token: secrets are masked"),
    ({"headers": {"Authorization": USED}}, r"headers.Authorization: .*'Basic MATEST.*:\*\*\*'"),
    ({"headers": {"authorization": "Basic TUFUR*"}}, "headers.authorization: secrets are masked"),
    ({"headers": {"X-Api-Key": "x"}}, "headers.X-Api-Key: secrets are masked"),
    ({"headers": "x"}, "headers: 'x' is not a dictionary"),
    ({"headers": {}}, "headers: is empty, so it says nothing"),
    ({"headers": {"X-Own": None}}, "headers.X-Own: None is not a text"),
    ({"query": "limit=1"}, "query: 'limit=1' is not a dictionary"),
    ({"query": {}}, "query: is empty, so it says nothing"),
    ({"query": {"token": "x"}}, "query.token: secrets are masked"),
    ({"query": {"limit": {"x": "1"}}}, "query.limit: {'x': '1'} is not a text"),
    ({"path": "/nope/"}, "no request of MATEST.* has the path '/nope/'"),
    ({"path": "/PhoneNumber/Compliance/*"}, "no request of MATEST.* has the path"),
    ({"path": LIST.lower()}, "no request of MATEST.* has the path"),
    ({"path": "/v1/Account/MAOTHEROTHEROTHEROTH/*"}, "no request of MATEST.* has the path"),
    ({"path": "*/EndUser/", "operation": "compliance.create"}, "no request has .* together"),
    ({"method": "GET", "operation": "compliance.create"}, "no request has .* together"),
    ({"dialect": "legacy", "operation": "compliance.create"}, "no request has .* together"),
    ({"path": 1}, "path: 1 is not a text"),
    ({"why": None}, "why: None is not a text"),
    ({"operation": None}, "operation: None is not a text"),
    ({"status": True}, "there is no HTTP status True"),
    ({"status": 200.0}, "there is no HTTP status 200.0"),
    ({"times": True}, "times: True is not a whole number"),
    ({"times": "1"}, "times: '1' is not a whole number"),
    ({"times": -1}, "times: -1 is not a whole number"),
]  # fmt: skip
OCCURRING: list[dict[str, Any]] = [
    {"data": {"alias": "Acme", "documents": [], "end_user": {}}},
    {"data": {"callback_url": "http://127.0.0.1:9/hook?token=*"}},
    {"data": {"callback_url": "http://127.0.0.1:9/hook?token=***"}},
    {"data": SENT | {"callback_url": "*"}},
    {"headers": {"AUTHORIZATION": "Basic MATESTTESTTESTTESTTE:***"}},
    {"headers": {"authorization": "Basic MATEST*"}},
    {"headers": {"authorization": "*", "x_own": 5}},
    {"path": f"{LIST}/", "method": "post", "operation": "compliance.create", "dialect": "current"},
    {"path": LIST},
    {"path": "*/Compliance/*"},
    {"status": 201, "fault": None, "why": "created*"},
    {"operation": "*", "method": "POST"},
    {"method": "POST", "data": ANY},
    {
        "data": {"alias": ANY, "end_user": {"type": ANY}, "documents": ANY},
        "headers": {"x-own": ANY},
    },
]


class Unlike:
    """Equal to whatever is not this."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __eq__(self, found: object) -> bool:
        return found != self.value

    __hash__ = None  # type: ignore[assignment]


@pytest.fixture(scope="module")
def asked() -> Iterator[Handle]:
    """A create and two calls of the list came."""
    with in_process() as handle:
        client = Http(handle.app, handle.sim, AUTH_ID, AUTH_TOKEN, headers={"X-Own": "5"})
        form = {"data": json.dumps(SENT | {"country_iso": "US", "number_type": "local"})}
        assert client.post("PhoneNumber/Compliance/", data=form).status_code == 201
        client.headers.clear()
        client.get("PhoneNumber/Compliance/?limit=1&status=accepted&status=rejected&flag=")
        client.get("EndUser/")
        yield handle


@pytest.mark.parametrize(("wanted", "told"), NEVER)
def test_what_cannot_come_is_refused(asked: Handle, wanted: dict[str, Any], told: str) -> None:
    """Else none of it would always be found, whatever the application sends."""
    with pytest.raises(ValueError, match=told):
        asked.expect_request(**{"times": 0} | wanted)
    if "times" not in wanted:
        with pytest.raises(ValueError, match=told):
            asked.requests(**wanted)


@pytest.mark.parametrize("wanted", OCCURRING)
def test_what_came_is_found(asked: Handle, wanted: dict[str, Any]) -> None:
    """However it is written."""
    found = asked.requests(**wanted)
    assert found[0].operation == "compliance.create"
    assert asked.expect_request(times=len(found), **wanted) == found[-1]


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "1"}, {"limit": 1}, {"limit": "*"}, {"status": "accepted"},
        {"status": "rejected"}, {"status": ["accepted", "rejected"]}, {"status": ("a*", "*")},
        {"flag": ""},
    ],
)  # fmt: skip
def test_queries_that_came_are_found(asked: Handle, query: dict[str, Any]) -> None:
    """Numbers as their text; of what was sent several times, each, or all."""
    found = asked.expect_request(times=1, query=query)
    assert found is not None
    assert found.operation == "compliance.list"


@pytest.mark.parametrize(
    "wanted",
    [
        {"data": {"nothing": {}}}, {"data": {"nothing": {"x": {}}}}, {"data": {"documents": {}}},
        {"data": {"alias": {}}}, {"data": {"end_user": {"zz": {}}}}, {"data": []},
        {"query": {"status": ["accepted"]}}, {"query": {"status": []}}, {"query": {"limit": 2}},
        {"headers": {"X-Own": 6}}, {"method": "PUT"}, {"path": f"{LIST}/Link"},
        {"path": "/beta/v1/*"}, {"path": "/atoms/*"}, {"operation": "compliance.*", "status": 404},
        {"data": {"vat": ANY}}, {"data": {"end_user": {"address": {"city": ANY}}}}, {"fault": ANY},
        {"data": {"alias": {"x": ANY}}}, {"headers": {"X-Nothing": ANY}}, {"query": {"x": ANY}},
        {"query": {"x": [ANY]}}, {"query": {"x": Unlike("")}}, {"fault": Unlike("fault-1: error")},
        {"data": {"vat": Unlike(None)}}, {"method": "GET", "data": ANY},
    ],
)  # fmt: skip
def test_what_could_come_and_did_not(asked: Handle, wanted: dict[str, Any]) -> None:
    """Is no mistake, and is not found: what is not there is neither an empty object, nor equal to
    one that decides itself what is equal to it."""
    assert asked.requests(**wanted) == []
    assert asked.expect_request(times=0, **wanted) is None
    with pytest.raises(AssertionError, match="no request with"):
        asked.expect_request(**wanted)


def test_what_is_kept_in_part_cannot_be_told() -> None:
    """Of a long body, only the start."""
    with in_process() as handle:
        long = {"alias": "findme", "end_user": {"name": "x" * KEPT_BODY_BYTES}}
        client = Http(handle.app, handle.sim, handle.auth_id, handle.auth_token)
        client.post("PhoneNumber/Compliance/", json=long)
        client.post("PhoneNumber/Compliance/", data={"data": json.dumps(long)})
        for wanted in ({"alias": "findme"}, {"alias": "other"}):
            told = r"nobody can tell whether 0 requests .* came; of 2 only the start is kept"
            with pytest.raises(AssertionError, match=told):
                handle.expect_request(data=wanted, times=0)
            with pytest.raises(AssertionError, match="data is not kept whole"):
                handle.expect_request(data=wanted)
        assert handle.expect_request(operation="legacy.*", data={"alias": "x"}, times=0) is None


def test_a_fault_may_answer_401() -> None:
    """Then it is among the requests, or could be."""
    with in_process() as handle:
        handle.fault("expired_credentials", times=1)
        assert handle.expect_request(status=401, times=0) is None
        Http(handle.app, handle.sim, handle.auth_id, handle.auth_token).get("EndUser/")
        assert handle.expect_request(status=401, times=1)


def test_a_form_of_texts_is_compared_as_texts() -> None:
    """It has no numbers."""
    with in_process() as handle:
        client = Http(handle.app, handle.sim, handle.auth_id, handle.auth_token)
        client.post("EndUser/", data={"name": "Acme", "age": "7", "is_new": "true"})
        assert handle.expect_request(data={"age": 7, "is_new": True}, times=1)
        client.post("EndUser/", json={"age": 1})
        assert handle.expect_request(data={"age": True}, times=0) is None


def test_what_was_sent_several_times() -> None:
    """``data`` is what the API takes; each is found, and of texts all of them as a list."""
    with in_process() as handle:
        client = Http(handle.app, handle.sim, handle.auth_id, handle.auth_token)
        first, second = ({"alias": name, "country_iso": "US"} for name in ("Acme", "Bolt"))
        files = [("files", (name, b"%PDF-1.4 x", "application/pdf")) for name in ("a.pdf", "b.pdf")]
        fields = [("data", (None, json.dumps(each), None)) for each in (first, second)]
        body, kind = urllib3.encode_multipart_formdata([*fields, *files])
        client.post("PhoneNumber/Compliance/", data=body, content_type=kind)
        (request,) = handle.requests(data=second)
        assert (request.data, request.files) == (first, {"files": ["a.pdf", "b.pdf"]})
        with pytest.raises(AssertionError, match=r"data\.alias is 'Acme', wanted 'Car'"):
            handle.expect_request(data={"alias": "Car"})

        for path in ("PhoneNumber/Compliance/", "ComplianceDocument/"):
            body = "alias=Acme&alias=Bolt&alias="
            client.post(path, data=body, content_type="application/x-www-form-urlencoded")
        assert [each.data for each in handle.requests(data={"alias": ["Acme", "Bolt", ""]})] == [
            {"alias": "Acme"},
            {"alias": "Bolt"},
        ]
        for each in ("Acme", "Bolt", ""):
            handle.expect_request(data={"alias": each}, path="*/ComplianceDocument/", times=1)
        handle.expect_request(data={"alias": "Car"}, times=0)


def test_a_list_is_no_form() -> None:
    """Though its objects have names."""
    with in_process() as handle:
        client = Http(handle.app, handle.sim, handle.auth_id, handle.auth_token)
        client.post("EndUser/", json=[{"name": "Acme", "text": "x"}])
        assert handle.expect_request(data=[{"name": "Acme"}], times=1)
