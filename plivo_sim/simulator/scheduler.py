"""Wakes the accounts of a live server when something is due in them.

One thread holds each running account's next due instant, in real time, in a heap; a small pool
runs the accounts. It waits for no receiver: what is due is begun, and ends on threads of the
account's own. Nor does it hold a thread of the pool for an account whose work failed, and is to be
tried again.

Whatever one account says, it is looked at once in a pass over those whose time has come, and what
is due in it is begun once in ``SOONEST_AGAIN_S``: the others have their turn, those that were
notified meanwhile too.

Accounts are told apart by identity and era, never by auth id: the run of one that was reset, or
that another has taken the place of, stands in nobody's way.
"""

from __future__ import annotations

import heapq
import logging
import threading
from contextlib import suppress
from itertools import count

from plivo_sim.account.account import Account
from plivo_sim.account.clock import monotonic_s
from plivo_sim.account.threads import ENDS_WITHIN_S, NONE_TO_BE_HAD, Workers
from plivo_sim.simulator.runner import SOONEST_AGAIN_S, Runner

logger = logging.getLogger("plivo_sim")

WORKERS = 32
"""Made on demand."""
LONGEST_NAP_S = 1.0
"""A clock may be moved from outside (freezegun, a changed machine clock): look again then."""
TRY_AGAIN_S = 1.0
BUSY_NAP_S = 0.02
STOP_WAIT_S = 5.0


class Scheduler:
    """See the module. ``notify`` may be called from any thread, under any lock."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._wanted = threading.Condition()
        self._fresh: set[Account] = set()
        self._looks: list[tuple[float, int, Account]] = []
        """A heap: when to look at an account, the number of that entry."""
        self._next_look: dict[Account, int] = {}
        """The number of the entry that counts, of each account in which something may be due."""
        self._numbers = count()
        self._running: set[tuple[Account, int]] = set()
        self._again_at_s: dict[Account, tuple[int, float]] = {}
        self._stopped = False
        self._at_work = 0
        self._pool = Workers(WORKERS, "plivo-sim-due")
        self._thread = threading.Thread(target=self._loop, name="plivo-sim-clock", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, wait_s: float = STOP_WAIT_S) -> None:
        """Stop waking, and wait for what runs, at most so long; what is under way to a receiver
        ends on its own."""
        deadline_s = monotonic_s() + wait_s
        with self._wanted:
            self._stopped = True
            self._wanted.notify()
        self._thread.join(max(deadline_s - monotonic_s(), ENDS_WITHIN_S))
        with self._wanted:
            left_s = max(deadline_s - monotonic_s(), 0.0)
            self._wanted.wait_for(lambda: not self._at_work, left_s)

    def notify(self, account: Account) -> None:
        """Something may be due in this account, now or later."""
        with self._wanted:
            self._fresh.add(account)
            self._wanted.notify()

    def _loop(self) -> None:
        while True:
            try:
                nap_s = self._start_due()
            except Exception as error:  # no thread to be had, or no memory: all the accounts wait
                with suppress(Exception):
                    logger.warning("due work is not begun, and is tried again: %r", error)
                nap_s = TRY_AGAIN_S
            with self._wanted:
                if self._stopped:
                    return
                if not self._fresh:
                    self._wanted.wait(nap_s)

    def _start_due(self) -> float | None:
        """One pass: start every account that has due work; returns how long nobody else has any.
        Looks at those that were notified, and those whose time has come, however many others wait.
        Raises NoThread or MemoryError; those that are left come first in the next pass."""
        seen: set[Account] = set()
        again: set[Account] = set()
        try:
            nap_s = self._pass(seen, again)
        finally:
            for account in again:
                self._look_at(account, 0.0)
        return 0.0 if again else nap_s

    def _pass(self, seen: set[Account], again: set[Account]) -> float | None:
        """``again``: those that are notified once they were ``seen`` in this pass."""
        while not self._stopped:
            self._take_fresh(seen, again)
            if not self._looks:
                return None
            at_s, number, account = self._looks[0]
            if self._next_look.get(account) != number:
                heapq.heappop(self._looks)
                continue
            if (nap_s := at_s - monotonic_s()) > 0:
                return nap_s
            if account in seen:  # those whose time came before it have been looked at
                return 0.0
            seen.add(account)
            again_s: float | None = TRY_AGAIN_S
            try:
                again_s = self._look(account)
            except NONE_TO_BE_HAD:  # the others want it, too
                raise
            except Exception:
                logger.exception("account %s cannot be looked at", account.auth_id)
            finally:
                if again_s is None:
                    del self._next_look[account]
                else:
                    self._look_again(account, again_s)
        return None

    def _take_fresh(self, seen: set[Account], again: set[Account]) -> None:
        if not self._fresh:
            return
        with self._wanted:
            for account in self._fresh:
                if account in seen:
                    again.add(account)
                else:
                    self._look_at(account, 0.0)
            self._fresh.clear()

    def _look_again(self, account: Account, again_s: float) -> None:
        now_s = monotonic_s()
        tick_s = (now_s // LONGEST_NAP_S + 1) * LONGEST_NAP_S  # together, to wake up once
        self._look_at(account, min(now_s + max(again_s, SOONEST_AGAIN_S), tick_s))

    def _look_at(self, account: Account, at_s: float) -> None:
        """Then, and not when it was to be looked at before: that entry is passed over."""
        number = next(self._numbers)
        heapq.heappush(self._looks, (at_s, number, account))
        self._next_look[account] = number

    def _look(self, account: Account) -> float | None:
        """Start an account if it has due work; else, in how many seconds to look at it again. None
        where it is notified before."""
        if not account.lock.acquire(timeout=0):  # nor do others wait for a busy one
            return BUSY_NAP_S
        try:
            era = account.era
            idle = account.advancing or account.retired
            at = None if idle else account.agenda.next_instant()
            delay_s = None if at is None else account.clock.real_delay_s(at)
        finally:
            account.lock.release()
        if (account, era) in self._running:
            return None
        if delay_s is None:
            self._again_at_s.pop(account, None)
        elif (delay_s := max(delay_s, self._pause_s(account, era))) == 0:
            self._start(account, era)
            return None
        return delay_s

    def _pause_s(self, account: Account, era: int) -> float:
        """How long not to begin again what was begun in this era, or failed."""
        begun_in, again_at_s = self._again_at_s.get(account, (era, 0.0))
        return max(again_at_s - monotonic_s(), 0.0) if begun_in == era else 0.0

    def _start(self, account: Account, era: int) -> None:
        with self._wanted:
            if self._stopped:
                return
            self._running.add((account, era))
        self._again_at_s[account] = era, monotonic_s() + SOONEST_AGAIN_S
        try:
            self._pool.submit(self._run, account, era)
        except BaseException:
            with self._wanted:
                self._running.discard((account, era))
            raise

    def _run(self, account: Account, era: int) -> None:
        with self._wanted:
            if self._stopped:
                return
            self._at_work += 1
        try:
            self._runner.start_due(account)
        except Exception:
            if self._stopped:  # and the records closed, perhaps: nobody waited for it
                return
            self._again_at_s[account] = (era, monotonic_s() + TRY_AGAIN_S)
            logger.exception("due work of account %s failed; it is tried again", account.auth_id)
        finally:
            with self._wanted:
                self._running.discard((account, era))
                self._at_work -= 1
                self._wanted.notify_all()
            self.notify(account)
