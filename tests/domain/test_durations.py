"""Durations as people write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plivo_sim.domain.durations import Duration, parse_duration, span_of

MONDAY = datetime(2026, 1, 5, 9, 30, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5s", 5), ("0", 0), ("0s", 0), ("250ms", 0.25), ("1.5h", 5400), ("36h", 129600),
        ("3d", 259200), ("1w", 604800), ("1d12h", 129600), ("1d 12h", 129600),
        ("1d, 12h", 129600), ("90 minutes", 5400), ("1 minute", 60), ("2 mins", 120),
        ("2 days", 172800), ("1 day 2 hours 3 minutes 4 seconds", 93784), ("10 secs", 10),
        ("2 weeks", 1209600), ("500 milliseconds", 0.5), ("  3D  ", 259200), ("1H30M", 5400),
        ("3650d", 315360000),
    ],
)  # fmt: skip
def test_reading_seconds(text: str, seconds: float) -> None:
    """Units by letter or by word, several in a row, any case."""
    assert parse_duration(text) == Duration(seconds=seconds)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2 business days", 2), ("1 business day", 1), ("3 working days", 3),
        ("0 business days", 0), ("2businessdays", 2), ("2 business-days", 2),
        ("5 Business Days", 5), ("2600 business days", 2600),
    ],
)  # fmt: skip
def test_reading_business_days(text: str, days: int) -> None:
    """Spelt as people spell them."""
    assert parse_duration(text) == Duration(business_days=days)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "5", "s", "d3", "-5s", "+5s", "5x", "5 s 3", "3d and 2h", "3d;2h", "1e3s",
        "5s business days", "1.5 business days", "business days", "three days", "5ss", "infs",
        "nans", "3 d d", ".5h", "5.h", "1,5h", "1 months", "1y", "0x5s", "\u0663d", "\uff15s",
        "\u0662 business days",
    ],
)  # fmt: skip
def test_what_is_no_duration_is_refused(text: str) -> None:
    """With a sentence that shows how to write one."""
    with pytest.raises(ValueError, match="write 5s, 36h, 3d"):
        parse_duration(text)


@pytest.mark.parametrize(
    "text", ["3651d", "2601 business days", "9" * 90 + "s", "99999999999999999999 business days"]
)
def test_over_ten_years_is_refused(text: str) -> None:
    """A typing error, surely."""
    with pytest.raises(ValueError, match="over ten years"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (Duration(), "0s"),
        (Duration(5), "5s"),
        (Duration(0.25), "0.25s"),
        (Duration(90061), "1d1h1m1s"),
        (Duration(259200), "3d"),
        (Duration(business_days=1), "1 business day"),
        (Duration(business_days=3), "3 business days"),
    ],
)
def test_writing(duration: Duration, text: str) -> None:
    """The shortest that reads well."""
    assert str(duration) == text


@settings(max_examples=50, deadline=None)
@given(
    st.integers(0, 10**8).map(lambda s: Duration(seconds=float(s)))
    | st.integers(0, 59_999).map(lambda ms: Duration(seconds=ms / 1000))
    | st.integers(1, 2600).map(lambda days: Duration(business_days=days))
)
def test_what_is_written_reads_the_same(duration: Duration) -> None:
    """Whole seconds, milliseconds under a minute, business days."""
    assert parse_duration(str(duration)) == duration


# --- counting from an instant ----------------------------------------------------------------


def day(text: str) -> datetime:
    """That day of 2026, at Monday's time of day."""
    return MONDAY.replace(month=int(text[:2]), day=int(text[3:]))


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("01-05", 0, "01-05"),  # Monday
        ("01-05", 1, "01-06"),
        ("01-05", 3, "01-08"),
        ("01-05", 5, "01-12"),  # over a weekend
        ("01-09", 1, "01-12"),  # Friday to Monday
        ("01-10", 1, "01-12"),  # Saturday to Monday
        ("01-11", 1, "01-12"),  # Sunday to Monday
        ("01-10", 2, "01-13"),
        ("01-05", 10, "01-19"),
        ("02-27", 1, "03-02"),  # over the end of a month
    ],
)
def test_business_days_are_monday_to_friday(start: str, days: int, end: str) -> None:
    """The time of day is kept."""
    assert Duration(business_days=days).after(day(start)) == day(end)


@pytest.mark.parametrize(
    ("start", "days", "holidays", "end"),
    [
        ("01-05", 1, ["01-06"], "01-07"),
        ("01-05", 3, ["01-06", "01-07"], "01-12"),
        ("01-09", 1, ["01-12"], "01-13"),  # a holiday right after the weekend
        ("01-05", 1, ["01-05"], "01-06"),  # the first day does not count anyway
        ("01-05", 5, ["01-10", "01-11"], "01-12"),  # holidays on a weekend
        ("01-06", 1, ["01-05"], "01-07"),  # one that is past
    ],
)
def test_holidays_are_no_business_days(
    start: str, days: int, holidays: list[str], end: str
) -> None:
    """They take a day out each, unless it was out already."""
    out = {day(text).date() for text in holidays}
    assert Duration(business_days=days).after(day(start), out) == day(end)


def test_seconds_know_no_weekend() -> None:
    """Three days are 72 hours."""
    assert Duration(259200).after(day("01-09"), {date(2026, 1, 12)}) == day("01-12")


@settings(max_examples=50, deadline=None)
@given(
    st.integers(0, 3000).map(lambda n: MONDAY + timedelta(days=n)),
    st.integers(0, 40),
    st.integers(0, 40),
    st.sets(st.dates(date(2026, 1, 1), date(2035, 1, 1)), max_size=30),
)
def test_business_days_add_up(start: datetime, some: int, more: int, holidays: set[date]) -> None:
    """Some and then more is both at once; the end is a business day."""
    between = Duration(business_days=some).after(start, holidays)
    end = Duration(business_days=more).after(between, holidays)
    assert end == Duration(business_days=some + more).after(start, holidays)
    if some + more:
        assert end.weekday() < 5
        assert end.date() not in holidays


@pytest.mark.parametrize("duration", [Duration(1e20), Duration(4e8), Duration(business_days=2600)])
def test_beyond_the_calendar_is_its_end(duration: Duration) -> None:
    """Not an error in the middle of a review."""
    late = datetime(9995, 1, 1, tzinfo=UTC)
    assert duration.after(late) == datetime.max.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.25, "0.25 seconds"), (1.4, "1 second"), (90, "1 minute 30 seconds"),
        (259199.6, "3 days"), (259200, "3 days"), (183600.5, "2 days 3 hours"),
    ],
)  # fmt: skip
def test_spans_for_people(seconds: float, told: str) -> None:
    """A part of a second makes no hour of difference."""
    assert span_of(timedelta(seconds=seconds)) == told
