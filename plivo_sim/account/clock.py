"""The simulated clock of one account.

``now = anchor + (real - started) * rate``, unless the clock stands still. How often it is read
changes nothing: at a low rate, what is left over below a microsecond would be lost each time. Its
real source is
``datetime.now(UTC)``, looked up at call time, so a test that freezes time with freezegun moves
the simulator too (decision "The clock's real source"). The clock never goes back: if real time does
(a frozen clock, an adjusted machine), it goes on from where it was
(decision "The clock never goes back").

Not thread-safe by itself; its account's lock guards it.

Real time for deadlines: it only ever goes on, in frozen time too.

freezegun replaces ``time.monotonic`` and ``time.perf_counter``, whose readings then jump by
decades when a test freezes time or lets it go: a deadline between the two would be over at once, or
never. It leaves ``clock_gettime`` alone, which Windows lacks; there, ``monotonic`` is taken from a
module of our own, which it does not know.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from plivo_sim.domain.errors import ClockRefused
from plivo_sim.domain.limits import CLOCK_ENDS, FASTEST, LATEST, SLOWEST
from plivo_sim.domain.records import ClockReading

RealSource = Callable[[], datetime]
_NOTHING = timedelta(0)


def real_now() -> datetime:
    """The machine's time, aware UTC. The name ``datetime`` is looked up now, for freezegun."""
    return datetime.now(UTC)


class VirtualClock:
    """See the module. ``rate`` is simulated seconds a real second; ``paused`` stands still."""

    def __init__(
        self,
        *,
        start: datetime | None = None,
        paused: bool = False,
        rate: float = 1.0,
        real: RealSource = real_now,
    ) -> None:
        self._real = real
        self._started = self._seen = real()
        self._anchor = start if start is not None else self._started
        self._rate = float(rate)
        self._paused = paused
        self._held = 0

    def __copy__(self) -> VirtualClock:
        """What ``copy`` makes by itself, in a fifth of the time: each transaction asks for one."""
        same = object.__new__(type(self))
        same.__dict__.update(self.__dict__)
        return same

    @property
    def paused(self) -> bool:
        return self._paused

    @property
    def rate(self) -> float:
        return self._rate

    def now(self) -> datetime:
        """The simulated instant, aware UTC, never earlier than the one before."""
        if self._paused or self._held:
            return self._anchor
        real = self._real()
        if real < self._seen:
            self._anchor, self._started = self._at(self._seen), real
        self._seen = real
        return self._at(real)

    def _at(self, real: datetime) -> datetime:
        gone = real - self._started
        if gone == _NOTHING or self._anchor >= LATEST:
            return self._anchor
        if self._rate == 1.0 and not gone.days:
            return min(self._anchor + gone, LATEST)
        flown_s = gone.total_seconds() * self._rate
        if flown_s >= (LATEST - self._anchor).total_seconds():
            return LATEST  # a sum of so many seconds is microseconds off, and may end before it
        return min(self._anchor + timedelta(seconds=flown_s), LATEST)

    def _settle(self) -> None:
        """What comes counts from now on."""
        self._anchor = self.now()
        self._started = self._seen

    def _go_on(self) -> None:
        """From where it stands; the real time before does not count."""
        self._started = self._seen = self._real()

    def pause(self) -> None:
        self._settle()
        self._paused = True

    def resume(self) -> None:
        if self._paused:
            self._paused = False
            self._go_on()

    def set_rate(self, rate: float) -> None:
        """Change the speed from now on. Raises ClockRefused unless 1e-9 <= rate <= 1e9."""
        if not SLOWEST <= rate <= FASTEST:
            raise ClockRefused(f"the rate must be from 1e-9 to 1e9, not {rate:g}")
        self._settle()
        self._rate = float(rate)

    def check_move(self, instant: datetime) -> None:
        """Raise ClockRefused if ``instant`` is in the past (or absurdly far)."""
        now = self.now()
        if instant < now:
            raise ClockRefused(f"the clock never goes back: it is {now:%Y-%m-%dT%H:%M:%SZ} already")
        if instant > LATEST:
            raise ClockRefused(CLOCK_ENDS)

    def move_to(self, instant: datetime) -> None:
        """Jump forward. Raises ClockRefused, as ``check_move``."""
        self.check_move(instant)
        self._anchor, self._started = instant, self._seen

    def hold(self) -> None:
        """Stand still until ``release``, as during an advance; nests."""
        self._settle()
        self._held += 1

    def release(self) -> None:
        self._held -= 1
        self._go_on()

    def reaches(self, instant: datetime) -> bool:
        """Whether it ever gets to the instant, however it is moved: the year 9000 is its end."""
        return instant <= max(LATEST, self._anchor)

    def real_delay_s(self, until: datetime) -> float | None:
        """Real seconds until the simulated instant; None if the clock does not get there by itself:
        it stands still before it, or has its end before it."""
        ahead_s = (until - self.now()).total_seconds()
        if ahead_s <= 0:
            return 0.0
        stands = self._paused or self._held or not self.reaches(until)
        return None if stands else ahead_s / self._rate

    def reading(self) -> ClockReading:
        return ClockReading(now=self.now(), rate=self._rate, paused=self._paused)

    def restore(self, reading: ClockReading) -> None:
        """Replace the clock's state: the one way in which it may go back (reset, restore)."""
        self._anchor = reading.now
        self._rate = reading.rate
        self._paused = reading.paused
        self._go_on()


monotonic_s: Callable[[], float]
"""Seconds since some moment."""
wall_s: Callable[[], float]
"""Real seconds since 1970, in frozen time too: for those who look at what came when."""
if sys.platform == "win32":
    from importlib.util import find_spec, module_from_spec

    _found = find_spec("time")
    assert _found is not None
    assert _found.loader is not None
    _time = module_from_spec(_found)
    _found.loader.exec_module(_time)
    monotonic_s, wall_s = _time.monotonic, _time.time
else:
    from time import CLOCK_MONOTONIC, CLOCK_REALTIME, clock_gettime

    monotonic_s = partial(clock_gettime, CLOCK_MONOTONIC)
    wall_s = partial(clock_gettime, CLOCK_REALTIME)
