"""Real time for deadlines: it only ever goes on, in frozen time too.

freezegun replaces ``time.monotonic`` and ``time.perf_counter``, whose readings then jump by
decades when a test freezes time or lets it go: a deadline between the two would be over at once, or
never. It leaves ``clock_gettime`` alone.
"""

from __future__ import annotations

from time import CLOCK_MONOTONIC, clock_gettime


def steady_s() -> float:
    """Seconds since some moment."""
    return clock_gettime(CLOCK_MONOTONIC)
