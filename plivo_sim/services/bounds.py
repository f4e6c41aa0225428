"""How long the lists within records may be, and what stands in them once only: asked of what a
snapshot document brings along, which no API has counted.

A test walks the types of the records, so that a new list cannot be forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from operator import itemgetter
from typing import Any, NamedTuple

from plivo_sim.account.interfaces import Mark
from plivo_sim.domain import limits
from plivo_sim.domain.records import (
    Application,
    AtomsApplication,
    Attempt,
    Delivery,
    Document,
    Explanation,
    Ledger,
    PolicyKind,
    Step,
    Timer,
)
from plivo_sim.domain.text import decode_json
from plivo_sim.domain.typed import Found, Steps
from plivo_sim.scenarios.rules import UNKNOWN_TOKENS
from plivo_sim.services import policies


class Bound(NamedTuple):
    """``most`` entries, in words ``told``. ``key``: what no two of them share."""

    most: int
    told: str
    key: Callable[[Any], object] | None = None


_NAME = itemgetter(0)
_FIELDS = Bound(limits.FIELDS.most, str(limits.FIELDS), _NAME)
_DOCUMENTS, _THEN = limits.APPLICATION_DOCUMENTS, limits.THEN
BOUNDS: Mapping[type[Any], Mapping[str, Bound]] = {
    Document: {"data_fields": _FIELDS},
    Application: {
        "document_ids": Bound(_DOCUMENTS.most, str(_DOCUMENTS), str),
        "reviewed": Bound(_DOCUMENTS.most, str(_DOCUMENTS), _NAME),
        # the last decision that is not refused has what follows it, at most, and each step of that
        # what follows by itself; ``integrity`` knows how much that is in the machine
        "timeline": Bound(
            limits.TIMELINE.most + (_THEN.most + 1) * (1 + limits.STATUSES.most),
            f"{limits.TIMELINE} and what follows the last",
        ),
    },
    Step: {"documents": _FIELDS},
    Timer: {"steps": Bound(_THEN.most + 1, f"the first and {_THEN}")},
    Explanation: {
        "verdicts": Bound(
            limits.RULES.most + 1 + UNKNOWN_TOKENS, f"{limits.RULES}, and magic values"
        ),
        "instead_of": Bound(_THEN.most + 1, f"the first and {_THEN}"),
        "sent": Bound(limits.SENT.most, str(limits.SENT), _NAME),
    },
    Attempt: {"headers": Bound(limits.FIELDS.most, str(limits.FIELDS))},
    Delivery: {
        "payload": _FIELDS,
        "attempts": Bound(limits.RETRIES.most + 1, f"the first and {limits.RETRIES}"),
    },
    Ledger: {
        "counts": Bound(limits.FIELDS.most, str(limits.FIELDS)),
        "overrides": Bound(limits.FIELDS.most, str(limits.FIELDS)),
    },
    AtomsApplication: {
        "document_file_names": Bound(limits.PARTS.most, str(limits.PARTS)),
    },
}
"""Every tuple and mapping that a record, or what stands in one, has."""


def long_lists(mark: Mark) -> Iterator[Found]:
    """Where a list has too many entries, or one of them twice."""
    for table, rows in mark.items():
        for id, record in rows.items():
            yield from _within(record, (table, id))


def _within(value: Any, path: Steps) -> Iterator[Found]:
    for name, bound in BOUNDS.get(type(value), {}).items():
        entries: Collection[Any] = getattr(value, name)
        if len(entries) > bound.most:
            yield (*path, name), f"{len(entries)} are too many, {bound.told}"
            continue
        if bound.key is not None and len(set(map(bound.key, entries))) < len(entries):
            yield (*path, name), "has an entry twice"
        for index, each in enumerate(entries):
            yield from _within(each, (*path, name, index))


_KINDS: tuple[PolicyKind, ...] = ("fault", "next_outcome")
COUNTERS = frozenset(
    (
        "acceptance", "application", "atoms_application", "delivery", "document", "dropped",
        "end_user", "seq", "submission", "timer", *_KINDS,
    )
)  # fmt: skip
"""What an account counts, beside how often each rule of its scenario has decided."""


def unknown_counters(mark: Mark) -> Iterator[Found]:
    """Counters that nobody counts on: all are written with each record."""
    known = COUNTERS | {f"fired:{name}" for name in _rule_names(mark)}
    for id, ledger in mark["ledger"].items():
        for name in ledger.counts.keys() - known:
            yield ("ledger", id, "counts", name[:80]), "is no counter of this account"


def _rule_names(mark: Mark) -> Iterator[str]:
    for policy in mark["policies"].values():
        if policy.kind == "scenario" and not policies.trouble_of(policy):
            for index, rule in enumerate(decode_json(policy.body).get("rules", ()), 1):
                yield rule.get("name") or f"rule {index}"
