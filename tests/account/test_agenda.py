"""The order of due work."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from plivo_sim.account.agenda import Agenda
from plivo_sim.account.store.database import Database
from plivo_sim.domain.records import Timer, TimerKind
from tests.account.store.records import AT, timer

FAR = AT + timedelta(days=1000)


def at(hours: int) -> datetime:
    return AT + timedelta(hours=hours)


@pytest.fixture
def db() -> Database:
    """A store in memory."""
    return Database()


@pytest.fixture
def agenda(db: Database) -> Agenda:
    """Its agenda."""
    return Agenda(db)


def add(db: Database, agenda: Agenda, *timers: Timer) -> None:
    with db.transaction():
        for each in timers:
            agenda.add(each)


def taken(agenda: Agenda, until: datetime = FAR, kind: TimerKind = TimerKind.REVIEW) -> list[str]:
    """The ids of all that are due, in the order in which they are taken."""
    found = []
    while due := agenda.take(kind, until):
        found.append(due.id)
    return found


def test_timers_come_by_instant_and_then_by_seq(db: Database, agenda: Agenda) -> None:
    """Not in the order in which they were added."""
    add(db, agenda, timer(3, due_at=at(2)), timer(2, due_at=at(1)), timer(1, due_at=at(2)))
    assert taken(agenda) == ["timer-2", "timer-1", "timer-3"]


def test_only_what_is_due_is_taken(db: Database, agenda: Agenda) -> None:
    """Its own instant included."""
    add(db, agenda, timer(1, due_at=at(1)), timer(2, due_at=at(2)))
    assert (taken(agenda, at(0)), taken(agenda, at(1)), taken(agenda, at(2))) == (
        [],
        ["timer-1"],
        ["timer-2"],
    )


def test_kinds_have_an_order_each(db: Database, agenda: Agenda) -> None:
    """And the next instant is that of both."""
    add(db, agenda, timer(1, due_at=at(2)), timer(2, due_at=at(1), kind=TimerKind.CALLBACK))
    assert agenda.next_instant() == at(1)
    assert taken(agenda) == ["timer-1"]
    assert taken(agenda, kind=TimerKind.CALLBACK) == ["timer-2"]
    assert agenda.next_instant() is None


def test_only_those_of_one_instant_are_taken_together(db: Database, agenda: Agenda) -> None:
    """What one of them causes may be due before the next instant; and no more than asked for."""
    add(db, agenda, timer(1, due_at=at(1)), timer(2, due_at=at(2)), timer(3, due_at=at(1)))
    together = [agenda.take_together(TimerKind.REVIEW, FAR, most) for most in (5, 5, 5)]
    assert [[each.id for each in some] for some in together] == [
        ["timer-1", "timer-3"],
        ["timer-2"],
        [],
    ]
    add(db, agenda, timer(4), timer(5), timer(6))
    assert len(agenda.take_together(TimerKind.REVIEW, FAR, 2)) == 2


def test_a_taken_timer_is_still_stored(db: Database, agenda: Agenda) -> None:
    """Until its work is written down; a crash in between does it again."""
    add(db, agenda, timer(1))
    assert taken(agenda) == ["timer-1"]
    assert Agenda(db).next_instant() == AT


def test_a_requeued_timer_comes_again_once(db: Database, agenda: Agenda) -> None:
    """However often it is put back."""
    add(db, agenda, timer(1))
    assert taken(agenda) == ["timer-1"]
    for _ in range(3):
        agenda.requeue(timer(1))
    assert taken(agenda) == ["timer-1"]


def test_a_moved_timer_comes_at_its_new_instant(db: Database, agenda: Agenda) -> None:
    """Later, earlier, and back where it was."""
    for hour in (3, 1, 3):
        add(db, agenda, timer(1, due_at=at(hour)))
        assert agenda.next_instant() == at(hour)
    assert taken(agenda) == ["timer-1"]


def test_a_cancelled_subject_has_no_timers(db: Database, agenda: Agenda) -> None:
    """All of its own go, and nobody else's."""
    add(db, agenda, timer(1), timer(2, subject_id="other"), timer(3))
    with db.transaction():
        agenda.cancel("app-1")
    assert taken(agenda) == ["timer-2"]


class Failed(Exception):
    pass


def fail(db: Database, work: Any) -> None:
    """Work in a transaction that is taken back."""
    with suppress(Failed), db.transaction():
        work()
        raise Failed


def test_a_cancelling_that_is_taken_back_cancels_nothing(db: Database, agenda: Agenda) -> None:
    """The timer is there again."""
    add(db, agenda, timer(1))
    fail(db, lambda: agenda.cancel("app-1"))
    assert taken(agenda) == ["timer-1"]


def test_what_is_looked_at_within_a_transaction_is_there_after_it(
    db: Database, agenda: Agenda
) -> None:
    """Within, what it cancels is not due; when that is taken back, it is due again."""
    add(db, agenda, timer(1, due_at=at(1)), timer(2, due_at=at(2), subject_id="other"))
    seen = []

    def cancel_and_look() -> None:
        agenda.cancel("app-1")
        seen.append(agenda.next_instant())

    fail(db, cancel_and_look)
    assert seen == [at(2)]
    assert taken(agenda) == ["timer-1", "timer-2"]


