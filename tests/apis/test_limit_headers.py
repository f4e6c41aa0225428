"""Rate-limit headers of the new API: on every answer, whoever gives it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import freezegun
import pytest

from plivo_sim.assembly import LiveSimulator
from tests.hostile.test_sockets import exchanged
from tests.support import AUTH_ID, SDK_AGENT, Http

HOME = f"/v1/Account/{AUTH_ID}/PhoneNumber/Compliance"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAMES = {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}
NOBODY = {"Authorization": None}
WRONG = {"Authorization": "Basic bm9ib2R5Ong="}


def left(answer: Any) -> int:
    assert {name for name, _ in answer.headers} >= NAMES
    return int(answer.headers["X-RateLimit-Remaining"])


@pytest.mark.parametrize("mount", ["", "/current", "/beta"])
@pytest.mark.parametrize(
    ("method", "path", "given", "status", "limit"),
    [
        ("GET", "/", {}, 200, 60),
        ("GET", "/", {"headers": NOBODY}, 401, 60),
        ("GET", "/Requirements", {"headers": WRONG}, 401, 100),
        ("GET", "/no-such", {}, 404, 60),
        ("GET", "/a/b/c", {}, 404, 60),
        ("POST", "/Link/x", {}, 404, 60),
        ("PUT", "/", {}, 405, 60),
        ("POST", "/Requirements/", {}, 405, 100),
        ("GET", "/Link", {}, 405, 60),
        ("POST", "/", {"data": b"{", "content_type": "application/json"}, 400, 60),
        ("POST", "/", {"data": b"x" * 100}, 400, 60),
    ],
)
def test_every_answer_has_them(
    http: Http, mount: str, method: str, path: str, given: dict[str, Any], status: int, limit: int
) -> None:
    """Successes, refusals, and URLs and methods that do not exist."""
    answer = http.call(method, mount + HOME + path, **given)
    assert answer.status_code == status
    left(answer)
    assert answer.headers.getlist("X-RateLimit-Limit") == [str(limit)]


@pytest.mark.parametrize(("mount", "status"), [("/current", 400), ("/beta", 413)])
def test_a_body_that_is_too_large_is_refused_with_them(http: Http, mount: str, status: int) -> None:
    """It is not read."""
    length = {"CONTENT_LENGTH": str(60 * 1024 * 1024)}
    answer = http.post(f"{mount}{HOME}/", data=b"{}", environ_overrides=length)
    assert answer.status_code == status
    assert left(answer) == 59


@pytest.mark.parametrize("path", ["//PhoneNumber/Compliance/", "//x/PhoneNumber/Compliance"])
def test_a_url_without_an_account_has_them(http: Http, path: str) -> None:
    """Nothing was counted."""
    assert left(http.get(f"/v1/Account{path}")) == 60


def test_a_failure_of_the_simulator_has_them(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """500, as any other answer."""
    monkeypatch.setitem(http.app.view_functions, "compliance.list", lambda **_: 1 / 0)
    answer = http.get(f"{HOME}/")
    assert answer.status_code == 500
    assert left(answer) == 59


def test_a_401_shows_what_is_left_and_counts_nothing(http: Http) -> None:
    """Of the account in the URL."""
    assert left(http.get(f"{HOME}/")) == 59
    for headers in (NOBODY, WRONG, NOBODY):
        assert left(http.get(f"{HOME}/", headers=headers)) == 59
    assert left(http.get(f"{HOME}/")) == 58


def test_unknown_urls_and_methods_count(http: Http) -> None:
    """They are calls of an account."""
    calls = (("GET", "/a/b"), ("PUT", "/"), ("GET", "//"), ("GET", "//Document/"))
    answers = [http.call(method, HOME + path) for method, path in calls]
    assert [answer.status_code for answer in answers] == [404, 405, 404, 404]
    assert [left(answer) for answer in answers] == [59, 58, 57, 56]


@pytest.mark.parametrize(
    ("effect", "status"),
    [("error", 500), ("unavailable", 503), ("expired_credentials", 401),
     ("invalid_json", 200), ("wrong_content_type", 200)],
)  # fmt: skip
@pytest.mark.parametrize("applied", [False, True])
def test_injected_faults_have_them(http: Http, effect: str, status: int, applied: bool) -> None:
    """One that keeps the call from happening counts nothing."""
    is_late = applied or status == 200
    http.control(
        "POST", "/faults", {"effect": effect, "account": AUTH_ID, "times": 1, "applied": applied}
    )
    answer = http.get(f"{HOME}/")
    assert answer.status_code == status
    assert left(answer) == (59 if is_late else 60)


@pytest.mark.parametrize("applied", [False, True])
@pytest.mark.parametrize(
    "effect", [{"effect": "rate_limited"}, {"effect": "error", "status": 429}], ids=str
)
@pytest.mark.parametrize(("given", "wait_s"), [({}, 60), ({"retry_after_s": 7}, 7),
                                               ({"retry_after_s": 0}, 0)])  # fmt: skip
@pytest.mark.parametrize(("path", "limit"), [("/", 60), ("/Requirements/?country_iso=IN", 100)])
def test_the_headers_of_an_injected_429_agree(
    http: Http, monkeypatch: pytest.MonkeyPatch,
    path: str, limit: int, given: dict[str, int], wait_s: int, effect: dict[str, Any],
    applied: bool,
) -> None:  # fmt: skip
    """Nothing remains, and the window ends when Retry-After says, counted from the answer; the
    text names the limit."""
    fault = {"account": AUTH_ID, "applied": applied, "latency_s": 30}
    http.control("POST", "/faults", fault | effect | given)
    with freezegun.freeze_time(NOON) as frozen:
        monkeypatch.setattr(time, "sleep", frozen.tick)
        answer = http.get(HOME + path, headers={"User-Agent": SDK_AGENT})
    assert answer.status_code == 429
    assert str(limit) in answer.get_json()["error"]
    assert answer.headers.getlist("X-RateLimit-Limit") == [str(limit)]
    assert left(answer) == 0
    assert answer.headers.getlist("Retry-After") == [str(wait_s)]
    assert int(answer.headers["X-RateLimit-Reset"]) == NOON.timestamp() + 30 + wait_s


@pytest.mark.parametrize("path", ["EndUser/", "Number/"])
def test_an_injected_429_of_another_api_has_none_of_them(http: Http, path: str) -> None:
    """No page speaks of limits there; Retry-After is what the fault says, applied or not."""
    for applied in (True, False):
        fault = {"effect": "rate_limited", "account": AUTH_ID, "applied": applied, "times": 1}
        http.control("POST", "/faults", fault)
        answer = http.get(path)
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")
        assert not NAMES & {name for name, _ in answer.headers}


def test_a_call_beyond_the_limit_is_warned_of(http: Http) -> None:
    """Where limits are not enforced; the one before is not."""
    for _ in range(59):
        http.get(f"{HOME}/")
    assert "rate limit" not in http.get(f"{HOME}/").headers.get("X-Plivo-Sim-Warning", "")
    answer = http.get(f"{HOME}/")
    assert answer.status_code == 200
    warning = answer.headers["X-Plivo-Sim-Warning"]
    assert "rate limit of 60 requests per minute exceeded" in warning
    assert "call 61 of this window would be answered 429" in warning
    assert left(answer) == 0


def test_a_refused_url_counts_where_limits_are_enforced(http: Http) -> None:
    """The 61st call is 429, whatever it asks; a wrong password is told first."""
    http.account.configure({"rate_limits": "true"})
    for _ in range(60):
        http.call("PUT", f"{HOME}/")
    answer = http.call("PUT", f"{HOME}/")
    assert (answer.status_code, left(answer)) == (429, 0)
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert "X-Plivo-Sim-Warning" not in answer.headers
    assert http.get(f"{HOME}/", headers=NOBODY).status_code == 401


@pytest.mark.parametrize("is_written", [True, False])
@pytest.mark.parametrize("reset", [AUTH_ID, "all", "anew"])
def test_a_reset_opens_new_windows(http: Http, reset: str, is_written: bool) -> None:
    """Also of an account that was only read, and for who has no credentials; the second call of
    each is answered from memory. What one test had called, the next one was refused."""
    if is_written:
        http.account.configure({"strict": "on"})
    assert [left(http.get(f"{HOME}/")) for _ in range(3)] == [59, 58, 57]
    assert left(http.get(f"{HOME}/", headers=NOBODY)) == 57
    if reset == "anew":
        http.sim.begin_anew(http.sim.settings)
    else:
        http.post("/_sim/reset", json={"account": reset})
    assert left(http.get(f"{HOME}/", headers=NOBODY)) == 60
    assert [left(http.get(f"{HOME}/")) for _ in range(3)] == [59, 58, 57]


@pytest.mark.live
@pytest.mark.parametrize("path", ["", "/current", "/beta"])
def test_what_the_server_refuses_has_them(live: LiveSimulator, path: str) -> None:
    """Below the application, too: a request that can be read in two ways, with its limits."""
    url = f"{path}{HOME}/Requirements?x=y"
    head = f"GET {url} HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n"
    answer = exchanged(live, head.encode()).decode()
    assert answer.startswith("HTTP/1.1 400 ")
    assert "\r\nX-RateLimit-Limit: 100\r\nX-RateLimit-Remaining: 100\r\n" in answer
    assert "\r\nX-RateLimit-Reset: " in answer


@pytest.mark.live
def test_what_the_server_refuses_elsewhere_has_none(live: LiveSimulator) -> None:
    """The legacy API has no limits."""
    url = f"/v1/Account/{AUTH_ID}/EndUser/"
    head = f"GET {url} HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n"
    answer = exchanged(live, head.encode())
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"\r\nX-Request-Id: " in answer
    assert b"X-RateLimit" not in answer
