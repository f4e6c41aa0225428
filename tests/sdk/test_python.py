"""plivo for Python, unmodified, over real HTTP: ``phone_number_compliance*``, Link apart."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import plivo
import plivo.rest.client
import pytest
import requests
from plivo.exceptions import (
    AuthenticationError,
    InvalidRequestError,
    ResourceNotFoundError,
    ValidationError,
)
from plivo.utils import validate_signature, validate_v3_signature
from requests.adapters import HTTPAdapter

from plivo_sim.assembly import LiveSimulator
from plivo_sim.client import Client
from tests.sdk.conftest import plain
from tests.support import AUTH_ID, PDF, PNG, SDK_AGENT, TOKEN, Received, Receiver

pytestmark = pytest.mark.live

END_USER = {
    "type": "business",
    "name": "Acme Traders Pvt Ltd",
    "email": "a@b.example",
    "address_line1": "12 MG Road",
    "city": "Mumbai",
    "state": "Maharashtra",
    "postal_code": "400001",
    "country": "IN",
}


def data_of(client: plivo.RestClient, country: str = "IN", **changes: Any) -> dict[str, Any]:
    """A complete ``data`` for a local number of a business in this country."""
    asked = client.phone_number_compliance_requirements.get(country, "local", "business")
    documents = [
        {
            "document_type_id": type_.document_type_id,
            "data_fields": {field.field_name: "Acme" for field in type_.required_fields},
        }
        for type_ in asked.document_types
    ]
    return {
        "country_iso": country,
        "number_type": "local",
        "alias": "Acme Mumbai",
        "end_user": END_USER,
        "documents": documents,
    } | changes


def created(client: plivo.RestClient, paths: list[str], country: str = "IN", **changes: Any) -> str:
    """The id of a new application."""
    made = client.phone_number_compliance.create(data_of(client, country, **changes), paths)
    return str(made.compliance_id)


def decide(control: Client, id: str, status: str, reason: str = "Blurred scan") -> None:
    body = {"status": status, "reason": reason}
    control.control("POST", f"/applications/{id}/decision", body)


def advance(control: Client, by: str) -> list[dict[str, Any]]:
    """What happened while the clock went on."""
    happened = control.control("POST", "/clock/advance", {"by": by, "account": AUTH_ID})
    return list(happened["happenings"])


# --- the calls -------------------------------------------------------------------------------


def test_requirements_tell_what_india_asks_for(client: plivo.RestClient) -> None:
    """The requirement of a business with a local number names its two document types."""
    asked = plain(client.phone_number_compliance_requirements.get("IN", "local", "business"))
    assert [each["name"] for each in asked["document_types"]] == [
        "Registration Certificate",
        "GST certificate",
    ]
    assert asked["document_types"][0]["required_fields"] == [
        {
            "field_name": "business_name",
            "friendly_name": "Legal Name",
            "field_type": "string",
            "required": True,
            "min_length": 1,
            "max_length": 50,
            "format": "",
        }
    ]


def test_create_with_files(client: plivo.RestClient, paths: list[str]) -> None:
    """A multipart create is answered with an id and the recorded sentence."""
    made = plain(client.phone_number_compliance.create(data_of(client), paths))
    assert set(made) == {"api_id", "compliance_id", "message"}
    assert made["message"] == "Compliance application created and submitted for review."


def test_create_without_files(client: plivo.RestClient) -> None:
    """With no file the SDK sends an urlencoded form, which is a create like any other."""
    id = created(client, [], "US")
    assert client.phone_number_compliance.get(id).compliance.status == "submitted"


def test_create_lists_every_missing_file(client: plivo.RestClient) -> None:
    """A create that lacks its files is refused in a sentence that names each of them."""
    with pytest.raises(ValidationError) as refused:
        client.phone_number_compliance.create(data_of(client))
    assert str(refused.value) == (
        "documents[0].file: a file is required for document type 'Registration Certificate'; "
        "documents[1].file: a file is required for document type 'GST certificate'"
    )


def test_create_with_nothing_at_all(client: plivo.RestClient) -> None:
    """The SDK then sends no body and no content type; the answer says what is missing."""
    with pytest.raises(ValidationError, match="Field 'data' is required"):
        client.phone_number_compliance.create()


def test_get_shows_the_ten_recorded_keys(client: plivo.RestClient, paths: list[str]) -> None:
    """Without expand a record has the keys of the recorded answer, in their order."""
    id = created(client, paths, callback_url="http://127.0.0.1:9/cb", callback_method="GET")
    got = plain(client.phone_number_compliance.get(id))
    assert list(got) == ["api_id", "compliance"]
    record = got["compliance"]
    assert list(record) == [
        "compliance_id", "alias", "status", "country_iso", "number_type", "user_type",
        "callback_url", "callback_method", "created_at", "updated_at",
    ]  # fmt: skip
    assert (record["compliance_id"], record["status"]) == (id, "submitted")
    assert (record["callback_url"], record["callback_method"]) == ("http://127.0.0.1:9/cb", "GET")


def test_get_with_expand(client: plivo.RestClient, paths: list[str]) -> None:
    """Expanded, a record shows its end user, its documents and its numbers."""
    id = created(client, paths)
    expand = "end_user,documents,linked_numbers"
    record = plain(client.phone_number_compliance.get(id, expand=expand).compliance)
    assert record["end_user"]["name"] == "Acme Traders Pvt Ltd"
    assert [(each["document_name"], each["file_name"]) for each in record["documents"]] == [
        ("Registration Certificate", "registration_certificate.pdf"),
        ("GST certificate", "gst_certificate.png"),
    ]
    assert record["documents"][0]["meta_information"] == {"business_name": "Acme"}
    assert record["linked_numbers"] == []


def test_download_gives_back_what_was_uploaded(client: plivo.RestClient, paths: list[str]) -> None:
    """Both files come back, byte by byte, from their URLs."""
    id = created(client, paths)
    documents = client.phone_number_compliance.get(id, expand="documents").compliance.documents
    answers = [
        requests.get(each.download_url, auth=(AUTH_ID, TOKEN), timeout=60) for each in documents
    ]
    assert [answer.content for answer in answers] == [PDF, PNG]
    assert [answer.headers["Content-Type"] for answer in answers] == [
        "application/pdf",
        "image/png",
    ]


def test_download_needs_the_credentials(client: plivo.RestClient, paths: list[str]) -> None:
    """A download URL alone opens nothing."""
    id = created(client, paths)
    documents = client.phone_number_compliance.get(id, expand="documents").compliance.documents
    agent = {"User-Agent": SDK_AGENT}
    answer = requests.get(documents[0].download_url, headers=agent, timeout=60)
    assert (answer.status_code, list(answer.json())) == (401, ["api_id", "error"])


def test_list_filters(client: plivo.RestClient, paths: list[str], control: Client) -> None:
    """Each filter of the SDK's list finds the records that it should."""
    first = created(client, paths, alias="first")
    second = created(client, [], "US", alias="second")
    decide(control, first, "rejected")

    def ids(**filters: Any) -> list[str]:
        found = client.phone_number_compliance.list(**filters).compliances
        return [each.compliance_id for each in found]

    assert ids() == [first, second]
    assert ids(status="rejected") == [first]
    assert ids(country_iso="US") == [second]
    assert ids(alias="second") == [second]
    assert ids(number_type="local", user_type="business") == [first, second]
    assert ids(user_type="individual") == []


