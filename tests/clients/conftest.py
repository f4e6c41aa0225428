"""A simulator that was started without options, and the reviewer at its other end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from plivo_sim.assembly import LiveSimulator
from plivo_sim.client import Client
from plivo_sim.settings import Settings
from tests.support import AUTH_ID, TOKEN


@pytest.fixture
def live() -> Iterator[LiveSimulator]:
    """As ``plivo-sim serve`` starts it, but for the port."""
    with LiveSimulator(Settings(port=0)) as served:
        yield served


@dataclass
class Reviewer:
    """What happens at Plivo's; no client knows of it."""

    control: Client

    def plays(self, scenario: str) -> None:
        self.control.control("POST", "/scenario", {"name": scenario, "account": AUTH_ID})

    def works(self, by: str = "1h") -> None:
        """Time goes on, so what is waiting is decided."""
        self.control.control("POST", "/clock/advance", {"by": by, "account": AUTH_ID})


@pytest.fixture
def reviewer(live: LiveSimulator) -> Reviewer:
    return Reviewer(Client(live.url, AUTH_ID, TOKEN))
