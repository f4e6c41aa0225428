"""What the tests of the legacy API share: its calls, samples, and the list of its operations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from werkzeug.test import TestResponse

from tests.support import PDF, PNG, Http, multipart

OTHER_AUTH_ID = "MAYYYYYYYYYYYYYYYYYY"
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
BUSINESS = {"name": "Acme Traders", "end_user_type": "business"}
BUY = {"operation_type": "buy_number"}
INDIA = {"country_iso2": "IN", "number_type": "local", "end_user_type": "business"}


@dataclass
class Legacy:
    """One account's client of the legacy API; ids of what it makes come back as strings.

    ``prefix``: what the names that it thinks of begin with. They are counted by what the account
    has made, so clients that work at the same time each need a prefix of their own.
    """

    http: Http
    prefix: str = ""

    def state(self) -> Any:
        """Every record of the account, for "nothing changed"."""
        return self.http.account.store.mark()

    # --- end users -------------------------------------------------------------------------

    def end_user(self, **changes: Any) -> str:
        """A new one, of a name of its own unless one is given."""
        body = BUSINESS | {"name": self._unused(BUSINESS["name"], "end_user")} | changes
        return _created(self.http.post("EndUser/", json=body), "end_user_id")

    def _unused(self, name: str, kind: str) -> str:
        """The prefix and the name; just that for the account's first record of a kind."""
        account = self.http.sim.account(f"MA{self.http.auth_id[2:]}")
        made = account.ids.counts.get(kind, 0)
        return self.prefix + (f"{name} {made + 1}" if made else name)

    # --- documents -------------------------------------------------------------------------

    def requirement(self, **changes: str) -> dict[str, Any]:
        query = INDIA | BUY | changes
        answer = self.http.get("ComplianceRequirement/", query_string=query)
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def types(self, **changes: str) -> list[str]:
        """The first acceptable document type of each demand."""
        slots = self.requirement(**changes)["acceptable_document_types"]
        return [slot["acceptable_documents"][0]["document_type_id"] for slot in slots]

    def send_document(
        self,
        fields: dict[str, str],
        *files: tuple[str, str | None, bytes],
        path: str = "ComplianceDocument/",
    ) -> TestResponse:
        """A multipart form; ``files``: field name, file name, content."""
        body, content_type = multipart(list(fields.items()), list(files))
        return self.http.post(path, data=body, content_type=content_type)

    def document(
        self,
        end_user_id: str,
        type_id: str | None = None,
        file: tuple[str, bytes] | None = ("certificate.pdf", PDF),
        **fields: str,
    ) -> str:
        """One with all the data fields that its type asks for, of an alias of its own."""
        type_id = type_id or self.types()[0]
        form = {
            "end_user_id": end_user_id,
            "document_type_id": type_id,
            "alias": self._unused("Certificate", "document"),
        }
        form |= self.data_fields(type_id) | fields
        files = [("file", *file)] if file else []
        return _created(self.send_document(form, *files), "document_id")

    def data_fields(self, type_id: str) -> dict[str, str]:
        """Values for the fields that a document type asks for."""
        rules = self.http.sim.catalogue.types_by_id[type_id].fields
        return {
            rule.name: rule.enums[0] if rule.enums else "Acme"[: rule.max_length]
            for rule in rules
            if rule.required
        }

    def documents(self, end_user_id: str) -> list[str]:
        """The two complete documents that India asks a business for."""
        registration, gst = self.types()
        return [
            self.document(end_user_id, registration, business_name="Acme"),
            self.document(end_user_id, gst, ("gst.png", PNG)),
        ]

    # --- applications ----------------------------------------------------------------------

    def application_body(self, **changes: Any) -> dict[str, Any]:
        """A complete draft; a change to None leaves the key out."""
        end_user_id = changes.get("end_user_id") or self.end_user()
        body = {**INDIA, **BUY, "alias": "Acme Mumbai", "end_user_id": end_user_id} | changes
        if "document_ids" not in body:
            body["document_ids"] = self.documents(end_user_id)
        return {key: value for key, value in body.items() if value is not None}

    def application(self, **changes: Any) -> str:
        answer = self.http.post("ComplianceApplication/", json=self.application_body(**changes))
        return _created(answer, "compliance_application_id")

    def submit(self, id: str) -> TestResponse:
        return self.http.post(f"ComplianceApplication/{id}/Submit/", json={})

    def submitted(self, **changes: Any) -> str:
        id = self.application(**changes)
        answer = self.submit(id)
        assert answer.status_code == 202, answer.text
        return id

    def decided(self, status: str, **changes: Any) -> str:
        """An application that the reviewer has decided, or that suffered more after that."""
        id = self.submitted(**changes)
        if status in ("suspended", "expired"):
            self.http.decide(id, "accepted")
        assert self.http.decide(id, status, "Blurred scan").status_code == 200
        return id

    def shown(self, path: str) -> dict[str, Any]:
        answer = self.http.get(path)
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def application_shown(self, id: str) -> dict[str, Any]:
        return self.shown(f"ComplianceApplication/{id}/")


def _created(answer: TestResponse, key: str) -> str:
    assert answer.status_code == 201, answer.text
    return answer.get_json()[key]


def error_of(answer: TestResponse, status: int = 400) -> str:
    """The text of a refusal in this API's shape."""
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/json"
    body = answer.get_json()
    assert set(body) == {"api_id", "error"}
    assert isinstance(body["error"], str)
    assert body["error"]
    return body["error"]


OPERATIONS = [
    ("POST", "EndUser/"),
    ("GET", "EndUser/"),
    ("GET", "EndUser/{end_user}/"),
    ("POST", "EndUser/{end_user}/"),
    ("DELETE", "EndUser/{end_user}/"),
    ("GET", "ComplianceDocumentType/"),
    ("GET", "ComplianceDocumentType/{type}/"),
    ("GET", "ComplianceRequirement/"),
    ("GET", "ComplianceRequirement/{requirement}/"),
    ("GET", "ComplianceRequirements/"),
    ("GET", "ComplianceRequirements/{requirement}/"),
    ("POST", "ComplianceDocument/"),
    ("GET", "ComplianceDocument/"),
    ("GET", "ComplianceDocument/{document}/"),
    ("POST", "ComplianceDocument/{document}/"),
    ("DELETE", "ComplianceDocument/{document}/"),
    ("POST", "ComplianceApplication/"),
    ("GET", "ComplianceApplication/"),
    ("GET", "ComplianceApplication/{application}/"),
    ("POST", "ComplianceApplication/{application}/"),
    ("DELETE", "ComplianceApplication/{application}/"),
    ("POST", "ComplianceApplication/{application}/Submit/"),
]
"""Every operation of docs/wire-facts.md, "Endpoints of the legacy API", the page's plural spelling
included."""

LISTS = ["EndUser/", "ComplianceDocumentType/", "ComplianceDocument/", "ComplianceApplication/"]


def ids_of(legacy: Legacy) -> dict[str, str]:
    """One of each record, for the placeholders of ``OPERATIONS``; none uses another."""
    end_user = legacy.end_user()
    requirement = legacy.requirement()
    return {
        "end_user": legacy.end_user(name="Nobody's"),
        "document": legacy.document(end_user),
        "application": legacy.application(end_user_id=end_user),
        "type": legacy.types()[0],
        "requirement": requirement["compliance_requirement_id"],
    }
