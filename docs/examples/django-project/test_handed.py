"""Callbacks are handed to the site's test client: forged, twice, in any order."""

import pytest
from django.conf import settings

from filings.models import Filing

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.plivo_sim(auth_id=settings.PLIVO_AUTH_ID, auth_token=settings.PLIVO_AUTH_TOKEN),
]
JSON = "application/json"


@pytest.fixture
def filing(client, inbox, db):
    """One whose callbacks come to the inbox."""
    client.post("/filings", {"company": "Acme"}, content_type=JSON)
    return Filing.objects.get()


def test_a_callback_that_comes_twice_is_stored_once(client, plivo_server, inbox, filing):
    plivo_server.webhooks(duplicate=1)
    plivo_server.reject(filing.id, "Name mismatch")
    first, again = inbox.messages
    assert first.headers["X-Plivo-Sim-Delivery"] == again.headers["X-Plivo-Sim-Delivery"]
    for message in (first, again):
        assert message.send_to(client).status_code == 204
    filing.refresh_from_db()
    assert [change.status for change in filing.changes.all()] == ["submitted", "rejected"]
    assert filing.reason == "Name mismatch"


def test_a_late_callback_changes_nothing(client, plivo_server, inbox, filing):
    plivo_server.reject(filing.id, "Name mismatch")
    client.patch(f"/filings/{filing.id}", {"company": "Acme Inc."}, content_type=JSON)
    plivo_server.accept(filing.id)
    rejected, accepted = inbox.messages
    for message in (accepted, rejected):
        assert message.send_to(client).status_code == 204
    filing.refresh_from_db()
    assert filing.status == "accepted"


def test_a_forged_callback_is_refused(client, plivo_server, inbox, filing):
    plivo_server.webhooks(signature="wrong")
    plivo_server.accept(filing.id)
    (forged,) = inbox.messages
    assert forged.send_to(client).status_code == 403
    filing.refresh_from_db()
    assert filing.status == "submitted"
