"""Where an application stands, in a sentence; what an attempt changed; who decided by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from plivo_sim.webhooks import outbox
from plivo_sim.webhooks.transport import MemoryTransport
from tests.apis.legacy_support import Legacy
from tests.support import AUTH_ID, PDF, PNG, Http

URL = "http://127.0.0.1:9/cb"


def verdict(http: Http, id: str) -> str:
    """As the application, ``why`` and the report tell it: alike."""
    told = http.control("GET", f"/applications/{id}").get_json()["verdict"]
    assert http.control("GET", f"/applications/{id}/why").get_json()["verdict"] == told
    assert f"  {told}" in http.control("GET", "/report").get_json()["lines"]
    return str(told)


def decided_by(http: Http, id: str) -> list[str]:
    shown = http.control("GET", f"/applications/{id}/why").get_json()["attempts"]
    return [each["decided_by"] for each in shown]


def use_machine(http: Http, **machine: Any) -> None:
    body = {"machine": machine, "account": AUTH_ID}
    answer = http.control("POST", "/machine", body)
    assert answer.status_code == 200, answer.text


RULE = """
scenario: Acme is rejected.
rules:
  - {name: acme, when: {name: "acme*", attempt: 1}, decide: rejected, reason: Blurred., after: 1h}
"""


def test_in_review_with_something_due(http: Http) -> None:
    """When, by what, and that nothing is wrong."""
    id = http.sdk_created(callback_url=URL)
    assert verdict(http, id) == (
        "In review; accepted is due in 3 days (2026-01-08 09:00:00 UTC), by default: accepted after"
        " 3 business days; nothing is wrong."
    )


def test_in_review_with_a_rejection_due(http: Http) -> None:
    """Nobody is told that nothing is wrong when that is what comes."""
    http.headers["X-Plivo-Sim-Outcome"] = "rejected"
    told = verdict(http, http.sdk_created())
    assert told.startswith("In review; rejected is due in 3 days")
    assert "nothing is wrong" not in told


def test_in_review_for_ever(http: Http) -> None:
    """It says that nothing is due."""
    http.headers["X-Plivo-Sim-Outcome"] = "nothing"
    id = http.sdk_created(callback_url=URL)
    assert verdict(http, id) == ("In review; nothing is due, so it stays until somebody decides.")


def test_rejected_by_a_rule_and_the_webhook_failed(http: Http, transport: MemoryTransport) -> None:
    """Which rule and why, and how often the webhook was tried."""
    transport._statuses += [500, 500, 500, 500]
    http.control("POST", "/scenario", {"yaml": RULE, "account": AUTH_ID})
    id = http.sdk_created(callback_url=URL)
    http.advance("1h")
    assert verdict(http, id) == (
        "Rejected by rule 'acme' because name is 'Acme Traders Pvt Ltd' and attempt is 1:"
        " Blurred; the applicant can correct it and submit it again. Your webhook answered 500;"
        " the next try is due in 1 minute"
        " (2026-01-05 10:01:00 UTC)."
    )
    http.advance("1h")
    assert verdict(http, id).endswith(
        " Your webhook answered 500 four times, and no more tries follow."
    )


def test_decided_by_hand(http: Http, transport: MemoryTransport) -> None:
    """With the reason, and what the webhook said."""
    id = http.sdk_created(callback_url=URL)
    http.decide(id, "accepted")
    assert verdict(http, id) == "Accepted by hand. Your webhook answered 200."
    transport._statuses += [404]
    http.decide(id, "suspended", "Complaints.")
    assert verdict(http, id).startswith("Suspended by hand: Complaints. Your webhook answered 404;")


def test_whose_answer_and_to_what(http: Http) -> None:
    """The built-in inbox is not your webhook, nor an earlier attempt's callback this one's."""
    inbox = "http://127.0.0.1:9/_sim/inbox/mine"
    id = http.sdk_created(callback_url=inbox)
    http.decide(id, "rejected")
    assert verdict(http, id).endswith(" The built-in inbox answered 200.")
    data = {"end_user": {"name": "Acme Ltd"}, "documents": http.sdk_data()["documents"]}
    assert http.sdk_send("PATCH", f"PhoneNumber/Compliance/{id}/", data).status_code == 200
    told = " The built-in inbox answered 200 to the callback of attempt {}."
    assert verdict(http, id).endswith(told.format(1))
    http.decide(id, "accepted")
    assert verdict(http, id).endswith(told.format(2))


def test_decided_by_a_tester_as_the_reviewer(http: Http) -> None:
    """That it was a tester."""
    id = http.sdk_created()
    body = {"status": "accepted", "by": "reviewer"}
    http.control("POST", f"/applications/{id}/decision", body)
    assert verdict(http, id) == (
        "Accepted by hand, as the reviewer. It has no callback URL, so nobody is told."
    )
    assert decided_by(http, id) == ["hand (planned: default)"]


def test_expired_by_time(http: Http) -> None:
    """An arrow that is taken by itself."""
    arrows = [{"from": "accepted", "to": "expired", "by": ["time", "hand"], "after": "30d"}]
    use_machine(http, machine="years", extends="default", arrows=arrows)
    id = http.sdk_created(callback_url=URL)
    http.decide(id, "accepted")
    assert "; expired is due in 30 days (2026-02-04 09:00:00 UTC)." in verdict(http, id)
    http.advance("30d")
    assert verdict(http, id).startswith(
        "Expired by time (by itself, 30d after it was accepted): No reason given. Your webhook"
    )


def test_a_draft(http: Http) -> None:
    """Nothing was sent, so nobody has anything to do with it yet."""
    id = Legacy(http).application()
    assert (
        verdict(http, id)
        == "A draft: it was never submitted. It has no callback URL, so nobody is told."
    )


# --- by hand -----------------------------------------------------------------------------------


def test_by_hand_after_the_machine_went_on_by_itself(http: Http) -> None:
    """What was planned never came: it does not count as having decided."""
    assert http.control(
        "POST", "/machine", {"name": "in-review", "account": AUTH_ID}
    ).status_code == 200  # fmt: skip
    id = http.sdk_created()
    http.advance("1h")
    assert http.control("GET", f"/applications/{id}").get_json()["status"] == "in_review"
    http.decide(id, "rejected", "no")
    assert decided_by(http, id) == ["hand (planned: default)"]


def test_by_hand_before_anything_was_submitted(http: Http) -> None:
    """Where the machine lets a tester decide about a draft, that is explained, too."""
    arrows = [{"from": "draft", "to": "expired", "by": "hand"}]
    use_machine(http, machine="short", extends="default", arrows=arrows)
    id = Legacy(http).application()
    assert http.decide(id, "expired").status_code == 200
    assert decided_by(http, id) == ["hand"]


def test_what_is_only_planned_is_not_told_as_decided(http: Http) -> None:
    """Until it was."""
    id = http.sdk_created()

    def decided() -> bool:
        shown = http.control("GET", f"/applications/{id}/why").get_json()["attempts"]
        return bool(shown[-1]["decided"])

    assert not decided()
    http.decide(id, "accepted")
    assert decided()


# --- callbacks that left the list --------------------------------------------------------------


def test_forgotten_callbacks_are_counted(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """By their application, in the record, the sentence and the console."""
    monkeypatch.setattr(outbox, "KEPT_DELIVERIES", 2)
    id = http.sdk_created(callback_url=URL)
    other = http.sdk_created(alias="other", callback_url=URL)
    http.decide(id, "accepted")
    http.decide(id, "suspended", "x")
    assert http.control("GET", f"/applications/{id}").get_json()["forgotten_callbacks"] == 0
    http.decide(id, "accepted")
    shown = http.control("GET", f"/applications/{id}").get_json()
    assert shown["forgotten_callbacks"] == 1
    assert verdict(http, id).endswith(
        " 1 older callback was forgotten: only the last of the account are kept."
    )
    http.decide(other, "rejected")
    body = {"end_user": {"name": "Acme Ltd"}}
    http.sdk_send("PATCH", f"PhoneNumber/Compliance/{other}/", body, {})
    http.decide(other, "accepted")
    assert verdict(http, id).endswith(
        "3 callbacks were forgotten: only the last of the account are kept."
    )
    page = http.get(f"/console/{AUTH_ID}/applications/{id}").text
    assert "3 callbacks were forgotten" in page


# --- what an attempt changed -------------------------------------------------------------------


def changed(http: Http, id: str) -> list[list[tuple[str, str, str]]]:
    """Of each attempt."""
    attempts = http.control("GET", f"/applications/{id}/why").get_json()["attempts"]
    return [
        [(each["path"], each["before"], each["after"]) for each in attempt["changed"]]
        for attempt in attempts
    ]


def test_what_a_correction_changed(http: Http) -> None:
    """Details, fields, and files by name and hash."""
    id = http.sdk_created()
    http.decide(id, "rejected", "no")
    documents = http.sdk_data()["documents"]
    documents[0]["data_fields"]["business_name"] = "Acme Ltd"
    body = {"alias": "again", "end_user": {"name": "Acme Ltd"}, "documents": documents}
    files = {0: (PDF + b"\n%", "better.pdf"), 1: (PNG, "gst.png")}
    answer = http.sdk_send("PATCH", f"PhoneNumber/Compliance/{id}/", body, files)
    assert answer.status_code == 200, answer.text
    first, second = changed(http, id)
    assert first == []
    told = {path: (before, after) for path, before, after in second}
    assert told.pop("alias") == ("Acme Mumbai", "again")
    assert told.pop("end_user.name") == ("Acme Traders Pvt Ltd", "Acme Ltd")
    (file, (was, now)), (field, values) = told.items()
    assert was.startswith("certificate.pdf (")
    assert now.startswith("better.pdf (")
    assert (field, values) == (f"{file}.business_name", ("Acme", "Acme Ltd"))


def test_a_long_value_is_kept_short_and_still_told_apart(http: Http) -> None:
    """By its hash."""
    id = http.sdk_created(alias="a" * 250)
    http.decide(id, "rejected", "no")
    alias = {"alias": "a" * 249 + "b"}
    http.sdk_send("PATCH", f"PhoneNumber/Compliance/{id}/", alias, {})
    ((path, before, after),) = changed(http, id)[1]
    assert path == "alias"
    assert max(len(before), len(after)) <= 200
    assert before != after
    assert "250 characters" in before


def test_an_attempt_after_a_restart_knows_what_it_changed(http: Http) -> None:
    """It is part of the record: a snapshot brings it along."""
    id = http.sdk_created()
    http.decide(id, "rejected", "no")
    http.sdk_send("PATCH", f"PhoneNumber/Compliance/{id}/", {"alias": "again"}, {})
    before = changed(http, id)
    http.control("POST", "/snapshot", {"name": "s", "account": AUTH_ID})
    document = http.control("GET", "/snapshot/s", account=AUTH_ID).get_json()
    http.control("POST", "/reset", {"account": AUTH_ID})
    body = {"snapshot": json.loads(json.dumps(document)), "account": AUTH_ID}
    assert http.control("POST", "/restore", body).status_code == 200
    assert changed(http, id) == before
    assert before[1]
