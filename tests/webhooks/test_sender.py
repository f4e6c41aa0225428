"""What a receiver answered, and what cannot be written down at once."""

from __future__ import annotations

import errno
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace as replace_fields
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from plivo_sim.account.account import Account
from plivo_sim.account.interfaces import Answer, Outgoing
from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.domain.errors import StorageFailed
from plivo_sim.domain.records import Timer, TimerKind
from plivo_sim.settings import Settings
from plivo_sim.simulator import runner as runner_module
from plivo_sim.simulator import scheduler as scheduler_module
from plivo_sim.simulator.scheduler import Scheduler
from plivo_sim.webhooks import attempts as attempts_module
from plivo_sim.webhooks import sender as sender_module
from plivo_sim.webhooks.transport import MemoryTransport
from plivo_sim.webhooks.turns import Turns
from tests.fakes import START, Calling, Gate, until
from tests.support import Http

LATER = START + timedelta(days=30)
CALLBACK = "http://127.0.0.1:9/cb"


class FullDisk:
    """``failures``: how many attempts cannot be written down yet."""

    def __init__(self, http: Http, failures: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.failures = failures
        self._record = http.sim.outbox.record
        monkeypatch.setattr(http.sim.outbox, "record", self.record)

    def record(self, account: Any, *given: Any) -> Any:
        """Within a transaction that then fails: nothing of it stays."""
        with account.transaction():
            attempted = self._record(account, *given)
            if self.failures:
                self.failures -= 1
                raise StorageFailed("No space left on device")
        return attempted


class Sending(Http):
    """``sent``: what went out to receivers."""

    @property
    def transport(self) -> Any:
        return self.sim.runner._sender._transport

    @property
    def sent(self) -> list[Outgoing]:
        return list(self.transport.sent)

    def wait_for(self, *told: tuple[str, int]) -> None:
        """Until this is written down of its deliveries."""
        with self.account.lock:
            assert self.account.idle.wait_for(lambda: told_of(self) == list(told), 60)


@pytest.fixture(params=[MemoryTransport, Calling], ids=["in turn", "in threads"])
def http(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sending]:
    """One whose receivers make nobody wait, and one whose attempts are sent by threads; the latter
    tries again what nobody waits for, as a server does."""
    monkeypatch.setattr(sender_module, "TRY_AGAIN_S", 0)
    sim = make_simulator(Settings(paused=True, review_delay=None), transport=request.param())
    scheduler = Scheduler(sim.runner)
    if request.param is Calling:
        sim.runner.wake = scheduler.notify
    scheduler.start()
    yield Sending(create_app(sim), sim)
    scheduler.stop()
    sim.close()


def told_of(http: Http) -> list[tuple[str, int]]:
    """Of each delivery: its state, and how many attempts are written down."""
    return [(str(d.state), len(d.attempts)) for d in http.account.store.deliveries.every()]


@pytest.mark.parametrize("count", [1, 3])
def test_what_was_answered_is_not_sent_again(
    http: Sending, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """An advance fails because the answers cannot be written down; once they can be, they are.
    Before, they were sent again by the next call, or every second."""
    for n in range(count):
        http.sdk_created(alias=str(n), callback_url=CALLBACK)
    full = FullDisk(http, 1000, monkeypatch)
    body = {"by": "4d", "account": http.auth_id}
    assert http.control("POST", "/clock/advance", body).status_code == 500
    for _ in range(3):
        http.control("GET", "/webhooks")
        assert told_of(http) == [("pending", 0)] * count
    full.failures = 0
    http.control("GET", "/webhooks")
    http.wait_for(*[("delivered", 1)] * count)
    assert len(http.sent) == count
    assert http.account.unwritten == {}


def test_what_nobody_waits_for_is_not_sent_again_either(
    http: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its review was due at once, and who submitted it has its answer."""
    http.account.configure({"review_delay": "0s"})
    FullDisk(http, 5, monkeypatch)
    http.sdk_created(callback_url=CALLBACK)
    for _ in range(5):
        http.control("GET", "/webhooks")
    http.wait_for(("delivered", 1))
    assert len(http.sent) == 1


def test_a_refusal_that_is_written_down_late_is_one_attempt(
    http: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next one is a new request."""
    monkeypatch.setattr(http.transport, "send", refusing_once(http.transport.send))
    http.sdk_created(callback_url=CALLBACK)
    FullDisk(http, 1, monkeypatch)
    http.control("POST", "/clock/advance", {"by": "4d", "account": http.auth_id})
    http.control("GET", "/webhooks")
    http.wait_for(("pending", 1))
    http.advance("4d")
    assert told_of(http) == [("delivered", 2)]
    assert [dict(each.headers)["X-Plivo-Sim-Attempt"] for each in http.sent] == ["1", "2"]


def refusing_once(send: Callable[[Outgoing], Answer]) -> Callable[[Outgoing], Answer]:
    """The same, with a 500 at first."""
    statuses = [500]

    def sending(request: Outgoing) -> Answer:
        answer = send(request)
        return Answer(status=statuses.pop()) if statuses else answer

    return sending


def test_an_answer_to_what_was_cancelled_is_not_kept_for_ever(
    http: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When there are many, those that nobody will ask for go."""
    monkeypatch.setattr(attempts_module, "AT_ONCE", 1)
    attempts, store = http.sim.runner._sender._attempts, http.account.store
    gone = Timer(id="gone", seq=1, due_at=LATER, kind=TimerKind.NOTICE, subject_id="d")
    kept = replace(gone, id="kept")
    with http.account.transaction():
        store.timers.put(kept)
    request = Outgoing(method="GET", url=CALLBACK, headers=(), body=b"", timeout_s=1)
    for timer in (gone, kept):
        attempts._keep_answer(http.account, timer, (request, Answer(status=200)))
    assert list(http.account.unwritten) == ["kept"]


def test_an_attempt_that_had_no_memory_is_made_again(
    http: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread goes on; what is behind it is sent, too."""
    if isinstance(http.transport, MemoryTransport):
        pytest.skip("has no threads")
    http.account.configure({"review_delay": "0s"})
    failures = [MemoryError(), MemoryError()]

    def fail(_: Outgoing) -> None:
        if failures:
            raise failures.pop()

    http.transport.on_call = fail
    for n in range(2):
        http.sdk_created(alias=str(n), callback_url=CALLBACK)
    http.wait_for(("delivered", 1), ("delivered", 1))


def test_without_a_thread_nothing_is_taken(http: Sending, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stays due, and goes out once there is one."""
    if isinstance(http.transport, MemoryTransport):
        pytest.skip("has no threads")

    monkeypatch.setattr(scheduler_module, "TRY_AGAIN_S", 0.0)
    start, refused = threading.Thread.start, []

    def no_room_once(thread: threading.Thread) -> None:
        if thread.name == "plivo-sim-send" and not refused:
            refused.append(thread)
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", no_room_once)
    http.account.configure({"review_delay": "0s"})
    http.sdk_created(callback_url=CALLBACK)
    http.wait_for(("delivered", 1))


# --- what this process wants -------------------------------------------------------------------


@pytest.mark.parametrize("awaited", [True, False])
def test_a_want_of_descriptors_is_no_attempt(
    http: Sending, caplog: pytest.LogCaptureFixture, awaited: bool
) -> None:
    """The receiver is called once there are some; the log tells of it."""
    if isinstance(http.transport, MemoryTransport):
        pytest.skip("opens nothing")
    wants = [OSError(errno.EMFILE, "Too many open files")] * 3

    def fail(_: Outgoing) -> None:
        if wants:
            raise wants.pop()

    http.transport.on_call = fail
    if not awaited:
        http.account.configure({"review_delay": "0s"})
    id = http.sdk_created(callback_url=CALLBACK)
    if awaited:
        http.decide(id, "accepted")
    http.wait_for(("delivered", 1))
    (delivery,) = http.account.store.deliveries.every()
    assert [(each.status, each.error) for each in delivery.attempts] == [(200, None)]
    told = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert len(told) == 3
    assert "Too many open files" in told[0]


def test_what_waits_for_descriptors_can_be_given_up(
    http: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reset does not wait for the next try."""
    if isinstance(http.transport, MemoryTransport):
        pytest.skip("opens nothing")
    monkeypatch.setattr(sender_module, "TRY_AGAIN_S", 600.0)
    monkeypatch.setattr(runner_module, "SENDS_WAIT_S", 0.0)
    tried = threading.Event()

    def fail(_: Outgoing) -> None:
        tried.set()
        raise OSError(errno.EMFILE, "Too many open files")

    http.transport.on_call = fail
    http.account.configure({"review_delay": "0s"})
    http.sdk_created(callback_url=CALLBACK)
    assert tried.wait(60)
    account = http.account
    assert http.control("POST", "/reset", {"account": account.auth_id}).status_code == 200
    with account.lock:
        assert account.idle.wait_for(lambda: not account.under_way, 60)


# --- turns -------------------------------------------------------------------------------------


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Http, Gate]]:
    """Receivers that hang until the gate is opened, of a server that makes eight calls at once."""
    monkeypatch.setattr(sender_module, "most_sends", lambda: 8)
    gate = Gate()
    sim = make_simulator(Settings(paused=True, review_delay=None), transport=gate)
    scheduler = Scheduler(sim.runner)
    sim.runner.wake = scheduler.notify
    scheduler.start()
    yield Http(create_app(sim), sim), gate
    gate.open()
    scheduler.stop()
    sim.close()


def filed(http: Http, letter: str, count: int) -> Account:
    """An account of as many applications whose callbacks are due at once."""
    caller = replace_fields(http, auth_id="MA" + letter * 18)
    caller.account.configure({"review_delay": "0s"})
    for n in range(count):
        caller.sdk_created(alias=str(n), callback_url=CALLBACK)
    account: Account = caller.account
    return account


def test_all_accounts_together_send_so_many_at_once(hanging: tuple[Http, Gate]) -> None:
    """One that comes late has its turn beside others whose receivers hang; those that find none
    have theirs when another is over, and nothing is left out."""
    http, gate = hanging
    counts, accounts = {"A": 8, "B": 8, "C": 1, "D": 2, "E": 1, "F": 2, "G": 2}, []
    for letter, under_way in zip(counts, (4, 5, 6, 7, 8, 8, 8), strict=True):
        accounts.append(filed(http, letter, counts[letter]))
        gate.wait_for(under_way)
    until(lambda: [each.sending for each in accounts[5:]] == [2, 2])
    assert [each.senders for each in accounts] == [4, 1, 1, 1, 1, 0, 0]
    assert len(gate.sent) == 8
    gate.open()
    assert all(http.sim.runner.finish_due(each, 60) for each in accounts)
    assert Counter(each.account[2] for each in gate.sent) == counts


def test_a_turn_is_not_lost_for_want_of_memory(
    hanging: tuple[Http, Gate], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that cannot begin with an account whose turn it is tries again."""
    http, gate = hanging
    monkeypatch.setattr(sender_module, "TRY_AGAIN_S", 0.0)
    sender, failures = http.sim.runner._sender, [MemoryError()] * 2
    joined = sender._joined

    def fail(account: Account) -> Any:
        if failures:
            raise failures.pop()
        return joined(account)

    monkeypatch.setattr(sender, "_joined", fail)
    accounts = []
    for n, letter in enumerate("ABCDEFGHI", 1):
        accounts.append(filed(http, letter, 1))
        gate.wait_for(min(n, 8))
    until(lambda: accounts[-1].sending == 1)
    gate.open()
    assert all(http.sim.runner.finish_due(each, 60) for each in accounts)
    assert (len(gate.sent), failures) == (9, [])


def test_who_has_much_to_send_gives_way(hanging: tuple[Http, Gate]) -> None:
    """After each attempt, to those that wait; else one would have all of a thread's time."""
    turns = Turns(1)
    one, two = (filed(hanging[0], letter, 0) for letter in "AB")
    assert turns.begin(one)
    assert not turns.give_way(one)
    assert not turns.begin(two)
    assert turns.give_way(one)
    assert [turns.end(one), turns.end(two), turns.end(one)] == [two, one, None]
