"""The table of what may follow what."""

from __future__ import annotations

import pytest

from plivo_sim.domain.statuses import TRANSITIONS, Status, allowed

ARROWS = {
    "draft": {"submitted"},
    "submitted": {"accepted", "rejected", "more_info_required"},
    "rejected": {"submitted"},
    "more_info_required": {"submitted"},
    "accepted": {"suspended", "expired"},
    "suspended": {"accepted"},
    "expired": set(),
}


@pytest.mark.parametrize("origin", Status)
@pytest.mark.parametrize("target", Status)
def test_the_arrows_are_those_of_the_design(origin: Status, target: Status) -> None:
    """All 49 pairs."""
    assert allowed(origin, target) == (target in ARROWS[origin])


def test_the_table_is_total() -> None:
    """Every status has its line."""
    assert set(TRANSITIONS) == set(Status)


def test_every_status_can_be_reached_from_a_draft() -> None:
    """Nothing is in the table for nobody."""
    reached, fresh = {Status.DRAFT}, {Status.DRAFT}
    while fresh:
        fresh = {target for origin in fresh for target in TRANSITIONS[origin]} - reached
        reached |= fresh
    assert reached == set(Status)
