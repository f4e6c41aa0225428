"""``plivo-sim replay``: what it tells, its exit codes, against an application's own webhook."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from plivo_sim.assembly import LiveSimulator
from plivo_sim.cli import main
from plivo_sim.client import Client, Refused, observations
from plivo_sim.client.observations import Check
from plivo_sim.client.replay import OwnClient, Replay, ScenarioResult, account_of, replay
from plivo_sim.scenarios.loader import find_scenario, load_scenario
from tests.machines.files import IN_REVIEW
from tests.scenarios.printed import text_of
from tests.support import Receiver

pytestmark = pytest.mark.live

REJECTED = """\
scenario: A name mismatch is rejected, and accepted once it is corrected.
rules:
  - {name: two names, when: {attempt: 1}, decide: rejected, reason: name_mismatch, after: 1d}
steps:
  - submit: {app: acme, name: Acme Traders Pvt. Ltd.}
  - advance: 1d
  - get: acme
  - correct: {app: acme, name: Acme Traders Pvt Ltd}
  - advance: 3 business days
"""


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["replay", *words], env={"PLIVO_SIM_URL": ""})


def wrote(folder: Path, text: str) -> str:
    path = folder / "own.yaml"
    path.write_text(text)
    return str(path)


def play(stage: str, text: str, against: str = "") -> ScenarioResult:
    return replay(stage, "a scenario of a test", load_scenario(text), against)


def failed(told: ScenarioResult) -> list[Check]:
    return [check for check in told.checks if not check.ok]


# --- the command -----------------------------------------------------------------------------


def test_it_tells_everything_in_simulated_time(tmp_path: Path) -> None:
    """Requests, transitions with who and why, callbacks with what the receiver answered."""
    result = run(wrote(tmp_path, REJECTED + "expect: {status: {acme: accepted}}"))
    lines = [" ".join(line.split()) for line in result.output.splitlines()]
    id = next(line for line in lines if "PATCH" in line).split("/")[-2]
    reason = (
        "Business name is not identical on the registration certificate, the GST certificate "
        "and the application."
    )
    day = "2026-01-06 09:00:00"
    assert lines[3:] == [
        "SIMULATED TIME WHAT APP",
        "2026-01-05 09:00:00 request acme POST PhoneNumber/Compliance/ -> 201",
        "2026-01-05 09:00:00 transition acme submitted (client: created and submitted)",
        f"{day} transition acme submitted -> rejected (reviewer: rule 'two names'): {reason}",
        f"{day} callback acme rejected, attempt 1 -> 200, delivered",
        f"{day} request acme GET PhoneNumber/Compliance/{id}/ -> 200 rejected",
        f"{day} request acme PATCH PhoneNumber/Compliance/{id}/ -> 200",
        f"{day} transition acme rejected -> submitted (client: corrected and submitted again)",
        "2026-01-09 09:00:00 transition acme submitted -> accepted "
        "(reviewer: default: accepted after 3 business days)",
        "2026-01-09 09:00:00 callback acme accepted, attempt 1 -> 200, delivered",
        "",
        "ok status.acme: accepted",
        "the scenario holds",
    ]
    assert result.exit_code == 0


FAILING: list[tuple[str, str, str, str]] = [
    ("expect: {status: {acme: rejected}}", "status.acme", "rejected", "accepted"),
    ("expect: {timeline: {acme: [submitted]}}", "timeline.acme", "[submitted]",
     "[submitted, rejected, submitted, accepted]"),
    ("expect: {reasons: {acme: []}}", "reasons.acme", "[]", "[Business name is not identical"),
    ("expect: {reasons: {acme: [unreadable_scan]}}", "reasons.acme", "[unreadable_scan]", "[Busin"),
    ("expect: {callbacks: [accepted]}", "callbacks", "[accepted]", "[rejected, accepted]"),
    ("expect: {deliveries: {failed: 1}}", "deliveries.failed", "1", "0"),
    ("expect: {signatures: missing}", "signatures", "missing", "valid"),
    ("expect: {refusals: [503]}", "refusals", "[503]", "[]"),
    ("  - correct: {app: acme}\nexpect: {status: {acme: accepted}}", "refusals", "[]", "[400]"),
    ("  - expect: {status: {acme: submitted}}", "steps[5].status.acme", "submitted", "accepted"),
    ("  - submit: {app: other, country: ZZ}\n  - get: other\nexpect: {refusals: [400]}",
     "steps[6]", "other was submitted", "absent"),
]  # fmt: skip


@pytest.mark.parametrize(("end", "name", "expected", "found"), FAILING)
def test_an_expectation_that_fails_ends_with_1(
    tmp_path: Path, end: str, name: str, expected: str, found: str
) -> None:
    """And says what was expected and what was found instead."""
    result = run(wrote(tmp_path, REJECTED + end))
    assert result.exit_code == 1
    lines = [line.strip() for line in result.output.splitlines()]
    at = lines.index(f"FAILED  {name}")
    assert lines[at + 1] == f"expected  {expected}"
    assert lines[at + 2].startswith(f"found     {found}")
    assert lines[-1].startswith("the scenario does not hold: 1 of ")


def test_a_scenario_without_expectations_ends_with_0(tmp_path: Path) -> None:
    """It says that it promised nothing."""
    result = run(wrote(tmp_path, REJECTED))
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "the scenario expects nothing")


REFUSED = """\
scenario: A service that is down.
faults: [{effect: error, status: 503, operation: compliance.create}]
steps:
  - submit: {app: acme}
