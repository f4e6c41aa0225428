"""Scenarios: those that ship, the account's own, the language, and the next outcome."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from flask import Response

from plivo_sim.account.account import Account
from plivo_sim.account.lock import repeatable
from plivo_sim.catalogue.checked import Mistake
from plivo_sim.control import presenters
from plivo_sim.control.inputs import (
    ACCOUNT,
    IN_BODY,
    account_named,
    account_text,
    document_words,
    invalid,
    json_object,
    read_part,
    read_strictly,
    takes,
    text_of,
)
from plivo_sim.domain.errors import NotFound
from plivo_sim.domain.machine import Machine
from plivo_sim.domain.typed import dotted
from plivo_sim.scenarios import loader as library
from plivo_sim.scenarios.language import Decision, Scenario, json_schema
from plivo_sim.scenarios.loader import ScenarioError, load_scenario, load_scenario_data
from plivo_sim.scenarios.rules import PRESETS, TOKENS
from plivo_sim.services import policies, rehearsals
from plivo_sim.services.due import Due
from plivo_sim.web.calls import current_call
from plivo_sim.web.endpoints import JSON, endpoint
from plivo_sim.web.long_work import answer_for_all, work_on_body

if TYPE_CHECKING:  # a start needs none
    from plivo_sim.control.answers import ScenarioInUseOut, ScenarioMistakeOut, ScenarioUsedOut


@endpoint("GET", "/scenarios", "The scenarios that ship.", answers={200: "ScenariosOut"})
def list_scenarios() -> Response:
    """The scenarios that ship: name, sentence, title, and the theme under which they are listed."""
    return answer_for_all(
        "scenarios", None, lambda: {"scenarios": [e._asdict() for e in library.shipped_cards()]}
    )


@endpoint(
    "GET", "/scenarios/{name}", "The text of a scenario that ships.",
    answers={200: "ShippedScenarioOut"}, errors=(404,),
)  # fmt: skip
def get_shipped(name: str) -> Response:
    """The text of a scenario that ships."""
    try:
        return current_call().answer({"name": name, "yaml": library.shipped_text(name)})
    except ScenarioError:
        raise NotFound("scenario", name, library.shipped_names()) from None


@endpoint(
    "GET", "/schema/scenario.json", "The JSON Schema of a scenario.", answers={200: "JsonSchemaOut"}
)
def scenario_schema() -> Response:
    """The JSON Schema of scenario files, for editors."""
    machine = current_call().sim.machine
    return answer_for_all("schema of scenarios", machine, lambda: json_schema(machine))


@endpoint("GET", "/words", "Magic values and presets.", answers={200: "WordsOut"})
def words() -> Response:
    """The magic values and the presets, with what they mean."""
    tokens = {token: msgspec.to_builtins(decision) for token, decision in TOKENS.items()}
    return current_call().answer({"magic_values": tokens, "presets": PRESETS})


@endpoint(
    "GET",
    "/scenario",
    "The account's scenario.",
    query=(ACCOUNT,),
    answers={200: "ScenarioInUseOut"},
)
def get_scenario() -> Response:
    account = account_named()
    with account.lock:
        return current_call().answer(_scenario_of(account))


@endpoint(
    "POST", "/scenario", "Choose the account's scenario.",
    query=(ACCOUNT,), bodies={JSON: "scenario_body"},
    answers={200: "ScenarioUsedOut"}, errors=(409,),
)  # fmt: skip
def use_scenario() -> Response:
    """``{"name": …}`` (one that ships), ``{"yaml": text}`` or ``{"scenario": object}``.

    A scenario with a mistake changes nothing; the 400 lists every mistake.
    """
    data = json_object("name", "yaml", "scenario", "account")
    if sum(key in data for key in ("name", "yaml", "scenario")) != 1:
        raise invalid("", "give one of name, yaml, scenario")
    with repeatable():
        account = account_named(data)
    fields = current_call().sim.catalogue.field_names

    def read() -> tuple[Scenario, list[str]]:
        scenario = _given(data, account.own_machine)
        return scenario, [f"{e.path}: {e.text}" for e in library.doubts_about(scenario, fields)]

    scenario, warnings = read_strictly(read)
    current_call().why = scenario.scenario
    with account.lock:  # nobody comes between the change and its answer
        due = policies.use_scenario(account, scenario)
        return current_call().answer(_used(account, due, warnings))


@endpoint(
    "DELETE", "/scenario", "Take the account's scenario away.", query=(ACCOUNT,),
    answers={200: "ScenarioUsedOut"}, errors=(409,),
)  # fmt: skip
def drop_scenario() -> Response:
    account = account_named()
    with account.lock:
        due = policies.use_scenario(account, None)
        return current_call().answer(_used(account, due, []))


@endpoint(
    "POST", "/scenario/check", "The mistakes in the text of a scenario; nothing is changed.",
    **takes("yaml", yaml="string: the text of one", account=IN_BODY),
    answers={200: "ScenarioCheckedOut"},
)  # fmt: skip
def check_scenario() -> Response:
    """``{"yaml": text}``: every mistake with its line (0: unknown); none if it could be used in the
    account, or in one that has the server's machine."""
    data = json_object("yaml", "account")
    text = text_of(data, "yaml")
    if text is None:
        raise invalid("yaml", "is missing: the text of a scenario")
    sim = current_call().sim
    with repeatable():
        machine = account_named(data).own_machine if account_text(data) else sim.machine
    mistakes: Sequence[Mistake] = ()
    doubts: Sequence[Mistake] = ()
    try:
        with work_on_body():
            scenario = load_scenario(text, "yaml", document_words(), machine)
            doubts = library.doubts_about(scenario, sim.catalogue.field_names, text)
    except ScenarioError as error:
        mistakes = error.mistakes
    told = {"mistakes": list(map(_mistake, mistakes)), "warnings": list(map(_mistake, doubts))}
    return current_call().answer({"valid": not mistakes, **told})


