"""What was acknowledged survives ``kill -9``, whenever it comes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.torture.client import Collector
from tests.torture.nursery import open_nursery
from tests.torture.rounds import Torture

pytestmark = pytest.mark.live

KILLS = 5


@pytest.mark.parametrize(("compacting", "running"), [(False, True), (True, False)])
def test_nothing_acknowledged_is_lost(tmp_path: Path, compacting: bool, running: bool) -> None:
    """Concurrent writes of every kind; each kill at a moment of its own, some while the journal
    is being rewritten; the long run is ``benchmarks/torture.py``."""
    with open_nursery(compacting=compacting) as nursery, Collector().serving() as receiver:
        state = tmp_path / "state"
        tally = Torture(nursery, receiver, state, 20260105, running=running).run(KILLS)
    assert tally.kills.total() == KILLS
    assert tally.acknowledged.total() > KILLS
    assert tally.seen["arrived"] > 0
