"""The pytest plugin, used as a user's project would."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import unittest
from pathlib import Path

import plivo
import pytest
from freezegun import freeze_time

from plivo_sim.app import create_app
from plivo_sim.client.applications import sample
from plivo_sim.control import clock
from plivo_sim.domain.durations import Duration
from plivo_sim.domain.errors import NotReached
from plivo_sim.simulator import runner as runner_module
from plivo_sim.testing import AUTH_TOKEN, in_process, served
from plivo_sim.testing.inbox import Inbox
from plivo_sim.testing.records import StatusChanged
from plivo_sim.testing.sdk import point
from plivo_sim.webhooks.signatures import Tokens, signature_headers
from tests.machines.files import IN_REVIEW
from tests.support import Http, Receiver

pytest_plugins = ["pytester"]

FILES = """
import pytest
from plivo_sim.client.applications import write_samples

@pytest.fixture
def files(tmp_path):
    return [str(path) for path in write_samples(tmp_path)[:2]]

def data(client, **changes):
    asked = client.phone_number_compliance_requirements.get("IN", "local", "business")
    certificate, gst = [each["document_type_id"] for each in asked.document_types]
    return {
        "country_iso": "IN", "number_type": "local", "alias": "Acme",
        "end_user": {"type": "business", "name": "Acme"},
        "documents": [
            {"document_type_id": certificate, "data_fields": {"business_name": "Acme"}},
            {"document_type_id": gst},
        ],
    } | changes
"""

TEN_LINES = """
from conftest import data

