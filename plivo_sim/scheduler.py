"""Wakes the accounts of a live server when something is due in them.

One thread holds each running account's next due instant, in real time; a small pool runs the
accounts, each by one thread at a time, so a receiver that hangs delays only its own account.
"""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

from plivo_sim.runner import Runner
from plivo_sim.world import World

logger = logging.getLogger("plivo_sim")

WORKERS = 256
"""Made on demand. Each may wait for a receiver that hangs; the next account needs one more."""
LONGEST_NAP_S = 1.0
"""A clock may be moved from outside (freezegun, a changed machine clock): look again then."""


class Scheduler:
    """See the module. ``notify`` may be called from any thread, under any lock."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._wanted = threading.Condition()
        self._fresh: dict[str, World] = {}
        self._waiting: dict[str, World] = {}
        self._running: set[str] = set()
        self._under_way = 0
        self._stopped = False
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="plivo-sim-due")
        self._thread = threading.Thread(target=self._loop, name="plivo-sim-clock", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float | None = None) -> None:
        """Stop waking; what is under way to a receiver may finish, but is not waited for longer
        than ``timeout_s``."""
        with self._wanted:
            self._stopped = True
            self._wanted.notify()
        self._thread.join()
        self._pool.shutdown(wait=False, cancel_futures=True)
        with self._wanted:
            ended = self._wanted.wait_for(lambda: not self._under_way, timeout_s)
        self._pool.shutdown(wait=ended)

    def notify(self, world: World) -> None:
        """Something may be due in this account, now or later."""
        with self._wanted:
            self._fresh[world.auth_id] = world
            self._wanted.notify()

    def _loop(self) -> None:
        while True:
            nap_s = self._start_due()
            with self._wanted:
                if self._stopped:
                    return
                if not self._fresh:
                    self._wanted.wait(nap_s)
                self._waiting |= self._fresh
                self._fresh.clear()

    def _start_due(self) -> float | None:
        """Start every account that has due work; returns how long nobody else has any."""
        nap_s: float | None = None
        for auth_id, world in list(self._waiting.items()):
            if auth_id in self._running:
                continue
            with world.lock:
                at = None if world.advancing else world.agenda.next_instant()
                delay_s = None if at is None else world.clock.real_delay_s(at)
            if delay_s is None:
                del self._waiting[auth_id]
            elif delay_s == 0:
                self._start(world)
            else:
                nap_s = min(delay_s, LONGEST_NAP_S, nap_s or LONGEST_NAP_S)
        return nap_s

    def _start(self, world: World) -> None:
        del self._waiting[world.auth_id]
        with self._wanted:
            if self._stopped:
                return
            self._running.add(world.auth_id)
            self._under_way += 1
        self._pool.submit(self._run, world).add_done_callback(self._has_ended)

    def _has_ended(self, _: Future[None]) -> None:
        """A run is over, or was never begun."""
        with self._wanted:
            self._under_way -= 1
            self._wanted.notify_all()

    def _run(self, world: World) -> None:
        try:
            self._runner.run_due(world)
        except Exception:
            if self._stopped:  # and the records closed, perhaps: nobody waited for it
                return
            logger.exception("due work of account %s failed; it is tried again", world.auth_id)
            time.sleep(LONGEST_NAP_S)
        finally:
            with self._wanted:
                self._running.discard(world.auth_id)
            self.notify(world)
