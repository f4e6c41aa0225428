"""Status machines: those that ship, and the one that an account has in use."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec
from flask import Response

from plivo_sim.account.account import Account
from plivo_sim.account.lock import repeatable
from plivo_sim.control import presenters
from plivo_sim.control.inputs import (
    ACCOUNT,
    account_named,
    invalid,
    json_object,
    read_strictly,
    text_of,
)
from plivo_sim.domain.machine import Machine
from plivo_sim.machines import load_machine_data, own_machine, shipped_machine, shipped_sentences
from plivo_sim.machines.loader import load_machine
from plivo_sim.services import machines
from plivo_sim.services.due import Due
from plivo_sim.web.calls import current_call
from plivo_sim.web.endpoints import JSON, endpoint
from plivo_sim.web.long_work import made_once

if TYPE_CHECKING:  # a start needs none
    from plivo_sim.control.answers import MachineOut, MachineUsedOut
    from plivo_sim.machines.drawing import Counts, Links, Taken

SVG = "image/svg+xml"
FEW_ARROWS = 20
"""Of a machine that is drawn without waiting for others that work for long."""
MOST_PICTURES = 8
"""Of larger machines are kept, of about a megabyte each at most."""


@endpoint("GET", "/machines", "The status machines that ship.", answers={200: "MachinesOut"})
def list_machines() -> Response:
    """The status machines that ship: name and sentence."""
    shown = [{"name": name, "about": about} for name, about in shipped_sentences()]
    return current_call().answer({"machines": shown})


@endpoint(
    "GET", "/machine", "The account's status machine.", query=(ACCOUNT,),
    answers={200: "MachineOut"},
)  # fmt: skip
def get_machine() -> Response:
    """The machine in use, whole, and who chose it."""
    account = account_named()
    with account.lock:
        return current_call().answer(_machine_of(account))


@endpoint(
    "POST", "/machine", "Choose the account's status machine.",
    query=(ACCOUNT,), bodies={JSON: "machine_body"}, answers={200: "MachineUsedOut"}, errors=(409,),
)  # fmt: skip
def use_machine() -> Response:
    """``{"name": …}`` (one that ships), ``{"yaml": text}`` or ``{"machine": object}``.

    A machine with a mistake changes nothing; the 400 lists every mistake. Nor does one that lacks
    the status of an application: the 409 names the first. ``due`` says what became of reviews and
    automatic arrows.
    """
    data = json_object("name", "yaml", "machine", "account")
    if sum(key in data for key in ("name", "yaml", "machine")) != 1:
        raise invalid("", "give one of name, yaml, machine")
    with repeatable():
        account = account_named(data)
    machine = read_strictly(lambda: _given(data))
    current_call().why = machine.name
    with account.lock:  # nobody comes between the change and its answer
        due = machines.use_machine(account, machine)
        return current_call().answer(_used(account, due))


@endpoint(
    "DELETE", "/machine", "Go back to the server's status machine.", query=(ACCOUNT,),
    answers={200: "MachineUsedOut"}, errors=(409,),
)  # fmt: skip
def drop_machine() -> Response:
    """Take the account's own machine away. One of the scenario in use stays."""
    account = account_named()
    with account.lock:
        due = machines.drop_machine(account)
        return current_call().answer(_used(account, due))


def _given(data: dict[str, Any]) -> Machine:
    if "name" in data:
        return shipped_machine(text_of(data, "name") or "")
    if "yaml" in data:
        return own_machine(load_machine(text_of(data, "yaml") or "", "yaml"), "yaml")
    return own_machine(load_machine_data(data["machine"]))


def _machine_of(account: Account) -> MachineOut:
    machine = account.machine
    return {
        "account": account.auth_id,
        "name": machine.name,
        "chosen_by": machines.chosen_by(account),
        "machine": msgspec.to_builtins(machine.file),
    }


def _used(account: Account, due: Due | None) -> MachineUsedOut:
    return {**_machine_of(account), "due": presenters.due_of(due) if due else None}


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
    return Response(drawn(account, machine, counts, taken), content_type=SVG, headers={
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        "Cache-Control": "no-store",
    })  # fmt: skip


def drawn(
    account: Account, machine: Machine, counts: Counts, taken: Taken, links: Links | None = None
) -> str:
    """The machine of the account as SVG. That of a large one is kept until anything that it shows
    is another."""
    from plivo_sim.machines.drawing import svg_of  # here: few draw, and it is large

    if len(machine.arrows) <= FEW_ARROWS:
        return svg_of(machine, counts, taken, links)
    return made_once(
        current_call().sim.pictures,
        (account.auth_id, links is not None),
        (machine, counts, taken, links),
        lambda: svg_of(machine, counts, taken, links),
        MOST_PICTURES,
    )


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
