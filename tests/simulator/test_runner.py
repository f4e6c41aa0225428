"""Due work: reviews at their instants, advances, what happens while they are under way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from freezegun import freeze_time
from hypothesis import given, settings
from hypothesis import strategies as st

from plivo_sim.account.account import Account
from plivo_sim.account.interfaces import Answer, Outgoing, Transport
from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.domain.durations import Duration
from plivo_sim.domain.errors import Busy, ClockRefused, StorageFailed
from plivo_sim.services import applications, reviews
from plivo_sim.settings import Settings
from plivo_sim.simulator import instants
from plivo_sim.simulator import runner as runner_module
from plivo_sim.webhooks import sender as sender_module
from plivo_sim.webhooks.transport import MemoryTransport
from tests.fakes import START, Calling, Gate, Wall, all_at_once, meanwhile, refuse_writes, until
from tests.support import Http

CALLBACK = "http://127.0.0.1:9/cb"

Maker = Callable[..., Http]


@pytest.fixture
def make() -> Iterator[Maker]:
    """Makes simulators with settings, a transport and a wall clock of choice, and closes them."""
    made = []

    def maker(transport: Transport | None = None, wall: Wall | None = None, **chosen: Any) -> Http:
        values = {"paused": True, "review_delay": None} | chosen
        sim = make_simulator(
            Settings(**values), transport=transport or MemoryTransport(), real=wall or Wall()
        )
        made.append(sim)
        return Http(create_app(sim), sim)

    yield maker
    for sim in made:
        sim.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for a receiver that hangs."""
    monkeypatch.setattr(runner_module, "SENDS_WAIT_S", 0.01)
    monkeypatch.setattr(sender_module, "CUT_WAIT_S", 0.01)


def scenario(happenings: list[dict[str, Any]]) -> list[tuple[str, str, Any]]:
    """When, what, and what came of it."""
    return [(h["at"][5:16], h["type"], h.get("to") or h["state"]) for h in happenings]


def status_of(http: Http, id: str) -> str:
    """As an SDK would poll it."""
    return http.get(f"PhoneNumber/Compliance/{id}/").get_json()["compliance"]["status"]


# --- advancing -------------------------------------------------------------------------------


def test_each_event_happens_at_its_own_instant(http: Http) -> None:
    """In order, callbacks right after what caused them."""
    http.sdk_created(callback_url=CALLBACK)
    http.advance("1d")
    http.sdk_created(alias="Second", callback_url=CALLBACK)
    assert scenario(http.advance("10d")["happenings"]) == [
        ("01-08T09:00", "transition", "accepted"),
        ("01-08T09:00", "callback", "delivered"),
        ("01-09T09:00", "transition", "accepted"),
        ("01-09T09:00", "callback", "delivered"),
    ]


def test_an_advance_ends_where_it_should(http: Http) -> None:
    """Also when nothing is due."""
    assert http.advance("36h")["now"] == "2026-01-06T21:00:00.000000Z"


@pytest.mark.parametrize(
    ("by", "statuses"),
    [
        ("71h", "submitted"),
        ("72h", "accepted"),
        ("3 business days", "accepted"),
        ("0s", "submitted"),
    ],
)
def test_what_is_due_at_the_end_happens(http: Http, by: str, statuses: str) -> None:
    """The instant itself is included."""
    id = http.sdk_created()
    http.advance(by)
    assert status_of(http, id) == statuses


