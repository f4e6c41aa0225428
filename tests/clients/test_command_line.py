"""Plivo's own command line, as it is on the wire.

source: observed (docs/wire-facts.md, "Plivo's command line"): its requests, and the types that it
reads their answers into. A value of another type is an error there; null and a missing one are
empty.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import permutations
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec
import pytest
import urllib3

from plivo_sim.assembly import LiveSimulator
from tests.clients.conftest import Reviewer
from tests.support import AUTH_ID, PDF, PNG, basic

pytestmark = pytest.mark.live

BOUNDARY = "c0ffee" * 10
DATA = 'Content-Disposition: form-data; name="data"'
OCTETS = "Content-Type: application/octet-stream"
PLACE = {"country_iso": "IN", "number_type": "local"}
FILES = {"documents[0].file": ("cert.pdf", PDF), "documents[1].file": ("gst.png", PNG)}


class RequiredField(msgspec.Struct):
    field_name: str
    friendly_name: str
    field_type: str
    required: bool
    format: str = ""
    min_length: int = 0
    max_length: int = 0


class DocumentType(msgspec.Struct):
    document_type_id: str
    name: str
    description: str
    proof_required: bool
    required_fields: list[RequiredField]


class Requirements(msgspec.Struct):
    requirement_id: str
    country_iso: str
    number_type: str
    user_type: str
    document_types: list[DocumentType]


class Created(msgspec.Struct):
    compliance_id: str
    message: str


class Document(msgspec.Struct):
    document_id: str
    document_type_id: str
    file_name: str
    download_url: str


class Application(msgspec.Struct):
    status: str
    end_user: dict[str, str | None] = {}
    documents: list[Document] = []
    rejection_reason: str = ""


class Got(msgspec.Struct):
    compliance: Application


class Meta(msgspec.Struct):
    limit: int
    offset: int
    total_count: int
    next: str | None
    previous: str | None


class Listed(msgspec.Struct):
    meta: Meta
    compliances: list[dict[str, str]]


class Offer(msgspec.Struct):
    number: str
    type: str
    region: str
    country: str
    monthly_rental_rate: str
    voice_enabled: bool
    sms_enabled: bool


class Offers(msgspec.Struct):
    meta: Meta
    objects: list[Offer]


class Bought(msgspec.Struct):
    status: str
    message: str
    numbers: list[dict[str, str]]


class Rented(msgspec.Struct):
    number: str
    compliance_application_id: str | None


class Row(msgspec.Struct):
    number: str
    status: str
    remarks: str


class Linked(msgspec.Struct):
    total_count: int
    updated_count: int
    report: list[Row]


class Told(msgspec.Struct):
    """The text of an error is the first of ``error`` and ``message`` that is a string."""

    error: str


T = TypeVar("T")


class CommandLine:
    """One call is one command."""

    def __init__(self, base: str, agent: str = "Plivo-CLI/0.9.2") -> None:
        self._home = f"{base}/v1/Account/{AUTH_ID}/"
        self._pool = urllib3.PoolManager(retries=False)
        self._headers = {
            "User-Agent": agent,
            "Authorization": basic(),
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
        }
        self.close = self._pool.clear

    def call(self, kind: type[T], method: str, path: str, body: Any = None, **query: str) -> T:
        """A JSON call; what it answers, as this type."""
        url = f"{path}/?{urlencode(query)}" if query else f"{path}/"
        if body is None:
            return self._read(kind, method, url, b"")
        return self._read(kind, method, url, json.dumps(body).encode(), "application/json")

    def send(
        self, kind: type[T], method: str, path: str, data: Any, order: tuple[int, ...] = (0, 1, 2)
    ) -> T:
        """A form; ``order``: that of ``data`` and the two files, which the real one leaves to
        chance."""
        parts = [f"{DATA}\r\n\r\n".encode() + json.dumps(data).encode()]
        for field, (name, content) in FILES.items():
            named = f'Content-Disposition: form-data; name="{field}"; filename="{name}"'
            parts.append(f"{named}\r\n{OCTETS}\r\n\r\n".encode() + content)
        chosen = [f"--{BOUNDARY}\r\n".encode() + parts[index] + b"\r\n" for index in order]
        body = b"".join(chosen) + f"--{BOUNDARY}--\r\n".encode()
        return self._read(
            kind, method, f"{path}/", body, f"multipart/form-data; boundary={BOUNDARY}"
        )

    def _read(self, kind: type[T], method: str, url: str, body: bytes, content_type: str = "") -> T:
        typed = {"Content-Type": content_type} if content_type else {}
        answer = self._pool.request(
            method, self._home + url, headers=self._headers | typed, body=body or None
        )
        assert (answer.status >= 400) is (kind is Told), answer.data
        return msgspec.json.decode(answer.data, type=kind)


@pytest.fixture
def plivo(live: LiveSimulator) -> Iterator[CommandLine]:
    command_line = CommandLine(live.url)
    yield command_line
    command_line.close()


HOME = "PhoneNumber/Compliance"


def asked(plivo: CommandLine) -> Requirements:
    return plivo.call(Requirements, "GET", f"{HOME}/Requirements", **PLACE, user_type="business")


def app_json(plivo: CommandLine, **changes: Any) -> dict[str, Any]:
    """What ``--data @app.json`` holds."""
    return {
        **PLACE,
        "alias": "acme-in-local",
        "end_user": {"type": "business", "name": "Acme Pvt Ltd", "email": "ops@acme.example"},
        "documents": [
            {
                "document_type_id": each.document_type_id,
                "data_fields": {field.field_name: "Acme" for field in each.required_fields},
            }
            for each in asked(plivo).document_types
        ],
    } | changes


def created(plivo: CommandLine, **changes: Any) -> str:
    return plivo.send(Created, "POST", HOME, app_json(plivo, **changes)).compliance_id


def accepted(plivo: CommandLine, reviewer: Reviewer) -> str:
    id = created(plivo)
    reviewer.works()
    return id


def offer(plivo: CommandLine) -> str:
    query = {"country_iso": "IN", "type": "local", "limit": "20", "offset": "0"}
    return plivo.call(Offers, "GET", "PhoneNumber", **query).objects[0].number


def may_be_routed(plivo: CommandLine, number: str) -> bool:
    """What it looks at before it sends an Indian number's calls anywhere."""
    id = plivo.call(Rented, "GET", f"Number/{number}").compliance_application_id
    return id is None or plivo.call(Got, "GET", f"{HOME}/{id}").compliance.status == "accepted"


