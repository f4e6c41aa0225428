"""Rate limits of the new API, with the ``limits`` library.

100 requests a minute for Requirements, 60 for the rest, ``X-RateLimit-*`` on every answer
(documented). Windows are real time and an account's own; enforcing them is a setting
(DECISIONS 15).
"""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING

from plivo_sim.errors import RateLimited

if TYPE_CHECKING:
    from limits import RateLimitItem
    from limits.strategies import FixedWindowRateLimiter

REQUIREMENTS_A_MINUTE = 100
OPERATIONS_A_MINUTE = 60


class RateLimits:
    """Counts the calls of every account; not state, so a restart begins anew."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._limiter: FixedWindowRateLimiter | None = None

    def _open(self) -> FixedWindowRateLimiter:
        from limits.storage import MemoryStorage
        from limits.strategies import FixedWindowRateLimiter

        with self._lock:
            if self._limiter is None:
                self._limiter = FixedWindowRateLimiter(MemoryStorage())
            return self._limiter

    def hit(self, auth_id: str, kind: str) -> tuple[dict[str, str], RateLimited | None]:
        """Count one call; the headers for its answer, and the refusal if it was one too many.

        ``kind``: ``requirements`` or ``operations``.
        """
        from limits import RateLimitItemPerMinute

        limiter = self._limiter or self._open()
        amount = REQUIREMENTS_A_MINUTE if kind == "requirements" else OPERATIONS_A_MINUTE
        item: RateLimitItem = RateLimitItemPerMinute(amount)
        with self._lock:  # the library counts exactly for one thread at a time only
            within = limiter.hit(item, auth_id, kind)
            window = limiter.get_window_stats(item, auth_id, kind)
        headers = {
            "X-RateLimit-Limit": str(amount),
            "X-RateLimit-Remaining": str(max(window.remaining, 0)),
            "X-RateLimit-Reset": str(math.ceil(window.reset_time)),
        }
        if within:
            return headers, None
        return headers, RateLimited(amount, max(math.ceil(window.reset_time - time.time()), 1))
