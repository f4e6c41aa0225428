"""Explain, evaluate, diagnose, cover."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from plivo_sim.domain import limits
from plivo_sim.services import reviews
from plivo_sim.webhooks.transport import MemoryTransport
from tests.support import AUTH_ID, PDF, SDK_AGENT, TOKEN, Http, multipart

SCENARIO = """
scenario: Acme is rejected on its first attempt, everybody else is accepted.
rules:
  - name: acme first
    when: {name: "acme*", attempt: 1}
    decide: rejected
    reason: name_mismatch
    after: 1h
  - name: german
    when: {country: DE, name: "acme*"}
    decide: more_info_required
"""


@pytest.fixture
def told(http: Http) -> Http:
    answer = http.control("POST", "/scenario", {"yaml": SCENARIO, "account": AUTH_ID})
    assert answer.status_code == 200, answer.text
    return http


def test_why_names_the_rule_and_why_the_others_did_not_match(told: Http) -> None:
    """For each attempt."""
    id = told.sdk_created()
    told.advance("1h")
    told.sdk_send("PATCH", f"PhoneNumber/Compliance/{id}/", {"alias": "again"}, {})
    attempts = told.control("GET", f"/applications/{id}/why").get_json()["attempts"]
    assert [each["decided_by"] for each in attempts] == ["rule 'acme first'", "default"]
    second = {each["rule"]: each["why"] for each in attempts[1]["rules"]}
    assert second == {
        "acme first": "attempt is 2, wanted 1",
        "german": "country is 'IN', wanted 'DE'",
    }
    assert [each["rule"] for each in attempts[1]["near_misses"]] == ["acme first"]


def evaluate(http: Http, second: bytes = PDF + b"\n%", **changes: Any) -> dict[str, Any]:
    body, content_type = multipart(
        [("data", json.dumps(http.sdk_data(**changes)))],
        [("documents[0].file", "a.pdf", PDF), ("documents[1].file", "b.pdf", second)],
    )
    answer = http.control_raw("/evaluate", body, content_type)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def test_a_decision_by_hand_is_told_as_one(http: Http) -> None:
    """By every place that says who decided: not what was planned, and never came to be."""
    id = http.sdk_created(alias="plain")
    http.decide(id, "rejected", "Blurred")
    assert decided_by(http, id) == ["hand (planned: default)"]
    for page in (f"applications/{id}", "scenario"):
        assert "hand (planned: default)" in http.get(f"/console/{http.auth_id}/{page}").text
    (exchange, *_) = http.control("GET", "/requests").get_json()["requests"][::-1]
    page = http.get(f"/console/{http.auth_id}/requests/{exchange['id']}").text
    assert "decided by hand (planned: default)" in page


def test_who_decided_first_and_then_by_hand(http: Http) -> None:
    """Both are told, once."""
    id = http.sdk_created(alias="plain")
    http.advance("3d")
    for status in ("suspended", "accepted"):
        http.decide(id, status)
    assert decided_by(http, id) == ["default, then by hand"]


def decided_by(http: Http, id: str) -> list[str]:
    """Of each attempt."""
    shown = http.control("GET", f"/applications/{id}/why").get_json()["attempts"]
    return [each["decided_by"] for each in shown]


def test_evaluate_tells_the_decision_and_keeps_nothing(told: Http) -> None:
    """By which rule, when, with which reason; the next real submission is not its second."""
    shown = evaluate(told)
    assert (shown["would"], shown["by"]) == ("rejected", "rule 'acme first'")
    assert shown["steps"][0]["after"] == "1h"
    store = told.account.store
    assert [len(store.applications), len(store.end_users), len(store.timers)] == [0, 0, 0]
    assert told.control("GET", "/scenario", account=AUTH_ID).get_json()["fired"] == {}


def test_evaluate_tells_a_refusal(told: Http) -> None:
    """With every problem and the answer that the API would give."""
    shown = evaluate(told, alias=None)
    assert (shown["would"], shown["status"]) == ("refused", 400)
    assert [each["path"] for each in shown["problems"]] == ["alias"]
    assert shown["answer"]["error"] == "Field 'alias' is required."


def test_evaluate_tells_a_stuck_review(told: Http) -> None:
    """A magic value that never decides."""
    assert evaluate(told, alias="SIM-STUCK")["would"] == "stuck"


@pytest.mark.parametrize(
    ("header", "status", "reason"),
    [
        ("accepted", "accepted", None),
        ('rejected; after=2d; reason="Bad scan"', "rejected", "Bad scan"),
        ("rejected; reason=name_mismatch", "rejected", "Business name is not identical"),
        ("more_info_required; after=0s", "more_info_required", "No reason given."),
        ('rejected ; after = 2d ; reason = "Bad; \\"scan\\""', "rejected", 'Bad; "scan"'),
        ("Rejected;; Reason*=utf-8''Bad%20sc%C3%A4n ;", "rejected", "Bad scän"),
        (
            'rejected; after="2 business days"; reason="not, yet"',
            "rejected",
            "not, yet",
        ),
    ],
)
def test_a_request_header_decides_one_submission(
    http: Http, header: str, status: str, reason: str | None
) -> None:
    """The next one is decided as usual."""
    http.headers["X-Plivo-Sim-Outcome"] = header
    id = http.sdk_created(alias="one")
    del http.headers["X-Plivo-Sim-Outcome"]
    other = http.sdk_created(alias="two")
    http.advance("10 business days")
    shown = http.control("GET", f"/applications/{id}").get_json()
    assert shown["status"] == status
    assert (shown["rejection_reason"] or "").startswith(reason or "")
    assert http.control("GET", f"/applications/{other}").get_json()["status"] == "accepted"


def test_nothing_leaves_it_in_review(http: Http) -> None:
    """For ever."""
    http.headers["X-Plivo-Sim-Outcome"] = "nothing"
    id = http.sdk_created()
    http.advance("300d")
    assert http.control("GET", f"/applications/{id}").get_json()["status"] == "submitted"


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("approved", "must be one of "),
        ("rejected; after=soon", ""),
        ("rejected; because=x", "knows after and reason, not 'because'"),
        ("rejected; soon", "knows after and reason, not 'soon'"),
        ("rejected reason=x", "must be one of "),
        (
            "rejected; after=2 business days",
            "has a blank or a quote in after=2 business days",
        ),
        ("rejected; reason=Bad scan; after=2d", "has a blank or a quote in reason=Bad scan"),
        ('rejected; reason="Bad" scan', 'has a blank or a quote in reason="Bad" scan'),
        ('rejected; reason="Bad scan', 'has a quote that does not end: "Bad scan'),
        ('rejected; reason="Bad scan\\"', "has a quote that does not end"),
        ("rejected; after=", "has after without a value; it is written after=VALUE"),
        ("rejected; after", "has after without a value; it is written after=VALUE"),
        ("rejected, accepted", "is there twice, or has a comma that is not in quotes"),
        ("rejected,after=2d", "is there twice, or has a comma that is not in quotes"),
        ("rejected; reason=x; reason*=UTF-8''y", "has reason more than once"),
        ("rejected; reason*=y", "reason* is written reason*=UTF-8''… and percent-encoded"),
        ("rejected; reason*=UTF-8''%E4", "reason* is written reason*=UTF-8''… and percent-encoded"),
        ("nothing; after=3d", "after: has no effect when nothing is decided"),
        ("nothing; reason=x", "reason: nobody is told a reason when 'nothing' is decided"),
        ("accepted; reason=x", "reason: nobody is told a reason when 'accepted' is decided"),
    ],
)
def test_an_outcome_header_of_which_something_would_not_count_is_refused(
    http: Http, header: str, told: str
) -> None:
    """And nothing is created."""
    http.headers["X-Plivo-Sim-Outcome"] = header
    answer = http.sdk_create()
    assert answer.status_code == 400
    assert f"X-Plivo-Sim-Outcome: {told}" in answer.get_json()["error"]
    assert len(http.account.store.applications) == 0


def test_an_outcome_header_where_nothing_is_submitted_is_told(http: Http) -> None:
    """A draft is not submitted yet; a read says nothing of it."""
    http.headers["X-Plivo-Sim-Outcome"] = "rejected"
    text = "X-Plivo-Sim-Outcome has no effect: this call submits nothing"
    body = {"name": "Acme", "end_user_type": "business"}
    assert text in http.post("EndUser/", json=body).headers["X-Plivo-Sim-Warning"]
    assert text not in http.get("EndUser/").headers.get("X-Plivo-Sim-Warning", "")
    made = http.sdk_create()
    assert text not in made.headers.get("X-Plivo-Sim-Warning", "")
    id = made.get_json()["compliance_id"]
    assert http.decide(id, "rejected").status_code == 200
    gone = http.delete(f"PhoneNumber/Compliance/{id}/")
    assert text in gone.headers["X-Plivo-Sim-Warning"]


def test_a_near_miss_in_the_outcome_header_is_named(http: Http) -> None:
    """As elsewhere."""
    http.headers["X-Plivo-Sim-Outcome"] = "reject"
    answer = http.call("POST", "PhoneNumber/Compliance/", data={"data": "{}"})
    assert "did you mean 'rejected'?" in answer.get_json()["error"]


def test_next_outcomes_queue(http: Http) -> None:
    """For SDK users: one submission each, in order."""
    for outcome in ({"decide": "rejected", "reason": "first"}, {"decide": "nothing"}):
        answer = http.control("POST", "/next-outcome", outcome | {"account": AUTH_ID})
        assert answer.status_code == 201
    ids = [http.sdk_created(alias=f"a{i}") for i in range(3)]
    http.advance("10 business days")
    found = [http.control("GET", f"/applications/{id}").get_json()["status"] for id in ids]
    assert found == ["rejected", "submitted", "accepted"]


def test_precedence(http: Http) -> None:
    """Manual, header, next outcome, aimed rule, magic, scenario, default: each beats the next."""
    http.control("POST", "/scenario", {"yaml": SCENARIO, "account": AUTH_ID})

    def decided_by(**changes: Any) -> str:
        id = http.sdk_created(**changes)
        return http.control("GET", f"/applications/{id}/why").get_json()["attempts"][-1][
            "decided_by"
        ]

    assert decided_by(alias="plain") == "rule 'acme first'"
    assert decided_by(alias="SIM-STUCK") == "magic value SIM-STUCK"
    http.control("POST", "/next-outcome", {"decide": "accepted", "account": AUTH_ID})
    assert decided_by(alias="SIM-STUCK 2") == "next outcome"
    http.control("POST", "/next-outcome", {"decide": "accepted", "account": AUTH_ID})
    http.headers["X-Plivo-Sim-Outcome"] = "rejected"
    assert decided_by(alias="SIM-STUCK 3") == "the request's own outcome"


def _signed(http: Http, transport: MemoryTransport, token: str = TOKEN) -> dict[str, Any]:
    http.decide(http.sdk_created(callback_url="http://127.0.0.1:4000/cb?a=b"), "accepted")
    request = transport.sent[-1]
    return {
        "method": request.method,
        "url": request.url,
        "headers": dict(request.headers),
        "body": request.body.decode(),
        "token": token,
    }


def diagnose(http: Http, seen: dict[str, Any]) -> dict[str, Any]:
    answer = http.control("POST", "/webhooks/verify-signature", seen)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def test_a_right_signature_is_valid(http: Http, transport: MemoryTransport) -> None:
    """All of them, as sent, with what each covers."""
    found = diagnose(http, _signed(http, transport))
    assert {name: (each["valid"], each["wrong"]) for name, each in found.items()} == dict.fromkeys(
        ("v2", "v3", "ma_v3"), (True, [])
    )
    assert found["v2"]["covers"] == "the URL"
    assert found["v3"]["covers"] == found["ma_v3"]["covers"]


@pytest.mark.parametrize(
    ("setting", "told"), [("on", "the URL and the fields of the JSON"), ("off", "without")]
)
def test_whether_the_fields_of_json_are_covered_is_told(
    http: Http, transport: MemoryTransport, setting: str, told: str
) -> None:
    """Both are valid, and a receiver that expects the other knows what to change; so are mistakes
    named with either."""
    settings = {"auth_id": AUTH_ID, "settings": {"callback_json_signed": setting}}
    http.control("POST", "/accounts", settings)
    seen = _signed(http, transport)
    found = diagnose(http, seen)
    assert {each["valid"] for each in found.values()} == {True}
    assert told in found["v3"]["covers"]
    assert told in found["ma_v3"]["covers"]
    wrong = diagnose(http, seen | {"url": "http://127.0.0.1/cb?a=b"})["ma_v3"]["wrong"]
    assert wrong == ["URL: port: the sender's URL has 4000 (http://127.0.0.1:4000/cb?a=b)"]


def test_the_token_of_the_other_account_is_named(http: Http, transport: MemoryTransport) -> None:
    """Of an application of a subaccount: V3 wants its token, Ma-V3 the main account's."""
    http.auth_id, http.token = f"SA{AUTH_ID[2:]}", "sub"
    id = http.sdk_created(callback_url="http://127.0.0.1:4000/cb")
    http.auth_id, http.token = AUTH_ID, TOKEN
    http.get("PhoneNumber/Compliance/")
    http.decide(id, "accepted")
    request = transport.sent[-1]
    seen = {
        "url": request.url,
        "headers": dict(request.headers),
        "body": request.body.decode(),
        "account": AUTH_ID,
    }
    assert {each["valid"] for each in diagnose(http, seen).values()} == {True}
    with_sub = diagnose(http, seen | {"token": "sub"})
    assert [with_sub[each]["valid"] for each in ("v2", "v3", "ma_v3")] == [True, True, False]
    assert with_sub["ma_v3"]["wrong"] == [
        "token: the sender signed with another token than this check: the main account's"
    ]
    with_main = diagnose(http, seen | {"token": TOKEN})
    assert [with_main[each]["valid"] for each in ("v2", "v3", "ma_v3")] == [False, False, True]
    assert with_main["v3"]["wrong"] == [
        "token: the sender signed with another token than this check: the subaccount's"
    ]


