"""What happens at an instant at which something is due: the reviews of that instant under the
account's lock, then callbacks outside it (those that stay in this process under it).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from math import inf

from plivo_sim.account.account import Account
from plivo_sim.account.clock import monotonic_s
from plivo_sim.account.lock import Passing
from plivo_sim.domain.records import StatusChanged, Timer, TimerKind
from plivo_sim.services import reviews
from plivo_sim.webhooks.attempts import Sending
from plivo_sim.webhooks.outbox import Attempted, Outbox
from plivo_sim.webhooks.sender import Sender

AT_ONCE = 64
"""So many reviews of one instant are written in one transaction."""

Happening = StatusChanged | Attempted


class Instants:
    """See the module. ``tell`` is told of each happening, under the lock; once it is ``closed``,
    nothing more happens."""

    def __init__(
        self, outbox: Outbox, sender: Sender, tell: Callable[[Account, Happening], None]
    ) -> None:
        self._outbox = outbox
        self._sender = sender
        self._tell = tell
        self.closed = False

    def pass_next(
        self,
        account: Account,
        until: Callable[[], datetime | None],
        era: int,
        *,
        move: bool = False,
        awaited: bool = False,
        deadline_s: float = inf,
        passing: Passing | None = None,
    ) -> tuple[list[Happening], list[Sending]] | None:
        """What happens at the next instant at which something is due, and the attempts that are
        made; None if that is later than ``until``, asked under the lock, or the era is over. With
        ``move`` the clock goes there (or to ``until``). It ends before all has happened once the
        deadline is over."""
        with self._turn(account, era, passing, is_mover=move) as goes_on:
            if not goes_on:
                return None
            at, last = account.next_due(), until()
            if at is None or (last is not None and at > last):
                if move and last is not None:
                    account.clock.move_to(max(last, account.now()))
                return None
            if move:
                account.clock.move_to(max(at, account.now()))
                account.stepping = True
        happened: list[Happening] = []
        try:
            for batch in self.batches(account, at, era, passing, is_mover=move):
                happened += batch
                if monotonic_s() > deadline_s:
                    return happened, []
            with self._turn(account, era, passing, is_mover=move) as goes_on:
                if not goes_on:
                    return None
                sendings = self._sender.take_due(account, at, awaited=awaited)
        finally:
            if move:
                self._end_step(account, era)
        self._sender.begin(account, sendings)
        return happened, sendings

    def _end_step(self, account: Account, era: int) -> None:
        with account.lock:
            if account.era == era:
                account.stepping = False
                account.idle.notify_all()

    @contextmanager
    def _turn(
        self, account: Account, era: int, passing: Passing | None, *, is_mover: bool
    ) -> Iterator[bool]:
        """Whether what is due is to happen here, under the account's lock: what an advance is at is
        left to it."""
        with account.lock if passing is None else passing.held(account.lock) as is_held:
            is_in_use = not self.closed and not account.retired and account.era == era
            yield is_held and is_in_use and (is_mover or not account.stepping)

    def batches(
        self,
        account: Account,
        until: datetime,
        era: int,
        passing: Passing | None = None,
        *,
        is_mover: bool = False,
    ) -> Iterator[list[Happening]]:
        """What is due by then, callbacks to elsewhere aside: some of it at a time, and between them
        others have their turn."""
        for work in (self._review_some, self._hand_over_some):
            while True:
                with self._turn(account, era, passing, is_mover=is_mover) as goes_on:
                    if not goes_on:
                        return
                    some = work(account, until)
                if some is None:
                    break
                yield some
                if passing is None:
                    account.lock.give_way()

    def _review_some(self, account: Account, until: datetime) -> list[Happening] | None:
        """Those of one instant are written together, and told of once they are. When that fails
        they are taken one by one, so that one that cannot be written takes no other with it. None
        when none is due."""
        timers = account.agenda.take_together(TimerKind.REVIEW, until, AT_ONCE)
        if not timers:
            return None
        try:
            return self._review(account, timers)
        except Exception:
            if len(timers) == 1:
                raise
        happened: list[Happening] = []
        for _ in timers:
            happened += self._review(
                account, account.agenda.take_together(TimerKind.REVIEW, until, 1)
            )
        return happened

    def _review(self, account: Account, timers: list[Timer]) -> list[Happening]:
        try:
            with account.transaction():
                events = [reviews.run(account, timer) for timer in timers]
        except BaseException:
            for timer in timers:
                account.agenda.requeue(timer)
            raise
        happened: list[Happening] = [event for event in events if event is not None]
        for event in happened:
            self._tell(account, event)
        return happened

    def _hand_over_some(self, account: Account, until: datetime) -> list[Happening] | None:
        """Callbacks to receivers within this process: nobody has to wait for a socket. None when
        none is due."""
        happened: list[Happening] = []
        for number in range(AT_ONCE):
            timer = account.agenda.take(TimerKind.NOTICE, until)
            if timer is None:
                return happened if number else None
            try:
                attempted = self._outbox.hand_over(account, timer)
            except BaseException:
                account.agenda.requeue(timer)
                raise
            if attempted is not None:
                happened.append(attempted)
                self._tell(account, attempted)
        return happened
