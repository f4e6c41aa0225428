"""A JSON body that is no object is 400 in every API that reads one; what SDKs send for "no body"
is none. Source: wire-facts.md, "Bodies where none is needed".
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support import Http

NUMBER = "912248885512"
PLACES = {
    "current create": ("POST", "PhoneNumber/Compliance/", "current"),
    "current update": ("PATCH", "PhoneNumber/Compliance/{id}/", "current"),
    "beta create": ("POST", "PhoneNumber/Compliance/", "beta"),
    "beta update": ("PATCH", "PhoneNumber/Compliance/{id}/", "beta"),
    "link": ("POST", "PhoneNumber/Compliance/Link/", "current"),
    "rent": ("POST", f"PhoneNumber/{NUMBER}/", ""),
    "number update": ("POST", f"Number/{NUMBER}/", ""),
    "end user": ("POST", "EndUser/", ""),
    "application": ("POST", "ComplianceApplication/", ""),
    "submit": ("POST", "ComplianceApplication/{id}/Submit/", ""),
}


@pytest.mark.parametrize("value", [[7], "text", 7, None, True])
@pytest.mark.parametrize(("method", "path", "dialect"), PLACES.values(), ids=PLACES)
def test_a_body_that_is_no_object(
    http: Http, method: str, path: str, dialect: str, value: Any
) -> None:
    """Whether or not the call needs a body; nothing is done."""
    id = http.sdk_created()
    assert http.decide(id, "rejected").status_code == 200
    before = http.account.store.mark()
    headers = {"X-Plivo-Sim-Dialect": dialect} if dialect else {}
    body = json.dumps(value).encode()
    answer = http.call(
        method, path.format(id=id), data=body, content_type="application/json", headers=headers
    )
    assert answer.status_code == 400, answer.text
    assert http.account.store.mark() == before


@pytest.mark.parametrize("body", [b"", b'""', b"{}", b"[]", b'{"id": "1"}'])
def test_what_sdks_send_for_no_body_is_taken(http: Http, body: bytes) -> None:
    """``""`` (Node), ``{}`` (PHP, .NET), the id again (Java), nothing (Go)."""
    id = http.sdk_created()
    assert http.decide(id, "rejected").status_code == 200
    path = f"ComplianceApplication/{id}/Submit/"
    answer = http.post(path, data=body, content_type="application/json")
    assert answer.status_code == 202, answer.text
