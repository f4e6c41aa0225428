"""Scenarios, faults, next outcomes, the webhook policy, and explanations, over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from flask import Response

from plivo_sim.account.account import Account
from plivo_sim.control.applications import why
from plivo_sim.control.faults import add_fault, clear_faults, list_faults, remove_fault
from plivo_sim.control.inputs import (
    _document_words,
    _part,
    _read,
    account_named,
    invalid,
    json_object,
    text_of,
)
from plivo_sim.control.requests import list_requests
from plivo_sim.control.webhooks import drop_webhook_policy, get_webhook_policy, set_webhook_policy
from plivo_sim.domain.errors import NotFound
from plivo_sim.scenarios import loader as library
from plivo_sim.scenarios.language import Decision, Scenario, json_schema
from plivo_sim.scenarios.loader import ScenarioError, load_scenario, load_scenario_data
from plivo_sim.scenarios.rules import PRESETS, TOKENS
from plivo_sim.services import policies
from plivo_sim.web.calls import current_call


def list_scenarios() -> Response:
    """The scenarios that ship: name and first sentence."""
    shown = [{"name": name, "scenario": scenario} for name, scenario in library.shipped_sentences()]
    return current_call().answer({"scenarios": shown})


def get_shipped(name: str) -> Response:
    """The text of a scenario that ships."""
    try:
        return current_call().answer({"name": name, "yaml": library.shipped_text(name)})
    except ScenarioError:
        raise NotFound("scenario", name) from None


def scenario_schema() -> Response:
    """The JSON Schema of scenario files, for editors."""
    return current_call().answer(json_schema())


def words() -> Response:
    """The magic values and the presets, with what they mean."""
    tokens = {token: msgspec.to_builtins(decision) for token, decision in TOKENS.items()}
    return current_call().answer({"magic_values": tokens, "presets": PRESETS})


def get_scenario() -> Response:
    account = account_named()
    with account.lock:
        return current_call().answer(_scenario_of(account))


def use_scenario() -> Response:
    """``{"name": …}`` (one that ships), ``{"yaml": text}`` or ``{"scenario": object}``.

    A scenario with any mistake changes nothing: 400 with every mistake.
    """
    data = json_object("name", "yaml", "scenario", "account")
    if sum(key in data for key in ("name", "yaml", "scenario")) != 1:
        raise invalid("", "give one of name, yaml, scenario")
    scenario = _read(lambda: _told(data))
    account = account_named(data)
    policies.use_scenario(account, scenario)
    current_call().why = scenario.scenario
    with account.lock:
        return current_call().answer(_scenario_of(account))


def drop_scenario() -> Response:
    account = account_named()
    policies.use_scenario(account, None)
    with account.lock:
        return current_call().answer(_scenario_of(account))


def _told(data: dict[str, Any]) -> Scenario:
    if "name" in data:
        name = text_of(data, "name") or ""
        return load_scenario(library.shipped_text(name), f"{name}.yaml")
    if "yaml" in data:
        return load_scenario(text_of(data, "yaml") or "", "yaml", _document_words())
    return load_scenario_data(data["scenario"], "scenario", _document_words())


def _scenario_of(account: Account) -> dict[str, Any]:
    scenario = policies.scenario_of(account)
    fired = {
        name.removeprefix("fired:"): count
        for name, count in account.ids.counts.items()
        if name.startswith("fired:")
    }
    return {
        "account": account.auth_id,
        "scenario": None if scenario is None else msgspec.to_builtins(scenario),
        "fired": fired,
    }


def next_outcome() -> Response:
    """A decision in the scenario language for the account's next submission; they queue."""
    data = json_object()
    account = data.pop("account", None)
    decision = _part("default", data).default
    assert isinstance(decision, Decision)
    waiting = policies.push_next_outcome(account_named({"account": account}), decision)
    return current_call().answer({"waiting": waiting}, 201)


ROUTES: list[tuple[str, str, Callable[..., Response]]] = [
    ("GET", "/scenarios", list_scenarios),
    ("GET", "/scenarios/<name>", get_shipped),
    ("GET", "/scenario", get_scenario),
    ("POST", "/scenario", use_scenario),
    ("DELETE", "/scenario", drop_scenario),
    ("GET", "/schema/scenario.json", scenario_schema),
    ("GET", "/words", words),
    ("GET", "/faults", list_faults),
    ("POST", "/faults", add_fault),
    ("DELETE", "/faults", clear_faults),
    ("DELETE", "/faults/<path:id>", remove_fault),
    ("GET", "/webhooks/policy", get_webhook_policy),
    ("POST", "/webhooks/policy", set_webhook_policy),
    ("DELETE", "/webhooks/policy", drop_webhook_policy),
    ("POST", "/next-outcome", next_outcome),
    ("GET", "/applications/<id>/why", why),
    ("GET", "/requests", list_requests),
]
