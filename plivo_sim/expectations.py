"""Does what a story expects hold? Pure: what was seen against what was promised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from plivo_sim.scenarios.model import Expect
from plivo_sim.scenarios.presets import reason_of


@dataclass(slots=True, kw_only=True)
class Seen:
    """What a replay has seen so far; keyed by the story's names of its applications.

    ``callbacks``: the statuses that the receiver took, in order; ``signatures``: of every attempt;
    ``deliveries``: how many ended how; ``refusals``: statuses, ``cut`` and ``garbled``.
    """

    status: Mapping[str, str] = field(default_factory=dict)
    timeline: Mapping[str, Sequence[str]] = field(default_factory=dict)
    reasons: Mapping[str, Sequence[str]] = field(default_factory=dict)
    callbacks: Sequence[str] = ()
    signatures: frozenset[str] = frozenset()
    deliveries: Mapping[str, int] = field(default_factory=dict)
    refusals: Sequence[int | str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was expected. ``name``: ``status.app``."""

    name: str
    expected: Any
    found: Any
    ok: bool


def check_all(expect: Expect, seen: Seen, *, at_end: bool) -> list[Check]:
    """Every expectation against what was seen. ``at_end``: refusals that are not listed fail."""
    checks = [*_applications(expect, seen), *_callbacks(expect, seen)]
    if expect.refusals is not None or (at_end and seen.refusals):
        checks.append(_same("refusals", expect.refusals or [], list(seen.refusals)))
    return checks


def _applications(expect: Expect, seen: Seen) -> Iterator[Check]:
    for app, status in expect.status.items():
        yield _same(f"status.{app}", status, seen.status.get(app, "absent"))
    for app, timeline in expect.timeline.items():
        yield _same(f"timeline.{app}", timeline, list(seen.timeline.get(app, ())))
    for app, reasons in expect.reasons.items():
        found = list(seen.reasons.get(app, ()))
        told = len(found) == len(reasons) and all(
            reason_of(wanted).casefold() in text.casefold()
            for wanted, text in zip(reasons, found, strict=True)
        )
        yield Check(name=f"reasons.{app}", expected=reasons, found=found, ok=told)


def _callbacks(expect: Expect, seen: Seen) -> Iterator[Check]:
    if expect.callbacks is not None:
        yield _same("callbacks", expect.callbacks, list(seen.callbacks))
    for state, count in msgspec.to_builtins(expect.deliveries or {}).items():
        yield _same(f"deliveries.{state}", count, seen.deliveries.get(state, 0))
    if expect.signatures is not None:
        found = ", ".join(sorted(seen.signatures)) or "none sent"
        yield _same("signatures", expect.signatures, found)


def _same(name: str, expected: Any, found: Any) -> Check:
    return Check(name=name, expected=expected, found=found, ok=expected == found)
