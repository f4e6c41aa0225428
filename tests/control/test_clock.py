"""Time over HTTP: look, advance, set, pause, resume, rate. Decisions: "Time"."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from plivo_sim.account.interfaces import Answer, Outgoing
from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.settings import Settings
from plivo_sim.simulator import runner
from plivo_sim.webhooks.transport import MemoryTransport
from tests.conftest import PAUSED
from tests.control.support import check_invalid, check_problem
from tests.support import AUTH_ID, Http

START = "2026-01-05T09:00:00.000000Z"
CALLBACK = "http://127.0.0.1:9/cb"
STATUSES = "draft, submitted, accepted, rejected, more_info_required, suspended, expired"
DURATION = "cannot read duration {!r}: write 5s, 36h, 3d, 1d12h or '2 business days'"


class Real:
    """A real clock that the test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def real() -> Real:
    return Real()


@pytest.fixture
def running(real: Real) -> Iterator[Http]:
    """A simulator whose clocks run with that real clock."""
    sim = make_simulator(
        Settings(port=0, review_delay=None), transport=MemoryTransport(), real=real
    )
    yield Http(create_app(sim), sim)
    sim.close()


def clock(http: Http) -> dict[str, Any]:
    answer = http.control("GET", "/clock", account=AUTH_ID)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def post(http: Http, verb: str, **body: Any) -> dict[str, Any]:
    answer = http.control("POST", f"/clock/{verb}", body)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def told(happened: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(each["at"], each.get("to") or each["state"]) for each in happened]


# --- looking ---------------------------------------------------------------------------------


def test_the_clock_tells_where_it_stands(http: Http) -> None:
    """The whole answer, with something due."""
    http.sdk_created()
    assert clock(http) == {
        "account": AUTH_ID,
        "now": START,
        "paused": True,
        "rate": 1.0,
        "advancing": False,
        "next_due": "2026-01-08T09:00:00.000000Z",
        "due_count": 1,
        "due_never": False,
        "sending": 0,
    }


def test_the_clock_with_nothing_due(http: Http) -> None:
    """Nothing is nothing, not a missing key; a look makes no account."""
    assert (clock(http)["next_due"], clock(http)["due_count"]) == (None, 0)
    assert http.sim.accounts() == []


@pytest.fixture
def late(http: Http) -> str:
    """An application that is filed an hour before the clock stops: its review would end later."""
    http.control("POST", "/clock/advance", {"to": "8999-12-31T23:00:00Z", "account": AUTH_ID})
    return http.sdk_created()


def test_what_is_due_behind_the_end_of_the_clock(http: Http, late: str) -> None:
    """It never is: the clock says so, and the report, the verdict, and an advance until then."""
    told = clock(http)
    assert (told["next_due"], told["due_count"], told["due_never"]) == (None, 1, True)
    report = http.control("GET", "/report").text
    assert "next due never: the clock stops at the year 9000" in report
    verdict = http.control("GET", f"/applications/{late}").get_json()["verdict"]
    assert "accepted is due never, as the clock stops at the year 9000 (9000-01-03" in verdict
    until = {"application": late, "status": "accepted"}
    answer = http.control("POST", "/clock/advance", {"until": until})
    check_problem(
        answer, "not_reached",
        f"accepted was not reached: application {late} is submitted at 8999-12-31 23:00:00, and "
        "nothing more is due before the clock stops at the year 9000; no time went by",
    )  # fmt: skip


def test_what_never_is_due_can_be_decided_by_hand(http: Http, late: str) -> None:
    """And then nothing is due any more; what is due sooner is told first."""
    http.decide(late, "accepted")
    assert (clock(http)["due_count"], clock(http)["due_never"]) == (0, False)


# --- advancing -------------------------------------------------------------------------------


def test_advance_by_tells_what_happened_in_order(http: Http) -> None:
    """Each event at its own instant, its callback delivered before the call answers."""
    id = http.sdk_created(callback_url=CALLBACK)
    answer = post(http, "advance", by="3d1h")
    assert (answer["now"], answer["pending"]) == ("2026-01-08T10:00:00.000000Z", False)
    assert answer["began"] == START
    assert (answer["transitions"], answer["callbacks"]) == ({"accepted": 1}, {"delivered": 1})
    (delivery,) = http.control("GET", "/webhooks").get_json()["webhooks"]
    assert answer["happenings"] == [
        {
            "type": "transition",
            "at": "2026-01-08T09:00:00.000000Z",
            "application": id,
            "from": "submitted",
            "to": "accepted",
            "reason": None,
        },
        {
            "type": "callback",
            "at": "2026-01-08T09:00:00.000000Z",
            "delivery": delivery["id"],
            "application": id,
            "attempt": 1,
            "retries": 3,
            "state": "delivered",
            "status": 200,
            "error": None,
        },
    ]


