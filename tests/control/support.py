"""What the tests of the control API share: how a refusal looks, and applications in any status."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from werkzeug.test import TestResponse

from tests.apis.legacy_support import Legacy
from tests.support import Http

TITLES = {
    "not_found": (404, "No such record"),
    "no_such_page": (404, "No such page"),
    "wrong_method": (405, "Method not allowed"),
    "account_required": (400, "Say which account"),
    "invalid": (400, "The request has problems"),
    "too_large": (413, "The body is too large"),
    "wrong_coding": (415, "The body's encoding is not taken"),
    "wrong_state": (409, "The status does not allow this"),
    "clock_refused": (409, "The clock cannot do that"),
    "not_reached": (409, "The status was not reached"),
    "replaced": (400, "Another account by now"),
    "misdirected": (421, "Another server's account"),
    "busy": (409, "Another call is doing this"),
    "would_lose": (409, "It would undo more than that"),
    "untrusted": (403, "Not from here"),
}
OTHER_ID = "MAYYYYYYYYYYYYYYYYYY"


def check_problem(answer: TestResponse, code: str, detail: str, **more: Any) -> None:
    """The answer is this problem and nothing else (RFC 9457)."""
    status, title = TITLES[code]
    assert (answer.status_code, answer.get_json()) == (
        status,
        {
            "type": f"urn:plivo-sim:problem:{code}",
            "title": title,
            "status": status,
            "code": code,
            "detail": detail,
            **more,
        },
    )
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert UUID(answer.headers["X-Request-Id"])


def check_invalid(answer: TestResponse, path: str, text: str) -> None:
    """The answer is a refusal for one problem at this path."""
    detail = f"{path}: {text}" if path else text
    check_problem(answer, "invalid", detail, problems=[{"path": path, "message": text}])


STEPS: dict[str, list[str]] = {
    "submitted": [],
    "accepted": ["accepted"],
    "rejected": ["rejected"],
    "more_info_required": ["more_info_required"],
    "suspended": ["accepted", "suspended"],
    "expired": ["accepted", "expired"],
}


def filed(http: Http, status: str, **changes: Any) -> str:
    """The id of an application in this status."""
    if status == "draft":
        return draft(http)
    id = http.sdk_created(**changes)
    for step in STEPS[status]:
        answer = http.decide(id, step)
        assert answer.status_code == 200, answer.text
    return id


def draft(http: Http) -> str:
    """The id of an application that the legacy API made and nobody has submitted."""
    return Legacy(http).application(alias="draft", country_iso2="FR")


def other_account(http: Http) -> Http:
    """The same simulator, as another account that has an application."""
    other = Http(http.app, http.sim, auth_id=OTHER_ID)
    other.sdk_created()
    return other
