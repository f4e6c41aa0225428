"""Callbacks reach the site through its socket: a verb returns when it has answered."""

import pytest
from django.conf import settings

from filings.models import Filing

pytestmark = [
    pytest.mark.plivo_sim(auth_id=settings.PLIVO_AUTH_ID, auth_token=settings.PLIVO_AUTH_TOKEN),
    pytest.mark.usefixtures("served"),
]
JSON = "application/json"


def statuses(filing):
    return [change.status for change in filing.changes.all()]


def test_submitted_accepted(client, plivo_server):
    client.post("/filings", {"company": "Acme"}, content_type=JSON)
    filing = Filing.objects.get()
    assert filing.status == "submitted"
    plivo_server.advance(business_days=3)
    assert statuses(filing) == ["submitted", "accepted"]


def test_rejected_corrected_accepted(client, plivo_server):
    client.post("/filings", {"company": "Acme"}, content_type=JSON)
    filing = Filing.objects.get()
    plivo_server.reject(filing.id, "Name mismatch")
    filing.refresh_from_db()
    assert (filing.status, filing.reason) == ("rejected", "Name mismatch")

    client.patch(f"/filings/{filing.id}", {"company": "Acme Inc."}, content_type=JSON)
    plivo_server.advance(business_days=3)
    filing.refresh_from_db()
    assert statuses(filing) == ["submitted", "rejected", "submitted", "accepted"]
    assert (filing.status, filing.reason) == ("accepted", "")
