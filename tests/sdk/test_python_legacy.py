"""plivo for Python, unmodified, over real HTTP: every call of the legacy API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import plivo
import pytest
from plivo.exceptions import AuthenticationError, ResourceNotFoundError, ValidationError

from plivo_sim.client import Client
from tests.sdk.conftest import plain
from tests.support import AUTH_ID, JPEG, TOKEN, TYPES_COUNT

pytestmark = pytest.mark.live

INDIA = {"country_iso2": "IN", "number_type": "local", "end_user_type": "business"}
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"


def keys_of(resource: Any) -> dict[str, Any]:
    """What a single record holds, without the SDK's own belongings and the call's id."""
    own = ("client", "_name", "api_id")
    return {key: plain(value) for key, value in vars(resource).items() if key not in own}


def end_user_of(client: plivo.RestClient, name: str = "", type_: str = "business") -> str:
    """Of a name of its own."""
    name = name or f"Acme {client.end_users.list().meta.total_count}"
    return str(client.end_users.create(name=name, end_user_type=type_).end_user_id)


def types_of(client: plivo.RestClient) -> list[str]:
    found = client.compliance_requirements.list(**INDIA)
    slots = found.acceptable_document_types
    return [slot.acceptable_documents[0].document_type_id for slot in slots]


def document_of(client: plivo.RestClient, **given: Any) -> str:
    return str(client.compliance_documents.create(**given).document_id)


def documents_of(client: plivo.RestClient, end_user_id: str, paths: list[str]) -> list[str]:
    """The two complete documents that India asks a business for."""
    fields: list[dict[str, str]] = [{"business_name": "Acme"}, {}]
    there = client.compliance_documents.list().meta.total_count
    return [
        document_of(
            client,
            end_user_id=end_user_id,
            document_type_id=type_,
            alias=f"a{there + n}",
            file=path,
            **data,
        )
        for n, (type_, path, data) in enumerate(zip(types_of(client), paths, fields, strict=True))
    ]


def application_of(client: plivo.RestClient, paths: list[str], alias: str = "Acme") -> str:
    """A complete draft."""
    end_user_id = end_user_of(client)
    made = client.compliance_applications.create(
        end_user_id=end_user_id,
        document_ids=documents_of(client, end_user_id, paths),
        alias=alias,
        **INDIA,
    )
    return str(made.compliance_application_id)


def decide(control: Client, id: str, status: str) -> None:
    body = {"status": status, "reason": "Blurred scan"}
    control.control("POST", f"/applications/{id}/decision", body)


# --- end users -------------------------------------------------------------------------------


def test_an_end_user_lives_and_goes(client: plivo.RestClient) -> None:
    """Create, get, update, list, delete."""
    made = client.end_users.create(name="Ada", last_name="L", end_user_type="individual")
    assert made.message == "created"
    id = made.end_user_id
    assert client.end_users.get(id).last_name == "L"
    assert client.end_users.update(id, name="Grace").message == "changed"
    (listed,) = client.end_users.list(name="Grace", end_user_type="individual").objects
    assert (listed.end_user_id, listed.last_name) == (id, "L")
    assert client.end_users.delete(id).message == "changed"
    with pytest.raises(ResourceNotFoundError, match="End user not found"):
        client.end_users.get(id)


def test_iterating_walks_every_page(client: plivo.RestClient) -> None:
    """The SDK follows ``meta.next``."""
    ids = [end_user_of(client, f"User {n}") for n in range(23)]
    assert [each.end_user_id for each in client.end_users] == ids


# --- what is asked for ------------------------------------------------------------------------


def test_document_types_are_listed_and_read(client: plivo.RestClient) -> None:
    """With the fields to fill in."""
    listed = client.compliance_document_types.list(limit=1, offset=1)
    assert listed.meta.total_count == TYPES_COUNT
    id = listed.objects[0].document_type_id
    assert client.compliance_document_types.get(id).document_name == "GST certificate"


def test_requirements_are_looked_up_and_read(client: plivo.RestClient) -> None:
    """By key, by phone number, by id."""
    api = client.compliance_requirements
    by_key = keys_of(api.list(**INDIA))
    by_phone = keys_of(api.list(phone_number="+912248885512", end_user_type="business"))
    assert by_phone == by_key
    assert keys_of(api.get(by_key["compliance_requirement_id"])) == by_key


# --- documents --------------------------------------------------------------------------------


def test_a_document_lives_and_goes(
    client: plivo.RestClient, paths: list[str], tmp_path: Path
) -> None:
    """Create with a file, get, update with another, list, delete."""
    end_user_id, type_id = end_user_of(client), types_of(client)[0]
    made = client.compliance_documents.create(
        end_user_id=end_user_id,
        document_type_id=type_id,
        alias="cert",
        file=paths[0],
        business_name="Acme",
        tax_code="150",
    )
    assert (made.message, made.file_name) == ("created", "registration_certificate.pdf")
    id = made.document_id
    assert keys_of(client.compliance_documents.get(id))["meta_information"] == {
        "business_name": "Acme",
        "tax_code": "150",
    }
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(JPEG)
    changed = client.compliance_documents.update(id, alias="new", file=str(photo), tax_code="151")
    assert changed.message == "changed"
    (listed,) = client.compliance_documents.list(
        end_user_id=end_user_id, document_type_id=type_id, alias="new"
    ).objects
    assert (listed.compliance_document_id, listed.file) == (id, "photo.jpg")
    assert plain(listed.meta_information) == {"business_name": "Acme", "tax_code": "151"}
    assert client.compliance_documents.delete(id).message == "changed"
    with pytest.raises(ResourceNotFoundError):
        client.compliance_documents.get(id)


def test_a_document_without_a_file_is_made(client: plivo.RestClient) -> None:
    """The SDK sends an empty part then."""
    id = document_of(
        client,
        end_user_id=end_user_of(client),
        document_type_id=types_of(client)[1],
        alias="bare",
    )
    assert "file_name" not in keys_of(client.compliance_documents.get(id))


# --- applications -----------------------------------------------------------------------------


def test_an_application_goes_from_draft_to_accepted(
    client: plivo.RestClient, control: Client, paths: list[str]
) -> None:
    """Create, get, submit, time passes."""
    id = application_of(client, paths)
    assert client.compliance_applications.get(id).status == "draft"
    sent = client.compliance_applications.submit(id)
    assert (sent.status, sent.compliance_application_id) == ("submitted", id)
    control.control("POST", "/clock/advance", {"by": "3 business days", "account": AUTH_ID})
    shown = client.compliance_applications.get(id)
    assert shown.status == "accepted"
    assert [each.scope for each in shown.documents] == ["local", "local"]


def test_a_rejected_application_is_corrected_and_sent_again(
    client: plivo.RestClient, control: Client, paths: list[str]
) -> None:
    """The documents change while it stays rejected; Submit does the rest."""
    id = application_of(client, paths)
    client.compliance_applications.submit(id)
    decide(control, id, "rejected")
    shown = client.compliance_applications.get(id)
    assert (shown.status, shown.rejection_reason) == ("rejected", "Blurred scan")
    fresh = documents_of(client, shown.end_user_id, paths)
    changed = client.compliance_applications.update(id, document_ids=fresh)
    assert changed.message == "changed"
    assert client.compliance_applications.get(id).status == "rejected"
    sent = client.compliance_applications.submit(id)
    assert sent.status == "submitted"
    assert [each.document_id for each in sent.documents] == fresh


def test_applications_are_listed_by_every_filter(
    client: plivo.RestClient, paths: list[str]
) -> None:
    """All the SDK's parameters at once."""
    ids = [application_of(client, paths, alias) for alias in ("a", "b")]
    end_user_id = client.compliance_applications.get(ids[1]).end_user_id
    found = client.compliance_applications.list(
        status="draft",
        end_user_type="business",
        number_type="local",
        country_iso2="IN",
        alias="b",
        limit=5,
        offset=0,
        end_user_id=end_user_id,
    )
    assert [each.compliance_application_id for each in found.objects] == [ids[1]]


