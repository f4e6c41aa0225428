"""The review: from a submission to what the reviewer does, and when.

Acceptance verifies every document (documented: the page's sample); a refusal that names no
document leaves them pending (invented).

Who decides a submission, in one order (decision "Who decides"), and the record of why.

What the request itself asks for, or the next outcome in line; a rule aimed at this application;
a magic value; the scenario's other rules; its default; the account's review delay.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec.structs import replace

from plivo_sim.account.account import Account
from plivo_sim.domain import limits
from plivo_sim.domain.durations import Duration
from plivo_sim.domain.errors import Problem, ProblemKind, WrongState, invalid
from plivo_sim.domain.machine import Machine
from plivo_sim.domain.records import (
    Application,
    By,
    Change,
    Explanation,
    Pairs,
    StatusChanged,
    Step,
    Timer,
    TimerKind,
    Verdict,
)
from plivo_sim.scenarios.language import Decision, Rule, Scenario
from plivo_sim.scenarios.matching import Facts, check, facts_of
from plivo_sim.scenarios.rules import (
    Plan,
    RequestedOutcome,
    Submission,
    dice_for,
    magic_decision,
    plan_of,
    read_reason,
    unknown_tokens,
)
from plivo_sim.services import machines, policies
from plivo_sim.services.attempts import changed_since_first, sent_of
from plivo_sim.services.document_sets import documents_of
from plivo_sim.services.due import arm, is_undecided
from plivo_sim.services.foresight import Made, foreseen, made_at, stay_of, timer_of
from plivo_sim.services.plans import default_delay, default_plan, set_timer

Decider = Literal["hand", "reviewer"]
MAGIC = "magic value"
BY_HAND = "hand"
"""How what is told of who decided begins, where a tester did."""
AS_REVIEWER = "a tester decided as the reviewer"
_THEN_BY_HAND = ", then by hand"
KEPT_EXPLANATIONS = limits.EXPLANATIONS.most


def plan_review(account: Account, submission: Submission) -> Plan:
    """What the reviewer will do with a submission; keeps why. Within a transaction."""
    sent = sent_of(account.catalogue, submission)
    nth = account.ids.next_n("submission")
    changed = changed_since_first(account, submission.application, sent)
    facts = facts_of(submission, account.auth_id, nth, changed, account.now())
    verdicts: list[Verdict] = []
    ignored: list[Verdict] = []
    decided = _decide(account, submission, facts, verdicts, ignored)
    _explain(account, submission.application, decided, verdicts, sent)
    warnings = (Problem(ProblemKind.BAD_VALUE, (each.rule,), each.why) for each in ignored)
    return replace(decided, warnings=tuple(warnings))


def _decide(
    account: Account,
    submission: Submission,
    facts: Facts,
    verdicts: list[Verdict],
    ignored: list[Verdict],
) -> Plan:
    def planned(decision: Decision, by: str) -> Plan:
        dice = dice_for(account.settings.seed, by, submission)
        return plan_of(decision, by, _delay(account, submission), account.now(), dice)

    if submission.requested is not None:
        return _as_requested(submission.requested, _delay(account, submission))
    waiting = policies.pop_next_outcome(account)
    if waiting is not None:
        return planned(waiting, "next outcome")
    scenario = policies.scenario_of(account)
    rules = named_rules(scenario) if scenario else []
    aimed = [(name, rule) for name, rule in rules if rule.when.application is not None]
    chosen = _first(account, aimed, facts, verdicts)
    if chosen is None and account.settings.magic:
        magic = magic_decision(submission)
        idle = list(unknown_tokens(submission))
        lacks = _lacks(account.machine, magic[1]) if magic is not None else ""
        if magic is not None and lacks:
            idle.append((magic[0], lacks))
        ignored += [Verdict(rule=f"{MAGIC} {it}", matched=False, why=why) for it, why in idle]
        verdicts += ignored
        if magic is not None and not lacks:
            return planned(magic[1], f"{MAGIC} {magic[0]}")
    others = [(name, rule) for name, rule in rules if rule.when.application is None]
    chosen = chosen or _first(account, others, facts, verdicts)
    if chosen is not None:
        return planned(chosen[1], f"rule '{chosen[0]}'")
    if scenario is not None and scenario.default is not None:
        return planned(scenario.default, "the scenario's default")
    return default_plan(account, submission.application, submission.via)


def _delay(account: Account, submission: Submission) -> Duration:
    return default_delay(account, submission.application, submission.via)


def _lacks(machine: Machine, decision: Decision) -> str:
    """What keeps a magic value from deciding: a status or a way that the machine does not have;
    empty when nothing does."""
    statuses = [decision.decide, *(then.status for then in decision.then)]
    if machine.can_decide(*statuses):
        return ""
    unknown = [each for each in statuses if each not in machine.statuses]
    text = f"has no status {unknown[0]}" if unknown else f"has no way to {', '.join(statuses)}"
    return f"decides nothing: machine {machine.name} {text}"


def _as_requested(requested: RequestedOutcome, default: Duration) -> Plan:
    by = "the request's own outcome"
    if requested.status is None:
        return Plan(steps=(), decided_by=by)
    after = requested.after if requested.after is not None else default
    step = Step(after=after, status=requested.status, reason=requested.reason, why=by)
    return Plan(steps=(step,), decided_by=by)


def named_rules(scenario: Scenario) -> list[tuple[str, Rule]]:
    """The rules of a scenario, in their order; one without a name is called by its place."""
    return [(rule.name or f"rule {i}", rule) for i, rule in enumerate(scenario.rules, 1)]


def times_fired(account: Account, name: str) -> int:
    """How often the rule of this name has decided in this account."""
    return account.ids.counts.get(f"fired:{name}", 0)


def _first(
    account: Account, rules: list[tuple[str, Rule]], facts: Facts, verdicts: list[Verdict]
) -> tuple[str, Rule] | None:
    """The first rule that matches and may still fire; every verdict is noted."""
    for name, rule in rules:
        holds, why, met = check(rule.when, facts)
        fired = times_fired(account, name)
        if holds and rule.times is not None and fired >= rule.times:
            holds, why = False, f"it has fired {fired} of {rule.times} times"
        verdicts.append(Verdict(rule=name, matched=holds, why=why, met=met))
        if holds:
            account.ids.next_n(f"fired:{name}")
            return name, rule
    return None


def _explain(
    account: Account,
    application: Application,
    decided: Plan,
    verdicts: list[Verdict],
    sent: Pairs,
) -> None:
    account.store.explanations.put(
        Explanation(
            id=f"{application.id}/{application.attempt}",
            seq=account.next_seq(),
            application_id=application.id,
            attempt=application.attempt,
            decided_by=decided.decided_by,
            verdicts=tuple(verdicts),
            sent=sent,
        )
    )
    too_old = f"{application.id}/{application.attempt - KEPT_EXPLANATIONS}"
    account.store.explanations.drop(too_old)


def explanations_of(account: Account, application_id: str) -> list[Explanation]:
    """Why each attempt of an application was decided as it was, oldest first."""
    return account.store.explanations.having("application_id", application_id)


def forget(account: Account, application_id: str) -> None:
    """Drop the explanations of a deleted application."""
    for each in explanations_of(account, application_id):
        account.store.explanations.drop(each.id)


def schedule(account: Account, submission: Submission) -> Plan:
    """Make the plan for a submission and set the timer of its first step. Returns the plan as it
    will come true in the machine."""
    plan = plan_review(account, submission)
    application = submission.application
    timer = set_timer(account, application.id, plan.steps, application.updated_at)
    coming = foreseen(account, timer) if timer is not None else None
    if coming is None:
        return replace(plan, waits="; the machine leads elsewhere before") if timer else plan
    waits = coming.steps[0].why.removeprefix(plan.steps[0].why)
    return replace(plan, steps=coming.steps, waits=waits)


def run(account: Account, timer: Timer) -> StatusChanged | None:
    """Do what a due timer of a review or of an automatic arrow says, at its own instant, and wait
    for what follows it.

    A step that the machine no longer allows (somebody decided by hand meanwhile) does nothing; one
    that it allows only later, after an automatic arrow or a while, waits for that.
    """
    with account.transaction():
        if account.store.timers.fetch(timer.id) is None:
            return None  # taken back by another of the same instant
        account.store.timers.drop(timer.id)
        application = account.store.applications.fetch(timer.subject_id)
        step, rest = timer.steps[0], timer.steps[1:]
        made = _made_now(account, application, timer) if application is not None else None
        if application is None or made is None:
            return None
        is_automatic = timer.kind is TimerKind.AUTOMATIC
        event = change_status(
            account,
            application,
            step.status,
            at=timer.due_at,
            by="time" if is_automatic else account.machine.taker(application.status, step.status),
            why="; ".join(filter(None, (step.why, *made.waits))),
            reason=step.reason,
            documents=step.documents,
        )
        if is_automatic:
            _forget_overtaken(account, event.application)
        set_timer(account, application.id, rest, timer.due_at)
        return event


def _forget_overtaken(account: Account, application: Application) -> None:
    """Time has led to where what was planned cannot follow."""
    for timer in account.store.timers.having("subject_id", application.id):
        target = timer.steps[0].status if timer.kind is TimerKind.REVIEW else ""
        if target and not account.machine.may_follow(application.status, target):
            account.store.timers.drop(timer.id)


def _made_now(account: Account, application: Application, timer: Timer) -> Made | None:
    """How its step is made, if it can be now; if only later, its timer is set anew. What it waits
    for at its own instant then comes before it."""
    status, target = application.status, timer.steps[0].status
    if timer.kind is TimerKind.AUTOMATIC:
        found = account.machine.automatic(status)
        is_its = found is not None and found[0].to == target
        return Made(timer.due_at, status, ()) if is_its else None
    made = made_at(account, stay_of(account, application), timer.due_at, target)
    if made is None or (made.status == status and made.at <= timer.due_at):
        return made
    if made.at <= timer.due_at and (first := timer_of(account, application, TimerKind.AUTOMATIC)):
        account.agenda.requeue(first)
    id, seq = account.next_identity("timer")
    account.agenda.add(replace(timer, id=id, seq=seq, due_at=made.at))
    return None


def reason_given(text: str | None) -> str | None:
    """The reason of a decision by hand: a text, or that of the preset of this name. Raises Invalid
    for a word that is almost a preset's name, and for what is too long."""
    if len(text or "") > limits.REASON.most:
        raise invalid("reason", f"is too long: {limits.REASON}")
    try:
        return read_reason(text) if text else None
    except ValueError as error:
        raise invalid("reason", str(error)) from None


