"""A simulator that runs elsewhere: each test has an account of its own, and leaves nothing."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from plivo_sim.assembly import LiveSimulator
from plivo_sim.client import Unreachable
from plivo_sim.settings import Settings
from plivo_sim.testing import Handle, Remote, remote
from plivo_sim.testing.inbox import Inbox, own_address
from plivo_sim.testing.runs import account_of, account_settings
from tests.testing.conftest import file_in

pytest_plugins = ["pytester"]

SUITE = """
import os, pytest
from pathlib import Path

SEEN = Path(os.environ["SEEN"])
DATA = {"country_iso": "US", "number_type": "local", "alias": "Acme",
        "end_user": {"type": "business", "name": "Acme"}}

def note(server, *more):
    with SEEN.open("a") as seen:
        print(server.run_id, server.auth_id, *more, file=seen)

@pytest.mark.parametrize("n", range(4))
def test_whole(plivo_client, plivo_server, plivo_inbox, n):
    assert str(plivo_server.now) == "2026-01-05 09:00:00+00:00"
    made = plivo_client.phone_number_compliance.create(
        data=DATA | {"callback_url": plivo_inbox.url})
    plivo_server.reject(made.compliance_id, "Name mismatch")
    plivo_server.advance(business_days=3)
    assert [each.signed for each in plivo_inbox.messages] == [True]
    note(plivo_server, made.compliance_id)

@pytest.mark.plivo_sim(start="2027-03-01T00:00:00Z", scenario="instant-accept", strict=True)
def test_marked(plivo_server):
    assert plivo_server.now.year == 2027
    assert plivo_server.account.settings["strict"] == "on"