@pytest.mark.parametrize(
    ("start", "holidays", "decided"),
    [
        ("2026-01-05T09:00:00Z", "", "2026-01-08T09:00:00"),  # Monday
        ("2026-01-08T09:00:00Z", "", "2026-01-13T09:00:00"),  # over a weekend
        ("2026-01-10T23:59:59Z", "", "2026-01-14T23:59:59"),  # from a Saturday
        ("2026-01-08T09:00:00Z", "2026-01-12, 2026-01-26", "2026-01-14T09:00:00"),
    ],
)
def test_a_documented_review_takes_business_days(
    make: Maker, start: str, holidays: str, decided: str
) -> None:
    """Three for India; weekends and holidays do not count."""
    http = make()
    http.account.configure({"start": start, "holidays": holidays})
    http.sdk_created()
    (happened,) = http.advance("30d")["happenings"]
    assert happened["at"].startswith(decided)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The threads that wait, by name, each time they do."""
    seen: list[str] = []
    wait = threading.Condition.wait

    def noting(self: threading.Condition, timeout: float | None = None) -> bool:
        seen.append(threading.current_thread().name)
        return wait(self, timeout)

    monkeypatch.setattr(threading.Condition, "wait", noting)
    monkeypatch.setattr(time, "sleep", lambda _: seen.append(threading.current_thread().name))
    return seen


def test_a_three_day_review_takes_no_time(http: Http, waits: list[str]) -> None:
    """Real time, that is: nothing waits."""
    id = http.sdk_created(callback_url=CALLBACK)
    http.advance("3 business days")
    assert status_of(http, id) == "accepted"
    assert waits == []


def test_an_advance_backwards_is_refused(http: Http) -> None:
    """The clock never goes back."""
    http.advance("1d")
    body = {"to": "2026-01-06T08:59:59Z", "account": http.auth_id}
    answer = http.control("POST", "/clock/advance", body)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "clock_refused")


@pytest.mark.parametrize("by", [Duration(), Duration(1e-6)])
def test_a_tiny_advance_of_a_flying_clock_is_no_advance_backwards(
    make: Maker, by: Duration
) -> None:
    """It counts from when it begins, however much time passes before that."""
    ticking = [START]

    def real() -> datetime:
        ticking[0] += timedelta(seconds=1)
        return ticking[0]

    http = make(wall=real, paused=False, warp=86400.0)
    before = http.account.now()
    http.sim.advance(http.account, by)
    assert http.account.now() > before


PLANS = st.lists(
    st.fixed_dictionaries(
        {
            "delay": st.sampled_from(["1h", "26h", "2 business days", "3d", "9d"]),
            "fails": st.integers(0, 4),
            "wait": st.integers(0, 30),
        }
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=15, deadline=None)
@given(PLANS, st.lists(st.integers(0, 400_000), min_size=1, max_size=4))
def test_advancing_in_steps_is_advancing_at_once(plans: Any, steps: list[int]) -> None:
    """``advance(a); advance(b)`` and ``advance(a+b)``: the same timelines, deliveries, ids."""
    assert _history(plans, steps) == _history(plans, [sum(steps)])


def _history(plans: Any, steps: list[int]) -> Any:
    transport = Failing({f"cb{number}": plan["fails"] for number, plan in enumerate(plans)})
    sim = make_simulator(Settings(paused=True), transport=transport)
    http = Http(create_app(sim), sim)
    for number, plan in enumerate(plans):
        http.account.configure({"review_delay": plan["delay"]})
        http.sdk_created(alias=f"A{number}", callback_url=f"http://127.0.0.1:9/cb{number}")
        http.advance(f"{plan['wait']}h")
    happenings = [h for step in steps for h in http.advance(f"{step}s")["happenings"]]
    account: Account = http.account
    deliveries = [
        (d.id, d.state, [(a.at, a.headers, a.status) for a in d.attempts])
        for d in account.store.deliveries.every()
    ]
    timers = [(t.id, t.seq, t.due_at, t.kind) for t in account.store.timers.every()]
    timelines = [a.timeline for a in account.store.applications.every()]
    last = http.sdk_created(alias="last")
    sim.close()
    return happenings, deliveries, timers, timelines, account.now(), dict(account.ids.counts), last


class Failing(MemoryTransport):
    """The receiver at each path answers 500 so often, and then 200."""

    def __init__(self, fails: dict[str, int]) -> None:
        super().__init__()
        self._left = dict(fails)
        self._guard = threading.Lock()

    def send(self, request: Any) -> Any:
        path = request.url.rpartition("/")[2]
        with self._guard:
            failing = self._left[path] > 0
            self._left[path] -= failing
            self._statuses[:] = [500 if failing else 200]
            return super().send(request)


# --- while an advance is under way -----------------------------------------------------------


def test_an_advance_during_an_advance_is_409(make: Maker) -> None:
    """Of the same account; afterwards it works."""
    gate = Gate()
    http = make(gate)
    http.sdk_created(callback_url=CALLBACK)
    with meanwhile(lambda: http.advance("3d")):
        gate.wait_for(1)
        body = {"by": "1s", "account": http.auth_id}
        answer = http.control("POST", "/clock/advance", body)
        gate.open()
    assert (answer.status_code, answer.get_json()["code"]) == (409, "busy")
    assert http.advance("1s")["now"] == "2026-01-08T09:00:01.000000Z"


def test_a_failed_advance_leaves_the_account_free(http: Http) -> None:
    """It is not busy for ever."""
    account: Account = http.account

    def fail() -> bool:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        http.sim.runner.advance(account, None, fail)
    assert account.advancing is False
    http.advance("1s")


def test_a_running_clock_stands_during_an_advance(make: Maker) -> None:
    """However long the receivers take; then it runs on from where the advance ended."""
    transport, wall = Calling(), Wall()
    http = make(transport, wall, paused=False)
    seen = []

    def dawdle(_: Any) -> None:
        wall.pass_s(3600)
        seen.append(http.account.now())

    transport.on_call = dawdle
    http.sdk_created(callback_url=CALLBACK)
    http.advance("10d")
    assert (seen, http.account.now()) == ([START + timedelta(days=3)], START + timedelta(days=10))
    wall.pass_s(5)
    assert http.account.now() == START + timedelta(days=10, seconds=5)


def test_an_application_deleted_during_a_send_is_gone(
    make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its callback was under way: it is recorded as cancelled, and nothing is tried again."""
    monkeypatch.setattr(runner_module, "SENDS_WAIT_S", 0.01)
    gate = Gate()
    http = make(gate)
    id = http.sdk_created(callback_url=CALLBACK)
    account: Account = http.account
    with meanwhile(lambda: http.decide(id, "rejected")) as decided:
        gate.wait_for(1)
        deleted = http.delete(f"PhoneNumber/Compliance/{id}/")
        gate.open()
    assert (decided.result().status_code, deleted.status_code) == (200, 200)
    assert [d.state for d in account.store.deliveries.every()] == ["cancelled"]
    assert (len(account.store.timers), http.advance("30d")["happenings"]) == (0, [])


