"""Single requests that somebody was hurt by, one fact each."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Response
from werkzeug.test import TestResponse

from tests.console.support import press
from tests.support import AUTH_ID, SDK_AGENT, Http, calls_of, multipart

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


def sdk_documents(http: Http, size: int) -> TestResponse:
    data = json.dumps(http.sdk_data(documents=[{}] * size))
    body, kind = multipart([("data", data)], [])
    headers = {"User-Agent": SDK_AGENT}
    return http.post("PhoneNumber/Compliance/", data=body, content_type=kind, headers=headers)


def beta_documents(http: Http, size: int) -> TestResponse:
    headers = {"X-Plivo-Sim-Dialect": "beta"}
    return http.post("PhoneNumber/Compliance/", json={"documents": [{}] * size}, headers=headers)


def legacy_documents(http: Http, size: int) -> TestResponse:
    return http.post("ComplianceApplication/", json={"document_ids": ["x"] * size})


def links(http: Http, size: int) -> TestResponse:
    return http.post("PhoneNumber/Compliance/Link/", json={"numbers": [{}] * size})


def own(noun: str, value: Callable[[int], Any]) -> Callable[[Http, int], TestResponse]:
    def call(http: Http, size: int) -> TestResponse:
        told = value(size)
        key = "yaml" if isinstance(told, str) else noun
        return http.control("POST", f"/{noun}", {key: told, "account": AUTH_ID})

    return call


def laughs(size: int) -> str:
    """Lists of ten aliases each, one in the other."""
    lines = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10) if n else '1'}]\n" for n in range(size)]
    return "".join(lines)


def merges(size: int) -> str:
    """The same, of maps that are merged."""
    lines = [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}\n" for n in range(1, size)]
    return "a0: &a0 {b: 1}\n" + "".join(lines)


CHANGES = "machine: x\nextends: default\n"


def without_statuses(size: int) -> dict[str, Any]:
    return {"machine": "x", "extends": "default", "statuses": {f"s{n}": None for n in range(size)}}


HUGE: dict[str, tuple[int, Callable[[Http, int], TestResponse]]] = {
    "sdk documents": (10_000, sdk_documents),
    "beta documents": (10_000, beta_documents),
    "legacy documents": (20_000, legacy_documents),
    "links": (20_000, links),
    "aliases that explode": (10, own("scenario", lambda size: "scenario: x\n" + laughs(size))),
    "merges that explode": (10, own("scenario", lambda size: "scenario: x\n" + merges(size))),
    "an alias that holds itself": (
        1, own("scenario", lambda size: "scenario: &a [*a]\n" + "rules: *a\n" * size)
    ),
    "many wrong rules": (1_000, own("scenario", lambda size: {"rules": [{"colour": 1}] * size})),
    "many values": (20_000, own("scenario", lambda size: {"rules": [[]] * size})),
    "a long scenario": (200_000, own("scenario", lambda size: "scenario: " + "x" * size)),
    "a deep scenario": (1_000, own("scenario", lambda size: "scenario: x\nrules: " + "[" * size)),
    "a machine of aliases that explode": (
        10, own("machine", lambda size: "machine: x\n" + laughs(size))
    ),
    "a machine of merges that explode": (10, own("machine", lambda size: CHANGES + merges(size))),
    "a machine that holds itself": (
        1, own("machine", lambda size: "machine: &a [*a]\n" + "arrows: *a\n" * size)
    ),
    "many wrong arrows": (
        1_000, own("machine", lambda size: {"extends": "default", "arrows": [{}] * size})
    ),
    "many statuses to take away": (2_000, own("machine", without_statuses)),
    "many values in a machine": (20_000, own("machine", lambda size: {"arrows": [[]] * size})),
    "a long machine": (200_000, own("machine", lambda size: "machine: " + "x" * size)),
    "a deep machine": (1_000, own("machine", lambda size: "machine: x\narrows: " + "[" * size)),
}  # fmt: skip
"""What is large, and how large; it is asked for at twice and at four times that, too."""
MOST_CALLS_A_VALUE = 50
"""Of functions, the test client's included; what does not grow takes at most ``FIXED``."""
FIXED = 60_000


@pytest.mark.parametrize(("size", "call"), HUGE.values(), ids=HUGE)
def test_what_is_huge_is_refused_with_little_work(
    http: Http, size: int, call: Callable[[Http, int], TestResponse]
) -> None:
    """In words that are not huge themselves; what is twice as large takes at most twice the
    calls."""
    call(http, size)  # imports, and types that are worked out once
    answers: list[TestResponse] = []
    counts = [
        calls_of(lambda each=each: answers.append(call(http, each)))  # type: ignore[misc]  # of a loop
        for each in (size, 2 * size, 4 * size)
    ]
    assert [answer.status_code for answer in answers] == [400] * 3
    assert max(len(answer.data) for answer in answers) < 40_000
    assert counts[0] < FIXED + MOST_CALLS_A_VALUE * size
    assert counts[1] <= 2.2 * counts[0]
    assert counts[2] <= 2.2 * counts[1]


def test_control_bodies_are_small(http: Http) -> None:
    """Only what has a snapshot in it may be large."""
    http.sdk_created()
    body = {"account": AUTH_ID, "name": "x" * 2_000_000}
    assert http.control("POST", "/clock/advance", body).status_code == 413
    assert http.control("POST", "/snapshot", body).status_code == 400
    assert http.control("POST", "/restore", body).status_code == 404
