"""What was done in an account, and a copy of it."""

from __future__ import annotations

from typing import Any

from plivo_sim.control.answers import HistoryOut
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
