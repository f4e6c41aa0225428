"""The status machine of an account, by control calls."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from plivo_sim.account.account import Account
from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.machines import default_machine, shipped_names
from plivo_sim.services import machines, policies
from plivo_sim.settings import Settings
from plivo_sim.webhooks.transport import MemoryTransport
from tests.control.support import check_problem
from tests.machines.files import IN_REVIEW, NO_ACCEPTANCE, WITH_IN_REVIEW, YEARLY
from tests.support import AUTH_ID, Http

OTHER_ID = "MAYYYYYYYYYYYYYYYYYY"
YEARS = {
    "machine": "yearly",
    "extends": "default",
    "arrows": [{"from": "accepted", "to": "expired", "after": "365d"}],
}


def use(http: Http, **body: Any) -> TestResponse:
    return http.control("POST", "/machine", {"account": AUTH_ID} | body)


def told(http: Http, account: str = AUTH_ID) -> tuple[str, str]:
    answer = http.control("GET", "/machine", account=account).get_json()
    assert answer["account"] == account
    return answer["name"], answer["chosen_by"]


def problems(response: TestResponse) -> list[str]:
    assert response.status_code == 400
    return [f"{each['path']}: {each['message']}" for each in response.get_json()["problems"]]


def test_the_answers_to_a_change_tell_what_became_of_what_is_due(http: Http) -> None:
    """Of the account's machine, of a scenario's own, of a restore; null where it is the same."""
    http.sdk_created()
    http.control("POST", "/snapshot", {"name": "before", "account": AUTH_ID})
    planned, kept = (
        {"kept": 0, "planned": 1, "dropped": 0},
        {"kept": 1, "planned": 0, "dropped": 0},
    )
    assert use(http, yaml=NO_ACCEPTANCE).get_json()["due"] == planned
    assert use(http, yaml=NO_ACCEPTANCE).get_json()["due"] is None
    scenario = {"scenario": "It has its own.", "machine": "default"}
    body = {"scenario": scenario, "account": AUTH_ID}
    assert http.control("POST", "/scenario", body).get_json()["due"] == planned
    assert http.control("DELETE", "/scenario", account=AUTH_ID).get_json()["due"] == planned
    assert http.control("DELETE", "/machine", account=AUTH_ID).get_json()["due"] == planned
    body = {"name": "before", "account": AUTH_ID}
    assert http.control("POST", "/restore", body).get_json()["due"] == kept


def test_those_that_ship_are_listed_with_their_sentence(http: Http) -> None:
    """The default one first."""
    listed = http.control("GET", "/machines").get_json()["machines"]
    assert [each["name"] for each in listed] == shipped_names()
    assert listed[0] == {"name": "default", "about": default_machine().file.about}


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"yaml": IN_REVIEW}, "with-in-review"),
        ({"machine": YEARS}, "yearly"),
        ({"name": "default"}, "default"),
    ],
)
def test_an_account_has_its_own(http: Http, body: dict[str, Any], name: str) -> None:
    """By name, text or object; other accounts keep the server's. Then it goes back."""
    assert told(http) == ("default", "server")
    answer = use(http, **body)
    assert answer.status_code == 200
    assert answer.get_json()["name"] == name
    assert (told(http), told(http, OTHER_ID)) == ((name, "account"), ("default", "server"))
    dropped = http.control("DELETE", "/machine", account=AUTH_ID)
    assert dropped.get_json()["chosen_by"] == "server"
    assert told(http) == ("default", "server")


def test_the_answer_has_the_whole_machine(http: Http) -> None:
    """Of changes, too; it can be sent again as it is."""
    whole = use(http, yaml=IN_REVIEW).get_json()["machine"]
    assert list(whole["statuses"]) == list(WITH_IN_REVIEW.statuses)
    http.control("DELETE", "/machine", account=AUTH_ID)
    assert use(http, machine=whole).get_json()["machine"] == whole
    assert http.account.machine == WITH_IN_REVIEW


def test_every_mistake_is_told_at_once(http: Http) -> None:
    """With line and nearest word; nothing changes."""
    text = IN_REVIEW.replace("locks", "lokcs").replace("to: accepted, by: [", "to: acepted, by: [")
    found = problems(use(http, yaml=text))
    assert any(
        each.startswith("statuses.in_review.lokcs: line 4:") and "did you mean 'locks'?" in each
        for each in found
    )
    assert any(
        each.startswith("arrows[1].to: line 7:") and "did you mean 'accepted'?" in each
        for each in found
    )
    assert told(http) == ("default", "server")


