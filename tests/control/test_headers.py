"""What every answer of the control API carries, and no answer of an imitated one."""

from __future__ import annotations

import pytest

from tests.support import AUTH_ID, Http

GUARDS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/health"), ("GET", "/words"), ("POST", "/reset"), ("GET", "/clock"),
        ("GET", "/nope"), ("PUT", "/health"), ("POST", "/inbox/mine"), ("GET", "/openapi/"),
    ],
)  # fmt: skip
def test_nothing_is_guessed_or_kept(http: Http, method: str, path: str) -> None:
    """Also where the answer is a refusal: once each."""
    headers = http.control(method, path).headers
    assert {name: headers.getlist(name) for name in GUARDS} == {
        name: [text] for name, text in GUARDS.items()
    }


def test_imitated_apis_go_without(http: Http) -> None:
    """Nobody has seen Plivo send them."""
    answer = http.get(f"/v1/Account/{AUTH_ID}/ComplianceApplication/")
    assert not set(GUARDS) & set(answer.headers.keys())
