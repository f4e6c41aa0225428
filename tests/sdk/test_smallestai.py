"""smallestai for Python, unmodified, over real HTTP: the five compliance operations."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from smallestai import SmallestAI
from smallestai.atoms.errors import (
    BadGatewayError,
    BadRequestError,
    ConflictError,
    InternalServerError,
    NotFoundError,
    UnauthorizedError,
)
from smallestai.core.api_error import ApiError
from smallestai.environment import SmallestAIEnvironment

from plivo_sim.assembly import LiveSimulator
from plivo_sim.client import Client
from plivo_sim.web.access import account_of
from tests.support import PDF, PNG, TOKEN

pytestmark = pytest.mark.live

KEY = {"country_iso": "IN", "number_type": "local", "user_type": "business"}
API_KEY = "sk-atoms-1"
END_USER = {"name": "Acme Traders Pvt Ltd", "lastName": "Patel", "email": "a@acme.example"}

Point = Callable[[str], Any]


@pytest.fixture
def point(live: LiveSimulator) -> Iterator[Point]:
    """Makes the SDK's client for an API key; the environment names the simulator."""
    environment = SmallestAIEnvironment(
        atoms=f"{live.url}/atoms/v1",
        waves=live.url,
        waves_ws=live.url.replace("http", "ws"),
        payment=live.url,
    )
    with httpx.Client(timeout=60) as connections:  # the SDK never closes its own

        def point(api_key: str) -> Any:
            sdk = SmallestAI(
                api_key=api_key, environment=environment, max_retries=0, httpx_client=connections
            )
            return sdk.atoms.compliance

        yield point


@pytest.fixture
def compliance(point: Point) -> Any:
    return point(API_KEY)


@pytest.fixture
def control(live: LiveSimulator) -> Client:
    """Control calls to the organisation's account."""
    return Client(live.url, account_of(API_KEY), TOKEN)


def documents_of(compliance: Any) -> str:
    types = compliance.get_compliance_requirements(**KEY).data.document_types
    return json.dumps(
        [
            {
                "documentTypeId": each.document_type_id,
                "dataFields": {field.field_name: "Acme" for field in each.required_fields},
            }
            for each in types
        ]
    )


def files(more: bytes = b"") -> list[tuple[str, bytes, str]]:
    return [
        ("certificate of incorporation.pdf", PDF + more, "application/pdf"),
        ("gst.png", PNG + more, "image/png"),
    ]


def submitted(compliance: Any, **changes: Any) -> Any:
    given = KEY | {
        "end_user": json.dumps(END_USER),
        "documents": documents_of(compliance),
        "files": files(),
    }
    return compliance.submit(**(given | changes)).data


def decide(control: Client, made: Any, status: str, reason: str = "Blurred scan") -> None:
    path = f"/applications/{made.plivo_compliance_id}/decision"
    control.control("POST", path, {"status": status, "reason": reason})


def fault(control: Client, effect: str, **values: Any) -> None:
    control.control("POST", "/faults", {"effect": effect, "account": control.auth_id} | values)


def test_requirements(compliance: Any) -> None:
    """Typed, key by key."""
    answer = compliance.get_compliance_requirements(**KEY)
    assert answer.status is True
    first = answer.data.document_types[0]
    assert (answer.data.country_iso, first.name) == ("IN", "Registration Certificate")
    assert first.proof_required is True
    assert first.required_fields[0].field_name == "business_name"


def test_status_before_there_is_an_application(compliance: Any) -> None:
    """Step ``form``."""
    data = compliance.get_compliance_status(**KEY).data
    assert (data.step, data.application, len(data.required_documents)) == ("form", None, 2)


def test_submit(compliance: Any) -> None:
    """Every field of the SDK's type is filled."""
    made = submitted(compliance)
    assert (made.status, made.end_user_name, made.end_user_last_name) == (
        "submitted",
        "Acme Traders Pvt Ltd",
        "Patel",
    )
    assert made.document_file_names == ["certificate of incorporation.pdf", "gst.png"]
    assert made.end_user_country == made.country_iso == "IN"
    assert not {name for name, value in made.model_dump().items() if value is None}
    assert compliance.get_compliance_status(**KEY).data.application == made


def test_submit_with_raw_bytes(compliance: Any) -> None:
    """The SDK names them ``upload``."""
    made = submitted(compliance, files=[PDF, PNG])
    assert made.document_file_names == ["upload", "upload"]


def test_submit_where_no_compliance_is_needed(compliance: Any) -> None:
    """No documents, no files: still a multipart form."""
    made = submitted(compliance, country_iso="US", documents="[]", files=[])
    assert (made.status, made.document_file_names) == ("submitted", [])


def test_resubmit(compliance: Any, control: Client) -> None:
    """After a rejection, with all the documents anew."""
    made = submitted(compliance)
    decide(control, made, "rejected")
    rejected = compliance.get_compliance_status(**KEY).data
    assert (rejected.step, rejected.application.rejection_reason) == ("rejected", "Blurred scan")
    again = compliance.resubmit(made.id, documents=documents_of(compliance), files=files(b"2"))
    assert (again.status, again.data.status, again.data.id) == (True, "submitted", made.id)