def decide(
    account: Account,
    application: Application,
    status: str,
    reason: str | None = None,
    by: Decider = "hand",
) -> StatusChanged:
    """A decision now: follows the machine's arrows by hand, or those of the reviewer, whatever
    their ``not_before``; cancels the pending review (decision "Who decides").

    Raises WrongState when the machine has no such arrow, or another takes it; Invalid for a
    status that it does not have, and for a timeline over its limit.
    """
    machine = account.machine
    if status not in machine.statuses:
        raise invalid("status", f"must be one of {', '.join(machine.decidable)}")
    if not machine.allowed(application.status, status, by):
        possible = _possible(account, application, by)
        raise wrong_state(account, application, machine.verb(status), possible)
    check_timeline(application)
    with account.transaction():
        _explain_decision(account, application)
        account.agenda.cancel(application.id)
        return change_status(
            account,
            application,
            status,
            at=account.now(),
            by=by,
            why="a tester decided" if by == "hand" else AS_REVIEWER,
            reason=reason,
        )


def _possible(account: Account, application: Application, by: Decider) -> str:
    """What can be decided now instead."""
    machine, at = account.machine, application.status
    found = [each for each in machine.statuses if machine.allowed(at, each, by)]
    if not found:
        return "nothing can be decided in it"
    if by == "hand":
        return f"possible now: {machines.by_hand(account, application, found)}"
    return f"possible now as the {by}: {', '.join(found)}"