def test_list_pages(client: plivo.RestClient) -> None:
    """Pages are cut by limit and offset, and ``meta`` says where the next one is."""
    made = [created(client, [], "US", alias=f"n{n}") for n in range(3)]
    page = plain(client.phone_number_compliance.list(limit=2, offset=0))
    assert [each["compliance_id"] for each in page["compliances"]] == made[:2]
    path = f"/v1/Account/{AUTH_ID}/PhoneNumber/Compliance/"
    assert page["meta"] == {
        "limit": 2,
        "offset": 0,
        "total_count": 3,
        "next": f"{path}?limit=2&offset=2",
        "previous": None,
    }
    rest = client.phone_number_compliance.list(limit=2, offset=2)
    assert [each.compliance_id for each in rest.compliances] == made[2:]


def test_iterating_yields_nothing(client: plivo.RestClient) -> None:
    """The SDK looks for ``objects``, which this API does not have: its bug, not the answer's."""
    created(client, [], "US")
    assert list(client.phone_number_compliance) == []


def test_list_expands(client: plivo.RestClient, paths: list[str]) -> None:
    """A list shows nested objects when asked."""
    created(client, paths)
    listed = client.phone_number_compliance.list(expand="documents").compliances[0]
    assert len(listed.documents) == 2


def test_update_with_data_only_keeps_the_documents(
    client: plivo.RestClient, paths: list[str], control: Client
) -> None:
    """A correction without documents keeps those there are, and resubmits."""
    id = created(client, paths)
    decide(control, id, "rejected")
    done = plain(client.phone_number_compliance.update(id, {"alias": "corrected"}))
    assert done["message"] == "Compliance application updated and resubmitted for review."
    assert (done["compliance"]["alias"], done["compliance"]["status"]) == ("corrected", "submitted")
    record = client.phone_number_compliance.get(id, expand="documents").compliance
    assert [each.file_name for each in record.documents] == [
        "registration_certificate.pdf",
        "gst_certificate.png",
    ]


