"""The accounts of a simulator: those that are here, those that were only looked at, and those that
go to another server or come from one."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from operator import attrgetter
from weakref import WeakKeyDictionary, WeakValueDictionary

from plivo_sim.account.account import Account, OnWrite
from plivo_sim.account.interfaces import Mark, State
from plivo_sim.account.lock import IN_A_TURN, AccountLock, Passing, repeatable
from plivo_sim.domain.errors import AccountRequired, Busy, NotFound, NotServed
from plivo_sim.domain.machine import Machine
from plivo_sim.domain.requirements import Catalogue
from plivo_sim.domain.secrets import without_secrets
from plivo_sim.services.due import replan
from plivo_sim.settings import Settings
from plivo_sim.simulator.runner import Runner

logger = logging.getLogger("plivo_sim")

MOST_UNUSED = 256
MOST_ENDED_MOVES = 1000

_Taken = tuple[State, dict[str, Mark]]
"""An account as a move brought it: its state, and its snapshots."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """An account that is moved to the server at the URL ``to``; without the account: one that is
    there now. ``move``: an id of this move, empty if it has none."""

    account: Account | None
    to: str
    move: str = ""

    @property
    def told(self) -> str:
        """Without the URL while it is on its way: who went there now would make a second one; its
        secrets are masked, as every client of the account is told."""
        if self.account is not None:
            return "it is being moved"
        return f"it was moved to {without_secrets(self.to)}"


class Accounts:
    """Finds an account by its auth id, and makes, removes and moves it; see the module.

    ``make_account`` opens the account with this auth id, new or kept. ``on_write``: told of each
    write.
    """

    def __init__(
        self,
        settings: Settings,
        catalogue: Catalogue,
        machine: Machine,
        runner: Runner,
        make_account: Callable[[str, Settings, Catalogue, Machine], Account],
    ) -> None:
        self.settings = settings
        self.catalogue = catalogue
        self.machine = machine
        self.runner = runner
        self.on_write: OnWrite = lambda account, is_other: None
        self._make_account = make_account
        self.long_work = AccountLock()
        self._lock = threading.Lock()
        self._accounts: dict[str, Account] = {}
        self._unused: WeakValueDictionary[str, Account] = WeakValueDictionary()
        self._recent: OrderedDict[str, Account] = OrderedDict()
        self._opening: WeakValueDictionary[str, AccountLock] = WeakValueDictionary()
        self._leaving: dict[str, Leaving] = {}
        self._ended_moves: deque[str] = deque(maxlen=MOST_ENDED_MOVES)
        self._as_taken: WeakKeyDictionary[Account, _Taken] = WeakKeyDictionary()

    def account(self, auth_id: str) -> Account:
        """The account. One that nothing was ever written to is made up on the spot and
        not kept: a read on an unknown account stores nothing (decision "Reads store nothing").
        Raises NotServed for an account of another server."""
        self.check_rule(auth_id)
        return self._found(auth_id, self._check_left)

    def check_here(self, auth_id: str) -> None:
        """Raises NotServed for an account of another server, by rule or by a move."""
        self.check_rule(auth_id)
        with self._lock:
            self._check_left(auth_id)

    def _check_left(self, auth_id: str) -> None:
        if (leaving := self._leaving.get(auth_id)) is not None:
            raise NotServed(auth_id, leaving.told)

    def known(self, auth_id: str) -> Account | None:
        """The account, if anybody has asked for it; one that is on disk only does not count."""
        with self._lock:
            return self._known(auth_id)

    def _found(self, auth_id: str, check_left: Callable[[str], None]) -> Account:
        """The account, which is opened if need be, by one thread: those who want the same one wait
        for it, as for an account, and nobody else does. ``check_left``: raises if it may not be
        had, as it has left: while it leaves, its files are in use, and no second account may be
        made of them."""
        with self._lock:
            check_left(auth_id)
            if (found := self._known(auth_id)) is not None:
                return found
            opening = self._opening.setdefault(auth_id, AccountLock())
        with repeatable(), opening:
            while True:
                with self._lock:
                    check_left(auth_id)
                    if (found := self._known(auth_id)) is not None:
                        return found
                    settings, catalogue, machine = self.settings, self.catalogue, self.machine
                made = self._make_account(auth_id, settings, catalogue, machine)
                with self._lock:
                    if settings is self.settings:  # else all has begun anew meanwhile
                        return self._take_in(made)

    def _known(self, auth_id: str) -> Account | None:
        """Caller holds the lock."""
        return self._accounts.get(auth_id) or self._unused.get(auth_id)

    def _take_in(self, unused: Account) -> Account:
        """One that was opened just now. Caller holds the lock."""
        unused.on_write = self._tell_of_write
        if unused.leaving is not None:
            raise self._found_leaving(unused, *unused.leaving)
        if len(unused.store.ledger):
            self._accounts[unused.auth_id] = unused
            return unused
        self._hold_unused(unused)
        return unused

    def _found_leaving(self, account: Account, to: str, move: str) -> NotServed:
        """It was being moved when the server that had it before ended: perhaps it is at the other
        one. Caller holds the lock."""
        found = Leaving(account, to, move)
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

    def called(self) -> list[Account]:
        """The accounts that exist and those that were only read lately, by auth id."""
        with self._lock:
            every = [*self._accounts.values(), *self._unused.values()]
        return sorted(every, key=attrgetter("auth_id"))

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

    def _where(self, is_so: Callable[[Account], bool]) -> tuple[list[Account], list[Account]]:
        """The accounts of which this is so, asked under their locks, and those in which somebody
        works, of which it is not known. Nobody is waited for; where there are many accounts, one
        caller after the other looks at them."""
        accounts = self.accounts()
        found: list[Account] = []
        busy: list[Account] = []
        with self.long_work if len(accounts) > IN_A_TURN else nullcontext():
            for account in accounts:
                raw = account.lock.raw
                if not raw.acquire(blocking=False):
                    busy.append(account)
                    continue
                try:
                    if is_so(account):
                        found.append(account)
                finally:
                    raw.release()
        return found, busy

    def stirring(self) -> list[Account]:
        """The accounts in which something is due or on its way, or in which somebody works."""
        found, busy = self._where(lambda account: not self.runner.is_at_rest(account))
        return [*found, *busy]

    def holders(self, table: str, id: str) -> list[Account]:
        """The accounts that hold this record: one, as ids are globally unique, unless a snapshot of
        one was restored into another."""

        def holds(account: Account) -> bool:
            return getattr(account.store, table).fetch(id) is not None

        found, busy = self._where(holds)
        passing = Passing()
        for account in busy:
            with passing.held(account.lock):
                if holds(account):
                    found.append(account)
        return sorted(found, key=attrgetter("auth_id"))

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
        with self._lock:
            accounts = sorted(self._accounts.values(), key=attrgetter("auth_id"))
            accounts += self._unused.values()  # which have a request log and windows all the same
            there = [auth_id for auth_id, each in self._leaving.items() if each.account is None]
            for auth_id in there:  # which may be used here again
                del self._leaving[auth_id]
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

    # --- from one server to another --------------------------------------------------------

    def hand_over(self, auth_id: str, to: str, move: str = "") -> Leaving:
        """Take an account out of use, for the server at the URL ``to``: calls of it are refused
        (NotServed), those that are being served too if they write after this, and nothing of it
        happens any more, after a restart neither. Callbacks that are under way are waited for, a
        moment; what came back is written down. Once more, it goes on with the same move. Raises
        NotFound, StorageFailed, and NotServed for one that was moved."""
        with self._lock:
            known = self._leaving.get(auth_id)
            if known is not None and known.account is None:
                raise NotServed(auth_id, known.told)
            account = known.account if known is not None else self._accounts.get(auth_id)
        if account is None:
            raise NotFound("account", auth_id, [each.auth_id for each in self.accounts()])
        with account.lock:
            leaving = self._leaving.get(auth_id)
            if leaving is None or leaving.account is not account:
                leaving = Leaving(account, to, move)
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
            with account.in_use_once_more(), account.transaction():
                account.keep_leaving(None)
                replan(account)  # the server may have another machine than when it left
            account.refusal = None
            account.retired = False
            with self._lock:
                del self._leaving[auth_id]
                self._accounts[auth_id] = account
        self.runner.settle(account, steered=True)

    def _forget_moved(self, account: Account, leaving: Leaving) -> None:
        """Calls that have it still are refused as before. Caller holds the account's lock."""
        gone = Leaving(None, leaving.to)
        with account.in_use_once_more():
            account.reset()
        account.refusal = NotServed(account.auth_id, gone.told)
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
            with account.as_before_if_it_fails():
                account.move = move
                try:
                    yield account
                except BaseException:
                    if len(account.store.ledger):  # it is written, and what came after it failed
                        self._forget(account, undoable=False)
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
        return self._found(auth_id, self._check_leaves)

    def _check_leaves(self, auth_id: str) -> None:
        leaving = self._leaving.get(auth_id)
        if leaving is not None and leaving.account is not None:
            raise Busy(f"account {auth_id} {leaving.told[3:]}")
