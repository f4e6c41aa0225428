"""Callbacks in the console: the list, the page of one, replays, the policy, the inbox."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest

from plivo_sim.account.interfaces import Answer, Outgoing
from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.console.pages import PAGE_SIZE
from plivo_sim.webhooks.transport import MemoryTransport
from tests.apis.page import create_body
from tests.conftest import PAUSED
from tests.console.support import HOME, press, token_of
from tests.support import AUTH_ID, Http

CALLBACK = "http://127.0.0.1:9/cb"
NASTY = "<script>alert('x')</script>\"'><img src=x onerror=alert(1)>"
LIST = f"{HOME}/webhooks"
TRAFFIC = f"{HOME}/traffic"
POLICY = f"{HOME}/webhooks/policy"


def called_back(http: Http, url: str = CALLBACK, **changes: Any) -> str:
    """The id of the delivery that tells of a new application's acceptance."""
    id = http.sdk_created(callback_url=url, **changes)
    assert http.decide(id, "accepted").status_code == 200
    return deliveries(http)[-1]["id"]


def deliveries(http: Http) -> list[Any]:
    """What the control API lists, oldest first."""
    answer = http.control("GET", "/webhooks", account=AUTH_ID, limit="1000")
    return list(answer.get_json()["webhooks"])


def listed(http: Http, query: str = "") -> list[str]:
    """The ids on a list page, from above."""
    moved = http.get(f"{LIST}{query}")
    assert moved.status_code == 303
    page = http.get(moved.headers["Location"]).text
    return re.findall(r'type="checkbox" form="bulk" name="id" value="([^"]+)"', page)


def page_of(http: Http, id: str) -> str:
    """The text of a delivery's page, entities resolved."""
    answer = http.get(f"{LIST}/{id}")
    assert answer.status_code == 200
    return html.unescape(answer.text)


# --- the list --------------------------------------------------------------------------------


def test_newest_first(http: Http) -> None:
    """The list begins with the callback that was made last."""
    made = [called_back(http, alias=f"a{i}") for i in range(3)]
    assert listed(http) == made[::-1]


def test_pages(http: Http) -> None:
    """Each page holds the next older ones, none twice and none lost."""
    first = called_back(http)
    for _ in range(PAGE_SIZE):
        http.control("POST", f"/webhooks/{first}/replay")
    made = [each["id"] for each in deliveries(http)][::-1]
    assert listed(http) == made[:PAGE_SIZE]
    assert listed(http, "?page=2") == [first]


def test_the_pager_keeps_the_filter(http: Http) -> None:
    """The way to older callbacks is one within the same filter."""
    first = called_back(http)
    for _ in range(PAGE_SIZE):
        http.control("POST", f"/webhooks/{first}/replay")
    page = html.unescape(http.get(f"{TRAFFIC}?kind=callback&state=delivered").text)
    assert 'href="?kind=callback&state=delivered&page=2"' in page


def test_filter_by_state(http: Http) -> None:
    """Only callbacks in this state."""
    called_back(http)
    blocked = called_back(http, "https://hooks.example.com/cb", alias="b")
    assert listed(http, "?state=blocked") == [blocked]


def test_filter_by_application(http: Http) -> None:
    """Only the callbacks of this application."""
    first = called_back(http)
    called_back(http, alias="b")
    application = deliveries(http)[0]["application"]
    assert listed(http, f"?application={application}") == [first]


@pytest.mark.parametrize("query", ["?state=lost", "?application=none"])
def test_nothing_matches(http: Http, query: str) -> None:
    """A filter without a match says so, and how to see all."""
    called_back(http)
    page = http.get(f"{TRAFFIC}{query}").text
    assert "No matching call" in page
    assert f'href="{TRAFFIC}"' in page


def test_the_command_for_all_of_a_state_is_one(http: Http) -> None:
    """A link cannot put another command into the one that is shown for copying."""
    called_back(http)
    page = html.unescape(http.get(TRAFFIC, query_string={"state": "x; touch /y #"}).text)
    assert f"replay --all --state 'x; touch /y #' --account {AUTH_ID} --url http://" in page