@pytest.mark.parametrize("agent", ["Plivo-CLI/0.9.2", "plivo-cli/0.4.0"])
def test_requirements_are_the_first_command(live: LiveSimulator, agent: str) -> None:
    """A name, an id and the fields of each document type."""
    plivo = CommandLine(live.url, agent)
    found = asked(plivo)
    plivo.close()
    assert [each.name for each in found.document_types] == [
        "Registration Certificate",
        "GST certificate",
    ]
    assert all(each.document_type_id and each.proof_required for each in found.document_types)
    assert found.document_types[0].required_fields[0].field_name == "business_name"


@pytest.mark.parametrize("agent", ["Plivo-CLI/0.9.2", "plivo-cli/0.4.0"])
def test_a_list_of_the_accepted_ones_is_the_first_command(live: LiveSimulator, agent: str) -> None:
    """On an account of which nothing is known."""
    plivo = CommandLine(live.url, agent)
    query = {"limit": "20", "offset": "0", "status": "accepted", "country_iso": "IN"}
    listed = plivo.call(Listed, "GET", HOME, **query)
    plivo.close()
    assert (listed.meta.total_count, listed.compliances) == (0, [])


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_create_in_any_order_of_the_parts(plivo: CommandLine, order: tuple[int, ...]) -> None:
    """Each file goes to the document of its index."""
    made = plivo.send(Created, "POST", HOME, app_json(plivo), order)
    query = {"expand": "end_user,documents,linked_numbers"}
    shown = plivo.call(Got, "GET", f"{HOME}/{made.compliance_id}", **query).compliance
    assert [each.file_name for each in shown.documents] == ["cert.pdf", "gst.png"]
    assert shown.end_user["email"] == "ops@acme.example"


