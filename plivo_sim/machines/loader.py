"""Reads machine files: YAML (or JSON) texts, each mistake with its line."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from plivo_sim.catalogue.yaml_files import read_text
from plivo_sim.domain import limits
from plivo_sim.domain.machine import Machine
from plivo_sim.domain.typed import once
from plivo_sim.machines import DEFAULT, KIND, data_of, default_machine, shipped_machine


def load_machine(text: str, file: str = "machine") -> Machine:
    """A machine from YAML (or JSON) text, whole or changes. Raises MachineError."""
    return read_text(text, file, KIND)


def find_machine(name: str) -> Machine:
    """A machine that ships by its name, or a file by its path. Raises MachineError, and ValueError
    that names a file which cannot be read."""
    path = Path(name)
    if path.suffix not in (".yaml", ".yml", ".json") and not path.exists():
        return shipped_machine(name)
    try:
        with path.open("rb") as opened:
            read = opened.read(4 * limits.SCENARIO_TEXT.most + 1)
        return load_machine(read.decode(), name)
    except OSError as error:
        raise ValueError(f"cannot read machine {name}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"machine {name} is not UTF-8") from None


@once
def known_machine() -> Machine:
    """The machine of a server that was started from this environment (``PLIVO_SIM_MACHINE``), for
    commands, which are made before any server is asked; the default one where there is none, or it
    has mistakes, which the server tells."""
    try:
        return find_machine(os.environ.get("PLIVO_SIM_MACHINE") or DEFAULT)
    except ValueError:
        return default_machine()


def shipped_as_json(name: str = DEFAULT) -> bytes:
    """``NAME.json``, as it has to be; a test holds that it is."""
    machine = load_machine(data_of(f"{name}.yaml").decode(), f"{name}.yaml")
    return msgspec.json.format(msgspec.json.encode(machine.file), indent=1) + b"\n"
