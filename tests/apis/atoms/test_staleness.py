"""What Atoms knows lags behind Plivo as far as the webhook policy makes it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Request

from plivo_sim.apis.atoms.presenters import AlreadyExists, error_body
from plivo_sim.apis.atoms.reading import ReadForm
from plivo_sim.apis.atoms.service import Applications, Identity, Plivo, RequirementCache
from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.services.inputs import DocumentDraft
from plivo_sim.settings import Settings
from plivo_sim.web.calls import Call
from plivo_sim.webhooks.transport import MemoryTransport
from tests.apis.atoms.support import Atoms, errors
from tests.support import Http


def deliveries(atoms: Atoms) -> list[dict[str, Any]]:
    answer = atoms.http.control("GET", "/webhooks", account=atoms.auth_id)
    return answer.get_json()["webhooks"]


def test_a_callback_tells_atoms_at_its_own_instant(atoms: Atoms) -> None:
    """Simulated time: three business days after Monday 09:00."""
    made = atoms.submitted()
    atoms.http.advance("30d")
    known = atoms.known(made)
    assert known["status"] == "accepted"
    assert known["rejectionReason"] is None
    assert known["updatedAt"] == "2026-01-08T09:00:00.000Z"


def test_callbacks_stay_in_the_process_and_are_in_the_log(
    atoms: Atoms, transport: MemoryTransport
) -> None:
    """With payload, attempt and answer, like any other."""
    made = atoms.rejected("Blurred scan")
    assert transport.sent == []
    (delivery,) = deliveries(atoms)
    assert (delivery["url"], delivery["state"]) == ("atoms://compliance/callback", "delivered")
    assert delivery["payload"] == {
        "compliance_id": made["plivoComplianceId"],
        "status": "rejected",
        "rejection_reason": "Blurred scan",
    }
    assert [each["status"] for each in delivery["attempts"]] == [200]


def test_what_is_due_is_known_before_a_call_is_served(atoms: Atoms) -> None:
    """On a server, too, where other callbacks wait for a thread."""
    atoms.sim.runner.wake = lambda account: None
    made = atoms.submitted()
    atoms.decide(made, "rejected")
    assert atoms.known(made)["status"] == "rejected"


def test_an_advance_tells_of_them(atoms: Atoms) -> None:
    """The decision, then the callback, at one instant."""
    atoms.submitted()
    happened = atoms.http.advance("3 business days")["happenings"]
    assert [each["type"] for each in happened] == ["transition", "callback"]
    assert happened[0]["at"] == happened[1]["at"]


def test_a_dropped_callback_leaves_it_stale(atoms: Atoms) -> None:
    """For ever, and a submission is refused with the stale status."""
    atoms.policy(drop=1)
    made = atoms.submitted()
    atoms.decide(made, "rejected")
    atoms.http.advance("30d")
    assert atoms.at_plivo(made) == "rejected"
    assert atoms.known(made) == made
    assert errors(atoms.submit(), 409)[0].endswith("Status: submitted")


def test_a_stale_application_cannot_be_resubmitted_before_a_refresh(atoms: Atoms) -> None:
    """Atoms believes that it is still in review."""
    atoms.policy(drop=-1)
    made = atoms.submitted()
    atoms.decide(made, "rejected")
    errors(atoms.resubmit(made["_id"]), 400)
    atoms.refresh(made["_id"])
    assert atoms.resubmit(made["_id"]).status_code == 200


def test_plivo_refuses_what_atoms_wrongly_believes_possible(atoms: Atoms) -> None:
    """Rejected for Atoms, corrected at Plivo meanwhile: Plivo's text, and nothing changed."""
    made = atoms.rejected()
    path = f"PhoneNumber/Compliance/{made['plivoComplianceId']}/"
    assert atoms.http.sdk_send("PATCH", path, {"alias": "corrected"}, {}).status_code == 200
    assert atoms.known(made)["status"] == "rejected"
    before = atoms.state()
    assert errors(atoms.resubmit(made["_id"]), 400) == [
        "Compliance application must be in 'rejected' status"
    ]
    assert atoms.state() == before