def test_update_with_one_file(client: plivo.RestClient, paths: list[str], control: Client) -> None:
    """A correction that sends the whole set, of which one document has a proof, replaces it."""
    id = created(client, paths[:1], "AE")
    decide(control, id, "rejected")
    documents = data_of(client, "AE")["documents"]
    client.phone_number_compliance.update(id, {"documents": documents}, [paths[1]])
    record = client.phone_number_compliance.get(id, expand="documents").compliance
    assert [each.file_name for each in record.documents] == ["gst_certificate.png", None]


def test_update_with_one_file_of_two_changes_nothing(
    client: plivo.RestClient, paths: list[str], control: Client
) -> None:
    """A document that comes without its file counts as without, and the old set stays."""
    id = created(client, paths)
    decide(control, id, "rejected")
    documents = data_of(client)["documents"]
    with pytest.raises(ValidationError, match=r"^documents\[1\]\.file: a file is required"):
        client.phone_number_compliance.update(id, {"documents": documents}, paths[:1])
    record = client.phone_number_compliance.get(id, expand="documents").compliance
    assert (record.status, len(record.documents)) == ("rejected", 2)


def test_update_with_files_only_is_refused(
    client: plivo.RestClient, paths: list[str], control: Client
) -> None:
    """Files without ``data.documents`` cannot be told apart."""
    id = created(client, paths)
    decide(control, id, "rejected")
    with pytest.raises(ValidationError) as refused:
        client.phone_number_compliance.update(id, documents=paths)
    told = "documents: is required in 'data' when files are sent: name the type of each"
    assert str(refused.value) == told


def test_delete(client: plivo.RestClient, paths: list[str]) -> None:
    """A deleted application is gone, its answer the recorded one."""
    id = created(client, paths)
    done = plain(client.phone_number_compliance.delete(id))
    assert (done["compliance_id"], done["message"]) == (id, "Compliance application deleted.")
    with pytest.raises(ResourceNotFoundError, match=r"^Compliance application not found\.$"):
        client.phone_number_compliance.get(id)


# --- what the exceptions say -----------------------------------------------------------------


def test_update_of_a_submitted_application(client: plivo.RestClient, paths: list[str]) -> None:
    """The exception says which status it must have."""
    id = created(client, paths)
    with pytest.raises(ValidationError) as refused:
        client.phone_number_compliance.update(id, {"alias": "x"})
    assert str(refused.value) == "Compliance application must be in 'rejected' status"


def test_delete_of_an_accepted_application(
    client: plivo.RestClient, paths: list[str], control: Client
) -> None:
    """The exception says which status it must have."""
    id = created(client, paths)
    decide(control, id, "accepted")
    with pytest.raises(ValidationError, match=r"^Cannot delete .* in accepted status"):
        client.phone_number_compliance.delete(id)


def test_a_missing_data_field_is_told_as_the_service_does(
    client: plivo.RestClient, paths: list[str]
) -> None:
    """The field-reported sentence, with the id of the document type."""
    data = data_of(client)
    del data["documents"][0]["data_fields"]["business_name"]
    id = data["documents"][0]["document_type_id"]
    with pytest.raises(ValidationError) as refused:
        client.phone_number_compliance.create(data, paths)
    assert str(refused.value) == (
        f"Field 'business_name' is required for document type '{id}'. "
        "Check GET /Requirements for required fields."
    )


def test_wrong_credentials(client: plivo.RestClient) -> None:
    """An empty-handed caller gets the SDK's AuthenticationError with our sentence."""
    client.session.auth = ("MA", "x")
    with pytest.raises(AuthenticationError, match="auth id must be MA or SA"):
        client.phone_number_compliance.list()


def test_an_unknown_parameter(client: plivo.RestClient) -> None:
    """The recorded sentence of the live service."""
    query = {"country_iso": "IN", "number_type": "local", "user_type": "business", "id": "x"}
    with pytest.raises(ValidationError, match=r"^Unknown query parameter 'id'$"):
        client.request("GET", ("PhoneNumber", "Compliance", "Requirements"), query)


def test_post_on_an_application_is_not_allowed(client: plivo.RestClient, paths: list[str]) -> None:
    """Only PATCH updates here (observed)."""
    id = created(client, paths)
    with pytest.raises(InvalidRequestError, match="Method not allowed; use DELETE, GET, PATCH"):
        client.request("POST", ("PhoneNumber", "Compliance", id), {})


# --- time and callbacks ----------------------------------------------------------------------


