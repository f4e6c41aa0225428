"""Receivers from hell: whatever one does, it has its time, and nobody else waits for it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from queue import SimpleQueue
from typing import Any

import pytest
import urllib3

from plivo_sim.app import create_app
from plivo_sim.assembly import LiveSimulator
from plivo_sim.simulator import runner as runner_module
from tests.conftest import PAUSED
from tests.fakes import all_at_once, meanwhile
from tests.hostile.receivers import answer, receiving
from tests.support import Http, Receiver, basic

pytestmark = pytest.mark.live

PATIENCE_S = 0.4
MOST_DROPS = 300
"""Of those that come one by one: far longer than anybody waits, but not for ever."""

Handler = BaseHTTPRequestHandler


def hang(handler: Handler, _: Any) -> None:
    threading.Event().wait(PATIENCE_S * 15)


def reset(handler: Handler, _: Any) -> None:
    handler.connection.close()


def drip_body(handler: Handler, _: Any) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    for _drop in range(MOST_DROPS):
        handler.wfile.write(b"x")
        time.sleep(0.02)


def headers_for_ever(handler: Handler, _: Any) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for _drop in range(MOST_DROPS):
        handler.wfile.write(b"X-More: 1\r\n")
        time.sleep(0.02)


def continue_for_ever(handler: Handler, _: Any) -> None:
    for _drop in range(MOST_DROPS):
        handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.02)


def huge_header(handler: Handler, _: Any) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Huge: " + b"x" * 1_000_000 + b"\r\n\r\n")


def hundred_megabytes(handler: Handler, _: Any) -> None:
    handler.send_response(500)
    handler.send_header("Content-Length", str(100 * 1024 * 1024))
    handler.end_headers()
    for _i in range(1600):
        handler.wfile.write(b"x" * 65536)


def redirect(to: str) -> Callable[[Handler, Any], None]:
    def treat(handler: Handler, _: Any) -> None:
        handler.send_response(307)
        handler.send_header("Location", to or handler.path)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return treat


@contextmanager
def simulator(**changes: Any) -> Iterator[tuple[LiveSimulator, Http]]:
    """A live one whose callbacks are tried once, and a client of it in process."""
    changes = {"callback_timeout_s": 60.0, "callback_retries": ()} | changes
    with LiveSimulator(replace(PAUSED, **changes)) as live:
        yield live, Http(create_app(live.sim), live.sim)


def decided(http: Http, url: str) -> None:
    """An application whose callback goes there, accepted."""
    http.decide(http.sdk_created(callback_url=url), "accepted")


def log_of(http: Http) -> list[dict[str, Any]]:
    shown = http.control("GET", "/webhooks", account=http.auth_id).get_json()
    return [http.control("GET", f"/webhooks/{each['id']}").get_json() for each in shown["webhooks"]]


METADATA = "http://169.254.169.254/latest/meta-data"
LATE = "timed out"
ENDED = "the receiver closed the connection without an answer"


@pytest.mark.parametrize(
    ("treat", "status", "error"),
    [
        (hang, None, LATE),
        (reset, None, ENDED),
        (drip_body, None, LATE),
        (headers_for_ever, None, LATE),
        (continue_for_ever, None, LATE),
        (huge_header, None, "not HTTP"),
        (hundred_megabytes, 500, None),
        (redirect(METADATA), 307, None),
        (redirect(""), 307, None),
    ],
    ids=[
        "hang", "reset", "drip", "headers", "continue", "huge-header", "100MB", "metadata", "loop",
    ],
)  # fmt: skip
def test_it_has_its_time_and_stands_in_the_log(
    treat: Callable[[Handler, Any], None], status: int | None, error: str | None
) -> None:
    """One attempt, told as it went: it timed out before the receiver was done. No redirect is
    followed, no long answer kept."""
    timeout_s = PATIENCE_S if error == LATE else 60.0
    with receiving(treat) as url, simulator(callback_timeout_s=timeout_s) as (_, http):
        decided(http, url)
        (delivery,) = log_of(http)
    (attempt,) = delivery["attempts"]
    assert attempt["status"] == status
    assert error is None or error in attempt["error"]
    assert len(attempt["answer"]) <= 4096
    assert delivery["state"] == "failed"


# --- receivers that call in ------------------------------------------------------------------


def asked(live: LiveSimulator, method: str, path: str, body: Any = None) -> int:
    """A call over a socket of its own: its status."""
    with urllib3.PoolManager(timeout=60, retries=False) as pool:
        headers = {"Authorization": basic(), "Content-Type": "application/json"}
        sent = None if body is None else json.dumps(body)
        response = pool.request(method, live.url + path, body=sent, headers=headers)
    return response.status


CALLS_IN = [
    ("GET", "/v1/Account/MAXXXXXXXXXXXXXXXXXX/PhoneNumber/Compliance/{id}/", 200),
    ("DELETE", "/v1/Account/MAXXXXXXXXXXXXXXXXXX/PhoneNumber/Compliance/{id}/", 200),
    ("GET", "/_sim/applications/{id}", 200),
    ("GET", "/_sim/applications", 200),
    ("GET", "/_sim/applications/{id}/why", 200),
    ("POST", "/_sim/applications/{id}/decision", 409),
    ("GET", "/_sim/clock", 200),
    ("POST", "/_sim/next-outcome", 201),
    ("GET", "/_sim/webhooks/policy", 200),
    ("POST", "/_sim/faults", 201),
    ("GET", "/_sim/requests", 200),
]


@pytest.mark.parametrize(("method", "path", "status"), CALLS_IN)
def test_it_may_call_in_before_it_answers(
    method: str, path: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And does not wait for itself: it would give up long before its callback is."""
    monkeypatch.setattr(runner_module, "SENDS_WAIT_S", 120.0)
    results: SimpleQueue[int] = SimpleQueue()
    bodies = {"decision": {"status": "accepted"}, "faults": {"effect": "error"}}
    body = bodies.get(path.rpartition("/")[2], {"decide": "accepted"})
    with simulator(callback_timeout_s=120.0) as (live, http):

        def treat(handler: Handler, _: Any) -> None:
            url = path.format(id=id)
            results.put(asked(live, method, url, body if method == "POST" else None))
            answer(handler)

        with receiving(treat) as url:
            id = http.sdk_created(callback_url=url)
            http.decide(id, "rejected", "Blurred")
            assert results.get(timeout=60) == status


