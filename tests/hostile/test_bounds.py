"""What a scenario, a policy or a control call can cause has limits, which refusals name."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from plivo_sim.account.interfaces import FaultCounts
from plivo_sim.domain import limits, text
from plivo_sim.domain.limits import Limit
from plivo_sim.domain.text import SNAPSHOT, decode_json
from plivo_sim.services import policies
from tests.support import AUTH_ID, PDF, SDK_AGENT, Http, calls_of, multipart


def told(answer: TestResponse, limit: Limit) -> None:
    """It was refused, with the limit's value and its name."""
    assert answer.status_code == 400, answer.text
    assert f"at most {limit.most} " in answer.text or f"maximum of {limit.most} " in answer.text
    assert f"(limit {limit.name})" in answer.text


def control(http: Http, to: str, /, **body: Any) -> TestResponse:
    return http.control("POST", to, {"account": AUTH_ID, **body})


def outcome(http: Http, header: str) -> TestResponse:
    headers = {"X-Plivo-Sim-Outcome": header, "User-Agent": SDK_AGENT}
    files = [(f"documents[{n}].file", "a.pdf", PDF) for n in (0, 1)]
    body, kind = multipart([("data", "{}")], files)
    return http.post("PhoneNumber/Compliance/", data=body, content_type=kind, headers=headers)


NINES = "9" * 60_000
SCENARIO = {"scenario": "many of something"}
CALLS = {
    "a duration in the header": (limits.OUTCOME, lambda http: outcome(
        http, f"rejected; after={NINES}")),
    "a duration in a short header": (limits.DURATION, lambda http: outcome(
        http, f"rejected; after={NINES[:101]}")),
    "a reason in the header": (limits.REASON, lambda http: outcome(
        http, f"rejected; reason={'x' * 2001}")),
    "an advance": (limits.DURATION, lambda http: control(http, "/clock/advance", by=NINES)),
    "an advance by a number": (limits.DURATION, lambda http: control(
        http, "/clock/advance", by=10**150)),
    "an instant": (limits.INSTANT, lambda http: control(http, "/clock/set", to=NINES)),
    "a rate": (limits.NUMBER, lambda http: control(http, "/clock/rate", rate=NINES)),
    "a review delay": (limits.DURATION, lambda http: settings(http, review_delay=NINES[:8000])),
    "an account's settings": (limits.ACCOUNT_SETTINGS, lambda http: settings(
        http, holidays=["2026-01-26"] * 745)),
    "a callback host": (limits.HOST, lambda http: settings(
        http, allow_callback_hosts="/" * 256)),
    "an account's retries": (limits.RETRIES, lambda http: settings(
        http, callback_retries=["0s"] * 21)),
    "a policy's retries": (limits.RETRIES, lambda http: control(
        http, "/webhooks/policy", retries=["0s"] * 21)),
    "a policy's copies": (limits.DUPLICATES, lambda http: control(
        http, "/webhooks/policy", duplicate=21)),
    "a policy's statuses": (limits.SUCCESS, lambda http: control(
        http, "/webhooks/policy", success=[200] * 501)),
    "what follows a decision": (limits.THEN, lambda http: control(
        http, "/next-outcome", then=[
            {"status": each, "after": "0s"} for each in ["suspended", "accepted"] * 11])),
    "reasons of a decision": (limits.REASONS, lambda http: control(
        http, "/next-outcome", decide="rejected", reasons=["why"] * 21)),
    "a reason of a decision": (limits.REASON, lambda http: control(
        http, "/next-outcome", decide="rejected", reason="x" * 2001)),
    "a fault's quota": (limits.QUOTA_CALLS, lambda http: control(
        http, "/faults", effect="error", quota={"calls": 10_001})),
    "a fault's glob": (limits.GLOB, lambda http: control(
        http, "/faults", effect="error", path="/" + "*a" * 100)),
    "a fault's name": (limits.NAME, lambda http: control(
        http, "/faults", effect="error", name="x" * 101)),
    "rules": (limits.RULES, lambda http: scenario(http, rules=[{}] * 201)),
    "faults": (limits.FAULTS, lambda http: scenario(http, faults=[{"effect": "error"}] * 51)),
    "steps": (limits.STEPS, lambda http: scenario(http, steps=[{"advance": "1s"}] * 501)),
    "a value of a condition": (limits.GLOB, lambda http: scenario(
        http, rules=[{"when": {"alias": {"one_of": ["*a" * 101]}}}])),
    "a scenario as an object": (limits.SCENARIO_TEXT, lambda http: scenario(
        http, steps=[{"submit": {"alias": "x" * 300_000}}])),
    "a text behind many aliases": (limits.SCENARIO_TEXT, lambda http: control(
        http, "/scenario",
        yaml="scenario: aliases\nsteps: [&a {submit: {alias: " + "x" * 9_000 + "}}"
        + ", *a" * 40 + "]")),
    "documents": (limits.DOCUMENTS, lambda http: http.sdk_create(documents=[{}] * 51)),
    "documents of the beta page": (limits.DOCUMENTS, lambda http: http.post(
        "PhoneNumber/Compliance/", json={"documents": [{}] * 51},
        headers={"X-Plivo-Sim-Dialect": "beta"})),
    "fields of documents": (limits.DOCUMENTS, lambda http: http.post(
        "PhoneNumber/Compliance/", data={"documents[50][alias]": "x"},
        headers={"X-Plivo-Sim-Dialect": "beta"})),
    "a snapshot's name": (limits.SNAPSHOT_NAME, lambda http: control(
        http, "/snapshot", name="x" * 101)),
    "a content type": (limits.CONTENT_TYPE, lambda http: http.post(
        "PhoneNumber/Compliance/", data=b"{}", content_type="application/json" + "; a=b" * 250)),
    "a part's headers": (limits.PART_HEADERS, lambda http: http.post(
        "PhoneNumber/Compliance/", content_type="multipart/form-data; boundary=b",
        data=b"--b\r\nContent-Disposition: form-data; name=a" + b";a=" * 6_000
        + b"\r\n\r\nx\r\n--b--\r\n")),
}  # fmt: skip


