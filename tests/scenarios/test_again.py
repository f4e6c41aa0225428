"""A scenario that is switched on again begins at its beginning."""

from __future__ import annotations

from tests.support import AUTH_ID, SDK_AGENT, Http

CALLBACK = "http://127.0.0.1:9/cb"


def use(http: Http, text: str) -> None:
    answer = http.control("POST", "/scenario", {"yaml": text, "account": AUTH_ID})
    assert answer.status_code == 200, answer.text


def test_its_rules_fire_anew(http: Http) -> None:
    """``times`` counts from the switching on."""
    scenario = "scenario: One is rejected.\nrules: [{decide: rejected, times: 1, after: 0s}]"
    statuses = []
    for _ in range(2):
        use(http, scenario)
        ids = [http.sdk_created() for _ in range(2)]
        http.advance("3 business days")
        statuses += [http.control("GET", f"/applications/{id}").get_json()["status"] for id in ids]
    assert statuses == ["rejected", "accepted"] * 2


def test_its_callbacks_are_lost_anew(http: Http) -> None:
    """``drop`` counts from the switching on."""
    for _ in range(2):
        use(http, "scenario: The first callback is lost.\nwebhooks: {drop: 1}")
        for _ in range(2):
            http.decide(http.sdk_created(callback_url=CALLBACK), "accepted")
    found = http.control("GET", "/webhooks", account=AUTH_ID).get_json()["webhooks"]
    assert [each["state"] for each in found] == ["dropped", "delivered"] * 2


def test_its_faults_strike_anew(http: Http) -> None:
    """``times`` of a fault counts from the switching on."""
    statuses = []
    for _ in range(2):
        use(http, "scenario: One call fails.\nfaults: [{effect: error, times: 1}]")
        for _ in range(2):
            answer = http.get("PhoneNumber/Compliance/", headers={"User-Agent": SDK_AGENT})
            statuses.append(answer.status_code)
    assert statuses == [500, 200] * 2


def test_a_fault_that_is_added_again_strikes_anew(http: Http) -> None:
    """Under the same name, after it was switched off."""
    statuses = []
    for _ in range(2):
        fault = {"effect": "error", "times": 1, "name": "once", "account": AUTH_ID}
        assert http.control("POST", "/faults", fault).status_code == 201
        answer = http.get("PhoneNumber/Compliance/", headers={"User-Agent": SDK_AGENT})
        statuses.append(answer.status_code)
        http.control("DELETE", "/faults/once", account=AUTH_ID)
    assert statuses == [500, 500]


def test_a_reset_ends_a_quota_s_window(http: Http) -> None:
    """Calls of the time before do not count."""
    scenario = "scenario: One call a minute.\nfaults: [{effect: rate_limited, quota: {calls: 1}}]"
    statuses = []
    for _ in range(2):
        use(http, scenario)
        for _ in range(2):
            answer = http.get("PhoneNumber/Compliance/", headers={"User-Agent": SDK_AGENT})
            statuses.append(answer.status_code)
        http.control("POST", "/reset", {"account": AUTH_ID})
    assert statuses == [200, 429] * 2
