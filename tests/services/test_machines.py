"""The machine that an account has in use, and automatic arrows at their instants."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from plivo_sim.account.account import Account
from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.domain.errors import Invalid, StateUnreadable, WrongState
from plivo_sim.domain.machine import json_of
from plivo_sim.domain.records import TimerKind
from plivo_sim.domain.text import encode_json
from plivo_sim.machines import default_machine, load_machine_data, shipped_machine
from plivo_sim.machines.loader import load_machine
from plivo_sim.scenarios.loader import load_scenario
from plivo_sim.services import applications, machines, policies
from plivo_sim.services.due import Due
from plivo_sim.services.snapshots import load_snapshot, save_snapshot
from plivo_sim.settings import Settings
from plivo_sim.webhooks.transport import MemoryTransport
from tests.machines.files import (
    IN_REVIEW,
    NO_ACCEPTANCE,
    WITH_IN_REVIEW,
    WITH_YEARS,
    WITHOUT_ACCEPTANCE,
)
from tests.support import Http

CALLBACK = "http://127.0.0.1:9/cb"
KEPT = {"paused": True, "review_delay": None}


def told(http: Http, id: str) -> list[tuple[str, str, timedelta]]:
    """Status, who, and how long after the first change, of each line of a timeline."""
    timeline = applications.get(http.account, id).timeline
    return [(each.status, each.by, each.at - timeline[0].at) for each in timeline]


def automatic(account: Account) -> list[Any]:
    return [t for t in account.store.timers.every() if t.kind is TimerKind.AUTOMATIC]


def days(count: float) -> timedelta:
    return timedelta(days=count)


# --- which one is in use ---------------------------------------------------------------------


def test_the_scenarios_machine_comes_first_then_the_accounts_then_the_servers(http: Http) -> None:
    """Each steps back when the one before it goes."""
    account = http.account
    assert account.machine == default_machine()
    machines.use_machine(account, WITH_YEARS)
    assert account.machine == account.own_machine == WITH_YEARS
    text = "scenario: Nothing but a machine of its own.\nmachine: default\n"
    policies.use_scenario(account, load_scenario(text))
    assert (account.machine, account.own_machine) == (default_machine(), WITH_YEARS)
    policies.use_scenario(account, None)
    assert account.machine == WITH_YEARS
    machines.drop_machine(account)
    assert account.machine == default_machine()


def test_a_reset_goes_back_to_the_servers(http: Http) -> None:
    """The account's own goes with everything else."""
    machines.use_machine(http.account, WITH_YEARS)
    http.sim.remove(http.account)
    assert http.account.machine == default_machine()


def test_a_transaction_that_is_taken_back_leaves_the_machine(http: Http) -> None:
    """No cache knows better than the records."""
    account = http.account

    def change_and_fail() -> None:
        with account.transaction():
            machines.use_machine(account, WITH_YEARS)
            assert account.machine == WITH_YEARS
            raise KeyError

    with pytest.raises(KeyError):
        change_and_fail()
    assert account.machine == default_machine()


def test_a_scenario_may_say_its_machine_itself(http: Http) -> None:
    """Changes inline; what it decides is checked against them."""
    scenario = {
        "scenario": "The decision is made in a status of its own.",
        "machine": _plain(IN_REVIEW),
        "default": {"decide": "rejected", "after": "2h"},
    }
    assert http.control("POST", "/scenario", {"scenario": scenario}, account=http.auth_id).json
    id = http.sdk_created()
    http.advance("2d")
    assert [status for status, _, _ in told(http, id)] == ["submitted", "in_review", "rejected"]


def _plain(text: str) -> Any:
    import yaml

    return yaml.safe_load(text)


def test_a_mistake_in_a_scenarios_machine_has_its_line(http: Http) -> None:
    """And is told with the others."""
    text = (
        "scenario: A machine with a mistake.\n"
        "machine:\n  machine: mine\n  extends: default\n"
        "  arrows:\n    - {from: accepted, to: suspened, by: hand}\n"
        "default: {decide: acepted}\n"
    )
    answer = http.control("POST", "/scenario", {"yaml": text}, account=http.auth_id).get_json()
    assert [(p["path"], p["message"].partition(":")[0]) for p in answer["problems"]] == [
        ("machine.arrows[0].to", "line 6"),
        ("default.decide", "line 7"),
    ]


