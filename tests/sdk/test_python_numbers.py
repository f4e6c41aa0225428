"""plivo for Python, unmodified, over real HTTP: ``numbers`` and Link.

``numbers.update`` of the SDK cannot send the application (docs/wire-facts.md, "Number update"), so
it goes through ``client.request``, as its users do.
"""

from __future__ import annotations

from typing import Any

import plivo
import plivo.rest.client
import pytest
from plivo.exceptions import (
    ForbiddenError,
    ResourceNotFoundError,
    ValidationError,
)

from plivo_sim.client import Client
from tests.apis.numbers_support import NOT_RENTED, REQUIRED_IN_INDIA
from tests.sdk.conftest import plain
from tests.sdk.test_python import created, decide

pytestmark = pytest.mark.live

SUBACCOUNT = "SAXXXXXXXXXXXXXXXXXX"


@pytest.fixture
def accepted(client: plivo.RestClient, control: Client, paths: list[str]) -> str:
    """An accepted application for local Indian numbers."""
    id = created(client, paths)
    decide(control, id, "accepted")
    return id


def found(client: plivo.RestClient, n: int = 0, country: str = "IN", **wanted: Any) -> str:
    """The n-th number that a search finds."""
    objects = client.numbers.search(country, **{"type": "local", **wanted}).objects
    return str(objects[n].number)


def rented(client: plivo.RestClient, application_id: str, n: int = 0) -> str:
    number = found(client, n)
    client.numbers.buy(number, compliance_application_id=application_id)
    return number


def link_of(client: plivo.RestClient, number: str) -> tuple[Any, Any]:
    shown = client.numbers.get(number)
    return shown.compliance_application_id, shown.compliance_status


def test_search(client: plivo.RestClient) -> None:
    """With every filter that the SDK has; a page of 5, and what each number asks for."""
    answer = client.numbers.search(
        "IN", type="local", pattern="80", region="Karnataka", services="voice",
        city="Bangalore", limit=5, offset=5, eligible=True, local_calling_area=True,
    )  # fmt: skip
    shown = plain(answer)
    assert len(shown["objects"]) == 5
    assert shown["meta"]["offset"] == 5
    for offer in shown["objects"]:
        assert offer["number"].startswith("9180")
        assert offer["compliance_requirement"]["business"]
        assert offer["restriction"] == "country-address"


def test_rent_a_regulated_number(client: plivo.RestClient, accepted: str) -> None:
    """With an accepted application, which the number then shows."""
    number = found(client)
    bought = plain(client.numbers.buy(number, app_id="1", compliance_application_id=accepted))
    del bought["api_id"]
    assert bought == {
        "message": "created",
        "numbers": [{"number": number, "status": "Success"}],
        "status": "fulfilled",
    }
    assert link_of(client, number) == (accepted, "accepted")


def test_rent_without_an_application(client: plivo.RestClient) -> None:
    """The text of the live service reaches the caller."""
    with pytest.raises(ValidationError) as refused:
        client.numbers.buy(found(client))
    assert str(refused.value) == REQUIRED_IN_INDIA


def test_rent_attaches_the_application_that_was_accepted(
    client: plivo.RestClient, accepted: str
) -> None:
    """None need be named. source: wire-facts.md, "Rent attaches the latest accepted
    application"."""
    number = found(client)
    client.numbers.buy(number)
    assert link_of(client, number) == (accepted, "accepted")


def test_rent_with_an_application_in_review(client: plivo.RestClient, paths: list[str]) -> None:
    """Its status is told. source: wire-facts.md, "Texts of refused rents"."""
    with pytest.raises(ValidationError) as refused:
        client.numbers.buy(found(client), compliance_application_id=created(client, paths))
    assert str(refused.value) == (
        "Compliance application must be in 'accepted' status. Current status: 'submitted'."
    )


def test_rent_an_unregulated_number(client: plivo.RestClient) -> None:
    """Nothing is asked for."""
    number = found(client, country="US")
    assert client.numbers.buy(number).status == "fulfilled"
    assert link_of(client, number) == (None, None)


