"""The last calls of the imitated APIs, and what this run has covered of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import Response, current_app, request

from plivo_sim.control.inputs import (
    ACCOUNT,
    OF_MACHINE,
    account_named,
    machine_named,
    operation_glob,
)
from plivo_sim.scenarios.patterns import glob
from plivo_sim.scenarios.validation import OPERATIONS
from plivo_sim.web.calls import current_call
from plivo_sim.web.endpoints import Endpoint, Query, Surface, endpoint, full_path

if TYPE_CHECKING:  # a start needs none
    from plivo_sim.control.answers.requests import OperationOut
    from plivo_sim.control.answers.words import Api


@endpoint(
    "GET", "/coverage", "What this run has exercised.", query=(OF_MACHINE,),
    answers={200: "CoverageOut"},
)  # fmt: skip
def coverage() -> Response:
    """Everything that can happen, with what this run has exercised of it, in every account."""
    return current_call().answer(current_call().sim.coverage.report(machine_named()))


@endpoint(
    "DELETE", "/coverage", "Begin a new run.", query=(OF_MACHINE,), answers={200: "CoverageOut"}
)
def clear_coverage() -> Response:
    """Begin a new run."""
    current_call().sim.coverage.clear()
    return coverage()


@endpoint(
    "GET", "/requests", "The last requests and their answers.",
    query=(ACCOUNT, Query(name="id"),
           Query(name="operation", description="Such as compliance.create; a glob.")),

    answers={200: "RequestsOut"},
)  # fmt: skip
def list_requests() -> Response:
    """The account's last requests, oldest first; ``fault`` names the fault that struck one.
    ``id`` and ``operation`` filter; ``forgotten``: how many older ones are not kept any more."""
    account = account_named()
    wanted, id = operation_glob() or "*", request.args.get("id")
    exchanges = [
        each.shown()
        for each in list(account.exchanges)
        if glob(wanted)(each.operation) and id in (None, "", each.id)
    ]
    return current_call().answer(
        {
            "account": account.auth_id,
            "requests": exchanges,
            "forgotten": account.exchanges.forgotten,
        }
    )


@endpoint(
    "GET", "/operations", "What faults and the journal of requests call each call.",
    answers={200: "OperationsOut"},
)  # fmt: skip
def list_operations() -> Response:
    """Every operation of the imitated APIs, with the method and the path of its call."""
    shown = [_operation(name, *_row_of(name)) for name in OPERATIONS]
    return current_call().answer({"operations": shown})


def _row_of(operation: str) -> tuple[Surface, Endpoint]:
    """Where an operation is declared: its name ends with that of its API and its own."""
    api, name = operation.split(".")[-2:]
    surface: Surface = current_app.extensions["surfaces"]["current" if api == "compliance" else api]
    return surface, next(row for row in surface.endpoints if row.name == name)


def _operation(name: str, surface: Surface, row: Endpoint) -> OperationOut:
    api = name.partition(".")[0]
    return {
        "operation": name,
        "api": "new" if api == "compliance" else cast("Api", api),
        "method": row.method,
        "path": full_path(surface, row),
        "summary": row.summary,
    }
