"""What the tests of numbers share: a client of one account, and how a refusal looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from werkzeug.test import TestResponse

from tests.apis.legacy_support import Legacy
from tests.support import Http

LINK = "PhoneNumber/Compliance/Link/"
MUMBAI, OTHER_MUMBAI = "912248885512", "912248885513"
DELHI = "911140221000"
MOBILE, TOLLFREE = "919876543210", "911800123456"
"""Indian ones; of these the mobile one is for rent only where nothing is restricted."""
SAN_FRANCISCO = "14154009186"
BERLIN = "4930123456"
OTHER_AUTH_ID = "MAYYYYYYYYYYYYYYYYYY"
SUBACCOUNT = "SAXXXXXXXXXXXXXXXXXX"
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
REQUIRED = "compliance_application_id is required to rent this number."
REQUIRED_IN_INDIA = (
    f"{REQUIRED} Refer to https://www.plivo.com/docs/numbers/rent-india-numbers for details."
)
NOT_RENTED = "Number not found on your account. Only rented numbers can be linked."
"""source: wire-facts.md, "Texts of refused rents", "Link is bulk"."""


@dataclass
class Numbers:
    """One account's client of numbers."""

    http: Http

    def state(self) -> Any:
        """Every record of the account, for "nothing changed"."""
        return self.http.account.store.mark()

    def application(self, status: str = "accepted", **changes: Any) -> str:
        """An application for local Indian numbers (or another kind) in this status."""
        id = self.http.sdk_created(**changes)
        before = ("accepted",) if status in ("suspended", "expired") else ()
        for each in (*before, *(() if status == "submitted" else (status,))):
            assert self.http.decide(id, each, "Blurred scan").status_code == 200
        return id

    def individual(self, alias: str = "Individual") -> str:
        """An accepted application of an individual for local Indian numbers."""
        end_user = {"type": "individual", "name": "Asha", "last_name": "Rao"}
        identity, _, address = self._documents("IN", "individual")
        documents = [identity, address]
        return self.application(alias=alias, end_user=end_user, documents=documents)

    def unrestricted(self) -> None:
        """From here on, Indian mobile numbers and individuals are as any others."""
        self.http.account.configure({"rent_restrictions": "off"})

    def draft(self) -> str:
        """An application that was never submitted, which only the legacy API makes."""
        return Legacy(self.http).application()

    def german(self) -> str:
        """An accepted application for local German numbers."""
        return self.application(country_iso="DE", documents=self._documents("DE", "business"))

    def _documents(self, country_iso: str, user_type: str) -> list[dict[str, Any]]:
        """One of each type that is asked for local numbers, filled in."""
        key = {"country_iso": country_iso, "number_type": "local", "user_type": user_type}
        types = self.http.sdk_requirement(**key)["document_types"]
        values = {"country": country_iso, "type_of_utility": "Water"}
        values["date_of_expiration"] = "2030-01-01"
        return [
            {
                "document_type_id": each["document_type_id"],
                "data_fields": {
                    field["field_name"]: values.get(field["field_name"], "Acme")
                    for field in each["required_fields"]
                },
            }
            for each in types
        ]

    def rent(self, number: str, application_id: str | None = None, **body: Any) -> TestResponse:
        if application_id is not None:
            body["compliance_application_id"] = application_id
        return self.http.post(f"PhoneNumber/{number}/", json=body)

    def rented(self, number: str = MUMBAI, application_id: str | None = None, **body: Any) -> str:
        """A number that the account has; with an application of its own where it needs one."""
        if application_id is None and number.startswith("91"):
            application_id = self.application(number_type=type_of(number))
        answer = self.rent(number, application_id, **body)
        assert answer.status_code == 201, answer.text
        return number

    def unlinked(self, number: str = MUMBAI) -> str:
        """A regulated number that was rented and then unlinked."""
        self.rented(number)
        assert self.update(number, compliance_application_id="").status_code == 202
        return number

    def update(self, number: str, **body: Any) -> TestResponse:
        return self.http.post(f"Number/{number}/", json=body)

    def link(self, body: Any, **kwargs: Any) -> TestResponse:
        return self.http.post(LINK, json=body, **kwargs)

    def shown(self, number: str = MUMBAI) -> dict[str, Any]:
        answer = self.http.get(f"Number/{number}/")
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def link_of(self, number: str = MUMBAI) -> tuple[str | None, str | None]:
        """Its application and that one's status."""
        shown = self.shown(number)
        return shown["compliance_application_id"], shown["compliance_status"]

    def listed(self, **query: str) -> list[str]:
        answer = self.http.get("Number/", query_string=query)
        assert answer.status_code == 200, answer.text
        return [each["number"] for each in answer.get_json()["objects"]]

    def search(self, **query: str) -> TestResponse:
        return self.http.get("PhoneNumber/", query_string={"country_iso": "IN"} | query)

    def found(self, **query: str) -> list[dict[str, Any]]:
        answer = self.search(**query)
        assert answer.status_code == 200, answer.text
        return answer.get_json()["objects"]


def type_of(number: str) -> str:
    """Of the Indian numbers that these tests use."""
    return {MOBILE: "mobile", TOLLFREE: "tollfree"}.get(number, "local")


def error_of(answer: TestResponse, status: int = 400) -> str:
    """The text of a refusal in the shape that every SDK can read."""
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/json"
    body = answer.get_json()
    assert set(body) == {"api_id", "error"}
    assert isinstance(body["error"], str)
    assert body["error"]
    return body["error"]


def page_error_of(answer: TestResponse, status: int) -> dict[str, Any]:
    """The page's error object."""
    assert answer.status_code == status, answer.text
    body = answer.get_json()
    assert "api_id" not in body
    assert set(body["error"]) == {"type", "code", "message", "param", "doc_url"}
    return body["error"]
