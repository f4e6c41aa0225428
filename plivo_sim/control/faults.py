"""Faults: which are on; switch one on or off. Those of the scenario stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response
from msgspec import structs

from plivo_sim.account.account import Account
from plivo_sim.control.inputs import ACCOUNT, account_named, json_object, read_part
from plivo_sim.services import policies
from plivo_sim.web.calls import current_call
from plivo_sim.web.endpoints import JSON, endpoint

if TYPE_CHECKING:  # a start needs none
    from plivo_sim.control.answers import FaultOut, FaultsOut


@endpoint("GET", "/faults", "The faults that are on.", query=(ACCOUNT,), answers={200: "FaultsOut"})
def list_faults() -> Response:
    account = account_named()
    with account.lock:
        shown: FaultsOut = {"account": account.auth_id, "faults": _faults_of(account)}
        return current_call().answer(shown)


@endpoint(
    "POST", "/faults", "Switch a fault on.", query=(ACCOUNT,), bodies={JSON: "fault_body"},
    answers={201: "FaultAddedOut"},
)  # fmt: skip
def add_fault() -> Response:
    """A fault in the scenario language; 201 with all faults that are on. The fault is part of the
    account's state; how often it has struck is counted in memory, and begins anew with the server.
    """
    data = json_object()
    auth_id = data.pop("account", None)
    fault = read_part("faults", [data]).faults[0]
    account = account_named({"account": auth_id})
    id = policies.add_fault(account, fault)
    with account.lock:
        return current_call().answer({"id": id, "faults": _faults_of(account)}, 201)


@endpoint(
    "DELETE", "/faults/{path:id}", "Switch a fault off.", query=(ACCOUNT,),
    answers={200: "FaultsOut"}, errors=(404,),
)  # fmt: skip
def remove_fault(id: str) -> Response:
    account = account_named()
    policies.remove_fault(account, id)
    return list_faults()


@endpoint(
    "DELETE", "/faults", "Switch all faults off.", query=(ACCOUNT,), answers={200: "FaultsOut"}
)
def clear_faults() -> Response:
    policies.clear_faults(account_named())
    return list_faults()


def _faults_of(account: Account) -> list[FaultOut]:
    from plivo_sim.control.answers import FaultOut  # here because a start needs none

    return [
        FaultOut(
            **structs.asdict(fault),
            id=id,
            struck=account.faults.struck.get(id, 0),
            spent=policies.is_spent(account, id, fault),
        )
        for id, fault in policies.faults_of(account)
    ]
