"""A due attempt, from when it is taken from the agenda until what came of it is written down.

Whoever sends it asks here for its request, and tells here what its receiver answered, or what went
wrong with it here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from plivo_sim.account.account import Account
from plivo_sim.account.interfaces import Answer, Outgoing
from plivo_sim.domain.records import DeliveryState, Timer
from plivo_sim.webhooks.outbox import Attempted, Outbox

AT_ONCE = 64
"""So many attempts that nobody had to wait for are written in one transaction."""


@dataclass(slots=True, eq=False)
class Sending:
    """A due attempt, from when it is taken from the agenda until what came of it is written down.

    ``awaited``: somebody waits for it, and is told of ``error`` when it could not be written.
    ``batch``: those that were taken with it and are not written down, if that is done in order.
    """

    timer: Timer
    queue: str
    url: str
    era: int
    awaited: bool = False
    batch: deque[Sending] | None = None
    request: Outgoing | None = None
    answer: Answer | None = None
    over: bool = False
    is_cut: bool = False
    attempted: Attempted | None = None
    error: BaseException | None = None


class Attempts:
    """See the module; every method under the account's lock. ``on_attempt``, ``wake``: see
    ``Sender``. ``is_immediate``: no thread sends them, and whoever has them sent sees what fails.
    """

    def __init__(
        self,
        outbox: Outbox,
        on_attempt: Callable[[Account, Attempted], None],
        wake: Callable[[Account], None],
        *,
        is_immediate: bool,
    ) -> None:
        self._outbox = outbox
        self._on_attempt = on_attempt
        self._wake = wake
        self._is_immediate = is_immediate

    def prepare(self, account: Account, sending: Sending) -> None:
        """Make the request, as late as can be. If there is none, the attempt is over. One that was
        answered, and not written down then, is not sent again: its answer is there. Of an account
        that is handed over it stays due, for whoever has the account then."""
        if account.retired:
            account.agenda.requeue(sending.timer)
            self.over(account, sending)
            return
        try:
            sending.request = self._outbox.prepare(account, sending.timer)
            if sending.request is not None and sending.timer.id in account.unwritten:
                sending.request, sending.answer = account.unwritten[sending.timer.id]
        except BaseException as error:
            self.fail(account, sending, error)
        if sending.request is None:
            self.over(account, sending)
        else:
            account.under_way.add(sending)

    def settle(self, account: Account, sending: Sending) -> None:
        """Write down what came of it. Of a batch, in the order in which the attempts fell due,
        whoever answered first: the same calls write the same journal (decision "Same calls, same
        journal")."""
        batch = sending.batch
        ready = deque([sending]) if batch is None or sending not in batch else batch
        while ready:
            each = ready[0]
            if not each.over and each.answer is None and each.era == account.era:
                break  # it is still on its way, and those behind it wait
            ready.popleft()
            if not each.over and each.answer is not None:
                self.end(account, each, each.answer)

    def end(self, account: Account, sending: Sending, answer: Answer) -> None:
        """Write down what came back, unless the account was reset or restored meanwhile."""
        account.under_way.discard(sending)
        if account.era == sending.era and not sending.is_cut:
            sending.answer = answer
            try:
                assert sending.request is not None
                with account.in_use_once_more():  # who hands it over waits for this
                    sending.attempted = self._outbox.record(
                        account, sending.timer, sending.request, answer
                    )
            except BaseException as error:
                self.fail(account, sending, error)
            else:
                account.unwritten.pop(sending.timer.id, None)
            self._tell(account, sending)
        elif account.era == sending.era:
            account.agenda.requeue(sending.timer)
            self._wake(account)
        self.over(account, sending)

    def _tell(self, account: Account, sending: Sending) -> None:
        if sending.attempted is not None:
            self._on_attempt(account, sending.attempted)
            if sending.attempted.delivery.state is DeliveryState.PENDING:
                self._wake(account)  # it is tried again, some time

    def fail(self, account: Account, sending: Sending, error: BaseException) -> None:
        """It stays due; where nobody is told that it failed, not before a pause. What its receiver
        answered is kept in memory, to be written down then."""
        sending.error = error
        if sending.request is not None and sending.answer is not None:
            self._keep_answer(account, sending.timer, (sending.request, sending.answer))
        if sending.awaited or self._is_immediate:
            account.agenda.requeue(sending.timer)

    def _keep_answer(self, account: Account, timer: Timer, kept: tuple[Outgoing, Answer]) -> None:
        account.unwritten[timer.id] = kept
        if len(account.unwritten) > AT_ONCE:  # some were cancelled since, perhaps
            timers = account.store.timers
            for id in [id for id in account.unwritten if timers.fetch(id) is None]:
                del account.unwritten[id]

    def over(self, account: Account, sending: Sending) -> None:
        """Nobody waits for it any more, and the one behind it in its queue has its turn."""
        sending.over = True
        if account.era == sending.era:
            account.sending -= 1
            if sending.queue in account.queues:
                account.queues.over(sending.queue)
        account.idle.notify_all()

    def record_together(self, account: Account, some: list[tuple[Sending, Answer]]) -> bool:
        """Write down what came back for several in one transaction; False if that cannot be, so
        that each is tried alone."""
        try:
            with account.transaction():
                for sending, answer in some:
                    if sending.era != account.era:
                        return False
                    assert sending.request is not None
                    sending.attempted = self._outbox.record(
                        account, sending.timer, sending.request, answer
                    )
        except Exception:
            return False
        except BaseException as error:
            for sending, sending.answer in some:
                self.fail(account, sending, error)
            raise
        for sending, _ in some:
            account.unwritten.pop(sending.timer.id, None)
            account.under_way.discard(sending)
            self._tell(account, sending)
            self.over(account, sending)
        return True