def test_no_callback_yet(http: Http) -> None:
    """An empty list says what makes one, with a receiver to copy."""
    page = http.get(TRAFFIC).text
    assert "No call yet" in page
    assert "http://127.0.0.1/_sim/inbox/mine" in page


def test_a_retry_that_is_due_is_announced() -> None:
    """A callback that failed says when it is tried next."""
    sim = make_simulator(PAUSED, transport=MemoryTransport(500))
    http = Http(create_app(sim), sim)
    called_back(http)
    listed, page = (
        http.get(path).text for path in (TRAFFIC, f"{LIST}/{deliveries(http)[0]['id']}")
    )
    sim.close()
    for each in (listed, page):
        assert "retry 1 of 3" in each
    assert (
        'next at <time datetime="2026-01-05T09:01:00+00:00">2026-01-05 09:01:00.000 UTC' in listed
    )
    assert "The last try failed: 500. Retry 1 of 3 at " in page


@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_is_not_green(status: int) -> None:
    """It is not followed, and delivers nothing."""
    sim = make_simulator(PAUSED, transport=MemoryTransport(status))
    http = Http(create_app(sim), sim)
    page = page_of(http, called_back(http))
    sim.close()
    assert f'<span class="chip wait">{status}</span>' in page
    assert "A redirect is not followed" in page


class Answering:
    """A transport that always gives this answer."""

    immediate = True

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def send(self, request: Outgoing) -> Answer:
        return self._answer


@pytest.mark.parametrize(
    ("answer", "told", "not_told"),
    [
        (Answer(error="timed out after 5 s"), "it is too slow", "Is a receiver running there?"),
        (Answer(error="connection refused"), "Is a receiver running there?", "too slow"),
        (Answer(status=200, body="a", damage="it ended early: 1 of 9 bytes came"),
         "The body of the answer: it ended early: 1 of 9 bytes came.", "Is a receiver"),
    ],
)  # fmt: skip
def test_what_went_wrong_with_an_answer_is_told(answer: Answer, told: str, not_told: str) -> None:
    """A receiver that is slow is there; an answer that is damaged says so."""
    sim = make_simulator(PAUSED, transport=Answering(answer))
    http = Http(create_app(sim), sim)
    page = page_of(http, called_back(http))
    sim.close()
    assert told in page
    assert not_told not in page


def test_an_answer_with_a_cut_body_is_delivered() -> None:
    """Its status alone counts; every place that tells the answer says that its body was cut."""
    answer = Answer(status=200, body="a", damage="it ended early: 1 of 9 bytes came")
    sim = make_simulator(PAUSED, transport=Answering(answer))
    http = Http(create_app(sim), sim)
    id = called_back(http)
    (delivery,) = http.control("GET", "/webhooks").get_json()["webhooks"]
    assert delivery["state"] == "delivered"
    assert "The status alone counts, so it was delivered." in page_of(http, id)
    assert "200 (body cut)" in http.get(TRAFFIC).text
    application = delivery["application"]
    page = http.get(f"{HOME}/applications/{application}").text
    sim.close()
    assert "Your webhook answered 200 (body cut)." in page
    assert page.count("200 (body cut)") >= 3, "in the verdict, the sequence and the table"


def test_why_one_never_went_out(http: Http) -> None:
    """The list gives the short reason, the page of the callback what would help."""
    id = called_back(http, "https://hooks.example.com/cb")
    assert "blocked: hooks.example.com is not a local host</td>" in http.get(TRAFFIC).text
    assert "--allow-callback-hosts hooks.example.com" in page_of(http, id)


# --- one callback ----------------------------------------------------------------------------


def test_the_request_is_shown_as_it_was_sent(http: Http, transport: MemoryTransport) -> None:
    """Every header, the signatures among them, and the body to the byte."""
    page = page_of(http, called_back(http))
    (sent,) = transport.sent
    assert f"POST {CALLBACK}\n" in page
    assert all(f"{name}: {value}\n" in page for name, value in sent.headers)
    assert f"\n\n{sent.body.decode()}</pre>" in page