def test_an_object_with_mistakes(http: Http) -> None:
    """The paths are the object's own."""
    found = problems(use(http, machine={"machine": "x", "extends": "defalt"}))
    assert found == ["extends: no machine of this name ships; did you mean 'default'?"]


def test_a_name_that_does_not_ship(http: Http) -> None:
    """The nearest is told; a path is not one."""
    assert problems(use(http, name="defautl")) == [
        ": no machine of this name ships; did you mean 'default'?"
    ]
    assert problems(use(http, name="../machines/default"))


@pytest.mark.parametrize(
    "body",
    [{}, {"name": "default", "yaml": "machine: x"}, {"name": 1}, {"yaml": []}, {"machine": None},
     {"machine": "default"}, {"yaml": ""}, {"nam": "default"}],
)  # fmt: skip
def test_one_of_three_is_given(http: Http, body: dict[str, Any]) -> None:
    """And has the right kind."""
    assert problems(use(http, **body))


def test_a_machine_without_the_status_of_an_application_is_refused(http: Http) -> None:
    """409 with its id, whichever way the machine goes; nothing changes."""
    use(http, yaml=IN_REVIEW)
    id = http.sdk_created()
    http.advance("1h")
    for answer in (
        use(http, name="default"),
        http.control("DELETE", "/machine", account=AUTH_ID),
    ):
        check_problem(
            answer,
            "wrong_state",
            f"cannot change the machine of application {id} in status in_review; "
            "machine default has no such status; delete the application, or decide it first: "
            f"accepted, rejected (plivo-sim apps decide {id} STATUS)",
        )
    assert told(http) == ("with-in-review", "account")


def test_a_machine_of_one_s_own_has_a_name_of_its_own(http: Http) -> None:
    """Not that of one that ships, unless it is the same."""
    found = problems(use(http, machine=YEARS | {"machine": "in-review"}))
    assert found == ["machine: 'in-review' is the name of one that ships: choose another"]
    same = {"machine": "default", "extends": "default", "about": default_machine().file.about}
    assert use(http, machine=same).status_code == 200


def test_a_machine_that_cannot_do_what_waits_is_refused(http: Http) -> None:
    """A next outcome, say."""
    body = {"decide": "more_info_required", "account": AUTH_ID}
    http.control("POST", "/next-outcome", body)
    arrows = [{"from": "submitted", "to": "more_info_required", "by": "hand"}]
    found = problems(use(http, machine={"machine": "x", "extends": "default", "arrows": arrows}))
    assert found == [
        ": a next outcome that waits in line does not fit machine x: 'more_info_required' is not "
        "one of accepted, nothing, rejected; plivo-sim scenario next --clear takes all of them back"
    ]
    assert http.control("DELETE", "/next-outcome", account=AUTH_ID).get_json() == {"waiting": 0}
    assert (
        use(http, machine={"machine": "x", "extends": "default", "arrows": arrows}).status_code
        == 200
    )


def test_a_scenario_whose_machine_an_application_needs_stays(http: Http) -> None:
    """The refusal speaks of the scenario, which is what was to be dropped."""
    scenario = {"scenario": "It looks first.", "machine": "in-review"}
    http.control("POST", "/scenario", {"scenario": scenario, "account": AUTH_ID})
    id = http.sdk_created()
    http.advance("1h")
    check_problem(
        http.control("DELETE", "/scenario", account=AUTH_ID),
        "wrong_state",
        f"cannot drop the scenario whose machine is in use by application {id} in status "
        "in_review; machine default has no such status; delete the application, or decide it "
        "first: accepted, rejected, more_info_required "
        f"(plivo-sim apps decide {id} STATUS)",
    )


def test_a_scenarios_own_counts_first(http: Http) -> None:
    """For as long as it is in use; the account's is kept meanwhile."""
    use(http, yaml=YEARLY)
    scenario = {"scenario": "It looks first.", "machine": "default"}
    body = {"scenario": scenario, "account": AUTH_ID}
    assert http.control("POST", "/scenario", body).status_code == 200
    assert told(http) == ("default", "scenario")
    http.control("DELETE", "/scenario", account=AUTH_ID)
    assert told(http) == ("yearly", "account")