def test_a_form_without_its_fields_is_wrong(http: Http, transport: MemoryTransport) -> None:
    """Only for JSON is it unknown."""
    seen = _signed(http, transport)
    settings = {"auth_id": AUTH_ID, "settings": {"callback_json_signed": "off"}}
    http.control("POST", "/accounts", settings)
    seen = _signed(http, transport) | {"body": "status=accepted"}
    assert diagnose(http, seen)["v3"]["wrong"] == [
        "parameters: the sender signed none, leave the body out"
    ]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"url": "https://127.0.0.1:4000/cb?a=b"}, "scheme"),
        ({"url": "http://127.0.0.1/cb?a=b"}, "port: the sender's URL has 4000"),
        ({"url": "http://localhost:4000/cb?a=b"}, "host: the sender called 127.0.0.1"),
        ({"url": "http://127.0.0.1:4000/cb/?a=b"}, "path: the last slash"),
        ({"url": "http://u:p@127.0.0.1:4000/cb?a=b"}, "credentials: the request line has none"),
        ({"token": f" {TOKEN}\n"}, "token: it has white space"),
        (
            {"token": "other"},
            "token: the sender signed with another token than this check: the main account's",
        ),
        ({"body": '{"status": "other"}'}, "parameters: status: the sender's was accepted"),
    ],
)
def test_what_a_receiver_gets_wrong_is_named(
    http: Http, transport: MemoryTransport, change: dict[str, str], told: str
) -> None:
    """URL, port, host, path, token."""
    found = diagnose(http, _signed(http, transport) | change)["v3"]
    assert not found["valid"]
    assert any(told in wrong for wrong in found["wrong"])


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"url": "http://proxy.example.com:9999/cb?a=b"},
         "URL: port: the sender's was 4000, the receiver saw 9999"),
        ({"url": "https://proxy.example.com/cb"},
         "URL: hostname: the sender's was 127.0.0.1, the receiver saw proxy.example.com"),
        ({"method": "GET"}, "method: the sender's was POST, the receiver saw GET"),
        ({"body": '{"status": "rejected"}'}, "parameters: compliance_id: the sender's was "),
        ({"body": '{"status": "rejected", "x": "y"}'},
         "parameters: x: the sender's was none, the receiver saw y"),
    ],
)  # fmt: skip
def test_what_differs_from_the_logged_attempt_is_named(
    http: Http, transport: MemoryTransport, changes: dict[str, str], wrong: str
) -> None:
    """The nonce says which attempt it was."""
    seen = _signed(http, transport)
    assert diagnose(http, seen)["v3"]["valid"]
    verdict = diagnose(http, seen | changes)["v3"]
    assert not verdict["valid"]
    assert any(each.startswith(wrong) for each in verdict["wrong"]), verdict