def test_every_attempt_is_shown() -> None:
    """Failed ones with what came back, the last try first."""
    sim = make_simulator(PAUSED, transport=MemoryTransport(500, 404, 301, 503))
    http = Http(create_app(sim), sim)
    id = called_back(http)
    http.advance("1h")
    page = page_of(http, id)
    sim.close()
    assert re.findall(r'>Try (\d) <span class="chip \w+">(\d+)<', page) == [
        ("4", "503"),
        ("3", "301"),
        ("2", "404"),
        ("1", "500"),
    ]
    assert "given up after 4 tries: 503" in page


def test_a_signature_is_checked(http: Http) -> None:
    """What was sent is valid by the account's token."""
    page = page_of(http, called_back(http))
    assert "V2 valid" in page
    assert "V3 valid" in page
    assert "Ma-V3 valid" in page


def test_a_wrong_signature_is_told(http: Http) -> None:
    """The page says so when the policy spoils it."""
    http.control("POST", "/webhooks/policy", {"signature": "missing", "account": AUTH_ID})
    http.sdk_created()
    page = page_of(http, called_back(http, alias="b"))
    assert "V3 not valid" in page
    assert "header x-plivo-signature-v3 is missing" in page


def test_the_printed_check_of_a_signature_works(http: Http) -> None:
    """The body that the page gives to curl is taken, and the answer is that it is valid."""
    page = page_of(http, called_back(http))
    printed = re.search(r"/_sim/webhooks/verify-signature[^ ]* -H '[^']+' -d '([^']+)'", page)
    assert printed is not None
    answer = http.control("POST", "/webhooks/verify-signature", json.loads(printed[1]))
    assert {each["valid"] for each in answer.get_json().values()} == {True}


def test_a_copy_and_its_original_lead_to_one_another(http: Http) -> None:
    """A duplicate names what it repeats, and the original its copies."""
    http.sdk_created()
    http.control("POST", "/webhooks/policy", {"duplicate": 1, "account": AUTH_ID})
    copy = called_back(http, alias="b")
    original = deliveries(http)[0]["id"]
    assert f'<dt>Copy of</dt><dd><a href="{LIST}/{original}">' in page_of(http, copy)
    assert f'<dt>Copies</dt><dd><a href="{LIST}/{copy}">' in page_of(http, original)


def test_a_replay_leads_to_what_it_repeats(http: Http) -> None:
    """The new callback names the old one."""
    first = called_back(http)
    press(http, "replay", id=first)
    page = page_of(http, deliveries(http)[-1]["id"])
    assert f'<dt>Repeats</dt><dd><a href="{LIST}/{first}">' in page


@pytest.mark.parametrize("dialect", ["current", "beta"])
def test_a_callback_is_called_by_what_it_says(http: Http, dialect: str) -> None:
    """Its status, and a beta's event; in the list, on its page and on its application's."""
    if dialect == "beta":
        path, headers = "PhoneNumber/Compliance/", {"X-Plivo-Sim-Dialect": "beta"}
        body = create_body(callback_url=CALLBACK)
        assert http.post(path, json=body, headers=headers).status_code == 201
        (made,) = http.account.store.applications.every()
        http.decide(made.id, "accepted")
    else:
        called_back(http)
    delivery = deliveries(http)[-1]
    said = {"current": "accepted", "beta": "compliance.approved, approved"}[dialect]
    path = f"{LIST}/{delivery['id']}"
    for page in (TRAFFIC, f"{HOME}/applications/{delivery['application']}"):
        assert f'<a href="{path}">{said}</a>' in http.get(page).text
    assert f"<h1>Callback: {said} " in page_of(http, delivery["id"])
    assert f"<title>{said} – " in page_of(http, delivery["id"])


