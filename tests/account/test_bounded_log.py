"""Logs that forget: bounded in number and in bytes."""

from __future__ import annotations

import pytest

from plivo_sim.account.account import BoundedLog


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
