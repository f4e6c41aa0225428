"""Applications as the core sees them, and decisions by hand. Decisions "Who decides",
"Callbacks follow the reviewer", "Deleting applications"."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from plivo_sim.account.interfaces import Outgoing
from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.services import applications, reviews
from plivo_sim.webhooks.transport import MemoryTransport
from tests.conftest import PAUSED
from tests.control.support import STEPS, check_invalid, check_problem, draft, filed, other_account
from tests.fakes import Calling
from tests.support import AUTH_ID, Http

STATUSES = [
    "draft", "submitted", "accepted", "rejected", "more_info_required", "suspended", "expired",
]  # fmt: skip
BY_HAND = {
    ("submitted", "accepted"),
    ("submitted", "rejected"),
    ("submitted", "more_info_required"),
    ("accepted", "suspended"),
    ("accepted", "expired"),
    ("suspended", "accepted"),
}
"""The arrows that a reviewer makes; those to ``submitted`` are the applicant's."""
VERBS = {
    "draft": "make a draft of",
    "submitted": "submit",
    "accepted": "accept",
    "rejected": "reject",
    "more_info_required": "ask for more information on",
    "suspended": "suspend",
    "expired": "expire",
}
DECISIONS = "accepted, rejected, more_info_required, suspended, expired"
EVERY_PAIR = [(origin, target) for origin in STATUSES for target in STATUSES]
CALLBACK = "http://127.0.0.1:9/cb"


def shown(http: Http, id: str) -> dict[str, Any]:
    answer = http.control("GET", f"/applications/{id}")
    assert answer.status_code == 200, answer.text
    return answer.get_json()


# --- the table -------------------------------------------------------------------------------


@pytest.mark.parametrize(("origin", "target"), sorted(BY_HAND))
def test_a_decision_follows_an_arrow(http: Http, origin: str, target: str) -> None:
    """The answer is the application, with the change on its timeline as made by hand."""
    id = filed(http, origin)
    answer = http.decide(id, target, "Because")
    assert answer.status_code == 200
    assert answer.get_json() == shown(http, id)
    last = answer.get_json()["timeline"][-1]
    reason = None if target == "accepted" else "Because"
    assert last == {
        "at": "2026-01-05T09:00:00.000000Z",
        "status": target,
        "by": "hand",
        "why": "a tester decided",
        "reason": reason,
    }
    assert answer.get_json()["rejection_reason"] == reason


@pytest.mark.parametrize(("origin", "target"), [pair for pair in EVERY_PAIR if pair not in BY_HAND])
def test_a_decision_against_the_table_is_409(http: Http, origin: str, target: str) -> None:
    """It names the status in the way, and nothing changes."""
    id = filed(http, origin)
    before = shown(http, id)
    open_to = [to for at, to in EVERY_PAIR if at == origin and (at, to) in BY_HAND]
    status = open_to[0] if len(open_to) == 1 else "STATUS"
    ways = f"{', '.join(open_to)} (plivo-sim apps decide {id} {status})"
    possible = f"possible now: {ways}" if open_to else "nothing can be decided in it"
    text = f"cannot {VERBS[target]} application {id} in status {origin}; {possible}"
    check_problem(http.decide(id, target), "wrong_state", text)
    assert shown(http, id) == before


def test_a_decision_cancels_the_pending_review(http: Http) -> None:
    """Otherwise the reviewer would decide again (decision "Who decides")."""
    id = filed(http, "rejected")
    assert shown(http, id)["next"] == []
    assert http.advance("30d")["happenings"] == []


def test_a_decision_without_a_reason_has_a_stock_one(http: Http) -> None:
    """A rejection always shows something."""
    id = http.sdk_created()
    assert http.decide(id, "rejected").get_json()["rejection_reason"] == "No reason given."


