"""The thread that wakes accounts, for those who wait for callbacks."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from plivo_sim.account.agenda import Agenda
from plivo_sim.account.interfaces import Answer, Outgoing, Transport
from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.domain.durations import Duration
from plivo_sim.settings import Settings
from plivo_sim.simulator import runner as runner_module
from plivo_sim.simulator import scheduler as scheduler_module
from plivo_sim.simulator.scheduler import Scheduler
from plivo_sim.webhooks import sender as sender_module
from plivo_sim.webhooks import waiting
from tests.fakes import Calling, Gate, meanwhile, until
from tests.support import AUTH_ID, Http

CALLBACK = "http://127.0.0.1:9/cb"
OTHER = "MAYYYYYYYYYYYYYYYYYY"
SOON = Duration(0.01)

Maker = Callable[..., Http]


@pytest.fixture
def make() -> Iterator[Maker]:
    """Simulators whose accounts are woken; real time passes."""
    made = []

    def maker(transport: Transport, **chosen: Any) -> Http:
        sim = make_simulator(Settings(**({"review_delay": SOON} | chosen)), transport=transport)
        scheduler = Scheduler(sim.runner)
        sim.runner.wake = scheduler.notify
        scheduler.start()
        made.append((sim, scheduler))
        return Http(create_app(sim), sim)

    yield maker
    for sim, scheduler in made:
        scheduler.stop()
        sim.close()


@pytest.fixture
def gate() -> Iterator[Gate]:
    """Receivers that answer once the gate is opened, at the latest at the end."""
    gate = Gate()
    yield gate
    gate.open()


def test_what_is_due_happens_without_any_request(make: Maker, gate: Gate) -> None:
    """The callback arrives by itself."""
    http = make(gate)
    http.sdk_created(callback_url=CALLBACK)
    gate.wait_for(1)


def test_a_flying_clock_is_followed(make: Maker, gate: Gate) -> None:
    """Three business days in a blink."""
    http = make(gate, review_delay=None, warp=86400.0 * 500)
    http.sdk_created(callback_url=CALLBACK)
    gate.wait_for(1)


def test_no_request_waits_for_a_receiver(make: Maker, gate: Gate) -> None:
    """What an application calls is answered while a callback hangs."""
    http = make(gate, paused=True, review_delay=Duration(0))
    id = http.sdk_created(callback_url=CALLBACK)
    gate.wait_for(1)
    got = http.get(f"PhoneNumber/Compliance/{id}/")
    assert got.get_json()["compliance"]["status"] == "accepted"
    assert http.sdk_create(alias="another").status_code == 201


def test_a_receiver_that_hangs_delays_its_own_account_only(make: Maker) -> None:
    """The other one's callbacks arrive meanwhile."""
    hanging, arrived = Gate(), Gate()
    arrived.open()

    class ByUrl:
        def send(self, request: Outgoing) -> Answer:
            return (hanging if request.url == CALLBACK else arrived).send(request)

    http = make(ByUrl())
    other = Http(http.app, http.sim, auth_id=OTHER)
    http.sdk_created(callback_url=CALLBACK)
    hanging.wait_for(1)
    other.sdk_created(callback_url="http://127.0.0.1:9/other")
    arrived.wait_for(1)
    hanging.open()


def test_a_paused_account_is_woken_by_its_resumption(make: Maker, gate: Gate) -> None:
    """And not before: the callback of the account that runs comes first."""
    http = make(gate)
    http.account.configure({"paused": "true"})
    http.sdk_created(callback_url=CALLBACK)
    other = Http(http.app, http.sim, auth_id=OTHER)
    other.sdk_created(callback_url=f"{CALLBACK}/other")
    gate.wait_for(1)
    assert [request.url for request in gate.sent] == [f"{CALLBACK}/other"]
    http.control("POST", "/clock/resume", {"account": http.auth_id})
    gate.wait_for(2)


def test_a_faster_clock_wakes_earlier(make: Maker, gate: Gate) -> None:
    """The nap for the old rate does not go on."""
    http = make(gate, review_delay=Duration(3600))
    http.sdk_created(callback_url=CALLBACK)
    http.control("POST", "/clock/rate", {"rate": 1e8, "account": http.auth_id})
    gate.wait_for(1)


