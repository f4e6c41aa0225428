"""What may be wanted of callbacks: keys that they can have, and words that they can tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from plivo_sim.domain.machine import DIALECTS
from plivo_sim.domain.typed import short
from plivo_sim.domain.words import did_you_mean
from plivo_sim.scenarios.rules import reason_of
from plivo_sim.testing.matching import is_equal, is_matcher
from plivo_sim.testing.records import Delivery

KEYS = ("status", "compliance_id", "rejection_reason", "event", "compliance_application_id")
"""Those of the callbacks of all APIs."""
_IDS = ("compliance_id", "compliance_application_id")


def unknown_in_callbacks(
    wanted: Mapping[str, Any],
    every: Sequence[Delivery],
    machine: Callable[[], Mapping[str, Any]],
    is_known: Callable[[str], bool],
) -> Iterator[str]:
    """A complaint about each key that no callback can have, and each value that none can tell: with
    the machine of the account (as its file) and its applications (``is_known``: whether an id is
    one's), which are asked for only when it matters, or before, as those that went out. Raises
    ValueError for what cannot be compared."""
    keys = dict.fromkeys((*KEYS, *(key for each in every for key in each.payload)))
    for key, value in wanted.items():
        if key not in keys:
            yield f"no callback has a key '{key}'{did_you_mean(key, sorted(keys))}"
        elif is_matcher(key, value) or any(each.payload.get(key) == value for each in every):
            continue
        elif not isinstance(value, str) or not value:
            yield f"no callback has the {key} {short(value)}: each is a text, and not empty"
        elif key in _WORDS:
            words = list(dict.fromkeys(_WORDS[key](machine())))
            if value not in words:
                yield f"no callback has the {key} {value!r}{did_you_mean(value, words)}"
        elif key in _IDS and not is_known(value):
            yield f"no application of this account has the id {value!r}"
        elif key == "rejection_reason" and (text := reason_of(value)) != value:
            yield f"no callback has the {key} {value!r}, the name of a preset; its text is {text!r}"


def having(wanted: Mapping[str, Any], every: Sequence[Delivery]) -> list[Delivery]:
    """The callbacks whose payload has these values."""
    return [
        each
        for each in every
        if all(k in each.payload and is_equal(k, each.payload[k], v) for k, v in wanted.items())
    ]


def _statuses(machine: Mapping[str, Any]) -> Iterator[str]:
    """The names of the statuses, and their words in each API."""
    yield from machine["statuses"]
    for row in machine["statuses"].values():
        yield from (row[api] for api in DIALECTS)
    for arrow in machine["arrows"]:
        yield from filter(None, arrow.get("callback", {}).values())


def _events(machine: Mapping[str, Any]) -> Iterator[str]:
    """What the beta dialect's callbacks say beside the status."""
    for arrow in machine["arrows"]:
        told = arrow.get("event") or arrow.get("callback", {}).get("beta")
        yield f"compliance.{told or machine['statuses'][arrow['to']]['beta']}"


_WORDS: dict[str, Callable[[Mapping[str, Any]], Iterator[str]]] = {
    "status": _statuses,
    "event": _events,
}