def test_a_callback_leads_to_its_application(http: Http) -> None:
    """By its alias."""
    id = called_back(http, alias="Acme Mumbai")
    application = deliveries(http)[0]["application"]
    assert f'href="{HOME}/applications/{application}">Acme Mumbai</a>' in page_of(http, id)


def test_the_callback_of_a_deleted_application(http: Http) -> None:
    """The log outlives the application, and its page says so."""
    application = http.sdk_created(callback_url=CALLBACK)
    http.decide(application, "rejected")
    http.delete(f"PhoneNumber/Compliance/{application}/")
    assert f"{application}, deleted" in page_of(http, deliveries(http)[0]["id"])
    assert f"{application}, deleted" in http.get(TRAFFIC).text


@pytest.mark.parametrize("id", ["none", "%00", NASTY])
def test_an_unknown_callback_is_a_404_page(http: Http, id: str) -> None:
    """As HTML, with the id as text."""
    answer = http.get(f"{LIST}/{id.replace('/', '')}")
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "<script>alert" not in answer.text


# --- replay ----------------------------------------------------------------------------------


def test_a_replay_is_a_control_call(http: Http, transport: MemoryTransport) -> None:
    """It sends once more, and shows the command line and the call that do the same."""
    id = called_back(http)
    page = press(http, "replay", back=TRAFFIC, id=id).text
    assert len(transport.sent) == 2
    assert f"plivo-sim webhooks replay {id}" in page
    assert f"curl -X POST http://127.0.0.1/_sim/webhooks/{id}/replay" in page


def test_many_are_replayed(http: Http, transport: MemoryTransport) -> None:
    """Every one that was ticked."""
    ids = [called_back(http, alias=alias) for alias in "abc"]
    press(http, "replay", id=ids[:2])
    assert len(deliveries(http)) == len(transport.sent) == 5


def test_nothing_to_replay(http: Http) -> None:
    """Without a tick nothing is sent, and the page says what to do."""
    called_back(http)
    assert "Not done:</strong> tick the callbacks" in press(http, "replay").text
    assert len(deliveries(http)) == 1


def test_a_path_in_the_place_of_an_id_stays_an_id(http: Http) -> None:
    """A form cannot be made to call something else."""
    page = press(http, "replay", id="../clock/pause?x=").text
    assert "Not done" in page
    assert "/_sim/webhooks/..%2Fclock%2Fpause%3Fx%3D/replay" in page


@pytest.mark.parametrize(
    "do", ["replay", "webhook-policy", "drop-webhook-policy", "empty-inbox", "use-inbox"]
)
def test_a_wrong_token_is_refused(http: Http, do: str) -> None:
    """No button works without the page's token."""
    id = called_back(http)
    form = {"_token": "x" + token_of(http), "id": id, "account": AUTH_ID, "drop": "-1"}
    assert http.post(f"/console/do/{do}", data=form).status_code == 403
    assert len(deliveries(http)) == 1


# --- the policy ------------------------------------------------------------------------------


def policy(http: Http) -> Any:
    return http.control("GET", "/webhooks/policy", account=AUTH_ID).get_json()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"drop": "2"}, {"drop": 2}),
        ({"drop": "-1"}, {"drop": -1}),
        ({"duplicate": "3", "delay": "2h"}, {"duplicate": 3, "delay": "2h"}),
        ({"reorder": "yes"}, {"reorder": True}),
        ({"signature": "wrong", "age": "10m"}, {"signature": "wrong", "age": "10m"}),
        ({"signature": "valid"}, {}),
        ({"retries": "1m, 2 business days"}, {"retries": ["1m", "2 business days"]}),
        ({"retries": "none"}, {"retries": []}),
        ({"success": "200,202"}, {"success": [200, 202]}),
        ({"timeout_s": "0.5"}, {"timeout_s": 0.5}),
        ({"drop": "", "delay": " "}, {}),
    ],
)
def test_a_policy_is_set(http: Http, fields: dict[str, str], expected: dict[str, Any]) -> None:
    """The fields that are filled in, and no others."""
    http.sdk_created()
    assert 'class="done good"' in press(http, "webhook-policy", account=AUTH_ID, **fields).text
    assert policy(http) == expected


