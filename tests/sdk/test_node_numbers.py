"""plivo for Node, unmodified, over real HTTP: numbers and Link; see ``node/numbers.cjs``."""

from __future__ import annotations

import pytest

from plivo_sim.live import LiveSimulator
from tests.sdk import test_node

pytestmark = [pytest.mark.live, pytest.mark.node]


def test_every_check_of_numbers_passes(live: LiveSimulator) -> None:
    """The driver gets to its end, and every check that it made on the way held."""
    test_node.test_every_check_of_the_driver_passes(live, "numbers.cjs")
