"""Callbacks over the control API: the log, replay, and the built-in inbox.
Decision "Format of callbacks"."""

from __future__ import annotations

import json
from typing import Any

import pytest

from plivo_sim import __version__
from plivo_sim.account import logs
from plivo_sim.app import create_app
from plivo_sim.assembly import LiveSimulator, make_simulator
from plivo_sim.control import presenters
from plivo_sim.domain.limits import (
    INBOX_BODY,
    INBOX_BYTES,
    INBOX_MESSAGES,
    INBOX_NAME,
    Limit,
)
from plivo_sim.domain.records import DeliveryState
from plivo_sim.webhooks.transport import MemoryTransport
from tests.conftest import PAUSED
from tests.control.support import check_invalid, check_problem, other_account
from tests.support import AUTH_ID, TOKEN, Http, basic

CALLBACK = "http://127.0.0.1:9/cb"
START = "2026-01-05T09:00:00.000000Z"


def webhooks(http: Http, **query: str) -> list[dict[str, Any]]:
    answer = http.control("GET", "/webhooks", account=AUTH_ID, **query)
    assert answer.status_code == 200, answer.text
    told = answer.get_json()
    assert told["total_count"] >= len(told["webhooks"])
    return list(told["webhooks"])


def delivered(http: Http, **changes: Any) -> str:
    """The id of an application whose acceptance was called back."""
    id = http.sdk_created(callback_url=CALLBACK, **changes)
    assert http.decide(id, "accepted").status_code == 200
    return id


# --- the log ---------------------------------------------------------------------------------


def test_a_delivery_is_shown_with_every_attempt(http: Http, transport: MemoryTransport) -> None:
    """What was sent, byte by byte, and what came back."""
    id = delivered(http)
    (shown,) = webhooks(http)
    (attempt,) = shown.pop("attempts")
    assert shown == {
        "id": shown["id"],
        "application": id,
        "url": CALLBACK,
        "method": "POST",
        "payload": {"compliance_id": id, "status": "accepted"},
        "state": "delivered",
        "why": "submitted -> accepted",
        "created_at": START,
        "retries": 3,
    }
    (sent,) = transport.sent
    assert attempt | {"latency_s": 0.0} == {
        "at": START,
        "url": CALLBACK,
        "headers": dict(sent.headers),
        "body": sent.body.decode(),
        "status": 200,
        "answer": "",
        "damage": "",
        "error": None,
        "latency_s": 0.0,
    }
    assert attempt["headers"]["User-Agent"] == f"plivo-sim/{__version__}"
    assert attempt["headers"]["X-Plivo-Sim-Delivery"] == shown["id"]


def test_one_delivery_by_its_id(http: Http) -> None:
    """Ids need no account."""
    delivered(http)
    other_account(http)
    (shown,) = webhooks(http)
    assert http.control("GET", f"/webhooks/{shown['id']}").get_json() == shown


def test_failed_attempts_are_shown_one_by_one() -> None:
    """Each with its instant; after the last one the delivery has failed."""
    sim = make_simulator(PAUSED, transport=MemoryTransport(500, 404, 301, 503))
    http = Http(create_app(sim), sim)
    delivered(http)
    http.advance("1h")
    (shown,) = webhooks(http)
    sim.close()
    assert shown["state"] == "failed"
    assert [(each["at"][11:19], each["status"]) for each in shown["attempts"]] == [
        ("09:00:00", 500),
        ("09:01:00", 404),
        ("09:03:00", 301),
        ("09:07:00", 503),
    ]


def test_a_callback_to_a_public_host_is_blocked_and_says_so(http: Http) -> None:
    """It never goes out; the log names the setting that would let it."""
    http.sdk_created(callback_url="https://hooks.example.com/cb")
    http.advance("3d")
    (shown,) = webhooks(http)
    assert (shown["state"], shown["attempts"]) == ("blocked", [])
    assert "--allow-callback-hosts hooks.example.com" in shown["why"]


def test_the_log_is_filtered_and_paged(http: Http) -> None:
    """By application and state, oldest first."""
    first, second = delivered(http, alias="1"), delivered(http, alias="2")
    assert [each["application"] for each in webhooks(http)] == [first, second]
    assert [each["application"] for each in webhooks(http, application=second)] == [second]
    assert [each["application"] for each in webhooks(http, offset="1", limit="5")] == [second]
    assert len(webhooks(http, state="delivered")) == 2
    assert webhooks(http, state="failed") == []


