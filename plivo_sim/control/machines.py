"""The status machine that an account has in use."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from flask import Response

from plivo_sim.account.account import Account
from plivo_sim.control.inputs import ACCOUNT, account_named
from plivo_sim.machines.drawing import Counts, Taken, svg_of
from plivo_sim.web.endpoints import endpoint

SVG = "image/svg+xml"


@endpoint(
    "GET", "/machine.svg", "A picture of the account's status machine.", query=(ACCOUNT,),
    answers={200: SVG},
)  # fmt: skip
def draw_machine() -> Response:
    """With how many applications have each status now, and how often each arrow was taken by those
    that are there; an arrow that none took is dotted."""
    account = account_named()
    with account.lock:
        machine, counts, taken = account.machine, _counts(account), _taken(account)
    return Response(svg_of(machine, counts, taken), content_type=SVG, headers={
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        "Cache-Control": "no-store",
    })  # fmt: skip


def _counts(account: Account) -> Counts:
    rows = account.store.applications
    return {status: rows.how_many("status", status) for status in account.machine.statuses}


def _taken(account: Account) -> Taken:
    draft = account.machine.draft
    return Counter(
        ends
        for application in account.store.applications.every()
        for ends in pairwise((draft, *(change.status for change in application.timeline)))
    )
