"""Checks what a scenario says: durations, patterns, words, the table's transitions, its steps.

Every part whose shape is right is looked at, so that one pass finds all the mistakes. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from plivo_sim.domain.durations import parse_duration
from plivo_sim.domain.machine import NOTHING, Machine
from plivo_sim.domain.typed import Found, Steps
from plivo_sim.domain.words import did_you_mean
from plivo_sim.scenarios.complaints import (
    Words,
    holds_wrong,
    not_one_of,
    part,
    parts,
    unknown_preset,
    unknown_word,
    unread,
)
from plivo_sim.scenarios.conditions import APIS, condition_mistakes, regexes_together
from plivo_sim.scenarios.globs import glob, is_glob
from plivo_sim.scenarios.impossible import Search
from plivo_sim.scenarios.language import (
    REFUSING,
    Decision,
    Delay,
    FaultRule,
    Rule,
    WebhookPolicy,
)
from plivo_sim.scenarios.operations import ELSEWHERE, METHODS, OPERATIONS, can_fit, operations_like
from plivo_sim.scenarios.steps import step_mistakes
from plivo_sim.settings import read_instant

_OF_ATOMS = "plivo-for-atoms"
FAULT_APIS = (*APIS, "numbers", _OF_ATOMS)


def mistakes_of(
    data: Any, wrong: Collection[Steps], words: Words, machine: Machine
) -> Iterator[Found]:
    """The mistakes in what ``data`` says, out of which the keys of ``wrong`` were taken."""
    if not isinstance(data, Mapping):
        return
    rules = list(parts(data.get("rules"), Rule, ("rules",)))
    too_much = list(regexes_together(rules))
    search = Search(words)
    for path, rule in rules:
        yield from _decision_mistakes(rule, path, wrong, words, machine)
        found = list(condition_mistakes(rule.when, (*path, "when"), words))
        yield from found
        if not found and not too_much:
            yield from search.in_condition(rule.when, (*path, "when"))
    yield from too_much
    yield from _same_names([(path, rule.name) for path, rule in rules])
    default = part(data.get("default"), Decision)
    if default is not None:
        yield from _decision_mistakes(default, ("default",), wrong, words, machine)
    policy = part(data.get("webhooks"), WebhookPolicy)
    if policy is not None:
        yield from _policy_mistakes(policy)
    faults = list(parts(data.get("faults"), FaultRule, ("faults",)))
    for path, fault in faults:
        yield from _fault_mistakes(fault, path, data["faults"][path[-1]])
    yield from _same_names([(path, fault.name) for path, fault in faults])
    yield from step_mistakes(data, wrong, words, machine)


def _same_names(named: Sequence[tuple[Steps, str]]) -> Iterator[Found]:
    seen: set[str] = set()
    for path, name in named:
        if name and name in seen:
            yield (*path, "name"), f"'{name}' is taken by one before"
        seen.add(name)


# --- decisions -------------------------------------------------------------------------------


def _decision_mistakes(
    decision: Decision,
    path: Steps,
    wrong: Collection[Steps],
    words: Words,
    machine: Machine,
) -> Iterator[Found]:
    if (*path, "decide") not in wrong:
        yield from not_one_of(decision.decide, machine.outcomes, (*path, "decide"))
    if isinstance(decision.after, str):
        yield from unread(parse_duration, decision.after, (*path, "after"))
    elif decision.after is not None:
        yield from _delay_mistakes(decision.after, (*path, "after"))
    if not holds_wrong(path, wrong):
        yield from idle_keys(decision, path, machine)
    yield from unknown_preset(decision.reason, (*path, "reason"))
    for index, reason in enumerate(decision.reasons):
        yield from unknown_preset(reason, (*path, "reasons", index))
    for word, verdict in decision.documents.items():
        here = (*path, "documents", word)
        yield from unknown_word(word, words.documents, "document type", here)
        yield from unknown_preset(verdict.reason, (*here, "reason"))
        if verdict.status == "verified" and verdict.reason:
            yield (*here, "reason"), "nobody is told the reason of a verified document"
    chained = not holds_wrong((*path, "then"), wrong) and (*path, "decide") not in wrong
    yield from _then_mistakes(decision, path, chained, machine)


def _takes_reason(status: str, machine: Machine) -> bool:
    """Whether somebody is told one; of a status that there is not, nothing is known."""
    row = machine.statuses.get(status)
    return status != NOTHING and (row is None or bool(row.reason))


def idle_keys(decision: Decision, path: Steps, machine: Machine) -> Iterator[Found]:
    """Keys that this kind of decision would silently leave unused."""
    if not _takes_reason(decision.decide, machine):
        for key in ("reason", "reasons"):
            if getattr(decision, key):
                yield (*path, key), f"nobody is told a reason when '{decision.decide}' is decided"
    if decision.decide == NOTHING:
        for key in ("after", "documents"):
            if getattr(decision, key):
                yield (*path, key), "has no effect when nothing is decided"
    elif decision.decide in machine.linking and any(
        verdict.status == "rejected" for verdict in decision.documents.values()
    ):
        yield (*path, "documents"), "acceptance verifies every document; none can be rejected"


def _then_mistakes(
    decision: Decision, path: Steps, chained: bool, machine: Machine
) -> Iterator[Found]:
    """``chained``: the decision and every step after it have the right shape, so the arrows tell,
    as far as the statuses are known."""
    current = None if decision.decide == NOTHING else decision.decide
    for index, then in enumerate(decision.then):
        here = (*path, "then", index)
        yield from unread(parse_duration, then.after, (*here, "after"))
        unknown = list(not_one_of(then.status, machine.following, (*here, "status")))
        yield from unknown
        known = not unknown and (current is None or current in machine.statuses)
        if chained and known and (current is None or not machine.may_follow(current, then.status)):
            yield (*here, "status"), f"{then.status} cannot follow {current or NOTHING}"
        current = then.status
        yield from unknown_preset(then.reason, (*here, "reason"))
        if then.reason and not _takes_reason(current, machine):
            yield (*here, "reason"), f"nobody is told a reason when '{current}' is decided"


def _delay_mistakes(delay: Delay, path: Steps) -> Iterator[Found]:
    if sum(each is not None for each in (delay.at, delay.between, delay.about)) != 1:
        yield path, "give one of at, between, about"
    if delay.give_or_take is not None and delay.about is None:
        yield (*path, "give_or_take"), "belongs to 'about'"
    yield from unread(read_instant, delay.at, (*path, "at"))
    for index, text in enumerate(delay.between or ()):
        yield from unread(_seconds, text, (*path, "between", index))
    for key in ("about", "give_or_take"):
        yield from unread(_seconds, getattr(delay, key), (*path, key))
    if delay.between is not None:
        yield from unread(lambda _: _in_order(*delay.between or ()), "?", (*path, "between"))


def _seconds(text: str) -> float:
    duration = parse_duration(text)
    if duration.business_days:
        raise ValueError(f"{text!r}: a spread needs plain durations (48h), no business days")
    return duration.seconds


def _in_order(low: str, high: str) -> None:
    try:
        ordered = _seconds(low) <= _seconds(high)
    except ValueError:
        return
    if not ordered:
        raise ValueError(f"{low} is longer than {high}")


# --- callbacks and calls ---------------------------------------------------------------------


def _policy_mistakes(policy: WebhookPolicy) -> Iterator[Found]:
    yield from unread(parse_duration, policy.delay, ("webhooks", "delay"))
    yield from unread(parse_duration, policy.age, ("webhooks", "age"))
    for index, text in enumerate(policy.retries or ()):
        yield from unread(parse_duration, text or "?", ("webhooks", "retries", index))
    if policy.success == []:
        yield ("webhooks", "success"), "is empty: no answer would do"


def _fault_mistakes(fault: FaultRule, path: Steps, given: Mapping[str, Any]) -> Iterator[Found]:
    if fault.effect != "error" and "status" in given:
        yield (*path, "status"), f"has no effect with '{fault.effect}', only with 'error'"
    if fault.effect not in REFUSING and fault.message:
        told = ", ".join(f"'{each}'" for each in REFUSING)
        yield (*path, "message"), f"has no effect with '{fault.effect}', only with {told}"
    if fault.effect == "slow" and not fault.latency_s:
        yield path, "a slow answer needs latency_s"
    yield from _never_called(fault, path)


def _never_called(fault: FaultRule, path: Steps) -> Iterator[Found]:
    """What of a fault no call can have: each alone, else one beside the other."""
    unknown = [
        found
        for name in _FACTS
        for found in unknown_in_calls(name, getattr(fault, name), (*path, name))
    ]
    yield from unknown
    if not fault.path.startswith(("/", "*", "?", "[")):
        yield (*path, "path"), "can match nothing: paths begin with /"
    elif not any(can_fit(fault.path, each) for each in ELSEWHERE):
        yield (*path, "path"), "can match nothing: no imitated API has such a path"
    elif unknown:
        return
    elif not (apis := _apis_hit(fault.api)):
        only = f"only the very word '{_OF_ATOMS}' hits those calls"
        yield (*path, "api"), f"can match nothing: {only}"
    elif fault.operation != "*":
        never = f"can match nothing: '{fault.operation}' is"
        if not operations_like(fault.operation, fault.method):
            yield (*path, "method"), f"{never} not called by '{fault.method}'"
        elif not operations_like(fault.operation, fault.method, fault.path):
            yield (*path, "path"), f"{never} at another path"
        elif apis.isdisjoint(_apis_of(fault.operation)):
            yield (*path, "api"), f"{never} none of '{fault.api}'"


def _apis_hit(wanted: str) -> set[str]:
    if wanted.casefold() == _OF_ATOMS:
        return {_OF_ATOMS}
    return {each for each in FAULT_APIS if each != _OF_ATOMS and glob(wanted)(each)}


def _apis_of(operation: str) -> Iterator[str]:
    for each in operations_like(operation):
        api = each.partition(".")[0]
        yield from ("new", _OF_ATOMS) if api == "compliance" else (api,)


_FACTS = {"api": FAULT_APIS, "operation": OPERATIONS, "method": METHODS}


def unknown_in_calls(name: str, wanted: str, path: Steps) -> Iterator[Found]:
    """A complaint about a word or a glob that no call can have for its ``api``, ``operation`` or
    ``method``."""
    known = _FACTS[name]
    if not is_glob(wanted):
        yield from unknown_word(wanted, known, name, path)
    elif not any(map(glob(wanted), known)):
        yield path, f"'{wanted}' matches no {name}{did_you_mean(wanted, known)}"
