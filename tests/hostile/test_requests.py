"""Single requests that somebody was hurt by, one fact each."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Response
from werkzeug.test import TestResponse

from tests.console.support import press
from tests.support import AUTH_ID, SDK_AGENT, Http, multipart

BAD_HOSTS = ["a" * 300, "9" * 64, f"{'a' * 64}.example:80"]


@pytest.mark.parametrize("host", BAD_HOSTS)
@pytest.mark.parametrize("path", ["PhoneNumber/Compliance/", "EndUser/", "Number/", "/nowhere"])
def test_a_host_that_is_no_name_is_no_failure(http: Http, host: str, path: str) -> None:
    """Werkzeug gives up on a label of more than 63 characters; who needs no host is answered."""
    answer = http.get(path, headers={"Host": host})
    assert answer.status_code < 500
    assert answer.get_json()


@pytest.mark.parametrize("host", BAD_HOSTS)
def test_the_control_api_trusts_no_such_host(http: Http, host: str) -> None:
    """It looks at the host before anything else does."""
    assert http.get("/_sim/health", headers={"Host": host}).status_code in (400, 403)


@pytest.mark.parametrize("wanted", ["bytes=9-1", "é", "a" * 20_000])
def test_a_range_that_cannot_be_had_is_no_failure(http: Http, wanted: str) -> None:
    """Whatever Werkzeug refuses is the client's mistake."""
    answer = http.get("/console/static/console.css", headers={"Range": wanted})
    assert answer.status_code == 400


@pytest.mark.parametrize("id", ["\0", "a\0b", "\r\nX: y", "..", "é"])
def test_a_button_for_an_odd_id_is_refused_on_its_page(http: Http, id: str) -> None:
    """The control API repeats the id in its refusal, which the console reads and shows."""
    page = press(http, "decide", id=id, status="accepted")
    assert page.status_code == 200
    assert "not found" in page.text


def test_headers_are_ascii(http: Http) -> None:
    """Whoever makes one of a user's text: the server could not send it, after the log said 200."""
    response = Response(headers={"X-Told": "आधार é"})
    http.app.add_url_rule("/told", "told", lambda: response)
    assert http.get("/told").headers["X-Told"] == r"\u0906\u0927\u093e\u0930 \xe9"


# --- sizes -----------------------------------------------------------------------------------


def sdk_documents(http: Http) -> TestResponse:
    body, kind = multipart([("data", json.dumps(http.sdk_data(documents=[{}] * 50_000)))], [])
    headers = {"User-Agent": SDK_AGENT}
    return http.post("PhoneNumber/Compliance/", data=body, content_type=kind, headers=headers)


def legacy_documents(http: Http) -> TestResponse:
    return http.post("ComplianceApplication/", json={"document_ids": ["x"] * 100_000})


def links(http: Http) -> TestResponse:
    return http.post("PhoneNumber/Compliance/Link/", json={"numbers": [{}] * 100_000})


def machine(value: Any) -> Callable[[Http], TestResponse]:
    def call(http: Http) -> TestResponse:
        key = "yaml" if isinstance(value, str) else "machine"
        return http.control("POST", "/machine", {key: value, "account": AUTH_ID})

    return call


def scenario(value: Any) -> Callable[[Http], TestResponse]:
    def call(http: Http) -> TestResponse:
        key = "yaml" if isinstance(value, str) else "scenario"
        return http.control("POST", "/scenario", {key: value, "account": AUTH_ID})

    return call


LAUGHS = "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10) if n else '1'}]\n" for n in range(30)
)
MERGES = "a0: &a0 {b: 1}\n" + "".join(
    f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}\n" for n in range(1, 12)
)


HUGE = {
    "sdk documents": sdk_documents,
    "legacy documents": legacy_documents,
    "links": links,
    "aliases that explode": scenario("scenario: x\n" + LAUGHS),
    "merges that explode": scenario("scenario: x\n" + MERGES),
    "an alias that holds itself": scenario("scenario: &a [*a]\nrules: *a\n"),
    "many wrong rules": scenario({"scenario": "x", "rules": [{"colour": 1}] * 5_000}),
    "many values": scenario({"scenario": "x", "rules": [[]] * 100_000}),
    "a long scenario": scenario("scenario: " + "x" * 300_000),
    "a machine of aliases that explode": machine("machine: x\n" + LAUGHS),
    "a machine of merges that explode": machine("machine: x\nextends: default\n" + MERGES),
    "a machine that holds itself": machine("machine: &a [*a]\nextends: default\narrows: *a\n"),
    "many wrong arrows": machine({"machine": "x", "extends": "default", "arrows": [{}] * 5_000}),
    "many statuses to take away": machine(
        {"machine": "x", "extends": "default", "statuses": {f"s{n}": None for n in range(9_000)}}
    ),
    "many values in a machine": machine({"machine": "x", "arrows": [[]] * 100_000}),
    "a long machine": machine("machine: " + "x" * 300_000),
    "a deep machine": machine("machine: x\narrows: " + "[" * 3_000),
    "a deep scenario": scenario("scenario: x\nrules: " + "[" * 3_000),
}


@pytest.mark.parametrize("call", HUGE.values(), ids=HUGE)
def test_what_is_huge_is_refused_quickly(http: Http, call: Callable[[Http], TestResponse]) -> None:
    """In words that are not huge themselves."""
    began = time.thread_time()
    answer = call(http)
    assert answer.status_code == 400
    assert len(answer.data) < 40_000
    assert time.thread_time() - began < 3


def test_control_bodies_are_small(http: Http) -> None:
    """Only what is restored may be large."""
    http.sdk_created()
    body = {"account": AUTH_ID, "name": "x" * 2_000_000}
    assert http.control("POST", "/snapshot", body).status_code == 413
    assert http.control("POST", "/restore", body).status_code == 404
