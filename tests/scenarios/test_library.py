"""The scenarios that ship: each loads, and playing it gives what its first line promises."""

from __future__ import annotations

import pytest

from plivo_sim.client.replay import replay
from plivo_sim.scenarios.loader import (
    Card,
    find_scenario,
    shipped_cards,
    shipped_names,
    shipped_text,
)
from plivo_sim.scenarios.rules import PRESETS
from tests.scenarios.printed import text_of

CAUSES = {
    "expired_address_proof": "expired-address-proof",
    "name_mismatch": "name-mismatch",
    "wrong_certificate": "wrong-certificate",
    "unreadable_scan": "unreadable-scan",
    "unsigned_certificate": "unsigned-certificate",
    "document_expired": "document-expired",
    "address_mismatch": "address-mismatch",
    "missing_page": "missing-page",
    "invalid_registration_number": "unknown-registration-number",
    "same_file_twice": "same-file-twice",
    "unclear_use_case": "more-information-twice",
    "complaints": "suspended",
}
"""Every preset and the scenario that is about it."""


@pytest.mark.live
@pytest.mark.parametrize("name", shipped_names())
def test_the_scenario_holds(stage: str, name: str) -> None:
    """What it expects is what happens, over real HTTP."""
    told = replay(stage, name, find_scenario(name))
    assert told.checks
    assert told.holds, text_of(told)


@pytest.mark.live
@pytest.mark.parametrize("name", shipped_names())
def test_a_replay_tells_the_same_twice(stage: str, name: str) -> None:
    """Every line of it: instants, ids, order, reasons."""
    scenario = find_scenario(name)
    assert text_of(replay(stage, name, scenario)) == text_of(replay(stage, name, scenario))


@pytest.mark.parametrize("name", shipped_names())
def test_a_scenario_begins_with_its_sentence(name: str) -> None:
    """In the first line, whole; it has steps, and expects something at their end."""
    first = shipped_text(name).partition("\n")[0]
    scenario = find_scenario(name)
    assert first == f"scenario: {scenario.scenario}"
    assert first.endswith(".")
    assert scenario.steps
    assert scenario.expect is not None


def test_the_list_tells_what_the_scenarios_tell() -> None:
    """What the list says is read from the first lines, not by loading."""
    loaded = {name: find_scenario(name) for name in shipped_names()}
    assert list(shipped_cards()) == [
        Card(name, each.scenario, each.title, each.theme) for name, each in loaded.items()
    ]
    assert all(each.title and each.theme for each in loaded.values())
    assert len(loaded) >= 15


@pytest.mark.parametrize("preset", PRESETS)
def test_every_cause_has_its_scenario(preset: str) -> None:
    """Which tells this reason and no other word for it."""
    scenario = find_scenario(CAUSES[preset])
    assert scenario.expect is not None
    assert preset in {reason for told in scenario.expect.reasons.values() for reason in told}
