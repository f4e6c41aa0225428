"""Sends due attempts: those of one application in the order in which they fell due, those of
several applications at once.

Each attempt waits in the lane of its application until the one before it is over, whatever came of
that. Threads of the account's own serve its lanes, so that a receiver that hangs holds up neither
another account nor, up to ``PARALLEL_SENDS`` of them, another application.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from plivo_sim.domain.models import DeliveryState, Timer, TimerKind
from plivo_sim.lanes import Lanes
from plivo_sim.ports import Answer, Outgoing, Transport
from plivo_sim.steady import steady_s
from plivo_sim.webhooks.outbox import Attempted, Outbox
from plivo_sim.world import World

logger = logging.getLogger("plivo_sim")

PARALLEL_SENDS = 8
AT_ONCE = 64
"""So many attempts that nobody had to wait for are written in one transaction."""
TRY_AGAIN_S = 1.0
CUT_WAIT_S = 1.0
"""How long to wait for an attempt to end whose connection was cut."""


@dataclass(slots=True, eq=False)
class Sending:
    """A due attempt, from when it is taken from the agenda until what came of it is written down.

    ``awaited``: somebody waits for it, and is told of ``error`` when it could not be written.
    """

    timer: Timer
    lane: str
    era: int
    awaited: bool = False
    request: Outgoing | None = None
    over: bool = False
    is_cut: bool = False
    attempted: Attempted | None = None
    error: BaseException | None = None


class Sender:
    """See the module. ``on_attempt`` is told of each attempt, under the lock; ``wake`` is asked to
    look at an account again in which something could not be written."""

    def __init__(self, outbox: Outbox, transport: Transport) -> None:
        self._outbox = outbox
        self._transport = transport
        self._is_immediate = bool(getattr(transport, "immediate", False))
        self._here = threading.local()
        self.closed = False
        self.on_attempt: Callable[[World, Attempted], None] = lambda world, attempted: None
        self.wake: Callable[[World], None] = lambda world: None

    @property
    def is_calling(self) -> bool:
        """Whether this thread is sending: what waits for a send here would wait for itself."""
        return getattr(self._here, "sending", False)

    def take_due(self, world: World, until: datetime, *, awaited: bool) -> list[Sending]:
        """Put the attempts that are due by then into their lanes, and return them. Caller holds
        the lock, so that what is taken later is behind; and calls ``begin`` without it."""
        sendings = []
        while timer := world.agenda.take(TimerKind.CALLBACK, until):
            delivery = world.store.deliveries.fetch(timer.subject_id)
            lane = delivery.application_id if delivery is not None else timer.subject_id
            sendings.append(Sending(timer, lane, world.era, awaited))
        world.sending += len(sendings)
        if not self._is_immediate:
            for sending in sendings:
                world.lanes.put(sending.lane, sending)
            while world.senders < min(PARALLEL_SENDS, len(world.lanes)):
                self._serve_in_thread(world)
        return sendings

    def begin(self, world: World, sendings: list[Sending]) -> None:
        """Threads have begun to send these already, unless the transport makes nobody wait."""
        if self._is_immediate:
            self._send_in_turn(world, sendings)

    def _serve_in_thread(self, world: World) -> None:
        lanes = world.lanes
        threading.Thread(
            target=self._serve, args=(world, lanes), name="plivo-sim-send", daemon=True
        ).start()
        world.senders += 1

    def _serve(self, world: World, lanes: Lanes[Sending]) -> None:
        self._here.sending = True
        while (sending := self._next(world, lanes)) is not None:
            if sending.request is not None:
                answer = self._transport.send(sending.request)
                with world.lock:
                    self._end(world, sending, answer)
            if sending.error is not None and not sending.awaited:
                self._try_again(world, sending)

    def _next(self, world: World, lanes: Lanes[Sending]) -> Sending | None:
        """The next attempt that this thread is to send; None when nothing waits any more."""
        with world.lock:
            while world.lanes is lanes and not self.closed:
                sending = lanes.take()
                if sending is None:
                    break
                self._prepare(world, sending)
                if not sending.over or sending.error is not None:
                    return sending
            if world.lanes is lanes:
                world.senders -= 1
            return None

    def _prepare(self, world: World, sending: Sending) -> None:
        """Make the request, as late as can be. If there is none, the attempt is over."""
        try:
            sending.request = self._outbox.prepare(world, sending.timer)
        except BaseException as error:
            self._fail(world, sending, error)
        if sending.request is None:
            self._over(world, sending)
        else:
            world.under_way.add(sending)

    def _end(self, world: World, sending: Sending, answer: Answer) -> None:
        """Write down what came back, unless the account was reset or restored meanwhile."""
        world.under_way.discard(sending)
        if world.era == sending.era and not sending.is_cut:
            try:
                assert sending.request is not None
                sending.attempted = self._outbox.record(
                    world, sending.timer, sending.request, answer
                )
            except BaseException as error:
                self._fail(world, sending, error)
            self._tell(world, sending)
        self._over(world, sending)

    def _tell(self, world: World, sending: Sending) -> None:
        if sending.attempted is not None:
            self.on_attempt(world, sending.attempted)
            if sending.attempted.delivery.state is DeliveryState.PENDING:
                self.wake(world)  # it is tried again, some time

    def _fail(self, world: World, sending: Sending, error: BaseException) -> None:
        """It stays due; where nobody is told that it failed, not before a pause."""
        sending.error = error
        if sending.awaited or self._is_immediate:
            world.agenda.requeue(sending.timer)

    def _over(self, world: World, sending: Sending) -> None:
        sending.over = True
        if world.era == sending.era:
            world.sending -= 1
            if sending.lane in world.lanes:
                world.lanes.over(sending.lane)
        world.idle.notify_all()

    def _try_again(self, world: World, sending: Sending) -> None:
        logger.error(
            "due work of account %s failed; it is tried again",
            world.auth_id,
            exc_info=sending.error,
        )
        time.sleep(TRY_AGAIN_S)
        with world.lock:
            if world.era == sending.era:
                world.agenda.requeue(sending.timer)
        self.wake(world)

    # --- a transport that never makes anybody wait -------------------------------------------

    def _send_in_turn(self, world: World, sendings: list[Sending]) -> None:
        for start in range(0, len(sendings), AT_ONCE):
            some = []
            for sending in sendings[start : start + AT_ONCE]:
                with world.lock:
                    if sending.era == world.era:
                        self._prepare(world, sending)
                if sending.request is not None:
                    some.append((sending, self._transport.send(sending.request)))
            with world.lock:
                if len(some) < 2 or not self._record_together(world, some):
                    for sending, answer in some:
                        self._end(world, sending, answer)
        for sending in sendings:
            if sending.error is not None and not sending.awaited:
                raise sending.error

    def _record_together(self, world: World, some: list[tuple[Sending, Answer]]) -> bool:
        """Write down what came back for several in one transaction; False if that cannot be, so
        that each is tried alone."""
        try:
            with world.transaction():
                for sending, answer in some:
                    if sending.era != world.era or sending.request is None:
                        return False
                    sending.attempted = self._outbox.record(
                        world, sending.timer, sending.request, answer
                    )
        except Exception:
            return False
        except BaseException as error:
            for sending, _ in some:
                self._fail(world, sending, error)
            raise
        for sending, _ in some:
            world.under_way.discard(sending)
            self._tell(world, sending)
            self._over(world, sending)
        return True

    # --- waiting -------------------------------------------------------------------------------

    def wait(self, world: World, done: Callable[[], bool], bound_s: float | None) -> bool:
        """Until ``done``, asked under the lock whenever an attempt is over; returns whether it is.

        A receiver that calls in while it is called would wait for itself: where that is known, it
        does not wait.
        """
        with world.lock:
            return world.idle.wait_for(done, 0 if self.is_calling else bound_s)

    def finish(
        self, world: World, sendings: list[Sending], bound_s: float | None
    ) -> list[Attempted]:
        """Wait for these, and return what came of them, in their order. Raises what kept one of
        them from being written down."""
        left = deque(sendings)

        def all_over() -> bool:
            while left and (left[0].over or left[0].era != world.era):
                left.popleft()
            return not left

        self.wait(world, all_over, bound_s)
        for sending in sendings:
            if sending.error is not None:
                raise sending.error
        return [each.attempted for each in sendings if each.attempted is not None]

    def end_all(self, worlds: Iterable[World], bound_s: float) -> None:
        """Wait for what is under way from eras that are over (when closed, from all); what takes
        longer is cut off, and is as if it had not been sent."""
        left = [each for world in worlds for each in self._outdated(world)]
        if not self._wait_for_all(left, bound_s):
            for _, sending in left:
                if not sending.over:
                    self._cut(sending)
            self._wait_for_all(left, CUT_WAIT_S)

    def _outdated(self, world: World) -> list[tuple[World, Sending]]:
        with world.lock:
            every = self.closed or world.retired
            return [(world, each) for each in world.under_way if every or each.era != world.era]

    def _cut(self, sending: Sending) -> None:
        sending.is_cut = True
        cut = getattr(self._transport, "cut", None)
        if cut is not None and sending.request is not None:
            cut(sending.request)

    def _wait_for_all(self, left: list[tuple[World, Sending]], bound_s: float) -> bool:
        deadline = steady_s() + bound_s
        for world, sending in left:
            self.wait(world, partial(getattr, sending, "over"), max(deadline - steady_s(), 0))
        return all(sending.over for _, sending in left)
