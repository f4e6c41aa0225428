"""The beta page's samples, copied from it (documented), and a client that speaks as it does.

Every answer that the client gets on a happy path is checked against the types of answers, and
nothing may be in it that they do not know.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from typing import Any

from werkzeug.test import TestResponse

from plivo_sim.apis.phone_number.beta import presenters
from plivo_sim.domain.records import NumberType, PhoneNumber
from tests.support import PDF, PNG, Http, check_answer, multipart

URL = "PhoneNumber/Compliance"
FORM = "application/x-www-form-urlencoded"

# --- printed on the page -------------------------------------------------------------------

IDENTITY = {
    "title": "Identity Proof",
    "type": "identity_proof",
    "accepted_formats": ["passport", "national_id", "aadhaar"],
    "description": "Government-issued photo ID of authorized representative",
}
ADDRESS = {
    "title": "Address Proof",
    "type": "address_proof",
    "accepted_formats": ["utility_bill", "bank_statement"],
    "description": "Document dated within 3 months showing business address",
}
REGISTRATION = {
    "title": "Business Registration",
    "type": "business_registration",
    "accepted_formats": ["certificate_of_incorporation", "gst_certificate"],
    "description": "Official company registration document",
}


def _field(name: str, label: str, longest: int, shortest: int = 1) -> dict[str, Any]:
    return {
        "field_name": name,
        "field_label": label,
        "required": True,
        "field_type": "string",
        "max_length": longest,
        "min_length": shortest,
    }


BUSINESS = {
    "user_type": "business",
    "required_documents": [IDENTITY, ADDRESS, REGISTRATION],
    "required_fields": [
        _field("business_name", "Business Name", 255),
        _field("registration_number", "Registration Number", 50),
        _field("address.line1", "Address Line 1", 255),
        _field("address.city", "City", 100),
        _field("address.postal_code", "Postal Code", 10),
        _field("address.country", "Country", 2, 2),
    ],
    "estimated_review_days": 3,
}
REQUIREMENTS = {
    "api_id": "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
    "country_iso": "IN",
    "number_types": [
        {"number_type": "local", "user_types": [BUSINESS]},
        {"number_type": "mobile", "user_types": [BUSINESS]},
    ],
}
END_USER = {
    "type": "business",
    "name": "Plivo India Pvt Ltd",
    "email": "compliance@plivo.in",
    "address": {
        "line1": "123 MG Road",
        "city": "Bangalore",
        "state": "Karnataka",
        "postal_code": "560001",
        "country": "IN",
    },
    "registration_number": "U72200KA2020PTC123456",
}
_DOCUMENT_URL = (
    "https://api.plivo.com/v1/Account/{auth_id}/PhoneNumber/Compliance/"
    "a1b2c3d4-e5f6-7890-abcd-ef1234567890/Document/"
)


def _document(id: str, type_: str, name: str) -> dict[str, Any]:
    url = f"{_DOCUMENT_URL}{id}/download"
    return {"id": id, "type": type_, "file_name": name, "file_url": url, "status": "verified"}


RECORD = {
    "compliance_id": "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
    "alias": "Plivo India Local",
    "status": "approved",
    "country_iso": "IN",
    "number_type": "local",
    "end_user": {"id": "b2c3d4e5-f6a7-8901-bcde-f23456789012", **END_USER},
    "documents": [
        _document("c3d4e5f6-a7b8-9012-cdef-345678901234", "identity_proof", "passport.pdf"),
        _document("d4e5f6a7-b8c9-0123-def4-567890123456", "address_proof", "utility_bill.png"),
        _document(
            "e5f6a7b8-c9d0-1234-ef56-789012345678", "business_registration", "registration.pdf"
        ),
    ],
    "rejection_reason": None,
    "created_at": "2024-01-15T10:30:00Z",
    "updated_at": "2024-01-18T14:00:00Z",
    "submitted_at": "2024-01-15T10:30:00Z",
}
CREATED = {
    "api_id": "c3d4e5f6-a7b8-9012-cdef-345678901234",
    "compliance_id": "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
    "message": "Created successfully",
}
ERROR = {
    "error": {
        "type": "validation_error",
        "code": "missing_required_document",
        "message": "Address proof is required for German local numbers",
        "param": "documents",
        "doc_url": "https://www.plivo.com/docs/numbers/compliance#requirements",
    }
}
APPROVED_CALLBACK = {
    "event": "compliance.approved",
    "compliance_id": "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
    "status": "approved",
}

# --- sending it ----------------------------------------------------------------------------

FILES: dict[str, tuple[str, bytes]] = {
    "identity_proof": ("passport.pdf", PDF + b"1"),
    "address_proof": ("utility_bill.png", PNG),
    "business_registration": ("registration.pdf", PDF + b"3"),
}
CREATE = {"country_iso": "IN", "number_type": "local", "end_user": END_USER}


def embedded(content: bytes, name: str) -> dict[str, str]:
    """A file as a JSON body carries it."""
    return {"name": name, "content": base64.b64encode(content).decode()}


def documents_of(files: dict[str, tuple[str, bytes]] = FILES) -> list[dict[str, Any]]:
    """``documents`` with embedded files."""
    return [
        {"type": type_, "file": embedded(content, name)} for type_, (name, content) in files.items()
    ]


def create_body(**changes: Any) -> dict[str, Any]:
    """A complete create as JSON; ``end_user__name`` and the like reach into it, ``...`` removes."""
    body = json.loads(json.dumps(CREATE | {"documents": documents_of()}))
    for path, value in changes.items():
        *steps, last = path.split("__")
        node = body
        for step in steps:
            node = node[int(step) if step.isdigit() else step]
        if value is ...:
            del node[last]
        else:
            node[int(last) if last.isdigit() else last] = value
    return body


def flat(value: Any, name: str = "", style: str = "[]") -> list[tuple[str, str]]:
    """A value as form fields: ``a[b][0]`` or ``a.b[0]``."""
    if isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, list):
        pairs = ((index, each) for index, each in enumerate(value))
    else:
        return [(name, str(value))]
    return [field for key, each in pairs for field in flat(each, _below(name, key, style), style)]


def _below(name: str, key: str | int, style: str) -> str:
    if not name:
        return str(key)
    return f"{name}[{key}]" if style == "[]" or isinstance(key, int) else f"{name}.{key}"


def page_form(style: str = "[]", **changes: Any) -> tuple[bytes, str]:
    """A complete create as multipart."""
    body = create_body(**changes)
    del body["documents"]
    fields = flat(body, style=style)
    fields += flat({"documents": [{"type": type_} for type_ in FILES]}, style=style)
    files = [
        (_below(f"documents[{index}]", "file", style), name, content)
        for index, (name, content) in enumerate(FILES.values())
    ]
    return multipart(fields, files)


# --- a client ------------------------------------------------------------------------------

WAYS = ("mount", "setting")
"""How a client that knows the page alone is answered by it, whatever it calls."""


def speaking_beta(http: Http, way: str = "mount") -> Http:
    """The same client: called below ``/beta``, or of a simulator with ``--new-api beta``."""
    if way == "mount":
        http.mount = "/beta"
    else:
        http.sim.settings = replace(http.sim.settings, new_api="beta")
    return http


def checked(answer: TestResponse, kind: Any, status: int = 200) -> Any:
    """The body of an answer that has this status and this shape, and nothing beyond it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["X-Plivo-Sim-Dialect"] == "beta"
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.get_json()
    check_answer(body, kind)
    return body


