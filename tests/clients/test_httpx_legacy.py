"""A reseller's client of the legacy API on httpx: it looks for what "already exists".

source: field-reported (docs/wire-facts.md, "End users have unique names", "Document aliases are
unique", "Look-ups want operation_type", "A POST without a body needs the JSON type").
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from plivo_sim.assembly import LiveSimulator
from tests.clients.conftest import Reviewer
from tests.support import AUTH_ID, PDF, PNG, TOKEN, Receiver

pytestmark = pytest.mark.live

PLACE = {"country_iso2": "IN", "number_type": "local", "end_user_type": "business"}
PAGE = 20


class Refused(Exception):
    """The text of a 400."""


class Reseller:
    """One end user, two documents and one application for each customer. Every step may be
    repeated, because the step after it may have failed."""

    def __init__(self, base: str) -> None:
        self.warnings: list[str] = []
        self._http = httpx.Client(
            base_url=f"{base}/v1/Account/{AUTH_ID}/",
            auth=(AUTH_ID, TOKEN),
            event_hooks={"response": [self._notice]},
            trust_env=False,
            timeout=60,
        )
        self.close = self._http.close

    def _notice(self, answer: httpx.Response) -> None:
        self.warnings += answer.headers.get_list("X-Plivo-Sim-Warning")

    def _call(self, method: str, path: str, **request: Any) -> Any:
        answer = self._http.request(method, path, **request)
        if answer.status_code == 400:
            raise Refused(answer.json()["error"])
        answer.raise_for_status()
        return answer.json()

    def requirement(self) -> tuple[str, dict[str, str]]:
        """Its id, and the ids of the document types by their names."""
        query = PLACE | {"operation_type": "buy_number"}
        asked = self._call("GET", "ComplianceRequirement/", params=query)
        return asked["compliance_requirement_id"], {
            each["document_type_name"]: each["document_type_id"]
            for demand in asked["acceptable_document_types"]
            for each in demand["acceptable_documents"]
        }

    def end_user(self, name: str) -> str:
        body = {"name": name, "end_user_type": "business"}
        try:
            made = self._call("POST", "EndUser/", json=body)
        except Refused as refused:
            made = self._existing(refused, "EndUser/", "name", name)
        return str(made["end_user_id"])

    def document(self, end_user: str, type_: str, alias: str, file: Any, **fields: str) -> str:
        form = {"end_user_id": end_user, "document_type_id": type_, "alias": alias, **fields}
        try:
            made = self._call("POST", "ComplianceDocument/", data=form, files={"file": file})
        except Refused as refused:
            made = self._existing(refused, "ComplianceDocument/", "alias", alias)
        return str(made["document_id"])

    def _existing(self, refused: Refused, path: str, key: str, value: str) -> Any:
        """The one that was made before, from whichever page it is on."""
        if "already exists" not in str(refused):
            raise refused
        offset = 0
        while True:
            query = {"limit": str(PAGE), "offset": str(offset)}
            listed = self._call("GET", path, params=query)
            for each in listed["objects"]:
                if each[key] == value:
                    return each
            assert listed["meta"]["next"], f"{value} is on no page"
            offset += PAGE

    def application(
        self, requirement: str, end_user: str, documents: list[str], callback_url: str
    ) -> str:
        body = {
            "compliance_requirement_id": requirement,
            "end_user_id": end_user,
            "document_ids": documents,
            "alias": "Acme",
            "callback_url": callback_url,
            **PLACE,
        }
        made = self._call("POST", "ComplianceApplication/", json=body)
        return str(made["compliance_application_id"])

    def replace(self, id: str, documents: list[str]) -> None:
        self._call("POST", f"ComplianceApplication/{id}/", json={"document_ids": documents})

    def submit(self, id: str) -> None:
        """There is nothing to say, but a POST without JSON is refused."""
        self._call("POST", f"ComplianceApplication/{id}/Submit", json={})

    def status(self, id: str) -> tuple[str, str | None]:
        shown = self._call("GET", f"ComplianceApplication/{id}/")
        return shown["status"], shown.get("rejection_reason")


@pytest.fixture
def reseller(live: LiveSimulator) -> Iterator[Reseller]:
    client = Reseller(live.url)
    yield client
    client.close()


def files(reseller: Reseller, end_user: str, attempt: int = 1) -> list[str]:
    _, types = reseller.requirement()
    certificate, gst = types["Registration Certificate"], types["GST certificate"]
    return [
        reseller.document(
            end_user, certificate, f"coi-{attempt}", ("coi.pdf", PDF), business_name="Acme"
        ),
        reseller.document(end_user, gst, f"gst-{attempt}", ("gst.png", PNG)),
    ]


def test_from_the_look_up_to_the_accepted_application(
    reseller: Reseller, reviewer: Reviewer, receiver: Receiver
) -> None:
    """Rejected in between; each decision is told by callback too. All that it is warned of is that
    its receiver, which is one of a test, has no https."""
    reviewer.plays("rejected-then-accepted")
    requirement, _ = reseller.requirement()
    end_user = reseller.end_user("Acme Traders")
    id = reseller.application(requirement, end_user, files(reseller, end_user), receiver.url)
    reseller.submit(id)
    assert reseller.status(id) == ("submitted", None)
    reviewer.works()
    status, reason = reseller.status(id)
    assert status == "rejected"
    assert reason
    reseller.replace(id, files(reseller, end_user, attempt=2))
    reseller.submit(id)
    reviewer.works()
    assert reseller.status(id) == ("accepted", None)
    assert [each.json()["status"] for each in receiver.wait_for(2)] == ["rejected", "accepted"]
    assert set(reseller.warnings) == {"callback_url: must be an https URL"}


def test_what_already_exists_is_found_and_used(reseller: Reseller) -> None:
    """On a later page, because others were made after it."""
    end_user = reseller.end_user("Acme Traders")
    documents = files(reseller, end_user)
    others = [reseller.end_user(f"Customer {number}") for number in range(PAGE + 1)]
    assert len({end_user, *others}) == PAGE + 2
    assert reseller.end_user("Acme Traders") == end_user
    assert files(reseller, end_user) == documents


def test_the_fields_of_a_document_are_learned_from_its_refusal(reseller: Reseller) -> None:
    """No page tells them; the text names each."""
    end_user = reseller.end_user("Acme Traders")
    _, types = reseller.requirement()
    with pytest.raises(Refused, match="business_name not provided"):
        reseller.document(end_user, types["Registration Certificate"], "coi", ("coi.pdf", PDF))
