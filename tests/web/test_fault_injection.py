"""Faults: every effect, every trigger, every match, through HTTP."""

from __future__ import annotations

import http.client
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import pytest
import urllib3

from plivo_sim.assembly import LiveSimulator
from plivo_sim.scenarios.operations import CALLS, OPERATIONS, can_fit, operations_like
from plivo_sim.web import fault_injection
from plivo_sim.web.access import account_of
from plivo_sim.web.streams import REQUEST_THREAD
from tests.fakes import until
from tests.support import AUTH_ID, SDK_AGENT, TOKEN, Http, basic, parts_of

LIST = f"/v1/Account/{AUTH_ID}/PhoneNumber/Compliance/"


def add(http: Http, **fault: Any) -> str:
    answer = http.control("POST", "/faults", fault | {"account": AUTH_ID})
    assert answer.status_code == 201, answer.text
    return answer.get_json()["id"]


def listed(http: Http, **headers: str) -> int:
    return http.get(
        "PhoneNumber/Compliance/", headers={"User-Agent": SDK_AGENT} | headers
    ).status_code


def count(http: Http) -> int:
    return len(http.account.store.applications)


@pytest.mark.parametrize(
    ("fault", "status", "told"),
    [
        ({"effect": "error"}, 500, "Internal server error"),
        ({"effect": "error", "status": 401}, 401, "token is wrong"),
        ({"effect": "error", "status": 429}, 429, "Rate limit"),
        ({"effect": "error", "status": 418, "message": "teapot"}, 418, "teapot"),
        ({"effect": "rate_limited"}, 429, "Rate limit"),
        ({"effect": "expired_credentials"}, 401, "expired"),
        ({"effect": "unavailable"}, 503, "unavailable"),
    ],
)
def test_an_error_answers_in_the_dialect_s_own_words(
    http: Http, fault: dict[str, Any], status: int, told: str
) -> None:
    """current dialect: a string under ``error``; beta: the page's object."""
    add(http, **fault)
    answer = http.get("PhoneNumber/Compliance/", headers={"User-Agent": SDK_AGENT})
    assert answer.status_code == status
    assert told in answer.get_json()["error"]
    beta = http.get("/beta" + LIST)
    assert beta.status_code == status
    assert told.casefold() in beta.get_json()["error"]["message"].casefold()
    legacy = http.get("EndUser/")
    assert (legacy.status_code, set(legacy.get_json())) == (status, {"api_id", "error"})


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"times": 2}, [500, 500, 200, 200, 200]),
        ({"skip": 1, "times": 1}, [200, 500, 200, 200, 200]),
        ({"every": 2}, [500, 200, 500, 200, 500]),
        ({}, [500, 500, 500, 500, 500]),
        ({"probability": 0.0}, [200, 200, 200, 200, 200]),
    ],
)
def test_triggers(http: Http, fault: dict[str, Any], expected: list[int]) -> None:
    """Always, n times, after some, every n-th, never."""
    add(http, effect="error", **fault)
    assert [listed(http) for _ in expected] == expected


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"times": 3}, [500, 200]),
        ({"skip": 3}, [200, 500]),
        ({"every": 3}, [200, 500]),
        ({"quota": {"calls": 3, "per_s": 3600}}, [200, 500]),
    ],
)
@pytest.mark.parametrize("back", ["undo", "restore"])
def test_counts_go_back_with_the_account(
    http: Http, fault: dict[str, Any], expected: list[int], back: str
) -> None:
    """Else a fault that was used up strikes again. A document says nothing of them."""
    add(http, effect="error", **fault)
    for _ in range(2):
        listed(http)
    here = {"account": AUTH_ID}
    assert http.control("POST", "/snapshot", here | {"name": "a"}).status_code == 201
    assert http.control("POST", "/undo/points", here | {"what": "b"}).status_code == 201
    assert [listed(http), listed(http)] == expected
    for _ in range(2):
        http.advance("1h")
        body = {"sure": True} if back == "undo" else {"name": "a"}
        assert http.control("POST", f"/{back}", here | body).status_code == 200
        assert http.control("POST", "/undo/points", here | {"what": "b"}).status_code == 201
        assert [listed(http), listed(http)] == expected
    document = http.control("GET", "/snapshot/a", account=AUTH_ID).get_json()
    assert http.control("POST", "/restore", here | {"snapshot": document}).status_code == 200
    assert not http.account.faults.hits