@pytest.mark.parametrize(
    ("by", "now"),
    [
        ("90s", "09:01:30"),
        ("36 minutes", "09:36:00"),
        (1.5, "09:00:01"),
        (60, "09:01:00"),
        ("1h 30m", "10:30:00"),
        ("0", "09:00:00"),
    ],
)
def test_advance_by_durations_as_people_write_them(http: Http, by: Any, now: str) -> None:
    """Words, or a number of seconds."""
    http.sdk_created()
    assert post(http, "advance", by=by)["now"][11:19] == now


def test_advance_by_business_days(http: Http) -> None:
    """Four of them from a Thursday end on a Wednesday, at the same time of day."""
    http.sdk_created()
    post(http, "advance", by="3d")
    assert post(http, "advance", by="4 business days")["now"] == "2026-01-14T09:00:00.000000Z"


@pytest.mark.parametrize("verb", ["advance", "set"])
@pytest.mark.parametrize(
    "to", ["2026-01-08T09:00:00Z", "2026-01-08T14:30:00+05:30", "2026-01-08T09:00:00"]
)
def test_advance_to_an_instant(http: Http, verb: str, to: str) -> None:
    """With an offset or, without one, UTC; what is due at it happens. ``set`` is the same."""
    http.sdk_created()
    answer = post(http, verb, to=to)
    assert answer["now"] == "2026-01-08T09:00:00.000000Z"
    assert told(answer["happenings"]) == [(answer["now"], "accepted")]


def test_advance_until_a_status(http: Http) -> None:
    """The clock goes from event to event, and stays where the status was reached."""
    first = http.sdk_created(callback_url=CALLBACK)
    http.advance("1d")
    second = http.sdk_created(alias="second")
    until = {"application": first, "status": "accepted"}
    answer = post(http, "advance", until=until)
    assert answer["now"] == "2026-01-08T09:00:00.000000Z"
    assert http.control("GET", f"/applications/{second}").get_json()["status"] == "submitted"


def test_advance_until_a_status_that_is_there(http: Http) -> None:
    """Nothing happens, and no time goes by."""
    until = {"application": http.sdk_created(), "status": "submitted"}
    answer = post(http, "advance", until=until)
    assert (answer["now"], answer["happenings"]) == (START, [])


def test_advance_until_a_status_that_never_comes(http: Http) -> None:
    """409 when nothing more is due, with the status that it has, when that was, and that time has
    moved to there; the second time it does not."""
    until = {"application": (id := http.sdk_created()), "status": "rejected"}
    answer = http.control("POST", "/clock/advance", {"until": until})
    told = f"rejected was not reached: application {id} is accepted at 2026-01-08 09:00:00, "
    told += "and nothing more is due; "
    moved = "time moved from 2026-01-05 09:00:00 to 2026-01-08 09:00:00"
    check_problem(answer, "not_reached", told + moved)
    again = http.control("POST", "/clock/advance", {"until": until})
    check_problem(again, "not_reached", f"{told}no time went by")


def test_two_advances_equal_one(http: Http) -> None:
    """``advance(a); advance(b)`` is ``advance(a+b)`` (decision "Same calls, same journal")."""
    http.sdk_created(callback_url=CALLBACK)
    split = (
        post(http, "advance", by="2d")["happenings"] + post(http, "advance", by="2d")["happenings"]
    )
    http.control("POST", "/reset", {"account": AUTH_ID})
    http.sdk_created(callback_url=CALLBACK)
    assert post(http, "advance", by="4d")["happenings"] == split


def test_retries_happen_within_one_advance() -> None:
    """A callback that fails is tried again at its own later instants, all of them told."""
    sim = make_simulator(PAUSED, transport=MemoryTransport(500, 500, 500, 500))
    http = Http(create_app(sim), sim)
    http.sdk_created(callback_url=CALLBACK)
    happened = post(http, "advance", by="4d")["happenings"]
    sim.close()
    assert [(each["at"][11:19], each["state"]) for each in happened[1:]] == [
        ("09:00:00", "pending"),
        ("09:01:00", "pending"),
        ("09:03:00", "pending"),
        ("09:07:00", "failed"),
    ]


