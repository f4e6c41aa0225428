"""A client written from today's page alone, from the first look-up to the linked number.

source: documented (docs/wire-facts.md, "The new API today", "Numbers"). Its author knows no SDK,
and nothing of this project: no header, URL or word of it is in ``Newcomer``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from plivo_sim.assembly import LiveSimulator
from tests.clients.conftest import Reviewer
from tests.support import AUTH_ID, PDF, PNG, TOKEN, Received, Receiver

pytestmark = pytest.mark.live

Files = list[tuple[str, bytes, str]]


class Refused(Exception):
    """Status and text of an error."""


class Newcomer:
    """The calls of today's page, and what is read from their answers."""

    def __init__(self, base: str) -> None:
        self.answers: list[httpx.Response] = []
        self._http = httpx.Client(
            base_url=f"{base}/v1/Account/{AUTH_ID}/",
            auth=(AUTH_ID, TOKEN),
            event_hooks={"response": [self.answers.append]},
            trust_env=False,
            timeout=60,
        )
        self.close = self._http.close

    def _call(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        answer = self._http.request(method, path, **request)
        body: dict[str, Any] = answer.json()
        if answer.is_error:
            raise Refused(answer.status_code, body["error"])
        return body

    def document_types(self) -> list[dict[str, Any]]:
        """What India asks of a business that wants a local number."""
        query = {"country_iso": "IN", "number_type": "local", "user_type": "business"}
        asked = self._call("GET", "PhoneNumber/Compliance/Requirements", params=query)
        return list(asked["document_types"])

    def apply(self, business: dict[str, str], files: Files, callback_url: str) -> str:
        application = {
            "country_iso": "IN",
            "number_type": "local",
            "alias": f"{business['name']}, Bengaluru",
            "end_user": {"type": "business", **business},
            "documents": self._documents(business["name"]),
            "callback_url": callback_url,
            "callback_method": "POST",
        }
        made = self._send("POST", "PhoneNumber/Compliance/", application, files)
        return str(made["compliance_id"])

    def correct(self, id: str, name: str, files: Files) -> str:
        """Everything is sent again: an update replaces all documents."""
        change = {"end_user": {"name": name}, "documents": self._documents(name)}
        changed = self._send("PATCH", f"PhoneNumber/Compliance/{id}/", change, files)
        return str(changed["compliance"]["status"])

    def _documents(self, name: str) -> list[dict[str, Any]]:
        return [
            {
                "document_type_id": each["document_type_id"],
                "data_fields": {field["field_name"]: name for field in each["required_fields"]},
            }
            for each in self.document_types()
        ]

    def _send(
        self, method: str, path: str, application: dict[str, Any], files: Files
    ) -> dict[str, Any]:
        parts = {f"documents[{index}].file": file for index, file in enumerate(files)}
        return self._call(method, path, data={"data": json.dumps(application)}, files=parts)

    def application(self, id: str) -> dict[str, Any]:
        query = {"expand": "documents,linked_numbers"}
        shown = self._call("GET", f"PhoneNumber/Compliance/{id}/", params=query)
        return dict(shown["compliance"])

    def accepted(self) -> list[str]:
        listed = self._call("GET", "PhoneNumber/Compliance/", params={"status": "accepted"})
        return [each["compliance_id"] for each in listed["compliances"]]

    def offers(self) -> list[str]:
        query = {"country_iso": "IN", "type": "local", "limit": "2"}
        return [
            each["number"] for each in self._call("GET", "PhoneNumber/", params=query)["objects"]
        ]

    def rent(self, number: str, **body: str) -> str:
        return str(self._call("POST", f"PhoneNumber/{number}/", json=body)["status"])

    def link(self, number: str, id: str) -> tuple[str, str]:
        body = {"numbers": [{"number": f"+{number}", "compliance_application_id": id}]}
        told = self._call("POST", "PhoneNumber/Compliance/Link/", json=body)["report"][0]
        return told["status"], told["remarks"]

    def number(self, number: str) -> dict[str, Any]:
        return self._call("GET", f"Number/{number}/")


@pytest.fixture
def newcomer(live: LiveSimulator) -> Iterator[Newcomer]:
    client = Newcomer(live.url)
    yield client
    client.close()


BUSINESS = {
    "name": "Sahyadri Foods",
    "email": "ops@sahyadri.example",
    "address_line1": "4 Residency Road",
    "city": "Bengaluru",
    "state": "Karnataka",
    "postal_code": "560025",
    "country": "IN",
    "registration_number": "U15400KA2015PTC080000",
}
FILES = [
    ("registration certificate.pdf", PDF, "application/pdf"),
    ("gst.png", PNG, "image/png"),
]


def is_signed(callback: Received) -> bool:
    """By the account's token, over URL and nonce (docs/wire-facts.md, "Signature V3")."""
    headers = {name.lower(): value for name, value in callback.headers.items()}
    signed = f"{callback.url}.{headers['x-plivo-signature-v3-nonce']}"
    digest = hmac.new(TOKEN.encode(), signed.encode(), hashlib.sha256).digest()
    wanted = base64.b64encode(digest).decode()
    return wanted in headers["x-plivo-signature-v3"].split(",")


def test_it_files_is_rejected_corrects_is_accepted_rents_and_links(
    newcomer: Newcomer, reviewer: Reviewer, receiver: Receiver
) -> None:
    """Against a server that was started without options. All that it is warned of is that its
    receiver, which is one of a test, has no https."""
    reviewer.plays("rejected-then-accepted")

    id = newcomer.apply(BUSINESS, FILES, receiver.url)
    assert newcomer.application(id)["status"] == "submitted"
    first, second = newcomer.offers()
    with pytest.raises(Refused, match="must be in 'accepted' status"):
        newcomer.rent(first, compliance_application_id=id)
    with pytest.raises(Refused, match="compliance_application_id is required to rent"):
        newcomer.rent(first)

    reviewer.works()
    shown = newcomer.application(id)
    assert shown["status"] == "rejected"
    assert shown["rejection_reason"]

    better = [("certificate, scanned again.pdf", PDF + b"\n", "application/pdf"), FILES[1]]
    assert newcomer.correct(id, "Sahyadri Foods Private Limited", better) == "submitted"
    names = [each["file_name"] for each in newcomer.application(id)["documents"]]
    assert names == ["certificate, scanned again.pdf", "gst.png"]
    with pytest.raises(Refused, match="must be in 'rejected' status"):
        newcomer.correct(id, "Sahyadri Foods", FILES)

    reviewer.works()
    assert newcomer.application(id)["status"] == "accepted"
    assert newcomer.accepted() == [id]

    assert newcomer.link(first, id) == (
        "failed",
        "Number not found on your account. Only rented numbers can be linked.",
    )
    assert newcomer.rent(first, compliance_application_id=id) == "fulfilled"
    assert newcomer.rent(second) == "fulfilled"
    for number in (first, second):
        assert newcomer.link(number, id)[0] == "success"
        shown = newcomer.number(number)
        assert (shown["compliance_application_id"], shown["compliance_status"]) == (id, "accepted")
    linked = newcomer.application(id)["linked_numbers"]
    assert {each["number"] for each in linked} == {f"+{first}", f"+{second}"}

    callbacks = receiver.wait_for(2)
    assert [each.json()["status"] for each in callbacks] == ["rejected", "accepted"]
    assert {each.json()["compliance_id"] for each in callbacks} == {id}
    told = {each.headers.get("X-Plivo-Sim-Warning", "") for each in newcomer.answers}
    assert told == {"", "callback_url: must be an https URL"}
