"""The simulator: its accounts, and the verbs that tests, the command line and HTTP share.

A table of contents: each verb is one call into a service.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from plivo_sim.account.account import Account
from plivo_sim.account.clock import monotonic_s
from plivo_sim.account.interfaces import Damage, Mark
from plivo_sim.account.logs import BoundedLog, Budget, Inboxes
from plivo_sim.domain.durations import Duration
from plivo_sim.domain.errors import NotFound, NotReached, StorageFailed
from plivo_sim.domain.limits import CLOCK_ENDS
from plivo_sim.domain.machine import Machine
from plivo_sim.domain.records import Application, Delivery
from plivo_sim.domain.requirements import Catalogue
from plivo_sim.domain.text import draw_uuid
from plivo_sim.services import applications, reviews
from plivo_sim.services.due import Due, replan
from plivo_sim.settings import Settings
from plivo_sim.simulator.accounts import Accounts
from plivo_sim.simulator.coverage import Coverage
from plivo_sim.simulator.events import EventLog
from plivo_sim.simulator.runner import CLOSE_WAIT_S, Advance, Runner
from plivo_sim.webhooks.outbox import Outbox

logger = logging.getLogger("plivo_sim")

AUTH_ID = re.compile(r"[MS]A[A-Za-z0-9]{18}")
MOST_UNMATCHED = 200
MOST_UNMATCHED_BYTES = 1024 * 1024


def is_account(text: str) -> bool:
    """Whether an account can have this auth id; a subaccount's is none."""
    return text.startswith("MA") and AUTH_ID.fullmatch(text) is not None


def main_account(auth_id: str) -> str:
    """The account that an auth id, ``MA…`` or ``SA…``, lives in."""
    return f"MA{auth_id[2:]}"


