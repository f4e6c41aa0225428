"""The rejection scenarios as an application with the plivo SDK for Python lives through them."""

from __future__ import annotations

from typing import Any

import plivo
import pytest

from plivo_sim.assembly import LiveSimulator
from plivo_sim.client import Client
from plivo_sim.scenarios.loader import shipped
from plivo_sim.scenarios.rules import reason_of
from tests.sdk.test_python import advance, created
from tests.support import AUTH_ID, Receiver

pytestmark = pytest.mark.live

AGAIN = ["submitted", "rejected", "submitted", "accepted"]
REJECTIONS = {
    name: scenario.expect.reasons["app"][0]
    for name, scenario in shipped()
    if scenario.expect is not None
    and scenario.expect.timeline.get("app") == AGAIN
    and scenario.expect.reasons
}
"""The scenarios of an application that is rejected once and then accepted, and why."""


def use(control: Client, name: str) -> None:
    control.control("POST", "/scenario", {"name": name, "account": AUTH_ID})


def seen(client: plivo.RestClient, id: str) -> Any:
    return client.phone_number_compliance.get(id).compliance


def correct(client: plivo.RestClient, id: str) -> None:
    client.phone_number_compliance.update(id, data={"end_user": {"name": "Acme Traders Limited"}})


def test_there_are_such_scenarios() -> None:
    """Every cause that teams report, and the beta page's own."""
    assert {"expired-address-proof", "name-mismatch", "wrong-certificate", "unreadable-scan",
            "unsigned-certificate", "document-expired"} <= REJECTIONS.keys()  # fmt: skip


@pytest.mark.parametrize("name", REJECTIONS)
def test_rejected_with_the_promised_reason_then_corrected(
    live: LiveSimulator,
    client: plivo.RestClient,
    control: Client,
    paths: list[str],
    receiver: Receiver,
    name: str,
) -> None:
    """Create, wait, read the reason, correct, wait, accepted; the callbacks say the same."""
    use(control, name)
    id = created(client, paths, callback_url=receiver.url)
    advance(control, "2 business days")
    rejected = seen(client, id)
    assert (rejected.status, rejected.rejection_reason) == (
        "rejected",
        reason_of(REJECTIONS[name]),
    )
    correct(client, id)
    assert seen(client, id).status == "submitted"
    advance(control, "3 business days")
    accepted = seen(client, id)
    assert accepted.status == "accepted"
    assert not hasattr(accepted, "rejection_reason")
    assert [each.json()["status"] for each in receiver.received] == ["rejected", "accepted"]
    assert receiver.received[0].json()["rejection_reason"] == rejected.rejection_reason


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
        correct(client, id)
    assert asked == [
        ("rejected", reason_of("unclear_use_case")),
        ("rejected", reason_of("missing_page")),
    ]
    advance(control, "3 business days")
    assert seen(client, id).status == "accepted"
