"""Accounts that a test has elsewhere, those that it names too, and what becomes of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from plivo_sim.assembly import LiveSimulator
from plivo_sim.domain.errors import AccountReplaced
from plivo_sim.settings import Settings
from plivo_sim.testing import Handle, Remote, remote
from plivo_sim.testing.runs import Missed
from tests.testing.conftest import file_in
from tests.testing.test_contract import START

OTHER, SUB = "MAOTHEROTHEROTHEROTH", "SAOTHEROTHEROTHEROTH"

VERBS: dict[str, Callable[[Handle], object]] = {
    "expect_no_callback": lambda sim: sim.expect_no_callback(),
    "expect_request": lambda sim: sim.expect_request(times=0),
    "applications": lambda sim: sim.applications(),
    "callbacks": lambda sim: sim.callbacks(),
    "settle": lambda sim: sim.settle(),
    "advance": lambda sim: sim.advance(days=3),
    "now": lambda sim: sim.now,
    "decide": lambda sim: sim.accept("none"),
    "use_scenario": lambda sim: sim.use_scenario("instant-accept"),
    "settings": lambda sim: sim.account.settings,
    "report": lambda sim: sim.report(),
}


def begun(live: LiveSimulator) -> Remote:
    sim = Remote(live.url)
    sim.begin("test")
    return sim


@pytest.mark.live
def test_accounts_that_a_test_names_are_its_own(elsewhere: LiveSimulator) -> None:
    """As the test's: paused, with its settings, empty in each test, removed; jobs do not meet."""
    for _ in range(2):
        with (
            remote(elsewhere.url, run_id="one", name="test", strict=True) as sim,
            remote(elsewhere.url, run_id="two", name="test") as job,
        ):
            other, of_job = sim.for_account(OTHER, "token"), job.for_account(OTHER, "token")
            assert len({OTHER, sim.auth_id, other.auth_id, of_job.auth_id}) == 4
            assert (other.applications(), other.now) == ([], START)
            assert other.account.settings["strict"] == "on"
            id = file_in(of_job)
            of_job.advance(days=30)
            assert (other.applications(), other.now) == ([], START)
            sub = job.for_account(SUB, "token")
            assert sub.credentials == (f"SA{of_job.auth_id[2:]}", "token")
            again = job.for_account(of_job.auth_id, "token")
            assert [sub.application(id), again.application(id)] == of_job.applications() * 2
            own = job.for_account(f"SA{job.auth_id[2:]}", "token")
            assert own.auth_id == job.auth_id
            job.reset()
            assert of_job.applications() == []
        assert elsewhere.sim.accounts() == []


@pytest.mark.live
def test_a_call_to_the_account_that_was_named(elsewhere: LiveSimulator) -> None:
    """Of an application whose auth id is fixed: nothing that is expected is about that call."""
    sim = begun(elsewhere)
    other = sim.for_account(OTHER, "token")
    file_in(sim, auth_id=OTHER)
    other.expect_request(times=0)
    with pytest.raises(Missed, match=f"{OTHER} itself was called .* 1 requests, the last POST"):
        sim.end()
    assert [each.auth_id for each in elsewhere.sim.accounts()] == [OTHER]
    elsewhere.sim.remove_all()


@pytest.mark.live
@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
@pytest.mark.parametrize("named", [False, True], ids=["own", "named"])
def test_an_account_that_somebody_reset(
    elsewhere: LiveSimulator, verb: Callable[[Handle], object], named: bool
) -> None:
    """Nothing that was of it is there: what is expected of nothing would come true."""
    sim = begun(elsewhere)
    told = sim.for_account(OTHER, "token") if named else sim
    file_in(told)
    elsewhere.sim.remove_all()
    with pytest.raises(AccountReplaced, match=f"{told.auth_id} .* somebody reset it; this one"):
        verb(told)
    with pytest.raises(AccountReplaced):
        sim.end()
    assert elsewhere.sim.accounts() == []


@pytest.mark.live
def test_a_reset_that_is_awaited(elsewhere: LiveSimulator) -> None:
    """Is of the test's accounts, as without ``await``: it was one of the whole server."""
    with (
        remote(elsewhere.url, run_id="one", name="test") as sim,
        remote(elsewhere.url, run_id="two", name="test") as job,
    ):
        ids = [file_in(sim), file_in(job)]
        asyncio.run(sim.aio.reset())
        assert [[each.id for each in it.applications()] for it in (sim, job)] == [[], ids[1:]]


@pytest.mark.live
def test_the_report_tells_of_the_tests_accounts(elsewhere: LiveSimulator) -> None:
    """As on a server of its own, where it tells of all."""
    with remote(elsewhere.url, name="test") as sim:
        other = sim.for_account(OTHER, "token")
        file_in(other, "Bolt")
        told = sim.report()
        assert f"account {other.auth_id}, which stands for {OTHER}:" in told
        assert "(Bolt): submitted" in told
        assert OTHER not in other.report()


@pytest.mark.live
def test_a_reset_of_the_tests_own(elsewhere: LiveSimulator) -> None:
    """Goes on, as on a server of its own."""
    with remote(elsewhere.url, name="test") as sim:
        file_in(sim)
        elsewhere.sim.remove_all()
        sim.reset()
        assert sim.applications() == []
        assert sim.now == START


@pytest.mark.live
@pytest.mark.parametrize("is_kept", [False, True], ids=["memory", "state"])
def test_a_server_that_was_restarted(tmp_path: Path, is_kept: bool) -> None:
    """Its records may be there still; what was requested and set up is not."""
    settings = Settings(port=0, state=tmp_path if is_kept else None)
    with ExitStack() as servers:
        live = LiveSimulator(settings).start()
        sim = begun(live)
        file_in(sim)
        live.stop()
        port = int(live.url.rpartition(":")[2])
        again = servers.enter_context(LiveSimulator(Settings(port=port, state=settings.state)))
        for verb in VERBS.values():
            with pytest.raises(AccountReplaced, match="its server was restarted"):
                verb(sim)
        with pytest.raises(AccountReplaced):
            sim.end()
        assert again.sim.accounts() == []
