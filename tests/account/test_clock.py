"""The simulated clock of an account."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from freezegun import freeze_time
from hypothesis import given, settings
from hypothesis import strategies as st

from plivo_sim.account.clock import VirtualClock, real_now
from plivo_sim.domain.errors import ClockRefused
from plivo_sim.domain.limits import LATEST
from plivo_sim.domain.records import ClockReading
from tests.fakes import START, Wall


def gone_s(clock: VirtualClock) -> float:
    """Simulated seconds since the start."""
    return (clock.now() - START).total_seconds()


def test_a_running_clock_goes_with_real_time() -> None:
    """A second a second."""
    wall = Wall()
    clock = VirtualClock(real=wall)
    wall.pass_s(90)
    assert gone_s(clock) == 90


def test_a_clock_can_start_elsewhere() -> None:
    """And runs from there."""
    wall = Wall()
    clock = VirtualClock(start=START - timedelta(days=9), real=wall)
    wall.pass_s(1)
    assert clock.now() == START - timedelta(days=9) + timedelta(seconds=1)


def test_a_paused_clock_ignores_real_time() -> None:
    """From the start, and after ``pause``."""
    wall = Wall()
    paused, running = VirtualClock(paused=True, real=wall), VirtualClock(real=wall)
    wall.pass_s(5)
    running.pause()
    wall.pass_s(100)
    assert (gone_s(paused), gone_s(running)) == (0, 5)


def test_a_resumed_clock_goes_on_from_where_it_stood() -> None:
    """The pause does not count."""
    wall = Wall()
    clock = VirtualClock(paused=True, real=wall)
    wall.pass_s(100)
    clock.resume()
    wall.pass_s(7)
    assert gone_s(clock) == 7


def test_resuming_a_running_clock_loses_no_time() -> None:
    """It does nothing."""
    wall = Wall()
    clock = VirtualClock(real=wall)
    wall.pass_s(5)
    clock.resume()
    assert gone_s(clock) == 5


def test_a_rate_counts_from_when_it_is_set() -> None:
    """A day a second, after ten seconds at one a second."""
    wall = Wall()
    clock = VirtualClock(real=wall)
    wall.pass_s(10)
    clock.set_rate(86400)
    wall.pass_s(2)
    assert gone_s(clock) == 10 + 2 * 86400


@pytest.mark.parametrize("rate", [1e-4, 0.3, 1 / 3, 7.7])
def test_how_often_a_clock_is_read_changes_nothing(rate: float) -> None:
    """What is less than a microsecond is not lost with each look."""
    wall = Wall()
    watched, alone = (VirtualClock(rate=rate, real=wall) for _ in range(2))
    for _ in range(1000):
        wall.pass_s(0.0013)
        watched.now()
    assert watched.now() == alone.now()
    assert gone_s(alone) == pytest.approx(1.3 * rate, abs=1e-6)


@pytest.mark.parametrize("rate", [0, -0.0, -1, math.inf, math.nan, 1.1e9, 1e-320, 0.9e-9])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    """And the old one stays."""
    clock = VirtualClock(rate=2, real=Wall())
    with pytest.raises(ClockRefused):
        clock.set_rate(rate)
    assert clock.rate == 2


def test_moving_jumps_forward_and_runs_on() -> None:
    """Real time goes on from there."""
    wall = Wall()
    clock = VirtualClock(real=wall)
    wall.pass_s(1)
    clock.move_to(START + timedelta(hours=1))
    wall.pass_s(2)
    assert gone_s(clock) == 3602


@pytest.mark.parametrize("instant", [START - timedelta(microseconds=1), LATEST + timedelta(1)])
def test_moving_back_or_absurdly_far_is_refused(instant: datetime) -> None:
    """And moves nothing."""
    clock = VirtualClock(paused=True, real=Wall())
    with pytest.raises(ClockRefused):
        clock.move_to(instant)
    assert clock.now() == START


def test_a_held_clock_stands_until_released_as_often() -> None:
    """Holds nest, and the time within does not count."""
    wall = Wall()
    clock = VirtualClock(real=wall)
    wall.pass_s(1)
    clock.hold()
    clock.hold()
    wall.pass_s(10)
    clock.release()
    wall.pass_s(10)
    assert gone_s(clock) == 1
    clock.release()
    wall.pass_s(2)
    assert gone_s(clock) == 3


def test_a_held_clock_can_be_moved() -> None:
    """As an advance does; then it runs on from there."""
    wall = Wall()
    clock = VirtualClock(real=wall)
    clock.hold()
    clock.move_to(START + timedelta(days=3))
    clock.release()
    wall.pass_s(1)
    assert gone_s(clock) == 3 * 86400 + 1


def test_a_clock_paused_while_held_stays_paused() -> None:
    """Release gives the hold back, nothing else."""
    wall = Wall()
    clock = VirtualClock(real=wall)
    clock.hold()
    clock.pause()
    clock.release()
    wall.pass_s(10)
    assert (gone_s(clock), clock.paused) == (0, True)


def test_real_time_that_goes_back_does_not_take_the_clock_along() -> None:
    """It goes on from where it was."""
    wall = Wall()
    clock = VirtualClock(real=wall)
    wall.pass_s(10)
    assert gone_s(clock) == 10
    wall.pass_s(-3600)
    assert gone_s(clock) == 10
    wall.pass_s(5)
    assert gone_s(clock) == 15


def test_the_clock_stops_at_its_last_instant() -> None:
    """A warp cannot run out of the calendar."""
    wall = Wall()
    clock = VirtualClock(rate=1e9, real=wall)
    wall.pass_s(1e6)
    assert clock.now() == LATEST
    wall.pass_s(1e6)
    assert clock.now() == LATEST


def test_a_clock_at_real_pace_stops_there_too() -> None:
    """Not a second later."""
    wall = Wall()
    clock = VirtualClock(start=LATEST - timedelta(seconds=1), real=wall)
    wall.pass_s(5)
    assert clock.now() == LATEST


@pytest.mark.parametrize("rate", [1e5, 1e9])
@given(st.integers(0, 10**12))
def test_the_clock_gets_to_its_last_instant(rate: float, micros: int) -> None:
    """To the microsecond, from wherever it began: what is due then becomes due."""
    wall = Wall()
    clock = VirtualClock(start=START + timedelta(microseconds=micros), rate=rate, real=wall)
    wall.pass_s(1e7)
    assert clock.now() == LATEST
    assert clock.real_delay_s(LATEST) == 0


def test_a_clock_that_starts_beyond_its_last_instant_stands() -> None:
    """It does not go back to it."""
    wall = Wall()
    clock = VirtualClock(start=LATEST + timedelta(days=1), real=wall)
    wall.pass_s(5)
    assert clock.now() == LATEST + timedelta(days=1)


@pytest.mark.parametrize(
    ("change", "delay_s"),
    [
        (lambda clock: None, 3600),
        (lambda clock: clock.set_rate(60), 60),
        (VirtualClock.pause, None),
        (VirtualClock.hold, None),
        (lambda clock: clock.move_to(START + timedelta(minutes=30)), 1800),
        (lambda clock: clock.move_to(START + timedelta(hours=2)), 0),
    ],
    ids=["running", "warped", "paused", "held", "nearer", "past"],
)
def test_how_long_until_an_instant(
    change: Callable[[VirtualClock], None], delay_s: float | None
) -> None:
    """In real seconds; None if the clock will not get there by itself."""
    clock = VirtualClock(real=Wall())
    change(clock)
    assert clock.real_delay_s(START + timedelta(hours=1)) == delay_s


@pytest.mark.parametrize("rate", [1e-9, 1, 1e9])
def test_a_clock_never_gets_behind_its_last_instant(rate: float) -> None:
    """However fast it flies, and where it stands there already."""
    wall = Wall()
    clock = VirtualClock(rate=rate, real=wall)
    behind = LATEST + timedelta(microseconds=1)
    assert clock.real_delay_s(behind) is None
    assert (clock.reaches(LATEST), clock.reaches(behind)) == (True, False)
    clock.move_to(LATEST)
    wall.pass_s(1)
    assert (clock.real_delay_s(LATEST), clock.real_delay_s(behind)) == (0, None)


def test_what_is_past_is_due_on_a_paused_clock_too() -> None:
    """No wait at all."""
    assert VirtualClock(paused=True, real=Wall()).real_delay_s(START) == 0


def test_a_reading_continues_a_clock_without_the_time_between() -> None:
    """It stood still while it was down; rate and pause are kept."""
    wall = Wall()
    clock = VirtualClock(rate=10, real=wall)
    wall.pass_s(6)
    reading = clock.reading()
    wall.pass_s(1000)
    again = VirtualClock(real=wall)
    again.restore(reading)
    wall.pass_s(1)
    assert (gone_s(again), again.rate, again.paused) == (70, 10, False)


def test_a_reading_may_lie_in_the_past() -> None:
    """Restoring is the one way back."""
    clock = VirtualClock(paused=True, real=Wall())
    past = ClockReading(now=START - timedelta(days=1), rate=1.0, paused=True)
    clock.restore(past)
    assert clock.reading() == past


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), st.floats(-100, 1000)),
        st.tuples(st.just("rate"), st.floats(0.001, 1e6)),
        st.tuples(st.just("move"), st.floats(0, 1e6)),
        st.tuples(st.sampled_from(["pause", "resume", "hold", "release"]), st.none()),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_no_clock_ever_goes_back(steps: list[tuple[str, Any]]) -> None:
    """Whatever real time does, and whatever is done to the clock."""
    wall = Wall()
    clock, last, held = VirtualClock(real=wall), START, 0
    for verb, value in steps:
        if verb == "pass":
            wall.pass_s(value)
        elif verb == "rate":
            clock.set_rate(value)
        elif verb == "move":
            clock.move_to(clock.now() + timedelta(seconds=value))
        elif verb == "hold":
            held += 1
            clock.hold()
        elif verb == "release" and held:
            held -= 1
            clock.release()
        elif verb in ("pause", "resume"):
            getattr(clock, verb)()
        assert clock.now() >= last
        last = clock.now()


# --- freezegun -------------------------------------------------------------------------------


def test_the_real_source_is_looked_up_when_asked() -> None:
    """So freezegun reaches a clock that was made before it froze."""
    with freeze_time("2030-06-01T12:00:00Z"):
        assert real_now() == datetime(2030, 6, 1, 12, tzinfo=UTC)


def test_freezegun_moves_a_running_clock() -> None:
    """``tick`` and ``move_to``."""
    with freeze_time("2030-06-01T12:00:00Z") as frozen:
        clock = VirtualClock()
        assert clock.now() == datetime(2030, 6, 1, 12, tzinfo=UTC)
        frozen.tick(timedelta(minutes=5))
        assert clock.now() == datetime(2030, 6, 1, 12, 5, tzinfo=UTC)
        frozen.move_to("2030-06-04T00:00:00Z")
        assert clock.now() == datetime(2030, 6, 4, tzinfo=UTC)


def test_freezegun_leaves_a_paused_clock() -> None:
    """It ignores real time, frozen or not."""
    with freeze_time("2030-06-01T12:00:00Z") as frozen:
        clock = VirtualClock(start=START, paused=True)
        frozen.tick(timedelta(days=5))
        assert clock.now() == START


def test_a_clock_survives_the_end_of_a_freeze_in_the_future() -> None:
    """Real time falls back by years; the clock does not."""
    with freeze_time("2999-01-01T00:00:00Z"):
        clock = VirtualClock()
    assert clock.now() >= datetime(2999, 1, 1, tzinfo=UTC)
