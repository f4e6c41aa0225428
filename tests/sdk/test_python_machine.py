"""A status that Plivo does not have yet, as an application with the Python SDK sees it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import plivo
import pytest

from plivo_sim.assembly import LiveSimulator
from plivo_sim.client import Client
from plivo_sim.settings import Settings
from tests.machines.files import IN_REVIEW
from tests.sdk.test_python import advance, created
from tests.support import Receiver

pytestmark = pytest.mark.live


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveSimulator]:
    """A simulator with a machine file of ten lines."""
    path = tmp_path / "in-review.yaml"
    path.write_text(IN_REVIEW)
    with LiveSimulator(
        Settings(port=0, paused=True, review_delay=None, machine=str(path))
    ) as served:
        yield served


def test_an_application_passes_through_a_new_status(
    client: plivo.RestClient, control: Client, paths: list[str], receiver: Receiver
) -> None:
    """The SDK shows it as it comes; the callbacks tell it, then the decision."""
    id = created(client, paths, callback_url=receiver.url)
    assert client.phone_number_compliance.get(id).compliance.status == "submitted"
    advance(control, "1h")
    assert client.phone_number_compliance.get(id).compliance.status == "in_review"
    advance(control, "10d")
    assert client.phone_number_compliance.get(id).compliance.status == "accepted"
    told = [each.json()["status"] for each in receiver.wait_for(2)]
    assert told == ["in_review", "accepted"]