def _mistake(each: Mistake) -> ScenarioMistakeOut:
    return {"line": each.line, "path": each.path, "text": each.text}


@endpoint(
    "POST", "/scenario/dry-run", "Which rule would decide a submission, and why; nothing is kept.",
    query=(ACCOUNT,), bodies={JSON: "dry_run_body"}, body_required=False,
    answers={200: "DryRunOut"}, errors=(404, 409),
)  # fmt: skip
def dry_run() -> Response:
    """Of an ``application`` of the account, sent once more as it is; or of one that is made up, as
    the step ``submit`` of a scenario. By the account's scenario, or one that is given.

    ``would``: ``stuck``, or the status that the reviewer would decide on.
    """
    data = json_object("application", "submit", "attempt", "name", "yaml", "scenario", "account")
    if "application" in data and "submit" in data:
        raise invalid("", "give one of application, submit")
    if sum(key in data for key in ("name", "yaml", "scenario")) > 1:
        raise invalid("", "give one of name, yaml, scenario")
    with repeatable():
        account = account_named(data)
    attempt = _attempt_of(data)
    id = text_of(data, "application")
    if id is not None:
        submission = rehearsals.submission_again(account, id, attempt)
    else:
        step = read_part("steps", [{"submit": data.get("submit") or {}}]).steps[0].submit
        assert step is not None
        submission = rehearsals.imagined(account, step, attempt)
    other: Scenario | None = None
    if {"name", "yaml", "scenario"} & set(data):
        other = read_strictly(lambda: _given(data, account.own_machine))
    plan, told = rehearsals.rehearse(account, submission, other)
    with account.lock:
        shown = other or policies.scenario_of(account)
    steps = [
        {"status": step.status, "after": str(step.after), "reason": step.reason}
        for step in plan.steps
    ]
    return current_call().answer(
        {
            "account": account.auth_id,
            "scenario": shown.scenario if shown else None,
            "would": plan.steps[0].status if plan.steps else "stuck",
            "steps": steps,
            "warnings": [f"{dotted(each.path)}: {each.text}" for each in plan.warnings],
            **presenters.explained(told),
        }
    )


def _attempt_of(data: dict[str, Any]) -> int | None:
    attempt = data.get("attempt")
    if attempt is None:
        return None
    if not isinstance(attempt, int) or isinstance(attempt, bool) or not 0 < attempt < 10**6:
        raise invalid("attempt", "must be a whole number from 1")
    return attempt


def _given(data: dict[str, Any], machine: Machine) -> Scenario:
    if "name" in data:
        name = text_of(data, "name") or ""
        return load_scenario(library.shipped_text(name), f"{name}.yaml", machine=machine)
    if "yaml" in data:
        return load_scenario(text_of(data, "yaml") or "", "yaml", document_words(), machine)
    return load_scenario_data(data["scenario"], "scenario", document_words(), machine)


def _scenario_of(account: Account) -> ScenarioInUseOut:
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


def _used(account: Account, due: Due | None, warnings: list[str]) -> ScenarioUsedOut:
    shown = presenters.due_of(due) if due else None
    return {**_scenario_of(account), "due": shown, "warnings": warnings}


@endpoint(
    "POST", "/next-outcome", "Decide what the next submission gets.", query=(ACCOUNT,),
    bodies={JSON: "next_outcome_body"}, body_required=False, answers={201: "NextOutcomeOut"},
)  # fmt: skip
def next_outcome() -> Response:
    """A decision in the scenario language for the account's next submission; several wait in
    a queue."""
    data = json_object()
    account = data.pop("account", None)
    with repeatable():
        chosen = account_named({"account": account})
    decision = read_part("default", data, chosen.machine).default
    assert isinstance(decision, Decision)
    waiting = policies.push_next_outcome(chosen, decision)
    return current_call().answer({"waiting": waiting}, 201)


@endpoint(
    "DELETE", "/next-outcome", "Take back the next outcomes that wait in line.", query=(ACCOUNT,),
    answers={200: "NextOutcomeOut"},
)  # fmt: skip
def clear_next_outcomes() -> Response:
    policies.clear_next_outcomes(account_named())
    return current_call().answer({"waiting": 0})
