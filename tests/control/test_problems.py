"""Refusals of the control API: problem details (RFC 9457), whatever goes wrong."""

from __future__ import annotations

from typing import Any

import pytest

from plivo_sim.control.inputs import LARGEST_JSON_BYTES
from tests.control.support import check_invalid, check_problem
from tests.support import Http

FORM = "application/x-www-form-urlencoded"
NO_OBJECT = "the body must be a JSON object (Content-Type: application/json)"


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        (b"[]", "application/json", NO_OBJECT),
        (b'"text"', "application/json", NO_OBJECT),
        (b"5", "application/json", NO_OBJECT),
        (b"null", "application/json", NO_OBJECT),
        (b"{}", "text/plain", f"{NO_OBJECT}; it is text/plain"),
        (b'{"by": "1h"}', FORM, f"{NO_OBJECT}; it is {FORM}"),
        (b"{", "application/json", "the body is not valid JSON: JSON ends too early"),
        (
            b'{"by": "\x00"}',
            "application/json",
            "the body is not valid JSON: JSON is malformed in line 1, column 9",
        ),
    ],
)
def test_bodies_that_are_no_object(http: Http, body: bytes, content_type: str, text: str) -> None:
    """curl without its header sends a form: the answer says which one to give."""
    http.sdk_created()
    answer = http.call("POST", "/_sim/clock/pause", data=body, content_type=content_type)
    check_invalid(answer, "", text)


@pytest.mark.parametrize(
    ("path", "body", "key"),
    [
        ("/clock/advance", b'{"by": "1s", "by": "2s"}', "by"),
        ("/clock/advance", b'{"b\\u0079": "1s", "by": "2s"}', "by"),
        ("/scenario", b'{"scenario": {"scenario": "a:b", "rules": [], "rules": []}}', "rules"),
        ("/restore", b'{"name": "a", "name": "b"}', "name"),
    ],
)
def test_a_key_is_given_once(http: Http, path: str, body: bytes, key: str) -> None:
    """All but the last would be passed over."""
    http.sdk_created()
    answer = http.call("POST", f"/_sim{path}", data=body, content_type="application/json")
    check_invalid(answer, key, "is given more than once")


def test_colons_in_texts_are_no_keys(http: Http) -> None:
    """However they are written, and one key may be in several objects."""
    http.sdk_created()
    body = b'{"scenario": {"scenario": "a\\u003ab:c", "rules": [{"name": "a"}, {"name": "b"}]}}'
    answer = http.call("POST", "/_sim/scenario", data=body, content_type="application/json")
    assert "more than once" not in answer.text


@pytest.mark.parametrize(
    "body", [{}, {"data": b""}, {"data": b'""', "content_type": "application/json"}, {"json": {}}]
)
def test_bodies_that_stand_for_an_empty_object(http: Http, body: dict[str, Any]) -> None:
    """None at all, the two quotes of the Node SDK, and the object itself."""
    http.sdk_created()
    assert http.call("POST", "/_sim/clock/pause", **body).status_code == 200


def test_too_large_a_body(http: Http) -> None:
    """413 before it is read."""
    http.sdk_created()
    length = {"CONTENT_LENGTH": str(LARGEST_JSON_BYTES + 1), "CONTENT_TYPE": "application/json"}
    answer = http.call("POST", "/_sim/clock/pause", environ_overrides=length)
    text = f"the request body is over the limit of {LARGEST_JSON_BYTES} bytes"
    check_problem(answer, "too_large", text)


@pytest.mark.parametrize("path", ["/_sim/nothing", "/_sim/clock/back", "/_sim/applications/a/b"])
def test_unknown_urls(http: Http, path: str) -> None:
    """404 that repeats the path."""
    check_problem(http.get(path), "no_such_page", f"no such URL: {path}")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/_sim/clock", "GET"),
        ("GET", "/_sim/clock/advance", "POST"),
        ("OPTIONS", "/_sim/reset", "POST"),
        ("PUT", "/_sim/accounts", "GET, POST"),
        ("POST", "/_sim/inbox/mine/messages", "DELETE, GET"),
    ],
)
def test_wrong_methods(http: Http, method: str, path: str, allowed: str) -> None:
    """405 that names the right ones, in ``Allow`` too."""
    answer = http.call(method, path)
    check_problem(answer, "wrong_method", f"method not allowed; use {allowed}")
    assert answer.headers["Allow"] == allowed


@pytest.mark.parametrize("path", ["/_sim/clock", "/_sim/clock/"])
def test_both_spellings_of_a_url(http: Http, path: str) -> None:
    """With the last slash and without."""
    http.sdk_created()
    assert http.get(path).status_code == 200


def test_several_problems_are_told_at_once(http: Http) -> None:
    """``detail`` is one sentence of them all, ``problems`` has each with its path."""
    http.sdk_created()
    scenario = {"scenario": "x", "rules": [{"colour": 1}], "planes": []}
    answer = http.control("POST", "/scenario", {"scenario": scenario})
    body = answer.get_json()
    assert answer.status_code == 400
    assert len(body["problems"]) > 1
    assert body["detail"] == "; ".join(
        f"{each['path']}: {each['message']}" for each in body["problems"]
    )


def test_every_answer_has_a_request_id(http: Http) -> None:
    """Good ones too, each its own (decision "Answer ids")."""
    http.sdk_created()
    ids = [
        http.control("GET", path).headers["X-Request-Id"] for path in ("/health", "/clock", "/x")
    ]
    assert len(set(ids)) == 3