"""


@pytest.mark.parametrize("steps", ["", "  - expect: {callbacks: []}\n"])
@pytest.mark.parametrize("end", ["", "expect: {callbacks: []}\n"])
def test_a_refusal_that_nothing_lists_fails(tmp_path: Path, steps: str, end: str) -> None:
    """Whether there is an expectation at the end, at a step, or nowhere."""
    result = run(wrote(tmp_path, f"{REFUSED}{steps}{end}"))
    assert result.exit_code == 1
    lines = [line.strip() for line in result.output.splitlines()]
    assert lines[-4:-1] == ["FAILED  refusals", "expected  []", "found     [503]"]


@pytest.mark.parametrize("end", ["", "expect: {callbacks: []}\n"])
def test_a_refusal_that_a_step_lists_is_expected(tmp_path: Path, end: str) -> None:
    """Those behind that step are not."""
    text = f"{REFUSED}  - expect: {{refusals: [503]}}\n"
    assert run(wrote(tmp_path, text + end)).exit_code == 0
    result = run(wrote(tmp_path, f"{text}  - submit: {{app: other}}\n{end}"))
    assert result.exit_code == 1
    assert "expected  [503]\n          found     [503, 503]" in result.output


def test_what_expects_nothing_is_not_said_to_hold(tmp_path: Path) -> None:
    """Nor is it a test that passed."""
    own, report = wrote(tmp_path, REJECTED), tmp_path / "report.xml"
    result = run(own, "instant-accept", "--junit", str(report))
    assert result.exit_code == 0
    words = [line.rsplit(maxsplit=3)[0] for line in result.output.splitlines()[-2:]]
    assert words == ["expects nothing", "holds"]
    assert 'skipped="1"' in report.read_text()
    assert "it expects nothing" in report.read_text()
    assert json.loads(run(own, "--json").output)["holds"] is None


def test_json_for_scripts(tmp_path: Path) -> None:
    """Nothing but JSON, the same facts, the same exit code."""
    result = run("--json", wrote(tmp_path, REJECTED + "expect: {callbacks: [accepted]}"))
    told = json.loads(result.output)
    assert (result.exit_code, told["holds"]) == (1, False)
    assert told["checks"] == [
        {
            "name": "callbacks",
            "expected": ["accepted"],
            "found": ["rejected", "accepted"],
            "ok": False,
        }
    ]
    assert [each["type"] for each in told["events"]][:4] == [
        "request",
        "transition",
        "transition",
        "callback",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("scenario: [", "own.yaml:1: not valid YAML"),
        ("scenario: It has no steps.", "it has no steps"),
        ("scenario: It has mistakes.\nrulez: []\nstepz: []", "own.yaml:3: stepz: unknown key"),
        (
            "scenario: It files too much.\nsteps: [{submit: {files: {passport: a.pdf}}}]",
            "'app' needs no document passport, but registration_certificate, gst_certificate",
        ),
        (
            "scenario: It says too much.\nsteps: [{submit: {data_fields: {busines_name: x}}}]",
            "'app' needs no data field busines_name, but business_name",
        ),
        ("\xff", "not UTF-8 text"),
    ],
)
def test_a_wrong_scenario_ends_with_2(tmp_path: Path, text: str, told: str) -> None:
    """With every mistake."""
    path = tmp_path / "own.yaml"
    path.write_bytes(text.encode("latin-1"))
    result = run(str(path))
    assert (result.exit_code, told in result.output) == (2, True), result.output


def test_every_mistake_is_printed(tmp_path: Path) -> None:
    """Not only the first."""
    result = run(wrote(tmp_path, "scenario: It has mistakes.\nrulez: []\nstepz: []"))
    assert len(result.output.splitlines()) == 2


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("no-such.yaml", "No such file"),
        ("name-mismach", "did you mean 'name-mismatch'?"),
    ],
)
def test_no_such_scenario_ends_with_2(name: str, told: str) -> None:
    """A file that is not there; a name that does not ship, with the nearest one."""
    result = run(name)
    assert result.exit_code == 2
    assert told in result.output


def test_nobody_answers_ends_with_3() -> None:
    """And says whom it asked."""
    result = run("instant-accept", "--url", "http://127.0.0.1:9")
    assert (result.exit_code, "nothing answers at http://127.0.0.1:9" in result.output) == (3, True)


def test_against_must_be_a_url() -> None:
    """Before anything is played."""
    result = run("instant-accept", "--against", "localhost:8000")
    assert (result.exit_code, "http://" in result.output) == (2, True)


# --- on a running simulator ------------------------------------------------------------------


def test_it_plays_on_a_running_simulator(live: LiveSimulator) -> None:
    """In an account of its own, which stays to be looked at, and touches no other."""
    other = live.sim.account("MAOTHEROTHEROTHEROTH")
    other.keep_ledger()
    before = other.store.mark()
    result = run("name-mismatch", "--url", live.url)
    assert result.exit_code == 0, result.output
    account = live.sim.account(account_of("name-mismatch"))
    assert [each.status for each in account.store.applications.every()] == ["accepted"]
    assert other.store.mark() == before


def test_a_server_with_other_habits_plays_it_the_same() -> None:
    """A running clock, another delay, strict, rate limits, retries: the scenario's account has its
    own."""
    from plivo_sim.settings import Settings, read_setting

    habits = {"review_delay": "1h", "strict": "true", "rate_limits": "true", "warp": "1000",
              "callback_retries": "1s", "callback_url": "http://127.0.0.1:9/other"}  # fmt: skip
    settings = Settings(port=0, **{key: read_setting(key, text) for key, text in habits.items()})
    with LiveSimulator(settings) as served:
        result = run("webhook-retried", "--url", served.url)
        assert result.exit_code == 0, result.output
        assert run("slow-day", "--url", served.url).exit_code == 0


def test_the_account_is_emptied_first(stage: str) -> None:
    """What an earlier replay left does not count."""
    play(stage, REJECTED)
    told = play(stage, REJECTED + "expect: {callbacks: [rejected, accepted]}")
    assert told.holds
    account = Client(stage).control("GET", "/applications", account=told.account)
    assert account["total_count"] == 1


def test_words_of_a_catalogue_of_one_s_own(tmp_path: Path) -> None:
    """The simulator that plays the scenario knows its own documents."""
    from plivo_sim.settings import Settings

    catalogue = tmp_path / "catalogue.yaml"
    catalogue.write_text(
        "document_types: {tax_card: {name: Tax card, description: A card}}\n"
        "requirements: [{version: current, country: NL, number_types: [local],"
        " user_types: [business], documents: [tax_card]}]"
    )
    scenario = wrote(
        tmp_path,
        "scenario: A tax card is accepted.\n"
        "steps: [{submit: {country: NL, files: {tax_card: card.png}}}, {advance: 9d}]\n"
        "expect: {status: {app: accepted}}",
    )
    assert "no document type 'tax_card'" in run(scenario).output
    with LiveSimulator(Settings(port=0, catalogue=catalogue)) as served:
        result = run(scenario, "--url", served.url)
    assert result.exit_code == 0, result.output


def test_statuses_of_a_machine_of_one_s_own(tmp_path: Path) -> None:
    """The scenario's, or that of the simulator that plays it."""
    from plivo_sim.settings import Settings

    steps = (
        "rules: [{decide: in_review}]\n"
        "steps: [{submit: {app: acme}}, {advance: 9d}]\n"
        "expect: {status: {acme: in_review}}\n"
    )
    machine = IN_REVIEW.replace("by: time, after: 1h", "by: [reviewer, time], after: 1h")
    own = "machine:\n" + "".join(f"  {line}\n" for line in machine.splitlines())
    result = run(wrote(tmp_path, f"scenario: It stays there.\n{own}{steps}"))
    assert result.exit_code == 0, result.output
    scenario = wrote(tmp_path, f"scenario: It stays there.\n{steps}")
    assert "rules[0].decide" in run(scenario).output
    (tmp_path / "machine.yaml").write_text(machine)
    with LiveSimulator(Settings(port=0, machine=str(tmp_path / "machine.yaml"))) as served:
        result = run(scenario, "--url", served.url)
    assert result.exit_code == 0, result.output