def test_applications_can_be_deleted_while_time_flies(make: Maker) -> None:
    """Every order of the two ends well: deleted or decided, never both, nothing left over."""
    http = make()
    made = [http.sdk_created(alias=f"A{n}") for n in range(20)]
    deletions = [
        lambda id=id: http.delete(f"PhoneNumber/Compliance/{id}/").status_code for id in made
    ]
    _, *statuses = all_at_once(lambda: http.advance("30d"), *deletions)
    left = {a.id: a.status for a in http.account.store.applications.every()}
    for id, status in zip(made, statuses, strict=True):
        assert (status, left.get(id)) in [(200, None), (400, "accepted")]
    assert len(http.account.store.timers) == 0


def test_one_of_many_decisions_at_once_wins(http: Http) -> None:
    """The others are told that the status is another."""
    id = http.sdk_created(callback_url=CALLBACK)
    verdicts = ["accepted", "rejected", "more_info_required"] * 3
    decide = [lambda verdict=verdict: http.decide(id, verdict).status_code for verdict in verdicts]
    codes = all_at_once(*decide)
    assert sorted(codes) == [200] + [409] * 8
    assert len(http.account.store.deliveries) == 1


def advance_in_vain(http: Http, by: str) -> None:
    """Advance time, and be told that a reset or a restore has undone it."""
    answer = http.control("POST", "/clock/advance", {"by": by, "account": http.account.auth_id})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "busy")


@pytest.mark.usefixtures("impatient")
def test_a_reset_ends_an_advance(make: Maker) -> None:
    """What comes of the callback that is under way, and where the advance was to end, is no
    business of the new account."""
    gate = Gate()
    http = make(gate)
    first = http.sdk_created(callback_url=CALLBACK)
    with meanwhile(lambda: advance_in_vain(http, "30d")):
        gate.wait_for(1)
        http.sim.remove(http.account)
        assert http.sim.accounts() == []
        gate.open()
    assert (http.account.now(), http.account.advancing, http.sim.accounts()) == (START, False, [])
    assert http.sdk_created(callback_url=CALLBACK) == first
    assert len(http.advance("3d")["happenings"]) == 2


@pytest.mark.usefixtures("impatient")
def test_a_callback_of_before_a_reset_is_not_taken_for_one_of_after(make: Maker) -> None:
    """The ids are the same again: the new delivery must not be marked by the old answer."""
    gate = Gate()
    http = make(gate)
    account: Account = http.account

    def reject() -> Any:
        id = http.sdk_created(callback_url=CALLBACK)
        return http.sim.decide(id, "rejected")

    with meanwhile(reject):
        gate.wait_for(1)
        http.sim.remove(account)
        with meanwhile(reject):
            gate.wait_for(2)
            (delivery,) = account.store.deliveries.every()
            assert (delivery.state, account.sending) == ("pending", 1)
            gate.open()
    assert [request.headers[-2] for request in gate.sent[:1]] == [gate.sent[1].headers[-2]]
    (delivery,) = account.store.deliveries.every()
    assert (delivery.state, len(delivery.attempts), account.sending) == ("delivered", 1, 0)


def test_a_restore_during_a_send_sends_again(make: Maker) -> None:
    """In the moment that is restored, it had not been sent."""
    gate = Gate()
    http = make(gate)
    http.sdk_created(callback_url=CALLBACK)
    account: Account = http.account
    with account.lock:
        mark = account.mark()
    with meanwhile(lambda: advance_in_vain(http, "3d")):
        gate.wait_for(1)
        account.restore(mark)
        gate.open()
    assert (account.now(), len(account.store.deliveries)) == (START, 0)
    assert scenario(http.advance("3d")["happenings"])[-1][2] == "delivered"
    assert len(gate.sent) == 2


def test_a_restore_during_sends_in_turn_sends_all_again(make: Maker) -> None:
    """Where nobody waits for receivers, several answers are written down together."""
    transport = Restoring()
    http = transport.http = make(transport)
    for alias in ("a", "b"):
        http.sdk_created(alias=alias, callback_url=CALLBACK)
    advance_in_vain(http, "3d")
    deliveries = http.account.store.deliveries
    assert [(str(d.state), len(d.attempts)) for d in deliveries.every()] == [("delivered", 1)] * 2
    assert len(transport.sent) == 4


class Restoring(MemoryTransport):
    """While the second request is under way, the account is restored to what it is then."""

    http: Http

    def send(self, request: Outgoing) -> Answer:
        answer = super().send(request)
        if len(self.sent) == 2:
            with self.http.account.lock:
                self.http.account.restore(self.http.account.mark())
        return answer


@pytest.mark.parametrize("verb", ["restore", "reset"])
def test_an_advance_that_is_undone_is_refused(make: Maker, verb: str) -> None:
    """What it made happen is there no more; its caller is told so."""
    gate = Gate()
    http = make(gate)
    http.sdk_created(callback_url=CALLBACK)
    account: Account = http.account
    with account.lock:
        mark = account.mark()
    with meanwhile(lambda: advance_in_vain(http, "3d")):
        gate.wait_for(1)
        account.restore(mark) if verb == "restore" else http.sim.remove(account)
        gate.open()


