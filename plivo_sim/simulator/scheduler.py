"""Wakes the accounts of a live server when something is due in them.

One thread holds each running account's next due instant, in real time, in a heap; a small pool
runs the accounts. It waits for no receiver: what is due is begun, and ends on threads of the
account's own. Nor does it hold a thread of the pool for an account whose work failed, and is to be
tried again.

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
from plivo_sim.account.threads import Workers
from plivo_sim.simulator.runner import Runner

logger = logging.getLogger("plivo_sim")

WORKERS = 32
"""Made on demand."""
LONGEST_NAP_S = 1.0
"""A clock may be moved from outside (freezegun, a changed machine clock): look again then."""
TRY_AGAIN_S = 1.0
BUSY_NAP_S = 0.02


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

    def stop(self, wait_s: float | None = None) -> None:
        """Stop waking, and wait for what runs, at most so long; what is under way to a receiver
        ends on its own."""
        with self._wanted:
            self._stopped = True
            self._wanted.notify()
        self._thread.join()
        with self._wanted:
            self._wanted.wait_for(lambda: not self._at_work, wait_s)

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
        """Start every account that has due work; returns how long nobody else has any. Looks at
        those that were notified, and those whose time has come, however many others wait."""
        with self._wanted:
            for account in self._fresh:
                self._look_at(account, 0.0)
            self._fresh.clear()
        while self._looks:
            at_s, number, account = self._looks[0]
            again_s: float | None = None
            if self._next_look.get(account) == number:
                if (nap_s := at_s - monotonic_s()) > 0:
                    return nap_s
                again_s = self._look(account)
                del self._next_look[account]
            heapq.heappop(self._looks)
            if again_s is not None:
                now_s = monotonic_s()
                tick_s = (now_s // LONGEST_NAP_S + 1) * LONGEST_NAP_S  # together, to wake up once
                self._look_at(account, min(now_s + again_s, tick_s))
        return None

    def _look_at(self, account: Account, at_s: float) -> None:
        """Then, and not when it was to be looked at before: that entry is passed over."""
        number = next(self._numbers)
        self._next_look[account] = number
        heapq.heappush(self._looks, (at_s, number, account))

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
        """How long not to try again what failed in this era."""
        failed_in, again_at_s = self._again_at_s.get(account, (era, 0.0))
        return max(again_at_s - monotonic_s(), 0.0) if failed_in == era else 0.0

    def _start(self, account: Account, era: int) -> None:
        with self._wanted:
            if self._stopped:
                return
            self._running.add((account, era))
        self._again_at_s.pop(account, None)
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