def test_an_application_that_there_is_not(http: Http) -> None:
    """404, as it never has a callback; one that has none yet, or is deleted, has a list."""
    silent, told = http.sdk_created(), http.sdk_created(alias="2", callback_url=CALLBACK)
    http.decide(told, "rejected")
    answer = http.control("GET", "/webhooks", account=AUTH_ID, application="none")
    assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")
    assert webhooks(http, application=silent) == []
    assert http.delete(f"PhoneNumber/Compliance/{told}/").status_code < 300
    assert len(webhooks(http, application=told)) == 1
    assert webhooks(http, application=told, state="failed") == []


def test_an_unknown_state(http: Http) -> None:
    """400 that lists those there are."""
    http.sdk_created()
    text = f"must be one of {', '.join(DeliveryState)}"
    check_invalid(http.control("GET", "/webhooks", state="lost"), "state", text)


@pytest.mark.parametrize(("method", "tail"), [("GET", ""), ("POST", "/replay")])
def test_unknown_deliveries(http: Http, method: str, tail: str) -> None:
    """404 with the kind and the id."""
    http.sdk_created()
    answer = http.control(method, f"/webhooks/none{tail}")
    check_problem(answer, "not_found", "webhook 'none' not found", kind="webhook", id="none")


# --- replay ----------------------------------------------------------------------------------


def test_a_replay_sends_the_same_again_as_a_new_delivery(
    http: Http, transport: MemoryTransport
) -> None:
    """202 with the new record; the payload is what it was, id and nonce are not."""
    delivered(http)
    (first,) = webhooks(http)
    answer = http.control("POST", f"/webhooks/{first['id']}/replay")
    again = answer.get_json()
    assert (answer.status_code, again["state"], again["attempts"]) == (202, "pending", [])
    assert again["why"] == f"replay of {first['id']}"
    assert again["payload"] == first["payload"]
    assert again["id"] != first["id"]
    one, two = (dict(sent.headers) for sent in transport.sent)
    assert transport.sent[0].body == transport.sent[1].body
    assert one["X-Plivo-Signature-V3-Nonce"] != two["X-Plivo-Signature-V3-Nonce"]
    assert [each["state"] for each in webhooks(http)] == ["delivered", "delivered"]


def test_a_failed_delivery_can_be_replayed() -> None:
    """Which is what replay is for."""
    transport = MemoryTransport(500, 500, 500, 500)
    sim = make_simulator(PAUSED, transport=transport)
    http = Http(create_app(sim), sim)
    delivered(http)
    http.advance("1h")
    http.control("POST", f"/webhooks/{webhooks(http)[0]['id']}/replay")
    states = [each["state"] for each in webhooks(http)]
    sim.close()
    assert states == ["failed", "delivered"]


def test_a_replay_of_a_deleted_application(http: Http, transport: MemoryTransport) -> None:
    """The log outlives the application."""
    id = http.sdk_created(callback_url=CALLBACK)
    http.decide(id, "rejected")
    assert http.delete(f"PhoneNumber/Compliance/{id}/").status_code == 200
    (shown,) = webhooks(http)
    assert http.control("POST", f"/webhooks/{shown['id']}/replay").status_code == 202
    assert len(transport.sent) == 2


# --- the inbox -------------------------------------------------------------------------------


def messages(http: Http, name: str = "mine") -> list[dict[str, Any]]:
    answer = http.control("GET", f"/inbox/{name}/messages").get_json()
    assert answer["name"] == name
    return list(answer["messages"])


def test_the_inbox_keeps_what_it_receives(http: Http) -> None:
    """Method, URL, headers, query and body, oldest first; each name has its own."""
    post = http.call("POST", "/_sim/inbox/mine?a=1", data=b'{"x": 1}', headers={"X-Test": "yes"})
    assert (post.status_code, post.get_json()) == (200, {"received": True})
    assert http.call("GET", "/_sim/inbox/mine?b=2").status_code == 200
    first, second = messages(http)
    assert (first["method"], first["body"], first["query"]) == ("POST", '{"x": 1}', {"a": "1"})
    assert first["url"] == "http://127.0.0.1/_sim/inbox/mine?a=1"
    assert first["headers"]["X-Test"] == "yes"
    assert (second["method"], second["query"], second["body"]) == ("GET", {"b": "2"}, "")
    assert messages(http, "another") == []


def test_the_inbox_can_be_emptied(http: Http) -> None:
    """And goes on receiving."""
    http.call("POST", "/_sim/inbox/mine", data=b"1")
    answer = http.control("DELETE", "/inbox/mine/messages")
    assert answer.get_json() == {"name": "mine", "messages": [], "forgotten": 0, "uncertain": 0}


def test_what_an_inbox_has_forgotten_is_counted(http: Http) -> None:
    """The newest messages stay."""
    for n in range(INBOX_MESSAGES.most + 2):
        http.call("POST", "/_sim/inbox/full", data=str(n))
    answer = http.control("GET", "/inbox/full/messages").get_json()
    assert (len(answer["messages"]), answer["forgotten"]) == (INBOX_MESSAGES.most, 2)


