"""The table of what may follow what."""

from __future__ import annotations

from typing import get_args, get_type_hints

import pytest

from plivo_sim.apis.atoms.presenters import _STEPS
from plivo_sim.apis.phone_number import beta
from plivo_sim.apis.words import STATUS_WORDS
from plivo_sim.domain.records import AtomsStatus
from plivo_sim.domain.statuses import (
    DECIDABLE,
    OUTCOMES,
    ROWS,
    TRANSITIONS,
    Status,
    allowed,
    open_to,
)
from plivo_sim.scenarios.language import Decision, EndWord, StatusWord, Then
from plivo_sim.testing import Handle

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


def test_each_decision_by_hand_has_a_name_of_its_own() -> None:
    """The names are commands, and the buttons of the console."""
    commands = [each.command for row in ROWS.values() for each in row.by_hand]
    assert len(commands) == len(set(commands))
    assert open_to(Status.SUSPENDED)[Status.ACCEPTED].command == "reinstate"
    assert open_to(Status.SUBMITTED)[Status.ACCEPTED].command == "accept"


def test_every_status_has_its_words() -> None:
    """Where a new status is needed besides its row: CONTRIBUTING.md, "Add a status"."""
    decide, then = get_type_hints(Decision)["decide"], get_type_hints(Then)["status"]
    assert set(get_args(StatusWord)) == set(Status)
    assert set(get_args(EndWord)) == {*Status, "absent"}
    assert set(get_args(decide)) == set(OUTCOMES)
    assert {*get_args(decide), *get_args(then)} == {*DECIDABLE, "nothing"}
    assert set(STATUS_WORDS) == set(beta.STATUS_WORDS) == set(Status)
    assert set(_STEPS) == {None, *AtomsStatus}
    commands = [each.command for row in ROWS.values() for each in row.by_hand]
    fixtures = [{"more-info": "ask_for_more"}.get(command, command) for command in commands]
    assert [name for name in fixtures if not hasattr(Handle, name)] == []
