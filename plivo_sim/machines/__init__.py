"""Reads status machines: those that ship, a user's own file, a file of changes to one that ships.

A machine file is YAML (or JSON): a whole machine (``domain.machine.MachineFile``), or, with
``extends: NAME``, what is different from a machine that ships. docs/machine.md describes it. All
that is wrong with a file is told at once, each mistake with its line (``MachineError.mistakes``).

What is known of Plivo is the default one. Source: docs/decisions.md, "Statuses, corrections,
deletion", from the status flows of both Plivo pages (documented); ``suspended`` and ``expired`` are
in the SDKs' word list (observed), where they come from is field-reported.

Each machine that ships is ``NAME.yaml`` here, with its JSON beside it, from which it is read: the
default one needs no YAML parser.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

import msgspec

from plivo_sim.catalogue.checked import FileMistakes, Kind, Mistake, read_data
from plivo_sim.domain.machine import Machine, MachineFile, machine_of
from plivo_sim.domain.typed import Found, Steps, fitted, once
from plivo_sim.domain.words import did_you_mean, like_listed
from plivo_sim.machines.validation import Whole, mistakes_of, whole_of

DEFAULT = "default"


class MachineError(FileMistakes):
    """A machine has mistakes: all of them."""


# --- those that ship -------------------------------------------------------------------------


def shipped_names() -> list[str]:
    """The machines that ship, the default one first."""
    found = {each.name for each in resources.files(__name__).iterdir()}
    names = {name.removesuffix(".yaml") for name in found if name.endswith(".yaml")}
    return sorted(names, key=lambda name: (name != DEFAULT, name))


@once
def shipped_machine(name: str) -> Machine:
    """A machine that ships, from its JSON form. Raises MachineError for a name that is none's."""
    if name not in shipped_names():
        raise MachineError([Mistake(name[:80], 0, "", _no_such(name))])
    return machine_of(data_of(f"{name}.json"))


@once
def default_machine() -> Machine:
    """What is known of Plivo."""
    return machine_of(data_of(f"{DEFAULT}.json"))


def shipped_sentences() -> list[tuple[str, str]]:
    """Name and sentence of each machine that ships."""
    return [(name, shipped_machine(name).file.about) for name in shipped_names()]


def shipped_text(name: str) -> str:
    """The YAML text of a machine that ships. Raises MachineError."""
    shipped_machine(name)
    return data_of(f"{name}.yaml").decode()


def data_of(name: str) -> bytes:
    """A file of this package."""
    return resources.files(__name__).joinpath(name).read_bytes()


def _no_such(name: str) -> str:
    return f"no machine of this name ships{did_you_mean(name[:80], shipped_names())}"


def lacks(machine: Machine, status: str) -> str:
    """That a machine does not have a status: with the one that was probably meant, or else those
    that ship and have it."""
    status = status[:50]
    text = f"machine {machine.name} has no status '{status}'"
    others = [name for name in shipped_names() if status in shipped_machine(name).statuses]
    having = f"; these that ship do: {', '.join(others)}" if others else ""
    return text + (like_listed(status, machine.statuses) or having)


# --- those of users --------------------------------------------------------------------------


def load_machine_data(data: Any, file: str = "machine") -> Machine:
    """A machine from plain values, whole or changes. Raises MachineError."""
    return read_data(data, file, KIND)


def own_machine(machine: Machine, file: str = "machine") -> Machine:
    """A user's own machine. Raises MachineError for one that is called as one that ships, and is
    another."""
    name = machine.name
    if name in shipped_names() and machine != shipped_machine(name):
        text = f"'{name}' is the name of one that ships: choose another"
        raise MachineError([Mistake(file, 0, "machine", text)])
    return machine


def read_machine(value: str | Mapping[str, Any]) -> Machine:
    """What ``machine`` of a scenario names, or says itself. Raises MachineError."""
    if isinstance(value, str):
        return shipped_machine(value)
    return load_machine_data(value)


def mistakes_in(value: Any) -> Iterator[Found]:
    """What is wrong with that."""
    if isinstance(value, str):
        if value not in shipped_names():
            yield (), _no_such(value)
        return
    if isinstance(value, Mapping):
        try:
            load_machine_data(value)
        except MachineError as error:
            for mistake in error.mistakes:
                yield (*_steps_of(mistake.path),), mistake.text


def _steps_of(path: str) -> Steps:
    """The steps of a path as it is printed."""
    steps: list[str | int] = []
    for word in path.replace("[", ".[").split("."):
        inner = word[1:-1] if word.startswith("[") else ""
        steps.append(int(inner) if inner.isdecimal() else word)
    return tuple(each for each in steps if each != "")


# --- how they are checked --------------------------------------------------------------------


def _base_of(data: Any) -> MachineFile | None:
    """The machine that a file changes; None for a whole one, or one that is not known. What lacks
    all that only a whole one needs is looked at as changes, too."""
    if _lacks_extends(data):
        return default_machine().file
    name = data.get("extends") if isinstance(data, Mapping) else None
    if isinstance(name, str) and name in shipped_names():
        return shipped_machine(name).file
    return None


def _lacks_extends(data: Any) -> bool:
    return isinstance(data, Mapping) and data.keys().isdisjoint(("extends", "starts", "review"))


def _whole(data: Any) -> Whole:
    return whole_of(data, _base_of(data))


class _Shape:
    """The schema of a machine file, as a validator: of one of changes, the whole is looked at."""

    def iter_errors(self, data: Any) -> Iterator[Any]:
        extends = isinstance(data, Mapping) and "extends" in data
        if extends and _base_of(data) is None:
            return  # which is told below; without its base there is no whole
        whole = _whole(data)
        for error in _validator().iter_errors(whole.plain):
            error.path = error.relative_path = deque(whole.place(tuple(error.absolute_path)))
            yield error


@once
def _validator() -> Any:
    import jsonschema  # here because most starts load no file

    schema: dict[str, Any] = msgspec.json.schema(MachineFile)
    return jsonschema.Draft202012Validator(schema)


def _mistakes(data: Any, wrong: list[Steps]) -> Iterator[Found]:
    name = data.get("extends") if isinstance(data, Mapping) else None
    if isinstance(data, Mapping) and "extends" in data and _base_of(data) is None:
        yield ("extends",), _no_such(str(name))
        return
    if _lacks_extends(data):
        yield (), f"a file of changes needs 'extends: {DEFAULT}'; a whole one 'starts' and 'review'"
    yield from mistakes_of(_whole(data))


_FILLERS = {"verb": "decide on", "tone": "idle", "by": "hand"}


def _filler(path: Steps) -> str:
    return _FILLERS.get(str(path[-1]), "unknown")


KIND = Kind(
    error=MachineError,
    empty="is empty; begin with 'machine: NAME'",
    schema=_Shape,
    mistakes=_mistakes,
    filler=_filler,
    make=lambda data: Machine(fitted(_whole(data).plain, MachineFile)),
)