WRONG_ADVANCES: list[tuple[dict[str, Any], str, str]] = [
    ({}, "", "give one of by, to, until"),
    ({"by": None}, "", "give one of by, to, until"),
    ({"by": "1h", "to": "2026-02-01"}, "", "give one of by, to, until"),
    ({"by": "soon"}, "by", DURATION.format("soon")),
    ({"by": -5}, "by", DURATION.format("-5.000000s")),
    ({"by": True}, "by", "must be a duration, such as '1d12h', or a number of seconds"),
    ({"by": ["1h"]}, "by", "must be a duration, such as '1d12h', or a number of seconds"),
    ({"by": "4000d"}, "by", "duration '4000d' is over ten years"),
    ({"to": "soon"}, "to", "cannot read instant 'soon': write 2026-01-05T09:00:00Z"),
    ({"to": 5}, "to", "must be a string"),
    ({"until": "accepted"}, "until", "must be an object with application and status"),
    ({"until": {"status": "done"}}, "status", f"must be one of {STATUSES}"),
    ({"until": {}}, "status", f"must be one of {STATUSES}"),
    ({"for": "1h"}, "for", "unknown; there are by, to, until, account"),
    ({"by": "1h", "account": "me"}, "account", "must be MA and 18 letters or digits"),
    ({"by": "1h", "account": "all"}, "account", "must be MA and 18 letters or digits"),
    ({"by": "1h", "account": 5}, "account", "must be a string"),
]


@pytest.mark.parametrize(("body", "path", "text"), WRONG_ADVANCES, ids=lambda each: str(each)[:40])
def test_wrong_advances(http: Http, body: dict[str, Any], path: str, text: str) -> None:
    """400 that names the path; the clock stays."""
    http.sdk_created()
    check_invalid(http.control("POST", "/clock/advance", body), path, text)
    assert clock(http)["now"] == START


def test_advance_until_an_unknown_application(http: Http) -> None:
    """404."""
    http.sdk_created()
    body = {"until": {"application": "none", "status": "accepted"}}
    answer = http.control("POST", "/clock/advance", body)
    check_problem(
        answer, "not_found", "application 'none' not found", kind="application", id="none"
    )


@pytest.mark.parametrize("verb", ["advance", "set"])
@pytest.mark.parametrize(
    ("to", "text"),
    [
        (
            "2026-01-05T08:59:59Z",
            "the clock never goes back: it is 2026-01-05T09:00:00Z already",
        ),
        ("9999-01-01T00:00:00Z", "the clock stops at the year 9000"),
    ],
)
def test_instants_that_the_clock_refuses(http: Http, verb: str, to: str, text: str) -> None:
    """409: it never goes back (decision "The clock never goes back"), and it has an end."""
    http.sdk_created()
    check_problem(http.control("POST", f"/clock/{verb}", {"to": to}), "clock_refused", text)
    assert clock(http) | {"next_due": "", "due_count": 0} == {
        "account": AUTH_ID,
        "now": START,
        "paused": True,
        "rate": 1.0,
        "advancing": False,
        "next_due": "",
        "due_count": 0,
        "due_never": False,
        "sending": 0,
    }


@pytest.mark.parametrize("body", [{}, {"to": None}])
def test_set_needs_an_instant(http: Http, body: dict[str, Any]) -> None:
    """Null counts as not given."""
    http.sdk_created()
    check_invalid(http.control("POST", "/clock/set", body), "to", "is required")


# --- one advance at a time -------------------------------------------------------------------


class Held:
    """A receiver that answers when the test says so."""

    def __init__(self) -> None:
        self.reached, self.proceed = threading.Event(), threading.Event()

    def send(self, request: Outgoing) -> Answer:
        self.reached.set()
        assert self.proceed.wait(60)
        return Answer(status=200)


def test_an_advance_during_an_advance_is_409() -> None:
    """Of the same account; another one's is not disturbed (decision "Advance, event by event")."""
    held = Held()
    sim = make_simulator(PAUSED, transport=held)
    http = Http(create_app(sim), sim)
    http.sdk_created(callback_url=CALLBACK)
    other = Http(http.app, sim, auth_id="MAYYYYYYYYYYYYYYYYYY")
    other.sdk_created()
    first = threading.Thread(target=http.advance, args=("4d",))
    first.start()
    assert held.reached.wait(60)
    try:
        second = http.control("POST", "/clock/advance", {"by": "1h", "account": AUTH_ID})
        check_problem(second, "busy", "another advance of this account is under way")
        assert other.advance("1h")["now"][11:19] == "10:00:00"
        assert clock(http)["advancing"] is True
    finally:
        held.proceed.set()
        first.join(60)
    assert clock(http)["advancing"] is False
    sim.close()


