"""What may be wanted of callbacks: what those of the account's applications can tell, each in the
words of the API that made its application."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from plivo_sim.domain.machine import Dialect, Machine, MachineFile
from plivo_sim.domain.typed import convert
from plivo_sim.domain.words import did_you_mean
from plivo_sim.scenarios.rules import read_reason
from plivo_sim.testing.calls import Calls
from plivo_sim.testing.matching import is_equal, is_matcher
from plivo_sim.testing.records import Delivery, request_of

IDS = ("compliance_id", "compliance_application_id")
_TODAYS = ("status", "compliance_id", "rejection_reason")
KEYS: Mapping[Dialect, Sequence[str]] = {
    "current": _TODAYS,
    "legacy": (*_TODAYS, "compliance_application_id"),
    "beta": (*_TODAYS, "event"),
    "atoms": _TODAYS,
}
"""Those of the callbacks of each API; one without a reason has no ``rejection_reason``."""
_DELETIONS = ("compliance.delete", "legacy.delete_application")


def unknown_in_callbacks(
    wanted: Mapping[str, Any], every: Sequence[Delivery], calls: Calls
) -> list[str]:
    """A complaint about each key, status, event, reason and id that no callback of the account can
    have, and about those that none has together. ``every``: the callbacks that there were; where
    one is as wanted, there is nothing to complain of.

    Counted are the applications that the account has, those that had callbacks, and, for ids, those
    whose deletion is among the last requests. Without any, the words of every API, and no id."""
    if not wanted or having(wanted, every):
        return []
    machine = Machine(convert(calls.get("/machine")["machine"], MachineFile))
    kinds = _kinds_of(wanted, every, calls)
    found = (
        (not wanted.keys() <= set(KEYS[kind.dialect]),
         _complaints(wanted, kind, _lines(machine, kind), machine))
        for kind in kinds
    )  # fmt: skip
    return min(found, key=lambda each: (len(each[1]), each[0]))[1]


def having(wanted: Mapping[str, Any], every: Sequence[Delivery]) -> list[Delivery]:
    """The callbacks whose payload has these values."""
    return [
        each
        for each in every
        if all(k in each.payload and is_equal(k, each.payload[k], v) for k, v in wanted.items())
    ]


class _Kind(NamedTuple):
    """The applications of an API: their ids, and the payloads of callbacks that they had."""

    dialect: Dialect
    ids: set[str]
    payloads: list[Mapping[str, str]]


def _kinds_of(
    wanted: Mapping[str, Any], every: Sequence[Delivery], calls: Calls
) -> Sequence[_Kind]:
    """Those that the wanted callback may be of: those of its id, else all that the account has; all
    that there are if it has none."""
    kinds = {dialect: _Kind(dialect, set(), []) for dialect in KEYS}
    made = {each["id"]: each["origin"] for each in calls.every("/applications", "applications")}
    for each in every:
        kind = kinds[made.get(each.application_id) or _dialect_of(each.payload)]
        kind.ids.add(each.application_id)
        kind.payloads.append(each.payload)
    for id, origin in made.items():
        kinds[origin].ids.add(id)
    ids = [wanted[key] for key in IDS if isinstance(wanted.get(key), str)]
    if ids and not any(set(ids) & kind.ids for kind in kinds.values()):
        for kind in kinds.values():
            kind.ids.update(set(ids) & set(_deleted(calls)))
    return (
        [kind for kind in kinds.values() if not kind.ids.isdisjoint(ids)]
        or [kind for kind in kinds.values() if kind.ids]
        or list(kinds.values())
    )


def _dialect_of(payload: Mapping[str, str]) -> Dialect:
    """Of an application that is deleted: Atoms' callbacks have the keys of today's."""
    keyed: Mapping[str, Dialect] = {"event": "beta", "compliance_application_id": "legacy"}
    return next((dialect for key, dialect in keyed.items() if key in payload), "current")


def _deleted(calls: Calls) -> Iterator[str]:
    """The ids of the applications whose deletion is among the last requests."""
    for request in map(request_of, calls.get("/requests")["requests"]):
        if request.operation in _DELETIONS and request.status < 300:
            yield request.path.rstrip("/").rpartition("/")[2]


class _Line(NamedTuple):
    """What a callback tells of a change. ``event`` is None where the API tells none; ``reason``:
    what its reason begins with, None where it has none."""

    status: str | None
    event: str | None
    reason: str | None

    def can_have(self, key: str, value: Any) -> bool:
        """Of an object that decides itself what is equal to it, whether there is anything."""
        if is_matcher(key, value):
            return (self.reason if key == "rejection_reason" else getattr(self, key)) is not None
        if key == "rejection_reason":
            return self.reason is not None and value.startswith(self.reason)
        return bool(value == getattr(self, key))


def _lines(machine: Machine, kind: _Kind) -> list[_Line]:
    """Those of every change that somebody else than the client makes, and those that there were:
    of another machine, perhaps."""
    made = [_line(machine, kind.dialect, *each) for each in _changes(machine)]
    came = [
        _Line(each.get("status"), each.get("event"), "" if "rejection_reason" in each else None)
        for each in kind.payloads
    ]
    return [*made, *came]


def _changes(machine: Machine) -> list[tuple[str, str]]:
    return [(each.from_, each.to) for each in machine.arrows if set(each.takers) - {"client"}]


def _line(machine: Machine, dialect: Dialect, origin: str, target: str) -> _Line:
    event, word = machine.told(origin, target, dialect)
    row, is_beta = machine.statuses[target], dialect == "beta"
    begins = f"{row.beta_reason}: " if is_beta and row.beta_reason else ""
    return _Line(word, f"compliance.{event}" if is_beta else None, begins if row.reason else None)


def _complaints(
    wanted: Mapping[str, Any], kind: _Kind, lines: Sequence[_Line], machine: Machine
) -> list[str]:
    each_alone = (_complaint(*each, kind, lines, machine) for each in wanted.items())
    if found := list(filter(None, each_alone)):
        return found
    told_of = [(key, value) for key, value in wanted.items() if key not in IDS]
    ids = {wanted[key] for key in IDS if key in wanted and not is_matcher(key, wanted[key])}
    if len(ids) < 2 and any(all(line.can_have(*each) for each in told_of) for line in lines):
        return []
    listed = ", ".join(f"{key}={value!r}" for key, value in wanted.items())
    return [f"no callback has {listed} together"]


def _complaint(key: str, value: Any, kind: _Kind, lines: Sequence[_Line], machine: Machine) -> str:
    """Empty if a callback can have it."""
    if key not in KEYS[kind.dialect]:
        return _no_key(key, kind.dialect)
    if is_matcher(key, value):
        return ""
    if not isinstance(value, str):
        return f"the {key} of a callback is a text, no {type(value).__name__}"
    if key in IDS:
        return "" if value in kind.ids else f"no application of this account has the id {value!r}"
    why = _why_no_reason(value, machine) if key == "rejection_reason" else ""
    if not why and any(line.can_have(key, value) for line in lines):
        return ""
    return f"no callback has the {key} {value!r}{why or _hint(key, value, lines, kind, machine)}"


def _no_key(key: str, dialect: Dialect) -> str:
    having = [each for each in KEYS if key in KEYS[each]]
    if not having:
        return f"no callback has a key '{key}'{did_you_mean(key, sorted(KEYS[dialect]))}"
    told = f"only callbacks of {' and '.join(having)} applications have a key '{key}'"
    return f"{told}; this would be one of {dialect}"


def _why_no_reason(reason: str, machine: Machine) -> str:
    """Why no callback tells a reason: a preset is told by its text. Empty if one can."""
    if reason in {row.reason for row in machine.statuses.values()} - {""}:
        return ""
    try:
        text = read_reason(reason)
    except ValueError as error:
        return f": {error}"
    if not reason:
        return ": where there is none, the key is missing"
    return "" if text == reason else f": on the wire it is {text!r}"


def _hint(key: str, value: str, lines: Iterable[_Line], kind: _Kind, machine: Machine) -> str:
    """For the name of a status, or its word in another API: its word in this one."""
    if key == "status":
        words = [
            _line(machine, kind.dialect, *each).status
            for each in _changes(machine)
            if value in (each[1], *(_line(machine, api, *each).status for api in KEYS))
        ]
        if words:
            return f": on the wire it is {' or '.join(map(repr, dict.fromkeys(words)))}"
    known = dict.fromkeys(getattr(line, key, None) for line in lines)
    return did_you_mean(value, [each for each in known if each])