def test_rejected_then_updated(plivo: CommandLine, reviewer: Reviewer) -> None:
    """The reason is there to be read, and everything is sent again."""
    reviewer.plays("rejected-then-accepted")
    id = created(plivo)
    told = plivo.send(Told, "PATCH", f"{HOME}/{id}", app_json(plivo))
    assert told.error == "Compliance application must be in 'rejected' status"
    reviewer.works()
    shown = plivo.call(Got, "GET", f"{HOME}/{id}", expand="documents,end_user").compliance
    assert shown.status == "rejected"
    assert shown.rejection_reason
    plivo.send(dict[str, Any], "PATCH", f"{HOME}/{id}", app_json(plivo), (2, 0, 1))
    reviewer.works()
    query = {"limit": "20", "offset": "0", "status": "accepted", "country_iso": "IN"}
    assert plivo.call(Listed, "GET", HOME, **query).compliances[0]["compliance_id"] == id


def test_what_is_missing_is_named(plivo: CommandLine) -> None:
    """Its user sees the text and nothing else."""
    documents = app_json(plivo)["documents"]
    wanted = documents[0]["document_type_id"]
    documents[0]["data_fields"] = {}
    told = plivo.send(Told, "POST", HOME, app_json(plivo, documents=documents))
    assert told.error == (
        f"Field 'business_name' is required for document type '{wanted}'. "
        "Check GET /Requirements for required fields."
    )


def test_buy_without_an_application(plivo: CommandLine, reviewer: Reviewer) -> None:
    """``{}``: Plivo picks the latest accepted one; without any, the text names the guide."""
    number = offer(plivo)
    told = plivo.call(Told, "POST", f"PhoneNumber/{number}", {})
    assert told.error.startswith("compliance_application_id is required to rent this number. ")
    assert "/rent-india-numbers for details." in told.error
    id = accepted(plivo, reviewer)
    bought = plivo.call(Bought, "POST", f"PhoneNumber/{number}", {})
    assert bought.numbers == [{"number": number, "status": "Success"}]
    rented = plivo.call(Rented, "GET", f"Number/{number}")
    assert rented.compliance_application_id == id
    assert may_be_routed(plivo, number)


def test_a_number_is_routed_only_while_its_application_is_accepted(
    plivo: CommandLine, reviewer: Reviewer
) -> None:
    """The number's record has the id, and that one's record the status."""
    id = accepted(plivo, reviewer)
    number = offer(plivo)
    plivo.call(Bought, "POST", f"PhoneNumber/{number}", {"compliance_application_id": id})
    reviewer.control.control("POST", f"/applications/{id}/decision", {"status": "suspended"})
    assert not may_be_routed(plivo, number)


def test_link(plivo: CommandLine, reviewer: Reviewer) -> None:
    """A row for each number, whether it could be linked or not."""
    id = accepted(plivo, reviewer)
    number = offer(plivo)
    plivo.call(Bought, "POST", f"PhoneNumber/{number}", {})
    pairs = [number, offer(plivo)]
    body = {"numbers": [{"number": f"+{n}", "compliance_application_id": id} for n in pairs]}
    linked = plivo.call(Linked, "POST", f"{HOME}/Link", body)
    assert (linked.total_count, linked.updated_count) == (2, 1)
    assert [each.status for each in linked.report] == ["success", "failed"]
    assert linked.report[1].remarks == (
        "Number not found on your account. Only rented numbers can be linked."
    )


def test_delete(plivo: CommandLine) -> None:
    """Without a body or its type; the id is unknown afterwards."""
    id = created(plivo)
    assert plivo.call(Created, "DELETE", f"{HOME}/{id}").compliance_id == id
    assert plivo.call(Told, "GET", f"{HOME}/{id}").error == "Compliance application not found."