def test_an_advance_that_takes_too_long_carries_on(
    http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    """202 that says so; the rest happens all the same (decision "Advance, event by event")."""
    monkeypatch.setattr(runner, "ADVANCE_BUDGET_S", -1.0)
    http.sdk_created(callback_url=CALLBACK)
    http.sdk_created(alias="later", callback_url=CALLBACK)
    answer = http.control("POST", "/clock/advance", {"by": "10d"})
    assert (answer.status_code, answer.get_json()["pending"]) == (202, True)
    for thread in threading.enumerate():
        if thread.name == "plivo-sim-advance":
            thread.join(60)
    assert clock(http)["now"] == "2026-01-15T09:00:00.000000Z"
    states = [each["state"] for each in http.control("GET", "/webhooks").get_json()["webhooks"]]
    assert states == ["delivered", "delivered"]


# --- pause, resume, rate ---------------------------------------------------------------------


def test_a_running_clock_follows_real_time(running: Http, real: Real) -> None:
    """And what became due meanwhile has happened when somebody looks
    (decision "Due work first")."""
    id = running.sdk_created()
    real.now += timedelta(days=3)
    assert clock(running)["now"] == "2026-03-05T12:00:00.000000Z"
    assert running.control("GET", f"/applications/{id}").get_json()["status"] == "accepted"


def test_a_paused_clock_ignores_real_time(running: Http, real: Real) -> None:
    """From the pause on; resumed, it goes on from there."""
    running.sdk_created()
    assert post(running, "pause")["paused"] is True
    real.now += timedelta(days=30)
    assert clock(running)["now"] == "2026-03-02T12:00:00.000000Z"
    assert post(running, "resume")["paused"] is False
    real.now += timedelta(hours=1)
    assert clock(running)["now"] == "2026-03-02T13:00:00.000000Z"


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_pause_and_resume_again_change_nothing(running: Http, verb: str) -> None:
    """Saying it twice is no mistake."""
    running.sdk_created()
    once = post(running, verb)
    assert post(running, verb) == once


@pytest.mark.parametrize("rate", [86400, 86400.0, "86400"])
def test_a_rate_lets_time_fly(running: Http, real: Real, rate: Any) -> None:
    """A day a second; a number or its text."""
    running.sdk_created()
    assert post(running, "rate", rate=rate)["rate"] == 86400.0
    real.now += timedelta(seconds=2)
    assert clock(running)["now"] == "2026-03-04T12:00:00.000000Z"


@pytest.mark.parametrize(
    "rate", [0, -1, "fast", True, 1e10, "nan", None, 1e-320, "9e-10", "-0", "inf", "1_0", "١"]
)
def test_wrong_rates(http: Http, rate: Any) -> None:
    """400 that says what a rate is."""
    http.sdk_created()
    text = f"the rate must be a number from 1e-9 to 1e9, not {str(rate)!r}"
    check_invalid(http.control("POST", "/clock/rate", {"rate": rate}), "rate", text)
    assert clock(http)["rate"] == 1.0


def test_an_advance_stops_a_running_clock_for_the_call(running: Http, real: Real) -> None:
    """It ends where it was told to, and runs on from there (decision "Advance, event by event")."""
    running.sdk_created()
    assert post(running, "advance", by="1d")["now"] == "2026-03-03T12:00:00.000000Z"
    real.now += timedelta(seconds=5)
    assert clock(running)["now"] == "2026-03-03T12:00:05.000000Z"


def test_accounts_have_clocks_of_their_own(http: Http) -> None:
    """What one of them does is not seen in another."""
    http.sdk_created()
    other = Http(http.app, http.sim, auth_id="MAYYYYYYYYYYYYYYYYYY")
    other.sdk_created()
    http.advance("3d")
    assert other.advance("0s")["now"] == START


# --- at once (decision "Work due at once") -------------------------------------------------------


def test_work_due_at_once_runs_after_the_answer(http: Http, transport: MemoryTransport) -> None:
    """An instant review: the update's own answer says submitted, the next look says accepted."""
    id = http.sdk_created(callback_url=CALLBACK)
    http.decide(id, "rejected")
    http.account.configure({"review_delay": "0s"})
    answer = http.sdk_send("PATCH", f"PhoneNumber/Compliance/{id}/", {"alias": "x"}, {})
    assert answer.get_json()["compliance"]["status"] == "submitted"
    assert [json.loads(sent.body)["status"] for sent in transport.sent] == ["rejected", "accepted"]
    shown = http.control("GET", f"/applications/{id}").get_json()
    assert (shown["status"], shown["timeline"][-1]["at"]) == ("accepted", START)