def test_a_probability_is_drawn_from_the_seed(http: Http) -> None:
    """The same calls meet the same faults; some of them."""
    add(http, effect="error", probability=0.5, name="coin")
    first = [listed(http) for _ in range(20)]
    http.control("DELETE", "/faults", account=AUTH_ID)
    add(http, effect="error", probability=0.5, name="coin")
    assert [listed(http) for _ in range(20)] == first
    assert 3 < first.count(500) < 17


@pytest.mark.parametrize(
    ("match", "hit"),
    [
        ({"api": "new"}, True),
        ({"api": "legacy"}, False),
        ({"operation": "compliance.list"}, True),
        ({"operation": "compliance.create"}, False),
        ({"method": "get"}, True),
        ({"method": "POST"}, False),
        ({"path": "*/PhoneNumber/*"}, True),
        ({"path": "*/EndUser/*"}, False),
        ({"application": "no-such"}, False),
    ],
)
def test_matching(http: Http, match: dict[str, str], hit: bool) -> None:
    """On API, operation, method, path, or one application."""
    add(http, effect="error", **match)
    assert listed(http) == (500 if hit else 200)


def test_a_fault_can_aim_at_one_application(http: Http) -> None:
    """Its neighbour is untouched."""
    one, other = http.sdk_created(alias="one"), http.sdk_created(alias="other")
    add(http, effect="error", application=one)
    assert http.get(f"PhoneNumber/Compliance/{one}/").status_code == 500
    assert http.get(f"PhoneNumber/Compliance/{other}/").status_code == 200


def test_faults_belong_to_an_account(http: Http) -> None:
    """Another account's calls are untouched."""
    add(http, effect="error")
    other = Http(http.app, http.sim, auth_id="MAYYYYYYYYYYYYYYYYYY")
    assert listed(other) == 200


def test_a_quota_answers_429_with_retry_after(http: Http) -> None:
    """After n calls in a window the next is one too many."""
    add(http, effect="rate_limited", retry_after_s=7, quota={"calls": 2, "per_s": 3600})
    assert [listed(http), listed(http)] == [200, 200]
    answer = http.get("PhoneNumber/Compliance/", headers={"User-Agent": SDK_AGENT})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")


