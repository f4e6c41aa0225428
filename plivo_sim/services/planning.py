"""Who decides a submission, in one order (DECISIONS 22), and the record of why.

What the request itself asks for, or the next outcome in line; a rule aimed at this application;
a magic value; the scenario's other rules; its default; the account's review delay.
"""

from __future__ import annotations

from plivo_sim.domain.models import Explanation, Step, Verdict
from plivo_sim.domain.review import Asked, Plan, Submission
from plivo_sim.domain.statuses import Status
from plivo_sim.durations import Duration
from plivo_sim.scenarios.deciding import dice_for, plan_of
from plivo_sim.scenarios.magic import magic_decision
from plivo_sim.scenarios.matching import Facts, check, facts_of
from plivo_sim.scenarios.model import Decision, Rule, Scenario
from plivo_sim.services import policies
from plivo_sim.world import World

KEPT_EXPLANATIONS = 20


def plan(world: World, submission: Submission) -> Plan:
    """What the reviewer will do with a submission; keeps why. Within a transaction."""
    facts = facts_of(submission, world.auth_id, world.ids.next_n("submission"))
    verdicts: list[Verdict] = []
    decided = _decide(world, submission, facts, verdicts)
    _explain(world, submission, decided, verdicts)
    return decided


def _decide(world: World, submission: Submission, facts: Facts, verdicts: list[Verdict]) -> Plan:
    def planned(decision: Decision, by: str) -> Plan:
        dice = dice_for(world.settings.seed, by, submission)
        return plan_of(decision, by, default_delay(world, submission), world.now(), dice)

    if submission.asked is not None:
        return _as_asked(submission.asked, default_delay(world, submission))
    waiting = policies.pop_next_outcome(world)
    if waiting is not None:
        return planned(waiting, "next outcome")
    scenario = policies.scenario_of(world)
    rules = named_rules(scenario) if scenario else []
    aimed = [(name, rule) for name, rule in rules if rule.when.application is not None]
    chosen = _first(world, aimed, facts, verdicts)
    if chosen is None and world.settings.magic:
        magic = magic_decision(submission)
        if magic is not None:
            return planned(magic[1], f"magic value {magic[0]}")
    others = [(name, rule) for name, rule in rules if rule.when.application is None]
    chosen = chosen or _first(world, others, facts, verdicts)
    if chosen is not None:
        return planned(chosen[1], f"rule '{chosen[0]}'")
    if scenario is not None and scenario.default is not None:
        return planned(scenario.default, "the scenario's default")
    return default_plan(world, submission)


def _as_asked(asked: Asked, default: Duration) -> Plan:
    by = "the request's own outcome"
    if asked.status is None:
        return Plan(steps=(), decided_by=by)
    after = asked.after if asked.after is not None else default
    step = Step(after=after, status=asked.status, reason=asked.reason, why=by)
    return Plan(steps=(step,), decided_by=by)


def named_rules(scenario: Scenario) -> list[tuple[str, Rule]]:
    """The rules of a story, in their order; one without a name is called by its place."""
    return [(rule.name or f"rule {i}", rule) for i, rule in enumerate(scenario.rules, 1)]


def times_fired(world: World, name: str) -> int:
    """How often the rule of this name has decided in this account."""
    return world.ids.counts.get(f"fired:{name}", 0)


def _first(
    world: World, rules: list[tuple[str, Rule]], facts: Facts, verdicts: list[Verdict]
) -> tuple[str, Rule] | None:
    """The first rule that matches and may still fire; every verdict is noted."""
    for name, rule in rules:
        holds, why, met = check(rule.when, facts)
        fired = times_fired(world, name)
        if holds and rule.times is not None and fired >= rule.times:
            holds, why = False, f"it has fired {fired} of {rule.times} times"
        verdicts.append(Verdict(rule=name, matched=holds, why=why, met=met))
        if holds:
            world.ids.next_n(f"fired:{name}")
            return name, rule
    return None


def default_delay(world: World, submission: Submission) -> Duration:
    """The account's review delay, or the days that the requirement publishes."""
    delay = world.settings.review_delay
    if delay is None:
        return Duration(business_days=submission.requirement.estimated_review_days)
    return delay


def default_plan(world: World, submission: Submission) -> Plan:
    """Accepted after the default delay."""
    delay = default_delay(world, submission)
    why = f"default: accepted after {delay}"
    return Plan(steps=(Step(after=delay, status=Status.ACCEPTED, why=why),), decided_by="default")


def _explain(world: World, submission: Submission, decided: Plan, verdicts: list[Verdict]) -> None:
    application = submission.application
    world.store.explanations.put(
        Explanation(
            id=f"{application.id}/{application.attempt}",
            seq=world.next_seq(),
            application_id=application.id,
            attempt=application.attempt,
            decided_by=decided.decided_by,
            verdicts=tuple(verdicts),
        )
    )
    world.store.explanations.drop(f"{application.id}/{application.attempt - KEPT_EXPLANATIONS}")


def explanations_of(world: World, application_id: str) -> list[Explanation]:
    """Why each attempt of an application was decided as it was, oldest first."""
    return world.store.explanations.having("application_id", application_id)


def forget(world: World, application_id: str) -> None:
    """Drop the explanations of a deleted application."""
    for each in explanations_of(world, application_id):
        world.store.explanations.drop(each.id)