def _explain_decision(account: Account, application: Application) -> None:
    """That this attempt was decided by hand: instead of what was planned, or after it. What was
    never submitted is explained by that alone."""
    found = account.store.explanations.fetch(f"{application.id}/{application.attempt}")
    if found is None:
        found = Explanation(
            id=f"{application.id}/{application.attempt}",
            seq=account.next_seq(),
            application_id=application.id,
            attempt=application.attempt,
            decided_by=BY_HAND,
        )
    elif found.decided_by.startswith(BY_HAND) or found.decided_by.endswith(_THEN_BY_HAND):
        return
    elif is_undecided(application):
        found = replace(found, decided_by=f"{BY_HAND} (planned: {found.decided_by})")
    else:
        found = replace(found, decided_by=f"{found.decided_by}{_THEN_BY_HAND}")
    account.store.explanations.put(replace(found, instead_of=()))


def wrong_state(
    account: Account, application: Application, verb: str, detail: str = ""
) -> WrongState:
    """That the application's status does not let this be done."""
    status = application.status
    row = account.machine.statuses[status]
    return WrongState("application", application.id, verb, status, detail, row=row)


def check_timeline(application: Application) -> None:
    """Raises Invalid when the application has changed so often that nobody may change it again:
    its timeline is written anew with each change (invented). The reviewer's own steps are not
    refused; what one decision leads to has a limit of its own."""
    if len(application.timeline) >= limits.TIMELINE.most:
        raise invalid("", f"the application has changed too often: {limits.TIMELINE}")