def test_the_policy_in_force_is_shown_as_a_scenario_says_it(http: Http) -> None:
    """Ready to be copied into a file."""
    http.sdk_created()
    press(http, "webhook-policy", account=AUTH_ID, drop="1", delay="2h")
    page = html.unescape(http.get(POLICY).text)
    assert 'webhooks:\n  delay: "2h"\n  drop: 1</pre>' in page


def test_a_policy_of_the_scenario_is_told_by_its_scenario(http: Http) -> None:
    """Until the account has one of its own."""
    http.sdk_created()
    scenario = {"scenario": "Everything is late.", "webhooks": {"delay": "1h"}}
    http.control("POST", "/scenario", {"scenario": scenario, "account": AUTH_ID})
    assert "That of the active scenario: Everything is late." in http.get(POLICY).text
    press(http, "webhook-policy", account=AUTH_ID)
    assert "The account's own policy, which changes nothing" in http.get(POLICY).text


@pytest.mark.parametrize(
    ("field", "value"),
    [("drop", "many"), ("delay", "soon"), ("success", "200, 999"), ("signature", "odd")],
)
def test_a_wrong_policy_is_told_and_shown_again(http: Http, field: str, value: str) -> None:
    """Nothing changes, and what was written is still in its field."""
    http.sdk_created()
    page = press(http, "webhook-policy", back=POLICY, account=AUTH_ID, **{field: value}).text
    assert "Not done:" in page
    assert policy(http) == {}
    if field != "signature":
        assert f'name="{field}"' in page
        assert f'value="{value}"' in page


def test_the_policy_is_dropped(http: Http) -> None:
    """Its button is there only while the account has one."""
    http.sdk_created()
    assert "drop-webhook-policy" not in http.get(POLICY).text
    press(http, "webhook-policy", account=AUTH_ID, drop="1")
    assert "drop-webhook-policy" in http.get(POLICY).text
    press(http, "drop-webhook-policy", account=AUTH_ID)
    assert policy(http) == {}


# --- the inbox -------------------------------------------------------------------------------


def send(http: Http, name: str, body: str, **headers: str) -> None:
    http.call("POST", f"/_sim/inbox/{name}", data=body, headers=headers)


def test_inboxes_are_listed_with_their_sizes(http: Http) -> None:
    """The one that began last is the first."""
    send(http, "one", "1")
    send(http, "two", "2")
    send(http, "two", "3")
    page = http.get(f"{HOME}/inbox").text
    assert re.findall(rf'{HOME}/inbox/\w+">(\w+)</a></td><td class="num">(\d+)', page) == [
        ("two", "2"),
        ("one", "1"),
    ]


def test_an_empty_inbox_says_how_to_fill_it(http: Http) -> None:
    """Both pages give a URL to copy."""
    assert "http://127.0.0.1/_sim/inbox/mine</pre>" in http.get(f"{HOME}/inbox").text
    page = http.get(f"{HOME}/inbox/other").text
    assert "This inbox is empty" in page
    assert "http://127.0.0.1/_sim/inbox/other</pre>" in page


def test_messages_newest_first(http: Http) -> None:
    """Numbered as they came, JSON indented."""
    send(http, "mine", '{"n":1}')
    send(http, "mine", "n=2")
    page = html.unescape(http.get(f"{HOME}/inbox/mine").text)
    assert page.index("n=2</pre>") < page.index('{\n  "n": 1\n}</pre>')
    assert "2 messages, newest first" in page


def test_what_a_get_carries_is_shown(http: Http) -> None:
    """A callback by GET has its fields in the query."""
    http.get("/_sim/inbox/mine?status=accepted&compliance_id=c1")
    page = http.get(f"{HOME}/inbox/mine").text
    assert "<dt>status</dt><dd>accepted</dd>" in page
    assert "No body." not in page


