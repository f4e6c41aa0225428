"""What the webhook policy does to callbacks."""

from __future__ import annotations

import json
from typing import Any

import plivo
import pytest

from plivo_sim.account.interfaces import Outgoing
from plivo_sim.webhooks.transport import MemoryTransport
from tests.support import AUTH_ID, TOKEN, Http

CALLBACK = "http://127.0.0.1:9/cb"


def policy(http: Http, **values: Any) -> None:
    answer = http.control("POST", "/webhooks/policy", values | {"account": AUTH_ID})
    assert answer.status_code == 200, answer.text


def states(http: Http) -> list[str]:
    found = http.control("GET", "/webhooks", account=AUTH_ID).get_json()["webhooks"]
    return [each["state"] for each in found]


def sent_statuses(transport: MemoryTransport) -> list[str]:
    return [json.loads(request.body)["status"] for request in transport.sent]


def signed_right(request: Outgoing) -> bool:
    headers = dict(request.headers)
    return plivo.utils.validate_v3_signature(
        request.method,
        request.url,
        headers["X-Plivo-Signature-V3-Nonce"],
        TOKEN,
        headers["X-Plivo-Signature-V3"],
        json.loads(request.body),
    )


def test_a_dropped_callback_never_goes_out(http: Http, transport: MemoryTransport) -> None:
    """The first is lost, the second gets through."""
    policy(http, drop=1)
    id = http.sdk_created(callback_url=CALLBACK)
    http.decide(id, "accepted")
    http.decide(id, "suspended", "complaints")
    assert sent_statuses(transport) == ["suspended"]
    assert states(http) == ["dropped", "delivered"]


def test_all_dropped(http: Http, transport: MemoryTransport) -> None:
    """``-1`` loses every one."""
    policy(http, drop=-1)
    id = http.sdk_created(callback_url=CALLBACK)
    http.decide(id, "accepted")
    http.decide(id, "suspended")
    assert (transport.sent, states(http)) == ([], ["dropped", "dropped"])


def test_a_delayed_callback_comes_later(http: Http, transport: MemoryTransport) -> None:
    """After the delay, in simulated time."""
    policy(http, delay="2h")
    id = http.sdk_created(callback_url=CALLBACK)
    http.decide(id, "accepted")
    http.advance("119m")
    assert transport.sent == []
    http.advance("1m")
    assert sent_statuses(transport) == ["accepted"]


def test_duplicates_carry_the_same_delivery_id(http: Http, transport: MemoryTransport) -> None:
    """So that a receiver can recognise the repeat."""
    policy(http, duplicate=2)
    http.decide(http.sdk_created(callback_url=CALLBACK), "accepted")
    ids = {dict(request.headers)["X-Plivo-Sim-Delivery"] for request in transport.sent}
    assert (len(transport.sent), len(ids)) == (3, 1)


def test_reordered(http: Http, transport: MemoryTransport) -> None:
    """The second callback arrives before the first."""
    policy(http, reorder=True)
    id = http.sdk_created(callback_url=CALLBACK)
    http.decide(id, "accepted")
    http.decide(id, "suspended")
    http.advance("2s")
    assert sent_statuses(transport) == ["suspended", "accepted"]


def test_a_held_callback_goes_out_at_last(http: Http, transport: MemoryTransport) -> None:
    """If nothing overtakes it, it comes after an hour."""
    policy(http, reorder=True)
    http.decide(http.sdk_created(callback_url=CALLBACK), "accepted")
    http.advance("1h")
    assert sent_statuses(transport) == ["accepted"]


@pytest.mark.parametrize("signature", ["valid", "wrong", "missing"])
def test_signatures(http: Http, transport: MemoryTransport, signature: str) -> None:
    """Right, wrong on purpose, or none at all."""
    policy(http, signature=signature)
    http.decide(http.sdk_created(callback_url=CALLBACK), "accepted")
    (request,) = transport.sent
    if signature == "missing":
        assert not [name for name, _ in request.headers if "Signature" in name]
    else:
        assert signed_right(request) is (signature == "valid")


def test_an_old_timestamp(http: Http, transport: MemoryTransport) -> None:
    """``age`` dates the callback back."""
    policy(http, age="1d")
    http.decide(http.sdk_created(callback_url=CALLBACK), "accepted")
    assert dict(transport.sent[0].headers)["Date"] == "Sun, 04 Jan 2026 09:00:00 GMT"


def test_an_old_timestamp_where_the_calendar_begins(http: Http, transport: MemoryTransport) -> None:
    """It goes back no further."""
    http.account.configure({"start": "0001-01-01T09:00:00Z"})
    policy(http, age="1d")
    http.decide(http.sdk_created(callback_url=CALLBACK), "accepted")
    assert dict(transport.sent[0].headers)["Date"] == "Mon, 01 Jan 0001 00:00:00 GMT"


def test_success_codes_and_schedule(http: Http, sim: Any, transport: MemoryTransport) -> None:
    """202 is no success here, so it is tried again after the policy's own wait."""
    transport._statuses.extend([202, 204])
    policy(http, success=[204], retries=["10s"])
    http.decide(http.sdk_created(callback_url=CALLBACK), "accepted")
    http.advance("10s")
    assert (len(transport.sent), states(http)) == (2, ["delivered"])


def test_no_retries(http: Http, transport: MemoryTransport) -> None:
    """An empty schedule gives up at once."""
    transport._statuses.append(500)
    policy(http, retries=[])
    http.decide(http.sdk_created(callback_url=CALLBACK), "accepted")
    assert states(http) == ["failed"]


def test_the_policy_can_be_taken_back(http: Http) -> None:
    """Then the scenario's, or none, holds again."""
    policy(http, drop=-1)
    http.control("DELETE", "/webhooks/policy", account=AUTH_ID)
    answer = http.control("GET", "/webhooks/policy", account=AUTH_ID)
    assert answer.get_json() == {}
