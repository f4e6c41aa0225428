"""Whose turn it is to send: of all accounts, only so many attempts are under way at once."""

from __future__ import annotations

import threading

from plivo_sim.account.account import Account
from plivo_sim.account.descriptors import Shares


class Turns:
    """Turns of accounts, as ``Shares`` has it; accounts that find none wait in a line. Whoever ends
    a turn sees to the one that follows. Safe from any thread; calls nobody."""

    def __init__(self, most: int) -> None:
        self._lock = threading.Lock()
        self._shares = Shares[Account](most)
        self._line: dict[Account, None] = {}

    def begin(self, account: Account) -> bool:
        """Whether the account may begin one more; else it waits in the line, once."""
        with self._lock:
            may = self._shares.take(account)
            if not may:
                self._line.setdefault(account)
            return may

    def end(self, account: Account) -> Account | None:
        """One of the account is over; returns whose has begun with that, if anybody's."""
        with self._lock:
            self._shares.give_back(account)
            following = next(filter(self._shares.take, self._line), None)
            if following is not None:
                del self._line[following]
            return following

    def give_way(self, account: Account) -> bool:
        """Whether others wait: then the account waits behind them, for when its turn is over."""
        with self._lock:
            if self._line:
                self._line.setdefault(account)
            return bool(self._line)

    def take_back(self, account: Account) -> None:
        """A turn that has begun comes to nothing, as there is no thread for it."""
        with self._lock:
            self._shares.give_back(account)
