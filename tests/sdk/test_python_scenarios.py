"""The rejection scenarios as an application with the plivo SDK for Python lives through them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import plivo
import pytest

from plivo_sim.assembly import LiveSimulator
from plivo_sim.client import Client
from plivo_sim.scenarios.loader import shipped
from plivo_sim.scenarios.rules import reason_of
from tests.sdk.test_python import advance, created, data_of
from tests.support import AUTH_ID, Receiver

pytestmark = pytest.mark.live

REASONS = {
    name: scenario.expect.reasons["app"][0]
    for name, scenario in shipped()
    if scenario.expect is not None and scenario.expect.reasons.get("app")
}
NEW_FILES = ("missing-page", "unreadable-scan", "unsigned-certificate", "wrong-certificate")
"""Of a business: whoever sends other files has corrected it."""


def use(control: Client, name: str) -> None:
    control.control("POST", "/scenario", {"name": name, "account": AUTH_ID})


def seen(client: plivo.RestClient, id: str) -> Any:
    return client.phone_number_compliance.get(id).compliance


def corrected(client: plivo.RestClient, id: str, paths: list[str], **data: Any) -> None:
    """Sent again, with all documents, as a client of today's API does."""
    client.phone_number_compliance.update(
        id, data={"documents": data_of(client, "IN")["documents"], **data}, documents=paths
    )


def sent_better(paths: list[str]) -> None:
    """Other files under the same names."""
    for path in map(Path, paths):
        path.write_bytes(path.read_bytes() + b"\n% better")


@pytest.mark.parametrize("name", NEW_FILES)
def test_rejected_with_the_promised_reason_until_corrected(
    live: LiveSimulator,
    client: plivo.RestClient,
    control: Client,
    paths: list[str],
    receiver: Receiver,
    name: str,
) -> None:
    """Create, read the reason, send the same again, read it again, send other files, accepted; the
    callbacks say the same."""
    use(control, name)
    id = created(client, paths, callback_url=receiver.url)
    for _ in range(2):
        advance(control, "2 business days")
        rejected = seen(client, id)
        assert (rejected.status, rejected.rejection_reason) == (
            "rejected",
            reason_of(REASONS[name]),
        )
        corrected(client, id, paths)
        assert seen(client, id).status == "submitted"
    advance(control, "2 business days")
    sent_better(paths)
    corrected(client, id, paths)
    advance(control, "3 business days")
    accepted = seen(client, id)
    assert accepted.status == "accepted"
    assert not hasattr(accepted, "rejection_reason")
    told = [each.json()["status"] for each in receiver.received]
    assert told == ["rejected", "rejected", "rejected", "accepted"]
    assert receiver.received[0].json()["rejection_reason"] == rejected.rejection_reason


def test_a_name_is_corrected(client: plivo.RestClient, control: Client, paths: list[str]) -> None:
    """The reason holds until the applicant is called as the document says."""
    use(control, "name-mismatch")
    id = created(client, paths)
    advance(control, "1 business day")
    assert seen(client, id).rejection_reason == reason_of("name_mismatch")
    business = data_of(client, "IN")["documents"][0]["data_fields"]["business_name"]
    client.phone_number_compliance.update(id, data={"end_user": {"name": business}})
    advance(control, "3 business days")
    assert seen(client, id).status == "accepted"


def test_more_information_twice(
    client: plivo.RestClient, control: Client, paths: list[str]
) -> None:
    """The current dialect has no word for it: rejected, with another question each time."""
    use(control, "more-information-twice")
    id = created(client, paths)
    asked = []
    for _ in range(2):
        advance(control, "1 business day")
        asked.append((seen(client, id).status, seen(client, id).rejection_reason))
        corrected(client, id, paths)
    assert asked == [
        ("rejected", reason_of("unclear_use_case")),
        ("rejected", reason_of("missing_page")),
    ]
    advance(control, "3 business days")
    assert seen(client, id).status == "accepted"
