"""What steers an account: its scenario, faults, next outcomes and webhook policy.

Kept as records, so that they survive a restart, are in snapshots and go with a reset.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from plivo_sim.account.account import OWN_MACHINE, SCENARIO_MACHINE, Account
from plivo_sim.domain import limits
from plivo_sim.domain.errors import NotFound, invalid
from plivo_sim.domain.records import Policy, PolicyKind
from plivo_sim.domain.text import decode_json
from plivo_sim.domain.typed import decode, fitted
from plivo_sim.machines import read_machine
from plivo_sim.scenarios.globs import Matcher, globs_of
from plivo_sim.scenarios.language import Decision, FaultRule, Scenario, WebhookPolicy
from plivo_sim.services import machines
from plivo_sim.services.due import Due

T = TypeVar("T")

_OWN_IDS = ("scenario", "webhooks")
"""Under which the two policies are kept that an account has at most one of."""
_TAKEN = (*_OWN_IDS, OWN_MACHINE, SCENARIO_MACHINE)


def use_scenario(account: Account, scenario: Scenario | None) -> Due | None:
    """Make this the account's scenario (None: no scenario), and its machine the account's for as
    long; its rules, faults and lost callbacks are counted anew. Returns and raises what
    ``use_machine`` does, when that machine does not fit, and Invalid when one of its faults has the
    name of one of the account's own; then nothing changed."""
    with account.transaction():
        for n, (id, _) in enumerate(_faults_of_scenario(scenario)):
            if _kind_of(account, id) == "fault":
                text = f"a fault {id!r} is on already; switch it off, or name this one otherwise"
                raise invalid(f"faults[{n}].name", text)
        before = account.machine
        for name in [name for name in account.ids.counts if name.startswith("fired:")]:
            del account.ids.counts[name]
        account.ids.counts.pop("dropped", None)
        for told in (scenario_of(account), scenario):
            for id, _ in _faults_of_scenario(told):
                _count_anew(account, id)
        if scenario is None:
            _drop(account, "scenario")
        else:
            _keep(account, "scenario", "scenario", scenario)
        own = scenario.machine if scenario is not None else None
        machines.keep_scenario_machine(account, read_machine(own) if own is not None else None)
        verb = "drop" if scenario is None else "change"
        return machines.fit(account, before, f"{verb} the scenario whose machine is in use by")


def scenario_of(account: Account) -> Scenario | None:
    """The account's scenario."""
    return _cached(account, "scenario", lambda: _one(account, "scenario", Scenario))


def set_webhook_policy(account: Account, policy: WebhookPolicy | None) -> None:
    """Override what the scenario says of callbacks (None: no longer)."""
    with account.transaction():
        account.ids.counts.pop("dropped", None)
        if policy is None:
            _drop(account, "webhooks")
        else:
            _keep(account, "webhooks", "webhooks", policy)


def webhook_policy(account: Account) -> WebhookPolicy:
    """What happens to the account's callbacks: its own policy, else the scenario's."""

    def find() -> WebhookPolicy:
        own = _one(account, "webhooks", WebhookPolicy)
        scenario = scenario_of(account)
        return own or (scenario.webhooks if scenario else WebhookPolicy())

    return _cached(account, "webhook_policy", find)


def add_fault(account: Account, fault: FaultRule) -> str:
    """Switch a fault on; returns its id. Raises Invalid when the account has too many, or the name
    is that of another thing that steers the account."""
    with account.transaction():
        id = fault.name or _free_id(account, "fault", "fault")
        before = _kind_of(account, id)
        if id in _TAKEN or before not in (None, "fault"):
            raise invalid("name", f"{id!r} is a name of the simulator's own")
        if _is_of_scenario(account, id):
            raise invalid("name", f"{id!r} is a fault of the account's scenario")
        if before is None and _how_many(account, "fault") >= limits.FAULTS.most:
            raise invalid("", f"too many faults are on: {limits.FAULTS}")
        _keep(account, id, "fault", fault)
        _count_anew(account, id)
        return id


def is_spent(account: Account, id: str, fault: FaultRule) -> bool:
    """Whether it has struck as often as it may, so that no call meets it any more. Caller holds the
    lock."""
    return fault.times is not None and account.faults.struck.get(id, 0) >= fault.times


def remove_fault(account: Account, id: str) -> None:
    """Switch a fault off. Raises NotFound; a scenario's own faults go with the scenario."""
    policy = account.store.policies.fetch(id)
    if policy is None or policy.kind != "fault":
        named = [name for name, _ in faults_of(account)]
        raise NotFound("fault", id, named)
    with account.transaction():
        _drop(account, id)
        _count_anew(account, id)


