"""Callbacks reach the application through its socket: a verb returns when it has answered."""

import pytest

import app as filings

pytestmark = [
    pytest.mark.plivo_sim(auth_id=filings.AUTH_ID, auth_token=filings.AUTH_TOKEN),
    pytest.mark.usefixtures("served"),
]


def test_submitted_accepted(client, plivo_server):
    id = client.post("/filings", json={"company": "Acme"}).json["id"]
    assert client.get(f"/filings/{id}").json["status"] == "submitted"
    plivo_server.advance(business_days=3)
    assert client.get(f"/filings/{id}").json["statuses"] == ["submitted", "accepted"]


def test_rejected_corrected_accepted(client, plivo_server):
    id = client.post("/filings", json={"company": "Acme"}).json["id"]
    plivo_server.reject(id, "Name mismatch")
    stored = client.get(f"/filings/{id}").json
    assert (stored["status"], stored["reason"]) == ("rejected", "Name mismatch")

    client.patch(f"/filings/{id}", json={"company": "Acme Inc."})
    plivo_server.advance(business_days=3)
    stored = client.get(f"/filings/{id}").json
    assert stored["statuses"] == ["submitted", "rejected", "submitted", "accepted"]
    assert (stored["status"], stored["reason"]) == ("accepted", "")