def test_rejected_corrected_accepted(plivo_client, plivo_server, plivo_inbox, files):
    api = plivo_client.phone_number_compliance
    made = api.create(data=data(plivo_client, callback_url=plivo_inbox.url), documents=files)
    plivo_server.reject(made.compliance_id, "Name mismatch")
    api.update(made.compliance_id, data={"alias": "Acme, corrected"})
    plivo_server.advance(business_days=3)
    assert api.get(made.compliance_id).compliance["status"] == "accepted"
    assert [m.json()["status"] for m in plivo_inbox.messages] == ["rejected", "accepted"]
    assert all(m.signed for m in plivo_inbox.messages)
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A fresh project with nothing but a conftest of sample data."""
    pytester.makeconftest(FILES)
    return pytester


def run(project: pytest.Pytester, *args: str) -> pytest.RunResult:
    return project.runpytest_subprocess("-p", "no:randomly", *args)


def test_ten_lines_test_the_whole_scenario_through_the_real_sdk(project: pytest.Pytester) -> None:
    """Rejected, corrected, accepted, webhook seen."""
    project.makepyfile(TEN_LINES)
    run(project).assert_outcomes(passed=1)


def test_it_works_under_xdist(project: pytest.Pytester) -> None:
    """Each worker starts a server of its own."""
    project.makepyfile(TEN_LINES + "\nimport pytest\n"
                       "@pytest.mark.parametrize('n', range(4))\n"
                       "def test_apart(plivo_server, n):\n"
                       "    assert plivo_server.applications() == []\n")  # fmt: skip
    run(project, "-n", "2").assert_outcomes(passed=5)


def test_every_test_starts_anew(project: pytest.Pytester) -> None:
    """Records, faults, clock and ids of one are not seen by the next."""
    project.makepyfile("""
        import pytest
        from conftest import data
        from plivo_sim.services.policies import faults_of

        seen = []

        def shown(sim):
            account = sim.sim.account(sim.auth_id)
            return len(sim.applications()), len(faults_of(account)), sim.now

        @pytest.mark.parametrize("n", range(2))
        def test_ids_repeat(plivo_client, plivo_server, files, n):
            before = shown(plivo_server)
            made = plivo_client.phone_number_compliance.create(
                data=data(plivo_client), documents=files
            )
            plivo_server.fault("error")
            plivo_server.advance(days=1)
            after = shown(plivo_server)
            assert (before[:2], after[:2]) == ((0, 0), (1, 1))
            assert after[2] > before[2]
            seen.append((made.compliance_id, before[2]))
            assert seen[0] == seen[n]
    """)
    run(project).assert_outcomes(passed=2)


def test_the_marker_chooses_how_it_starts(project: pytest.Pytester) -> None:
    """Scenario, start, seed, new_api."""
    project.makepyfile("""
        import pytest

        @pytest.mark.plivo_sim(start="2027-03-01T00:00:00Z", seed=7, new_api="current",
                               scenario={"scenario": "all are rejected here",
                                         "default": {"decide": "rejected"}})
        def test_marked(plivo_sim):
            assert str(plivo_sim.now) == "2027-03-01 00:00:00+00:00"
            assert plivo_sim.sim.settings.seed == 7
            account = plivo_sim.sim.account(plivo_sim.auth_id)
            assert account.settings.new_api == "current"
            from plivo_sim.services import policies
            assert policies.scenario_of(account).default.decide == "rejected"

        def test_not_marked(plivo_sim):
            assert str(plivo_sim.now) == "2026-01-05 09:00:00+00:00"
    """)
    run(project, "--strict-markers").assert_outcomes(passed=2)


def test_the_marker_and_verbs_choose_the_machine(project: pytest.Pytester) -> None:
    """By name, path or dictionary; the next test has the default one again."""
    project.path.joinpath("in-review.yaml").write_text(IN_REVIEW)
    project.makepyfile("""
        from pathlib import Path

        import pytest
        from conftest import data

        SCENARIO = Path("scenario.yaml")
        SCENARIO.write_text("scenario: of a file")
        YEARLY = {"machine": "yearly", "extends": "default",
                  "arrows": [{"from": "accepted", "to": "expired", "after": "365d"}]}

        def submitted(client, files):
            made = client.phone_number_compliance.create(data=data(client), documents=files)
            return made.compliance_id

        @pytest.mark.plivo_sim(machine="in-review.yaml")
        def test_path(plivo_server, plivo_client, files):
            id = submitted(plivo_client, files)
            plivo_server.advance_until(id, "in_review")
            shown = plivo_client.phone_number_compliance.get(id)
            assert shown.compliance.status == "in_review"
            plivo_server.decide(id, "accepted")
            assert plivo_server.application(id).status == "accepted"
            with pytest.raises(ValueError, match="did you mean 'accepted'"):
                plivo_server.decide(id, "acepted")

        @pytest.mark.plivo_sim(machine=Path("in-review.yaml"), scenario=SCENARIO)
        def test_path_object(plivo_sim):
            assert plivo_sim.account.machine.name == "with-in-review"
            assert plivo_sim.calls.get("/scenario")["scenario"]["scenario"] == "of a file"

        @pytest.mark.plivo_sim(machine=YEARLY, auth_id="MAOWNOWNOWNOWNOWNOWN")
        def test_dictionary(plivo_sim):
            assert plivo_sim.account.machine.name == "yearly"

        @pytest.mark.plivo_sim(machine="default", scenario="instant-accept")
        def test_name(plivo_sim):
            assert plivo_sim.account.machine.name == "default"

        def test_verbs(plivo_server):
            assert plivo_server.account.machine.name == "default"
            for machine in ("in-review.yaml", open("in-review.yaml").read()):
                plivo_server.use_machine(machine)
                assert plivo_server.account.machine.name == "with-in-review"
            plivo_server.drop_machine()
            assert plivo_server.account.machine.name == "default"
    """)
    run(project, "--strict-markers").assert_outcomes(passed=5)


def test_a_machine_that_is_wrong_fails_the_setup(project: pytest.Pytester) -> None:
    """With a sentence, and every mistake of a file."""
    project.makepyfile("""
        import pytest

        @pytest.mark.plivo_sim(machine="defualt")
        def test_name(plivo_server): pass

        @pytest.mark.plivo_sim(machine={"machine": "x", "extends": "default", "arows": [],
                                        "sttuses": {}})
        def test_dictionary(plivo_sim): pass

        @pytest.mark.plivo_sim(machine=7)
        def test_number(plivo_sim): pass
    """)
    result = run(project)
    result.assert_outcomes(errors=3)
    result.stdout.fnmatch_lines_random([
        "*plivo_sim: defualt: no machine of this name ships; did you mean 'default'[?]",
        "*arows: unknown key; did you mean 'arrows'[?]",
        "*sttuses: unknown key; did you mean 'statuses'[?]",
        "*plivo_sim: machine: 7 is not a name, a path, a text or a dictionary",
    ])  # fmt: skip


def test_a_scenario_that_is_wrong_fails_the_setup(project: pytest.Pytester) -> None:
    """In the same way: no traceback of the simulator."""
    project.makepyfile("""
        import pytest

        @pytest.mark.plivo_sim(scenario="instant-acept")
        def test_name(plivo_server): pass

        @pytest.mark.plivo_sim(scenario={"scenario": "x", "defalt": {}})
        def test_dictionary(plivo_sim): pass

        @pytest.mark.plivo_sim(scenario="none.yaml")
        def test_file(plivo_sim): pass
    """)
    result = run(project)
    result.assert_outcomes(errors=3)
    result.stdout.fnmatch_lines_random([
        "*plivo_sim: *did you mean 'instant-accept'[?]",
        "*plivo_sim: *defalt: unknown key; did you mean 'default'[?]",
        "*plivo_sim: *none.yaml*",
    ])  # fmt: skip
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*pytest_plugin.py:*")


def test_a_failing_test_names_its_machine() -> None:
    """Unless it is the default one."""
    with in_process() as sim:
        assert "machine:" not in sim.report()
        sim.use_machine("in-review")
        assert "\nmachine: in-review" in sim.report()


def test_a_failing_test_shows_what_the_simulator_knows(project: pytest.Pytester) -> None:
    """Clock, timeline, rules that nearly matched, callbacks, last exchanges."""
    project.makepyfile("""
        from conftest import data

        def test_fails(plivo_client, plivo_server, files):
            plivo_server.use_scenario({"scenario": "german only", "rules": [
                {"name": "german", "when": {"country": "DE"}, "decide": "rejected"}]})
            plivo_client.phone_number_compliance.create(
                data=data(plivo_client, callback_url="http://127.0.0.1:9/x"), documents=files)
            plivo_server.advance(days=7)
            plivo_server.expect_callback(status="rejected", statsu="x")
    """)
    result = run(project)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([
        "*no callback with status='rejected', statsu='x' was delivered; no callback has a key "
        "'statsu'; did you mean 'status'[?]",
        "*plivo-sim*",
        "clock: 2026-01-12T09:00:00*",
        "application * (Acme): accepted",
        "*rule 'german' did not match: country is 'IN', wanted 'DE'",
        "callback *'status': 'accepted'* to http://127.0.0.1:9/x: failed, last answer *",
        "arrow submitted -> accepted taken by reviewer",
        "in order of arrival (real time, simulated time):",
        "  ??:??:??.???  2026-01-05 09:00:00  request POST *PhoneNumber/Compliance/: 201*",
        "  ??:??:??.???  2026-01-08 09:00:00  application *: submitted -> accepted by reviewer",
        "  ??:??:??.???  2026-01-08 09:07:00  callback accepted to *: connection refused, failed",
    ])  # fmt: skip


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_report_that_cannot_be_had_is_told(project: pytest.Pytester, workers: str) -> None:
    """The run goes on: it ended with an internal error, and without the test's own failure."""
    project.makepyfile("""
        import json, socket
        import pytest

        def refuse(*args, **options):
            pytest.fail("no network in tests")

        def test_refused(plivo_server, monkeypatch):
            monkeypatch.setattr(socket, "create_connection", refuse)
            monkeypatch.setattr(socket, "socket", refuse)
            assert 0, "its own failure"

        def test_broken(plivo_server, monkeypatch):
            monkeypatch.setattr(json, "loads", lambda text: {}["x"])
            assert 0, "its own failure"

        def test_handed_over(plivo_server):
            plivo_server.account.configure({"strict": "on"})
            plivo_server.calls.post("/handover", {"to": "http://127.0.0.1:1"})
            assert 0, "its own failure"

        def test_closed(plivo_server):
            plivo_server.close()
            assert 0, "its own failure"

        def test_another_begins(plivo_server, plivo_client):
            assert plivo_client.phone_number_compliance.list().compliances == []
            assert plivo_server.advance("1d") == []

        def test_another_in_process(plivo_sim):
            plivo_sim.close()
            plivo_sim.begin()
            assert plivo_sim.advance("1d") == []

        def test_surrogate(plivo_server, monkeypatch):
            monkeypatch.setattr(plivo_server, "report", lambda: "\\ud800")
            assert 0, "its own failure"
    """)
    result = run(project, "-n", workers)
    result.assert_outcomes(failed=5, passed=2)
    result.stdout.fnmatch_lines_random([
        "no report: Failed: no network in tests",
        "no report: KeyError: 'x'",
        "no report: nothing answers at *",
        "no report: 421: *it is being moved*",
        "\\ud800",
    ])  # fmt: skip
    assert result.stdout.str().count("E       AssertionError: its own failure") == 5