def settings(http: Http, **values: Any) -> TestResponse:
    return http.control("POST", "/accounts", {"auth_id": AUTH_ID, "settings": values})


def scenario(http: Http, **parts: Any) -> TestResponse:
    return control(http, "/scenario", scenario=SCENARIO | parts)


@pytest.mark.parametrize(("limit", "call"), CALLS.values(), ids=CALLS)
def test_what_is_over_a_limit_is_refused(http: Http, limit: Limit, call: Any) -> None:
    """Before it is parsed."""
    told(call(http), limit)


# --- what an account keeps ----------------------------------------------------------------------


def test_an_account_has_so_many_faults_on(http: Http) -> None:
    """One that is on already may be told anew."""
    for n in range(limits.FAULTS.most):
        assert control(http, "/faults", effect="error", name=f"f{n}").status_code == 201
    told(control(http, "/faults", effect="error"), limits.FAULTS)
    assert control(http, "/faults", effect="empty", name="f3").status_code == 201
    assert http.control("DELETE", "/faults/f4", account=AUTH_ID).status_code == 200
    assert control(http, "/faults", effect="error").status_code == 201


@pytest.mark.parametrize("name", ["scenario", "webhooks", "next-1"])
def test_a_fault_has_no_name_of_something_else(http: Http, name: str) -> None:
    """It would take the place of the scenario, and every call would fail."""
    control(http, "/next-outcome", decide="rejected")
    control(http, "/scenario", name="connection-cut")
    assert control(http, "/faults", effect="error", name=name).status_code == 400
    assert http.control("GET", "/scenario", account=AUTH_ID).get_json()["scenario"]


