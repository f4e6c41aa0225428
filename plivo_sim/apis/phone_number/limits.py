"""Rate limits of the new API, in fixed windows that open with a call.

100 requests a minute for Requirements, 60 for the rest, ``X-RateLimit-*`` on every answer
(documented). Windows are real time and an account's own; enforcing them is a setting
(decision "Rate limits in real time").
"""

from __future__ import annotations

import math
import threading
import time

from plivo_sim.web.calls import RateLimited

REQUIREMENTS_A_MINUTE = 100
OPERATIONS_A_MINUTE = 60
WINDOW_S = 60

Key = tuple[str, str]


class RateLimits:
    """Counts the calls of every account; not state, so a restart begins anew."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._windows: dict[Key, tuple[int, float]] = {}  # calls, end; in the order of opening

    def hit(self, auth_id: str, kind: str) -> tuple[dict[str, str], RateLimited | None]:
        """Count one call; the headers for its answer, and the refusal if it was one too many.

        ``kind``: ``requirements`` or ``operations``.
        """
        amount = REQUIREMENTS_A_MINUTE if kind == "requirements" else OPERATIONS_A_MINUTE
        with self._lock:  # the time is read within: windows must not open in another order
            now_s = time.time()
            count, end_s = self._count((auth_id, kind), now_s)
        headers = {
            "X-RateLimit-Limit": str(amount),
            "X-RateLimit-Remaining": str(max(amount - count, 0)),
            "X-RateLimit-Reset": str(math.ceil(end_s)),
        }
        if count <= amount:
            return headers, None
        return headers, RateLimited(amount, max(math.ceil(end_s - now_s), 1))

    def _count(self, key: Key, now_s: float) -> tuple[int, float]:
        """How many calls the window has with this one, and when it ends. Caller holds the lock."""
        count, end_s = self._windows.get(key, (0, 0.0))
        if not 0 < end_s - now_s <= WINDOW_S:
            self._forget(key, now_s)
            count, end_s = 0, now_s + WINDOW_S
        self._windows[key] = count + 1, end_s
        return count + 1, end_s

    def _forget(self, key: Key, now_s: float) -> None:
        """Drop the windows that have ended, and this one."""
        self._windows.pop(key, None)
        while self._windows and next(iter(self._windows.values()))[1] <= now_s:
            del self._windows[next(iter(self._windows))]
