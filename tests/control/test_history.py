"""What was done in an account, and a copy of it."""

from __future__ import annotations

from typing import Any

import pytest

from plivo_sim.control import CONTROL
from plivo_sim.control.answers import HistoryOut
from plivo_sim.control.history import WORDS
from tests.console.support import press
from tests.support import AUTH_ID, Http, check_answer


def history(http: Http, **query: str) -> list[dict[str, Any]]:
    answer = http.control("GET", "/history", account=AUTH_ID, **query).get_json()
    check_answer(answer, HistoryOut)
    return list(answer["calls"])


def test_calls_in_order(http: Http) -> None:
    """Each with whose it was, what it was about, and the point that undoes it."""
    id = http.sdk_created(alias="Acme Mumbai")
    http.decide(id, "rejected")
    press(http, "submit", account=AUTH_ID, id=id)
    http.get(f"PhoneNumber/Compliance/{id}/")
    calls = history(http)
    assert [(each["by"], each["about"], each["point"]) for each in calls] == [
        ("api", "Acme Mumbai", None),
        ("control", "Acme Mumbai", None),
        ("console", "Acme Mumbai", 1),
    ]
    assert calls[2]["what"] == "Submitted again as it was."
    assert len(history(http, show="all")) > len(calls)
    assert history(http, show="failed") == []
    assert [each["by"] for each in history(http, show="console")] == ["console"]
    assert http.control("POST", "/undo", {"account": AUTH_ID}).status_code == 200
    assert [each["undone"] for each in history(http)] == [False, False, True, False]


def test_a_copy(http: Http) -> None:
    """As a test and as a scenario."""
    http.sdk_created(alias="Acme Mumbai")
    test = http.control("GET", "/history/copy", account=AUTH_ID)
    assert test.content_type == "text/plain; charset=utf-8"
    compile(test.text, "test_by_hand.py", "exec")
    scenario = http.control("GET", "/history/copy", account=AUTH_ID, **{"as": "scenario"}).text
    assert "alias: Acme Mumbai" in scenario
    refused = http.control("GET", "/history/copy", account=AUTH_ID, **{"as": "poem"})
    assert refused.status_code == 400


STEERED = [
    ("POST", "/clock/advance", {"by": "3d"}, "Clock advanced by 3 days"),
    ("POST", "/clock/set", {"to": "2026-01-06T09:00:00Z"},
     "Clock moved by 1 day, to 2026-01-06 09:00:00 UTC"),
    ("POST", "/clock/pause", {}, "Clock paused"),
    ("POST", "/clock/resume", {}, "Clock started"),
    ("POST", "/clock/rate", {"rate": 60}, "Clock set to 60 simulated seconds per second"),
    ("POST", "/scenario", {"yaml": "scenario: All is well."}, "Scenario in use: All is well."),
    ("DELETE", "/scenario", None, "Scenario dropped"),
    ("POST", "/next-outcome", {"decide": "rejected"},
     "Outcome of the next submission queued: rejected"),
    ("DELETE", "/next-outcome", None, "Queued outcomes taken back"),
    ("POST", "/faults", {"effect": "error"}, "Fault switched on: error"),
    ("DELETE", "/faults/fault-1", None, "Fault fault-1 switched off"),
    ("DELETE", "/faults", None, "All faults switched off"),
    ("POST", "/webhooks/policy", {"duplicate": 1}, "Callbacks disturbed"),
    ("DELETE", "/webhooks/policy", None, "The account's own policy for callbacks dropped"),
    ("POST", "/machine", {"name": "default"}, "Status machine in use: default"),
    ("DELETE", "/machine", None, "The account's own status machine dropped"),
    ("POST", "/accounts", {"auth_id": AUTH_ID, "settings": {"strict": "true"}},
     "Account made, or its settings changed: strict true"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "told"), STEERED)
def test_what_a_control_call_did_is_told_in_words(
    http: Http, method: str, path: str, body: Any, told: str
) -> None:
    """Not by its URL alone, whoever made it."""
    http.post("EndUser/", json={"name": "Acme", "end_user_type": "business"})
    http.control("POST", "/faults", {"effect": "error", "account": AUTH_ID})
    given = {} if "auth_id" in (body or {}) else {"account": AUTH_ID}
    answer = http.control(method, path, body, **given)
    assert answer.status_code < 300, answer.text
    last = http.control("GET", "/history", account=AUTH_ID).get_json()["calls"][-1]
    assert last["what"] == told
    assert last["path"] == f"/_sim{path}"


def test_what_a_refused_control_call_was_to_do(http: Http) -> None:
    """It has not done it."""
    http.control("POST", "/clock/advance", {"by": "-3d", "account": AUTH_ID})
    calls = http.control("GET", "/history", account=AUTH_ID).get_json()["calls"]
    assert calls[-1]["what"] == "Move time"


def test_the_words_are_of_operations_that_there_are() -> None:
    """None is of an operation that is gone."""
    names = {each.name for each in CONTROL.endpoints}
    assert set(WORDS) <= names