def test_a_scenario_decides_what_the_accounts_machine_has(http: Http) -> None:
    """A status that only another machine has is a mistake."""
    scenario = {"scenario": "It is taken into review.", "default": {"decide": "in_review"}}
    use = {"scenario": scenario}
    assert http.control("POST", "/scenario", use, account=http.auth_id).status_code == 400
    machines.use_machine(http.account, WITH_IN_REVIEW)
    assert http.control("POST", "/scenario", use, account=http.auth_id).status_code == 200


# --- a change that does not fit --------------------------------------------------------------


def test_a_change_that_loses_a_status_in_use_is_refused(http: Http) -> None:
    """It names the application and its status, and changes nothing."""
    machines.use_machine(http.account, WITH_IN_REVIEW)
    id = http.sdk_created()
    http.advance("1h")
    for change in (
        lambda: machines.drop_machine(http.account),
        lambda: machines.use_machine(http.account, WITH_YEARS),
        lambda: policies.use_scenario(
            http.account, load_scenario("scenario: The default one.\nmachine: default\n")
        ),
    ):
        with pytest.raises(WrongState, match=f"{id} in status in_review.*no such status"):
            change()
        assert http.account.machine == WITH_IN_REVIEW
    assert policies.scenario_of(http.account) is None


def test_a_change_that_loses_what_a_scenario_decides_is_refused(http: Http) -> None:
    """Of the scenario in use, and of the next outcomes."""
    machines.use_machine(http.account, WITH_IN_REVIEW)
    body = {"decide": "in_review"}
    assert http.control("POST", "/next-outcome", body, account=http.auth_id).status_code == 201
    with pytest.raises(Invalid, match="in_review"):
        machines.drop_machine(http.account)
    assert http.account.machine == WITH_IN_REVIEW


UNDECIDED = load_machine_data(
    {"machine": "undecided", "extends": "default", "review": {"outcome": "nothing"},
     "arrows": [{"from": "submitted", "to": "accepted", "by": "hand"}]}
)  # fmt: skip


def coming(account: Account) -> list[tuple[str, str, timedelta]]:
    """Kind, status, and how long after the submission, of what is due."""
    return [
        (t.kind.value, t.steps[0].status, t.due_at - _submitted(account, t.subject_id))
        for t in account.store.timers.every()
    ]


def _submitted(account: Account, id: str) -> datetime:
    at = applications.get(account, id).submitted_at
    assert at is not None
    return at


def test_a_review_that_the_machine_has_no_way_to_is_planned_as_it_says(http: Http) -> None:
    """Counted from the submission; the answer and the reasons tell it, and a change back brings
    what was planned first."""
    account, id = http.account, http.sdk_created()
    before = coming(account)
    http.advance("1h")
    assert machines.use_machine(account, WITHOUT_ACCEPTANCE) == Due(kept=0, planned=1, dropped=0)
    assert coming(account) == [("review", "rejected", timedelta(hours=2))]
    assert why(http, id) == "the machine's default: no way to accepted (default)"
    assert machines.drop_machine(account) == Due(kept=0, planned=1, dropped=0)
    assert coming(account) == before
    assert why(http, id) == "default"


def why(http: Http, id: str) -> Any:
    """What decides the last attempt."""
    attempts = http.control("GET", f"/applications/{id}/why").get_json()["attempts"]
    return attempts[-1]["decided_by"]


def test_a_review_that_the_machine_has_a_way_to_stays(http: Http) -> None:
    """Whatever that does by default."""
    http.sdk_created()
    before = coming(http.account)
    other = {"machine": "other", "extends": "default", "review": {"outcome": "rejected"}}
    due = machines.use_machine(http.account, load_machine_data(other))
    assert (due, coming(http.account)) == (Due(kept=1, planned=0, dropped=0), before)


def test_a_machine_that_decides_nothing_by_default_drops_what_it_has_no_way_to(http: Http) -> None:
    """Until there is a machine that has one; what was due meanwhile happens then."""
    id = http.sdk_created()
    assert machines.use_machine(http.account, UNDECIDED) == Due(kept=0, planned=0, dropped=1)
    http.advance("60d")
    assert applications.get(http.account, id).status == "submitted"
    assert machines.drop_machine(http.account) == Due(kept=0, planned=1, dropped=0)
    http.advance("0s")
    assert applications.get(http.account, id).status == "accepted"


