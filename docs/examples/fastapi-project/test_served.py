"""Callbacks reach the application through its socket: a verb returns when it has answered.

The application runs in the event loop of the test, so the verbs are those of ``aio``.
"""

import threading

import pytest

import main

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("served")]


async def test_submitted_accepted(client, plivo_server):
    filed = (await client.post("/filings", json={"company": "Acme"})).json()
    assert filed["status"] == "submitted"
    await plivo_server.aio.advance(business_days=3)
    stored = (await client.get(f"/filings/{filed['id']}")).json()
    assert stored["statuses"] == ["submitted", "accepted"]


async def test_rejected_corrected_accepted(client, plivo_server):
    url = f"/filings/{(await client.post('/filings', json={'company': 'Acme'})).json()['id']}"
    await plivo_server.aio.reject(url.removeprefix("/filings/"), "Name mismatch")
    stored = (await client.get(url)).json()
    assert (stored["status"], stored["reason"]) == ("rejected", "Name mismatch")

    await client.patch(url, json={"company": "Acme Inc."})
    await plivo_server.aio.advance(business_days=3)
    stored = (await client.get(url)).json()
    assert stored["statuses"] == ["submitted", "rejected", "submitted", "accepted"]
    assert (stored["status"], stored["reason"]) == ("accepted", "")


async def test_the_sdk_never_blocks_the_event_loop(client, plivo_server, monkeypatch):
    called_in = []
    request = main.client.request

    def noted(*args, **kwargs):
        called_in.append(threading.get_ident())
        return request(*args, **kwargs)

    monkeypatch.setattr(main.client, "request", noted)
    id = (await client.post("/filings", json={"company": "Acme"})).json()["id"]
    await plivo_server.aio.accept(id)
    assert len(called_in) == 3  # filed, looked at, looked at for the callback
    assert threading.get_ident() not in called_in