def test_swapped_nonces_bad_encodings_and_missing_headers(
    http: Http, transport: MemoryTransport
) -> None:
    """The rest of the list."""
    seen = _signed(http, transport)
    nonces = seen["headers"] | {"X-Plivo-Signature-V3-Nonce": "12345"}
    found = diagnose(http, seen | {"headers": nonces})["v3"]
    assert "nonce: it is the other version's" in found["wrong"]
    unpadded = seen["headers"] | {
        "X-Plivo-Signature-V3": seen["headers"]["X-Plivo-Signature-V3"].rstrip("=")
    }
    found = diagnose(http, seen | {"headers": unpadded})["v3"]
    assert any("padding" in wrong for wrong in found["wrong"])
    found = diagnose(http, seen | {"headers": {}})["v2"]
    assert found["wrong"][0] == "header x-plivo-signature-v2 is missing"


def test_coverage_counts_what_a_run_exercised(http: Http, transport: MemoryTransport) -> None:
    """Statuses, arrows, reasons, errors, callbacks, faults."""
    transport._statuses.append(500)
    id = http.sdk_created(alias="SIM-SUSPEND", callback_url="http://127.0.0.1:9/cb")
    http.advance("60d")
    http.control("POST", "/faults", {"effect": "error", "times": 1, "account": AUTH_ID})
    http.get("PhoneNumber/Compliance/", headers={"User-Agent": SDK_AGENT})
    http.get(f"PhoneNumber/Compliance/{id[:-1]}x/", headers={"User-Agent": SDK_AGENT})
    report = http.control("GET", "/coverage").get_json()
    assert [s for s, seen in report["statuses"].items() if not seen] == [
        "rejected",
        "more_info_required",
        "expired",
    ]
    counts = {(a["from"], a["to"]): a["count"] for a in report["transitions"]}
    assert (counts["accepted", "suspended"], counts["submitted", "rejected"]) == (1, 0)
    assert report["rejection_reasons"]["presets"]["complaints"] == 1
    assert (report["errors"]["500"], report["errors"]["404"]) == (1, 1)
    assert (report["callbacks"]["delivered"], report["callbacks"]["retried"]) == (2, 1)
    assert report["faults"] == {"error": 1}
    cleared = http.control("DELETE", "/coverage").get_json()
    assert not any(cleared["statuses"].values())