def test_a_delayed_callback_comes_later(atoms: Atoms) -> None:
    """In simulated time."""
    atoms.policy(delay="2h")
    made = atoms.submitted()
    atoms.decide(made, "accepted")
    atoms.http.advance("119m")
    assert atoms.known(made)["status"] == "submitted"
    atoms.http.advance("1m")
    assert atoms.known(made)["status"] == "accepted"


def test_a_late_callback_overwrites_what_a_refresh_found(atoms: Atoms) -> None:
    """Atoms believes whatever comes last: the resubmitted one is rejected once more."""
    atoms.policy(delay="2h")
    made = atoms.submitted()
    atoms.decide(made, "rejected", "Blurred scan")
    atoms.refresh(made["_id"])
    assert atoms.resubmit(made["_id"]).status_code == 200
    atoms.http.advance("2h")
    assert atoms.known(made)["status"] == "rejected"
    assert atoms.at_plivo(made) == "submitted"
    assert atoms.refresh(made["_id"]).get_json()["data"]["status"] == "submitted"


def test_reordered_callbacks_leave_the_older_status(atoms: Atoms) -> None:
    """Suspended at Plivo, accepted for Atoms, until somebody refreshes."""
    atoms.policy(reorder=True)
    made = atoms.submitted()
    atoms.decide(made, "accepted")
    atoms.decide(made, "suspended", "complaints")
    atoms.http.advance("2s")
    assert atoms.at_plivo(made) == "suspended"
    assert atoms.known(made)["status"] == "accepted"
    assert atoms.refresh(made["_id"]).get_json()["data"]["status"] == "suspended"


def test_duplicates_do_no_harm(atoms: Atoms) -> None:
    """Each is a delivery of its own."""
    atoms.policy(duplicate=3)
    made = atoms.rejected()
    assert [each["state"] for each in deliveries(atoms)] == ["delivered"] * 4
    assert made["status"] == "rejected"


def test_retries_are_those_of_the_policy(atoms: Atoms) -> None:
    """Where 200 is no success, it is told again."""
    atoms.policy(success=[204], retries=["60s", "120s"])
    atoms.rejected()
    atoms.http.advance("3m")
    (delivery,) = deliveries(atoms)
    assert (delivery["state"], len(delivery["attempts"])) == ("failed", 3)


def test_form_encoded_callbacks_are_understood(atoms: Atoms) -> None:
    """As the account's setting has them."""
    atoms.configure(callback_encoding="form")
    assert atoms.rejected("Name & address differ")["rejectionReason"] == "Name & address differ"


def test_a_lost_callback_can_be_replayed(atoms: Atoms) -> None:
    """By the control API, as any other."""
    atoms.policy(drop=1)
    made = atoms.submitted()
    atoms.decide(made, "accepted")
    (lost,) = deliveries(atoms)
    assert atoms.http.control("POST", f"/webhooks/{lost['id']}/replay").status_code == 202
    assert atoms.known(made)["status"] == "accepted"


def test_the_account_wide_callback_is_not_for_atoms_applications(
    atoms: Atoms, transport: MemoryTransport
) -> None:
    """They have a callback of their own; others of the account have not."""
    atoms.configure(callback_url="http://127.0.0.1:9/account")
    atoms.rejected()
    atoms.http.decide(atoms.http.sdk_created(), "rejected")
    assert [request.url for request in transport.sent] == ["http://127.0.0.1:9/account"]


def test_a_callback_url_of_its_own_takes_them_away_from_atoms(
    atoms: Atoms, transport: MemoryTransport
) -> None:
    """Somebody corrects the application at Plivo and names another receiver."""
    made = atoms.rejected()
    path = f"PhoneNumber/Compliance/{made['plivoComplianceId']}/"
    data = {"callback_url": "http://127.0.0.1:9/mine"}
    assert atoms.http.sdk_send("PATCH", path, data, {}).status_code == 200
    atoms.decide(made, "accepted")
    assert [request.url for request in transport.sent] == ["http://127.0.0.1:9/mine"]
    assert atoms.known(made)["status"] == "rejected"


