"""Runs what is due: reviews at their instants, callbacks outside the lock.

Three ways in. ``catch_up`` before a request or verb is served: what is due happens first, so
polling sees the truth. ``settle`` after it: work due at once. ``advance`` moves a clock that a
caller holds, one instant after the other. With ``wake`` set, ``catch_up`` and ``settle`` leave
the sending of callbacks to the scheduler behind it, so that no request waits for a receiver.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from plivo_sim.domain.events import StatusChanged
from plivo_sim.domain.models import Timer, TimerKind
from plivo_sim.errors import Busy, ClockRefused
from plivo_sim.ports import Outgoing, Transport
from plivo_sim.services import reviews
from plivo_sim.webhooks.outbox import Attempted, Outbox
from plivo_sim.world import World

PARALLEL_SENDS = 8
ADVANCE_BUDGET_S = 30.0
MOST_HAPPENINGS = 10_000
SENDS_WAIT_S = 2.0

Happening = StatusChanged | Attempted


@dataclass(slots=True)
class Advance:
    """What an advance did. ``pending``: the time budget ran out and it carries on."""

    happenings: list[Happening] = field(default_factory=list)
    pending: bool = False

    def note(self, happened: list[Happening]) -> None:
        self.happenings += happened[: MOST_HAPPENINGS - len(self.happenings)]


class Runner:
    """See the module."""

    def __init__(self, outbox: Outbox, transport: Transport) -> None:
        self._outbox = outbox
        self._transport = transport
        self._senders = ThreadPoolExecutor(PARALLEL_SENDS, thread_name_prefix="plivo-sim-send")
        self.wake: Callable[[World], None] | None = None
        self.on_happening: Callable[[World, Happening], None] | None = None

    def catch_up(self, world: World, *, sends: bool = False) -> None:
        """Make happen what is due by now; with ``sends``, wait for its callbacks too."""
        if self.wake is None or sends:
            self.run_due(world)
            self.wait_for_sends(world)
            return
        with world.lock:
            self._review_until(world, world.now())
            waiting = world.agenda.next_due(TimerKind.CALLBACK)
        if waiting is not None:
            self.wake(world)

    def settle(self, world: World) -> None:
        """After a request or verb: work due at once, and the scheduler learns of the rest."""
        if self.wake is None:
            self.run_due(world)
        else:
            self.wake(world)

    def run_due(self, world: World) -> list[Happening]:
        """Everything due by now, callbacks included; what they cause at once, too."""
        happened: list[Happening] = []
        while (batch := self._instant(world, world.now())) is not None:
            happened += batch
        return happened

    def advance(
        self, world: World, until: datetime | None, stop: Callable[[], bool] | None = None
    ) -> Advance:
        """Move the clock to ``until``, each event at its own instant (DECISIONS 10).

        Without ``until``, as far as something is due. ``stop`` is asked after each instant; when
        it says so, the clock stays there. Raises Busy during another advance of the account,
        ClockRefused for an earlier instant.
        """
        self._hold(world, until)
        result = Advance()
        deadline = time.monotonic() + ADVANCE_BUDGET_S
        try:
            while not (stop and stop()):
                happened = self._instant(world, until, move=True)
                if happened is None:
                    break
                result.note(happened)
                if time.monotonic() > deadline:
                    result.pending = True
                    break
        finally:
            if result.pending:
                self._carry_on(world, until)
            else:
                self._release(world)
        return result

    def _carry_on(self, world: World, until: datetime | None) -> None:
        def go_on() -> None:
            try:
                while self._instant(world, until, move=True) is not None:
                    pass
            finally:
                self._release(world)

        threading.Thread(target=go_on, name="plivo-sim-advance", daemon=True).start()

    def _hold(self, world: World, until: datetime | None) -> None:
        with world.lock:
            if world.advancing:
                raise Busy("another advance of this account is under way")
            if until is not None and until < world.now():
                raise ClockRefused(
                    f"the clock never goes back: it is {world.now().isoformat()} already"
                )
            world.advancing = True
            world.clock.hold()

    def _release(self, world: World) -> None:
        with world.lock:
            world.clock.release()
            world.advancing = False
            world.keep_ledger()
        if self.wake is not None:
            self.wake(world)

    def wait_for_sends(self, world: World) -> None:
        """Until nothing is under way to a receiver, or a moment has passed."""
        with world.lock:
            world.idle.wait_for(lambda: world.sending == 0, SENDS_WAIT_S)

    def _instant(
        self, world: World, until: datetime | None, *, move: bool = False
    ) -> list[Happening] | None:
        """What happens at the next instant at which something is due; None if that is later
        than ``until``. With ``move`` the clock goes there (or to ``until``)."""
        if move:
            self.wait_for_sends(world)
        with world.lock:
            at = world.agenda.next_instant()
            if at is None or (until is not None and at > until):
                if move and until is not None:
                    world.clock.move_to(max(until, world.now()))
                return None
            if move:
                world.clock.move_to(max(at, world.now()))
            happened = self._review_until(world, at)
            jobs = list(self._prepared(world, at))
            world.sending += len(jobs)
        return happened + self._send(world, jobs)

    def _review_until(self, world: World, until: datetime) -> list[Happening]:
        happened: list[Happening] = []
        while timer := world.agenda.take(TimerKind.REVIEW, until):
            try:
                event = reviews.run(world, timer)
            except BaseException:
                world.agenda.requeue(timer)
                raise
            if event is not None:
                happened.append(event)
                self._tell(world, event)
        return happened

    def _prepared(self, world: World, until: datetime) -> Iterator[tuple[Timer, Outgoing]]:
        while timer := world.agenda.take(TimerKind.CALLBACK, until):
            request = self._outbox.prepare(world, timer)
            if request is not None:
                yield timer, request

    def _send(self, world: World, jobs: list[tuple[Timer, Outgoing]]) -> list[Happening]:
        def attempt(job: tuple[Timer, Outgoing]) -> Attempted | None:
            timer, request = job
            answer = self._transport.send(request)
            with world.lock:
                try:
                    return self._outbox.record(world, timer, request, answer)
                finally:
                    world.sending -= 1
                    world.idle.notify_all()

        tried = self._senders.map(attempt, jobs) if len(jobs) > 1 else map(attempt, jobs)
        happened: list[Happening] = [attempted for attempted in tried if attempted is not None]
        for happening in happened:
            self._tell(world, happening)
        return happened

    def _tell(self, world: World, happening: Happening) -> None:
        if self.on_happening is not None:
            self.on_happening(world, happening)

    def close(self) -> None:
        self._senders.shutdown(wait=False, cancel_futures=True)
