"""Scenarios, and the words of their language."""

from __future__ import annotations

from typing import TypedDict

from plivo_sim.control.answers.accounts import DueOut
from plivo_sim.scenarios.language import Decision, Scenario


class CardOut(TypedDict):
    name: str
    scenario: str
    title: str
    theme: str


class ScenariosOut(TypedDict):
    scenarios: list[CardOut]


class ShippedScenarioOut(TypedDict):
    name: str
    yaml: str


class ScenarioInUseOut(TypedDict):
    """``fired``: how often each rule has decided."""

    account: str
    scenario: Scenario | None
    fired: dict[str, int]


class ScenarioUsedOut(ScenarioInUseOut):
    """``due``: null where the status machine is the same as before."""

    due: DueOut | None


class WordsOut(TypedDict):
    magic_values: dict[str, Decision]
    presets: dict[str, str]


class NextOutcomeOut(TypedDict):
    waiting: int
