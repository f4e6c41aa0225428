"""Callbacks are handed to the application's test client: forged, twice, in any order."""

import pytest

import app as filings

pytestmark = pytest.mark.plivo_sim(auth_id=filings.AUTH_ID, auth_token=filings.AUTH_TOKEN)


@pytest.fixture
def id(client, inbox):
    """That of a filing whose callbacks come to the inbox."""
    return client.post("/filings", json={"company": "Acme"}).json["id"]


def test_a_callback_that_comes_twice_is_stored_once(client, plivo_server, inbox, id):
    plivo_server.webhooks(duplicate=1)
    plivo_server.reject(id, "Name mismatch")
    first, again = inbox.messages
    assert first.headers["X-Plivo-Sim-Delivery"] == again.headers["X-Plivo-Sim-Delivery"]
    for message in (first, again):
        assert message.send_to(client).status_code == 204
    stored = client.get(f"/filings/{id}").json
    assert stored["statuses"] == ["submitted", "rejected"]
    assert stored["reason"] == "Name mismatch"


def test_a_late_callback_changes_nothing(client, plivo_server, inbox, id):
    plivo_server.reject(id, "Name mismatch")
    client.patch(f"/filings/{id}", json={"company": "Acme Inc."})
    plivo_server.accept(id)
    rejected, accepted = inbox.messages
    for message in (accepted, rejected):
        assert message.send_to(client).status_code == 204
    assert client.get(f"/filings/{id}").json["status"] == "accepted"


def test_a_forged_callback_is_refused(client, plivo_server, inbox, id):
    plivo_server.webhooks(signature="wrong")
    plivo_server.accept(id)
    (forged,) = inbox.messages
    assert forged.send_to(client).status_code == 403
    assert client.get(f"/filings/{id}").json["statuses"] == ["submitted"]