def test_a_receiver_that_makes_more_work_is_served(make: Maker) -> None:
    """Each callback creates the next application, three times over."""
    done = Gate()
    done.open()
    transport = Calling()
    http = make(transport)

    def create_next(request: Outgoing) -> None:
        if len(transport.sent) < 3:
            http.sdk_created(alias=f"A{len(transport.sent)}", callback_url=CALLBACK)
        done.send(request)

    transport.on_call = create_next
    http.sdk_created(callback_url=CALLBACK)
    done.wait_for(3)


def test_work_that_fails_is_told_and_tried_again(
    make: Maker, gate: Gate, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One bad moment does not stop the clock for ever."""
    monkeypatch.setattr(sender_module, "TRY_AGAIN_S", 0.01)
    http = make(gate)
    prepare, failed = http.sim.outbox.prepare, []

    def fail_once(account: Any, timer: Any) -> Any:
        if not failed:
            failed.append(timer)
            raise ZeroDivisionError
        return prepare(account, timer)

    monkeypatch.setattr(http.sim.outbox, "prepare", fail_once)
    with caplog.at_level(logging.ERROR):
        http.sdk_created(callback_url=CALLBACK)
        gate.wait_for(1)
    assert f"due work of account {http.auth_id} failed" in caplog.text


def test_stopping_lets_what_is_under_way_end(make: Maker) -> None:
    """The answer is written down."""
    gate = Gate()
    http = make(gate, paused=True, review_delay=Duration(0))
    http.sdk_created(callback_url=CALLBACK)
    gate.wait_for(1)
    with meanwhile(http.sim.close):
        gate.open()
    (delivery,) = http.account.store.deliveries.every()
    assert str(delivery.state) == "delivered"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for a receiver that hangs."""
    monkeypatch.setattr(runner_module, "SENDS_WAIT_S", 0.01)
    monkeypatch.setattr(sender_module, "CUT_WAIT_S", 0.01)


@pytest.mark.usefixtures("impatient")
def test_an_account_that_was_replaced_holds_up_nobody(make: Maker, gate: Gate) -> None:
    """Its receiver hangs; the account that has its place and its auth id is served."""
    http = make(gate, paused=True, review_delay=Duration(0))
    http.sdk_created(callback_url=CALLBACK)
    gate.wait_for(1)
    http.sim.begin_anew(http.sim.settings)
    http.sdk_created(callback_url=CALLBACK)
    gate.wait_for(2)


@pytest.mark.usefixtures("impatient")
def test_an_account_that_was_reset_is_served_though_it_hung(make: Maker, gate: Gate) -> None:
    """What ends late is of an earlier era."""
    http = make(gate, paused=True, review_delay=Duration(0))
    http.sdk_created(callback_url=CALLBACK)
    gate.wait_for(1)
    http.sim.remove(http.account)
    http.sdk_created(callback_url=CALLBACK)
    gate.wait_for(2)


def test_a_replaced_account_does_not_take_the_place_of_the_new_one(gate: Gate) -> None:
    """Both are notified under the same auth id; the new one is looked at."""
    sim = make_simulator(Settings(paused=True, review_delay=Duration(0)), transport=gate)
    scheduler = Scheduler(sim.runner)
    sim.runner.wake = lambda account: None
    http = Http(create_app(sim), sim)
    http.sdk_created()
    replaced = http.account
    sim.begin_anew(sim.settings)
    http.sdk_created(callback_url=CALLBACK)
    scheduler.notify(http.account)
    scheduler.notify(replaced)
    scheduler.start()
    gate.wait_for(1)
    gate.open()
    scheduler.stop()
    sim.close()


def test_a_failed_attempt_is_made_again_without_any_request(make: Maker) -> None:
    """When its time has come, on a clock that runs."""
    done, transport = Gate(), Calling()
    done.open()
    transport.statuses, transport.on_call = [500], done.send
    http = make(transport, callback_retries=(SOON,))
    http.sdk_created(callback_url=CALLBACK)
    done.wait_for(2)


def test_what_is_due_in_a_replaced_account_keeps_nobody_busy(gate: Gate) -> None:
    """A call that was being served brought it there; it never happens, and is not looked at."""
    sim = make_simulator(Settings(paused=True, review_delay=Duration(0)), transport=gate)
    http = Http(create_app(sim), sim)
    account = http.account
    sim.runner.wake = lambda account: None
    account.retired = True
    http.sdk_created(callback_url=CALLBACK)
    scheduler = Scheduler(sim.runner)
    scheduler.notify(account)
    assert scheduler._start_due() is None
    assert (scheduler._next_look, scheduler._running) == ({}, set())
    sim.close()


def test_a_decision_returns_when_its_callback_is_over(make: Maker, gate: Gate) -> None:
    """What the receiver answered is written down by then."""
    http = make(gate, paused=True)
    id = http.sdk_created(callback_url=CALLBACK)

    def decide() -> list[str]:
        assert http.decide(id, "rejected").status_code == 200
        with http.account.lock:
            return [str(each.state) for each in http.account.store.deliveries.every()]

    with meanwhile(decide) as decided:
        gate.wait_for(1)
        gate.open()
    assert decided.result() == ["delivered"]


def test_who_is_notified_is_looked_at_alone(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many accounts wait for something that is due in days; all are looked at once a
    second, as a clock may be moved from outside."""
    sim = make_simulator(Settings(review_delay=Duration(86400)), transport=gate)
    app, now_s = create_app(sim), [1000.5]
    looked: list[Agenda] = []
    monkeypatch.setattr(scheduler_module, "monotonic_s", lambda: now_s[0])
    sim.runner.wake = lambda account: None
    scheduler = Scheduler(sim.runner)
    for number in range(20):
        http = Http(app, sim, auth_id=f"MA{number:018}")
        http.sdk_created()
        scheduler.notify(http.account)
    assert scheduler._start_due() == 0.5
    look = Agenda.next_instant

    def noting(agenda: Agenda) -> Any:
        looked.append(agenda)
        return look(agenda)

    monkeypatch.setattr(Agenda, "next_instant", noting)
    for _ in range(3):
        scheduler.notify(http.account)
        assert scheduler._start_due() == 0.5
    assert looked == [http.account.agenda] * 3
    now_s[0] = 1001.0
    assert scheduler._start_due() == 1.0
    assert len(looked) == 3 + 20
    assert len(scheduler._looks) == 20
    sim.close()


def test_an_application_is_not_held_up_by_another_that_hangs(make: Maker, gate: Gate) -> None:
    """Also when its callback is due later."""
    http = make(gate, paused=True, review_delay=Duration(0))
    http.sdk_created(alias="one", callback_url=CALLBACK)
    gate.wait_for(1)
    http.sdk_created(alias="two", callback_url=CALLBACK)
    gate.wait_for(2)


def test_a_stopped_scheduler_wakes_nobody(make: Maker, gate: Gate) -> None:
    """However much is due."""
    http = make(gate, paused=True, review_delay=Duration(0))
    http.sim.runner.wake.__self__.stop()  # type: ignore[union-attr]  # the scheduler's notify
    id = http.sdk_created(callback_url=CALLBACK)
    http.get(f"PhoneNumber/Compliance/{id}/")
    assert gate.sent == []
    (delivery,) = http.account.store.deliveries.every()
    assert str(delivery.state) == "pending"


# --- who waits for receivers ------------------------------------------------------------------


@pytest.fixture
def one_may_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes second takes the place of the first; nobody's time is up before."""
    monkeypatch.setattr(waiting, "MOST_WAITING", 1)
    monkeypatch.setattr(runner_module, "SENDS_WAIT_S", 3600.0)
    monkeypatch.setattr(runner_module, "ADVANCE_BUDGET_S", 3600.0)


def until_one_waits(http: Http) -> None:
    """It may have its place only after its callback has been sent."""
    until(lambda: len(http.sim.runner._sender._places._taken) == 1)


@pytest.mark.usefixtures("one_may_wait")
def test_when_too_many_wait_the_first_goes_on(make: Maker, gate: Gate) -> None:
    """Its receiver hangs, and what it holds are the threads of a server: the decision is made, and
    its callback under way."""
    http = make(gate, paused=True)
    other = Http(http.app, http.sim, auth_id=OTHER)
    ids = [each.sdk_created(callback_url=CALLBACK) for each in (http, other)]
    with meanwhile(lambda: http.decide(ids[0], "accepted")) as first:
        until_one_waits(http)
        with meanwhile(lambda: other.decide(ids[1], "accepted")):
            assert first.result(60).status_code == 200
            (delivery,) = http.account.store.deliveries.every()
            assert str(delivery.state) == "pending"
            gate.open()


@pytest.mark.usefixtures("one_may_wait")
def test_an_advance_that_gives_its_place_up_carries_on(
    make: Maker, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers 202, and time goes no further before the callback is over."""
    http = make(gate, paused=True, review_delay=Duration(60))
    other = Http(http.app, http.sim, auth_id=OTHER)
    http.sdk_created(callback_url=CALLBACK)
    id = other.sdk_created(callback_url=CALLBACK)
    move, under_way = http.sim.runner._move, []

    def noting(*given: Any) -> bool:
        under_way.append(http.account.sending)
        return move(*given)

    monkeypatch.setattr(http.sim.runner, "_move", noting)
    body = {"by": "1h", "account": http.auth_id}
    before = http.account.now()
    with meanwhile(lambda: http.control("POST", "/clock/advance", body)) as first:
        until_one_waits(http)
        with meanwhile(lambda: other.decide(id, "accepted")):
            assert first.result(60).status_code == 202
            gate.open()
    with http.account.lock:
        assert http.account.idle.wait_for(lambda: not http.account.advancing, 60)
    assert http.account.now() - before == timedelta(hours=1)
    assert under_way == [0, 0]


@pytest.mark.usefixtures("one_may_wait")
def test_who_need_not_wait_takes_nobodys_place(make: Maker, gate: Gate) -> None:
    """A decision without a callback."""
    http = make(gate, paused=True)
    other = Http(http.app, http.sim, auth_id=OTHER)
    id = http.sdk_created(callback_url=CALLBACK)
    with meanwhile(lambda: http.decide(id, "accepted")) as first:
        until_one_waits(http)
        other.decide(other.sdk_created(), "accepted")
        assert http.sim.runner._sender._places._taken
        gate.open()
    assert first.result().status_code == 200


INBOX = "http://localhost/_sim/inbox/mine"


@pytest.mark.parametrize(
    "url",
    [
        CALLBACK,
        "http://127.0.0.1:9/x/_sim/inbox/mine",
        "http://127.0.0.1:81/_sim/inbox/mine",
        "http://10.0.0.1/_sim/inbox/mine",
    ],
)
def test_reading_an_inbox_does_not_wait_for_other_receivers(
    make: Maker, gate: Gate, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """Of whichever account: one that hangs would hold up whoever reads theirs."""
    monkeypatch.setattr(runner_module, "SENDS_WAIT_S", 3600.0)
    http = make(gate, paused=True, review_delay=Duration(0))
    http.sdk_created(callback_url=url)
    gate.wait_for(1)
    with meanwhile(lambda: http.control("GET", "/inbox/mine/messages")) as read:
        assert read.result(60).get_json()["messages"] == []
    assert http.account.sending == 1
    gate.open()


def test_reading_an_inbox_waits_for_what_is_under_way_to_it(make: Maker) -> None:
    """It comes in while somebody reads, and is read."""
    gate = Gate()

    class ToInbox:
        def send(self, request: Outgoing) -> Answer:
            answer = gate.send(request)
            http.post("/_sim/inbox/mine", data=request.body)
            return answer

    http = make(ToInbox(), paused=True, review_delay=Duration(0))
    http.sdk_created(callback_url=INBOX)
    gate.wait_for(1)
    with meanwhile(lambda: http.control("GET", "/inbox/mine/messages")) as read:
        gate.open()
    assert len(read.result().get_json()["messages"]) == 1


# --- one thread an account --------------------------------------------------------------------


def test_an_account_is_run_by_one_thread_at_a_time(
    make: Maker, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often it is notified meanwhile, and though something is due in it."""
    http = make(gate, paused=True, review_delay=Duration(0))
    http.sim.runner.wake.__self__.stop()  # type: ignore[union-attr]  # the scheduler's notify
    http.sdk_created(callback_url=CALLBACK)
    submitted: list[Any] = []
    scheduler = Scheduler(http.sim.runner)
    monkeypatch.setattr(scheduler._pool, "submit", lambda *given: submitted.append(given))
    for _ in range(3):
        scheduler.notify(http.account)
        scheduler._start_due()
    assert len(submitted) == 1
    run, account, era = submitted[0]
    run(account, era)
    assert scheduler._fresh == {http.account}
    assert scheduler._running == set()
    gate.wait_for(1)


# --- accounts whose work fails ----------------------------------------------------------------


def test_accounts_that_fail_hold_none_of_the_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many: each is tried once, and the others are served with one thread for all of them.
    They are tried again when their pause is over, and not before."""
    now_s, ran = [100.0], []
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("a thread waits"))
    monkeypatch.setattr(scheduler_module, "monotonic_s", lambda: now_s[0])
    sim = make_simulator(Settings(paused=True, review_delay=Duration(0)), transport=Calling())
    app = create_app(sim)
    sim.runner.wake = lambda account: None
    https = [Http(app, sim, auth_id=f"MA{number:018d}") for number in range(70)]
    for http in https:
        http.sdk_created()
    *failing, good = accounts = [http.account for http in https]
    start_due = sim.runner.start_due

    def start(account: Any) -> None:
        ran.append(account)
        if account is not good:
            raise ZeroDivisionError
        start_due(account)

    monkeypatch.setattr(sim.runner, "start_due", start)
    scheduler = Scheduler(sim.runner)
    monkeypatch.setattr(scheduler._pool, "submit", lambda work, *given: work(*given))
    look = scheduler._start_due
    for account in accounts:
        scheduler.notify(account)
    look()
    assert set(ran) == set(accounts)
    ran.clear()
    assert look() == scheduler_module.TRY_AGAIN_S
    assert ran == []
    now_s[0] += scheduler_module.TRY_AGAIN_S
    look()
    assert set(ran) == set(failing)
    failing[0].era += 1  # it was reset: what failed is gone
    scheduler.notify(failing[0])
    ran.clear()
    look()
    assert ran == [failing[0]]
    sim.close()


def test_due_work_that_found_no_thread_is_begun_later(
    make: Maker, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that wakes accounts lives on."""
    monkeypatch.setattr(scheduler_module, "TRY_AGAIN_S", 0.0)
    failures: list[Exception] = [RuntimeError("can't start new thread"), MemoryError()]
    submit = scheduler_module.Workers.submit

    def failing(workers: Any, *given: Any) -> None:
        if failures:
            raise failures.pop()
        submit(workers, *given)

    monkeypatch.setattr(scheduler_module.Workers, "submit", failing)
    http = make(gate, review_delay=Duration(0))
    http.sdk_created(callback_url=CALLBACK)
    gate.wait_for(1)


# --- accounts that say that something is due again and again ----------------------------------


class Ticks:
    """Real time that stands until the test moves it. It is asked for in every look, so whoever
    looks without an end is seen."""

    def __init__(self) -> None:
        self.now_s, self._asked = 1000.5, 0

    def __call__(self) -> float:
        self._asked += 1
        if self._asked > 1000:
            pytest.fail("it looks again and again")
        return self.now_s


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> Ticks:
    ticks = Ticks()
    monkeypatch.setattr(scheduler_module, "monotonic_s", ticks)
    return ticks


class Looks:
    """Some accounts in which something is due, and a scheduler that has no thread: what it begins
    ends before it goes on, and ``began`` names it."""

    def __init__(self, sim: Any, monkeypatch: pytest.MonkeyPatch, count: int = 3) -> None:
        self.sim, self.began = sim, list[Any]()
        app = create_app(sim)
        https = [Http(app, sim, auth_id=f"MA{number:018}") for number in range(count)]
        for http in https:
            http.sdk_created(callback_url=CALLBACK)
        self.accounts = [http.account for http in https]
        self.scheduler = Scheduler(sim.runner)
        monkeypatch.setattr(sim.runner, "start_due", self.began.append)
        monkeypatch.setattr(self.scheduler._pool, "submit", lambda work, *given: work(*given))

    def look(self, *accounts: Any) -> float | None:
        for account in accounts:
            self.scheduler.notify(account)
        return self.scheduler._start_due()


@pytest.fixture
def looks(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> Iterator[Looks]:
    sim = make_simulator(Settings(paused=True, review_delay=Duration(0)), transport=gate)
    sim.runner.wake = lambda account: None
    yield Looks(sim, monkeypatch)
    sim.close()


def test_what_is_due_behind_the_end_of_a_clock_stops_no_other(
    tmp_path: Path, gate: Gate, ticks: Ticks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However fast that clock flies, and after a restart."""
    chosen = Settings(state=tmp_path, review_delay=Duration(60))
    sim = make_simulator(chosen, transport=gate)
    sim.runner.wake = lambda account: None
    http, other = (Http(create_app(sim), sim, auth_id=each) for each in (OTHER, AUTH_ID))
    http.sdk_created()
    http.control("POST", "/clock/advance", {"to": "8999-12-31T23:59:59Z", "account": OTHER})
    http.sdk_created()
    other.sdk_created()
    other.account.configure({"paused": "true"})
    http.control("POST", "/clock/rate", {"rate": 1e9, "account": OTHER})
    sim.close()
    sim = make_simulator(chosen, transport=gate)
    scheduler = Scheduler(sim.runner)
    for account in sim.accounts():
        scheduler.notify(account)
    assert scheduler._start_due() is None
    assert len(sim.account(OTHER).store.timers) == 1
    sim.close()


def test_a_clock_that_says_soon_again_and_again_stops_no_other(
    looks: Looks, ticks: Ticks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is wrong with it: it is looked at once, and then not for a while."""
    wrong, *others = looks.accounts
    monkeypatch.setattr(wrong.clock, "real_delay_s", lambda until: 1e-12)
    looks.look(wrong)
    looks.look(*others)
    assert set(looks.began) == set(others)
    assert looks.look() == pytest.approx(scheduler_module.SOONEST_AGAIN_S)


def test_an_account_in_which_something_stays_due_is_not_begun_all_the_time(
    looks: Looks, ticks: Ticks
) -> None:
    """Though nothing comes of it, and nothing fails."""
    wrong = looks.accounts[0]
    for _ in range(3):
        looks.look(wrong)
    assert looks.began == [wrong]
    ticks.now_s += scheduler_module.SOONEST_AGAIN_S * 1.01
    for _ in range(3):
        looks.look()
    assert looks.began == [wrong, wrong]


def test_an_account_that_cannot_be_looked_at_stops_no_other(
    looks: Looks, ticks: Ticks, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told of, and tried again later."""
    wrong, *others = looks.accounts
    monkeypatch.setattr(wrong.clock, "real_delay_s", lambda until: 1 / 0)
    looks.look(wrong)
    looks.look(*others)
    assert set(looks.began) == set(others)
    assert f"account {wrong.auth_id} cannot be looked at" in caplog.text


def meanwhile_in(account: Any, monkeypatch: pytest.MonkeyPatch, work: Callable[[], Any]) -> None:
    """Have this done when the account is looked at."""
    look = account.clock.real_delay_s

    def noting(until: Any) -> Any:
        work()
        return look(until)

    monkeypatch.setattr(account.clock, "real_delay_s", noting)


def test_who_is_notified_during_a_pass_has_a_turn_in_it(
    looks: Looks, ticks: Ticks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once: an account that is notified all the time keeps no other waiting."""
    first, *others = looks.accounts
    meanwhile_in(first, monkeypatch, lambda: [*map(looks.scheduler.notify, looks.accounts)])
    assert looks.look(first) == 0.0
    assert looks.began[0] is first
    assert set(looks.began[1:]) == set(others)


def test_a_stop_ends_a_pass(looks: Looks, ticks: Ticks, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two accounts, however many there are."""
    for account in looks.accounts:
        meanwhile_in(account, monkeypatch, lambda: setattr(looks.scheduler, "_stopped", True))
    looks.look(*looks.accounts)
    assert looks.began == []
    assert len(looks.scheduler._next_look) >= len(looks.accounts) - 1


def test_a_stop_waits_for_no_look(
    looks: Looks, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That hangs, whatever it hangs at: the process may end."""
    monkeypatch.setattr(scheduler_module, "ENDS_WITHIN_S", 0.01)
    came, may_go_on = threading.Event(), threading.Event()

    def hang() -> None:
        came.set()
        may_go_on.wait(60)

    meanwhile_in(looks.accounts[0], monkeypatch, hang)
    looks.scheduler.notify(looks.accounts[0])
    looks.scheduler.start()
    assert came.wait(60)
    with meanwhile(lambda: looks.scheduler.stop(0.0)) as stopped:
        try:
            stopped.result(10)
        finally:
            may_go_on.set()
