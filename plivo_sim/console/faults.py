"""Faults: which are on, what they struck, and how to switch one on or off."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from flask import Response
from msgspec.inspect import BoolType, Field, FloatType, IntType, LiteralType

from plivo_sim.account.account import Account
from plivo_sim.catalogue.yaml_text import plain_yaml
from plivo_sim.console import presets
from plivo_sim.console.actions import Action, Build, Done, Form, just_refused
from plivo_sim.console.pages import open_account, row_of, show
from plivo_sim.domain.text import number_in, whole_in
from plivo_sim.scenarios.language import HELP, fault_fields, plain_type
from plivo_sim.scenarios.operations import OPERATIONS
from plivo_sim.services import policies

SHOWN_STRUCK = 10
GROUPS: dict[str, tuple[str, ...]] = {
    "What happens": ("effect", "status", "message", "latency_s", "retry_after_s", "applied"),
    "To which calls": ("api", "operation", "method", "path", "application"),
    "How often": ("times", "skip", "every", "probability", "quota.calls", "quota.per_s"),
    "Its name": ("name",),
}
SUGGESTED: dict[str, tuple[str, ...]] = {
    "api": ("new", "numbers", "legacy", "atoms", "plivo-for-atoms"),
    "method": ("GET", "POST", "PATCH", "DELETE"),
}
"""Fields of free text -> what is usually written there."""


def faults_page(auth_id: str) -> Response:
    """The faults that are on, the calls they struck, and a form for another one."""
    account = open_account(auth_id)
    refused = just_refused("add_fault")
    with account.lock:
        on = _on(account)
        policy = msgspec.to_builtins(policies.webhook_policy(account))
    struck = [each for each in list(account.exchanges) if each.fault]
    return show(
        "faults.html",
        account=account,
        on=on,
        own=any(not each["of_scenario"] for each in on),
        struck=[row_of(each) for each in struck[: -SHOWN_STRUCK - 1 : -1]],
        groups=_fields(_flat(refused[0].action.body or {}) if refused else {}),
        text=_text_of(refused),
        suggested={**SUGGESTED, "operation": OPERATIONS},
        presets=presets.FAULTS,
        callback_presets=presets.CALLBACKS,
        operations=presets.operations(),
        chosen=presets.chosen_before(),
        policy=policy,
    )


def _on(account: Account) -> list[dict[str, Any]]:
    scenario = policies.scenario_of(account)
    of_scenario = len(scenario.faults) if scenario else 0
    shown = []
    for index, (id, fault) in enumerate(policies.faults_of(account)):
        plain: dict[str, Any] = _flat(msgspec.to_builtins(fault))
        shown.append(
            {
                "id": id,
                "effect": fault.effect,
                "struck": account.faults.struck.get(id, 0),
                "spent": policies.is_spent(account, id, fault),
                "of_scenario": index < of_scenario,
                "details": {
                    _label(k).lower(): _shown(v)
                    for k, v in plain.items()
                    if k not in ("name", "effect")
                },
            }
        )
    return shown


def _flat(fault: Mapping[str, Any]) -> dict[str, Any]:
    """With the fields of a part on their own: ``quota.calls``."""
    flat: dict[str, Any] = {}
    for name, value in fault.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}.{inner}": each for inner, each in value.items()}
        else:
            flat[name] = value
    return flat


# --- the form --------------------------------------------------------------------------------


def _fields(given: Mapping[str, Any]) -> list[tuple[str, list[dict[str, Any]]]]:
    """The fields of the form in groups, each with what was given."""
    fields = dict(fault_fields())
    return [
        (group, [_field(name, fields[name], given.get(name)) for name in names])
        for group, names in GROUPS.items()
    ]


def _field(name: str, field: Field, given: Any) -> dict[str, Any]:
    type_ = plain_type(field.type)
    number = isinstance(type_, IntType | FloatType)
    default = field.default if isinstance(field.default, str | int | float) else ""
    words = [str(each) for each in type_.values] if isinstance(type_, LiteralType) else []
    words.sort(key=lambda word: word != "error")  # the usual one first
    return {
        "name": name,
        "label": _label(name),
        "help": HELP[name],
        "required": field.required and "." not in name,
        "words": ["yes", "no"] if isinstance(type_, BoolType) else words,
        "number": number,
        "whole": isinstance(type_, IntType),
        "least": type_.ge if isinstance(type_, IntType | FloatType) else None,
        "most": type_.le if isinstance(type_, IntType | FloatType) else None,
        "default": f"{default:g}" if isinstance(default, float) else default,
        "given": _shown(given),
    }


def _label(name: str) -> str:
    words = f"{name.removesuffix('_s')} seconds" if name.endswith("_s") else name
    return "API" if name == "api" else words.replace("_", " ").replace(".", " ").capitalize()


def _shown(given: Any) -> str:
    if isinstance(given, bool):
        return "yes" if given else "no"
    return "" if given is None else str(given)


def add(form: Form) -> list[Action]:
    """A fault from the fields of the form; an empty one is not given."""
    body: dict[str, Any] = {}
    for name, field in fault_fields():
        text = form.get(name, "").strip()
        if not text:
            continue
        *parts, last = name.split(".")
        holder = body
        for part in parts:
            holder = holder.setdefault(part, {})
        holder[last] = _value(field, text)
    return [_adding(body, form.get("account", ""))]


def preset(form: Form) -> list[Action]:
    """A fault that is often wanted, aimed at the operation that was chosen."""
    account, name = form.get("account", ""), form.get("preset", "")
    if name not in presets.FAULTS:
        return [_no_preset("add_fault", name, account)]
    times = form.get("times", "").strip()
    return [_adding(presets.fault_of(name, form.get("operation", ""), times), account)]


def callback_preset(form: Form) -> list[Action]:
    """A trouble with callbacks that is often wanted."""
    account, name = form.get("account", ""), form.get("preset", "")
    if name not in presets.CALLBACKS:
        return [_no_preset("set_webhook_policy", name, account)]
    return list(presets.callbacks(name, account))


def _no_preset(operation: str, name: str, account: str) -> Action:
    told = f"there is no preset {name[:50]!r}"
    body, cli = {"account": account}, ("fault", "add", "--account", account)
    return Action(message="", operation=operation, body=body, cli=cli, wrong=told)


def _value(field: Field, text: str) -> Any:
    """What a field's text means; as it is, where it means nothing: the control API will say so."""
    type_ = plain_type(field.type)
    if isinstance(type_, BoolType):
        return {"yes": True, "no": False}.get(text, text)
    try:
        if isinstance(type_, IntType):
            return whole_in(text)
        if isinstance(type_, FloatType) and math.isfinite(number_in(text)):
            return number_in(text)
    except ValueError:
        pass
    return text


