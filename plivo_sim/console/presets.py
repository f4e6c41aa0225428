"""Faults and troubles with callbacks that are often wanted: one click each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from flask import current_app

from plivo_sim.console.actions import Action, pressed
from plivo_sim.scenarios.operations import OPERATIONS

POLICY_FILE = "callbacks.yaml"


class Preset(NamedTuple):
    """``label``: what happens; ``about``: to which calls, how often; ``body``: of the call."""

    label: str
    about: str
    body: dict[str, Any]


FAULTS: dict[str, Preset] = {
    "create-unavailable": Preset(
        "Creating answers 503", "once, with Retry-After",
        {"effect": "unavailable", "operation": "compliance.create", "times": 1},
    ),
    "rate-limited": Preset(
        "429 with Retry-After", "once, any call: come back in 30 s",
        {"effect": "rate_limited", "retry_after_s": 30, "times": 1},
    ),
    "quota": Preset(
        "More than 10 calls a minute: 429", "any call of the new API, until switched off",
        {"effect": "rate_limited", "api": "new", "quota": {"calls": 10, "per_s": 60}},
    ),
    "expired": Preset(
        "The token has expired: 401", "once, any call",
        {"effect": "expired_credentials", "times": 1},
    ),
    "failing": Preset(
        "Every tenth call fails: 500", "any call, until switched off",
        {"effect": "error", "every": 10},
    ),
    "slow-reads": Preset(
        "Reads take 2 s", "every GET, until switched off",
        {"effect": "slow", "latency_s": 2, "method": "GET"},
    ),
    "cut-after-write": Preset(
        "The answer is cut off after the write", "once, a POST: it was done, nobody hears of it",
        {"effect": "reset", "method": "POST", "applied": True, "times": 1},
    ),
    "truncated": Preset(
        "The answer stops half-way", "once, a GET",
        {"effect": "truncated", "method": "GET", "times": 1},
    ),
    "garbled": Preset(
        "The answer is broken JSON", "once, a GET",
        {"effect": "invalid_json", "method": "GET", "times": 1},
    ),
    "html": Preset(
        "The answer says that it is HTML", "once, any call",
        {"effect": "wrong_content_type", "times": 1},
    ),
    "atoms": Preset(
        "Plivo is down for Atoms", "what Atoms itself asks, until switched off",
        {"effect": "unavailable", "api": "plivo-for-atoms"},
    ),
}  # fmt: skip

CALLBACKS: dict[str, Preset] = {
    "lost": Preset("The next callback is lost", "once", {"drop": 1}),
    "all-lost": Preset("Every callback is lost", "until dropped", {"drop": -1}),
    "twice": Preset("Each arrives twice", "until dropped", {"duplicate": 1}),
    "late": Preset("Each is an hour late", "until dropped", {"delay": "1h"}),
    "reordered": Preset("The second overtakes the first", "until dropped", {"reorder": True}),
    "forged": Preset("Wrong signatures", "until dropped", {"signature": "wrong"}),
    "unsigned": Preset("No signatures", "until dropped", {"signature": "missing"}),
    "impatient": Preset(
        "The receiver has half a second", "a slower one has failed", {"timeout_s": 0.5}
    ),
}

AIMS = ("api", "operation", "method", "path")


def operations() -> list[tuple[str, list[tuple[str, str]]]]:
    """Every operation with what it does, by the API to which it belongs (``GET
    /_sim/operations``)."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for name in OPERATIONS:
        groups.setdefault(name.partition(".")[0], []).append((name, _summary(name)))
    return list(groups.items())


def _summary(operation: str) -> str:
    api, name = operation.split(".")[-2:]
    surface = current_app.extensions["surfaces"]["current" if api == "compliance" else api]
    summaries = (str(row.summary) for row in surface.endpoints if row.name == name)
    return next(summaries, operation)


def fault_of(name: str, operation: str, times: str) -> dict[str, Any]:
    """The fault of a preset; ``operation`` and ``times`` (a number, ``always`` or empty) instead of
    its own. Raises KeyError for what is no preset."""
    body = dict(FAULTS[name].body)
    if operation:
        body = {key: value for key, value in body.items() if key not in AIMS}
        body["operation"] = operation
    if times == "always":
        body.pop("times", None)
    elif times:
        body["times"] = number_of(times)
    return body


def number_of(text: str) -> int | str:
    """A whole number; a text that is none as it is: the control API will say so."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text


def chosen_before() -> dict[str, str]:
    """Operation and number of the preset that was just pressed: they stay chosen."""
    found = pressed().done
    given: dict[str, Any] = next(
        (dict(each.action.body or {}) for each in found if each.action.operation == "add_fault"), {}
    )
    times = str(given.get("times", "")) if given.get("operation") else ""
    return {"operation": str(given.get("operation", "")), "times": times}


def callbacks(name: str, account: str) -> Iterator[Action]:
    """The webhook policy of a preset. Raises KeyError for what is no preset."""
    preset = CALLBACKS[name]
    import yaml  # here because a start needs none

    yield Action(
        message=f"Callbacks from now on: {preset.label.lower()}.",
        operation="set_webhook_policy",
        body={**preset.body, "account": account},
        cli=("webhooks", "policy", POLICY_FILE, "--account", account),
        written=(POLICY_FILE, str(yaml.safe_dump({"webhooks": preset.body}, sort_keys=False))),
    )