def test_the_counts_of_a_fault_go_with_it(http: Http) -> None:
    """Else faults that come and go are counted for ever."""
    control(http, "/faults", effect="error", name="once")
    assert http.get("EndUser/").status_code == 500
    assert set(http.account.faults.hits) == {"once"}
    http.control("DELETE", "/faults/once", account=AUTH_ID)
    control(http, "/faults", effect="error", name="twice")
    assert http.get("EndUser/").status_code == 500
    http.control("DELETE", "/faults", account=AUTH_ID)
    fault = {"effect": "rate_limited", "quota": {"calls": 1, "per_s": 3600}}
    answer = control(http, "/scenario", scenario={"scenario": "quota of calls", "faults": [fault]})
    assert answer.status_code == 200, answer.text
    assert http.get("EndUser/").status_code == 200
    assert set(http.account.faults.windows) == {"scenario-1"}
    http.control("DELETE", "/scenario", account=AUTH_ID)
    assert http.account.faults == FaultCounts()


def test_faults_that_match_nothing_cost_little(http: Http) -> None:
    """What they want of a call is put together once, and compared in few steps."""
    call = lambda: http.get("EndUser/")  # noqa: E731
    control(
        http,
        "/faults",
        effect="error",
        name="f",
        path="/v1/Account/MAnowhere*",
        operation="legacy.get*",
    )
    call()
    armed = policies.armed_faults(http.account)
    few = calls_of(call)
    for n in range(limits.FAULTS.most - 1):
        control(
            http,
            "/faults",
            effect="error",
            name=f"f{n}",
            path="/v1/Account/MAnowhere*",
            method="P*T",
        )
    call()
    assert policies.armed_faults(http.account) is not armed
    armed = policies.armed_faults(http.account)
    assert calls_of(call) - few < 24 * limits.FAULTS.most
    assert policies.armed_faults(http.account) is armed


