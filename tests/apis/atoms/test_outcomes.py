"""Scenarios, magic values, outcome headers and faults, for submissions through Atoms."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apis.atoms.support import END_USER, TOKEN, Atoms, certificates, errors
from tests.support import PDF, PNG


def advanced(atoms: Atoms, made: dict[str, Any], by: str = "30d") -> tuple[str, str | None]:
    atoms.http.advance(by)
    known = atoms.known(made)
    return known["status"], known["rejectionReason"]


def use(atoms: Atoms, scenario: dict[str, Any]) -> None:
    body = {
        "scenario": {"scenario": "A scenario about Atoms.", **scenario},
        "account": atoms.auth_id,
    }
    answer = atoms.http.control("POST", "/scenario", body)
    assert answer.status_code == 200, answer.text


def hit(atoms: Atoms) -> str:
    """The fault that the journal names for the last call."""
    return str(list(atoms.account.exchanges)[-1].fault)


# --- who decides -------------------------------------------------------------------------------


def test_a_magic_value_in_the_name(atoms: Atoms) -> None:
    """The alias is made by Atoms, so the name and file names are where they go."""
    made = atoms.submitted(endUser=END_USER | {"name": "Acme SIM-REJECT-NAME-MISMATCH"})
    status, reason = advanced(atoms, made)
    assert status == "rejected"
    assert reason is not None
    assert "name" in reason.lower()


def test_a_magic_value_in_a_file_name(atoms: Atoms) -> None:
    """It rejects that document."""
    made = atoms.submitted(files=[("SIM-REJECT-UNREADABLE-SCAN.pdf", PDF), ("gst.png", PNG)])
    assert advanced(atoms, made)[0] == "rejected"


def test_an_outcome_header_on_a_submission(atoms: Atoms) -> None:
    """With its own delay and reason."""
    header = {"X-Plivo-Sim-Outcome": 'rejected; after=2h; reason="Blurred scan"'}
    made = atoms.submitted(headers=header)
    assert advanced(atoms, made, "2h") == ("rejected", "Blurred scan")


def test_an_outcome_header_on_a_resubmission(atoms: Atoms) -> None:
    """It counts for that attempt."""
    made = atoms.rejected()
    header = {"X-Plivo-Sim-Outcome": "rejected; after=1h; reason=Again"}
    atoms.resubmit(made["_id"], headers=header)
    assert advanced(atoms, made, "1h") == ("rejected", "Again")


@pytest.mark.parametrize(("api", "status"), [("atoms", "rejected"), ("new", "accepted")])
def test_a_rule_can_ask_for_the_api(atoms: Atoms, api: str, status: str) -> None:
    """``api: atoms``."""
    use(atoms, {"rules": [{"when": {"api": api}, "decide": "rejected"}]})
    assert advanced(atoms, atoms.submitted())[0] == status


def test_a_rule_can_ask_for_the_attempt(atoms: Atoms) -> None:
    """A resubmission is the second."""
    use(atoms, {"rules": [{"when": {"attempt": 1}, "decide": "rejected", "after": "1h"}]})
    made = atoms.submitted()
    assert advanced(atoms, made, "1h")[0] == "rejected"
    atoms.resubmit(made["_id"])
    assert advanced(atoms, made)[0] == "accepted"


def test_a_scenario_s_webhook_policy_reaches_atoms(atoms: Atoms) -> None:
    """All callbacks are lost in it."""
    use(atoms, {"webhooks": {"drop": -1}})
    made = atoms.submitted()
    assert advanced(atoms, made)[0] == "submitted"
    assert atoms.at_plivo(made) == "accepted"


# --- faults that hit the call to Atoms ----------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "status", "told"),
    [
        ({"effect": "error"}, 500, "Internal server error"),
        ({"effect": "error", "status": 401}, 401, "token is wrong"),
        ({"effect": "error", "status": 429}, 429, "Rate limit"),
        ({"effect": "error", "status": 418, "message": "teapot"}, 418, "teapot"),
        ({"effect": "rate_limited"}, 429, "Rate limit"),
        ({"effect": "expired_credentials"}, 401, "expired"),
        ({"effect": "unavailable"}, 502, "unavailable"),
    ],
)
def test_a_fault_in_atoms_itself(
    atoms: Atoms, fault: dict[str, Any], status: int, told: str
) -> None:
    """In the printed shape, without rate-limit headers; nothing is done."""
    atoms.requirements()
    atoms.fault(**fault, api="atoms", operation="atoms.submit")
    answer = atoms.submit()
    assert told in errors(answer, status)[0]
    assert atoms.status().get_json()["data"]["step"] == "form"


def test_applied_and_the_answer_lost(atoms: Atoms) -> None:
    """The client sees a failure, the application is there: the next try is a 409."""
    atoms.fault("error", api="atoms", operation="atoms.submit", applied=True, times=1)
    errors(atoms.submit(), 500)
    errors(atoms.submit(), 409)


@pytest.mark.parametrize("api", ["new", "legacy", "plivo-for-atoms"])
def test_faults_of_other_apis_do_not_hit_atoms_itself(atoms: Atoms, api: str) -> None:
    """A refresh of nothing asks nobody."""
    atoms.fault("error", api=api)
    errors(atoms.refresh("x"), 404)


# --- faults between Atoms and Plivo --------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"effect": "error"}, "Plivo's compliance API returned an error"),
        ({"effect": "error", "message": "boom"}, "Plivo's compliance API returned an error: boom"),
        ({"effect": "error", "status": 404}, "Plivo's compliance API returned an error"),
        ({"effect": "rate_limited"}, "Plivo's compliance API returned an error"),
        ({"effect": "expired_credentials"}, "Plivo's compliance API returned an error"),
        ({"effect": "unavailable"}, "Plivo's compliance API is unavailable"),
        ({"effect": "reset", "applied": False}, "Plivo's compliance API is unavailable"),
        ({"effect": "empty", "applied": False}, "Plivo's compliance API is unavailable"),
    ],
)
def test_502_when_plivo_does_not_answer_atoms(
    atoms: Atoms, fault: dict[str, Any], told: str
) -> None:
    """On every operation that asks it; nothing changes anywhere."""
    rejected = atoms.rejected(numberType="mobile")
    fields, documents = atoms.fields(), atoms.documents()
    atoms.fault(**fault, api="plivo-for-atoms")
    before = atoms.state()
    for answer in (
        atoms.requirements(userType="individual"),
        atoms.status(userType="individual"),
        atoms.send("POST", "/applications", fields, None),
        atoms.resubmit(rejected["_id"], documents=documents),
        atoms.refresh(rejected["_id"]),
    ):
        assert errors(answer, 502) == [told]
        assert "plivo-for" not in answer.text
    assert atoms.state() == before


@pytest.mark.parametrize(
    "fault",
    [
        {"effect": "reset"},
        {"effect": "truncated"},
        {"effect": "invalid_json"},
        {"effect": "error", "applied": True},
    ],
)
def test_plivo_s_answer_is_lost_on_the_way_to_atoms(atoms: Atoms, fault: dict[str, Any]) -> None:
    """Plivo has an application that Atoms knows nothing of; a second try makes a second one."""
    atoms.fault(**fault, api="plivo-for-atoms", operation="compliance.create", times=1)
    errors(atoms.submit(), 502)
    assert atoms.status().get_json()["data"]["step"] == "form"
    assert len(atoms.account.store.applications) == 1
    assert atoms.submit().status_code == 201
    assert len(atoms.account.store.applications) == 2


def test_a_resubmission_whose_answer_is_lost(atoms: Atoms) -> None:
    """Rejected for Atoms, in review at Plivo, so it cannot be sent again."""
    made = atoms.rejected()
    atoms.fault("reset", api="plivo-for-atoms", operation="compliance.update", times=1)
    errors(atoms.resubmit(made["_id"]), 502)
    assert atoms.known(made) == made
    assert atoms.at_plivo(made) == "submitted"
    told = errors(atoms.resubmit(made["_id"], certificates(b"3")), 502)
    assert told == ["Compliance application must be in 'rejected' status"]


def test_a_refusal_whose_answer_is_lost_is_502_too(atoms: Atoms) -> None:
    """Whatever Plivo said, Atoms did not hear it."""
    documents = [{"documentTypeId": "dt_1"}, {"documentTypeId": "dt_2"}]
    atoms.fault("reset", api="plivo-for-atoms", operation="compliance.create")
    errors(atoms.submit(documents=documents), 502)


def test_faults_choose_by_the_operation_at_plivo(atoms: Atoms) -> None:
    """Named as in the new API."""
    atoms.fault("error", api="plivo-for-atoms", operation="compliance.get")
    made = atoms.submitted()
    errors(atoms.refresh(made["_id"]), 502)
    assert hit(atoms) == "fault-1: error"


@pytest.mark.parametrize(
    "match",
    [{"method": "POST"}, {"path": "*/PhoneNumber/Compliance/"}, {"operation": "*.create"}],
)
def test_faults_choose_by_method_and_path_at_plivo(atoms: Atoms, match: dict[str, str]) -> None:
    """Those of the call that Atoms makes, not of the one that it serves."""
    atoms.fault("error", api="plivo-for-atoms", **match)
    assert atoms.requirements().status_code == 200
    errors(atoms.submit(), 502)


def test_faults_choose_by_the_application_at_plivo(atoms: Atoms) -> None:
    """Its id there."""
    one, other = atoms.submitted(), atoms.submitted(numberType="mobile")
    atoms.fault("error", api="plivo-for-atoms", application=one["plivoComplianceId"])
    assert atoms.refresh(other["_id"]).status_code == 200
    errors(atoms.refresh(one["_id"]), 502)


@pytest.mark.parametrize("api", ["*", "n*", "new"])
def test_only_the_very_name_hits_the_calls_of_atoms_to_plivo(atoms: Atoms, api: str) -> None:
    """So that a fault for everything strikes each call once."""
    atoms.requirements()
    atoms.fault("error", api=api, operation="compliance.*")
    assert atoms.submit().status_code == 201


def test_that_name_is_taken_in_any_case(atoms: Atoms) -> None:
    """As the names of the other APIs."""
    atoms.fault("error", api="Plivo-for-Atoms")
    errors(atoms.requirements(), 502)


def test_a_call_that_asks_nobody_does_not_use_a_fault_up(atoms: Atoms) -> None:
    """Refused by Atoms itself, it never reaches Plivo."""
    made = atoms.submitted()
    atoms.fault("error", api="plivo-for-atoms", times=1)
    errors(atoms.submit(), 409)
    errors(atoms.submit([]), 400)
    errors(atoms.resubmit(made["_id"]), 400)
    errors(atoms.refresh(made["_id"]), 502)


def test_a_slow_plivo_is_only_slow(atoms: Atoms) -> None:
    """The fault is noted, the answer is right."""
    atoms.fault("slow", api="plivo-for-atoms", latency_s=0.001)
    atoms.requirements()
    assert hit(atoms) == "fault-1: slow"


def test_faults_belong_to_the_organisation(atoms: Atoms) -> None:
    """Another's Plivo is up."""
    atoms.fault("unavailable", api="plivo-for-atoms")
    other = Atoms(atoms.http, token="atoms-key-2")
    assert other.submit().status_code == 201


def test_the_journal_masks_the_token(atoms: Atoms) -> None:
    """Header and cookie."""
    atoms.status()
    (exchange,) = list(atoms.account.exchanges)
    shown = exchange.shown()
    assert (shown["dialect"], shown["operation"]) == ("atoms", "atoms.status")
    assert TOKEN not in str(shown)