def test_list_and_iterate(client: plivo.RestClient, accepted: str) -> None:
    """The list, its filters, and the SDK's own walk over the pages."""
    numbers = [rented(client, accepted) for _ in range(3)]
    listed = client.numbers.list(limit=2, offset=0)
    assert [each.number for each in listed.objects] == numbers[:2]
    assert plain(listed.meta)["total_count"] == 3
    assert [each.number for each in client.numbers] == numbers
    client.numbers.update(numbers[1], alias="head office")
    assert [each.number for each in client.numbers.list(alias="head office")] == [numbers[1]]
    kinds = client.numbers.list(type="local", number_startswith="91", services="voice")
    assert len(kinds.objects) == 3


def test_update(client: plivo.RestClient, accepted: str) -> None:
    """What the SDK's method can send, and by ``client.request`` what it cannot. The page's name of
    the id links nothing (decision "Words of number errors")."""
    number = rented(client, accepted)
    done = client.numbers.update(number, alias="sales", app_id="7", cnam_lookup="enabled")
    assert done.message == "changed"
    assert client.numbers.get(number).alias == "sales"
    client.request("POST", ("Number", number), {"compliance_application_id": ""})
    assert link_of(client, number) == (None, None)
    client.request("POST", ("Number", number), {"compliance_application_id": accepted})
    assert link_of(client, number) == (accepted, "accepted")
    client.request("POST", ("Number", number), {"compliance_application_id": ""})
    client.request("POST", ("Number", number), {"compliance_id": accepted, "alias": "not linked"})
    assert link_of(client, number) == (None, None)
    assert client.numbers.get(number).alias == "not linked"


def test_update_refused(client: plivo.RestClient, accepted: str) -> None:
    """A string, in the words of today's API."""
    number = found(client, country="US")
    client.numbers.buy(number)
    with pytest.raises(ValidationError) as refused:
        client.request("POST", ("Number", number), {"compliance_application_id": accepted})
    assert str(refused.value).startswith("Number country doesn't match")


def test_link(client: plivo.RestClient, accepted: str) -> None:
    """Item by item, as recorded; and the application expands to its numbers."""
    number = rented(client, accepted)
    client.request("POST", ("Number", number), {"compliance_application_id": ""})
    done = client.phone_number_compliance_link.link(
        [
            {"number": f"+{number}", "compliance_application_id": accepted},
            {"number": "+912248885513", "compliance_application_id": accepted},
        ]
    )
    shown = plain(done)
    assert (shown["total_count"], shown["updated_count"]) == (2, 1)
    assert shown["report"] == [
        {
            "number": f"+{number}",
            "status": "success",
            "remarks": "Number linked to compliance application.",
        },
        {
            "number": "+912248885513",
            "status": "failed",
            "remarks": NOT_RENTED,
        },
    ]
    record = client.phone_number_compliance.get(accepted, expand="linked_numbers").compliance
    assert plain(record.linked_numbers) == [{"number": f"+{number}", "number_type": "local"}]


def test_link_nothing(client: plivo.RestClient) -> None:
    """Zeros, and an empty report."""
    done = plain(client.phone_number_compliance_link.link([]))
    assert (done["total_count"], done["updated_count"], done["report"]) == (0, 0, [])


def test_a_suspended_application_shows_on_its_numbers(
    client: plivo.RestClient, control: Client, accepted: str
) -> None:
    """So that a client can stop its calls."""
    number = rented(client, accepted)
    decide(control, accepted, "suspended", "Complaints")
    assert link_of(client, number) == (accepted, "suspended")


def test_release(client: plivo.RestClient, accepted: str) -> None:
    """It is gone, and can be found again."""
    number = rented(client, accepted)
    assert found(client) != number
    client.numbers.delete(number)
    with pytest.raises(ResourceNotFoundError) as refused:
        client.numbers.get(number)
    assert str(refused.value) == "Number not found."
    assert found(client) == number


def test_a_subaccount(client: plivo.RestClient, accepted: str) -> None:
    """Its own client sees the number that it was given; renting is 404, releasing 403."""
    given, kept = rented(client, accepted), rented(client, accepted)
    client.numbers.update(given, subaccount=SUBACCOUNT)
    with plivo.RestClient(SUBACCOUNT, "its own token") as sub:
        assert [each.number for each in sub.numbers.list()] == [given]
        with pytest.raises(ResourceNotFoundError):
            sub.numbers.get(kept)
        with pytest.raises(ResourceNotFoundError):
            sub.numbers.buy(found(sub), compliance_application_id=accepted)
        with pytest.raises(ForbiddenError):
            sub.numbers.delete(given)
    assert client.numbers.get(given).sub_account == SUBACCOUNT
