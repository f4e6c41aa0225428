"""When what is due is made to happen (see ``instants``), and who waits for its callbacks.

Three ways in. ``catch_up`` before a request or verb is served: what is due happens first, so
polling sees the truth. ``settle`` after it: work due at once. ``advance`` moves a clock that a
caller holds, one instant after the other. With ``wake`` set, ``catch_up`` and ``settle`` leave
the sending of callbacks to the scheduler behind it, so that no request waits for a receiver.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from math import inf

from msgspec.structs import replace

from plivo_sim.account.account import Account
from plivo_sim.account.clock import monotonic_s
from plivo_sim.account.interfaces import Transport
from plivo_sim.account.lock import Passing
from plivo_sim.account.threads import NONE_TO_BE_HAD, Thread
from plivo_sim.domain.durations import Duration
from plivo_sim.domain.errors import Busy, NotServed, StorageFailed
from plivo_sim.domain.records import ClockChanged, DeliveryState, StatusChanged, TimerKind
from plivo_sim.simulator.instants import Happening, Instants
from plivo_sim.webhooks.outbox import Outbox
from plivo_sim.webhooks.sender import Sender

logger = logging.getLogger("plivo_sim")

ADVANCE_BUDGET_S = 30.0
MOST_HAPPENINGS = 10_000
SENDS_WAIT_S = 2.0
"""How long to wait for a receiver that may itself be who waits."""
CLOSE_WAIT_S = 5.0
SOONEST_AGAIN_S = 0.005
"""Between two looks at an account that nobody notified of, and two times that what is due in it is
begun: a clock that flies, or one that is wrong, says that something is due all the time."""


@dataclass(slots=True)
class Advance:
    """What an advance did. ``began``: where the clock stood. ``happenings``: its beginning, where
    it is very long; ``transitions`` (by the status that they led to) and ``callbacks`` (attempts,
    by the state of the callback afterwards) count all of it. ``pending``: the time budget ran out
    and it carries on."""

    began: datetime
    happenings: list[Happening] = field(default_factory=list)
    transitions: Counter[str] = field(default_factory=Counter)
    callbacks: Counter[DeliveryState] = field(default_factory=Counter)
    pending: bool = False

    def note(self, happened: list[Happening]) -> None:
        for each in happened:
            if isinstance(each, StatusChanged):
                self.transitions[each.application.status] += 1
            else:
                self.callbacks[each.delivery.state] += 1
        self.happenings += happened[: MOST_HAPPENINGS - len(self.happenings)]


@contextmanager
def _may_wait() -> Iterator[None]:
    """What cannot be written down now stays due, and the log tells of it."""
    try:
        yield
    except StorageFailed as error:
        logger.error("%s; what is due waits", error)


class Runner:
    """See the module."""

    def __init__(self, outbox: Outbox, transport: Transport) -> None:
        self._sender = Sender(outbox, transport, self._tell, self._wake)
        self._instants = Instants(outbox, self._sender, self._tell)
        self._here = threading.local()
        self.wake: Callable[[Account], None] | None = None
        self.on_happening: Callable[[Account, Happening], None] | None = None

    def catch_up(self, account: Account, *, sends: bool = False, may_wait: bool = False) -> None:
        """Make happen what is due by now; with ``sends``, wait for its callbacks too.

        Raises StorageFailed when it cannot be written; with ``may_wait`` (a call that
        only reads, say) it stays due instead.
        """
        with _may_wait() if may_wait else nullcontext():
            self._catch_up(account, sends)

    def _catch_up(self, account: Account, sends: bool) -> None:
        if self.wake is None or sends:
            patience_s = self._patience_s(account)
            self.start_due(account)
            if not account.advancing:
                self._wait_for_sends(account, patience_s)
            return
        with account.lock:
            era, now = account.era, account.now()
            if self.is_up_to_date(account, now):
                return
        for _ in self._instants.batches(account, now, era):
            pass
        with account.lock:
            waiting = account.agenda.next_due(TimerKind.CALLBACK)
        if waiting is not None:
            self.wake(account)

    def is_up_to_date(self, account: Account, now: datetime) -> bool:
        """Whether ``catch_up`` at that instant has nothing to do. Caller holds the lock."""
        if self.wake is None and account.sending:
            return False
        at = account.agenda.next_instant()
        return at is None or at > now

    def is_at_rest(self, account: Account) -> bool:
        """Whether nothing is due in it, nor on its way. Caller holds the lock."""
        return not account.sending and not self.is_due(account)

    def is_due(self, account: Account) -> bool:
        """Whether something is due in it. Caller holds the lock."""
        at = account.agenda.next_instant()
        return at is not None and at <= account.clock.now()

    def catch_up_all(self, accounts: Iterable[Account], wanted: Callable[[str], bool]) -> None:
        """Make happen what is due by now in these (``Accounts.stirring``), but for those in which
        somebody works, and wait for the callbacks to URLs that are wanted: receivers that hang
        delay only who waits for them."""
        accounts = list(accounts)
        patience_s = min(map(self._patience_s, accounts), default=0.0)
        self.start_due_in(accounts)
        still = [account for account in accounts if not account.advancing]
        self._sender.wait_for_urls(still, wanted, patience_s)

    def settle(self, account: Account, *, steered: bool = True) -> None:
        """After a request or verb: work due at once, and the scheduler learns of the rest.

        Unless the account was ``steered`` (its clock, say), the rest is new timers or nothing.
        What cannot be written down now stays due: the answer is given, and its caller is gone.
        """
        if self.wake is None:
            self.catch_up(account, may_wait=True)
        elif steered or account.agenda.fresh:
            account.agenda.fresh = False
            self.wake(account)

    def start_due(self, account: Account, passing: Passing | None = None) -> None:
        """Everything due by now; callbacks are begun, and nobody waits for them. ``passing``: nor
        for the account, while somebody else works in it."""
        era = account.era
        while self._instants.pass_next(account, account.now, era, passing=passing) is not None:
            pass

    def start_due_in(self, accounts: Iterable[Account]) -> None:
        """The same in all of these, but for those in which somebody works: it sees to that."""
        passing = Passing()
        for account in accounts:
            with _may_wait():
                self.start_due(account, passing)

    def finish_due(self, account: Account, bound_s: float) -> bool:
        """Make happen what is due by now and wait for its callbacks, and for what is due by then;
        returns whether all of it was over in time."""
        deadline = monotonic_s() + bound_s
        while (left_s := deadline - monotonic_s()) > 0:
            with account.lock:
                account.idle.wait_for(lambda: not account.stepping, left_s)
            self.start_due(account)
            if not self._wait_for_sends(account, left_s):
                return False
            with account.lock:
                if self._instants.closed or account.retired or not self.is_due(account):
                    return True
                account.idle.wait(SOONEST_AGAIN_S)
        return False

    def deliver(self, account: Account, application_id: str, *, busy: bool) -> None:
        """Make happen what is due by now; returns once the attempts of this application that are
        due are over.

        ``busy``: a receiver of the account was being called when whoever waits here came in. It may
        be that receiver, which then would wait for itself: so it waits for a moment only, and not
        at all during an advance, which sees to what is due.
        """
        with _may_wait():
            self.start_due(account)
        if self.wake is not None:
            self.wake(account)
        if busy and account.advancing:
            return
        together: set[Account] | None = getattr(self._here, "together", None)
        if together is not None:
            together.add(account)
            return
        era, patience_s = account.era, SENDS_WAIT_S if busy else ADVANCE_BUDGET_S
        self._sender.wait(
            account, lambda: account.era != era or application_id not in account.queues, patience_s
        )

    @contextmanager
    def together(self) -> Iterator[None]:
        """For many verbs in a row: what they cause goes out at once, and is waited for once, at the
        end."""
        accounts: set[Account] = set()
        self._here.together = accounts
        try:
            yield
        finally:
            self._here.together = None
            for account in accounts:
                self._wait_for_sends(account, ADVANCE_BUDGET_S)

    def advance(
        self,
        account: Account,
        until: datetime | Duration | None,
        stop: Callable[[], bool] | None = None,
    ) -> Advance:
        """Move the clock to ``until``, each event at its own instant
        (decision "Advance, event by event").

        A duration counts from now; without ``until``, as far as something is due. ``stop`` is
        asked after each instant; when it says so, the clock stays there. Raises Busy during
        another advance of the account, ClockRefused for an instant that the clock cannot go to;
        then nothing happened. Raises Busy, too, when a reset or restore ends it. Raises
        StorageFailed when something cannot be written; what happened before that stays, and the
        clock stands where that left it.
        """
        era, began, until = self._hold(account, until)
        result = Advance(began)
        deadline = monotonic_s() + ADVANCE_BUDGET_S
        try:
            while not (stop and stop()) and self._move(account, until, era, result, deadline):
                if result.pending or monotonic_s() > deadline:
                    result.pending = True
                    break
        finally:
            if result.pending:
                self._carry_on(account, until, era, began, stop)
            else:
                self._release(account, era, began)
        if not result.pending and account.era != era:
            raise Busy("a restore or a reset ended this advance; what it did is undone")
        return result

    def _carry_on(
        self,
        account: Account,
        until: datetime | None,
        era: int,
        began: datetime,
        stop: Callable[[], bool] | None,
    ) -> None:
        def go_on() -> None:
            self._sender.be_patient()
            try:
                try:
                    self._wait_for_sends(account, None)
                    while not (stop and stop()) and self._move(account, until, era, Advance(began)):
                        pass
                finally:
                    self._release(account, era, began)
            except NotServed:
                pass  # it is being moved: the clock stands where the move has found it
            except Exception:
                logger.exception("the advance of account %s ended early", account.auth_id)

        try:
            Thread(go_on, name="plivo-sim-advance").start()
        except NONE_TO_BE_HAD:
            self._release(account, era, began)
            raise

    def _hold(
        self, account: Account, until: datetime | Duration | None
    ) -> tuple[int, datetime, datetime | None]:
        """Stop the clock for an advance; returns the era, where it stands, and the instant that is
        meant."""
        with account.lock:
            if account.advancing:
                raise Busy("another advance of this account is under way")
            account.clock.hold()  # first: a clock that flies would be past ``until`` already
            try:
                if isinstance(until, Duration):
                    until = until.after(account.now(), account.settings.holidays)
                if until is not None:
                    account.clock.check_move(until)
            except BaseException:
                account.clock.release()
                raise
            account.advancing = True
            return account.era, account.now(), until

    def _release(self, account: Account, era: int, began: datetime) -> None:
        """Let the clock go on. One that cannot be written goes back to where it was written last,
        but not behind where the advance ``began``."""
        try:
            with account.lock:
                if account.era == era:
                    account.clock.release()
                    account.advancing = False
                    account.idle.notify_all()
                    if not self._instants.closed:
                        self._keep_clock(account, began)
                        self._tell_of_move(account, began)
        finally:
            self._wake(account)

    def _tell_of_move(self, account: Account, began: datetime) -> None:
        after = account.clock.reading()
        if after.now != began:
            account.publish(ClockChanged(before=replace(after, now=began), after=after))

    def _keep_clock(self, account: Account, began: datetime) -> None:
        try:
            account.keep_ledger()
        except StorageFailed:
            kept = account.store.ledger.fetch("ledger")
            written = max(began, kept.clock.now) if kept else began
            account.clock.restore(replace(account.clock.reading(), now=written))
            raise

    def _move(
        self,
        account: Account,
        until: datetime | None,
        era: int,
        result: Advance,
        deadline_s: float = inf,
    ) -> bool:
        """One instant of an advance, begun when nothing is under way to a receiver any more (or
        after a moment: it may be that receiver who advances), callbacks included; False when
        nothing more is due. ``result`` is pending when this thread had to give up waiting, as the
        deadline was over, or others needed it more."""
        is_quiet = self._wait_for_sends(account, SENDS_WAIT_S)
        instant = self._instants.pass_next(
            account, lambda: until, era, move=True, awaited=True, deadline_s=deadline_s
        )
        if instant is None:
            return False
        happened, sendings = instant
        result.note(happened)
        left_s = None if deadline_s == inf else max(deadline_s - monotonic_s(), 0.0)
        bound_s = left_s if is_quiet else SENDS_WAIT_S
        result.note([*self._sender.finish(account, sendings, bound_s)])
        result.pending = is_quiet and account.era == era and not all(s.over for s in sendings)
        return True

    def _wait_for_sends(self, account: Account, bound_s: float | None) -> bool:
        """Until nothing is under way to a receiver; returns whether that is so."""
        era = account.era
        return self._sender.wait(
            account, lambda: account.sending == 0 or account.era != era, bound_s
        )

    def _patience_s(self, account: Account) -> float:
        """How long a caller waits for callbacks: a moment only if a receiver is being called, for
        it may be that receiver."""
        return SENDS_WAIT_S if account.sending else ADVANCE_BUDGET_S

    def end_sends(self, accounts: Iterable[Account]) -> None:
        """After the records of these were replaced: wait a moment for what is still under way to
        receivers, and then cut it off. Nothing of before arrives later than this."""
        self._sender.end_all(accounts, SENDS_WAIT_S)

    def _tell(self, account: Account, happening: Happening) -> None:
        if self.on_happening is not None:
            self.on_happening(account, happening)

    def _wake(self, account: Account) -> None:
        if self.wake is not None:
            self.wake(account)

    def close(self, accounts: Iterable[Account] = (), wait_s: float = CLOSE_WAIT_S) -> None:
        """Begin nothing more, and let end what is under way to receivers of these accounts; what
        takes longer than ``wait_s`` is cut off and stays due."""
        self._instants.closed = self._sender.closed = True
        self._sender.end_all(accounts, wait_s)