@pytest.mark.parametrize(
    ("body", "path", "text"),
    [
        ({}, "status", f"must be one of {DECISIONS}"),
        ({"status": "approve"}, "status", f"must be one of {DECISIONS}"),
        ({"status": "acepted"}, "status", f"must be one of {DECISIONS}; did you mean 'accepted'?"),
        ({"status": "Accepted"}, "status", f"must be one of {DECISIONS}; did you mean 'accepted'?"),
        ({"status": 5}, "status", "must be a string"),
        ({"status": "accepted", "reason": 5}, "reason", "must be a string"),
        ({"status": "accepted", "by": "me"}, "by", "must be one of hand, reviewer"),
        (
            {"status": "accepted", "who": "me"},
            "who",
            "unknown; there are status, reason, by, account",
        ),
    ],
)
def test_wrong_decisions(http: Http, body: dict[str, Any], path: str, text: str) -> None:
    """The core's own words are the ones to use."""
    id = http.sdk_created()
    check_invalid(http.control("POST", f"/applications/{id}/decision", body), path, text)


def test_everything_that_is_wrong_with_a_decision_is_told(http: Http) -> None:
    """At once."""
    id = http.sdk_created()
    body = {"status": "acepted", "reason": "name_mismach", "by": "me", "who": "x"}
    answer = http.control("POST", f"/applications/{id}/decision", body)
    assert [each["path"] for each in answer.get_json()["problems"]] == [
        "who",
        "status",
        "reason",
        "by",
    ]


@pytest.mark.parametrize(("method", "tail"), [("GET", ""), ("POST", "/decision")])
def test_unknown_applications(http: Http, method: str, tail: str) -> None:
    """404 with the kind and the id."""
    body = {"status": "accepted"} if tail else None
    answer = http.control(method, f"/applications/none{tail}", body)
    check_problem(
        answer, "not_found", "application 'none' not found", kind="application", id="none"
    )


def test_ids_need_no_account(http: Http) -> None:
    """They are unique; a decision finds its account among several
    (decision "Naming the account")."""
    id = http.sdk_created()
    other_account(http)
    assert shown(http, id)["account"] == AUTH_ID
    assert http.decide(id, "accepted").status_code == 200


# --- looking ---------------------------------------------------------------------------------


def test_an_application_is_shown_whole(http: Http) -> None:
    """In the core's words, with its past and what comes next."""
    id = http.sdk_created(callback_url=CALLBACK, callback_method="GET")
    view = shown(http, id)
    assert {key: view[key] for key in list(view)[:9]} == {
        "id": id,
        "account": AUTH_ID,
        "origin": "current",
        "alias": "Acme Mumbai",
        "status": "submitted",
        "rejection_reason": None,
        "country_iso": "IN",
        "number_type": "local",
        "user_type": "business",
    }
    assert (view["callback_url"], view["callback_method"]) == (CALLBACK, "GET")
    assert (view["attempt"], len(view["document_ids"])) == (1, 2)
    assert [(each["status"], each["by"]) for each in view["timeline"]] == [("submitted", "client")]
    (step,) = view["next"]
    assert (step["at"], step["status"]) == ("2026-01-08T09:00:00.000000Z", "accepted")


def test_the_timeline_tells_who_and_when(http: Http) -> None:
    """Client, reviewer and hand, each at its instant."""
    id = http.sdk_created()
    http.advance("1d")
    http.decide(id, "rejected", "Blurred scan")
    http.advance("1d")
    http.sdk_send("PATCH", f"PhoneNumber/Compliance/{id}/", {"alias": "x"}, {})
    http.advance("3 business days")
    view = shown(http, id)
    assert [(each["at"][:10], each["status"], each["by"]) for each in view["timeline"]] == [
        ("2026-01-05", "submitted", "client"),
        ("2026-01-06", "rejected", "hand"),
        ("2026-01-07", "submitted", "client"),
        ("2026-01-12", "accepted", "reviewer"),
    ]
    assert view["attempt"] == 2


def test_every_application_of_the_account_is_listed(http: Http) -> None:
    """Those of each API, drafts too, oldest first, in pages."""
    ids = [http.sdk_created(alias="1"), draft(http), http.sdk_created(alias="2")]
    other_account(http)
    answer = http.control("GET", "/applications", account=AUTH_ID).get_json()
    assert (answer["total_count"], [each["id"] for each in answer["applications"]]) == (3, ids)
    paged = http.control("GET", "/applications", account=AUTH_ID, offset="1", limit="1")
    assert [each["id"] for each in paged.get_json()["applications"]] == ids[1:2]


