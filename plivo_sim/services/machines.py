"""The status machine that an account has in use, and what keeps its records in step with it.

In this order: that of the scenario in use, the account's own, the server's; ``account.machine`` is
the answer. The first two are kept whole, as records: they are in the journal, in snapshots, and go
with a reset. After a change every application still has a status of the machine, and waits for the
automatic arrow that leaves it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

from plivo_sim.account.account import OWN_MACHINE, SCENARIO_MACHINE, Account
from plivo_sim.account.interfaces import Mark
from plivo_sim.domain.errors import Invalid, Problem, ProblemKind, WrongState
from plivo_sim.domain.machine import Machine, json_of, machine_of
from plivo_sim.domain.records import Application, Policy, Step, Timer, TimerKind
from plivo_sim.domain.text import decode_json
from plivo_sim.domain.typed import dotted
from plivo_sim.machines import MachineError, load_machine_data
from plivo_sim.scenarios.validation import mistakes_of, words_in

ChosenBy = Literal["scenario", "account", "server"]


def use_machine(account: Account, machine: Machine) -> None:
    """Make this the account's own machine; a scenario's counts before it.

    Raises WrongState for the first application whose status it does not have, and Invalid when the
    scenario in use or a next outcome decides what it does not have; then nothing changed.
    """
    with account.transaction():
        before = account.machine
        _keep(account, OWN_MACHINE, machine)
        fit(account, before)


def drop_machine(account: Account) -> None:
    """Go back to the server's machine. Raises as ``use_machine``."""
    with account.transaction():
        before = account.machine
        _drop(account, OWN_MACHINE)
        fit(account, before)


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


def fit(account: Account, before: Machine) -> None:
    """After the machine may have changed, within that transaction: refuse what the records do not
    fit, and have them wait for what the new one makes happen. Raises as ``use_machine``."""
    machine = account.machine
    if machine == before:
        return
    for application in account.store.applications.every():
        if application.status not in machine.statuses:
            detail = f"machine {machine.name} has no such status"
            row = before.statuses.get(application.status)
            raise WrongState(
                "application", application.id, "change the machine of", application.status, detail,
                row=row,
            )  # fmt: skip
    problems = [
        Problem(ProblemKind.BAD_VALUE, (policy.id, dotted(path)), text)
        for policy in account.store.policies.every()
        for path, text in _undecidable(account, policy, machine)
    ]
    if problems:
        raise Invalid(problems)
    for timer in list(account.store.timers.every()):
        if timer.kind is TimerKind.REVIEW:
            reviewed = account.store.applications.fetch(timer.subject_id)
            if reviewed is None or not machine.may_follow(reviewed.status, timer.steps[0].status):
                account.store.timers.drop(timer.id)
    rearm(account)


def _undecidable(
    account: Account, policy: Policy, machine: Machine
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if policy.kind in ("scenario", "next_outcome"):
        yield from mistakes_of(whole_scenario(policy), [], words_in(account.catalogue), machine)


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


def arm(account: Account, application: Application, entered: datetime) -> None:
    """Wait for the automatic arrow that leaves an application's status, if there is one, within the
    transaction in which the status was entered."""
    timer = _waiting(account, application, entered)
    if timer is not None:
        account.agenda.add(timer)


def _waiting(account: Account, application: Application, entered: datetime) -> Timer | None:
    found = account.machine.automatic(application.status)
    if found is None:
        return None
    arrow, delay = found
    why = f"by itself, {delay} after it was {arrow.from_}"
    id, seq = account.next_identity("timer")
    return Timer(
        id=id,
        seq=seq,
        due_at=delay.after(entered, account.settings.holidays),
        kind=TimerKind.AUTOMATIC,
        subject_id=application.id,
        steps=(Step(after=delay, status=arrow.to, why=why),),
    )


def rearm(account: Account) -> None:
    """Have every application wait for its automatic arrow, counted from when its status was entered
    (what is past due happens at once), and for no other. For records that come from elsewhere: a
    journal or a snapshot that was written with another machine."""
    machine = account.machine
    with account.lock:
        timers = [t for t in account.store.timers.every() if t.kind is TimerKind.AUTOMATIC]
        if not timers and not machine.is_automatic:
            return
        known = {timer.subject_id: timer for timer in timers}
        with account.transaction():
            for status in machine.statuses:
                if machine.automatic(status) is not None:
                    for application in account.store.applications.having("status", status):
                        _rearm(account, application, known.pop(application.id, None))
            for timer in known.values():
                account.store.timers.drop(timer.id)


def entered_at(application: Application) -> datetime:
    """When it got the status that it has."""
    return application.timeline[-1].at if application.timeline else application.created_at


def _rearm(account: Account, application: Application, known: Timer | None) -> None:
    entered = entered_at(application)
    found = account.machine.automatic(application.status)
    assert found is not None
    due_at = found[1].after(entered, account.settings.holidays)
    if known is not None:
        if known.steps[0].status == found[0].to and known.due_at == due_at:
            return
        account.store.timers.drop(known.id)
    arm(account, application, entered)