def test_coverage_keeps_what_was_counted_last(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what users name: transitions and reasons."""
    monkeypatch.setattr(limits, "COVERED", replace(limits.COVERED, most=2))
    id = http.sdk_created()
    for n in range(4):
        http.decide(id, "accepted")
        http.decide(id, "suspended", reason=f"reason {n}")
    report = http.control("GET", "/coverage").get_json()
    counts = {(a["from"], a["to"]): a["count"] for a in report["transitions"] if a["count"]}
    assert counts == {("suspended", "accepted"): 3, ("accepted", "suspended"): 4}
    assert report["rejection_reasons"]["others"] == {"reason 2": 1, "reason 3": 1}
    assert report["forgotten"] == 4


def test_each_change_says_who_made_it(http: Http) -> None:
    """The applicant, the reviewer, time or a tester's hand."""
    id = http.sdk_created(alias="SIM-EXPIRE")
    http.advance("400d")
    other = http.sdk_created(alias="by hand")
    http.decide(other, "accepted")
    http.decide(other, "expired")
    told = [
        [
            (each["status"], each["by"])
            for each in http.control("GET", f"/applications/{each}").get_json()["timeline"]
        ]
        for each in (id, other)
    ]
    assert told == [
        [("submitted", "client"), ("accepted", "reviewer"), ("expired", "time")],
        [("submitted", "client"), ("accepted", "hand"), ("expired", "hand")],
    ]
    page = http.get(f"/console/{http.auth_id}/applications/{id}").text
    assert "<p>by the reviewer: " in page
    assert "<p>by time: " in page


def test_of_many_submissions_the_last_are_explained(
    http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as are kept; the oldest goes."""
    monkeypatch.setattr(reviews, "KEPT_EXPLANATIONS", 2)
    id = http.sdk_created()
    for attempt in (1, 2, 3, 4):
        shown = http.control("GET", f"/applications/{id}/why").get_json()["attempts"]
        kept = [each["attempt"] for each in shown]
        assert kept == [n for n in (attempt - 1, attempt) if n]
        http.decide(id, "rejected")
        http.sdk_send("PATCH", f"PhoneNumber/Compliance/{id}/", {"alias": "again"}, {})


def test_an_evaluation_answers_what_the_page_says(http: Http) -> None:
    """With a warning, of a file that is in two places."""
    shown = evaluate(http, second=PDF)
    assert set(shown) == {"would", "dialect", "by", "steps", "warnings", "rules"}
    assert shown["warnings"]