def test_an_application_that_plivo_has_no_more(atoms: Atoms) -> None:
    """Deleted there: Atoms keeps what it knew, and a refresh does not find it."""
    made = atoms.rejected()
    path = f"PhoneNumber/Compliance/{made['plivoComplianceId']}/"
    assert atoms.http.delete(path).status_code == 200
    assert atoms.known(made) == made
    errors(atoms.refresh(made["_id"]), 404)
    errors(atoms.resubmit(made["_id"]), 404)


def test_a_callback_under_way_when_the_application_is_deleted(atoms: Atoms) -> None:
    """Is not delivered."""
    atoms.policy(delay="1h")
    made = atoms.submitted()
    atoms.decide(made, "rejected")
    atoms.http.delete(f"PhoneNumber/Compliance/{made['plivoComplianceId']}/")
    atoms.http.advance("2h")
    assert atoms.known(made)["status"] == "submitted"
    assert [each["state"] for each in deliveries(atoms)] == ["cancelled"]


def test_a_snapshot_brings_back_what_atoms_knew(atoms: Atoms) -> None:
    """Record, callbacks under way and all."""
    atoms.policy(delay="1h")
    made = atoms.submitted()
    atoms.decide(made, "accepted")
    query = {"account": atoms.auth_id, "name": "before"}
    atoms.http.control("POST", "/snapshot", query)
    atoms.http.advance("1h")
    assert atoms.known(made)["status"] == "accepted"
    atoms.http.control("POST", "/restore", query)
    assert atoms.known(made) == made
    atoms.http.advance("1h")
    assert atoms.known(made)["status"] == "accepted"


def test_state_on_disk_keeps_the_record_and_its_callbacks(tmp_path: Path) -> None:
    """A delayed callback comes after a restart."""
    settings = Settings(paused=True, review_delay=None, state=tmp_path)
    sim = make_simulator(settings)
    atoms = Atoms(Http(create_app(sim), sim))
    atoms.policy(delay="1h")
    made = atoms.submitted()
    atoms.decide(made, "accepted")
    sim.close()
    sim = make_simulator(settings)
    atoms = Atoms(Http(create_app(sim), sim))
    assert atoms.known(made) == made
    atoms.http.advance("1h")
    assert atoms.known(made)["status"] == "accepted"
    sim.close()


def test_a_submission_while_plivo_is_asked_comes_first(atoms: Atoms) -> None:
    """What was free before the call to Plivo is looked at again before it takes effect."""

    class Slow(Plivo):
        @contextmanager
        def serve(self, what: str, compliance_id: str = "") -> Iterator[bool]:
            atoms.submitted()
            yield True

    type_a, type_b = (each["documentTypeId"] for each in atoms.documents())
    form = ReadForm(
        {"country_iso": "IN", "number_type": "local", "user_type": "business", "end_user": {}},
        [DocumentDraft(type_reference=type_a), DocumentDraft(type_reference=type_b)],
    )
    who = Identity(atoms.auth_id, "organization", "user")
    slow = Slow(Call(atoms.sim, error_body, Request({})), lambda call, told: None)
    applications = Applications(atoms.account, who, slow, RequirementCache())
    with pytest.raises(AlreadyExists):
        applications.submit(form, None)
    assert len(atoms.account.store.applications) == 1


def test_submissions_at_once_make_one_application(atoms: Atoms) -> None:
    """The others are refused with 409, and Plivo has one application."""
    fields = atoms.fields()

    def submit(_: int) -> int:
        return atoms.send("POST", "/applications", fields, None).status_code

    with ThreadPoolExecutor(8) as threads:
        statuses = sorted(threads.map(submit, range(8)))
    assert statuses == [201] + [409] * 7
    assert len(atoms.account.store.applications) == len(atoms.account.store.atoms_applications) == 1