def test_that_inboxes_went_is_told(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one that went, and of one that may have; not of one that was there, or emptied since."""
    monkeypatch.setattr(logs, "INBOXES", Limit("inboxes", 2, "inboxes", ""))
    for name in ("gone", "there", "new"):
        http.call("POST", f"/_sim/inbox/{name}", data=b"1")

    def uncertain(name: str) -> int:
        answer = http.control("GET", f"/inbox/{name}/messages").get_json()
        return int(answer["uncertain"])

    assert [uncertain(name) for name in ("gone", "there", "new", "other")] == [1, 0, 0, 1]
    http.control("DELETE", "/inbox/gone/messages")
    assert uncertain("gone") == 0


def test_a_name_that_is_too_long_is_no_inbox(http: Http) -> None:
    """It would take memory that nobody counts, and could not move with its account."""
    name = "x" * (INBOX_NAME.most + 1)
    for method, path in (("POST", ""), ("GET", ""), ("GET", "/messages"), ("DELETE", "/messages")):
        answer = http.control(method, f"/inbox/{name}{path}")
        assert (answer.status_code, "inbox_name" in answer.text) == (400, True)


def test_what_the_list_of_callbacks_has_forgotten_is_counted(
    http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest finished ones."""
    monkeypatch.setattr("plivo_sim.webhooks.outbox.KEPT_DELIVERIES", 2)
    for _ in range(3):
        delivered(http)
    answer = http.control("GET", "/webhooks", account=AUTH_ID).get_json()
    assert (answer["total_count"], answer["forgotten"]) == (2, 1)
    http.call("POST", "/_sim/inbox/mine", data=b"2")
    assert [each["body"] for each in messages(http)] == ["2"]


def test_the_inbox_is_bounded(http: Http) -> None:
    """The start of a long message, and the last of many."""
    http.call("POST", "/_sim/inbox/mine", data=b"x" * 100_000)
    assert len(messages(http)[0]["body"]) == 64 * 1024
    for n in range(501):
        http.call("POST", "/_sim/inbox/mine", data=str(n).encode())
    bodies = [each["body"] for each in messages(http)]
    assert (len(bodies), bodies[0], bodies[-1]) == (500, "1", "500")


def test_bytes_that_are_no_text_do_no_harm(http: Http) -> None:
    """They are shown as replacement characters."""
    http.call("POST", "/_sim/inbox/mine", data=b"\xff\xfe", content_type="application/pdf")
    assert messages(http)[0]["body"] == "��"


@pytest.mark.live
def test_callbacks_arrive_in_the_inbox(live: LiveSimulator) -> None:
    """Of the very simulator that sends them; whoever reads the inbox finds them there."""
    http = Http(create_app(live.sim), live.sim)
    id = http.sdk_created(callback_url=f"{live.url}/_sim/inbox/mine")
    http.decide(id, "rejected", "Blurred scan")
    served = Served(live.url)
    (message,) = served.get("/_sim/inbox/mine/messages")["messages"]
    assert json.loads(message["body"]) == {
        "compliance_id": id,
        "status": "rejected",
        "rejection_reason": "Blurred scan",
    }
    assert message["headers"]["X-Plivo-Signature-V3"]


class Served:
    """Reads from a simulator that is served."""

    def __init__(self, url: str) -> None:
        self._url = url

    def get(self, path: str) -> Any:
        import urllib3

        headers = {"Authorization": basic(AUTH_ID, TOKEN)}
        with urllib3.PoolManager() as pool:
            return json.loads(pool.request("GET", self._url + path, headers=headers).data)


def test_an_inbox_is_bounded_in_bytes(http: Http) -> None:
    """Large messages push older ones out, so that no inbox eats the memory."""
    for _ in range(INBOX_BYTES.most // INBOX_BODY.most + 3):
        http.call("POST", "/_sim/inbox/large", data=b"x" * INBOX_BODY.most)
    messages = http.control("GET", "/inbox/large/messages").get_json()["messages"]
    assert sum(len(each["body"]) for each in messages) <= INBOX_BYTES.most
    assert len(messages) > 20


def test_a_list_is_made_without_the_account(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is free again, however long the list is."""
    delivered(http)
    held, delivery_of = [], presenters.delivery_of

    def shown(*given: Any) -> Any:
        held.append(http.account.lock.raw._is_owned())
        return delivery_of(*given)

    monkeypatch.setattr(presenters, "delivery_of", shown)
    assert len(webhooks(http)) == 1
    assert held == [False]