def test_where_nothing_was_planned_each_machine_plans_by_itself(http: Http) -> None:
    """What another one has planned goes with it, and leaves no trace."""
    machines.use_machine(http.account, UNDECIDED)
    id = http.sdk_created()
    before = coming(http.account), why(http, id)
    assert before == ([], "default")
    assert machines.use_machine(http.account, WITHOUT_ACCEPTANCE) == Due(
        kept=0, planned=1, dropped=0
    )
    assert coming(http.account) == [("review", "rejected", timedelta(hours=2))]
    assert why(http, id) == "the machine's default: nothing was planned (default)"
    with http.account.lock:
        http.sim.restore(http.account, load_snapshot(http.account, _snapshot(http)))
    assert machines.use_machine(http.account, UNDECIDED) == Due(kept=0, planned=0, dropped=1)
    assert (coming(http.account), why(http, id)) == before


@pytest.mark.parametrize("alias", ["SIM-STUCK", "by hand"])
def test_what_was_decided_is_not_decided_anew(http: Http, alias: str) -> None:
    """That nothing is to happen, or something by hand, was a decision too."""
    id = http.sdk_created(alias=alias)
    if alias == "by hand":
        http.decide(id, "rejected")
    assert machines.use_machine(http.account, WITHOUT_ACCEPTANCE) == Due(
        kept=0, planned=0, dropped=0
    )
    assert coming(http.account) == []


def test_a_later_step_waits_for_a_machine_that_has_a_way_to_it(http: Http) -> None:
    """It is told as dropped, and comes if the machine is changed back in time; a snapshot of the
    meantime has it."""
    id = http.sdk_created(alias="SIM-EXPIRE")
    http.advance("10d")
    strict = shipped_machine("strict-beta")
    assert machines.use_machine(http.account, strict) == Due(kept=0, planned=0, dropped=1)
    document = _snapshot(http)
    with http.account.lock:
        http.sim.restore(http.account, load_snapshot(http.account, document))
    assert machines.drop_machine(http.account) == Due(kept=1, planned=0, dropped=0)
    http.advance("1000d")
    assert applications.get(http.account, id).status == "expired"


def test_a_scenario_s_own_machine_plans_too(http: Http) -> None:
    """When it comes, and when it goes."""
    http.sdk_created()
    text = f"scenario: Nothing is accepted.\nmachine: {json_of(WITHOUT_ACCEPTANCE)}\n"
    assert policies.use_scenario(http.account, load_scenario(text)) == Due(
        kept=0, planned=1, dropped=0
    )
    assert [status for _, status, _ in coming(http.account)] == ["rejected"]
    policies.use_scenario(http.account, None)
    assert [status for _, status, _ in coming(http.account)] == ["accepted"]


def test_a_restart_and_a_restore_plan_as_the_server_s_machine_says(tmp_path: Path) -> None:
    """What was written with another one."""
    path = tmp_path / "machine.json"
    path.write_text(NO_ACCEPTANCE)
    first = kept(tmp_path / "state")
    first.sdk_created()
    document = _snapshot(first)
    before = coming(first.account)
    first.sim.close()
    second = kept(tmp_path / "state", str(path))
    assert [status for _, status, _ in coming(second.account)] == ["rejected"]
    second.sim.close()
    third = kept(tmp_path / "state")
    assert coming(third.account) == before
    third.sim.close()
    other = kept(tmp_path / "other", str(path))
    with other.account.lock:
        other.sim.restore(other.account, load_snapshot(other.account, document))
    assert [status for _, status, _ in coming(other.account)] == ["rejected"]
    other.sim.close()


def test_the_log_tells_what_became_of_what_is_due(
    http: Http, caplog: pytest.LogCaptureFixture
) -> None:
    """Once it is written."""
    http.sdk_created()
    with caplog.at_level("INFO", "plivo_sim"):
        machines.use_machine(http.account, WITHOUT_ACCEPTANCE)
    text = "no-acceptance-yet now; of what was due: 0 kept, 1 planned, 0 dropped"
    assert any(each.getMessage().endswith(text) for each in caplog.records)


# --- automatic arrows ------------------------------------------------------------------------


