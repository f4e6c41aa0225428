"""Scenarios, and the words of their language."""

from __future__ import annotations

from typing import Literal, TypedDict

from plivo_sim.control.answers.accounts import DueOut
from plivo_sim.control.answers.applications import PlannedStepOut, VerdictOut
from plivo_sim.control.answers.words import Status
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
    """``due``: null where the status machine is the same as before. ``warnings``: what is probably
    a mistake in it."""

    due: DueOut | None
    warnings: list[str]


class ScenarioMistakeOut(TypedDict):
    """``line``: from 1; 0 where it is unknown."""

    line: int
    path: str
    text: str


class ScenarioCheckedOut(TypedDict):
    """``warnings``: what is probably a mistake, and does not keep it from being used."""

    valid: bool
    mistakes: list[ScenarioMistakeOut]
    warnings: list[ScenarioMistakeOut]


class DryRunOut(TypedDict):
    """``would``: ``stuck``, or the status that the reviewer would decide on. ``scenario``: the
    sentence of the one that was asked; null for none."""

    account: str
    scenario: str | None
    would: Literal["stuck"] | Status
    steps: list[PlannedStepOut]
    warnings: list[str]
    attempt: int
    decided_by: str
    rules: list[VerdictOut]
    near_misses: list[VerdictOut]


class WordsOut(TypedDict):
    magic_values: dict[str, Decision]
    presets: dict[str, str]


class NextOutcomeOut(TypedDict):
    waiting: int