class Simulator(Accounts):
    """See the module.

    ``long_work``: whoever computes for long, and holds no account's lock for that, holds it, so
    that one does at a time, and waits for nothing meanwhile: for no account, receiver or file; see
    ``web/long_work``. ``made_for_all``: JSON that is the same for everybody, by its name, with what
    it was made of. ``pictures``: the same of the last machines that were drawn, by account and
    whether in a page. ``unmatched``: the last calls that reached no account. ``damages``: state
    that was found damaged when it was opened. Raises what ``catalogue_of`` and ``machine_of`` do:
    ValueError for a wrong catalogue or machine file.
    """

    def __init__(
        self,
        settings: Settings,
        catalogue_of: Callable[[Settings], Catalogue],
        machine_of: Callable[[Settings], Machine],
        runner: Runner,
        outbox: Outbox,
        make_account: Callable[[str, Settings, Catalogue, Machine], Account],
        coverage: Coverage,
        events: EventLog,
        memory: Budget,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(
            settings, catalogue_of(settings), machine_of(settings), runner, make_account
        )
        self._catalogue_of = catalogue_of
        self._machine_of = machine_of
        self.outbox = outbox
        self.coverage = coverage
        self.events = events
        self.memory = memory
        self.unmatched: BoundedLog[Any] = BoundedLog(MOST_UNMATCHED, MOST_UNMATCHED_BYTES, memory)
        self.inboxes = Inboxes(memory)
        self.damages: Sequence[Damage] = ()
        self._on_close = on_close
        self.made_for_all: dict[str, tuple[object, bytes]] = {}
        self.pictures: dict[tuple[str, bool], tuple[object, str]] = {}
        self.stopping = False
        self._strangers = 0

    def next_api_id(self) -> str:
        """The id of an answer to somebody who has no account."""
        with self._lock:
            self._strangers += 1
            return draw_uuid(self.settings.seed, "", "api", self._strangers, version=1)

    def begin_anew(self, settings: Settings) -> None:
        """Reset every account and go on with other settings, as if started with them: accounts that
        are being moved are here again, and empty; so are the inboxes.

        For test suites: far cheaper than a new simulator. Host, port and state stay as they are.
        What was under way goes nowhere: calls that are being served write to accounts that are no
        more, and callbacks end as in ``remove``.
        """
        catalogue, machine = self._catalogue_of(settings), self._machine_of(settings)
        for auth_id in [*self._leaving]:
            with suppress(NotFound):  # it has gone already
                self.end_handover(auth_id, moved=True)
        self.remove_all()
        self.unmatched.clear()
        self.inboxes.clear()
        with self._lock:
            replaced = [*self._accounts.values(), *self._unused.values()]
            for account in replaced:
                account.retired = True
            self.settings, self.catalogue, self.machine = settings, catalogue, machine
            self._strangers = 0
            self._ended_moves.clear()
            self._accounts.clear()
            self._unused.clear()
            self._recent.clear()
        self.runner.end_sends(replaced)

    def restore(self, account: Account, mark: Mark) -> Due:
        """Make a mark the present of this account; callbacks of before end as in ``remove``.
        Returns what is due, which the server's machine may have made another. Raises StorageFailed;
        then nothing changed."""
        due = account.restore(mark, replan)
        assert due is not None
        self.runner.end_sends([account])
        return due

    # --- time ------------------------------------------------------------------------------

    def advance(
        self, account: Account, by: Duration | None = None, *, to: datetime | None = None
    ) -> Advance:
        """Move the account's clock by a duration or to an instant; see ``Runner.advance``."""
        return self.runner.advance(account, to if to is not None else by or Duration())

    def advance_until(self, account: Account, id: str, status: str) -> Advance:
        """Move the account's clock from event to event until the application has the status.

        Raises NotFound; NotReached when nothing more is due, which says what it is, when, and how
        far time moved.
        """
        result = self.runner.advance(account, None, lambda: self._is(account, id, status))
        with account.lock:
            if not result.pending and not self._is(account, id, status):
                found = applications.get(account, id).status
                began, now = (f"{each:%Y-%m-%d %H:%M:%S}" for each in (result.began, account.now()))
                moved = f"time moved from {began} to {now}" if began != now else "no time went by"
                before = f" before {CLOCK_ENDS}" if len(account.store.timers) else ""
                raise NotReached(
                    f"{status} was not reached: application {id} is {found} at {now}, "
                    f"and nothing more is due{before}; {moved}",
                    result.began,
                )
        return result

    def _is(self, account: Account, id: str, status: str) -> bool:
        with account.lock:
            return applications.get(account, id).status == status

    # --- reviews ---------------------------------------------------------------------------

    def decide(
        self,
        id: str,
        status: str,
        reason: str | None = None,
        *,
        account: Account | None = None,
        by: reviews.Decider = "hand",
    ) -> Application:
        """Decide an application by hand, or as the reviewer does; returns when the first attempt of
        its callbacks is over, see ``Runner.deliver``. ``reason``: a text, or the name of a preset.
        ``account``: the one that is meant, needed when several hold an application of this id.

        Raises NotFound, AccountRequired, WrongState, and Invalid for a word that is almost a
        preset's name.
        """
        account = account or self.account_of_application(id)
        told = reviews.reason_given(reason)
        with account.lock:
            busy = account.sending > 0
            event = reviews.decide(account, applications.get(account, id), status, told, by)
        self.runner.deliver(account, id, busy=busy)
        return event.application

    # --- callbacks -------------------------------------------------------------------------

    def replay(self, account: Account, delivery: Delivery) -> Delivery:
        """Send a callback again, now, as a delivery of its own."""
        with account.transaction():
            return self.outbox.replay(account, delivery)

    def close(self, wait_s: float = CLOSE_WAIT_S) -> None:
        """Let end what is in flight, for at most ``wait_s``, write the clocks down, as far as that
        can be written, and let go of files."""
        accounts = self._free_within(wait_s)
        self.runner.close(accounts, wait_s)
        for account in accounts:
            with account.lock:
                with suppress(StorageFailed):
                    account.keep_ledger()
                account.store.close()
        for leaving in self._leaving.values():
            if leaving.account is not None:  # it is written down as it was
                leaving.account.store.close()
        self._on_close()

    def _free_within(self, wait_s: float) -> list[Account]:
        """The accounts that nobody works in, or not for longer than this, all of them together.
        What the others did last is written already; only where their clocks stand is not."""
        deadline_s, free = monotonic_s() + wait_s, []
        for account in self.accounts():
            if account.lock.acquire(timeout=max(deadline_s - monotonic_s(), 0)):
                account.lock.release()
                free.append(account)
            else:
                logger.warning("account %s is busy; its clock is not written", account.auth_id)
        return free