def test_a_callback_steers_nothing(http: Http) -> None:
    """One that had its own replay for an address would be sent for ever."""
    http.decide(http.sdk_created(callback_url="http://127.0.0.1:9/"), "accepted")
    (delivery,) = log_of(http)
    headers = {"X-Plivo-Sim-Delivery": delivery["id"]}
    answer_ = http.post(f"/_sim/webhooks/{delivery['id']}/replay", headers=headers)
    assert answer_.status_code == 403
    assert "/_sim/inbox/NAME" in answer_.get_json()["detail"]
    assert http.post("/_sim/inbox/mine", json={}, headers=headers).status_code == 200


def test_two_simulators_that_call_each_other_come_to_rest() -> None:
    """Each is the other's receiver, at an address that would send the callback on."""
    with simulator() as (one, http), simulator(seed=2) as (other, other_http):
        for caller, receiver in ((http, other), (other_http, one)):
            inbox = f"{receiver.url}/_sim/inbox/ping"
            caller.control(
                "POST",
                "/accounts",
                {"auth_id": caller.auth_id, "settings": {"callback_url": inbox}},
            )
        ids = [each.sdk_created() for each in (http, other_http)]
        decided_there = f"{other.url}/_sim/applications/{ids[1]}/decision"
        decided(http, decided_there)
        http.decide(ids[0], "accepted")
        (steering, told) = log_of(http)
        assert steering["attempts"][0]["status"] == 403
        assert told["state"] == "delivered"
        assert log_of(other_http) == []
        shown = other_http.control("GET", f"/applications/{ids[1]}").get_json()
        assert shown["status"] == "submitted"


# --- and everybody else ----------------------------------------------------------------------


def test_many_accounts_whose_receivers_hang_delay_no_other() -> None:
    """More of them than a small pool of threads could bear."""
    with (
        receiving(hang) as bad,
        Receiver().serving() as good,
        simulator(callback_timeout_s=3.0) as (_, http),
    ):
        victims = [Http(http.app, http.sim, auth_id=f"MA{number:018d}") for number in range(60)]
        works = [lambda victim=victim: decided(victim, bad) for victim in victims]
        with meanwhile(lambda: all_at_once(*works)):
            decided(http, good.url)
            good.wait_for(1)
