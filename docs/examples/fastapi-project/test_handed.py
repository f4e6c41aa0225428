"""Callbacks are handed to the application's test client: forged, twice, in any order."""

import pytest

pytestmark = pytest.mark.anyio


@pytest.fixture
async def id(client, inbox):
    """That of a filing whose callbacks come to the inbox."""
    return (await client.post("/filings", json={"company": "Acme"})).json()["id"]


async def test_a_callback_that_comes_twice_is_stored_once(client, plivo_server, inbox, id):
    plivo_server.webhooks(duplicate=1)
    await plivo_server.aio.reject(id, "Name mismatch")
    first, again = inbox.messages
    assert first.headers["X-Plivo-Sim-Delivery"] == again.headers["X-Plivo-Sim-Delivery"]
    for message in (first, again):
        assert (await message.send_to(client)).status_code == 204
    stored = (await client.get(f"/filings/{id}")).json()
    assert stored["statuses"] == ["submitted", "rejected"]
    assert stored["reason"] == "Name mismatch"


async def test_a_late_callback_changes_nothing(client, plivo_server, inbox, id):
    await plivo_server.aio.reject(id, "Name mismatch")
    await client.patch(f"/filings/{id}", json={"company": "Acme Inc."})
    await plivo_server.aio.accept(id)
    rejected, accepted = inbox.messages
    for message in (accepted, rejected):
        assert (await message.send_to(client)).status_code == 204
    assert (await client.get(f"/filings/{id}")).json()["status"] == "accepted"


async def test_a_forged_callback_is_refused(client, plivo_server, inbox, id):
    plivo_server.webhooks(signature="wrong")
    await plivo_server.aio.accept(id)
    (forged,) = inbox.messages
    assert (await forged.send_to(client)).status_code == 403
    assert (await client.get(f"/filings/{id}")).json()["statuses"] == ["submitted"]