@pytest.mark.usefixtures("impatient")
def test_a_reset_lets_a_clock_run(make: Maker) -> None:
    """The hold of an advance that was under way does not outlive it."""
    gate, wall = Gate(), Wall()
    http = make(gate, wall, paused=False)
    http.sdk_created(callback_url=CALLBACK)
    with meanwhile(lambda: advance_in_vain(http, "30d")):
        gate.wait_for(1)
        http.sim.remove(http.account)
        gate.open()
    wall.pass_s(7)
    assert http.account.now() == START + timedelta(seconds=7)


def test_settings_changed_during_an_advance_do_not_lose_its_hold(make: Maker) -> None:
    """The clock runs again afterwards, at the new rate."""
    gate, wall = Gate(), Wall()
    http = make(gate, wall, paused=False)
    http.sdk_created(callback_url=CALLBACK)
    with meanwhile(lambda: http.advance("3d")):
        gate.wait_for(1)
        http.account.configure({"warp": "10"})
        wall.pass_s(50)
        gate.open()
    wall.pass_s(2)
    assert http.account.now() == START + timedelta(days=3, seconds=20)


# --- the time budget -------------------------------------------------------------------------


def carried_on() -> None:
    """Wait for the end of an advance that carries on."""
    for thread in threading.enumerate():
        if thread.name == "plivo-sim-advance":
            thread.join(60)


