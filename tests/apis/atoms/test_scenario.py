"""A scenario, through HTTP only: what a platform that files through Atoms may live to see."""

from __future__ import annotations

from tests.apis.atoms.support import Atoms, errors
from tests.support import SDK_AGENT


def test_a_lost_rejection_a_rented_number_and_a_suspension(atoms: Atoms) -> None:
    """Submitted, rejected, the webhook lost, refreshed, resubmitted, accepted, a number rented,
    suspended: what Atoms shows at each step."""
    plivo = atoms.http  # the same account, as Plivo's own API has it
    assert atoms.status().get_json()["data"]["step"] == "form"

    made = atoms.submitted()
    assert atoms.status().headers["X-Plivo-Sim-Account"] == atoms.auth_id
    assert made["status"] == "submitted"

    atoms.policy(drop=1)
    atoms.decide(made, "rejected", "Name on the GST certificate differs")
    plivo.advance("2d")
    assert atoms.known(made)["status"] == "submitted"
    lost = plivo.control("GET", "/webhooks", account=atoms.auth_id).get_json()["webhooks"]
    assert [each["state"] for each in lost] == ["dropped"]
    assert errors(atoms.submit(), 409) == [
        "A compliance application already exists for IN/local. Status: submitted"
    ]

    found = atoms.refresh(made["_id"]).get_json()["data"]
    assert (found["status"], found["rejectionReason"]) == (
        "rejected",
        "Name on the GST certificate differs",
    )
    assert atoms.status().get_json()["data"]["step"] == "rejected"

    again = atoms.resubmit(made["_id"])
    assert again.get_json()["data"]["status"] == "submitted"
    until = {"application": made["plivoComplianceId"], "status": "accepted"}
    plivo.control("POST", "/clock/advance", {"until": until, "account": atoms.auth_id})
    assert atoms.status().get_json()["data"]["step"] == "accepted"

    headers = {"User-Agent": SDK_AGENT}
    query = {"country_iso": "IN", "type": "local"}
    offers = plivo.get("PhoneNumber/", query_string=query, headers=headers).get_json()["objects"]
    number = offers[0]["number"]
    body = {"compliance_application_id": made["plivoComplianceId"]}
    rented = plivo.post(f"PhoneNumber/{number}/", json=body, headers=headers)
    assert rented.status_code == 201, rented.text
    assert plivo.get(f"Number/{number}/").get_json()["compliance_status"] == "accepted"

    atoms.decide(made, "suspended", "Unresolved complaints")
    shown = atoms.status().get_json()["data"]
    assert shown["step"] == "suspended"
    assert shown["application"]["rejectionReason"] == "Unresolved complaints"
    assert plivo.get(f"Number/{number}/").get_json()["compliance_status"] == "suspended"
    assert errors(atoms.submit(), 409)[0].endswith("Status: suspended")
    assert errors(atoms.resubmit(made["_id"]), 400) == [
        "Only rejected applications can be resubmitted. Status: suspended"
    ]
