"""What is announced of an application is what happens, when it happens."""

from __future__ import annotations

from typing import Any

import pytest

from plivo_sim.domain.machine import Machine
from plivo_sim.domain.records import TimerKind
from plivo_sim.machines import default_machine, shipped_machine
from plivo_sim.machines.loader import load_machine
from plivo_sim.services import machines, reviews
from tests.console.support import HOME
from tests.machines.files import IN_REVIEW, WITH_IN_REVIEW
from tests.support import Http

CHANGES = "machine: mine\nextends: default\narrows:\n"
SLOW = "  - {from: submitted, to: accepted, not_before: 2d}\n"
LATER = "  - {from: accepted, to: suspended, not_before: 3d}\n"
LEFT = "  - {from: submitted, to: rejected, by: [reviewer, time, hand], after: 1h}\n"
AT_ONCE = IN_REVIEW.replace(", not_before: 1d", "")
CASES: list[tuple[str, Machine, str, list[str], list[str]]] = [
    ("nothing to wait for", default_machine(), "5s", [], ["accepted"]),
    ("a status", load_machine(AT_ONCE), "5s", ["waits for in_review"], ["in_review", "accepted"]),
    ("a while", load_machine(CHANGES + SLOW), "5s", ["not before 2d after it was submitted"],
     ["accepted"]),
    ("both", WITH_IN_REVIEW, "5s",
     ["waits for in_review", "not before 1d after it was in_review"], ["in_review", "accepted"]),
    ("time was there before", shipped_machine("in-review"), "30d", [], ["in_review", "accepted"]),
    ("it comes before time does", load_machine(CHANGES + LEFT), "5s", [], ["accepted"]),
    ("it comes too late", load_machine(CHANGES + LEFT), "2h", [], ["rejected"]),
]  # fmt: skip


def following(http: Http, id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = http.control("GET", f"/applications/{id}").get_json()["next"]
    return found


def happened(http: Http, id: str) -> list[tuple[str, str]]:
    timeline = http.control("GET", f"/applications/{id}").get_json()["timeline"][1:]
    return [(each["status"], each["at"]) for each in timeline]


@pytest.mark.parametrize(("machine", "delay", "why", "course"), [c[1:] for c in CASES],
                         ids=[c[0] for c in CASES])  # fmt: skip
def test_what_is_announced_happens_then(
    http: Http, machine: Machine, delay: str, why: list[str], course: list[str]
) -> None:
    """And it says what it waits for."""
    machines.use_machine(http.account, machine)
    http.account.configure({"review_delay": delay})
    id = http.sdk_created()
    told = following(http, id)
    assert [each["status"] for each in told] == course
    for reason in why:
        assert reason in told[-1]["why"]
    assert ";" not in told[-1]["why"] or why
    http.advance("60d")
    assert happened(http, id) == [(each["status"], each["at"]) for each in told]


def test_what_follows_a_decision_waits_too(http: Http) -> None:
    """A later step of a plan: how long after the one before it is told with what it waits for."""
    machines.use_machine(http.account, load_machine(CHANGES + LATER))
    plan = {"decide": "accepted", "after": "1h", "then": [{"status": "suspended", "after": "1d"}]}
    http.control("POST", "/next-outcome", {**plan, "account": http.auth_id})
    id = http.sdk_created()
    first, second = following(http, id)
    assert (first["status"], second["after"]) == ("accepted", "3d")
    assert "not before 3d after it was accepted" in second["why"]
    http.advance("1h")
    due = following(http, id)[0]["at"]
    http.advance("3d")
    assert happened(http, id)[1] == ("suspended", due)


def test_what_a_step_waits_for_is_told_as_long_as_it_waits(http: Http) -> None:
    """Also once time has led on, and of the change itself."""
    machines.use_machine(http.account, WITH_IN_REVIEW)
    http.account.configure({"review_delay": "5s"})
    id = http.sdk_created()
    waits = "; not before 1d after it was in_review"
    first = f"default: accepted after 5s; waits for in_review{waits}"
    assert following(http, id)[-1]["why"] == first
    for duration in ("1m", "1h"):
        http.advance(duration)
        assert following(http, id)[-1]["why"] == f"default: accepted after 5s{waits}"
    http.advance("1d")
    change = http.control("GET", f"/applications/{id}").get_json()["timeline"][-1]
    assert (change["status"], change["why"]) == ("accepted", f"default: accepted after 5s{waits}")


def test_a_review_that_waits_for_an_arrow_of_its_instant_has_it_come_first(http: Http) -> None:
    """Though the arrow was taken from the agenda, and is not run: the review does not wait for an
    instant that is over."""
    account = http.account
    machines.use_machine(account, load_machine(AT_ONCE))
    account.configure({"review_delay": "1h"})
    id = http.sdk_created()
    due = account.agenda.next_instant()
    assert [account.agenda.take(TimerKind.REVIEW, due).kind for _ in range(2)] == [
        TimerKind.AUTOMATIC,
        TimerKind.REVIEW,
    ]
    (review,) = (t for t in account.store.timers.every() if t.kind is TimerKind.REVIEW)
    account.agenda.requeue(review)
    for _ in range(4):
        if (timer := account.agenda.take(TimerKind.REVIEW, due)) is not None:
            reviews.run(account, timer)
    assert [status for status, _ in happened(http, id)] == ["in_review", "accepted"]


def test_a_create_is_logged_with_when_it_is_decided(http: Http) -> None:
    """In the machine, not by the review delay alone."""
    machines.use_machine(http.account, WITH_IN_REVIEW)
    http.account.configure({"review_delay": "5s"})
    id = http.sdk_created()
    waits = "waits for in_review; not before 1d after it was in_review"
    told = [each["why"] for each in http.control("GET", "/requests").get_json()["requests"]]
    assert told[-1] == f"created {id}; accepted after 1d1h (default; {waits})"


def test_the_console_s_page_of_time_tells_the_same(http: Http) -> None:
    """Its button goes to when something happens."""
    machines.use_machine(http.account, WITH_IN_REVIEW)
    id = http.sdk_created()
    due = following(http, id)[-1]["at"].removesuffix("Z").removesuffix("+00:00")
    page = http.get(f"{HOME}/time").text
    assert due[:16] in page