def test_snapshots_carry_it(http: Http) -> None:
    """By name and as a document, which another account takes, too."""
    use(http, yaml=YEARLY)
    http.control("POST", "/snapshot", {"name": "years", "account": AUTH_ID})
    document = http.control("GET", "/snapshot/years", account=AUTH_ID).get_json()
    http.control("DELETE", "/machine", account=AUTH_ID)
    assert told(http) == ("default", "server")
    http.control("POST", "/restore", {"name": "years", "account": AUTH_ID})
    assert told(http) == ("yearly", "account")
    answer = http.control("POST", "/restore", {"snapshot": document, "account": OTHER_ID})
    assert answer.get_json()["machine"] == "yearly"
    assert told(http, OTHER_ID) == ("yearly", "account")


def test_an_export_carries_it(http: Http) -> None:
    """Among the policies."""
    use(http, yaml=YEARLY)
    policies = http.control("GET", "/export", account=AUTH_ID).get_json()["policies"].values()
    assert [each["kind"] for each in policies] == ["machine"]


def test_the_accounts_tell_it(http: Http) -> None:
    """With their settings."""
    use(http, yaml=YEARLY)
    (account,) = http.control("GET", "/accounts").get_json()["accounts"]
    assert (account["machine"], account["settings"]) == ("yearly", {})


@pytest.mark.parametrize("wanted", [AUTH_ID, "all"])
def test_a_reset_goes_back_to_the_servers(tmp_path: Path, wanted: str) -> None:
    """Which need not be the default one; health tells it."""
    path = tmp_path / "in-review.yaml"
    path.write_text(IN_REVIEW)
    settings = Settings(paused=True, review_delay=None, machine=str(path))
    sim = make_simulator(settings, transport=MemoryTransport())
    http = Http(create_app(sim), sim)
    assert told(http) == ("with-in-review", "server")
    use(http, yaml=YEARLY)
    assert http.control("POST", "/reset", {"account": wanted}).status_code == 200
    assert told(http) == ("with-in-review", "server")
    assert http.control("GET", "/health").get_json()["machine"] == "with-in-review"
    sim.close()


def test_coverage_lists_the_statuses_of_the_machine_in_use(http: Http) -> None:
    """Of the account that is named, or the only one; else of the server's."""
    use(http, yaml=IN_REVIEW)

    def listed(**query: str) -> bool:
        return "in_review" in http.control("GET", "/coverage", **query).get_json()["statuses"]

    assert listed()
    assert listed(account=AUTH_ID)
    http.control("POST", "/accounts", {"auth_id": OTHER_ID})
    assert (listed(), listed(account=OTHER_ID), listed(account=AUTH_ID)) == (False, False, True)


def test_it_is_kept(tmp_path: Path) -> None:
    """The next start has it, with the application that waits in its status."""

    def start() -> Http:
        sim = make_simulator(
            Settings(paused=True, review_delay=None, state=tmp_path), transport=MemoryTransport()
        )
        return Http(create_app(sim), sim)

    first = start()
    use(first, yaml=IN_REVIEW)
    id = first.sdk_created()
    first.advance("1h")
    first.sim.close()
    second = start()
    assert told(second) == ("with-in-review", "account")
    account = second.account
    assert account.store.applications.fetch(id).status == "in_review"
    second.advance("10d")
    assert account.store.applications.fetch(id).status == "accepted"
    second.sim.close()


def test_a_scenario_whose_machine_lacks_a_status_is_refused(http: Http) -> None:
    """When it comes and when it goes; nothing changes."""
    use(http, yaml=IN_REVIEW)
    id = http.sdk_created()
    http.advance("1h")
    scenario = {"scenario": "It looks first.", "machine": "default"}
    answer = http.control("POST", "/scenario", {"scenario": scenario, "account": AUTH_ID})
    assert answer.status_code == 409
    assert f"application {id} in status in_review" in answer.get_json()["detail"]
    assert http.control("GET", "/scenario", account=AUTH_ID).get_json()["scenario"] is None


@pytest.mark.parametrize("path", ["/machine", "/scenario"])
def test_nobody_comes_between_a_change_and_its_answer(
    http: Http, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Of two clients that change it at once, each is told of its own."""
    held = []

    def watched(real: Callable[..., None]) -> Callable[..., None]:
        def change(account: Account, *given: Any) -> None:
            held.append(account.lock.raw._is_owned())  # type: ignore[attr-defined]
            real(account, *given)

        return change

    for module, name in (
        (machines, "use_machine"), (machines, "drop_machine"), (policies, "use_scenario"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, watched(getattr(module, name)))
    name = "default" if path == "/machine" else "instant-accept"
    http.control("POST", path, {"name": name, "account": AUTH_ID})
    http.control("DELETE", path, account=AUTH_ID)
    assert held == [True, True]