def test_timers_that_are_replaced_and_come_back_are_due_as_before(
    db: Database, agenda: Agenda
) -> None:
    """However many, and however often: new ones crowd out none of those that a rolled-back
    transaction had dropped."""
    add(db, agenda, *(timer(seq, due_at=at(1)) for seq in range(1, 4)))

    def replace_all(first: int) -> None:
        agenda.cancel("app-1")
        for seq in range(first, first + 300):
            agenda.add(timer(seq, due_at=at(2), subject_id="other"))

    for n in range(1, 4):
        fail(db, partial(replace_all, n * 1000))
    assert taken(agenda) == ["timer-1", "timer-2", "timer-3"]


@pytest.mark.parametrize("kind", TimerKind)
def test_a_timer_added_again_after_a_roll_back_comes_once(
    db: Database, agenda: Agenda, kind: TimerKind
) -> None:
    """Ids go back with the transaction, so the same one comes again; twice would be two
    callbacks."""
    added = timer(1, kind=kind)
    fail(db, lambda: agenda.add(added))
    assert agenda.next_instant() is None
    fail(db, lambda: agenda.add(added))
    add(db, agenda, added)
    assert taken(agenda, kind=kind) == ["timer-1"]


def test_an_id_that_comes_back_as_another_kind_is_of_that_kind(
    db: Database, agenda: Agenda
) -> None:
    """What the roll-back left in the other heap does not count."""
    fail(db, lambda: agenda.add(timer(1)))
    add(db, agenda, timer(1, kind=TimerKind.CALLBACK))
    assert taken(agenda) == []
    assert taken(agenda, kind=TimerKind.CALLBACK) == ["timer-1"]


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["add", "move", "cancel", "take", "requeue", "fail add", "fail cancel"]),
        st.integers(1, 6),
        st.integers(0, 5),
    ),
    max_size=30,
)


@settings(max_examples=80, deadline=None)
@given(OPERATIONS)
def test_what_is_stored_and_not_taken_comes_once_in_order(operations: Any) -> None:
    """After any history, against a dictionary."""
    db = Database()
    agenda, model, away = Agenda(db), {}, {}
    for verb, seq, hour in operations:
        wanted = timer(seq, due_at=at(hour), subject_id=f"s{seq}")
        known = model.get(seq) or away.get(seq)
        if verb == "add" and known is None:
            add(db, agenda, wanted)
            model[seq] = wanted
        elif verb == "move" and seq in model:
            model[seq] = replace(model[seq], due_at=at(hour))
            add(db, agenda, model[seq])
        elif verb == "cancel" and known is not None:
            with db.transaction():
                agenda.cancel(f"s{seq}")
            model.pop(seq, None)
            away.pop(seq, None)
        elif verb == "fail add" and known is None:
            fail(db, lambda timer=wanted: agenda.add(timer))
        elif verb == "fail cancel" and known is not None:
            fail(db, lambda gone=f"s{seq}": (agenda.cancel(gone), agenda.next_instant()))
        elif verb == "requeue" and seq in away:
            model[seq] = away.pop(seq)
            agenda.requeue(model[seq])
        elif verb == "take":
            due = agenda.take(TimerKind.REVIEW, at(hour))
            expected = min(model.values(), key=lambda t: (t.due_at, t.seq), default=None)
            if expected is not None and expected.due_at > at(hour):
                expected = None
            assert due == expected
            if due is not None:
                away[due.seq] = model.pop(due.seq)
    rest = sorted(model.values(), key=lambda t: (t.due_at, t.seq))
    assert taken(agenda) == [each.id for each in rest]


def test_soonest_are_those_of_all_kinds_in_order(db: Database, agenda: Agenda) -> None:
    """What is due next is told in order, whatever its kind, without what is gone."""
    add(
        db,
        agenda,
        timer(1, due_at=at(3)),
        timer(2, due_at=at(1), kind=TimerKind.CALLBACK),
        timer(3, due_at=at(2)),
        timer(4, due_at=at(2), subject_id="gone"),
    )
    with db.transaction():
        agenda.cancel("gone")
    assert [each.id for each in agenda.soonest(2)] == ["timer-2", "timer-3"]
    assert [each.id for each in agenda.soonest(9)] == ["timer-2", "timer-3", "timer-1"]


def test_looking_at_the_soonest_takes_nothing(db: Database, agenda: Agenda) -> None:
    """Who looks leaves the agenda as it was."""
    add(db, agenda, timer(1, due_at=at(3)), timer(2, due_at=at(1)))
    agenda.soonest(1)
    assert taken(agenda) == ["timer-2", "timer-1"]


def test_cancelled_timers_leave_nothing_behind(db: Database, agenda: Agenda) -> None:
    """However many there were, long before they would have been due; the living come in order."""
    add(db, agenda, timer(1, due_at=at(9), subject_id="kept"))
    for seq in range(2, 2000):
        add(db, agenda, timer(seq, due_at=at(5)))
        with db.transaction():
            agenda.cancel("app-1")
        agenda.next_instant()
    assert len(agenda._heaps[TimerKind.REVIEW]) < 300
    assert len(agenda._queued[TimerKind.REVIEW]) < 300
    assert taken(agenda) == ["timer-1"]
