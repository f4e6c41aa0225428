"""Scenarios, faults, next outcomes, the webhook policy, and explanations, over HTTP."""

from __future__ import annotations

from typing import Any

import msgspec
from flask import Response

from plivo_sim.account.account import Account
from plivo_sim.control.inputs import _part, account_named, json_object
from plivo_sim.scenarios.language import FaultRule
from plivo_sim.services import policies
from plivo_sim.web.calls import current_call

# --- faults, callbacks, next outcomes --------------------------------------------------------


def list_faults() -> Response:
    account = account_named()
    with account.lock:
        return current_call().answer({"account": account.auth_id, "faults": _faults_of(account)})


def add_fault() -> Response:
    """A fault in the scenario language; 201 with all that are on."""
    data = json_object()
    auth_id = data.pop("account", None)
    fault = _part("faults", [data]).faults[0]
    account = account_named({"account": auth_id})
    id = policies.add_fault(account, fault)
    with account.lock:
        return current_call().answer({"id": id, "faults": _faults_of(account)}, 201)


def remove_fault(id: str) -> Response:
    account = account_named()
    policies.remove_fault(account, id)
    return list_faults()


def clear_faults() -> Response:
    policies.clear_faults(account_named())
    return list_faults()


def _faults_of(account: Account) -> list[dict[str, Any]]:
    return [
        {"id": id, **_plain(fault), "struck": account.fault_hits.get(f"{id}/struck", 0)}
        for id, fault in policies.faults_of(account)
    ]


def _plain(fault: FaultRule) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(fault)
    return plain