def test_an_automatic_arrow_is_taken_at_its_very_instant(http: Http) -> None:
    """By time, with a callback, between the submission and its decision."""
    machines.use_machine(http.account, WITH_IN_REVIEW)
    id = http.sdk_created(callback_url=CALLBACK)
    http.advance("10d")
    assert [each[:2] for each in told(http, id)] == [
        ("submitted", "client"), ("in_review", "time"), ("accepted", "reviewer"),
    ]  # fmt: skip
    assert told(http, id)[1][2] == timedelta(hours=1)
    payloads = [dict(each.payload) for each in http.account.store.deliveries.every()]
    assert [each["status"] for each in payloads] == ["in_review", "accepted"]


@pytest.mark.parametrize("steps", [["10d"], ["1h", "9d", "23h"], ["59m", "1m", "10d"], ["1s"] * 3])
def test_it_does_not_matter_how_time_moves(http: Http, steps: list[str]) -> None:
    """``advance(a); advance(b)`` is ``advance(a + b)``."""
    machines.use_machine(http.account, WITH_IN_REVIEW)
    id = http.sdk_created()
    for step in [*steps, "30d"]:
        http.advance(step)
    assert told(http, id)[1] == ("in_review", "time", timedelta(hours=1))
    assert told(http, id)[2][0] == "accepted"


def test_a_decision_waits_for_the_status_that_it_is_made_in(http: Http) -> None:
    """One that is due before is made at the instant at which that status is entered."""
    machines.use_machine(http.account, load_machine(IN_REVIEW.replace(", not_before: 1d", "")))
    http.account.configure({"review_delay": "0s"})
    id = http.sdk_created()
    http.advance("2h")
    hour = timedelta(hours=1)
    assert told(http, id)[1:] == [("in_review", "time", hour), ("accepted", "reviewer", hour)]


def test_the_reviewer_takes_his_time(http: Http) -> None:
    """A decision that falls sooner than the arrow lets it is made when it may be."""
    slow = {"from": "in_review", "to": "accepted", "by": "reviewer", "not_before": "1d"}
    told_to = _plain(IN_REVIEW)
    told_to["arrows"] = [slow, *(each for each in told_to["arrows"] if each["to"] != "accepted"),
                         {"from": "submitted", "to": "accepted", "by": None}]  # fmt: skip
    machines.use_machine(http.account, load_machine_data(told_to))
    http.account.configure({"review_delay": "0s"})
    id = http.sdk_created()
    http.advance("2d")
    hour = timedelta(hours=1)
    assert told(http, id)[1:] == [
        ("in_review", "time", hour), ("accepted", "reviewer", hour + days(1)),
    ]  # fmt: skip


def test_who_leaves_a_status_is_not_taken_out_of_it_later(http: Http) -> None:
    """The timer goes with it: reinstated, an acceptance lasts a year from then."""
    machines.use_machine(http.account, WITH_YEARS)
    id = http.sdk_created()
    http.advance("10d")
    assert [timer.subject_id for timer in automatic(http.account)] == [id]
    http.decide(id, "suspended")
    assert automatic(http.account) == []
    http.advance("20d")
    http.decide(id, "accepted")
    began = applications.get(http.account, id).timeline[-1].at
    http.advance("364d")
    assert applications.get(http.account, id).status == "accepted"
    http.advance("1d")
    last = applications.get(http.account, id).timeline[-1]
    assert (last.status, last.by, last.at) == ("expired", "time", began + days(365))
    assert last.reason == "No reason given."


def test_a_deleted_application_waits_for_nothing(http: Http) -> None:
    """Its timers go with it."""
    machines.use_machine(http.account, WITH_IN_REVIEW)
    id = http.sdk_created()
    http.delete(f"PhoneNumber/Compliance/{id}/")
    assert list(http.account.store.timers.every()) == []


def test_a_correction_is_reviewed_by_its_own_plan_only(http: Http) -> None:
    """A review that was overtaken by an automatic rejection does not decide the next attempt."""
    late = load_machine_data(
        {
            "machine": "late",
            "extends": "default",
            "arrows": [{"from": "submitted", "to": "rejected", "by": ["time", "hand"],
                        "after": "1d"}],
        }
    )  # fmt: skip
    machines.use_machine(http.account, late)
    http.account.configure({"review_delay": "36h"})
    id = http.sdk_created()
    http.advance("25h")
    assert applications.get(http.account, id).status == "rejected"
    answer = http.sdk_send("PATCH", f"PhoneNumber/Compliance/{id}/", {"alias": "again"}, {})
    assert answer.status_code == 200, answer.get_json()
    assert applications.get(http.account, id).status == "submitted"
    http.advance("12h")
    assert applications.get(http.account, id).status == "submitted"