# --- against an application ------------------------------------------------------------------


def test_callbacks_go_to_the_application(stage: str, receiver: Receiver) -> None:
    """In the order of the scenario, signed, and its answer is told."""
    told = play(stage, REJECTED + "expect: {callbacks: [rejected, accepted]}", receiver.url)
    assert told.holds, text_of(told)
    assert [each.json()["status"] for each in receiver.received] == ["rejected", "accepted"]
    assert all("X-Plivo-Signature-V3" in each.headers for each in receiver.received)


def test_every_page_of_callbacks_is_looked_at(
    stage: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And of applications; of callbacks that are not kept any more nobody can tell."""
    monkeypatch.setattr(observations, "MOST", 2)
    apps = ("a", "b", "c")
    steps = "".join(f"- submit: {{app: {app}, alias: {app}}}\n" for app in apps)
    expect = "expect: {deliveries: {delivered: 12}, status: {a: accepted, c: accepted}}"
    begins = "scenario: many callbacks\nwebhooks: {duplicate: 3}\nsteps:"
    text = f"{begins}\n{steps}- advance: 5d\n{expect}"
    assert failed(play(stage, text, receiver.url)) == []
    wanted = load_scenario(text).expect
    assert wanted is not None
    kept = observations.Observation(
        deliveries={"delivered": 12}, status=dict.fromkeys(apps, "accepted")
    )
    gone = dataclasses.replace(kept, forgotten=3)
    checked = [observations.check_all(wanted, each, []) for each in (kept, gone)]
    (told,) = [each for each in checked[1] if not each.ok]
    assert (told.name, told.found) == ("callbacks.forgotten", 3)
    assert all(each.ok for each in checked[0])


def test_an_application_that_fails_at_first(stage: str) -> None:
    """Each answer is told; the callback is tried again in simulated time."""
    with Receiver(500, 503).serving() as receiver:
        told = play(stage, REJECTED + "expect: {callbacks: [rejected, accepted]}", receiver.url)
    callbacks = [event for event in told.events if event.type == "callback"]
    assert [(each.facts["answer"], each.facts["state"]) for each in callbacks] == [
        (500, "pending"),
        (503, "pending"),
        (200, "delivered"),
        (200, "delivered"),
    ]
    assert [each.at[11:19] for each in callbacks] == [
        "09:00:00", "09:01:00", "09:03:00", "09:00:00",
    ]  # fmt: skip
    assert told.holds


def test_an_application_that_never_takes_it(stage: str) -> None:
    """The scenario does not hold: it promised callbacks that arrive."""
    with Receiver(*[500] * 8).serving() as receiver:
        told = play(stage, REJECTED + "expect: {callbacks: [rejected, accepted]}", receiver.url)
    assert [(check.name, check.found) for check in failed(told)] == [("callbacks", [])]


def test_an_application_that_is_not_there(stage: str) -> None:
    """Why it could not be reached is told."""
    told = play(stage, REJECTED + "expect: {callbacks: []}", "http://127.0.0.1:9/webhook")
    errors = [event.facts["error"] for event in told.events if event.type == "callback"]
    assert errors
    assert all("refused" in error for error in errors)


def test_what_the_application_said_is_told(stage: str) -> None:
    """The start of an answer that is no 200: here the simulator's own, which takes callbacks only
    into an inbox."""
    text = text_of(play(stage, REJECTED, f"{stage}/_sim/no-inbox"))
    assert 'attempt 1 -> 403 {"type":"urn:plivo-sim:problem:untrusted"' in text


# --- a scenario's own calls ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("effect", "refused"), [("reset", "cut"), ("empty", "cut"), ("truncated", "cut")]
)
def test_a_lost_answer_is_part_of_the_scenario(stage: str, effect: str, refused: str) -> None:
    """The application is there all the same, and the scenario goes on with it."""
    told = play(
        stage,
        "scenario: The answer to the first call is lost.\n"
        f"faults: [{{effect: {effect}, method: POST, applied: true, times: 1}}]\n"
        "steps: [{submit: {app: acme}}, {advance: 3 business days}, {get: acme}]\n"
        f"expect: {{status: {{acme: accepted}}, refusals: [{refused}]}}",
    )
    assert told.holds, text_of(told)


def test_a_fault_hits_only_what_the_scenario_files(stage: str) -> None:
    """Looking is not a call of the scenario: every call fails, and only two are refused."""
    told = play(
        stage,
        "scenario: Every call is refused.\nfaults: [{effect: unavailable}]\n"
        "steps: [{submit: {}}, {advance: 1d}, {submit: {app: other}}]\n"
        "expect: {status: {app: absent, other: absent}, refusals: [503, 503]}",
    )
    assert told.holds, text_of(told)


@pytest.mark.parametrize("user_type", ["business", "individual"])
@pytest.mark.parametrize("country", ["IN", "DE", "FR", "AE", "US", "ES", "GB"])
def test_a_scenario_can_file_in_every_country(stage: str, country: str, user_type: str) -> None:
    """What a step does not say is filled in, so that it is complete."""
    told = play(
        stage,
        f"scenario: It is accepted in {country}.\n"
        f"steps: [{{submit: {{country: {country}, user_type: {user_type}}}}}, {{advance: 9d}}]\n"
        "expect: {status: {app: accepted}}",
    )
    assert told.holds, text_of(told)


def test_a_correction_sends_what_it_changes(stage: str) -> None:
    """Files by their type, data fields, name; the rest stays as it was."""
    told = play(
        stage,
        "scenario: Everything is corrected.\n"
        "rules: [{when: {attempt: 1}, decide: rejected, after: 0s}]\n"
        "steps:\n"
        "  - submit: {files: {gst_certificate: first.png}, data_fields: {business_name: One}}\n"
        "  - correct: {files: {gst_certificate: second.png}, data_fields: {business_name: Two},"
        " name: Three}\n",
    )
    client = Client(stage, told.account, "replay")
    (listed,) = client.compliance("GET", "?expand=end_user,documents")["compliances"]
    documents: list[dict[str, Any]] = listed["documents"]
    assert listed["end_user"]["name"] == "Three"
    assert [each["file_name"] for each in documents] == [
        "registration_certificate.pdf",
        "second.png",
    ]
    assert documents[0]["meta_information"] == {"business_name": "Two"}


def test_every_shipped_scenario_has_an_account_of_its_own() -> None:
    """A well-formed one."""
    from plivo_sim.scenarios.loader import shipped_names
    from plivo_sim.simulator import AUTH_ID

    accounts = {account_of(name) for name in shipped_names()}
    assert len(accounts) == len(shipped_names())
    assert all(AUTH_ID.fullmatch(account) for account in accounts)


def test_a_scenario_switched_on_by_hand_is_the_same_scenario(stage: str) -> None:
    """Steps and expectations are not in the way of using it as a scenario."""
    account = account_of("by hand")
    client = Client(stage, account, "token")
    used = client.control("POST", "/scenario", {"name": "stuck-in-review", "account": account})
    assert used["scenario"]["scenario"] == find_scenario("stuck-in-review").scenario


def test_an_account_that_was_replaced_ends_the_replay(stage: str) -> None:
    """Another replay of the same scenario empties the account between two steps."""
    scenario, account = load_scenario(REJECTED), account_of("replaced in a test")
    first = Replay(OwnClient(stage, account, "token"), scenario)
    first.begin()
    first.step()
    Replay(OwnClient(stage, account, "token"), scenario).begin()
    with pytest.raises(Refused, match=f"account {account} was emptied by somebody else"):
        first.step()


def test_an_account_that_is_replaced_during_a_call_ends_the_replay(stage: str) -> None:
    """Calls of the API do not tell which account they mean: the look at what they did does."""
    scenario, account = load_scenario(REJECTED), account_of("replaced during a call")

    class Overtaken(OwnClient):
        def compliance(self, method: str, path: str = "", **given: Any) -> Any:
            Replay(OwnClient(stage, account, "token"), scenario).begin()
            return super().compliance(method, path, **given)

    first = Replay(Overtaken(stage, account, "token"), scenario)
    first.begin()
    with pytest.raises(Refused, match=f"account {account} was emptied by somebody else"):
        first.step()


def test_a_run_id_has_accounts_of_its_own(stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLIVO_SIM_RUN_ID", "job 7")
    assert play(stage, REJECTED).account == account_of("a scenario of a test", "job 7")
    assert account_of("a", "job 7") != account_of("a") != account_of("a", "job 8")