def test_the_marker_chooses_the_account(project: pytest.Pytester) -> None:
    """Client, verbs and signatures are of the application's own auth id and token."""
    project.makepyfile("""
        import pytest
        from conftest import data

        @pytest.mark.plivo_sim(auth_id="MAOWNOWNOWNOWNOWNOWN", auth_token="own-token")
        def test_own(plivo_client, plivo_server, plivo_inbox, files):
            api = plivo_client.phone_number_compliance
            api.create(data=data(plivo_client, callback_url=plivo_inbox.url), documents=files)
            assert len(plivo_server.advance(business_days=3)) == 2
            assert plivo_server.sim.only_account().auth_id == "MAOWNOWNOWNOWNOWNOWN"
            assert [each.signed for each in plivo_inbox.wait_for(1, timeout_s=60)] == [True]

        def test_as_usual(plivo_server, plivo_inbox):
            assert plivo_server.auth_id == "MATESTTESTTESTTESTTE"
            assert (plivo_server.auth_token, plivo_inbox.token) == ("test-token", "test-token")
    """)
    run(project, "-p", "no:randomly").assert_outcomes(passed=2)


def test_a_marker_that_makes_no_sense_is_told_in_a_sentence(project: pytest.Pytester) -> None:
    """With the right name, and without a traceback."""
    project.makepyfile("""
        import pytest

        @pytest.mark.plivo_sim(scenaro="instant-accept")
        def test_name(plivo_sim): ...

        @pytest.mark.plivo_sim("instant-accept")
        def test_position(plivo_inbox): ...

        @pytest.mark.plivo_sim(seed="x")
        def test_value(plivo_sim): ...

        @pytest.mark.plivo_sim(auth_id="me")
        def test_auth_id(plivo_server): ...

        @pytest.mark.plivo_sim(clock="sundial")
        def test_clock(plivo_sim): ...

        @pytest.mark.plivo_sim(tls=True, credentials={"MA": "secret"}, pointed="no")
        def test_three(plivo_inbox): ...
    """)
    result = run(project, "-p", "no:randomly")
    result.assert_outcomes(errors=6)
    result.stdout.fnmatch_lines([
        "@pytest.mark.plivo_sim: scenaro=: no such argument; did you mean 'scenario'?",
        "@pytest.mark.plivo_sim: its arguments have names, such as scenario=",
        "@pytest.mark.plivo_sim: seed: 'x' is not a whole number",
        "@pytest.mark.plivo_sim: auth_id: 'me' is not MA or SA and 18 letters or digits",
        "@pytest.mark.plivo_sim: clock: 'sundial' is not one of wall, paused",
        "@pytest.mark.plivo_sim: tls: the simulator of the fixtures has started; *; credentials:"
        " what credential 1 begins with is no auth id: *; pointed: 'no' is not True or False",
    ])  # fmt: skip
    result.stdout.no_fnmatch_line("During handling of the above exception*")


