"""``GET /_sim/report``, ``POST /_sim/clock/settle``: for tests in any language."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from plivo_sim.account.lock import AccountLock
from plivo_sim.control import reports
from tests.control.support import check_invalid
from tests.support import AUTH_ID, Http

CALLBACK = "http://127.0.0.1:9/cb"
OTHER_ID = "MAYYYYYYYYYYYYYYYYYY"


def report(http: Http, **query: str) -> list[str]:
    lines: list[str] = http.control("GET", "/report", account=AUTH_ID, **query).get_json()["lines"]
    return lines


def course(http: Http) -> list[str]:
    """What came and went, without times and ids."""
    lines = report(http)
    after = lines[lines.index("in order of arrival (real time, simulated time):") + 1 :]
    return [line.split("  ", 3)[3] for line in after]


def test_what_came_is_told_in_the_order_of_arrival(http: Http) -> None:
    """Though all of it is of the same simulated instant."""
    id = http.sdk_created(callback_url=CALLBACK)
    http.decide(id, "accepted")
    http.get("PhoneNumber/Compliance/")
    told = [line.replace(id, "ID").partition("?")[0] for line in course(http)]
    base = f"http://127.0.0.1/v1/Account/{AUTH_ID}/PhoneNumber/Compliance/"
    assert [line.removesuffix(" ") for line in told] == [
        f"request GET {base}Requirements/",
        f"request POST {base}: 201 created ID; accepted after 3 business days (default)",
        "application ID: draft -> submitted by client",
        "application ID: submitted -> accepted by hand",
        f"callback accepted to {CALLBACK}: 200, delivered",
        f"request GET {base}: 200",
    ]


def test_the_arrows_that_were_taken(http: Http) -> None:
    """Who took them, and how often."""
    for alias in ("one", "two"):
        http.decide(http.sdk_created(alias=alias), "accepted")
    assert [line for line in report(http) if line.startswith("arrow ")] == [
        "arrow draft -> submitted taken by client 2 times",
        "arrow submitted -> accepted taken by hand 2 times",
    ]


def test_only_the_last_lines(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """And how many are left out."""
    monkeypatch.setattr(reports, "MOST_LINES", 1)
    for _ in range(3):
        http.get("PhoneNumber/Compliance/")
    assert report(http)[-2] == "  2 earlier ones are left out"


def test_secrets_are_not_told(http: Http) -> None:
    """Neither of requests nor of callback URLs."""
    id = http.sdk_created(
        callback_url="http://user:very-secret@127.0.0.1:9/?auth_token=very-secret"
    )
    http.decide(id, "accepted")
    assert "very-secret" not in "\n".join(report(http))


def test_other_accounts(http: Http) -> None:
    """Those that were called since this one began, unless they were set up: another test's."""
    other = Http(http.app, http.sim, auth_id=OTHER_ID)
    other.sdk_created()
    http.control("POST", "/reset", account=AUTH_ID)
    told = f"account {OTHER_ID} was called, too: 2 requests, 1 applications, the last was request"

    def is_told(**query: str) -> bool:
        return any(line.startswith(told) for line in report(http, **query))

    assert (is_told(), is_told(others="all")) == (False, True)
    other.get("PhoneNumber/Compliance/")
    told = f"account {OTHER_ID} was called, too: 1 requests, 1 applications, the last was request"
    assert is_told()
    http.control("POST", "/accounts", {"auth_id": OTHER_ID, "settings": {"strict": "on"}})
    assert not is_told()
    answer = http.control("GET", "/report", account=AUTH_ID, others="none")
    check_invalid(answer, "others", "must be one of all, unset")


def test_a_reset_begins_anew(http: Http) -> None:
    """Nothing of before is told."""
    http.decide(http.sdk_created(), "accepted")
    http.control("POST", "/reset", account=AUTH_ID)
    assert report(http) == ["clock: 2026-01-05T09:00:00.000000Z, next due nothing"]


def due(http: Http) -> None:
    """Let a callback be due that nobody has sent yet."""
    http.sim.runner.wake = lambda account: None
    http.sdk_created(callback_url=CALLBACK, alias="SIM-ACCEPT")
    http.account.change_clock(lambda clock: clock.move_to(clock.now().replace(hour=23)))


def states(http: Http, **query: Any) -> list[str]:
    found = http.control("GET", "/webhooks", account=AUTH_ID, **query).get_json()["webhooks"]
    return [each["state"] for each in found]


def test_callbacks_as_they_are_now(http: Http) -> None:
    """Nothing is made to happen for such a look."""
    due(http)
    assert states(http, wait="no") == []
    assert states(http) == ["delivered"]
    answer = http.control("GET", "/webhooks", account=AUTH_ID, wait="x")
    check_invalid(answer, "wait", "must be one of yes, no")


def test_what_is_due_is_over_when_the_account_has_settled(http: Http) -> None:
    """Callbacks included."""
    due(http)
    answer = http.control("POST", "/clock/settle", account=AUTH_ID)
    assert (answer.status_code, answer.get_json()["settled"]) == (200, True)
    assert states(http, wait="no") == ["delivered"]


@pytest.mark.parametrize(
    ("path", "query"),
    [("/applications", {"limit": "1000"}), ("/report", {}), ("/report", {"format": "html"})],
)
def test_others_have_their_turn_while_many_applications_are_shown(
    http: Http, monkeypatch: pytest.MonkeyPatch, path: str, query: dict[str, str]
) -> None:
    """The account is let go of in between, and what is deleted meanwhile is left out."""
    account, id = http.account, http.sdk_created()
    first = account.store.applications.fetch(id)
    ids = [f"{n:08}{id[8:]}" for n in range(70)]
    with account.transaction():
        for alike in ids:
            account.store.applications.put(replace(first, id=alike, seq=account.next_seq()))
    gone = ids[5 if query.get("format") else -1]  # of the file, the newest come first
    turns = []

    def give_way(lock: AccountLock) -> None:
        turns.append(lock.raw._is_owned())
        if len(turns) == 1:
            with account.transaction():
                account.store.applications.drop(gone)

    monkeypatch.setattr(AccountLock, "give_way", give_way)
    shown = http.control("GET", path, account=AUTH_ID, **query)
    assert shown.status_code == 200
    assert set(turns) == {False}
    assert [each in shown.text for each in (ids[4], gone, ids[68])] == [True, False, True]