def test_a_quota_s_window_passes(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call counts for so many seconds, of the machine's time, and not a moment longer."""
    now = 1_000_000.0
    monkeypatch.setattr(fault_injection.time, "time", lambda: now)
    add(http, effect="rate_limited", quota={"calls": 2, "per_s": 60})
    assert listed(http) == 200
    now += 30
    assert [listed(http), listed(http)] == [200, 429]
    now += 29
    assert listed(http) == 429
    now += 1
    assert [listed(http), listed(http)] == [200, 429]
    now += 30
    assert [listed(http), listed(http)] == [200, 429]


def test_a_quota_outlives_no_clock_that_is_set_back(
    http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a little, the calls before count on; by years, nobody waits for years."""
    now = 1_000_000.0
    monkeypatch.setattr(fault_injection.time, "time", lambda: now)
    add(http, effect="rate_limited", quota={"calls": 2, "per_s": 60})
    assert [listed(http), listed(http)] == [200, 200]
    now -= 0.002
    assert listed(http) == 429
    now -= 500_000
    assert listed(http) == 200


def test_a_fault_before_the_work_changes_nothing(http: Http) -> None:
    """An error keeps the create from happening."""
    add(http, effect="error", operation="compliance.create")
    assert http.sdk_create().status_code == 500
    assert count(http) == 0


@pytest.mark.parametrize("effect", ["error", "unavailable", "rate_limited"])
def test_applied_answer_lost(http: Http, effect: str) -> None:
    """``applied``: the work is done, the answer says that it is not."""
    add(http, effect=effect, operation="compliance.create", applied=True)
    assert http.sdk_create().status_code >= 429
    assert count(http) == 1


@pytest.mark.parametrize("effect", ["invalid_json", "wrong_content_type"])
def test_spoilt_answers_come_after_the_work(http: Http, effect: str) -> None:
    """The application is there although its answer cannot be read."""
    add(http, effect=effect, operation="compliance.create")
    answer = http.sdk_create()
    assert answer.status_code == 201
    if effect == "invalid_json":
        with pytest.raises(json.JSONDecodeError):
            json.loads(answer.data)
    else:
        assert answer.content_type.startswith("text/html")
    assert count(http) == 1


def test_in_process_a_cut_raises(http: Http) -> None:
    """Where there is no connection, the caller sees ConnectionResetError."""
    add(http, effect="reset", operation="compliance.create")
    with pytest.raises(ConnectionResetError):
        http.sdk_create()
    assert count(http) == 1


def test_the_journal_names_the_fault_that_hit(http: Http) -> None:
    """For any request, which fault hit it."""
    add(http, effect="error", name="my fault", times=1)
    api_id = http.get("EndUser/").headers["X-Request-Id"]
    found = http.control("GET", "/requests", account=AUTH_ID, id=api_id).get_json()["requests"]
    assert [each["fault"] for each in found] == ["my fault: error"]
    assert found[0]["headers"]["Authorization"] == f"Basic {AUTH_ID}:***"


def test_every_operation_can_be_named(http: Http) -> None:
    """Those of the imitated APIs, and no other; what is misspelt is refused."""
    imitated = ("atoms", "compliance", "legacy", "numbers")
    assert sorted(OPERATIONS) == sorted(
        name
        for part in parts_of(http.app)
        for name in part.view_functions
        if name.split(".")[0] in imitated
    )


def test_the_calls_of_operations_are_as_they_are_declared(http: Http) -> None:
    """Their methods and paths, by which what no call can have is refused."""
    listed = http.control("GET", "/operations").get_json()["operations"]
    declared = {each["operation"]: (each["method"], each["path"]) for each in listed}
    assert {
        name: (verb, re.sub(r"{\w+}", "{}", path)) for name, (verb, path) in declared.items()
    } == CALLS
    for name, (verb, path) in CALLS.items():
        exact = re.sub("{}", "MA1", path)
        for wanted in (
            exact,
            exact.rstrip("/"),
            exact.upper(),
            f"*{path[-8:].partition('}')[2]}",
            "*",
            f"{exact[:9]}*",
            exact.replace("M", "?"),
            exact.replace("M", "[A-Z]"),
        ):
            assert name in operations_like(name, verb, wanted), wanted
        for wanted in (
            f"{exact}x/y",
            f"x{exact}",
            exact[:-3],
            "/",
            exact.replace("1", "[!A-Z0-9]"),
        ):
            like = re.sub("{}", "[^/]+", path.rstrip("/"))
            assert can_fit(wanted, path) is bool(re.fullmatch(like, wanted.rstrip("/"))), wanted


def test_removing_a_fault(http: Http) -> None:
    """One by its id, or all."""
    id = add(http, effect="error")
    assert http.control("DELETE", f"/faults/{id}", account=AUTH_ID).status_code == 200
    assert http.control("DELETE", f"/faults/{id}", account=AUTH_ID).status_code == 404
    add(http, effect="error")
    http.control("DELETE", "/faults", account=AUTH_ID)
    assert listed(http) == 200


@pytest.mark.parametrize(
    ("fault", "path"),
    [
        ({"effect": "explode"}, "effect"),
        ({"effect": "error", "status": 200}, "status"),
        ({"effect": "error", "tims": 1}, "tims"),
        ({"effect": "error", "probability": 2}, "probability"),
        ({"effect": "error", "quota": {"calls": 0}}, "quota.calls"),
        ({"effect": "error", "path": "/nope/"}, "path"),
        ({"effect": "error", "path": "/beta/v1/*"}, "path"),
        ({"effect": "error", "path": "/v1/Account/*", "operation": "atoms.*"}, "path"),
        ({"effect": "error", "path": "*/EndUser/*", "operation": "compliance.create"}, "path"),
        ({"effect": "error", "method": "DELETE", "operation": "compliance.create"}, "method"),
        ({"effect": "error", "api": "plivo*"}, "api"),
        ({"effect": "error", "api": "legacy", "operation": "compliance.create"}, "api"),
        ({}, "effect"),
    ],
)
def test_a_wrong_fault_is_refused_with_its_path(
    http: Http, fault: dict[str, Any], path: str
) -> None:
    """And none is added."""
    answer = http.control("POST", "/faults", fault | {"account": AUTH_ID})
    assert answer.status_code == 400
    assert path in [problem["path"] for problem in answer.get_json()["problems"]]
    assert listed(http) == 200


# --- over a real socket ----------------------------------------------------------------------


@pytest.fixture
def socket_http(live: LiveSimulator) -> Iterator[tuple[LiveSimulator, urllib3.PoolManager]]:
    with urllib3.PoolManager(retries=False, timeout=60) as pool:
        yield live, pool


def _add_live(live: LiveSimulator, pool: urllib3.PoolManager, **fault: Any) -> None:
    body = json.dumps({"account": AUTH_ID} | fault)
    headers = {"Content-Type": "application/json"}
    answer = pool.request("POST", f"{live.url}/_sim/faults", body=body, headers=headers)
    assert answer.status == 201, answer.data


def _create(live: LiveSimulator, pool: urllib3.PoolManager) -> urllib3.BaseHTTPResponse:
    body = json.dumps({"name": f"Acme {uuid4()}", "end_user_type": "business"})
    headers = {"Authorization": basic(AUTH_ID, TOKEN), "Content-Type": "application/json"}
    url = f"{live.url}/v1/Account/{AUTH_ID}/EndUser/"
    return pool.request("POST", url, body=body, headers=headers)


@pytest.mark.live
@pytest.mark.parametrize(
    ("effect", "wanted"),
    [
        # urllib3 swallows the reset when it comes while the body is still being sent
        ("reset", "reset|without response"),
        ("empty", "without response"),
        ("truncated", "IncompleteRead|reset|broken"),
    ],
)
@pytest.mark.parametrize("told", [True, False])
def test_a_cut_connection_looks_like_one_and_is_not_half_written(
    socket_http: tuple[LiveSimulator, urllib3.PoolManager],
    effect: str,
    wanted: str,
    told: bool,
) -> None:
    """Reset, empty and truncated answers, before the work or after it."""
    live, pool = socket_http
    applied = told or effect == "truncated"  # there is no half of an answer that was never made
    _add_live(live, pool, effect=effect, applied=told, times=1)
    with pytest.raises(urllib3.exceptions.HTTPError, match=f"(?i){wanted}"):
        _create(live, pool)
    account = live.sim.account(AUTH_ID)
    assert len(account.store.end_users) == (1 if applied else 0)
    assert _create(live, pool).status == 201


@pytest.mark.live
def test_other_connections_live_on_after_a_cut(
    socket_http: tuple[LiveSimulator, urllib3.PoolManager],
) -> None:
    """A connection that was open before is still answered."""
    live, pool = socket_http
    host, port = live.url.removeprefix("http://").split(":")
    other = http.client.HTTPConnection(host, int(port), timeout=60)
    other.request("GET", "/_sim/health")
    other.getresponse().read()
    _add_live(live, pool, effect="reset", times=1)
    with pytest.raises(urllib3.exceptions.HTTPError):
        _create(live, pool)
    other.request("GET", "/_sim/health")
    assert other.getresponse().status == 200
    other.close()


@pytest.mark.live
@pytest.mark.parametrize(
    ("api", "effect"), [("new", "slow"), ("atoms", "slow"), ("plivo-for-atoms", "error")]
)
def test_a_call_that_latency_holds_needs_no_thread(
    socket_http: tuple[LiveSimulator, urllib3.PoolManager], api: str, effect: str
) -> None:
    """More are held than there are threads for requests; a bystander is answered."""
    live, pool = socket_http
    account = live.sim.account(AUTH_ID if api == "new" else account_of("key"))
    fault = {"effect": effect, "latency_s": 120, "api": api, "name": "held"}
    _add_live(live, pool, **fault, account=account.auth_id)
    key = "countryIso=IN&numberType=local&userType=business"
    target = LIST if api == "new" else f"/atoms/v1/compliance/requirements?{key}"
    authorization = basic(AUTH_ID, TOKEN) if api == "new" else "Bearer key"
    head = f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {authorization}\r\n\r\n"
    with ExitStack() as stack:
        for _ in range(150):
            address = "127.0.0.1", int(live.url.rpartition(":")[2])
            stack.enter_context(socket.create_connection(address, 60)).sendall(head.encode())
        until(lambda: account.faults.hits.get("held", 0) == 150)
        assert pool.request("GET", f"{live.url}/_sim/health/live").status == 200


@pytest.mark.live
@pytest.mark.parametrize("effect", ["slow", "error"])
def test_a_held_call_is_one_call(
    socket_http: tuple[LiveSimulator, urllib3.PoolManager], effect: str
) -> None:
    """It is counted once, by the fault, the rate limit and the journal; its body is read; its time
    includes the wait."""
    live, pool = socket_http
    _add_live(live, pool, effect=effect, latency_s=0.05, times=1, name="late")
    answer = _create(live, pool)
    assert answer.status == (201 if effect == "slow" else 500)
    account = live.sim.account(AUTH_ID)
    exchange = next(each for each in account.exchanges if each.method == "POST")
    assert exchange.took_ms >= 50
    assert exchange.fault == f"late: {effect}"
    assert account.faults.hits == account.faults.struck == {"late": 1}
    assert answer.headers["X-Request-Id"] == exchange.id
    assert _create(live, pool).status == 201


def test_latency_is_waited_for(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """``slow`` waits in real time and then serves."""
    waited: list[float] = []
    monkeypatch.setattr("plivo_sim.web.fault_injection.time.sleep", waited.append)
    add(http, effect="slow", latency_s=1.5, times=1)
    assert listed(http) == 200
    assert waited == [1.5]


def test_a_fault_whose_name_has_a_slash_can_be_switched_off(http: Http) -> None:
    """Whatever a fault is called, it can be named in the URL."""
    http.control("POST", "/faults", {"effect": "error", "name": "a/b", "account": AUTH_ID})
    answer = http.control("DELETE", "/faults/a/b", account=AUTH_ID)
    assert answer.get_json()["faults"] == []


def test_nobody_sleeps_in_a_thread_that_serves(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that is sent again, or a button's, is made within another: it would keep a thread
    that others need."""
    http.control("POST", "/faults", {"effect": "slow", "latency_s": 60, "account": AUTH_ID})

    def sleep(_: float) -> None:
        raise AssertionError

    monkeypatch.setattr(time, "sleep", sleep)
    statuses: list[int] = []
    thread = threading.Thread(
        target=lambda: statuses.append(http.get("EndUser/").status_code), name=REQUEST_THREAD
    )
    thread.start()
    thread.join(60)
    assert statuses == [200]


def test_two_faults_never_count_together(http: Http) -> None:
    """Not by their names, whatever these are, and none is called as one of the scenario's is."""
    own = {"effect": "error", "times": 2}
    add(http, name="a/struck", method="GET", **own)
    assert [listed(http) for _ in range(3)] == [500, 500, 200]
    add(http, name="a", operation="compliance.list", **own)
    assert [listed(http) for _ in range(3)] == [500, 500, 200]

    told = {"scenario": "two faults", "faults": [own | {"name": "a"}, own | {"name": "b"}, own]}
    assert mistaken(http, "/scenario", {"scenario": told}) == ["faults[0].name"]
    http.control("DELETE", "/faults/a", account=AUTH_ID)
    assert mistaken(http, "/scenario", {"scenario": told}) == []
    for name in ("a", "b", "scenario-3"):
        assert mistaken(http, "/faults", own | {"name": name}) == ["name"]


def mistaken(http: Http, path: str, body: dict[str, Any]) -> list[str]:
    """The paths of what is wrong with a call; none if nothing is."""
    answer = http.control("POST", path, body, account=AUTH_ID)
    assert answer.status_code in (200, 201, 400), answer.text
    return [each["path"] for each in answer.get_json().get("problems", ())]
