"""The last calls of the imitated APIs, and what this run has covered of them."""

from __future__ import annotations

from flask import Response, request

from plivo_sim.control.inputs import ACCOUNT, account_named, account_text
from plivo_sim.domain.machine import Machine
from plivo_sim.web.calls import current_call
from plivo_sim.web.endpoints import Query, endpoint

OF_MACHINE = Query(
    name="account",
    description="MA…, whose status machine is listed; else the server's, if several.",
)


@endpoint(
    "GET", "/coverage", "What this run has exercised.", query=(OF_MACHINE,),
    answers={200: "CoverageOut"},
)  # fmt: skip
def coverage() -> Response:
    """Everything that can happen, with what this run has exercised of it, in every account."""
    return current_call().answer(current_call().sim.coverage.report(_machine()))


def _machine() -> Machine:
    """That of the account that was named, or of the only one; else the server's."""
    if account_text():
        return account_named().machine
    accounts = current_call().sim.accounts()
    return accounts[0].machine if len(accounts) == 1 else current_call().sim.machine


@endpoint(
    "DELETE", "/coverage", "Begin a new run.", query=(OF_MACHINE,), answers={200: "CoverageOut"}
)
def clear_coverage() -> Response:
    """Begin a new run."""
    current_call().sim.coverage.clear()
    return coverage()


@endpoint(
    "GET", "/requests", "The last requests and their answers.", query=(ACCOUNT, Query(name="id")),
    answers={200: "RequestsOut"},
)  # fmt: skip
def list_requests() -> Response:
    """The account's last requests, oldest first; ``fault`` names the fault that struck one."""
    account = account_named()
    exchanges = [each.shown() for each in list(account.exchanges)]
    if wanted := request.args.get("id"):
        exchanges = [each for each in exchanges if each["id"] == wanted]
    return current_call().answer({"account": account.auth_id, "requests": exchanges})
