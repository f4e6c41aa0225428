"""Rate limits of the new API, in fixed windows that open with a call.

100 requests a minute for Requirements, 60 for the rest, ``X-RateLimit-*`` on every answer
(documented). A call without valid credentials, or one that a fault keeps from happening, is shown
the window and not counted in it (invented). Windows are real time and belong to the account in the
URL; enforcing them is a setting (decision "Rate limits in real time").
"""

from __future__ import annotations

import threading
import time

from plivo_sim.web.calls import Window

REQUIREMENTS_A_MINUTE = 100
OPERATIONS_A_MINUTE = 60
WINDOW_S = 60

Key = tuple[str, int]


class RateLimits:
    """Counts the calls of every account; not state, so a restart begins anew."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._windows: dict[Key, tuple[int, float]] = {}  # calls, end; in the order of opening

    def hit(self, auth_id: str, path: str) -> Window:
        """The window of this call, which is counted. ``path``: that of the URL."""
        key = (auth_id, _limit_of(path))
        with self._lock:  # the time is read within: windows must not open in another order
            now_s = time.time()
            calls, end_s = self._window(key, now_s)
            if not calls:
                self._forget(key, now_s)
            self._windows[key] = calls + 1, end_s
        return Window(key[1], calls + 1, end_s, now_s)

    def look(self, auth_id: str, path: str) -> Window:
        """The window that the next such call would be counted in; this one is not."""
        key = (auth_id, _limit_of(path))
        with self._lock:
            now_s = time.time()
            calls, end_s = self._window(key, now_s)
        return Window(key[1], calls, end_s, now_s)

    def _window(self, key: Key, now_s: float) -> tuple[int, float]:
        """How many calls the window has, and when it ends. Caller holds the lock.

        A clock that is set back by less than a minute stays in its window; nobody waits for more
        than two.
        """
        calls, end_s = self._windows.get(key, (0, 0.0))
        return (calls, end_s) if 0 < end_s - now_s <= 2 * WINDOW_S else (0, now_s + WINDOW_S)

    def _forget(self, key: Key, now_s: float) -> None:
        """Drop the windows that have ended, and this one."""
        self._windows.pop(key, None)
        while self._windows and next(iter(self._windows.values()))[1] <= now_s:
            del self._windows[next(iter(self._windows))]


def _limit_of(path: str) -> int:
    is_requirements = path.rstrip("/").endswith("/PhoneNumber/Compliance/Requirements")
    return REQUIREMENTS_A_MINUTE if is_requirements else OPERATIONS_A_MINUTE
