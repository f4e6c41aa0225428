"""What may be wanted of callbacks: keys that they can have, and words that they can tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from plivo_sim.domain.machine import DIALECTS
from plivo_sim.domain.words import did_you_mean
from plivo_sim.testing.records import Delivery

KEYS = ("status", "compliance_id", "rejection_reason", "event", "compliance_application_id")
"""Those of the callbacks of all APIs."""


def unknown_in_callbacks(
    wanted: Mapping[str, Any], every: Sequence[Delivery], machine: Callable[[], Mapping[str, Any]]
) -> Iterator[str]:
    """A complaint about each key that no callback can have, and each status and event that none can
    tell: with the machine of the account (as its file; asked for only when it matters), or before,
    as those that went out."""
    keys = dict.fromkeys((*KEYS, *(key for each in every for key in each.payload)))
    for key, value in wanted.items():
        if key not in keys:
            yield f"no callback has a key '{key}'{did_you_mean(key, sorted(keys))}"
        elif key in _WORDS and value not in {each.payload.get(key) for each in every}:
            words = list(dict.fromkeys(_WORDS[key](machine())))
            if value not in words:
                yield f"no callback has the {key} {value!r}{did_you_mean(str(value), words)}"


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
