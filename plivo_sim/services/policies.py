"""What steers an account: its scenario, faults, next outcomes and webhook policy.

Kept as records, so that they survive a restart, are in snapshots and go with a reset.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from plivo_sim.domain.models import Policy
from plivo_sim.errors import NotFound
from plivo_sim.faults.model import FaultRule, WebhookPolicy
from plivo_sim.scenarios.model import Decision, Scenario
from plivo_sim.typed import decode
from plivo_sim.world import World

T = TypeVar("T")


def use_scenario(world: World, scenario: Scenario | None) -> None:
    """Make this the account's story (None: no story); its rules, faults and lost callbacks are
    counted anew."""
    with world.transaction():
        for name in [name for name in world.ids.counts if name.startswith("fired:")]:
            del world.ids.counts[name]
        world.ids.counts.pop("dropped", None)
        for id, _ in _faults_of_story(scenario):
            _count_anew(world, id)
        if scenario is None:
            _drop(world, "scenario")
        else:
            _keep(world, "scenario", "scenario", scenario)


def scenario_of(world: World) -> Scenario | None:
    """The account's story."""
    return _cached(world, "scenario", lambda: _one(world, "scenario", Scenario))


def set_webhook_policy(world: World, policy: WebhookPolicy | None) -> None:
    """Override what the scenario says of callbacks (None: no longer)."""
    with world.transaction():
        world.ids.counts.pop("dropped", None)
        if policy is None:
            _drop(world, "webhooks")
        else:
            _keep(world, "webhooks", "webhooks", policy)


def webhook_policy(world: World) -> WebhookPolicy:
    """What happens to the account's callbacks: its own policy, else the scenario's."""

    def find() -> WebhookPolicy:
        own = _one(world, "webhooks", WebhookPolicy)
        scenario = scenario_of(world)
        return own or (scenario.webhooks if scenario else WebhookPolicy())

    return _cached(world, "webhook_policy", find)


def add_fault(world: World, fault: FaultRule) -> str:
    """Switch a fault on; returns its id."""
    with world.transaction():
        id = fault.name or f"fault-{world.ids.next_n('fault')}"
        _keep(world, id, "fault", fault)
        _count_anew(world, id)
        return id


def remove_fault(world: World, id: str) -> None:
    """Switch a fault off. Raises NotFound; a scenario's own faults go with the scenario."""
    policy = world.store.policies.fetch(id)
    if policy is None or policy.kind != "fault":
        raise NotFound("fault", id)
    with world.transaction():
        _drop(world, id)


def clear_faults(world: World) -> None:
    """Switch every fault of the account off, except those of its scenario."""
    with world.transaction():
        for policy in world.store.policies.having("kind", "fault"):
            _drop(world, policy.id)


def faults_of(world: World) -> list[tuple[str, FaultRule]]:
    """Every fault that is on, with its id: the scenario's first."""

    def find() -> list[tuple[str, FaultRule]]:
        return _faults_of_story(scenario_of(world)) + [
            (p.id, decode(p.body, FaultRule)) for p in world.store.policies.having("kind", "fault")
        ]

    return _cached(world, "faults", find)


def _faults_of_story(scenario: Scenario | None) -> list[tuple[str, FaultRule]]:
    told = scenario.faults if scenario else []
    return [(fault.name or f"scenario-{i + 1}", fault) for i, fault in enumerate(told)]


def _count_anew(world: World, fault_id: str) -> None:
    for name in (fault_id, f"{fault_id}/struck"):
        world.fault_hits.pop(name, None)


def push_next_outcome(world: World, decision: Decision) -> int:
    """Decide the account's next submission; returns how many wait in line."""
    with world.transaction():
        id = f"next-{world.ids.next_n('next_outcome')}"
        _keep(world, id, "next_outcome", decision)
        return len(world.store.policies.having("kind", "next_outcome"))


def pop_next_outcome(world: World) -> Decision | None:
    """The first outcome in line, which is used up; within a transaction."""
    waiting = world.store.policies.having("kind", "next_outcome")
    if not waiting:
        return None
    _drop(world, waiting[0].id)
    return decode(waiting[0].body, Decision)


def _keep(world: World, id: str, kind: str, body: Any) -> None:
    before = world.store.policies.fetch(id)
    seq = before.seq if before is not None else world.next_seq()
    text = msgspec.json.encode(body).decode()
    world.store.policies.put(Policy(id=id, seq=seq, kind=kind, body=text))
    world.derived.clear()


def _drop(world: World, id: str) -> None:
    world.store.policies.drop(id)
    world.derived.clear()


def _one(world: World, id: str, type_: type[T]) -> T | None:
    policy = world.store.policies.fetch(id)
    return None if policy is None else decode(policy.body, type_)


def _cached(world: World, key: str, find: Callable[[], T]) -> T:
    if key not in world.derived:
        world.derived[key] = find()
    found: T = world.derived[key]
    return found