def change_status(
    account: Account,
    application: Application,
    status: str,
    *,
    at: datetime,
    by: By,
    why: str,
    reason: str | None = None,
    documents: Pairs = (),
) -> StatusChanged:
    """Move an application along an arrow of the machine, in the running transaction.

    Raises WrongState when ``by`` has no such arrow.
    """
    machine = account.machine
    if not machine.allowed(application.status, status, by):
        raise wrong_state(account, application, machine.verb(status))
    stock = machine.statuses[status].reason
    told = (reason or stock) if stock else None
    accepted = status in machine.linking
    moved = replace(
        application,
        status=status,
        acceptance=account.ids.next_n("acceptance") if accepted else application.acceptance,
        rejection_reason=told,
        reviewed=_reviewed(account, application, status, dict(documents)),
        updated_at=at,
        timeline=(
            *application.timeline,
            Change(at=at, status=status, by=by, why=why, reason=told),
        ),
    )
    account.store.applications.put(moved)
    if machine.automatic(application.status) is not None:
        account.agenda.cancel(application.id, TimerKind.AUTOMATIC)
    arm(account, moved, at)
    event = StatusChanged(
        application=moved, previous=application.status, at=at, by_reviewer=by != "client"
    )
    account.publish(event)
    return event


def _reviewed(
    account: Account, application: Application, status: str, told: dict[str, str]
) -> Pairs:
    """What has been said of each document: acceptance verifies all; else those named change."""
    if status in account.machine.linking:
        return tuple((id, "") for id in application.document_ids)
    if not told:
        return application.reviewed
    own = set(application.document_ids)
    said = {id: reason for id, reason in application.reviewed if id in own}
    for document in documents_of(account, application):
        word = account.catalogue.types_by_id[document.document_type_id].word
        if word in told:
            said[document.id] = told[word]
    return tuple(said.items())
