"""What steers an account, and what it is called."""

from __future__ import annotations

from tests.support import AUTH_ID, Http

FAULT = {"effect": "reset", "account": AUTH_ID}


def test_a_fault_may_have_the_name_that_would_be_drawn_next(http: Http) -> None:
    """Neither a next outcome nor a fault without a name takes its place."""
    for name in ("next-1", "fault-1"):
        assert http.control("POST", "/faults", FAULT | {"name": name}).status_code == 201
    outcome = {"decide": "rejected", "account": AUTH_ID}
    assert http.control("POST", "/next-outcome", outcome).get_json()["waiting"] == 1
    added = http.control("POST", "/faults", FAULT).get_json()
    assert added["id"] == "fault-2"
    assert [each["id"] for each in added["faults"]] == ["next-1", "fault-1", "fault-2"]
