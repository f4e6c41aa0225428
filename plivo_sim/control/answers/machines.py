"""Status machines."""

from __future__ import annotations

from typing import TypedDict

from plivo_sim.control.answers.accounts import DueOut
from plivo_sim.domain.machine import MachineFile
from plivo_sim.services.machines import ChosenBy


class AboutOut(TypedDict):
    name: str
    about: str


class MachinesOut(TypedDict):
    machines: list[AboutOut]


class MachineOut(TypedDict):
    """``chosen_by``: whose it is; ``machine``: whole."""

    account: str
    name: str
    chosen_by: ChosenBy
    machine: MachineFile


class MachineUsedOut(MachineOut):
    """``due``: null where the machine in use is the same as before."""

    due: DueOut | None