def test_a_new_machine_counts_from_when_the_status_was_entered(http: Http) -> None:
    """What is past due happens at once; a change back takes the timers away."""
    id = http.sdk_created()
    http.advance("30m")
    machines.use_machine(http.account, WITH_IN_REVIEW)
    (timer,) = automatic(http.account)
    assert timer.due_at == applications.get(http.account, id).timeline[0].at + timedelta(hours=1)
    machines.drop_machine(http.account)
    assert automatic(http.account) == []
    http.advance("2h")
    machines.use_machine(http.account, WITH_IN_REVIEW)
    http.advance("0s")
    assert applications.get(http.account, id).status == "in_review"


# --- who decides -----------------------------------------------------------------------------


def test_only_an_arrow_by_hand_is_a_testers(http: Http) -> None:
    """The reviewer's own way is not open to him."""
    only = load_machine_data(
        {
            "machine": "strict",
            "extends": "default",
            "arrows": [{"from": "submitted", "to": "accepted", "by": "reviewer"}],
        }
    )
    machines.use_machine(http.account, only)
    id = http.sdk_created()
    assert http.decide(id, "accepted").status_code == 409
    http.advance("10d")
    assert applications.get(http.account, id).status == "accepted"


def test_a_magic_value_without_its_way_decides_nothing(http: Http) -> None:
    """The application is decided as any other."""
    none = load_machine_data(
        {"machine": "no-expiry", "extends": "default", "statuses": {"expired": None}}
    )
    machines.use_machine(http.account, none)
    id = http.sdk_created(alias="SIM-EXPIRE")
    http.advance("1000d")
    assert [status for status, _, _ in told(http, id)] == ["submitted", "accepted"]


def test_the_machine_may_say_the_default_review(http: Http) -> None:
    """Its delay comes before the server's, the account's own before both."""
    slow = load_machine_data(
        {"machine": "slow", "extends": "default",
         "review": {"outcome": "rejected", "delay": "40d",
                    "cases": [{"user_type": "individual", "outcome": "accepted"}]}}
    )  # fmt: skip
    machines.use_machine(http.account, slow)
    id = http.sdk_created()
    http.advance("39d")
    assert applications.get(http.account, id).status == "submitted"
    http.advance("1d")
    assert applications.get(http.account, id).status == "rejected"
    http.account.configure({"review_delay": "1h"})
    other = http.sdk_created(alias="other")
    http.advance("1h")
    assert applications.get(http.account, other).status == "rejected"


# --- journals and snapshots ------------------------------------------------------------------


def kept(folder: Path, machine: str = "default") -> Http:
    """A simulator that keeps its state, as another process left it."""
    sim = make_simulator(
        Settings(state=folder, machine=machine, **KEPT), transport=MemoryTransport()
    )
    return Http(create_app(sim), sim)


def abandon(http: Http) -> None:
    """End it as a kill does: nothing more is written."""
    for account in http.sim.accounts():
        account.store.close()
    http.sim._on_close()


@pytest.mark.parametrize("end", [lambda http: http.sim.close(), abandon], ids=["closed", "killed"])
def test_a_restart_keeps_the_machine_and_what_is_due(
    tmp_path: Path, end: Callable[[Http], None]
) -> None:
    """The automatic arrow is taken at the instant that it was set for."""
    first = kept(tmp_path)
    machines.use_machine(first.account, WITH_IN_REVIEW)
    id = first.sdk_created()
    first.advance("40m")
    end(first)
    second = kept(tmp_path)
    assert second.account.machine == WITH_IN_REVIEW
    second.advance("20m")
    assert told(second, id)[1:] == [("in_review", "time", timedelta(hours=1))]
    second.sim.close()