def test_an_application_is_deleted(client: plivo.RestClient, paths: list[str]) -> None:
    """Its documents stay."""
    id = application_of(client, paths)
    assert client.compliance_applications.delete(id).message == "changed"
    with pytest.raises(ResourceNotFoundError, match="Compliance application not found"):
        client.compliance_applications.get(id)
    assert client.compliance_documents.list().meta.total_count == 2


# --- refusals ---------------------------------------------------------------------------------


def test_everything_that_is_missing_is_in_the_exception(
    client: plivo.RestClient, paths: list[str]
) -> None:
    """The SDK shows the server's own text."""
    end_user_id = end_user_of(client)
    made = client.compliance_applications.create(
        end_user_id=end_user_id,
        document_ids=documents_of(client, end_user_id, paths)[:1],
        alias="a",
        **INDIA,
    )
    with pytest.raises(ValidationError, match="a document of type 'GST certificate' is required"):
        client.compliance_applications.submit(made.compliance_application_id)


def test_nothing_given_names_what_is_required(client: plivo.RestClient) -> None:
    """Every parameter of these calls is optional in the SDK."""
    for create in (
        client.end_users.create,
        client.compliance_documents.create,
        client.compliance_applications.create,
    ):
        with pytest.raises(ValidationError, match=r"Field '\w+' is required"):
            create()


def test_an_accepted_application_is_final(
    client: plivo.RestClient, control: Client, paths: list[str]
) -> None:
    """No update, no Submit, no delete; its parts are locked."""
    id = application_of(client, paths)
    client.compliance_applications.submit(id)
    decide(control, id, "accepted")
    shown = client.compliance_applications.get(id)
    api = client.compliance_applications
    for act in (
        lambda: api.update(id),
        lambda: api.submit(id),
        lambda: api.delete(id),
        lambda: client.end_users.update(shown.end_user_id, name="x"),
        lambda: client.compliance_documents.update(shown.documents[0].document_id, alias="x"),
    ):
        with pytest.raises(ValidationError, match="Cannot "):
            act()


def test_unknown_ids_are_not_found(client: plivo.RestClient) -> None:
    """Of every resource."""
    for resource in (
        client.end_users,
        client.compliance_document_types,
        client.compliance_documents,
        client.compliance_requirements,
        client.compliance_applications,
    ):
        with pytest.raises(ResourceNotFoundError):
            resource.get(UNKNOWN_ID)


def test_an_empty_token_is_no_credential(client: plivo.RestClient) -> None:
    """401 becomes the SDK's own exception."""
    client.session.auth = (AUTH_ID, "")
    with pytest.raises(AuthenticationError, match="token is empty"):
        client.end_users.list()
    client.session.auth = (AUTH_ID, TOKEN)
    assert client.end_users.list().meta.total_count == 0