def test_a_failing_async_test_is_told_of_the_loop_that_it_blocked(project: pytest.Pytester) -> None:
    """Its receiver lives in the loop that ``reject`` blocks, and could not answer."""
    project.makepyfile("""
        import asyncio, pytest
        from conftest import data

        @pytest.mark.plivo_sim(callback_timeout_s=0.2)
        def test_blocks(plivo_client, plivo_server, files):
            async def scenario():
                server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
                url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/cb"
                made = plivo_client.phone_number_compliance.create(
                    data=data(plivo_client, callback_url=url), documents=files)
                plivo_server.reject(made.compliance_id)
                server.close()
                assert False

            asyncio.run(scenario())
    """)
    result = run(project)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["hint: http://127.0.0.1:*/cb did not answer while reject(…) *"])


def test_the_report_names_other_accounts_that_have_records() -> None:
    """An application may file with an auth id of its own."""
    with in_process() as sim:
        http = Http(sim.app, sim.sim)
        http.sdk_created()
        assert f"account {http.auth_id} was called, too: 2 requests, 1 appl" in sim.report()
        sim.use_account(http.auth_id)
        assert "was called, too" not in sim.report()


def test_importing_the_plugin_imports_nothing_heavy() -> None:
    """Not Flask, not the SDK, not the simulator."""
    code = (
        "import sys, pytest; before = set(sys.modules); import plivo_sim.pytest_plugin;"
        "print(sorted({m.partition('.')[0] for m in set(sys.modules) - before}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['plivo_sim']"


def test_freezegun_moves_a_wall_clock() -> None:
    """In process, on a running clock."""
    with freeze_time("2030-01-01") as frozen, in_process(paused=False) as sim:
        before = sim.now
        frozen.tick(3600)
        assert (sim.now - before).total_seconds() == 3600


FROZEN = """
import pytest
from freezegun import freeze_time

@pytest.fixture(scope="session", autouse={whole_run})
def frozen():
    with freeze_time("2012-01-14"):
        yield

def test_frozen(request, plivo_client, plivo_server):
    request.getfixturevalue("frozen")
    made = plivo_client.phone_number_compliance.create(data={{
        "country_iso": "US", "number_type": "local", "alias": "Acme",
        "end_user": {{"type": "business", "name": "Acme"}}}})
    plivo_server.advance(business_days=3)
    assert plivo_server.application(made.compliance_id).updated_at.year == 2026
    assert plivo_server.requests(operation="compliance.create")[0].at.year == 2026
"""


@pytest.mark.live
@pytest.mark.parametrize("whole_run", [True, False])
def test_what_is_first_done_in_frozen_time(pytester: pytest.Pytester, whole_run: bool) -> None:
    """Whether the simulator is imported in it, or only asked for the first time."""
    pytester.makepyfile(FROZEN.format(whole_run=whole_run))
    pytester.runpytest_subprocess("-p", "no:asyncio").assert_outcomes(passed=1)


class TestUnittest(unittest.TestCase):
    """The context manager, for unittest."""

    def test_in_process(self) -> None:
        """It answers a test client, and its verbs work."""
        with in_process() as sim:
            http = Http(sim.app, sim.sim, auth_id=sim.auth_id, token=sim.auth_token)
            id = http.sdk_created()
            sim.suspend(sim.accept(id).id, "complaints")
            sim.reinstate(id)
            sim.expire(id)
            assert [c.status for c in sim.application(id).timeline] == [
                "submitted", "accepted", "suspended", "accepted", "expired",
            ]  # fmt: skip
            with pytest.raises(NotReached):
                sim.advance_until(id, "accepted")


def make(client: plivo.RestClient, folder: Path) -> str:
    """Create a complete application with the SDK."""
    asked = client.phone_number_compliance_requirements.get("IN", "local", "business")
    ids = [each["document_type_id"] for each in asked.document_types]
    files = []
    for name in ("registration_certificate.pdf", "gst_certificate.png"):
        (folder / name).write_bytes(sample(name).read_bytes())
        files.append(str(folder / name))
    data = {
        "country_iso": "IN", "number_type": "local", "alias": "a",
        "end_user": {"type": "business", "name": "Acme"},
        "documents": [{"document_type_id": ids[0], "data_fields": {"business_name": "A"}},
                      {"document_type_id": ids[1]}],
    }  # fmt: skip
    return client.phone_number_compliance.create(data=data, documents=files).compliance_id


@pytest.mark.live
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the SDK leaves its files open
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_two_clients_point_at_two_simulators_in_one_process(tmp_path: Path) -> None:
    """Uploads included; neither sees the other's."""
    with served() as one, served(seed=2) as two:
        clients = []
        for sim in (one, two):
            client = point(plivo.RestClient(sim.auth_id, sim.auth_token), sim.url)
            make(client, tmp_path)
            clients.append(client)
        assert (len(one.applications()), len(two.applications())) == (1, 1)
        assert one.applications()[0].id != two.applications()[0].id
        for client in clients:
            client.session.close()
            client.multipart_session.close()


def test_the_inbox_checks_signatures() -> None:
    """A message with a wrong one says so."""
    inbox = Inbox()
    try:
        inbox._take("POST", inbox.url, {"X-Plivo-Signature-V3": "x"}, "{}")
        assert [message.signed for message in inbox.messages] == [False]
        with pytest.raises(AssertionError, match="1 of 2 callbacks"):
            inbox.wait_for(2, timeout_s=0.01)
    finally:
        inbox.close()


def test_the_inbox_checks_both_accounts_signatures() -> None:
    """V3 of a subaccount, Ma-V3 of the main account; each is checked."""
    inbox = Inbox()
    try:
        inbox.subaccount_token = "sub"
        for tokens in (("sub", AUTH_TOKEN), ("sub", "sub"), ("other", AUTH_TOKEN)):
            headers = signature_headers(Tokens(*tokens), "POST", inbox.url, "1", ())
            inbox._take("POST", inbox.url, dict(headers), "")
        assert [message.signed for message in inbox.messages] == [True, False, False]
        inbox.begin()
        assert inbox.subaccount_token == ""
    finally:
        inbox.close()


def test_the_inbox_refuses_what_is_of_an_earlier_test() -> None:
    """And says so to a test that waits in vain."""
    inbox = Inbox()
    try:
        before = inbox.url
        inbox.begin()
        assert (inbox._take("POST", before, {}, "{}"), inbox.messages) == (410, [])
        assert inbox._take("POST", f"{inbox.url}/own?x=1", {}, "{}") == 200
        with pytest.raises(AssertionError, match=f"one came to {before}, of an earlier test"):
            inbox.wait_for(2, timeout_s=0.01)
    finally:
        inbox.close()


def test_settle_waits_for_what_is_due_now() -> None:
    """Reviews and callbacks, those of the application's own calls too; nothing later."""
    with served(review_delay=Duration(0)) as sim, Receiver().serving() as receiver:
        http = Http(create_app(sim.sim), sim.sim, auth_id=sim.auth_id, token=sim.auth_token)
        http.sdk_created(callback_url=receiver.url)
        sim.settle()
        assert [each.json()["status"] for each in receiver.received] == ["accepted"]


def test_settle_says_what_it_waited_for_in_vain(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the report."""
    monkeypatch.setattr(clock, "SETTLE_S", 0.01)
    with in_process() as sim:
        account = sim.sim.account(sim.auth_id)
        account.sending = 1
        with pytest.raises(AssertionError, match="still under way after a while\nclock: 2026"):
            sim.settle()
        account.sending = 0


@pytest.mark.parametrize("verb", ["advance", "advance_until"])
def test_time_that_still_moves_is_no_success(monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    """A test would go on with what has not happened yet."""
    monkeypatch.setattr(runner_module, "ADVANCE_BUDGET_S", -1.0)
    with in_process() as sim:
        http = Http(sim.app, sim.sim, auth_id=sim.auth_id, token=sim.auth_token)
        id = [http.sdk_created(alias=alias) for alias in ("one", "two")][1]
        given = {"advance": ("30d",), "advance_until": (id, "suspended")}[verb]
        with pytest.raises(AssertionError, match=r"time was still moving.*\nclock: 2026"):
            getattr(sim, verb)(*given)
        account = sim.sim.account(sim.auth_id)
        with account.lock:
            assert account.idle.wait_for(lambda: not account.advancing, 60)


def test_applications_are_as_time_has_made_them() -> None:
    """Like ``application``: what is due has happened."""
    with served(paused=False, review_delay=Duration(0)) as sim:
        http = Http(create_app(sim.sim), sim.sim, auth_id=sim.auth_id, token=sim.auth_token)
        sim.sim.runner.wake = lambda account: None
        http.sdk_created()
        assert [each.status for each in sim.applications()] == ["accepted"]


def test_the_verbs_can_be_awaited() -> None:
    """With the same results; the event loop goes on meanwhile."""

    async def scenario() -> list[str]:
        with in_process() as sim:
            http = Http(sim.app, sim.sim, auth_id=sim.auth_id, token=sim.auth_token)
            id = http.sdk_created()
            (happened,) = await sim.aio.advance(business_days=3)
            assert isinstance(happened, StatusChanged)
            return [happened.application.status, (await sim.aio.suspend(id, "why")).status]

    assert asyncio.run(scenario()) == ["accepted", "suspended"]


def test_a_client_without_the_sdk(pytester: pytest.Pytester) -> None:
    """Is an error that says what to install: a suite that skips all its tests is green."""
    pytester.makeconftest("import sys\nsys.modules['plivo'] = None")
    pytester.makepyfile("""
        def test_client(plivo_client):
            assert False

        def test_server(plivo_server): ...
    """)
    result = run(pytester)
    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines(["plivo_client needs the SDK (pip install plivo): *"])
