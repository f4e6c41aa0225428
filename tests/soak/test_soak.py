"""Seconds of mixed load with faults on: nothing is left open, no ring overflows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from plivo_sim.account.account import KEPT_EXCHANGES
from plivo_sim.scenarios.language import FaultRule, Quota
from plivo_sim.web.fault_injection import Injector
from plivo_sim.webhooks.outbox import KEPT_DELIVERIES
from tests.soak import load as soak
from tests.support import Http
from tests.torture.nursery import Server, open_nursery

SECONDS = 3.0
USERS = 6
MOST_THREADS = 60
"""Those of the requests, of due work and of callbacks; each pool has its own bound."""


@pytest.mark.live
def test_a_short_soak_leaves_nothing_behind(tmp_path: Path) -> None:
    """File descriptors, threads, rings; no error that was not asked for."""
    with open_nursery() as nursery:
        server = Server(nursery, tmp_path / "state", *soak.OPTIONS)
        before = soak.sample(server.pid)
        samples, measured, callbacks = soak.soak(server.url, server.pid, SECONDS, USERS)
        # A journal for each account, those of Atoms included, and a connection or two that are
        # not yet known to be gone.
        most_fds = before.fds + len(soak.ACCOUNTS) + USERS + 4
        after = soak.at_rest(server.pid, most_fds)
        for account in soak.ACCOUNTS:
            told = server.control("GET", f"/requests?account={account}")["requests"]
            assert len(told) <= 2 * KEPT_EXCHANGES  # those that were not let in apart
            told = server.control("GET", f"/webhooks?account={account}")
            assert told["total_count"] <= KEPT_DELIVERIES
    assert measured.unexpected == []
    assert measured.outcomes["201"] > 10
    assert callbacks > 0
    assert len(samples) > 1
    assert after.fds <= most_fds
    assert after.threads <= MOST_THREADS


@pytest.mark.live
def test_out_of_descriptors_it_answers_and_recovers(tmp_path: Path) -> None:
    """With 128 of them and 200 connections that do nothing: others are answered, what they write
    is kept, the log has a line, and nothing stays behind."""
    log = tmp_path / "log"
    with open_nursery(log) as nursery:
        server = Server(nursery, tmp_path / "state", descriptors=128)
        before = soak.sample(server.pid)
        with soak.crowd(server.url, 200):
            for n in range(10):
                made = {"auth_id": f"MACROWD{n:013}"}
                connection = server.connect()
                headers = {"Content-Type": "application/json"}
                connection.request("POST", "/_sim/accounts", json.dumps(made), headers)
                assert connection.getresponse().status == 201
                connection.close()
                assert soak.sample(server.pid).fds <= 128
        after = soak.at_rest(server.pid, before.fds + 20)
        assert server.control("GET", "/health")["status"] == "ok"
    assert after.fds <= before.fds + 20
    told = [line for line in log.read_text().splitlines() if "no room" in line]
    assert len(told) == 1
    assert "Traceback" not in log.read_text()


def test_what_quotas_count_goes_with_the_account_s_records(http: Http) -> None:
    """Resetting again and again leaves one account's windows, not one for each reset."""
    injector, quota = Injector(), Quota(calls=1, per_s=3600)
    fault = FaultRule(effect="rate_limited", quota=quota)
    for _ in range(5):
        assert not injector._over_quota(http.account, "fault-1", fault)
        http.sim.remove(http.account)
    assert not http.account.faults.windows
