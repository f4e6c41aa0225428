"""One live simulator for all the replays: each scenario has an account of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from plivo_sim.assembly import LiveSimulator
from tests.conftest import PAUSED


@pytest.fixture(scope="session")
def stage() -> Iterator[str]:
    """The URL of a simulator that scenarios are played on."""
    with LiveSimulator(PAUSED) as served:
        yield served.url