def clear_faults(account: Account) -> None:
    """Switch every fault of the account off, except those of its scenario."""
    with account.transaction():
        for policy in account.store.policies.having("kind", "fault"):
            _drop(account, policy.id)
            _count_anew(account, policy.id)


def faults_of(account: Account) -> list[tuple[str, FaultRule]]:
    """Every fault that is on, with its id: the scenario's first."""

    def find() -> list[tuple[str, FaultRule]]:
        return _faults_of_scenario(scenario_of(account)) + [
            (p.id, decode(p.body, FaultRule))
            for p in account.store.policies.having("kind", "fault")
        ]

    return _cached(account, "faults", find)


def armed_faults(account: Account) -> list[tuple[str, FaultRule, tuple[tuple[str, Matcher], ...]]]:
    """Every fault that is on, with its id, and what it wants of a call, compiled once."""
    return _cached(account, "armed", lambda: [(id, f, globs_of(f)) for id, f in faults_of(account)])


def _faults_of_scenario(scenario: Scenario | None) -> list[tuple[str, FaultRule]]:
    told = scenario.faults if scenario else []
    return [(fault.name or f"scenario-{i + 1}", fault) for i, fault in enumerate(told)]


def _count_anew(account: Account, fault_id: str) -> None:
    account.when_written(lambda: account.faults.forget(fault_id))


def push_next_outcome(account: Account, decision: Decision) -> int:
    """Decide the account's next submission; returns how many wait in line. Raises Invalid when
    too many do."""
    with account.transaction():
        if _how_many(account, "next_outcome") >= limits.NEXT_OUTCOMES.most:
            raise invalid("", f"too many wait in line: {limits.NEXT_OUTCOMES}")
        id = _free_id(account, "next", "next_outcome")
        _keep(account, id, "next_outcome", decision)
        return _how_many(account, "next_outcome")


def clear_next_outcomes(account: Account) -> None:
    """Take back every next outcome that waits in line."""
    with account.transaction():
        for policy in account.store.policies.having("kind", "next_outcome"):
            _drop(account, policy.id)


def pop_next_outcome(account: Account) -> Decision | None:
    """The first outcome in line, which is used up; within a transaction."""
    waiting = account.store.policies.having("kind", "next_outcome")
    if not waiting:
        return None
    _drop(account, waiting[0].id)
    return decode(waiting[0].body, Decision)


def _how_many(account: Account, kind: str) -> int:
    return account.store.policies.how_many("kind", kind)


def _free_id(account: Account, word: str, kind: PolicyKind) -> str:
    """The next id of a kind that nothing has been named yet."""
    while True:
        id = f"{word}-{account.ids.next_n(kind)}"
        if _kind_of(account, id) is None and not _is_of_scenario(account, id):
            return id


def _kind_of(account: Account, id: str) -> PolicyKind | None:
    found = account.store.policies.fetch(id)
    return found.kind if found is not None else None


def _is_of_scenario(account: Account, id: str) -> bool:
    return any(id == each for each, _ in _faults_of_scenario(scenario_of(account)))


_PARTS: dict[PolicyKind, type[Any]] = {
    "scenario": Scenario,
    "webhooks": WebhookPolicy,
    "fault": FaultRule,
    "next_outcome": Decision,
}


def trouble_of(policy: Policy) -> str:
    """What keeps a stored policy from being one of its kind; empty when nothing does."""
    if policy.kind == "machine":
        return machines.trouble_of(policy)
    try:
        fitted(decode_json(policy.body), _PARTS[policy.kind])
    except ValueError as error:
        return str(error)
    if not {policy.kind, policy.id}.isdisjoint(_TAKEN) and policy.kind != policy.id:
        return f"'{policy.id[:80]}' is not the id of a policy of kind {policy.kind}"
    return ""


def _keep(account: Account, id: str, kind: PolicyKind, body: Any) -> None:
    before = account.store.policies.fetch(id)
    seq = before.seq if before is not None else account.next_seq()
    text = msgspec.json.encode(body).decode()
    account.store.policies.put(Policy(id=id, seq=seq, kind=kind, body=text))
    account.derived.clear()


def _drop(account: Account, id: str) -> None:
    account.store.policies.drop(id)
    account.derived.clear()


def _one(account: Account, id: str, type_: type[T]) -> T | None:
    policy = account.store.policies.fetch(id)
    return None if policy is None else decode(policy.body, type_)


def _cached(account: Account, key: str, find: Callable[[], T]) -> T:
    if key not in account.derived:
        account.derived[key] = find()
    found: T = account.derived[key]
    return found
