"""Sends due attempts: those of one application in the order in which they fell due, those of
several applications at once.

Each attempt waits in the queue of its application until the one before it is over, whatever came of
that. Several threads serve the queues of an account, so that a receiver that hangs holds up neither
another account nor, up to ``PARALLEL_SENDS`` of them, another application; of all accounts there
are so many at once as there are ``Turns``.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from functools import partial

from plivo_sim.account.account import Account
from plivo_sim.account.agenda import KeyedQueues
from plivo_sim.account.clock import monotonic_s
from plivo_sim.account.descriptors import is_wanting, most_sends
from plivo_sim.account.interfaces import Answer, Outgoing, Transport
from plivo_sim.account.lock import Passing, repeatable, waits_outside
from plivo_sim.account.threads import NONE_TO_BE_HAD, Thread
from plivo_sim.domain.records import TimerKind
from plivo_sim.webhooks.attempts import AT_ONCE, Attempts, Sending
from plivo_sim.webhooks.outbox import Attempted, Outbox
from plivo_sim.webhooks.turns import Turns
from plivo_sim.webhooks.waiting import Places

logger = logging.getLogger("plivo_sim")

PARALLEL_SENDS = 8
TRY_AGAIN_S = 1.0
CUT_WAIT_S = 1.0
"""How long to wait for an attempt to end whose connection was cut."""


class Sender:
    """See the module. ``on_attempt`` is told of each attempt, under the lock; ``wake`` is asked to
    look at an account again in which something could not be written."""

    def __init__(
        self,
        outbox: Outbox,
        transport: Transport,
        on_attempt: Callable[[Account, Attempted], None],
        wake: Callable[[Account], None],
    ) -> None:
        self._transport = transport
        self._is_immediate = bool(getattr(transport, "immediate", False))
        self._attempts = Attempts(outbox, on_attempt, wake, is_immediate=self._is_immediate)
        self._wake = wake
        self._here = threading.local()
        self._places = Places()
        self._turns = Turns(most_sends())
        self.closed = False

    @property
    def is_calling(self) -> bool:
        """Whether this thread is sending: what waits for a send here would wait for itself."""
        return getattr(self._here, "sending", False)

    def be_patient(self) -> None:
        """This thread is nobody's: it waits for receivers as long as they take."""
        self._here.patient = True

    def take_due(self, account: Account, until: datetime, *, awaited: bool) -> list[Sending]:
        """Put the attempts that are due by then into their queues, and return them. Caller holds
        the lock, so that what is taken later is behind; and calls ``begin`` without it."""
        sendings: list[Sending] = []
        if not self._is_immediate and not account.senders:
            first = account.agenda.next_due(TimerKind.CALLBACK)
            if first is not None and first.due_at <= until:
                self._serve_in_thread(account)  # where no thread is to be had, it stays due
        while timer := account.agenda.take(TimerKind.CALLBACK, until):
            delivery = account.store.deliveries.fetch(timer.subject_id)
            queue, url = timer.subject_id, ""
            if delivery is not None:
                queue, url = delivery.application_id, delivery.url
            sendings.append(Sending(timer, queue, url, account.era, awaited))
        account.sending += len(sendings)
        if not self._is_immediate:
            batch = deque(sendings) if awaited else None
            for sending in sendings:
                sending.batch = batch
                account.queues.put(sending.queue, sending)
            self._serve_in_threads(account)
        return sendings

    def begin(self, account: Account, sendings: list[Sending]) -> None:
        """Threads have begun to send these already, unless the transport makes nobody wait."""
        if self._is_immediate:
            self._send_in_turn(account, sendings)

    def _serve_in_threads(self, account: Account) -> None:
        """As many as can be of use, and be had: those that there are go on. Caller holds the
        lock."""
        with suppress(*NONE_TO_BE_HAD):
            while account.senders < min(PARALLEL_SENDS, len(account.queues)):
                if not self._serve_in_thread(account):
                    return

    def _serve_in_thread(self, account: Account) -> bool:
        """Whether it is the account's turn. Raises what ``Thread.start`` raises."""
        if not self._turns.begin(account):
            return False
        try:
            Thread(self._serve_all, account, account.queues, name="plivo-sim-send").start()
        except BaseException:
            self._turns.take_back(account)
            raise
        account.senders += 1
        return True

    def _serve_all(self, account: Account, queues: KeyedQueues[Sending] | None) -> None:
        """The account's queues, then those of whoever waits for a turn."""
        self._here.sending = True
        serves: Account | None = account
        while serves is not None:
            try:
                if queues is None:
                    queues = self._joined(serves)
            except Exception as error:  # as below: it is this account's turn
                self._pause(error)
                continue
            if queues is not None:
                self._serve(serves, queues)
            serves, queues = self._turns.end(serves), None

    def _pause(self, error: Exception) -> None:
        with suppress(Exception):
            logger.error("unforeseen error in a thread that sends: %r", error)
        time.sleep(TRY_AGAIN_S)

    def _joined(self, account: Account) -> KeyedQueues[Sending] | None:
        """The queues of an account that has waited for a turn, which this thread serves from now
        on; None if nothing waits in them any more."""
        with account.lock:
            if self.closed or account.senders >= PARALLEL_SENDS or not account.queues.is_ready:
                return None
            account.senders += 1
            self._serve_in_threads(account)
            return account.queues

    def _serve(self, account: Account, queues: KeyedQueues[Sending]) -> None:
        is_first = True
        while True:
            try:
                sending = self._next(account, queues, is_first=is_first)
                if sending is None:
                    return
                is_first = False
                if sending.request is not None:
                    self._send(account, sending, sending.request)
                if sending.error is not None and not sending.awaited:
                    self._try_again(account, sending)
            except Exception as error:  # out of memory, say: the account's other attempts wait
                self._pause(error)

    def _send(self, account: Account, sending: Sending, request: Outgoing) -> None:
        try:
            answer = self._answer_to(account, sending, request)
        except BaseException as error:  # ours, no answer of the receiver's
            with account.lock:
                account.under_way.discard(sending)
                self._attempts.fail(account, sending, error)
                self._attempts.over(account, sending)
                self._attempts.settle(account, sending)
            return
        with account.lock:
            sending.answer = answer
            self._attempts.settle(account, sending)

    def _next(
        self, account: Account, queues: KeyedQueues[Sending], *, is_first: bool
    ) -> Sending | None:
        """The next attempt that this thread is to send; None when nothing waits any more, or when,
        but for the first of a turn, others wait for theirs."""
        with account.lock:
            while account.queues is queues and not self.closed:
                if not is_first and queues.is_ready and self._turns.give_way(account):
                    break
                sending = queues.take()
                if sending is None:
                    break
                self._attempts.prepare(account, sending)
                if sending.over:
                    self._attempts.settle(account, sending)
                if not sending.over or sending.error is not None:
                    return sending
            if account.queues is queues:
                account.senders -= 1
            return None

    def _answer_to(self, account: Account, sending: Sending, request: Outgoing) -> Answer:
        """What this process wants (descriptors, say) is no answer of the receiver's: it is asked
        once there is room."""
        while sending.answer is None:
            try:
                return self._transport.send(request)
            except Exception as error:
                if self._is_immediate or not is_wanting(error):
                    raise
                with suppress(Exception):
                    logger.warning(
                        "a callback of account %s waits, as this process wants descriptors, memory"
                        " or threads: %s", account.auth_id, error,
                    )  # fmt: skip
            with account.lock:
                given_up = partial(self._is_given_up, account, sending)
                if account.idle.wait_for(given_up, TRY_AGAIN_S):
                    sending.is_cut = True
                    return Answer(error="given up")
        return sending.answer

    def _is_given_up(self, account: Account, sending: Sending) -> bool:
        return sending.is_cut or self.closed or account.retired or account.era != sending.era

    def _try_again(self, account: Account, sending: Sending) -> None:
        with suppress(MemoryError):
            logger.error(
                "due work of account %s failed; it is tried again",
                account.auth_id,
                exc_info=sending.error,
            )
        time.sleep(TRY_AGAIN_S)
        with account.lock:
            if account.era == sending.era:
                account.agenda.requeue(sending.timer)
        self._wake(account)

    # --- a transport that never makes anybody wait -------------------------------------------

    def _send_in_turn(self, account: Account, sendings: list[Sending]) -> None:
        for start in range(0, len(sendings), AT_ONCE):
            some = []
            for sending in sendings[start : start + AT_ONCE]:
                with account.lock:
                    if sending.era == account.era:
                        self._attempts.prepare(account, sending)
                if sending.request is not None:
                    some.append((sending, self._answer_to(account, sending, sending.request)))
            with account.lock:
                if len(some) < 2 or not self._attempts.record_together(account, some):
                    for sending, answer in some:
                        self._attempts.end(account, sending, answer)
        for sending in sendings:
            if sending.error is not None and not sending.awaited:
                raise sending.error

    # --- waiting -------------------------------------------------------------------------------

    def wait(self, account: Account, done: Callable[[], bool], bound_s: float | None) -> bool:
        """Until ``done``, asked under the lock whenever an attempt is over; returns whether it is.

        A receiver that calls in while it is called would wait for itself: where that is known, it
        does not wait. Others may have to give up, see ``Places``.
        """
        with account.lock:
            if self.is_calling or done():
                return done()
            if getattr(self._here, "patient", False):
                return account.idle.wait_for(done, bound_s)
            waits_outside()
            with self._places.taken(account) as place:
                account.idle.wait_for(lambda: place.given_up or done(), bound_s)
            return done()

    def wait_for_urls(
        self, accounts: Iterable[Account], wanted: Callable[[str], bool], bound_s: float
    ) -> None:
        """Until nothing is under way to such URLs, for at most ``bound_s`` in all."""
        deadline, passing = monotonic_s() + bound_s, Passing()
        for account in accounts:
            done = partial(_is_none_on_its_way, account, wanted)
            with passing.held(account.lock):
                is_done = done()
            if not is_done:
                with repeatable():
                    self.wait(account, done, max(deadline - monotonic_s(), 0))

    def finish(
        self, account: Account, sendings: list[Sending], bound_s: float | None
    ) -> list[Attempted]:
        """Wait for these, and return what came of them so far, in their order. Raises what kept
        one of them from being written down."""
        left = deque(sendings)

        def all_over() -> bool:
            while left and (left[0].over or left[0].era != account.era):
                left.popleft()
            return not left

        self.wait(account, all_over, bound_s)
        for sending in sendings:
            if sending.error is not None:
                raise sending.error
        return [each.attempted for each in sendings if each.attempted is not None]

    def end_all(self, accounts: Iterable[Account], bound_s: float) -> None:
        """Wait for what is under way from eras that are over (when closed, or handed over, from
        all); what takes longer is cut off, and is as if it had not been sent."""
        left = [each for account in accounts for each in self._outdated(account)]
        for account, sending in left:
            with account.lock:
                self._attempts.settle(account, sending)
        if not self._wait_for_all(left, bound_s):
            for account, sending in left:
                if not sending.over:
                    self._cut(account, sending)
            self._wait_for_all(left, CUT_WAIT_S)

    def _outdated(self, account: Account) -> list[tuple[Account, Sending]]:
        with account.lock:
            every = self.closed or account.retired
            return [
                (account, each) for each in account.under_way if every or each.era != account.era
            ]

    def _cut(self, account: Account, sending: Sending) -> None:
        if sending.answer is not None:  # it waited for those before it
            with account.lock:
                if not sending.over:
                    self._attempts.end(account, sending, sending.answer)
            return
        with account.lock:
            sending.is_cut = True
            account.idle.notify_all()
        cut = getattr(self._transport, "cut", None)
        if cut is not None and sending.request is not None:
            cut(sending.request)

    def _wait_for_all(self, left: list[tuple[Account, Sending]], bound_s: float) -> bool:
        deadline = monotonic_s() + bound_s
        for account, sending in left:
            self.wait(account, partial(getattr, sending, "over"), max(deadline - monotonic_s(), 0))
        return all(sending.over for _, sending in left)


def _is_none_on_its_way(account: Account, wanted: Callable[[str], bool]) -> bool:
    """Whether nothing waits for, or is under way to, a URL that is wanted; without the lock, as far
    as can be told."""
    sendings = tuple(account.under_way) + tuple(account.queues)
    return not any(each.era == account.era and wanted(each.url) for each in sendings)
