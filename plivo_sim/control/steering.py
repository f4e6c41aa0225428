"""Stories, faults, next outcomes, the webhook policy, and explanations, over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import msgspec
from flask import Response, request

from plivo_sim.control.accounts import world_of
from plivo_sim.control.inputs import invalid, json_object, text_of
from plivo_sim.dialects.calls import current_call
from plivo_sim.domain.models import Explanation, Verdict
from plivo_sim.errors import Fault, Invalid, NotFound, Problem
from plivo_sim.faults.model import FaultRule, WebhookPolicy
from plivo_sim.scenarios import library
from plivo_sim.scenarios.loader import ScenarioError, load_scenario, load_scenario_data
from plivo_sim.scenarios.magic import TOKENS
from plivo_sim.scenarios.model import Decision, Scenario, json_schema
from plivo_sim.scenarios.presets import PRESETS
from plivo_sim.services import applications, planning, policies
from plivo_sim.world import World

NEAR_MISSES = 3


def list_scenarios() -> Response:
    """The stories that ship: name and first sentence."""
    shown = [{"name": name, "story": story} for name, story in library.shipped_sentences()]
    return current_call().answer({"scenarios": shown})


def get_shipped(name: str) -> Response:
    """The text of a story that ships."""
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
    world = world_of()
    with world.lock:
        return current_call().answer(_scenario_of(world))


def use_scenario() -> Response:
    """``{"name": …}`` (one that ships), ``{"yaml": text}`` or ``{"scenario": object}``.

    A story with any mistake changes nothing: 400 with every mistake.
    """
    data = json_object("name", "yaml", "scenario", "account")
    if sum(key in data for key in ("name", "yaml", "scenario")) != 1:
        raise invalid("", "give one of name, yaml, scenario")
    scenario = _read(lambda: _told(data))
    world = world_of(data)
    policies.use_scenario(world, scenario)
    current_call().why = scenario.story
    with world.lock:
        return current_call().answer(_scenario_of(world))


def drop_scenario() -> Response:
    world = world_of()
    policies.use_scenario(world, None)
    with world.lock:
        return current_call().answer(_scenario_of(world))


def _told(data: dict[str, Any]) -> Scenario:
    if "name" in data:
        name = text_of(data, "name") or ""
        return load_scenario(library.shipped_text(name), f"{name}.yaml")
    if "yaml" in data:
        return load_scenario(text_of(data, "yaml") or "", "yaml", _document_words())
    return load_scenario_data(data["scenario"], "scenario", _document_words())


def _document_words() -> Collection[str]:
    return current_call().sim.catalogue.document_words


def _scenario_of(world: World) -> dict[str, Any]:
    scenario = policies.scenario_of(world)
    fired = {
        name.removeprefix("fired:"): count
        for name, count in world.ids.counts.items()
        if name.startswith("fired:")
    }
    return {
        "account": world.auth_id,
        "scenario": None if scenario is None else msgspec.to_builtins(scenario),
        "fired": fired,
    }


# --- faults, callbacks, next outcomes --------------------------------------------------------


def list_faults() -> Response:
    world = world_of()
    with world.lock:
        return current_call().answer({"account": world.auth_id, "faults": _faults_of(world)})


def add_fault() -> Response:
    """A fault in the scenario language; 201 with all that are on."""
    data = json_object()
    account = data.pop("account", None)
    fault = _part("faults", [data]).faults[0]
    world = world_of({"account": account})
    id = policies.add_fault(world, fault)
    with world.lock:
        return current_call().answer({"id": id, "faults": _faults_of(world)}, 201)


def remove_fault(id: str) -> Response:
    world = world_of()
    policies.remove_fault(world, id)
    return list_faults()


def clear_faults() -> Response:
    policies.clear_faults(world_of())
    return list_faults()


def _faults_of(world: World) -> list[dict[str, Any]]:
    return [
        {"id": id, **_plain(fault), "struck": world.fault_hits.get(f"{id}/struck", 0)}
        for id, fault in policies.faults_of(world)
    ]


def _plain(fault: FaultRule) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(fault)
    return plain


def get_webhook_policy() -> Response:
    world = world_of()
    with world.lock:
        return current_call().answer(msgspec.to_builtins(policies.webhook_policy(world)))


def set_webhook_policy() -> Response:
    """A webhook policy in the scenario language, instead of the scenario's."""
    data = json_object()
    account = data.pop("account", None)
    policy: WebhookPolicy = _part("webhooks", data).webhooks
    policies.set_webhook_policy(world_of({"account": account}), policy)
    return current_call().answer(msgspec.to_builtins(policy))


def drop_webhook_policy() -> Response:
    world = world_of()
    policies.set_webhook_policy(world, None)
    with world.lock:
        return current_call().answer(msgspec.to_builtins(policies.webhook_policy(world)))


def next_outcome() -> Response:
    """A decision in the scenario language for the account's next submission; they queue."""
    data = json_object()
    account = data.pop("account", None)
    decision = _part("default", data).default
    assert isinstance(decision, Decision)
    waiting = policies.push_next_outcome(world_of({"account": account}), decision)
    return current_call().answer({"waiting": waiting}, 201)


def _part(key: str, value: Any) -> Scenario:
    """A part of the language on its own: checked as if it stood in a scenario."""
    whole = {"story": "a part of a story", key: value}
    return _read(lambda: load_scenario_data(whole, key, _document_words()), key)


def _read(load: Callable[[], Scenario], key: str = "") -> Scenario:
    try:
        return load()
    except ScenarioError as error:
        raise Invalid(
            [
                Problem(Fault.BAD_VALUE, _own_path(mistake.path, key), _own_text(mistake))
                for mistake in error.mistakes
            ]
        ) from None


def _own_path(path: str, key: str) -> tuple[str, ...]:
    own = path.removeprefix(f"{key}[0]").removeprefix(key).removeprefix(".") if key else path
    return (own,) if own else ()


def _own_text(mistake: Any) -> str:
    return f"line {mistake.line}: {mistake.text}" if mistake.line else str(mistake.text)


# --- why -------------------------------------------------------------------------------------


def why(id: str) -> Response:
    """Which rule decided each attempt, why the others did not match, and the near misses."""
    call = current_call()
    world = call.sim.world_of_application(id)
    call.sim.runner.catch_up(world)
    with world.lock:
        application = applications.get(world, id)
        shown = [explained(each) for each in planning.explanations_of(world, id)]
    return call.answer({"id": id, "status": application.status, "attempts": shown})


def explained(explanation: Explanation) -> dict[str, Any]:
    """One attempt, with its nearest misses."""
    missed = [each for each in explanation.verdicts if not each.matched and each.met > 0]
    nearest = sorted(missed, key=lambda verdict: -verdict.met)[:NEAR_MISSES]
    return {
        "attempt": explanation.attempt,
        "decided_by": explanation.decided_by,
        "rules": [_verdict(each) for each in explanation.verdicts],
        "near_misses": [_verdict(each) for each in nearest],
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "rule": verdict.rule,
        "matched": verdict.matched,
        "why": verdict.why,
        "conditions_met": verdict.met,
    }


def list_requests() -> Response:
    """The account's last exchanges, oldest first; ``fault`` names what hit them."""
    world = world_of()
    exchanges = [each.shown() for each in list(world.exchanges)]
    if wanted := request.args.get("id"):
        exchanges = [each for each in exchanges if each["id"] == wanted]
    return current_call().answer({"account": world.auth_id, "requests": exchanges})


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
