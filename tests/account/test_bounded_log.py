"""Logs that forget: bounded in number and in bytes."""

from __future__ import annotations

import pytest

from plivo_sim.account.logs import BoundedLog, Budget


@pytest.mark.parametrize(
    ("sizes", "kept"),
    [
        ([1, 1, 1, 1], [1, 2, 3]),
        ([4, 4, 4], [1, 2]),
        ([1, 1, 10], [1, 2]),
        ([50], [0]),
        ([1, 50], [1]),
        ([50, 1], [1]),
        ([], []),
    ],
)
def test_the_oldest_go_first(sizes: list[int], kept: list[int]) -> None:
    """Of at most three entries and eleven bytes; the newest stays whatever its size."""
    ring: BoundedLog[int] = BoundedLog(3, 11)
    for index, size in enumerate(sizes):
        ring.append(index, size)
    assert list(ring) == kept
    assert len(ring) == len(kept)


def test_clear_makes_all_the_room_again() -> None:
    """Also in bytes."""
    ring: BoundedLog[int] = BoundedLog(3, 10)
    ring.append(1, 9)
    ring.clear()
    ring.append(2, 5)
    ring.append(3, 5)
    assert list(ring) == [2, 3]


# --- a budget that several share ---------------------------------------------------------------


def test_the_largest_forgets_first() -> None:
    """Its oldest entries; what others keep stays."""
    budget = Budget(80)
    small, large = BoundedLog[int](100, 1000, budget), BoundedLog[int](100, 1000, budget)
    small.append(0, 10)
    for n in range(8):
        large.append(n, 10)
    assert (list(small), list(large)) == ([0], [2, 3, 4, 5, 6, 7])


def test_however_many_logs_there_are_they_hold_no_more() -> None:
    """Counted after every entry; the last one is there."""
    budget = Budget(1000)
    logs = [BoundedLog[int](10, 300, budget) for _ in range(50)]
    for n in range(40):
        for log in logs:
            log.append(n, 20 + n)
            assert sum(each.size_bytes for each in logs) <= 1000
    assert any(39 in log for log in logs)


def test_what_a_log_forgets_by_itself_is_room_for_others() -> None:
    """By its own bound, when it is emptied, and with the log itself."""
    budget = Budget(80)
    own, cleared, gone = (BoundedLog[int](1, 1000, budget) for _ in range(3))
    for n in range(50):
        own.append(n, 10)
        cleared.append(n, 10)
        cleared.clear()
        gone.append(n, 10)
        gone = BoundedLog[int](1, 1000, budget)
    kept = BoundedLog[int](100, 1000, budget)
    for n in range(5):
        kept.append(n, 10)
    assert (list(own), list(kept)) == ([49], [0, 1, 2, 3, 4])


def test_entries_larger_than_the_budget_are_not_kept() -> None:
    """Nothing is, rather than too much."""
    log = BoundedLog[int](10, 1000, Budget(100))
    log.append(1, 50)
    log.append(2, 200)
    assert (list(log), log.size_bytes) == ([], 0)


def test_of_equal_logs_the_one_that_grew_last_forgets_last() -> None:
    """Whoever has just called finds that call, however many others there are."""
    budget = Budget(1000)
    logs = [BoundedLog[int](10, 300, budget) for _ in range(200)]
    for n, log in enumerate(logs):
        log.append(n, 50)
        assert list(log) == [n]