def test_refresh(compliance: Any, control: Client) -> None:
    """After a lost webhook."""
    control.control("POST", "/webhooks/policy", {"drop": -1, "account": control.auth_id})
    made = submitted(compliance)
    decide(control, made, "accepted")
    assert compliance.get_compliance_status(**KEY).data.step == "submitted"
    refreshed = compliance.refresh_compliance_application_status(made.id)
    assert (refreshed.data.status, refreshed.data.rejection_reason) == ("accepted", None)
    assert compliance.get_compliance_status(**KEY).data.step == "accepted"


@pytest.mark.parametrize("status", ["accepted", "rejected"])
def test_a_decision_is_known_at_the_next_call(
    compliance: Any, control: Client, status: str
) -> None:
    """Though on a server callbacks are sent in the background: this one stays in the process."""
    for number_type in ("local", "mobile", "tollfree"):
        key = KEY | {"number_type": number_type}
        decide(control, submitted(compliance, **key), status)
        assert compliance.get_compliance_status(**key).data.step == status


def test_the_raw_client_sees_the_statuses(compliance: Any, live: LiveSimulator) -> None:
    """Through headers of its raw responses: which account to steer."""
    raw = compliance.with_raw_response.get_compliance_status(**KEY)
    assert raw.headers["x-plivo-sim-account"] == account_of(API_KEY)
    assert not [name for name in raw.headers if name.startswith("x-ratelimit")]


# --- errors, each as the SDK types it ------------------------------------------------------------


def told(error: ApiError) -> list[str]:
    body: Any = error.body
    body = body if isinstance(body, dict) else body.model_dump()
    assert body["status"] is False
    return list(body["errors"])


def test_bad_request(compliance: Any) -> None:
    """400 with the printed message."""
    with pytest.raises(BadRequestError) as refused:
        submitted(compliance, files=files()[:1])
    assert told(refused.value) == ["Expected 2 files, got 1"]


def test_bad_request_of_a_look_up(compliance: Any) -> None:
    """Three characters."""
    with pytest.raises(BadRequestError):
        compliance.get_compliance_status(**(KEY | {"country_iso": "IND"}))


def test_unauthorized(point: Point) -> None:
    """A key that cannot be one."""
    with pytest.raises(UnauthorizedError) as refused:
        point("not a key").get_compliance_status(**KEY)
    assert told(refused.value) == ["The token is malformed."]


def test_conflict(compliance: Any) -> None:
    """409 with the printed message."""
    submitted(compliance)
    with pytest.raises(ConflictError) as refused:
        submitted(compliance)
    assert told(refused.value) == [
        "A compliance application already exists for IN/local. Status: submitted"
    ]


def test_not_found(compliance: Any) -> None:
    """Both operations that take an id."""
    with pytest.raises(NotFoundError):
        compliance.refresh_compliance_application_status("663f/1a 2b")
    with pytest.raises(NotFoundError):
        compliance.resubmit("663f1a2b", documents=documents_of(compliance), files=files())


def test_internal_server_error(compliance: Any, control: Client) -> None:
    """500 from a fault in Atoms."""
    submitted(compliance)
    fault(control, "error", api="atoms")
    with pytest.raises(InternalServerError):
        compliance.get_compliance_status(**KEY)


def test_bad_gateway(compliance: Any, control: Client) -> None:
    """502 from a fault between Atoms and Plivo."""
    made = submitted(compliance)
    fault(control, "unavailable", api="plivo-for-atoms")
    with pytest.raises(BadGatewayError) as refused:
        compliance.refresh_compliance_application_status(made.id)
    assert told(refused.value) == ["Plivo's compliance API is unavailable"]


def test_what_plivo_refuses_is_a_bad_gateway_that_the_sdk_repeats(
    compliance: Any, control: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice, by itself: three requests, nothing made; and then the right one is."""
    monkeypatch.setattr("smallestai.core.http_client.time.sleep", lambda _: None)
    unknown = json.dumps([{"documentTypeId": "dt_1"}] * 2)
    with pytest.raises(BadGatewayError) as refused:
        submitted(compliance, documents=unknown, request_options={"max_retries": 2})
    assert "unknown document type 'dt_1'" in told(refused.value)[0]
    right = submitted(compliance)
    sent = control.control("GET", "/requests", account=control.auth_id)["requests"]
    statuses = [each["status"] for each in sent if each["method"] == "POST"]
    assert statuses == [502, 502, 502, 201]
    listed = control.control("GET", "/applications", account=control.auth_id)["applications"]
    assert [each["id"] for each in listed] == [right.plivo_compliance_id]


def test_requirements_show_words_and_lengths(compliance: Any) -> None:
    """Beyond the SDK's type, which keeps what it does not know."""
    answer = compliance.get_compliance_requirements(**KEY)
    (field,) = answer.data.document_types[0].required_fields
    extra = field.model_extra
    assert (extra["minLength"], extra["maxLength"]) == (1, 50)


def test_a_cooldown_is_a_plain_error(compliance: Any, control: Client) -> None:
    """429: the SDK has no type for it there."""
    settings = {"auth_id": control.auth_id, "settings": {"atoms_cooldown": "60s"}}
    control.control("POST", "/accounts", settings)
    made = submitted(compliance)
    compliance.refresh_compliance_application_status(made.id)
    with pytest.raises(ApiError) as refused:
        compliance.refresh_compliance_application_status(made.id)
    assert (refused.value.status_code, told(refused.value)) == (
        429,
        ["Please wait 1m between refreshes."],
    )