def test_a_review_takes_three_business_days(
    client: plivo.RestClient, paths: list[str], control: Client
) -> None:
    """Nothing happens for two days; on the third the application is accepted."""
    id = created(client, paths)
    assert advance(control, "2d23h") == []
    assert advance(control, "1h") == [
        {
            "type": "transition",
            "at": "2026-01-08T09:00:00.000000Z",
            "application": id,
            "from": "submitted",
            "to": "accepted",
            "reason": None,
        }
    ]
    assert client.phone_number_compliance.get(id).compliance.status == "accepted"


def check_signatures(got: Received, params: dict[str, str]) -> None:
    """The SDK's own validators accept it, and not under another token."""
    headers = got.headers
    v3 = (headers["X-Plivo-Signature-V3-Nonce"], TOKEN, headers["X-Plivo-Signature-V3"])
    assert validate_v3_signature(got.method, got.url, *v3, params=params)
    assert not validate_v3_signature(got.method, got.url, v3[0], "other", v3[2], params=params)
    nonce, signature = (
        headers["X-Plivo-Signature-V2-Nonce"],
        headers["X-Plivo-Signature-V2"],
    )
    assert validate_signature(got.url, nonce, signature, TOKEN)
    assert not validate_signature(got.url, nonce, signature, "other")


@pytest.mark.parametrize("query", ["", "?z=1&a=b%20c"], ids=["bare", "query"])
def test_a_post_callback_is_signed(
    client: plivo.RestClient, paths: list[str], control: Client, receiver: Receiver, query: str
) -> None:
    """JSON in the body; both validators of the SDK accept it with the parsed JSON."""
    id = created(client, paths, callback_url=receiver.url + query)
    decide(control, id, "rejected", "Blurred scan")
    (got,) = receiver.wait_for(1)
    assert got.headers["Content-Type"] == "application/json"
    fields = {"compliance_id": id, "status": "rejected", "rejection_reason": "Blurred scan"}
    assert json.loads(got.body) == fields
    check_signatures(got, fields)


@pytest.mark.parametrize("query", ["", "?z=1&a=b"], ids=["bare", "query"])
def test_a_get_callback_is_signed(
    client: plivo.RestClient, paths: list[str], control: Client, receiver: Receiver, query: str
) -> None:
    """Fields in the query, nothing in the body; both validators of the SDK accept it."""
    url = receiver.url + query
    id = created(client, paths, callback_url=url, callback_method="GET")
    decide(control, id, "accepted")
    (got,) = receiver.wait_for(1)
    sent = dict(parse_qsl(urlsplit(got.url).query))
    assert sent == dict(parse_qsl(query[1:])) | {"compliance_id": id, "status": "accepted"}
    assert got.body == ""
    check_signatures(got, {})


def test_a_callback_that_fails_twice_arrives_the_third_time(
    client: plivo.RestClient, paths: list[str], control: Client, receiver: Receiver
) -> None:
    """One advance over the review and two retries; each attempt has its own instant."""
    receiver.statuses = [503, 500]
    id = created(client, paths, callback_url=receiver.url)
    happened = advance(control, "3d1h")
    assert [(h["type"], h["at"][:19]) for h in happened] == [
        ("transition", "2026-01-08T09:00:00"),
        ("callback", "2026-01-08T09:00:00"),
        ("callback", "2026-01-08T09:01:00"),
        ("callback", "2026-01-08T09:03:00"),
    ]
    assert [(h["attempt"], h["status"], h["state"]) for h in happened[1:]] == [
        (1, 503, "pending"),
        (2, 500, "pending"),
        (3, 200, "delivered"),
    ]
    assert [got.json()["compliance_id"] for got in receiver.received] == [id] * 3
    assert [got.headers["X-Plivo-Sim-Attempt"] for got in receiver.received] == ["1", "2", "3"]
    assert len({got.headers["X-Plivo-Sim-Delivery"] for got in receiver.received}) == 1


# --- another way to point it -----------------------------------------------------------------


class Redirected(HTTPAdapter):
    """Sends what is meant for the real service to the simulator."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        request.url = request.url.replace("https://api.plivo.com", self._url)
        return super().send(request, *args, **kwargs)


def test_one_client_alone_is_redirected(live: LiveSimulator, paths: list[str]) -> None:
    """Adapters mounted on its two sessions redirect a client, uploads included, and no other."""
    with plivo.RestClient(AUTH_ID, TOKEN) as client:
        for session in (client.session, client.multipart_session):
            session.mount("https://api.plivo.com", Redirected(live.url))
        id = created(client, paths)
        assert client.phone_number_compliance.get(id).compliance.status == "submitted"
        assert plivo.rest.client.PLIVO_API_BASE_URI == "https://api.plivo.com/v1/Account"
