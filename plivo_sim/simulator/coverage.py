"""Which statuses, arrows, reasons, errors and callback mishaps a run has exercised.

A suite that never saw a suspension does not test one. Counted in memory over all accounts; it is
no state and survives an account's reset.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Hashable
from functools import partial
from typing import Any, TypeVar

from plivo_sim.account.account import Account
from plivo_sim.domain import limits
from plivo_sim.domain.machine import Machine
from plivo_sim.domain.records import DeliveryState, Event, StatusChanged
from plivo_sim.scenarios.rules import PRESETS
from plivo_sim.simulator.instants import Happening
from plivo_sim.webhooks.outbox import Attempted

ERROR_STATUSES = (400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 500, 502, 503)
K = TypeVar("K", bound=Hashable)


class Coverage:
    """See the module. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Begin a new run."""
        with self._lock:
            self._arrows: Counter[tuple[str, str]] = Counter()
            self._reasons: Counter[str] = Counter()
            self._errors: Counter[int] = Counter()
            self._callbacks: Counter[str] = Counter()
            self._faults: Counter[str] = Counter()
            self._forgotten = 0

    def on_event(self, account: Account, event: Event) -> None:
        """Count a change of status, once it is written."""
        if isinstance(event, StatusChanged):
            account.when_written(partial(self._count, event))

    def _count(self, event: StatusChanged) -> None:
        reason = event.application.rejection_reason
        with self._lock:
            self._add(self._arrows, (event.previous, event.application.status))
            if reason is not None:
                self._add(self._reasons, reason)

    def on_happening(self, happening: Happening) -> None:
        """Count what became of a callback attempt."""
        if isinstance(happening, Attempted):
            delivery = happening.delivery
            retried = delivery.state is DeliveryState.PENDING
            with self._lock:
                self._callbacks["retried" if retried else delivery.state] += 1
                if delivery.repeats is not None:
                    self._callbacks["duplicated"] += 1

    def on_answer(self, status: int, fault: str) -> None:
        """Count an error answer, and the fault that caused it."""
        if status < 400 and not fault:
            return
        with self._lock:
            if status >= 400:
                self._errors[status] += 1
            if fault:
                self._faults[fault.rpartition(": ")[2]] += 1

    def _add(self, counts: Counter[K], name: K) -> None:
        """Users name these. Of too many, the one goes that was counted longest ago. Caller holds
        the lock."""
        counts[name] = counts.pop(name, 0) + 1  # the last is the newest
        if len(counts) > limits.COVERED.most:
            del counts[next(iter(counts))]
            self._forgotten += 1

    def report(self, machine: Machine) -> dict[str, Any]:
        """Everything that could happen with a machine, with how often it did; then what happened
        in accounts that have another."""
        with self._lock:
            reached = {target for _, target in self._arrows} | {a for a, _ in self._arrows}
            known = sorted(
                ((arrow.from_, arrow.to) for arrow in machine.arrows),
                key=lambda ends: (list(machine.statuses).index(ends[0]), ends[1]),
            )
            others_taken = sorted(self._arrows.keys() - set(known))
            arrows = [
                {"from": origin, "to": target, "count": self._arrows[origin, target]}
                for origin, target in (*known, *others_taken)
            ]
            statuses = dict.fromkeys((*machine.statuses, *sorted(reached)))
            presets = {name: self._reasons[text] for name, text in PRESETS.items()}
            others = {r: n for r, n in self._reasons.items() if r not in PRESETS.values()}
            callbacks = ("delivered", "retried", "failed", "blocked", "dropped", "duplicated")
            return {
                "statuses": {status: status in reached for status in statuses},
                "transitions": arrows,
                "rejection_reasons": {"presets": presets, "others": others},
                "errors": {str(status): self._errors[status] for status in ERROR_STATUSES},
                "callbacks": {state: self._callbacks[state] for state in callbacks},
                "faults": dict(self._faults),
                "forgotten": self._forgotten,
            }