def _adding(fault: Mapping[str, Any], auth_id: str) -> Action:
    effect = str(fault.get("effect", "it"))
    return Action(
        message=f"{fault.get('name') or 'A fault'} is on: {effect.replace('_', ' ')}.",
        operation="add_fault",
        body={**fault, "account": auth_id},
        cli=("fault", "add", *_options(fault), "--account", auth_id),
    )


def _options(fault: Mapping[str, Any]) -> list[str]:
    """The same as options of the command line."""
    words: list[str] = []
    for name, value in _flat(fault).items():
        flag = name.replace(".", "-").replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            words += [f"--{flag}", str(value)]
    return words


# --- written ---------------------------------------------------------------------------------


def write(form: Form) -> list[Action]:
    """One fault or a list of them as YAML or JSON, also as it stands in a scenario."""
    account, text = form.get("account", ""), form.get("text", "").replace("\r\n", "\n")
    try:
        return [_adding(each, account) for each in read_faults(text)]
    except ValueError as error:
        body = {"text": text}
        return [Action(message="", operation="add_fault", body=body, wrong=str(error))]


def read_faults(text: str) -> list[dict[str, Any]]:
    """The faults in a text, as plain JSON values. Raises ValueError with a sentence."""
    data = plain_yaml(text)
    if isinstance(data, dict) and list(data) == ["faults"]:
        data = data["faults"]
    faults = data if isinstance(data, list) else [data]
    if not faults or not all(isinstance(each, dict) for each in faults):
        raise ValueError("write a fault as 'effect: error' and so on, or a list of such")
    return faults


def _text_of(refused: list[Done]) -> str:
    """What was refused, to be written again."""
    bodies = [dict(each.action.body or {}) for each in refused]
    if bodies and refused[0].action.wrong:
        return str(bodies[0].get("text", ""))
    faults = [{k: v for k, v in body.items() if k != "account"} for body in bodies]
    if not faults:
        return ""
    import yaml  # here because a start needs none

    shown = faults[0] if len(faults) == 1 else faults
    return str(yaml.safe_dump(shown, sort_keys=False, allow_unicode=True))


def remove(form: Form) -> list[Action]:
    """Switch one off."""
    account, id = form.get("account", ""), form.get("id", "")
    return [
        Action(
            message=f"{id} is off.",
            operation="remove_fault",
            ids={"id": id},
            query={"account": account},
            cli=("fault", "clear", "--account", account),
            named=id,
        )
    ]


def clear(form: Form) -> list[Action]:
    """Switch all off."""
    account = form.get("account", "")
    return [
        Action(
            message="Every fault is off, except those of the scenario.",
            operation="clear_faults",
            query={"account": account},
            cli=("fault", "clear", "--account", account),
        )
    ]


PAGES: list[tuple[str, Callable[..., Response]]] = [("/faults", faults_page)]

ACTIONS: dict[str, Build] = {
    "add-fault": add,
    "preset-fault": preset,
    "preset-callbacks": callback_preset,
    "write-fault": write,
    "remove-fault": remove,
    "clear-faults": clear,
}