def test_a_server_with_another_machine_sees_to_the_timers(tmp_path: Path) -> None:
    """Those of the old one go, those of the new one come."""
    path = tmp_path / "yearly.yaml"
    path.write_text("machine: yearly\nextends: default\n"
                    "arrows: [{from: accepted, to: expired, after: 365d}]\n")  # fmt: skip
    first = kept(tmp_path / "state")
    id = first.sdk_created()
    first.advance("10d")
    first.sim.close()
    second = kept(tmp_path / "state", str(path))
    assert [timer.subject_id for timer in automatic(second.account)] == [id]
    second.sim.close()
    third = kept(tmp_path / "state")
    assert automatic(third.account) == []
    third.sim.close()


def test_a_server_whose_machine_lacks_a_status_in_use_does_not_start(tmp_path: Path) -> None:
    """It names the application and the status."""
    path = tmp_path / "in-review.yaml"
    path.write_text(IN_REVIEW)
    first = kept(tmp_path / "state", str(path))
    id = first.sdk_created()
    first.advance("1h")
    first.sim.close()
    lacks = f"{id}.status: machine default has no status 'in_review'; these .* do: in-review"
    with pytest.raises(StateUnreadable, match=lacks) as e:
        kept(tmp_path / "state")
    says = "not in machine default; start with the one that this was written with: --machine"
    assert says in str(e.value)


def test_a_snapshot_brings_its_machine_along(http: Http) -> None:
    """And its automatic arrows, to a simulator that knows neither."""
    machines.use_machine(http.account, WITH_IN_REVIEW)
    id = http.sdk_created()
    http.advance("30m")
    document = _snapshot(http)
    http.sim.remove(http.account)
    with http.account.lock:
        http.sim.restore(http.account, load_snapshot(http.account, document))
    assert http.account.machine == WITH_IN_REVIEW
    http.advance("30m")
    assert told(http, id)[1:] == [("in_review", "time", timedelta(hours=1))]


def _snapshot(http: Http) -> Any:
    with http.account.lock:
        return json.loads(encode_json(save_snapshot(http.account, http.account.mark())))


def test_a_snapshot_without_its_machine_is_refused(http: Http) -> None:
    """Its statuses are checked against the machine that it has."""
    machines.use_machine(http.account, WITH_IN_REVIEW)
    id = http.sdk_created()
    http.advance("1h")
    document = _snapshot(http)
    del document["tables"]["policies"]["machine"]
    with pytest.raises(Invalid) as caught, http.account.lock:
        load_snapshot(http.account, document)
    places = {problem.path: problem.text for problem in caught.value.problems}
    text = places["tables", "applications", id, "status"]
    assert text == "machine default has no status 'in_review'; these that ship do: in-review"


def test_a_snapshot_with_a_wrong_machine_is_refused(http: Http) -> None:
    """As if somebody gave it now."""
    machines.use_machine(http.account, WITH_YEARS)
    document = _snapshot(http)
    body = document["tables"]["policies"]["machine"]["body"]
    document["tables"]["policies"]["machine"]["body"] = body.replace("expired", "expird", 1)
    with pytest.raises(Invalid, match="there is no status 'expired'"), http.account.lock:
        load_snapshot(http.account, document)


def test_a_review_that_time_has_overtaken_is_part_of_a_snapshot(http: Http) -> None:
    """What an account came to hold by itself is no reason to refuse it."""
    soon = "machine: soon\nextends: default\narrows:\n"
    soon += "  - {from: submitted, to: accepted, by: [reviewer, time, hand], after: 1h}\n"
    machines.use_machine(http.account, load_machine(soon))
    http.sdk_created()
    http.advance("2h")
    document = _snapshot(http)
    with http.account.lock:
        http.sim.restore(http.account, load_snapshot(http.account, deepcopy(document)))
    assert _snapshot(http) == document


def test_a_machine_of_a_mark_is_restored_with_it(http: Http) -> None:
    """A snapshot in memory, too."""
    account = http.account
    machines.use_machine(account, WITH_YEARS)
    with account.lock:
        mark = account.mark()
    machines.drop_machine(account)
    http.sim.restore(account, mark)
    assert account.machine == WITH_YEARS


def test_an_account_may_have_the_machine_of_a_file(http: Http) -> None:
    """As text, as the control API will hand it over."""
    machines.use_machine(http.account, load_machine(IN_REVIEW))
    assert machines.chosen_by(http.account) == "account"