"""


def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, *args: str) -> list[list[str]]:
    """The lines that the tests of a run noted, sorted."""
    seen = Path(pytester.path, "seen")
    seen.write_text("")
    monkeypatch.setenv("SEEN", str(seen))
    pytester.runpytest_subprocess(*args).assert_outcomes(passed=5)
    return sorted(line.split() for line in seen.read_text().splitlines())


@pytest.mark.live
def test_ids_repeat_for_the_same_run(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, elsewhere: LiveSimulator
) -> None:
    """Also when its tests are spread over workers, who share the server; nothing is left there."""
    pytester.makepyfile(SUITE)
    option = f"--plivo-sim-url={elsewhere.url}"
    first = run(pytester, monkeypatch, option, "-n", "2")
    run_ids = {run_id for run_id, _, _ in first}
    assert len(run_ids) == 1
    assert len({auth_id for _, auth_id, _ in first}) == 4
    monkeypatch.setenv("PLIVO_SIM_URL", elsewhere.url)
    again = run(pytester, monkeypatch, "-p", "no:xdist", f"--plivo-sim-run-id={run_ids.pop()}")
    assert again == first
    assert elsewhere.sim.accounts() == []


@pytest.mark.live
def test_each_worker_may_run_each_test(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, elsewhere: LiveSimulator
) -> None:
    """``--dist each``: they do not share accounts; the same run and worker has the same again."""
    pytester.makepyfile("""
        import os
        from pathlib import Path

        def test(plivo_server):
            with Path(os.environ["SEEN"]).open("a") as seen:
                print(plivo_server.auth_id, file=seen)
    """)
    seen = Path(pytester.path, "seen")
    monkeypatch.setenv("SEEN", str(seen))
    options = f"--plivo-sim-url={elsewhere.url}", "--plivo-sim-run-id=r", "-n", "2"
    for _ in range(2):
        pytester.runpytest_subprocess(*options, "--dist", "each").assert_outcomes(passed=2)
    first, again = seen.read_text().split()[:2], seen.read_text().split()[2:]
    assert len(set(first)) == 2
    assert sorted(first) == sorted(again)


@pytest.mark.live
def test_an_account_that_cannot_be_made_ready_is_removed(
    pytester: pytest.Pytester, elsewhere: LiveSimulator
) -> None:
    """It was left on the server that all share."""
    pytester.makepyfile("""
        import pytest

        @pytest.mark.plivo_sim(scenario="no-such")
        def test_scenario(plivo_server): ...

        @pytest.mark.plivo_sim(machine="no-such")
        def test_machine(plivo_server): ...
    """)
    result = pytester.runpytest_subprocess(f"--plivo-sim-url={elsewhere.url}")
    result.assert_outcomes(errors=2)
    assert elsewhere.sim.accounts() == []


@pytest.mark.live
def test_what_cannot_be_had_elsewhere(pytester: pytest.Pytester, elsewhere: LiveSimulator) -> None:
    """A certain account has a server of its own; a setting of the server is refused."""
    pytester.makepyfile("""
        import pytest

        @pytest.mark.plivo_sim(auth_id="MAOWNOWNOWNOWNOWNOWN")
        def test_account(plivo_server, pytestconfig):
            assert plivo_server.url != pytestconfig.getoption("plivo_sim_url")
            assert plivo_server.auth_id == "MAOWNOWNOWNOWNOWNOWN"

        @pytest.mark.plivo_sim(cors_origins=())
        def test_setting(plivo_server): ...
    """)
    result = pytester.runpytest_subprocess(f"--plivo-sim-url={elsewhere.url}")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines([
        f"plivo-sim: {elsewhere.url}, --plivo-sim-run-id=*",
        "@pytest.mark.plivo_sim: cors_origins: a setting of the whole server*",
    ])  # fmt: skip


@pytest.mark.live
@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("127.0.0.1:9", "nothing answers at http://127.0.0.1:9*"),
        ("https://{place}", "https://{place} does not speak TLS; write http://{place}"),
        ("http://{place}/v1", "what answers at http://{place}/v1 is not plivo-sim*"),
    ],
)
def test_no_simulator_answers_there(
    pytester: pytest.Pytester, elsewhere: LiveSimulator, url: str, told: str
) -> None:
    """In one sentence, before the first test."""
    place = elsewhere.url.removeprefix("http://")
    pytester.makepyfile("def test(plivo_server): ...")
    result = pytester.runpytest_subprocess(f"--plivo-sim-url={url.format(place=place)}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: --plivo-sim-url*: {told.format(place=place)}"])


class Stopping(Inbox):
    """Stops a server when it is called."""

    def __init__(self, live: LiveSimulator) -> None:
        self._live, self._one = live, threading.Lock()
        super().__init__()

    def _take(self, *message: object) -> int:
        with self._one:
            self._live.stop()
        return 200


@pytest.mark.live
@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_simulator_that_is_gone_in_the_middle(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: str
) -> None:
    """Each test is told its own errors: the run ended at the first, with an internal one."""
    pytester.makepyfile("""
        import os, urllib.request
        import pytest

        @pytest.mark.parametrize("n", range(4))
        def test(plivo_server, n):
            urllib.request.urlopen(os.environ["STOP"]).close()
            assert 0, "its own failure"
    """)
    with LiveSimulator(Settings(port=0)) as live, closing(Stopping(live)) as stopping:
        monkeypatch.setenv("STOP", stopping.url)
        result = pytester.runpytest_subprocess(f"--plivo-sim-url={live.url}", "-n", workers)
    told = result.parseoutcomes()
    assert told["errors"] == 4  # at the end of a test, or before it
    assert told["failed"] in ((1,) if workers == "0" else (1, 2))
    gone = f"nothing answers at {live.url}*"
    result.stdout.fnmatch_lines_random([
        "E * its own failure", f"no report: {gone}", f"plivo_server, after the test: {gone}", gone,
    ])  # fmt: skip


@pytest.mark.live
def test_an_address_without_a_scheme(pytester: pytest.Pytester, elsewhere: LiveSimulator) -> None:
    """Is one of http, as for the commands. A run that needs no simulator asks for none."""
    pytester.makepyfile("def test(plivo_inbox, plivo_server): ...")
    place = elsewhere.url.removeprefix("http://")
    pytester.runpytest_subprocess(f"--plivo-sim-url={place}/").assert_outcomes(passed=1)
    pytester.makepyfile("def test(): ...")
    pytester.runpytest_subprocess("--plivo-sim-url=127.0.0.1:9").assert_outcomes(passed=1)


def test_a_misspelt_variable(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is told in the first lines, as the commands tell it."""
    monkeypatch.setenv("PLIVO_SIM_RUN_IDD", "one")
    result = pytester.runpytest_subprocess("--collect-only")
    text = "plivo-sim: PLIVO_SIM_RUN_IDD is set, and nothing reads it; did you mean *_RUN_ID'[?]"
    result.stdout.fnmatch_lines([text])


