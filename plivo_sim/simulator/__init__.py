"""The simulator: its accounts, and the verbs that tests, the command line and HTTP share.

A table of contents: each verb is one call into a service.
"""

from __future__ import annotations

import logging
import re
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

from plivo_sim.account.account import Account, OnWrite
from plivo_sim.account.clock import monotonic_s
from plivo_sim.account.interfaces import Damage, Mark, State
from plivo_sim.account.lock import AccountLock, Passing, repeatable
from plivo_sim.account.logs import BoundedLog, Budget
from plivo_sim.domain.durations import Duration
from plivo_sim.domain.errors import (
    AccountRequired,
    Busy,
    Invalid,
    NotFound,
    NotReached,
    NotServed,
    Problem,
    ProblemKind,
    StorageFailed,
)
from plivo_sim.domain.machine import Machine
from plivo_sim.domain.records import Application, Delivery
from plivo_sim.domain.requirements import Catalogue
from plivo_sim.domain.secrets import without_secrets
from plivo_sim.domain.text import draw_uuid
from plivo_sim.scenarios.rules import read_reason
from plivo_sim.services import applications, reviews
from plivo_sim.services.due import Due, replan
from plivo_sim.settings import Settings
from plivo_sim.simulator.coverage import Coverage
from plivo_sim.simulator.events import EventLog
from plivo_sim.simulator.runner import CLOSE_WAIT_S, Advance, Runner
from plivo_sim.webhooks.outbox import Outbox

logger = logging.getLogger("plivo_sim")

AUTH_ID = re.compile(r"[MS]A[A-Za-z0-9]{18}")
MOST_UNUSED = 256
MOST_ENDED_MOVES = 1000
MOST_UNMATCHED = 200
MOST_UNMATCHED_BYTES = 1024 * 1024


def is_account(text: str) -> bool:
    """Whether an account can have this auth id; a subaccount's is none."""
    return text.startswith("MA") and AUTH_ID.fullmatch(text) is not None


def main_account(auth_id: str) -> str:
    """The account that an auth id, ``MA…`` or ``SA…``, lives in."""
    return f"MA{auth_id[2:]}"