def test_messages_are_paged(http: Http) -> None:
    """The oldest is on the last page."""
    for n in range(PAGE_SIZE + 1):
        send(http, "mine", f"n={n}.")
    assert "n=0." not in http.get(f"{HOME}/inbox/mine").text
    assert "n=0." in http.get(f"{HOME}/inbox/mine?page=2").text


def test_a_message_leads_to_its_callback(http: Http) -> None:
    """By the id in its headers, if this account has sent it."""
    id = called_back(http)
    send(http, "mine", "{}", **{"X-Plivo-Sim-Delivery": id, "X-Plivo-Sim-Attempt": "3"})
    send(http, "mine", "{}", **{"X-Plivo-Sim-Delivery": "another"})
    page = http.get(f"{HOME}/inbox/mine").text
    assert f'<a href="{LIST}/{id}">Try 3 of the callback {id}</a>' in page
    assert f"{LIST}/another" not in page


def test_the_newest_messages_come_first(http: Http) -> None:
    """A page of them, then the older ones, each with its place."""
    for n in range(1, PAGE_SIZE + 3):
        http.get(f"/_sim/inbox/mine?n={n}")
    pages = [http.get(f"{HOME}/inbox/mine?page={number}").text for number in (1, 2)]
    shown = [[int(n) for n in re.findall(r'id="message-(\d+)-h"', page)] for page in pages]
    assert shown == [[*range(PAGE_SIZE + 2, 2, -1)], [2, 1]]


def test_an_inbox_is_emptied(http: Http) -> None:
    """By the call that the page shows."""
    send(http, "mine", "1")
    page = press(http, "empty-inbox", name="mine").text
    assert "curl -X DELETE http://127.0.0.1/_sim/inbox/mine/messages" in page
    assert http.control("GET", "/inbox/mine/messages").get_json()["messages"] == []


def test_an_account_is_made_to_call_an_inbox(http: Http, transport: MemoryTransport) -> None:
    """Applications without a URL of their own go there."""
    url = "http://127.0.0.1/_sim/inbox/mine"
    press(http, "use-inbox", account=AUTH_ID, url=url)
    http.decide(http.sdk_created(), "accepted")
    assert [sent.url for sent in transport.sent] == [url]


def test_the_pulse_changes_with_a_message(http: Http) -> None:
    """Those who look at an inbox see at once what arrives, and when it is emptied."""
    pulses = [http.get(f"{HOME}/pulse").get_json()["pulse"]]
    send(http, "mine", "1")
    pulses.append(http.get(f"{HOME}/pulse").get_json()["pulse"])
    http.control("DELETE", "/inbox/mine/messages")
    pulses.append(http.get(f"{HOME}/pulse").get_json()["pulse"])
    assert len(set(pulses)) == 3


# --- nothing of a client's runs --------------------------------------------------------------


def test_what_a_client_sets_is_text(http: Http) -> None:
    """Alias, reason, callback URL, and all that a message holds, on every page."""
    application = http.sdk_created(alias="<i>x", callback_url=f"{CALLBACK}?q=<script>alert(1)")
    http.decide(application, "rejected", NASTY)
    http.call(
        "POST",
        "/_sim/inbox/<img%20src=x>?q=<script>",
        data=NASTY,
        headers={"X-Test": NASTY, "X-Plivo-Sim-Delivery": NASTY, "X-Plivo-Sim-Attempt": NASTY},
    )
    id = deliveries(http)[0]["id"]
    for path in ("webhooks", f"webhooks/{id}", "inbox", "inbox/<img%20src=x>"):
        page = http.get(f"{HOME}/{path}").text
        assert "<img src=x" not in page
        assert "<script>" not in page
        assert "<i>x" not in page


def test_a_client_s_url_is_no_link(http: Http) -> None:
    """A callback URL is shown and never followed."""
    id = called_back(http, f"{CALLBACK}#here")
    for path in ("traffic", f"webhooks/{id}"):
        page = http.get(f"{HOME}/{path}").text
        assert CALLBACK in page
        assert f'href="{CALLBACK}' not in page