def test_a_variable_of_a_setting(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is told where no server reads it that a command has started."""
    monkeypatch.setenv("PLIVO_SIM_STRICT", "on")
    told = "PLIVO_SIM_STRICT is set, which no fixture reads; the marker or served takes strict="
    here = pytester.runpytest_subprocess("--collect-only")
    here.stdout.fnmatch_lines([f"plivo-sim: {told}"])
    elsewhere = pytester.runpytest_subprocess("--collect-only", "--plivo-sim-url=127.0.0.1:9")
    elsewhere.stdout.no_fnmatch_line("*PLIVO_SIM_STRICT*")


@pytest.mark.live
def test_accounts_by_run_and_name(elsewhere: LiveSimulator) -> None:
    """Without pytest. The account is gone afterwards; the same run finds nothing of before."""
    with remote(elsewhere.url, run_id="one", name="test") as sim:
        id = file_in(sim)
        assert [account.auth_id for account in elsewhere.sim.accounts()] == [sim.auth_id]
        with remote(elsewhere.url, run_id="two", name="test") as other:
            assert other.auth_id != sim.auth_id
            assert other.applications() == []
    assert elsewhere.sim.accounts() == []
    with remote(elsewhere.url, run_id="one", name="test") as sim:
        assert file_in(sim) == id
    with pytest.raises(Unreachable), remote("http://127.0.0.1:9"):
        pass


@pytest.mark.live
def test_what_an_earlier_run_left_behind_is_gone(elsewhere: LiveSimulator) -> None:
    """One that was killed, say: its clock and its records."""
    left = Remote(elsewhere.url, "one")
    left.begin("test")
    file_in(left)
    left.advance(days=30)
    with remote(elsewhere.url, run_id="one", name="test") as sim:
        assert (sim.applications(), sim.now.day) == ([], 5)


def test_ids_of_accounts() -> None:
    """Another for another run, test or seed; of the right form."""
    ids = {
        account_of("a", "t"),
        account_of("b", "t"),
        account_of("a", "u"),
        account_of("a", "t", 2),
    }
    assert len(ids) == 4
    assert {(each[:2], len(each), each.isalnum()) for each in ids} == {("MA", 20, True)}


def test_settings_of_accounts() -> None:
    """Values and texts; those of a server, and those that are none, are refused."""
    wall = account_settings(paused=False, start=None, holidays=frozenset(), strict=True)
    assert wall == {"paused": "off", "warp": "1", "review_delay": "documented",
                    "holidays": "", "strict": "on"}  # fmt: skip
    assert account_settings(review_delay="2h")["start"] == "2026-01-05T09:00:00+00:00"
    with pytest.raises(ValueError, match="port: a setting of the whole server"):
        account_settings(port=1)
    with pytest.raises(ValueError, match="prot: no such setting"):
        account_settings(prot=1)


def test_other_accounts_that_were_called(handle: Handle) -> None:
    """By an application that has another auth id, say; accounts of other tests are not told of."""
    file_in(handle, auth_id="MAOTHEROTHEROTHEROTH")
    told = handle.report()
    assert (
        "account MAOTHEROTHEROTHEROTH was called, too: 1 requests, 1 applications, the last" in told
    )
    if isinstance(handle, Remote):
        with remote(handle.url, name="another test") as another:
            file_in(another)
            assert another.auth_id not in handle.report()
            assert "MAOTHEROTHEROTHEROTH" not in another.report()
        handle.calls.post("/reset", account="MAOTHEROTHEROTHEROTH")


def test_where_the_simulator_reaches_the_inbox() -> None:
    """On this machine itself, loopback; else the address that faces it, and it listens on all."""
    assert own_address("http://localhost:8700") == "127.0.0.1"
    inbox = Inbox(host="host.docker.internal")
    try:
        assert inbox.url.startswith("http://host.docker.internal:")
        assert inbox._server.server_address[0] == "0.0.0.0"
    finally:
        inbox.close()


@pytest.mark.live
def test_the_inbox_is_where_its_simulator_reaches_it(
    pytester: pytest.Pytester, elsewhere: LiveSimulator
) -> None:
    """That of a test with a server of its own, or in process, is not elsewhere."""
    pytester.makepyfile("""
        import pytest

        @pytest.mark.plivo_sim(auth_id="MAOWNOWNOWNOWNOWNOWN")
        def test_own(plivo_server, plivo_inbox):
            assert plivo_inbox.url.startswith("http://127.0.0.1:")

        def test_in_process(plivo_sim, plivo_inbox):
            assert plivo_inbox.url.startswith("http://127.0.0.1:")

        def test_elsewhere(plivo_server, plivo_inbox):
            assert plivo_inbox.url.startswith("http://host.invalid:")

        def test_alone(plivo_inbox):
            assert plivo_inbox.url.startswith("http://host.invalid:")
    """)
    options = f"--plivo-sim-url={elsewhere.url}", "--plivo-sim-inbox-host=host.invalid"
    pytester.runpytest_subprocess(*options).assert_outcomes(passed=4)
    option = "--plivo-sim-inbox-host=host.invalid"
    result = pytester.runpytest_subprocess(option, "-k", "elsewhere")
    result.stdout.fnmatch_lines(["E*127.0.0.1*"])


@pytest.mark.live
def test_an_account_whose_begin_is_interrupted_is_removed(
    elsewhere: LiveSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server may have made it all the same."""
    begin = Remote.begin

    def interrupted(handle: Remote, *args: Any, **settings: Any) -> None:
        begin(handle, *args, **settings)
        raise KeyboardInterrupt

    monkeypatch.setattr(Remote, "begin", interrupted)
    with pytest.raises(KeyboardInterrupt), remote(elsewhere.url, run_id="r", name="test"):
        pass
    assert elsewhere.sim.accounts() == []