MANY = "[" + "1," * limits.JSON_VALUES.most + "1]"
HALF = "[" + "1," * (limits.JSON_VALUES.most // 2) + "1]"
OF_VALUES = {
    "a body": lambda http: http.post(
        "EndUser/", data=gzip.compress(b'{"name": %b}' % MANY.encode()),
        content_type="application/json", headers={"Content-Encoding": "gzip"}),
    "a control call": lambda http: http.control_raw(
        "/faults", MANY.encode(), "application/json"),
    "a form's field": lambda http: form(http, data=MANY),
    "a form's fields together": lambda http: form(http, a=HALF, b=" " + HALF),
}  # fmt: skip


def form(http: Http, **fields: str) -> TestResponse:
    body, kind = multipart([*fields.items()], [])
    return http.post("PhoneNumber/Compliance/", data=body, content_type=kind)


@pytest.mark.parametrize("call", OF_VALUES.values(), ids=OF_VALUES)
def test_json_of_too_many_values_is_not_decoded(
    http: Http, monkeypatch: pytest.MonkeyPatch, call: Callable[[Http], TestResponse]
) -> None:
    """A small packed body would become gigabytes of objects."""
    monkeypatch.setattr(text, "_decoder", None)
    told(call(http), limits.JSON_VALUES)


LONG = "x" * limits.JSON.most


def test_a_json_body_is_so_long(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """A packed one, too, in which no byte is held that is over the limit."""
    monkeypatch.setattr(text, "_decoder", None)
    headers = {"Content-Encoding": "gzip"}
    body = gzip.compress(b'{"name": "%b"}' % LONG.encode())
    answer = http.post("EndUser/", data=body, content_type="application/json", headers=headers)
    assert answer.status_code == 400  # as the legacy API calls it
    assert f"over the limit of {limits.JSON.most} bytes" in answer.text


@pytest.mark.parametrize("fields", [{"data": LONG + "x"}, {"a": LONG, "b": "x"}])
def test_texts_of_a_form_are_so_long_together(http: Http, fields: dict[str, str]) -> None:
    told(form(http, **fields), limits.JSON)


def test_json_in_a_file_of_a_form_is_so_long(http: Http) -> None:
    """Browsers send a field as a file."""
    body, kind = multipart([], [("data", "blob", b'{"alias": "%b"}' % LONG.encode())])
    answer = http.post("PhoneNumber/Compliance/", data=body, content_type=kind)
    told(answer, limits.JSON)


def test_a_large_file_in_json_has_few_values() -> None:
    """Base64 has none of the characters that are counted; a snapshot may have more values."""
    decode_json(b'{"file": "%b"}' % base64.b64encode(bytes(5_000_000)))
    assert len(decode_json(MANY, SNAPSHOT)) == limits.JSON_VALUES.most + 1


def test_so_many_next_outcomes_wait(http: Http) -> None:
    """The line is read before each submission."""
    for _ in range(limits.NEXT_OUTCOMES.most):
        assert control(http, "/next-outcome", decide="rejected").status_code == 201
    told(control(http, "/next-outcome", decide="rejected"), limits.NEXT_OUTCOMES)


def test_an_account_keeps_so_many_snapshots(http: Http) -> None:
    """A name that there is may be taken again."""
    http.sdk_created()
    for _ in range(limits.SNAPSHOTS.most):
        assert control(http, "/snapshot").status_code == 201
    told(control(http, "/snapshot"), limits.SNAPSHOTS)
    assert control(http, "/snapshot", name="snapshot-3").status_code == 201


def test_a_timeline_is_so_long(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """Corrections are refused then, and nothing of them stays."""
    monkeypatch.setattr(limits, "TIMELINE", Limit("timeline", 4, "changes", ""))
    id = http.sdk_created()
    http.decide(id, "rejected")
    assert corrected(http, id).status_code == 200
    assert http.decide(id, "rejected").status_code == 200
    before = http.account.store.applications.fetch(id)
    told(corrected(http, id), limits.TIMELINE)
    assert http.account.store.applications.fetch(id) == before


def corrected(http: Http, id: str) -> TestResponse:
    headers = {"User-Agent": SDK_AGENT}
    fields, kind = multipart([("data", '{"alias": "again"}')], [])
    path = f"PhoneNumber/Compliance/{id}/"
    return http.patch(path, data=fields, content_type=kind, headers=headers)


def test_decisions_by_hand_are_so_many(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the reviewer are what one decision leads to, and have a limit of their own."""
    monkeypatch.setattr(limits, "TIMELINE", Limit("timeline", 3, "changes", ""))
    id = http.sdk_created()
    http.decide(id, "accepted")
    assert http.decide(id, "suspended").status_code == 200
    told(http.decide(id, "accepted"), limits.TIMELINE)


def test_a_reason_by_hand_is_so_long(http: Http) -> None:
    """It is written with each change of the application."""
    told(http.decide(http.sdk_created(), "rejected", "x" * 2001), limits.REASON)


MANY_DOCUMENTS = {"documents": [{"type": "x"}] * 51}
DOCUMENT_FIELDS = {f"documents[{n}].type": "x" for n in range(51)}


@pytest.mark.parametrize(
    ("dialect", "sent"),
    [
        ("current", {"data": {"data": json.dumps(MANY_DOCUMENTS)}}),
        ("beta", {"json": MANY_DOCUMENTS}),
        ("beta", {"data": DOCUMENT_FIELDS}),
    ],
    ids=["current", "beta as JSON", "beta as a form"],
)
def test_too_many_documents_are_told(http: Http, dialect: str, sent: dict[str, Any]) -> None:
    """What there is too much of, how much of it, and how much there may be."""
    headers = {"X-Plivo-Sim-Dialect": dialect}
    answer = http.post("PhoneNumber/Compliance/", headers=headers, **sent)
    assert answer.status_code == 400
    sentence = "ocuments: 51 are too many, at most 50 documents (limit documents)"
    assert sentence in answer.text
