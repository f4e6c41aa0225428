"""The status machine that an account has in use, and what keeps its records in step with it.

In this order: that of the scenario in use, the account's own, the server's; ``account.machine`` is
the answer. The first two are kept whole, as records: they are in the journal, in snapshots, and go
with a reset. After a change every application still has a status of the machine, and waits for the
automatic arrow that leaves it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from plivo_sim.account.account import OWN_MACHINE, SCENARIO_MACHINE, Account
from plivo_sim.account.interfaces import Mark
from plivo_sim.domain.errors import Invalid, Problem, ProblemKind, WrongState
from plivo_sim.domain.machine import Machine, json_of, machine_of
from plivo_sim.domain.records import Application, Policy
from plivo_sim.domain.text import decode_json
from plivo_sim.domain.typed import dotted
from plivo_sim.machines import MachineError, load_machine_data
from plivo_sim.scenarios.complaints import words_in
from plivo_sim.scenarios.validation import mistakes_of
from plivo_sim.services.due import Due, replan

logger = logging.getLogger("plivo_sim")

ChosenBy = Literal["scenario", "account", "server"]


def use_machine(account: Account, machine: Machine) -> Due | None:
    """Make this the account's own machine; a scenario's counts before it. Returns what that did to
    what is due; None when the machine in use is the same as before.

    Raises WrongState for the first application whose status it does not have, and Invalid when the
    scenario in use or a next outcome decides what it does not have; then nothing changed.
    """
    with account.transaction():
        before = account.machine
        _keep(account, OWN_MACHINE, machine)
        return fit(account, before)


def drop_machine(account: Account) -> Due | None:
    """Go back to the server's machine. Returns and raises as ``use_machine``."""
    with account.transaction():
        before = account.machine
        _drop(account, OWN_MACHINE)
        return fit(account, before)


def chosen_by(account: Account) -> ChosenBy:
    """Whose machine is in use: that of the scenario, the account's own, or the server's."""
    with account.lock:
        kept = account.store.policies
        if kept.fetch(SCENARIO_MACHINE) is not None:
            return "scenario"
        return "server" if kept.fetch(OWN_MACHINE) is None else "account"


def keep_scenario_machine(account: Account, machine: Machine | None) -> None:
    """The machine of the scenario that is being put to use, within that transaction; ``fit`` must
    follow."""
    if machine is None:
        _drop(account, SCENARIO_MACHINE)
    else:
        _keep(account, SCENARIO_MACHINE, machine)


def _keep(account: Account, id: str, machine: Machine) -> None:
    before = account.store.policies.fetch(id)
    seq = before.seq if before is not None else account.next_seq()
    account.store.policies.put(Policy(id=id, seq=seq, kind="machine", body=json_of(machine)))
    account.derived.clear()


def _drop(account: Account, id: str) -> None:
    if account.store.policies.fetch(id) is not None:
        account.store.policies.drop(id)
        account.derived.clear()


def machine_in(mark: Mark, default: Machine) -> Machine:
    """The machine in use in stored records; one that cannot be read does not count."""
    for id in (SCENARIO_MACHINE, OWN_MACHINE):
        policy = mark["policies"].get(id)
        if policy is not None and not trouble_of(policy):
            return machine_of(policy.body)
    return default


def trouble_of(policy: Policy) -> str:
    """What keeps a stored machine from being one; empty when nothing does."""
    if policy.id not in (OWN_MACHINE, SCENARIO_MACHINE):
        return f"'{policy.id[:80]}' is not the id of a policy of kind machine"
    try:
        load_machine_data(decode_json(policy.body))
    except MachineError as error:
        return "; ".join(f"{each.path}: {each.text}" for each in error.mistakes[:3])
    except ValueError as error:
        return str(error)
    return ""


# --- records in step with it -----------------------------------------------------------------


def fit(account: Account, before: Machine, verb: str = "change the machine of") -> Due | None:
    """After the machine may have changed, within that transaction: refuse what the records do not
    fit, and have them wait for what the new one makes happen. Returns and raises as
    ``use_machine``. ``verb``: what was asked, and why an application is in its way."""
    machine = account.machine
    if machine == before:
        return None
    for application in account.store.applications.every():
        if application.status not in machine.statuses:
            way_out = _way_out(account, before, machine, application)
            detail = f"machine {machine.name} has no such status; {way_out}"
            row = before.statuses.get(application.status)
            raise WrongState(
                "application", application.id, verb, application.status, detail, row=row
            )
    problems = [
        Problem(ProblemKind.BAD_VALUE, (), text)
        for policy in account.store.policies.every()
        for text in _undecidable(account, policy, machine)
    ]
    if problems:
        raise Invalid(problems)
    due = replan(account)
    text = "account %s has the machine %s now; of what was due: %s"
    account.when_written(lambda: logger.info(text, account.auth_id, machine.name, due))
    return due


_STEERING = {
    "scenario": ("the scenario in use does", "plivo-sim scenario use --none drops it"),
    "next_outcome": (
        "a next outcome that waits in line does",
        "plivo-sim scenario next --clear takes all of them back",
    ),
}
"""What decides submissions to come, and what takes it away, by the kind of its policy."""


def _undecidable(account: Account, policy: Policy, machine: Machine) -> Iterator[str]:
    if policy.kind not in _STEERING:
        return
    what, way_out = _STEERING[policy.kind]
    known = words_in(account.catalogue)
    for path, text in mistakes_of(whole_scenario(policy), [], known, machine):
        place = f"{dotted(path)}: " if policy.kind == "scenario" else ""
        yield f"{what} not fit machine {machine.name}: {place}{text}; {way_out}"


def _way_out(account: Account, before: Machine, machine: Machine, application: Application) -> str:
    """How to get an application out of the way of another machine."""
    open_to = [each for each in before.open_to(application.status) if each in machine.statuses]
    if not open_to:
        return "delete the application first"
    return f"delete the application, or decide it first: {by_hand(account, application, open_to)}"


def by_hand(account: Account, application: Application, statuses: Sequence[str]) -> str:
    """Some statuses, and the command that decides for them."""
    words = ["plivo-sim apps decide", application.id]
    words.append(statuses[0] if len(statuses) == 1 else "STATUS")
    if account.settings.require_account:
        words += ["--account", account.auth_id]
    return f"{', '.join(statuses)} ({' '.join(words)})"


def whole_scenario(policy: Policy) -> Mapping[str, Any]:
    """The scenario in which a stored policy is a part."""
    body: Mapping[str, Any] = decode_json(policy.body)
    if policy.kind == "scenario":
        return body
    parts: dict[str, dict[str, Any]] = {
        "fault": {"faults": [body]},
        "next_outcome": {"default": body},
        "webhooks": {"webhooks": body},
    }
    return {"scenario": "a part of a scenario", **parts[policy.kind]}
