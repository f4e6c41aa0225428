"""A guard of the test's own, so that what it stops is not told at the end of the run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from plivo_sim.outgoing.guard import Guard


@pytest.fixture
def guard() -> Iterator[Guard]:
    guard = Guard()
    guard.switch(True)
    yield guard
    guard.switch(False)
