"""Seconds of mixed load with faults on: nothing is left open, no ring overflows."""

from __future__ import annotations

from pathlib import Path

import pytest

from plivo_sim.webhooks.outbox import KEPT_DELIVERIES
from plivo_sim.world import KEPT_EXCHANGES
from tests import soak
from tests.torture.nursery import Server, open_nursery

pytestmark = pytest.mark.live

SECONDS = 3.0
USERS = 6
MOST_THREADS = 60
"""Those of the requests, of due work and of callbacks; each pool has its own bound."""


def test_a_short_soak_leaves_nothing_behind(tmp_path: Path) -> None:
    """File descriptors, threads, rings; no error that was not asked for."""
    with open_nursery() as nursery:
        server = Server(nursery, tmp_path / "state", *soak.OPTIONS)
        before = soak.sample(server.pid)
        samples, measured, callbacks = soak.soak(server.url, server.pid, SECONDS, USERS)
        after = soak.at_rest(server.pid)
        for account in soak.ACCOUNTS:
            told = server.control("GET", f"/requests?account={account}")["requests"]
            assert len(told) <= KEPT_EXCHANGES
            told = server.control("GET", f"/webhooks?account={account}")
            assert told["total_count"] <= KEPT_DELIVERIES
    assert measured.unexpected == []
    assert measured.outcomes["201"] > 10
    assert callbacks > 0
    assert len(samples) > 1
    # A journal for each account, and a connection or two that are not yet known to be gone.
    assert after.fds <= before.fds + len(soak.ACCOUNTS) + USERS + 4
    assert after.threads <= MOST_THREADS