@pytest.mark.parametrize("name", ["limit", "offset"])
@pytest.mark.parametrize("value", ["-1", "x", "1.5", "9" * 10])
def test_wrong_pages(http: Http, name: str, value: str) -> None:
    """400 that names the parameter."""
    http.sdk_created()
    answer = http.control("GET", "/applications", **{name: value})
    check_invalid(answer, name, "must be a whole number, 0 or more")


# --- who is told (decision "Callbacks follow the reviewer") --------------------------------------


@pytest.mark.parametrize(("status", "count"), [(name, len(steps)) for name, steps in STEPS.items()])
def test_a_callback_follows_what_the_reviewer_did(
    http: Http, transport: MemoryTransport, status: str, count: int
) -> None:
    """One for each decision, by hand too; none for the client's own submission."""
    filed(http, status, callback_url=CALLBACK)
    assert [json.loads(sent.body)["status"] for sent in transport.sent] == [
        "rejected" if step == "more_info_required" else step for step in STEPS[status]
    ]
    assert len(transport.sent) == count


def test_no_callback_follows_what_the_client_did(http: Http, transport: MemoryTransport) -> None:
    """Neither its correction nor its deletion."""
    id = filed(http, "rejected", callback_url=CALLBACK)
    http.sdk_send("PATCH", f"PhoneNumber/Compliance/{id}/", {"alias": "x"}, {})
    assert http.delete(f"PhoneNumber/Compliance/{id}/").status_code == 200
    http.advance("30d")
    assert len(transport.sent) == 1


def test_deleting_a_submitted_application_cancels_what_was_to_come(
    http: Http, transport: MemoryTransport
) -> None:
    """Its review and its queued callbacks (decision "Deleting applications")."""
    id = http.sdk_created(callback_url=CALLBACK)
    assert http.delete(f"PhoneNumber/Compliance/{id}/").status_code == 200
    assert http.advance("30d")["happenings"] == []
    assert transport.sent == []


# --- what others do while its receiver is called -----------------------------------------------


@pytest.fixture
def calling() -> Iterator[tuple[Http, Calling]]:
    """A simulator whose receiver does something while it is called."""
    transport = Calling()
    sim = make_simulator(PAUSED, transport=transport)
    yield Http(create_app(sim), sim), transport
    sim.close()


def test_the_answer_is_the_application_as_it_is_when_its_receiver_was_called(
    calling: tuple[Http, Calling],
) -> None:
    """The machine may have changed meanwhile, and not know the status that was decided."""
    http, receiver = calling
    id = filed(http, "accepted", callback_url=CALLBACK)

    def go_on(_: Outgoing) -> None:
        receiver.on_call = lambda _: None
        reviews.decide(http.account, applications.get(http.account, id), "accepted")
        assert http.control("POST", "/machine", {"name": "strict-beta"}).status_code == 200

    receiver.on_call = go_on
    answer = http.decide(id, "suspended")
    assert (answer.status_code, answer.get_json()["status"]) == (200, "accepted"), answer.text
    assert [each["status"] for each in answer.get_json()["timeline"]][-2:] == [
        "suspended",
        "accepted",
    ]


@pytest.mark.parametrize("is_known", [True, False])
def test_an_application_that_is_deleted_while_its_receiver_is_called(
    calling: tuple[Http, Calling], *, is_known: bool
) -> None:
    """It is answered as it was decided, unless the machine of now does not know that."""
    http, receiver = calling
    id = filed(http, "accepted", callback_url=CALLBACK)

    def go_on(_: Outgoing) -> None:
        http.delete(f"PhoneNumber/Compliance/{id}/")
        if not is_known:
            http.control("POST", "/machine", {"name": "strict-beta"})

    receiver.on_call = go_on
    answer = http.decide(id, "suspended")
    assert len(http.account.store.applications) == 0
    if is_known:
        assert answer.get_json()["status"] == "suspended"
    else:
        check_problem(
            answer, "not_found", f"application '{id}' not found", kind="application", id=id
        )
