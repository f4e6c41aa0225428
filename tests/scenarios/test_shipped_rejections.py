"""The rejections that ship: their reasons are true of what was sent."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from plivo_sim.client.replay import replay
from plivo_sim.scenarios.language import Scenario
from plivo_sim.scenarios.loader import find_scenario, load_scenario_data, shipped_text
from tests.scenarios.printed import text_of

pytestmark = pytest.mark.live

CORRECTED = (
    "address-mismatch", "document-expired", "expired-address-proof", "missing-page",
    "name-mismatch", "same-file-twice", "several-reasons", "unknown-registration-number",
    "unreadable-scan", "unsigned-certificate", "wrong-certificate",
)  # fmt: skip
RIGHT_AT_ONCE: dict[str, dict[str, Any]] = {
    "document-expired": {
        "user_type": "individual", "data_fields": {"date_of_expiration": "2035-03-31"},
    },
    "name-mismatch": {"name": "Acme Traders", "data_fields": {"business_name": "ACME Traders"}},
    "same-file-twice": {"files": {"registration_certificate": "a.pdf", "gst_certificate": "b.pdf"}},
}  # fmt: skip


def played(stage: str, name: str, steps: list[dict[str, Any]], timeline: list[str]) -> None:
    """The scenario that ships, with other steps."""
    data = yaml.safe_load(shipped_text(name))
    data |= {"steps": steps, "expect": {"timeline": {"app": timeline}}}
    scenario: Scenario = load_scenario_data(data)
    told = replay(stage, name, scenario)
    assert told.holds, text_of(told)


def corrections_of(name: str) -> list[dict[str, Any]]:
    """What its own story corrects, apart from what is sent again as it was."""
    steps = yaml.safe_load(shipped_text(name))["steps"]
    return [each for each in steps if each.get("correct")]


@pytest.mark.parametrize("name", CORRECTED)
def test_what_is_sent_again_as_it_was_is_rejected_again(stage: str, name: str) -> None:
    """And accepted once all that the reason names is corrected."""
    first = yaml.safe_load(shipped_text(name))["steps"][0]
    own = corrections_of(name)
    whole: dict[str, Any] = {}
    for each in own:
        for key, value in each["correct"].items():
            whole[key] = whole.get(key, {}) | value if isinstance(value, dict) else value
    wait = {"advance": "4d"}
    steps = [first, wait, {"correct": {}}, wait, {"correct": whole}, wait, wait]
    timeline = ["submitted", "rejected", "submitted", "rejected", "submitted", "accepted"]
    assert find_scenario(name).theme == "Rejections"
    played(stage, name, steps, timeline)


@pytest.mark.parametrize(("name", "sent"), RIGHT_AT_ONCE.items())
def test_what_is_right_at_once_is_accepted(stage: str, name: str, sent: dict[str, Any]) -> None:
    """Where the data show whether the reason would be true."""
    steps: list[dict[str, Any]] = [{"submit": sent}, {"advance": "10d"}]
    played(stage, name, steps, ["submitted", "accepted"])


def test_only_one_of_two_corrected(stage: str) -> None:
    """The next rejection names what is left, whichever it is."""
    for word, left in (
        ("gst_certificate", "unsigned_certificate"),
        ("registration_certificate", "wrong_certificate"),
    ):
        data = yaml.safe_load(shipped_text("several-reasons"))
        steps = [
            data["steps"][0], {"advance": "4d"}, {"correct": {"files": {word: "new.png"}}},
            {"advance": "4d"}, {"expect": {"reasons": {"app": ["wrong_certificate", left]}}},
        ]  # fmt: skip
        data |= {"steps": steps, "expect": {"status": {"app": "rejected"}}}
        told = replay(stage, "several-reasons", load_scenario_data(data))
        assert told.holds, text_of(told)
