"""The simulator: its accounts, and the verbs that tests, the command line and HTTP share.

A table of contents: each verb is one call into a service.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from weakref import WeakValueDictionary

from plivo_sim.coverage import Coverage
from plivo_sim.domain.models import Application, Delivery
from plivo_sim.domain.requirements import Catalogue
from plivo_sim.domain.statuses import Status
from plivo_sim.durations import Duration
from plivo_sim.errors import (
    AccountRequired,
    Fault,
    Invalid,
    NotFound,
    NotReached,
    Problem,
    StorageFailed,
)
from plivo_sim.ids import draw_uuid
from plivo_sim.ports import Damage, Mark
from plivo_sim.runner import CLOSE_WAIT_S, Advance, Runner
from plivo_sim.scenarios.presets import read_reason
from plivo_sim.services import applications, reviews
from plivo_sim.settings import Settings
from plivo_sim.webhooks.outbox import Outbox
from plivo_sim.world import World

AUTH_ID = re.compile(r"[MS]A[A-Za-z0-9]{18}")
MOST_GHOSTS = 256


def is_account(text: str) -> bool:
    """Whether an account can have this auth id; a subaccount's is none."""
    return text.startswith("MA") and AUTH_ID.fullmatch(text) is not None


class Simulator:
    """See the module. ``make_world`` opens the account with this auth id, new or kept.

    ``damages``: state that was found damaged when it was opened. Raises what ``catalogue_of``
    does: ValueError for a wrong catalogue file.
    """

    def __init__(
        self,
        settings: Settings,
        catalogue_of: Callable[[Settings], Catalogue],
        runner: Runner,
        outbox: Outbox,
        make_world: Callable[[str, Settings, Catalogue], World],
        coverage: Coverage,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        self.settings = settings
        self.catalogue = catalogue_of(settings)
        self._catalogue_of = catalogue_of
        self.runner = runner
        self.outbox = outbox
        self.coverage = coverage
        self.damages: Sequence[Damage] = ()
        self._make_world = make_world
        self._on_close = on_close
        self._lock = threading.Lock()
        self.stopping = False
        self._strangers = 0
        self._worlds: dict[str, World] = {}
        self._ghosts: WeakValueDictionary[str, World] = WeakValueDictionary()
        self._recent: OrderedDict[str, World] = OrderedDict()

    def next_api_id(self) -> str:
        """The id of an answer to somebody who has no account."""
        with self._lock:
            self._strangers += 1
            return draw_uuid(self.settings.seed, "", "api", self._strangers, version=1)

    # --- accounts --------------------------------------------------------------------------

    def world(self, auth_id: str) -> World:
        """The account's world. One that nothing was ever written to is made up on the spot and
        not kept: a read on an unknown account stores nothing (DECISIONS 2)."""
        with self._lock:
            found = self._worlds.get(auth_id) or self._ghosts.get(auth_id)
            if found is not None:
                return found
            ghost = self._make_world(auth_id, self.settings, self.catalogue)
            if len(ghost.store.ledger):
                self._worlds[auth_id] = ghost
                return ghost
            ghost.on_first_write = self._adopt
            self._ghosts[auth_id] = self._recent[auth_id] = ghost
            if len(self._recent) > MOST_GHOSTS:
                self._recent.popitem(last=False)
            return ghost

    def _adopt(self, world: World) -> None:
        with self._lock:
            if self._ghosts.get(world.auth_id) is not world:
                return  # another has taken its place: what is written to this one goes nowhere
            self._worlds[world.auth_id] = world
            self._ghosts.pop(world.auth_id, None)
            self._recent.pop(world.auth_id, None)

    def accounts(self) -> list[World]:
        """The accounts that exist, oldest first."""
        with self._lock:
            return list(self._worlds.values())

    def only_account(self) -> World:
        """The one account there is. Raises AccountRequired when there are none or several."""
        worlds = self.accounts()
        if len(worlds) != 1:
            raise AccountRequired([world.auth_id for world in worlds])
        return worlds[0]

    def world_of_application(self, id: str) -> World:
        """The account that holds this application: ids are globally unique. Raises NotFound."""
        for world in self.accounts():
            with world.lock:
                if world.store.applications.fetch(id) is not None:
                    return world
        raise NotFound("application", id)

    def remove_all(self) -> None:
        """Reset every account; none exists afterwards."""
        worlds = self.accounts()
        for world in worlds:
            self._forget(world)
        self.runner.end_sends(worlds)

    def remove(self, world: World) -> None:
        """Reset one account: it does not exist until something is written to it again.

        No callback of before arrives after this; one that is under way is waited for, a moment.
        """
        self._forget(world)
        self.runner.end_sends([world])

    def _forget(self, world: World) -> None:
        with world.lock:
            world.reset()
            with self._lock:
                self._worlds.pop(world.auth_id, None)
                world.on_first_write = self._adopt
                self._ghosts[world.auth_id] = self._recent[world.auth_id] = world

    def begin_anew(self, settings: Settings) -> None:
        """Reset every account and go on with other settings, as if started with them.

        For test suites: far cheaper than a new simulator. Host, port and state stay as they are.
        What was under way goes nowhere: calls that are being served write to accounts that are no
        more, and callbacks end as in ``remove``.
        """
        catalogue = self._catalogue_of(settings)
        self.remove_all()
        with self._lock:
            replaced = [*self._worlds.values(), *self._ghosts.values()]
            for world in replaced:
                world.retired = True
            self.settings, self.catalogue = settings, catalogue
            self._strangers = 0
            self._worlds.clear()
            self._ghosts.clear()
            self._recent.clear()
        self.runner.end_sends(replaced)

    def restore(self, world: World, mark: Mark) -> None:
        """Make a mark the present of this account; callbacks of before end as in ``remove``."""
        world.restore(mark)
        self.runner.end_sends([world])

    # --- time ------------------------------------------------------------------------------

    def advance(
        self, world: World, by: Duration | None = None, *, to: datetime | None = None
    ) -> Advance:
        """Move the account's clock by a duration or to an instant; see ``Runner.advance``."""
        return self.runner.advance(world, to if to is not None else by or Duration())

    def advance_until(self, world: World, reached: Callable[[], bool]) -> Advance:
        """Move the account's clock from event to event until ``reached`` says yes.

        Raises NotReached when nothing more is due and it still says no.
        """
        result = self.runner.advance(world, None, reached)
        if not result.pending and not reached():
            raise NotReached("nothing more is due, and the status was not reached")
        return result

    # --- reviews ---------------------------------------------------------------------------

    def decide(self, id: str, status: Status, reason: str | None = None) -> Application:
        """Decide an application by hand; returns when the first attempt of its callbacks is over,
        see ``Runner.deliver``. ``reason``: a text, or the name of a preset.

        Raises NotFound, WrongState, and Invalid for a word that is almost a preset's name.
        """
        world = self.world_of_application(id)
        try:
            told = read_reason(reason) if reason else None
        except ValueError as error:
            raise Invalid([Problem(Fault.BAD_VALUE, ("reason",), str(error))]) from None
        with world.lock:
            busy = world.sending > 0
            event = reviews.decide(world, applications.get(world, id), status, told)
        self.runner.deliver(world, id, busy=busy)
        return event.application

    # --- callbacks -------------------------------------------------------------------------

    def replay(self, world: World, delivery: Delivery) -> Delivery:
        """Send a callback again, now, as a delivery of its own."""
        with world.transaction():
            return self.outbox.replay(world, delivery)

    def close(self, wait_s: float = CLOSE_WAIT_S) -> None:
        """Let end what is in flight, for at most ``wait_s``, write the clocks down, as far as that
        can be written, and let go of files."""
        self.runner.close(self.accounts(), wait_s)
        for world in self.accounts():
            with world.lock:
                with suppress(StorageFailed):
                    world.keep_ledger()
                world.store.close()
        self._on_close()