@dataclass
class Page:
    """A client that calls as the page says and takes only what it prints."""

    http: Http

    def requirements(self, **query: str) -> Any:
        answer = self.http.get(f"{URL}/Requirements", query_string=query)
        return checked(answer, presenters.RequirementsOut)

    def create(self, **changes: Any) -> Any:
        body, content_type = page_form(**changes)
        return self.created(data=body, content_type=content_type)

    def created(self, **request: Any) -> Any:
        return checked(self.http.post(f"{URL}/", **request), presenters.CreatedOut, 201)

    def id(self, **changes: Any) -> str:
        return str(self.create(**changes)["compliance_id"])

    def get(self, id: str, **query: str) -> Any:
        return checked(self.http.get(f"{URL}/{id}", query_string=query), presenters.OneOut)

    def list(self, **query: str | int) -> Any:
        return checked(self.http.get(f"{URL}/", query_string=query), presenters.ListOut)

    def update(self, id: str, **change: Any) -> Any:
        return checked(self.http.patch(f"{URL}/{id}", json=change), presenters.CreatedOut)

    def delete(self, id: str) -> Any:
        return checked(self.http.delete(f"{URL}/{id}"), presenters.CreatedOut)


def link(http: Http, id: str, number: str = "912248885512") -> None:
    """A rented number, linked to an application."""
    account = http.account
    with account.transaction():
        account.store.numbers.put(
            PhoneNumber(
                id=number,
                seq=account.next_seq(),
                country_iso="IN",
                number_type=NumberType.LOCAL,
                application_id=id,
                rented_at=account.now(),
            )
        )


def counts(http: Http) -> dict[str, int]:
    """How many records of each kind the account has."""
    store = http.account.store
    names = ("applications", "end_users", "documents", "numbers", "timers", "deliveries")
    return {name: len(getattr(store, name)) for name in names}


def shape(value: Any) -> Any:
    """The keys of a value in their order, and the types of what they hold."""
    if isinstance(value, dict):
        return [(key, shape(each)) for key, each in value.items()]
    if isinstance(value, list):
        return [shape(each) for each in value]
    return type(value).__name__
