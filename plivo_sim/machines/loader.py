"""Reads machine files: YAML (or JSON) texts, each mistake with its line."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec

from plivo_sim.catalogue.user_files import text_in
from plivo_sim.domain.machine import Machine
from plivo_sim.domain.typed import once
from plivo_sim.machines import DEFAULT, KIND, data_of, default_machine, own_machine, shipped_machine

SUFFIXES = (".yaml", ".yml", ".json")


def load_machine(text: str, file: str = "machine") -> Machine:
    """A machine from YAML (or JSON) text, whole or changes. Raises MachineError."""
    from plivo_sim.catalogue.yaml_files import read_text  # here: most starts need none

    return read_text(text, file, KIND)


def read_machine_of(name: str) -> Machine:
    """A machine that ships by its name, or a file by its path. Raises MachineError, and OSError or
    UnicodeDecodeError for a file that cannot be read."""
    if not is_file_name(name):
        return shipped_machine(name)
    return own_machine(load_machine(text_in(Path(name)), name), name)


def find_machine(name: str) -> Machine:
    """The same. Raises MachineError, and ValueError that names a file which cannot be read."""
    try:
        return read_machine_of(name)
    except OSError as error:
        raise ValueError(f"cannot read machine {name}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"machine {name} is not UTF-8") from None


def is_file_name(name: str) -> bool:
    """Whether this names a file, not a machine that ships. Raises OSError for what cannot be a
    name at all."""
    path = Path(name)
    is_there = path.exists() and not path.is_dir()
    return path.suffix in SUFFIXES or os.sep in name or is_there


def text_of(machine: Machine) -> str:
    """The machine as YAML, whole."""
    import yaml  # here because most starts need none

    plain = msgspec.to_builtins(machine.file)
    text: str = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=96)
    return text


@once
def known_machine() -> Machine:
    """The machine of a server that was started from this environment (``PLIVO_SIM_MACHINE``), for
    commands, which are made before any server is asked; the default one where there is none, or it
    has mistakes, with a line on stderr."""
    try:
        return find_machine(os.environ.get("PLIVO_SIM_MACHINE") or DEFAULT)
    except ValueError as error:
        told = str(error).partition("\n")[0]
        sys.stderr.write(f"PLIVO_SIM_MACHINE: {told}; the default one counts here\n")
        return default_machine()


def shipped_as_json(name: str = DEFAULT) -> bytes:
    """``NAME.json``, as it has to be; a test holds that it is."""
    machine = load_machine(data_of(f"{name}.yaml").decode(), f"{name}.yaml")
    return msgspec.json.format(msgspec.json.encode(machine.file), indent=1) + b"\n"