_Taken = tuple[State, dict[str, Mark]]
"""An account as a move brought it: its state, and its snapshots."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """An account that is moved to the server at the URL ``to``, as it was then; without the
    account: one that is there now. ``move``: an id of this move, empty if it has none."""

    account: Account | None
    to: str
    mark: Mark
    move: str = ""

    @property
    def told(self) -> str:
        """Without the URL while it is on its way: who went there now would make a second one; its
        secrets are masked, as every client of the account is told."""
        if self.account is not None:
            return "it is being moved"
        return f"it was moved to {without_secrets(self.to)}"


class Simulator:
    """See the module. ``make_world`` opens the account with this auth id, new or kept.

    ``making_documents``: whoever makes objects of the document of a snapshot, or that of objects,
    which can be large, holds it, so that this is done with one at a time, and waits for nothing
    meanwhile: for no account, receiver or file. ``on_write``: told of each write. ``unmatched``:
    the last calls that reached no account. ``damages``: state that was found damaged
    when it was opened. Raises what ``catalogue_of`` and ``machine_of`` do: ValueError for a wrong
    catalogue or machine file.
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
        self.settings = settings
        self.catalogue = catalogue_of(settings)
        self._catalogue_of = catalogue_of
        self.machine = machine_of(settings)
        self._machine_of = machine_of
        self.runner = runner
        self.outbox = outbox
        self.coverage = coverage
        self.events = events
        self.memory = memory
        self.unmatched: BoundedLog[Any] = BoundedLog(MOST_UNMATCHED, MOST_UNMATCHED_BYTES, memory)
        self.damages: Sequence[Damage] = ()
        self._make_account = make_account
        self.on_write: OnWrite = lambda account, is_other: None
        self._on_close = on_close
        self._lock = threading.Lock()
        self.making_documents = AccountLock()
        self.stopping = False
        self._strangers = 0
        self._accounts: dict[str, Account] = {}
        self._unused: WeakValueDictionary[str, Account] = WeakValueDictionary()
        self._recent: OrderedDict[str, Account] = OrderedDict()
        self._leaving: dict[str, Leaving] = {}
        self._ended_moves: deque[str] = deque(maxlen=MOST_ENDED_MOVES)
        self._as_taken: WeakKeyDictionary[Account, _Taken] = WeakKeyDictionary()

    def next_api_id(self) -> str:
        """The id of an answer to somebody who has no account."""
        with self._lock:
            self._strangers += 1
            return draw_uuid(self.settings.seed, "", "api", self._strangers, version=1)

    # --- accounts --------------------------------------------------------------------------

    def account(self, auth_id: str) -> Account:
        """The account. One that nothing was ever written to is made up on the spot and
        not kept: a read on an unknown account stores nothing (decision "Reads store nothing").
        Raises NotServed for an account of another server."""
        self.check_rule(auth_id)
        with self._lock:
            self._check_left(auth_id)
            return self._found(auth_id)

    def check_here(self, auth_id: str) -> None:
        """Raises NotServed for an account of another server, by rule or by a move."""
        self.check_rule(auth_id)
        with self._lock:
            self._check_left(auth_id)

    def _check_left(self, auth_id: str) -> None:
        if (leaving := self._leaving.get(auth_id)) is not None:
            raise NotServed(auth_id, leaving.told)

    def knows(self, auth_id: str) -> bool:
        """Whether anybody has asked for this account; one that is on disk only does not count."""
        with self._lock:
            return auth_id in self._accounts or auth_id in self._unused

    def _found(self, auth_id: str) -> Account:
        """Caller holds the lock, and has looked under it whether the account has left: while it
        leaves, its files are in use, and no second account may be made of them."""
        found = self._accounts.get(auth_id) or self._unused.get(auth_id)
        if found is not None:
            return found
        unused = self._make_account(auth_id, self.settings, self.catalogue, self.machine)
        unused.on_write = self._tell_of_write
        if unused.leaving is not None:
            raise self._found_leaving(unused, *unused.leaving)
        if len(unused.store.ledger):
            self._accounts[auth_id] = unused
            return unused
        self._hold_unused(unused)
        return unused

    def _found_leaving(self, account: Account, to: str, move: str) -> NotServed:
        """It was being moved when the server that had it before ended: perhaps it is at the other
        one. Caller holds the lock."""
        with account.lock:
            found = Leaving(account, to, account.store.mark(), move)
        self._put_out_of_use(found)
        logger.warning(
            "account %s is being moved to %s and out of use here, until plivo-sim account move is"
            " called again",
            account.auth_id,
            to,
        )
        return NotServed(account.auth_id, found.told)

    def _put_out_of_use(self, leaving: Leaving) -> None:
        """Caller holds the lock."""
        account = leaving.account
        assert account is not None
        account.refusal = NotServed(account.auth_id, leaving.told)
        account.retired = True
        self._accounts.pop(account.auth_id, None)
        self._leaving[account.auth_id] = leaving

    def _tell_of_write(self, account: Account, is_other: bool) -> None:
        self.on_write(account, is_other)

    def check_rule(self, auth_id: str) -> None:
        """Raises NotServed for an account that is another server's by rule."""
        rule = self.settings.serves
        if not rule.serves(auth_id):
            why = f"it serves those that end in {rule}; the proxy in front has another rule"
            raise NotServed(auth_id, why)

    def _hold_unused(self, account: Account) -> None:
        """Until it is written to, or enough others are asked for. Caller holds the lock."""
        account.on_first_write = self._adopt
        self._unused[account.auth_id] = self._recent[account.auth_id] = account
        if len(self._recent) > MOST_UNUSED:
            self._recent.popitem(last=False)

    def _adopt(self, account: Account) -> None:
        with self._lock:
            if self._unused.get(account.auth_id) is not account:
                return  # another has taken its place: what is written to this one goes nowhere
            self._accounts[account.auth_id] = account
            self._unused.pop(account.auth_id, None)
            self._recent.pop(account.auth_id, None)

    def accounts(self) -> list[Account]:
        """The accounts that exist, by auth id: in the same order after a restart."""
        with self._lock:
            return sorted(self._accounts.values(), key=attrgetter("auth_id"))

    def only_account(self) -> Account:
        """The one account there is. Raises AccountRequired when there are none or several, and
        where the settings say that each call names its own."""
        self.require_named()
        accounts = self.accounts()
        if len(accounts) != 1:
            raise AccountRequired([account.auth_id for account in accounts])
        return accounts[0]

    def require_named(self) -> None:
        """For a call that names no account. Raises AccountRequired where the settings say that each
        has to: a proxy in front of several servers has sent it to any of them."""
        if self.settings.require_account:
            raise AccountRequired([account.auth_id for account in self.accounts()], always=True)

    def holders(self, table: str, id: str) -> list[Account]:
        """The accounts that hold this record: one, as ids are globally unique, unless a snapshot of
        one was restored into another."""
        found, passing = [], Passing()
        for account in self.accounts():
            with passing.held(account.lock):
                if getattr(account.store, table).fetch(id) is not None:
                    found.append(account)
        return found

    def account_of_application(self, id: str) -> Account:
        """The account that holds this application. Raises NotFound, AccountRequired when several
        do, or when each call has to name it."""
        self.require_named()
        found = self.holders("applications", id)
        if not found:
            raise NotFound("application", id)
        if len(found) > 1:
            raise AccountRequired([account.auth_id for account in found])
        return found[0]

    def remove_all(self, *, undoable: bool = False) -> None:
        """Reset every account; none exists afterwards. ``undoable``: see ``Account.reset``. Raises
        StorageFailed; then those before the one that could not be removed are reset."""
        accounts = self.accounts()
        with self._lock:
            unused = [*self._unused.values()]
            there = [auth_id for auth_id, each in self._leaving.items() if each.account is None]
            for auth_id in there:  # which may be used here again
                del self._leaving[auth_id]
        for account in unused:  # which were only read, and have a request log all the same
            with repeatable(), account.lock:
                account.exchanges.clear()
        forgotten: list[Account] = []
        try:
            for account in accounts:
                with suppress(NotServed), repeatable():  # it has just been handed over
                    self._forget(account, undoable)
                forgotten.append(account)
        finally:
            self.runner.end_sends(forgotten)

    def remove(self, account: Account, *, undoable: bool = False) -> None:
        """Reset one account: it does not exist until something is written to it again. Raises
        StorageFailed; then nothing changed. ``undoable``: see ``Account.reset``.

        No callback of before arrives after this; one that is under way is waited for, a moment.
        """
        self._forget(account, undoable)
        self.runner.end_sends([account])

    def _forget(self, account: Account, undoable: bool) -> None:
        with account.lock:
            account.reset(undoable=undoable)
            with self._lock:
                self._accounts.pop(account.auth_id, None)
                self._hold_unused(account)

    def begin_anew(self, settings: Settings) -> None:
        """Reset every account and go on with other settings, as if started with them.

        For test suites: far cheaper than a new simulator. Host, port and state stay as they are.
        What was under way goes nowhere: calls that are being served write to accounts that are no
        more, and callbacks end as in ``remove``.
        """
        catalogue, machine = self._catalogue_of(settings), self._machine_of(settings)
        self.remove_all()
        with self._lock:
            replaced = [*self._accounts.values(), *self._unused.values()]
            for account in replaced:
                account.retired = True
            self.settings, self.catalogue, self.machine = settings, catalogue, machine
            self._strangers = 0
            self._accounts.clear()
            self._unused.clear()
            self._recent.clear()
        self.runner.end_sends(replaced)

    def restore(self, account: Account, mark: Mark) -> Due:
        """Make a mark the present of this account; callbacks of before end as in ``remove``.
        Returns what is due, which the server's machine may have made another."""
        with account.lock:
            account.restore(mark)
            due = replan(account)
        self.runner.end_sends([account])
        return due

    # --- from one server to another --------------------------------------------------------

    def hand_over(self, auth_id: str, to: str, move: str = "") -> Leaving:
        """Take an account out of use, for the server at the URL ``to``: calls of it are refused
        (NotServed), those that are being served too if they write after this, and nothing of it
        happens any more, after a restart neither. Once more, it goes on with the same move. Raises
        NotFound, StorageFailed, and NotServed for one that was moved."""
        with self._lock:
            known = self._leaving.get(auth_id)
            if known is not None and known.account is None:
                raise NotServed(auth_id, known.told)
            account = known.account if known is not None else self._accounts.get(auth_id)
        if account is None:
            raise NotFound("account", auth_id, [each.auth_id for each in self.accounts()])
        with account.lock:
            known = self._leaving.get(auth_id)
            if known is not None and known.account is account:
                return known
            leaving = Leaving(account, to, account.mark(), move)
            account.keep_leaving((to, move))
            with self._lock:
                self._put_out_of_use(leaving)
        self.runner.end_sends([account])
        return leaving

    def leaving(self, auth_id: str) -> Leaving:
        """An account that was handed over, and has not gone yet. Raises NotFound."""
        found = self._leaving.get(auth_id)
        if found is None or found.account is None:
            raise NotFound("handover", auth_id, [*self._leaving])
        return found

    def end_handover(self, auth_id: str, *, moved: bool) -> None:
        """Forget what was moved, or take it into use again. Raises NotFound, StorageFailed."""
        account = self.leaving(auth_id).account
        assert account is not None
        with account.lock:
            leaving = self.leaving(auth_id)  # nobody has ended it meanwhile
            if moved:
                self._forget_moved(account, leaving)
                return
            refusal, account.refusal = account.refusal, None
            try:
                account.keep_leaving(None)
            except BaseException:
                account.refusal = refusal
                raise
            account.retired = False
            with self._lock:
                del self._leaving[auth_id]
                self._accounts[auth_id] = account
            replan(account)  # the server may have another machine than when it left
        self.runner.settle(account, steered=True)

    def _forget_moved(self, account: Account, leaving: Leaving) -> None:
        """Calls that have it still are refused as before. Caller holds the account's lock."""
        gone = Leaving(None, leaving.to, {})
        refusal, account.refusal = account.refusal, None
        try:
            account.reset()
            refusal = NotServed(account.auth_id, gone.told)
        finally:
            account.refusal = refusal
        with self._lock:
            self._leaving[account.auth_id] = gone

    @contextmanager
    def taking_over(self, auth_id: str, move: str = "") -> Iterator[Account]:
        """The account, held, which another server hands over; it is this one's when the block ends.
        Raises Busy when it holds something here, or is being moved away, or this move has ended;
        NotServed for one that this server does not serve. Then, and when the block fails, all is
        as before."""
        account = self._taker(auth_id)
        with account.lock:
            if len(account.store.ledger):
                raise Busy(
                    f"account {auth_id} exists here, perhaps by a move that was interrupted, and"
                    " then as the better of two; reset it first if it may be replaced"
                )
            if move in self._ended_moves:
                raise Busy(f"this move of account {auth_id} was given up; begin another")
            account.move = move
            try:
                yield account
            except BaseException:
                account.move = ""
                raise
            with self._lock:
                self._leaving.pop(auth_id, None)
                self._as_taken[account] = account.state, {}

    def note_brought(self, account: Account, name: str) -> None:
        """This snapshot came with the move by which the account is here. Caller holds the lock."""
        if account in self._as_taken:
            self._as_taken[account][1][name] = account.marks[name]

    def _is_as_taken(self, account: Account) -> bool:
        state, brought = self._as_taken.get(account, (None, {}))
        is_same = state == account.state and brought.keys() == account.marks.keys()
        return is_same and all(mark is account.marks[name] for name, mark in brought.items())

    def end_takeover(self, auth_id: str, move: str, *, undo: bool = False) -> bool:
        """Whether the account was taken over in this move, and was not reset since. If it was not,
        it will not be. ``undo``: it is reset first, unless anything was written to it since, or a
        snapshot was made that the move did not bring.
        Raises Busy if that cannot be told, as the account exists here all the same, or is being
        moved away; NotServed; StorageFailed."""
        account = self._taker(auth_id)
        with account.lock:
            if account.move == move:
                if not undo or not self._is_as_taken(account):
                    return True
                self._forget(account, undoable=False)
            elif len(account.store.ledger):
                raise Busy(f"account {auth_id} exists here, and it is not known by which move")
            self._ended_moves.append(move)
        self.runner.end_sends([account])
        return False

    def _taker(self, auth_id: str) -> Account:
        """The account here that another server's can become. Raises Busy, NotServed."""
        self.check_rule(auth_id)
        with self._lock:
            leaving = self._leaving.get(auth_id)
            if leaving is not None and leaving.account is not None:
                raise Busy(f"account {auth_id} {leaving.told[3:]}")
            return self._found(auth_id)

    # --- time ------------------------------------------------------------------------------

    def advance(
        self, account: Account, by: Duration | None = None, *, to: datetime | None = None
    ) -> Advance:
        """Move the account's clock by a duration or to an instant; see ``Runner.advance``."""
        return self.runner.advance(account, to if to is not None else by or Duration())

    def advance_until(self, account: Account, id: str, status: str) -> Advance:
        """Move the account's clock from event to event until the application has the status.

        Raises NotFound; NotReached, which says what it is and when, when nothing more is due.
        """
        result = self.runner.advance(account, None, lambda: self._is(account, id, status))
        with account.lock:
            if not result.pending and not self._is(account, id, status):
                found = applications.get(account, id).status
                now = f"{account.now():%Y-%m-%d %H:%M:%S}"
                raise NotReached(
                    f"{status} was not reached: application {id} is {found} at {now}, "
                    "and nothing more is due"
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
        try:
            told = read_reason(reason) if reason else None
        except ValueError as error:
            raise Invalid([Problem(ProblemKind.BAD_VALUE, ("reason",), str(error))]) from None
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
