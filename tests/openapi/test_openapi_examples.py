"""Every example that is documented fits the documents, and ours do what they show."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from plivo_sim.app import SURFACES, document
from tests.apis import page
from tests.support import AUTH_ID, Http

Where = tuple[str, str, str]
"""Surface, operation, and ``request`` or a status."""
JSON = "application/json"
OTHERS: list[tuple[Where, Any]] = [
    (("beta", "requirements", "200"), page.REQUIREMENTS),
    (("beta", "create", "request"), page.CREATE),
    (("beta", "create", "request"), page.create_body()),
    (("beta", "create", "201"), page.CREATED),
    (("beta", "get", "200"), page.RECORD | {"api_id": page.CREATED["api_id"]}),
    (("beta", "create", "422"), page.ERROR),
]
"""What the page prints, as the wire tests copied it."""


def operations(name: str) -> Iterator[tuple[str, str, Any]]:
    """Path, method, operation."""
    for path, found in document(name)["paths"].items():
        yield from (
            (path, method, each) for method, each in found.items() if method != "parameters"
        )


def media(name: str, id: str, part: str) -> Any:
    """The content, in JSON, of a request or of an answer."""
    (found,) = [each for _, _, each in operations(name) if each["operationId"] == id]
    return (found["requestBody"] if part == "request" else found["responses"][part])["content"][
        JSON
    ]


def ours() -> list[tuple[Where, Any]]:
    """Every ``example`` of every document."""
    return [
        ((name, each["operationId"], part), body["content"][JSON]["example"])
        for name in SURFACES
        for _, _, each in operations(name)
        for part, body in [("request", each.get("requestBody", {})), *each["responses"].items()]
        if "example" in body.get("content", {}).get(JSON, {})
    ]


def validator(where: Where) -> Draft202012Validator:
    name, id, part = where
    schema = media(name, id, part)["schema"] | {"components": document(name)["components"]}
    return Draft202012Validator(schema, format_checker=FormatChecker())


@pytest.mark.parametrize(("where", "example"), ours() + OTHERS)
def test_it_fits_its_schema(where: Where, example: Any) -> None:
    """With formats."""
    assert [error.message for error in validator(where).iter_errors(example)] == []


def test_every_surface_has_examples() -> None:
    """But the current dialect, whose bodies are forms, and whose answers no page prints."""
    assert {where[0] for where, _ in ours()} == set(SURFACES) - {"current"}


def test_a_wrong_one_does_not_fit() -> None:
    """The check is one: a word that is no status, an id that is none, a key that is missing."""
    where = ("beta", "get", "200")
    (record,) = [example for found, example in ours() if found == where]
    for wrong in (
        record | {"status": "accepted"},
        record | {"compliance_id": "1"},
        {key: value for key, value in record.items() if key != "documents"},
    ):
        assert list(validator(where).iter_errors(wrong)) != []


def test_those_of_the_page_are_what_it_prints() -> None:
    """Word for word, but for the country in the message (the page has India only), for the
    account in the URLs, and for files instead of paths."""
    told = copy.deepcopy(dict(ours()))
    assert told["beta", "requirements", "200"] == page.REQUIREMENTS
    assert told["beta", "create", "201"] == page.CREATED
    record = {**told["beta", "get", "200"]}
    assert record.pop("api_id") == page.CREATED["api_id"]
    for each in record["documents"]:
        each["file_url"] = each["file_url"].replace(AUTH_ID, "{auth_id}")
    assert record == page.RECORD
    sent = told["beta", "create", "request"]
    assert {key: value for key, value in sent.items() if key != "documents"} == page.CREATE


def sent() -> list[tuple[str, str, str, Any]]:
    """Surface, method, path and body of every example of a request; but of none that names the
    page's own application, which nobody can make."""
    return [
        (name, method.upper(), path, each["requestBody"]["content"][JSON]["example"])
        for name in SURFACES
        for path, method, each in operations(name)
        if "example" in each.get("requestBody", {}).get("content", {}).get(JSON, {})
        if name != "numbers"
    ]


@pytest.mark.parametrize(("name", "method", "path", "example"), sent())
def test_a_request_that_is_shown_is_taken(
    http: Http, name: str, method: str, path: str, example: Any
) -> None:
    """Where what it speaks of exists: an application, a moment that has a name."""
    id = http.call("POST", page.URL, json=page.create_body()).get_json()["compliance_id"]
    http.control("POST", "/snapshot", {"name": "before"})
    if method == "PATCH":
        http.decide(id, "rejected", "Blurred")
    url = path.format(auth_id=AUTH_ID, id=id, compliance_id=id)
    answer = http.call(method, url, json=example)
    assert answer.status_code < 300, answer.text