def test_an_advance_over_its_budget_is_pending_and_carries_on(
    make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """202 with what happened so far; later everything has."""
    monkeypatch.setattr(runner_module, "ADVANCE_BUDGET_S", -1.0)
    gate = Gate()
    http = make(gate)
    made = [http.sdk_created(alias="one")]
    http.advance("1h")
    made.append(http.sdk_created(alias="two", callback_url=CALLBACK))
    answer = http.control("POST", "/clock/advance", {"by": "30d", "account": http.auth_id})
    told = answer.get_json()
    assert (answer.status_code, told["pending"], told["advancing"]) == (202, True, True)
    assert len(told["happenings"]) == 1
    gate.wait_for(1)
    with pytest.raises(Busy):
        http.sim.advance(http.account, Duration(1))
    gate.open()
    carried_on()
    assert [status_of(http, id) for id in made] == ["accepted"] * 2
    assert (http.account.now(), http.account.advancing) == (
        datetime(2026, 2, 4, 10, tzinfo=UTC),
        False,
    )


def test_an_advance_waits_for_no_receiver_beyond_its_budget(
    make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within one instant, too."""
    monkeypatch.setattr(runner_module, "ADVANCE_BUDGET_S", 0.2)
    gate = Gate()
    http = make(gate)
    http.sdk_created(callback_url=CALLBACK)
    answer = http.control("POST", "/clock/advance", {"by": "30d", "account": http.auth_id})
    assert (answer.status_code, answer.get_json()["pending"]) == (202, True)
    gate.open()
    carried_on()
    assert http.account.advancing is False


def test_others_have_their_turn_within_an_instant(
    make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many reviews may be due at once; what is left of them is left to the advance."""
    monkeypatch.setattr(instants, "AT_ONCE", 1)
    monkeypatch.setattr("plivo_sim.account.lock.GIVES_WAY_S", 10.0)
    http = make()
    made = [http.sdk_created(alias=f"{n}") for n in range(3)]
    seen: list[int] = []

    def look() -> None:
        with http.account.lock:
            http.sim.runner.catch_up(http.account)
            rows = map(http.account.store.applications.fetch, made)
            seen.append(sum(row.status == "accepted" for row in rows))

    with ExitStack() as stack:

        def happened(account: Account, _: object) -> None:
            if account.lock.turns == 0 and not account.lock.waiting:
                stack.enter_context(meanwhile(look))
                until(lambda: account.lock.waiting == 1)

        http.sim.runner.on_happening = happened
        assert len(http.advance("30d")["happenings"]) == 3
    assert seen == [1]


def test_an_advance_until_a_status_stops_there_though_it_carries_on(
    make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not run to the end of everything."""
    monkeypatch.setattr(runner_module, "ADVANCE_BUDGET_S", -1.0)
    http = make()
    http.sdk_created(alias="first")
    http.advance("1h")
    awaited = http.sdk_created(alias="awaited")
    http.advance("1h")
    http.sdk_created(alias="last")
    until = {"application": awaited, "status": "accepted"}
    body = {"until": until, "account": http.auth_id}
    assert http.control("POST", "/clock/advance", body).status_code == 202
    carried_on()
    assert http.account.now() == START + timedelta(days=3, hours=1)


def test_an_advance_that_fails_while_it_carries_on_is_told(
    make: Maker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """In the log, and the account is free."""
    monkeypatch.setattr(runner_module, "ADVANCE_BUDGET_S", -1.0)
    http = make()
    http.sdk_created(alias="one")
    asked = []

    def stop() -> bool:
        asked.append(1)
        if len(asked) > 1:
            raise ZeroDivisionError
        return False

    assert http.sim.runner.advance(http.account, None, stop).pending
    carried_on()
    assert "ended early" in caplog.text
    assert http.account.advancing is False


# --- clocks that run -------------------------------------------------------------------------


def test_polling_sees_what_time_has_brought(make: Maker) -> None:
    """Without any thread: what is due happens before a request is served."""
    wall = Wall()
    http = make(wall=wall, paused=False, review_delay=Duration(5))
    id = http.sdk_created()
    wall.pass_s(4.9)
    assert status_of(http, id) == "submitted"
    wall.pass_s(0.1)
    assert status_of(http, id) == "accepted"
    (*_, accepted) = http.account.store.applications.fetch(id).timeline
    assert accepted.at == START + timedelta(seconds=5)


def test_a_warped_clock_brings_it_sooner(make: Maker) -> None:
    """A day a second."""
    wall = Wall()
    http = make(wall=wall, paused=False, warp=86400.0)
    id = http.sdk_created()
    wall.pass_s(3)
    assert status_of(http, id) == "accepted"


def test_freezegun_brings_it(transport: MemoryTransport) -> None:
    """``tick`` and ``move_to`` move a running clock in process."""
    with freeze_time("2026-03-02T10:00:00Z") as frozen:
        sim = make_simulator(Settings(review_delay=None), transport=transport)
        http = Http(create_app(sim), sim)
        first = http.sdk_created(callback_url=CALLBACK)
        frozen.tick(timedelta(days=2))
        second = http.sdk_created(alias="two")
        assert (status_of(http, first), status_of(http, second)) == ("submitted", "submitted")
        frozen.move_to("2026-03-05T10:00:00Z")
        assert (status_of(http, first), status_of(http, second)) == ("accepted", "submitted")
        frozen.tick(timedelta(days=4))
        assert status_of(http, second) == "accepted"
        assert len(transport.sent) == 1
        sim.close()


def test_a_paused_account_is_brought_nothing(make: Maker) -> None:
    """Until it is resumed."""
    wall = Wall()
    http = make(wall=wall, paused=False, review_delay=Duration(5))
    id = http.sdk_created()
    http.control("POST", "/clock/pause", {"account": http.auth_id})
    wall.pass_s(100)
    assert status_of(http, id) == "submitted"
    http.control("POST", "/clock/resume", {"account": http.auth_id})
    wall.pass_s(5)
    assert status_of(http, id) == "accepted"


# --- receivers -------------------------------------------------------------------------------


def test_a_receiver_may_call_in_while_it_is_called(make: Maker, waits: list[str]) -> None:
    """It reads, creates, decides, and looks at the control API, without waiting for itself."""
    transport = Calling()
    http = make(transport)
    id = http.sdk_created(callback_url=CALLBACK)
    seen: list[Any] = []

    def call_in(request: Any) -> None:
        transport.on_call = lambda _: None
        seen.append(status_of(http, id))
        seen.append(http.sdk_create(alias="from the receiver").status_code)
        seen.append(http.control("GET", f"/applications/{id}").get_json()["status"])
        seen.append(http.decide(id, "suspended").status_code)
        body = {"by": "1s", "account": http.auth_id}
        seen.append(http.control("POST", "/clock/advance", body).status_code)

    transport.on_call = call_in
    http.advance("3d")
    assert seen == ["accepted", 201, "accepted", 200, 409]
    assert set(waits) == {threading.current_thread().name}
    assert len(transport.sent) == 2


@pytest.mark.usefixtures("impatient")
def test_a_receiver_may_decide_over_http_while_it_is_called(make: Maker) -> None:
    """It comes in on another thread, so nobody knows that it is the receiver: it is answered after
    a moment, and its own callback follows once it has answered."""
    transport = Calling()
    http = make(transport)
    id = http.sdk_created(callback_url=CALLBACK)

    def call_in(request: Any) -> None:
        transport.on_call = lambda _: None
        with meanwhile(lambda: http.decide(id, "suspended")) as decided:
            pass
        assert decided.result().status_code == 200
        assert len(transport.sent) == 1

    transport.on_call = call_in
    http.decide(id, "accepted")
    assert http.sim.runner.finish_due(http.account, 60)
    assert len(transport.sent) == 2


@pytest.mark.parametrize("bound_s", [0.0, 0.01])
def test_a_settle_says_that_something_is_still_under_way(
    make: Maker, monkeypatch: pytest.MonkeyPatch, bound_s: float
) -> None:
    """Whether or not there was time to begin."""
    monkeypatch.setattr("plivo_sim.control.clock.SETTLE_S", bound_s)
    gate = Gate()
    http = make(gate)
    http.sim.runner.wake = lambda account: None
    http.sdk_created(callback_url=CALLBACK)
    http.account.change_clock(lambda clock: clock.move_to(clock.now() + timedelta(days=3)))
    answer = http.control("POST", "/clock/settle", {"account": http.auth_id})
    gate.open()
    assert (answer.status_code, answer.get_json()["settled"]) == (202, False)


def test_a_settle_ends_though_what_is_due_never_happens(
    make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an account whose place another has taken: it is over at once, and not looked at again and
    again until its time is up."""
    http = make()
    http.sim.runner.wake = lambda account: None
    http.sdk_created(callback_url=CALLBACK)
    http.account.change_clock(lambda clock: clock.move_to(clock.now() + timedelta(days=3)))
    http.account.retired = True
    asked = count()
    monkeypatch.setattr(runner_module, "monotonic_s", lambda: next(asked))
    assert http.sim.runner.finish_due(http.account, 1000)
    assert next(asked) < 10


@pytest.mark.usefixtures("impatient")
def test_attempts_of_one_application_go_out_in_their_order(make: Maker) -> None:
    """Each once the one before it is over, while another application's go out beside them."""
    gate = Gate()
    http = make(gate)
    one, two = (http.sdk_created(alias=alias, callback_url=CALLBACK) for alias in ("one", "two"))
    with meanwhile(lambda: http.decide(one, "accepted")):
        gate.wait_for(1)
        http.decide(one, "suspended")
        http.decide(one, "accepted")
        with meanwhile(lambda: http.decide(two, "rejected")):
            gate.wait_for(2)
            assert (gate.statuses(one), gate.statuses(two)) == (["accepted"], ["rejected"])
            gate.open()
    assert http.sim.runner.finish_due(http.account, 60)
    assert gate.statuses(one) == ["accepted", "suspended", "accepted"]


def test_those_of_one_instant_keep_their_order_too(make: Maker) -> None:
    """A single thread sends the copies of a callback; those of another application have theirs."""
    gate = Gate()
    http = make(gate)
    http.control("POST", "/webhooks/policy", {"duplicate": 2}, account=http.auth_id)
    for alias in ("one", "two"):
        http.sdk_created(alias=alias, callback_url=CALLBACK)
    with meanwhile(lambda: http.advance("3d")):
        gate.wait_for(2)
        with http.account.lock:
            assert (http.account.sending, http.account.senders) == (6, 2)
        gate.open()
    assert len(gate.sent) == 6


def test_a_failed_attempt_does_not_hold_up_the_next(make: Maker) -> None:
    """It is tried again when its own time has come."""
    transport = Calling()
    transport.statuses = [500]
    http = make(transport)
    id = http.sdk_created(callback_url=CALLBACK)
    http.decide(id, "accepted")
    http.decide(id, "suspended")
    states = [str(each.state) for each in http.account.store.deliveries.every()]
    assert states == ["pending", "delivered"]


def test_what_waited_in_line_does_not_go_out_after_its_application_is_gone(make: Maker) -> None:
    """Only what was under way already arrives."""
    gate = Gate()
    http = make(gate)
    http.control("POST", "/webhooks/policy", {"duplicate": 1}, account=http.auth_id)
    id = http.sdk_created(callback_url=CALLBACK)
    with meanwhile(lambda: http.sim.decide(id, "rejected")):
        gate.wait_for(1)
        applications.delete(http.account, applications.get(http.account, id))
        gate.open()
    assert len(gate.sent) == 1


def test_a_reset_waits_for_what_is_under_way(make: Maker) -> None:
    """So that the receiver is done with it when the next test begins."""
    ends: list[str] = []
    began, may_answer = threading.Event(), threading.Event()
    transport = Calling()

    def dawdle(_: Outgoing) -> None:
        began.set()
        assert may_answer.wait(60)
        ends.append("receiver")

    transport.on_call = dawdle
    http = make(transport)
    http.sdk_created(callback_url=CALLBACK)

    def reset() -> None:
        http.sim.remove_all()
        ends.append("reset")

    with meanwhile(lambda: advance_in_vain(http, "3d")):
        assert began.wait(60)
        with meanwhile(reset), http.account.lock:
            assert http.account.idle.wait_for(lambda: len(http.account.store.applications) == 0, 60)
            may_answer.set()
    assert ends == ["receiver", "reset"]


def test_a_receiver_that_hangs_is_cut_off_by_a_reset(
    make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a moment; nothing is under way any more when the reset is over."""
    monkeypatch.setattr(runner_module, "SENDS_WAIT_S", 0.01)
    gate = Gate()
    gate.cut = lambda request: gate.open()
    http = make(gate)
    http.sdk_created(callback_url=CALLBACK)
    with meanwhile(lambda: advance_in_vain(http, "3d")):
        gate.wait_for(1)
        http.sim.begin_anew(http.sim.settings)
    assert len(http.account.store.deliveries) == 0
    assert http.sim.runner.finish_due(http.account, 0.1)


def test_what_is_cut_off_by_the_end_stays_due(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was not answered, so it comes again."""
    monkeypatch.setattr(runner_module, "CLOSE_WAIT_S", 0.01)
    gate = Gate()
    gate.cut = lambda request: gate.open()
    http = make(gate)
    account = http.account
    http.sdk_created(callback_url=CALLBACK)
    with meanwhile(lambda: http.sim.advance(account, Duration(3 * 86400))):
        gate.wait_for(1)
        http.sim.runner.close([account])
    (delivery,) = account.store.deliveries.every()
    assert (delivery.state, delivery.attempts, len(account.store.timers)) == ("pending", (), 1)


def test_many_verbs_together_wait_once(make: Maker) -> None:
    """All of their receivers are being called at the same time."""
    gate = Gate()
    http = make(gate)
    ids = [http.sdk_created(alias=f"A{number}", callback_url=CALLBACK) for number in range(3)]

    def decide_all() -> None:
        with http.sim.runner.together():
            for id in ids:
                http.sim.decide(id, "rejected")

    with meanwhile(decide_all):
        gate.wait_for(3)
        gate.open()
    assert {str(each.state) for each in http.account.store.deliveries.every()} == {"delivered"}


def test_callbacks_of_one_instant_go_out_together(make: Maker) -> None:
    """Eight at a time: the receivers are all being called at once."""
    gate = Gate()
    http = make(gate)
    for number in range(8):
        http.sdk_created(alias=f"A{number}", callback_url=CALLBACK)
    with meanwhile(lambda: http.advance("3d")) as advanced:
        gate.wait_for(8)
        gate.open()
    happened = advanced.result()["happenings"]
    assert [h["type"] for h in happened] == ["transition"] * 8 + ["callback"] * 8
    assert [h["application"] for h in happened[:8]] == [h["application"] for h in happened[8:]]


class OneByOne:
    """Receivers that all fail, each only once those before it in ``order`` have answered."""

    def __init__(self, order: list[str]) -> None:
        self._left, self._changed = list(order), threading.Condition()

    def send(self, request: Outgoing) -> Answer:
        name = request.url.rpartition("/")[2]
        with self._changed:
            assert self._changed.wait_for(lambda: self._left[0] == name, 60)
            self._left.pop(0)
            self._changed.notify_all()
        return Answer(status=500)


def test_the_order_in_which_receivers_answer_decides_nothing(make: Maker, tmp_path: Path) -> None:
    """The retries have the same ids and the same order, and the journal is the same."""
    timers, journals = [], []
    for order in (["a", "b", "c"], ["c", "b", "a"]):
        http = make(OneByOne(order), state=tmp_path / order[0])
        for name in "abc":
            http.sdk_created(alias=name, callback_url=f"http://127.0.0.1:9/{name}")
        http.advance("3d")
        timers.append(list(http.account.store.timers.every()))
        journals.append(next((tmp_path / order[0]).rglob("journal.jsonl")).read_bytes())
    assert timers[0] == timers[1]
    assert len(timers[0]) == 3
    assert journals[0] == journals[1]


def test_hanging_receivers_hold_up_nobody_else(make: Maker) -> None:
    """Another account's callbacks go out meanwhile, however many hang."""
    gate = Gate()
    http = make(gate)
    other = Http(http.app, http.sim, auth_id="MAYYYYYYYYYYYYYYYYYY")
    for number in range(20):
        http.sdk_created(alias=f"A{number}", callback_url=CALLBACK)
    for number in range(3):
        other.sdk_created(alias=f"B{number}", callback_url="http://127.0.0.1:9/other")
    with meanwhile(lambda: http.advance("3d")):
        gate.wait_for(8)
        with meanwhile(lambda: other.advance("3d")):
            gate.wait_for(11)
            assert sum(request.url.endswith("other") for request in gate.sent) == 3
            gate.open()


def test_a_change_of_many_at_once_does_not_wait_for_its_own_lock(make: Maker) -> None:
    """Callbacks are written down by the thread that sends them off, which may hold the lock."""
    http = make()
    for number in range(3):
        http.sdk_created(alias=f"A{number}", callback_url=CALLBACK)

    def advance_locked() -> Any:
        with http.account.lock:
            return http.advance("3d")

    with meanwhile(advance_locked) as advanced:
        pass
    assert len(advanced.result()["happenings"]) == 6


# --- a disk that fails -----------------------------------------------------------------------


def tables(ops: Any) -> set[str]:
    return {table for table, _, _ in ops}


def test_a_review_that_cannot_be_written_happens_later(
    make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, when the disk has room; ids and callbacks are as if nothing had been."""
    transport = MemoryTransport()
    http = make(transport)
    id = http.sdk_created(callback_url=CALLBACK)
    refuse_writes(monkeypatch, http.account, lambda ops: "deliveries" in tables(ops), times=1)
    with pytest.raises(StorageFailed):
        http.sim.advance(http.account, Duration(3 * 86400))
    assert http.account.store.applications.fetch(id).status == "submitted"
    assert len(http.sim.advance(http.account).happenings) == 2
    assert (len(transport.sent), len(http.account.store.timers)) == (1, 0)
    assert [c.status for c in http.account.store.applications.fetch(id).timeline] == [
        "submitted",
        "accepted",
    ]


@pytest.mark.parametrize("count", [1, 3])
def test_an_attempt_that_cannot_be_written_is_written_later(
    make: Maker, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """It is not made again; the others are not touched.

    Several are written together first, then each alone: the first one fails both times.
    """
    transport = MemoryTransport()
    http = make(transport)
    for number in range(count):
        http.sdk_created(alias=f"A{number}", callback_url=CALLBACK)
    refuse_writes(
        monkeypatch,
        http.account,
        lambda ops: "deliveries" in tables(ops) and "applications" not in tables(ops),
        times=min(count, 2),
    )
    with pytest.raises(StorageFailed):
        http.sim.advance(http.account, Duration(3 * 86400))
    assert http.account.sending == 0
    http.advance("0s")
    assert [d.state for d in http.account.store.deliveries.every()] == ["delivered"] * count
    deliveries = {dict(request.headers)["X-Plivo-Sim-Delivery"] for request in transport.sent}
    assert (len(transport.sent), len(deliveries)) == (count, count)


@pytest.mark.parametrize("with_applications", [True, False])
def test_several_that_cannot_be_written_together_are_written_one_by_one(
    make: Maker, monkeypatch: pytest.MonkeyPatch, with_applications: bool
) -> None:
    """Reviews and callbacks alike: each happens once, is told of once and is sent once."""
    transport = MemoryTransport()
    http = make(transport)
    for number in range(3):
        http.sdk_created(alias=f"A{number}", callback_url=CALLBACK)
    refuse_writes(
        monkeypatch,
        http.account,
        lambda ops: (
            "deliveries" in tables(ops) and ("applications" in tables(ops)) is with_applications
        ),
        times=1,
    )
    told = http.sim.advance(http.account, Duration(3 * 86400)).happenings
    assert [type(each).__name__ for each in told] == ["StatusChanged"] * 3 + ["Attempted"] * 3
    assert [each.state for each in http.account.store.deliveries.every()] == ["delivered"] * 3
    assert (len(transport.sent), len(http.account.store.timers), http.account.sending) == (3, 0, 0)


def test_a_review_that_fails_takes_no_other_with_it(
    make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those before it at the same instant have happened, and those after it wait for it."""
    http = make()
    ids = [http.sdk_created(alias=f"A{number}") for number in range(3)]
    run = reviews.run

    def fail(account: Any, timer: Any) -> Any:
        if timer.subject_id == ids[1]:
            raise ZeroDivisionError
        return run(account, timer)

    monkeypatch.setattr(reviews, "run", fail)
    with pytest.raises(ZeroDivisionError):
        http.sim.advance(http.account, Duration(3 * 86400))
    found = [http.account.store.applications.fetch(id).status for id in ids]
    assert found == ["accepted", "submitted", "submitted"]
    monkeypatch.undo()
    http.advance("0s")
    assert {a.status for a in http.account.store.applications.every()} == {"accepted"}


def test_what_happens_at_one_instant_is_written_together(
    make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line of the journal for the reviews of several, one for their callbacks."""
    http = make()
    for number in range(3):
        http.sdk_created(alias=f"A{number}", callback_url=CALLBACK)
    append, lines = http.account.store.journal.append, []
    monkeypatch.setattr(
        http.account.store.journal,
        "append",
        lambda ops: (lines.append(tables(ops) - {"ledger"}), append(ops)),
    )
    http.advance("3d")
    written = [line for line in lines if line]
    assert written == [
        {"applications", "deliveries", "timers"},
        {"deliveries", "timers"},
    ]


def test_a_callback_that_cannot_be_prepared_is_not_lost(
    make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor are those that were prepared before it."""
    transport = MemoryTransport()
    http = make(transport)
    for number in range(3):
        http.sdk_created(alias=f"A{number}", callback_url=CALLBACK)
    outbox = http.sim.outbox
    prepare, prepared = outbox.prepare, []

    def fail(account: Any, timer: Any) -> Any:
        prepared.append(timer)
        if len(prepared) == 2:
            raise ZeroDivisionError
        return prepare(account, timer)

    monkeypatch.setattr(outbox, "prepare", fail)
    with pytest.raises(ZeroDivisionError):
        http.sim.advance(http.account, Duration(3 * 86400))
    http.advance("0s")
    assert len(transport.sent) == 3


def test_a_closed_simulator_begins_nothing_more(make: Maker) -> None:
    """An advance that is under way ends after what it is doing."""
    gate = Gate()
    http = make(gate)
    http.sdk_created(callback_url=CALLBACK)
    http.advance("1h")
    http.sdk_created(alias="two", callback_url=CALLBACK)
    with meanwhile(lambda: http.sim.advance(http.account, Duration(30 * 86400))):
        gate.wait_for(1)
        http.sim.runner.close()
        gate.open()
    assert (len(gate.sent), http.account.now()) == (1, START + timedelta(days=3))


def test_an_advance_to_an_earlier_instant_holds_nothing(http: Http) -> None:
    """Refused before the clock is touched."""
    with pytest.raises(ClockRefused):
        http.sim.advance(http.account, to=START - timedelta(seconds=1))
    assert http.account.advancing is False


def test_reads_are_answered_while_nothing_can_be_written(
    make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what is stored; what is due stays due, and a write is refused until there is room."""
    wall = Wall()
    http = make(wall=wall, paused=False)
    id = http.sdk_created()
    url = f"PhoneNumber/Compliance/{id}/"
    refuse_writes(monkeypatch, http.account)
    wall.pass_s(30 * 86400)
    assert status_of(http, id) == "submitted"
    assert http.call("HEAD", url).status_code == 200
    assert http.control("GET", f"/applications/{id}").json["status"] == "submitted"
    assert http.control("GET", "/webhooks").status_code == 200
    assert http.control("GET", "/inbox/any/messages").status_code == 200
    assert http.get(f"/console/{http.auth_id}/applications").status_code == 200
    assert http.delete(url).status_code == 500
    monkeypatch.undo()
    assert status_of(http, id) == "accepted"


def test_a_read_that_makes_a_callback_due_wakes_who_sends_it(make: Maker) -> None:
    """And one that does not, wakes nobody."""
    woken: list[Account] = []
    http = make(wall=(wall := Wall()), paused=False, review_delay=Duration(60))
    http.sdk_created(callback_url=CALLBACK)
    http.sim.runner.wake = woken.append
    http.get("PhoneNumber/Compliance/")
    assert woken == []
    wall.pass_s(120)
    http.get("PhoneNumber/Compliance/")
    assert woken == [http.account]
