"""A scenario's mistakes, and who would decide a submission: both without changing anything."""

from __future__ import annotations

from typing import Any

import pytest

from plivo_sim.services import machines
from tests.machines.files import WITH_YEARS
from tests.support import AUTH_ID, Http

SCENARIO = """\
scenario: Whoever is called Acme waits.
rules:
  - {name: acme, when: {name: "Acme*", country: IN}, decide: rejected, reason: name_mismatch}
  - {name: once, when: {attempt: 1, alias: second}, decide: nothing, times: 1}
"""


def tried(http: Http, status: int = 200, **body: Any) -> Any:
    answer = http.control("POST", "/scenario/dry-run", {**body, "account": AUTH_ID})
    assert answer.status_code == status, answer.text
    return answer.get_json()


def use(http: Http, text: str = SCENARIO) -> None:
    answer = http.control("POST", "/scenario", {"yaml": text, "account": AUTH_ID})
    assert answer.status_code == 200, answer.text


def state(http: Http) -> Any:
    """All that the account holds, its counters too."""
    http.control("POST", "/snapshot", {"name": "now", "account": AUTH_ID})
    answer = http.control("GET", "/snapshot/now", account=AUTH_ID)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def test_a_made_up_application(http: Http) -> None:
    """The rule that would decide, when, and what nearly did."""
    use(http)
    told = tried(http, submit={"name": "Acme Traders", "alias": "mine"})
    assert (told["would"], told["decided_by"]) == ("rejected", "rule 'acme'")
    assert told["steps"][0]["reason"].startswith("Business name is not identical")
    told = tried(http, submit={"name": "Other", "alias": "mine"})
    assert told["decided_by"] == "default"
    assert [each["rule"] for each in told["near_misses"]] == ["acme"]
    assert told["rules"][0]["why"] == "name is 'Other', wanted 'Acme*'"


def test_an_application_of_the_account(http: Http) -> None:
    """As if it were sent once more; which attempt that is can be said."""
    end_user = http.sdk_data()["end_user"] | {"name": "Other"}
    id = http.sdk_created(alias="second", end_user=end_user)
    use(http)
    assert tried(http, application=id)["attempt"] == 2
    told = tried(http, application=id, attempt=1)
    assert (told["would"], told["decided_by"]) == ("stuck", "rule 'once'")


def test_nothing_is_changed(http: Http) -> None:
    """No counter, no next outcome, no explanation, no scenario."""
    id = http.sdk_created(alias="second")
    use(http)
    http.control("POST", "/next-outcome", {"decide": "rejected", "account": AUTH_ID})
    before = state(http)
    assert tried(http, application=id)["decided_by"] == "next outcome"
    tried(http, submit={"alias": "second"})
    tried(http, name="stuck-in-review")
    assert state(http) == before


def test_what_is_due_is_due_as_before(http: Http) -> None:
    """Also after many dry runs of a scenario whose machine plans all of it anew, each with other
    timers, as the account goes on in between."""
    account = http.account
    machines.use_machine(account, WITH_YEARS)
    waiting = {http.sdk_created(alias=f"number {n}") for n in range(20)}
    http.advance("30d")
    arrow = {"from": "accepted", "to": "expired", "after": "730d"}
    later = {"machine": "two-years", "extends": "default", "arrows": [arrow]}
    tried_out = {"scenario": "acceptances expire later", "machine": later}
    for n in range(30):
        assert tried(http, scenario=tried_out, submit={"name": "Acme"})["would"] == "accepted"
        http.sdk_created(alias=f"another, number {n}")
    http.advance("365d")
    assert {account.store.applications.fetch(id).status for id in waiting} == {"expired"}


def test_another_scenario_than_the_accounts(http: Http) -> None:
    """By name or as a text; its rules have never fired."""
    use(http)
    told = tried(http, name="stuck-in-review")
    assert (told["would"], told["decided_by"]) == ("stuck", "the scenario's default")
    assert told["scenario"].startswith("The application stays in review")
    use(http, SCENARIO.replace("alias: second", "alias: '*'"))
    http.sdk_created(end_user=http.sdk_data()["end_user"] | {"name": "Other"})
    assert tried(http, submit={"name": "Other"})["decided_by"] == "default"
    told = tried(
        http, submit={"name": "Other"}, yaml=SCENARIO.replace("alias: second", "alias: '*'")
    )
    assert told["decided_by"] == "rule 'once'"


def test_file_names_decide(http: Http) -> None:
    """Of rules, and of magic values."""
    use(http, 'scenario: Files decide.\nrules:\n  - {when: {file_names: "*blurred*"}}\n')
    files = {"gst_certificate": "a-blurred-scan.png"}
    assert tried(http, submit={"files": files})["decided_by"] == "rule 'rule 1'"
    files = {"gst_certificate": "sim-reject.png"}
    assert tried(http, submit={"files": files})["decided_by"].startswith("magic value SIM-REJECT")


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"application": "no-such"}, 404, "no-such"),
        ({"application": "x", "submit": {}}, 400, "give one of"),
        ({"name": "suspended", "yaml": "x"}, 400, "give one of"),
        ({"name": "no-such"}, 400, "no scenario of this name"),
        ({"yaml": "scenario: 1"}, 400, "line 1"),
        ({"submit": {"contry": "IN"}}, 400, "did you mean"),
        ({"submit": {"country": "AQ"}}, 400, "AQ"),
        ({"submit": "x"}, 400, "object"),
        ({"attempt": 0}, 400, "whole number"),
        ({"attempt": True}, 400, "whole number"),
        ({"atempt": 1}, 400, "did you mean"),
    ],
)
def test_what_cannot_be_tried(http: Http, body: dict[str, Any], status: int, told: str) -> None:
    """It is refused with a sentence."""
    assert told in str(tried(http, status, **body))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (SCENARIO, []),
        (
            "scenario: One with mistakes.\nrules:\n  - when: {contry: IN}\n    decide: acepted\n",
            [3, 4],
        ),
        ("scenario: [", [1]),
        ("", [0]),
    ],
)
def test_mistakes_are_told_with_their_lines(http: Http, text: str, lines: list[int]) -> None:
    """And nothing is used."""
    answer = http.control("POST", "/scenario/check", {"yaml": text, "account": AUTH_ID})
    told = answer.get_json()
    assert [each["line"] for each in told["mistakes"]] == lines
    assert told["valid"] is not bool(lines)
    assert all(each["text"] for each in told["mistakes"])
    assert http.control("GET", "/scenario", account=AUTH_ID).get_json()["scenario"] is None


@pytest.mark.parametrize(
    ("submit", "place"),
    [
        ({"name": "a" * 256}, "name"),
        ({"alias": "a" * 256}, "alias"),
        ({"registration_number": "a" * 256}, "registration_number"),
        ({"files": {"gst_certificate": "a" * 96 + ".pdf"}}, "files.gst_certificate"),
        ({"data_fields": {"x": "a" * 16_384}}, "data_fields"),
    ],
)
def test_what_no_call_could_send_is_refused(http: Http, submit: Any, place: str) -> None:
    """The limits are those of a submission."""
    assert f"submit.{place}" in str(tried(http, 400, submit=submit))
