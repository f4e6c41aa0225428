"""Rate limits of the new API, in fixed windows that open with a call.

100 requests a minute for Requirements, 60 for the rest, ``X-RateLimit-*`` on every answer
(documented). A call without valid credentials, or one that a fault keeps from happening, is shown
the window and not counted in it (invented). Windows are real time, belong to the account in the URL
and begin anew when its records are replaced; enforcing them is a setting (decision "Rate limits in
real time").
"""

from __future__ import annotations

import threading
import time
from weakref import WeakKeyDictionary

from plivo_sim.account.account import Account
from plivo_sim.web.access import auth_id_in
from plivo_sim.web.calls import Window

REQUIREMENTS_A_MINUTE = 100
OPERATIONS_A_MINUTE = 60
WINDOW_S = 60

Windows = dict[tuple[str, int], tuple[int, float]]
"""Those of an account, by auth id (its own, its subaccount's) and limit: how many calls each has,
and when it ends."""


class RateLimits:
    """Counts the calls of every account; not state, so a restart begins anew, and so does an
    account that was only read, once it is not in memory any more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._windows: WeakKeyDictionary[Account, tuple[int, Windows]] = WeakKeyDictionary()

    def hit(self, account: Account, path: str) -> Window:
        """The window of this call, which is counted. ``path``: that of the URL."""
        with self._lock:  # the time is read within, by one call after the other
            windows = self._of(account)
            seen = _seen(windows, path)
            window = seen._replace(calls=seen.calls + 1)
            windows[_key_of(path)] = window.calls, window.end_s
            self._windows[account] = account.era, windows
        return window

    def look(self, account: Account | None, path: str) -> Window:
        """The window that the next such call would be counted in; this one is not. ``account``:
        None if it is not in memory."""
        with self._lock:
            return _seen({} if account is None else self._of(account), path)

    def _of(self, account: Account) -> Windows:
        """Caller holds the lock."""
        era, windows = self._windows.get(account, (-1, {}))
        return windows if era == account.era else {}


def _seen(windows: Windows, path: str) -> Window:
    """A clock that is set back by less than a minute stays in its window; nobody waits for more
    than two."""
    now_s, key = time.time(), _key_of(path)
    calls, end_s = windows.get(key, (0, 0.0))
    if not 0 < end_s - now_s <= 2 * WINDOW_S:
        calls, end_s = 0, now_s + WINDOW_S
    return Window(key[1], calls, end_s, now_s)


def _key_of(path: str) -> tuple[str, int]:
    is_requirements = path.rstrip("/").endswith("/PhoneNumber/Compliance/Requirements")
    return auth_id_in(path), REQUIREMENTS_A_MINUTE if is_requirements else OPERATIONS_A_MINUTE
