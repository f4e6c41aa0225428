"""Runs what is due: reviews at their instants, callbacks outside the lock (those that stay in
this process under it).

Three ways in. ``catch_up`` before a request or verb is served: what is due happens first, so
polling sees the truth. ``settle`` after it: work due at once. ``advance`` moves a clock that a
caller holds, one instant after the other. With ``wake`` set, ``catch_up`` and ``settle`` leave
the sending of callbacks to the scheduler behind it, so that no request waits for a receiver.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import datetime

from plivo_sim.domain.events import StatusChanged
from plivo_sim.domain.models import Timer, TimerKind
from plivo_sim.durations import Duration
from plivo_sim.errors import Busy, StorageFailed
from plivo_sim.ports import Answer, Outgoing, Transport
from plivo_sim.services import reviews
from plivo_sim.webhooks.outbox import Attempted, Outbox
from plivo_sim.world import World

logger = logging.getLogger("plivo_sim")

PARALLEL_SENDS = 8
AT_ONCE = 64
"""So many things that happen at one instant are written in one transaction."""
ADVANCE_BUDGET_S = 30.0
MOST_HAPPENINGS = 10_000
SENDS_WAIT_S = 2.0

Happening = StatusChanged | Attempted
Job = tuple[Timer, Outgoing]
"""A due attempt and its request."""


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
        self._closed = False
        self._here = threading.local()
        self.wake: Callable[[World], None] | None = None
        self.on_happening: Callable[[World, Happening], None] | None = None

    def catch_up(self, world: World, *, sends: bool = False) -> None:
        """Make happen what is due by now; with ``sends``, wait for its callbacks too."""
        if self.wake is None or sends:
            self.run_due(world)
            if not world.advancing:
                self.wait_for_sends(world)
            return
        with world.lock:
            now = world.now()
            self._review_until(world, now)
            self._hand_over_until(world, now)
            waiting = world.agenda.next_due(TimerKind.CALLBACK)
        if waiting is not None:
            self.wake(world)

    def settle(self, world: World, *, steered: bool = True) -> None:
        """After a request or verb: work due at once, and the scheduler learns of the rest.

        Unless the account was ``steered`` (its clock, say), the rest is new timers or nothing.
        What cannot be written down now stays due: the answer is given, and its caller is gone.
        """
        if self.wake is None:
            try:
                self.run_due(world)
            except StorageFailed as error:
                logger.error("%s; what is due waits", error)
        elif steered or world.agenda.fresh:
            world.agenda.fresh = False
            self.wake(world)

    def run_due(self, world: World) -> list[Happening]:
        """Everything due by now, callbacks included; what they cause at once, too."""
        happened: list[Happening] = []
        era = world.era
        while (batch := self._instant(world, world.now(), era)) is not None:
            happened += batch
        return happened

    def advance(
        self,
        world: World,
        until: datetime | Duration | None,
        stop: Callable[[], bool] | None = None,
    ) -> Advance:
        """Move the clock to ``until``, each event at its own instant (DECISIONS 10).

        A duration counts from now; without ``until``, as far as something is due. ``stop`` is
        asked after each instant; when it says so, the clock stays there. A reset or restore ends
        it. Raises Busy during another advance of the account, ClockRefused for an instant that the
        clock cannot go to; then nothing happened.
        """
        era, until = self._hold(world, until)
        result = Advance()
        deadline = time.monotonic() + ADVANCE_BUDGET_S
        try:
            while not (stop and stop()):
                happened = self._instant(world, until, era, move=True)
                if happened is None:
                    break
                result.note(happened)
                if time.monotonic() > deadline:
                    result.pending = True
                    break
        finally:
            if result.pending:
                self._carry_on(world, until, era, stop)
            else:
                self._release(world, era)
        return result

    def _carry_on(
        self, world: World, until: datetime | None, era: int, stop: Callable[[], bool] | None
    ) -> None:
        def go_on() -> None:
            try:
                while not (stop and stop()):
                    if self._instant(world, until, era, move=True) is None:
                        break
            except Exception:
                logger.exception("the advance of account %s ended early", world.auth_id)
            finally:
                self._release(world, era)

        threading.Thread(target=go_on, name="plivo-sim-advance", daemon=True).start()

    def _hold(self, world: World, until: datetime | Duration | None) -> tuple[int, datetime | None]:
        """Stop the clock for an advance; returns the era and the instant that is meant."""
        with world.lock:
            if world.advancing:
                raise Busy("another advance of this account is under way")
            world.clock.hold()  # first: a clock that flies would be past ``until`` already
            try:
                if isinstance(until, Duration):
                    until = until.after(world.now(), world.settings.holidays)
                if until is not None:
                    world.clock.check_move(until)
            except BaseException:
                world.clock.release()
                raise
            world.advancing = True
            return world.era, until

    def _release(self, world: World, era: int) -> None:
        with world.lock:
            if world.era != era:
                return
            world.clock.release()
            world.advancing = False
            if not self._closed:
                world.keep_ledger()
        if self.wake is not None:
            self.wake(world)

    def wait_for_sends(self, world: World) -> None:
        """Until nothing is under way to a receiver, or a moment has passed.

        A receiver that calls in while it is being called would wait for itself: it does not.
        """
        if getattr(self._here, "sending", False):
            return
        with world.lock:
            world.idle.wait_for(lambda: world.sending == 0, SENDS_WAIT_S)

    def _instant(
        self, world: World, until: datetime | None, era: int, *, move: bool = False
    ) -> list[Happening] | None:
        """What happens at the next instant at which something is due; None if that is later
        than ``until``, or the era is over. With ``move`` the clock goes there (or to ``until``)."""
        if move:
            self.wait_for_sends(world)
        with world.lock:
            if self._closed or world.era != era:
                return None
            at = world.agenda.next_instant()
            if at is None or (until is not None and at > until):
                if move and until is not None:
                    world.clock.move_to(max(until, world.now()))
                return None
            if move:
                world.clock.move_to(max(at, world.now()))
            happened = self._review_until(world, at)
            happened += self._hand_over_until(world, at)
            jobs = self._prepared(world, at)
            world.sending += len(jobs)
        return happened + self._send(world, jobs, era)

    def _review_until(self, world: World, until: datetime) -> list[Happening]:
        """Those of one instant are written together, and told of once they are. When that fails
        they are taken one by one, so that one that cannot be written takes no other with it."""
        happened: list[Happening] = []
        most = AT_ONCE
        while timers := world.agenda.take_together(TimerKind.REVIEW, until, most):
            try:
                with world.transaction():
                    events = [reviews.run(world, timer) for timer in timers]
            except BaseException as error:
                for timer in timers:
                    world.agenda.requeue(timer)
                if len(timers) == 1 or not isinstance(error, Exception):
                    raise
                most = 1
                continue
            for event in events:
                if event is not None:
                    happened.append(event)
                    self._tell(world, event)
        return happened

    def _hand_over_until(self, world: World, until: datetime) -> list[Happening]:
        """Callbacks to receivers within this process: nobody has to wait for a socket."""
        happened: list[Happening] = []
        while timer := world.agenda.take(TimerKind.NOTICE, until):
            try:
                attempted = self._outbox.hand_over(world, timer)
            except BaseException:
                world.agenda.requeue(timer)
                raise
            if attempted is not None:
                happened.append(attempted)
                self._tell(world, attempted)
        return happened

    def _prepared(self, world: World, until: datetime) -> list[Job]:
        jobs: list[Job] = []
        while timer := world.agenda.take(TimerKind.CALLBACK, until):
            try:
                request = self._outbox.prepare(world, timer)
            except BaseException:
                for again in (timer, *(job[0] for job in jobs)):
                    world.agenda.requeue(again)
                raise
            if request is not None:
                jobs.append((timer, request))
        return jobs

    def _send(self, world: World, jobs: list[Job], era: int) -> list[Happening]:
        """Send all of them, several at once; what happened, in their order."""
        if len(jobs) > 1 and not getattr(self._transport, "immediate", False):
            tried = self._send_at_once(world, jobs, era)
        else:
            tried = self._send_in_turn(world, jobs, era)
        happened: list[Happening] = [attempted for attempted in tried if attempted is not None]
        for happening in happened:
            self._tell(world, happening)
        return happened

    def _send_in_turn(self, world: World, jobs: list[Job], era: int) -> list[Attempted | None]:
        """One after the other: there is one, or the transport never makes anybody wait."""
        tried: list[Attempted | None] = []
        failure: BaseException | None = None
        for start in range(0, len(jobs), AT_ONCE):
            some = [(job, self._answer(job)) for job in jobs[start : start + AT_ONCE]]
            together = self._record_together(world, some, era) if len(some) > 1 else None
            if together is not None:
                tried += together
                continue
            for job, answer in some:
                try:
                    tried.append(self._record(world, job, answer, era))
                except BaseException as error:
                    failure = error
        if failure is not None:
            raise failure
        return tried

    def _record_together(
        self, world: World, some: list[tuple[Job, Answer]], era: int
    ) -> list[Attempted | None] | None:
        """Write down what came back for several in one transaction; None if that fails, so that
        each can be tried alone."""
        with world.lock:
            if world.era != era:
                return [None] * len(some)
            try:
                with world.transaction():
                    tried = [self._outbox.record(world, *job, answer) for job, answer in some]
            except Exception:
                return None
            except BaseException:
                for (timer, _), _ in some:
                    world.agenda.requeue(timer)
                self._ended(world, len(some))
                raise
            self._ended(world, len(some))
            return tried

    def _ended(self, world: World, count: int) -> None:
        world.sending -= count
        world.idle.notify_all()

    def _send_at_once(self, world: World, jobs: list[Job], era: int) -> list[Attempted | None]:
        """In threads of its own: a receiver that hangs must not hold up another account."""
        tried: list[Attempted | None] = [None] * len(jobs)
        failure: BaseException | None = None
        with ThreadPoolExecutor(min(PARALLEL_SENDS, len(jobs)), "plivo-sim-send") as senders:
            sent: dict[Future[Answer], int] = {
                senders.submit(self._answer, job): index for index, job in enumerate(jobs)
            }
            for future in as_completed(sent):
                index = sent[future]
                try:
                    tried[index] = self._record(world, jobs[index], future.result(), era)
                except BaseException as error:
                    failure = error
        if failure is not None:
            raise failure
        return tried

    def _answer(self, job: Job) -> Answer:
        outer = getattr(self._here, "sending", False)
        self._here.sending = True
        try:
            return self._transport.send(job[1])
        finally:
            self._here.sending = outer

    def _record(self, world: World, job: Job, answer: Answer, era: int) -> Attempted | None:
        """Write down what came back, unless the account was reset or restored meanwhile."""
        timer, request = job
        with world.lock:
            if world.era != era:
                return None
            try:
                return self._outbox.record(world, timer, request, answer)
            except BaseException:
                world.agenda.requeue(timer)
                raise
            finally:
                self._ended(world, 1)

    def _tell(self, world: World, happening: Happening) -> None:
        if self.on_happening is not None:
            self.on_happening(world, happening)

    def close(self) -> None:
        """Begin nothing more; what is under way to a receiver ends on its own."""
        self._closed = True
