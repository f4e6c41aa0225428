"""plivo for Python, unmodified, over real HTTP: numbers, and Link."""

from __future__ import annotations

import plivo
import pytest
from plivo.exceptions import ResourceNotFoundError, ValidationError

from plivo_sim.client import Client
from tests.sdk.conftest import plain
from tests.sdk.test_python import created, decide

pytestmark = pytest.mark.live


@pytest.fixture
def accepted(client: plivo.RestClient, paths: list[str], control: Client) -> str:
    """The id of an accepted application for local numbers of India."""
    id = created(client, paths)
    decide(control, id, "accepted")
    return id


def offers(client: plivo.RestClient, count: int = 2) -> list[str]:
    """Numbers that can be rented in India."""
    found = client.numbers.search("IN", type="local", limit=count)
    return [each.number for each in found.objects]


def test_rent_and_read_back(client: plivo.RestClient, accepted: str) -> None:
    """A rented number shows the application that it was rented with, and its status."""
    (number,) = offers(client, 1)
    rented = plain(client.numbers.buy(number, compliance_application_id=accepted))
    assert rented["numbers"][0] == {"number": number, "status": "Success"}
    shown = client.numbers.get(number)
    assert (shown.compliance_application_id, shown.compliance_status) == (accepted, "accepted")
    assert [each.number for each in client.numbers.list().objects] == [number]


def test_rent_without_an_application(client: plivo.RestClient) -> None:
    """The field-reported sentence."""
    (number,) = offers(client, 1)
    with pytest.raises(ValidationError, match=r"compliance_application_id is required to rent"):
        client.numbers.buy(number)


def test_update_and_release(client: plivo.RestClient, accepted: str) -> None:
    """An alias is kept; a released number is gone."""
    (number,) = offers(client, 1)
    client.numbers.buy(number, compliance_application_id=accepted)
    assert client.numbers.update(number, alias="front desk").message == "changed"
    assert client.numbers.get(number).alias == "front desk"
    client.numbers.delete(number)
    with pytest.raises(ResourceNotFoundError):
        client.numbers.get(number)


def test_link(client: plivo.RestClient, accepted: str, paths: list[str], control: Client) -> None:
    """A number moves to another application; one that is not there fails by itself."""
    (number,) = offers(client, 1)
    client.numbers.buy(number, compliance_application_id=accepted)
    other = created(client, paths, alias="other")
    decide(control, other, "accepted")
    items = [
        {"number": f"+{number}", "compliance_application_id": other},
        {"number": "+912248880000", "compliance_application_id": other},
    ]
    told = plain(client.phone_number_compliance_link.link(items))
    assert (told["total_count"], told["updated_count"]) == (2, 1)
    assert [(each["number"], each["status"]) for each in told["report"]] == [
        (f"+{number}", "success"),
        ("+912248880000", "failed"),
    ]
    record = client.phone_number_compliance.get(other, expand="linked_numbers").compliance
    assert plain(record.linked_numbers) == [{"number": f"+{number}", "number_type": "local"}]
