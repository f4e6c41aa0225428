"""Checks what a scenario says: durations, patterns, words, the table's transitions, its steps.

Every part whose shape is right is looked at, so that one pass finds all the mistakes. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from plivo_sim.domain import limits
from plivo_sim.domain.countries import is_country
from plivo_sim.domain.durations import parse_duration
from plivo_sim.domain.machine import NOTHING, Machine, words_of
from plivo_sim.domain.records import NumberType, Origin, UserType
from plivo_sim.domain.requirements import Catalogue
from plivo_sim.domain.typed import Found, Steps, convert, short
from plivo_sim.domain.words import did_you_mean, like_country, like_listed
from plivo_sim.scenarios.language import (
    REFUSING,
    Comparison,
    Correct,
    Decision,
    Delay,
    Expect,
    FaultRule,
    Rule,
    Scalar,
    StepEntry,
    Submit,
    WebhookPolicy,
    When,
)
from plivo_sim.scenarios.patterns import glob, is_glob, regex
from plivo_sim.scenarios.rules import read_reason
from plivo_sim.settings import read_instant

P = TypeVar("P")


class Words(NamedTuple):
    """What a catalogue has words for: types of documents, and countries, code to name."""

    documents: Collection[str]
    countries: Mapping[str, str]


def words_in(catalogue: Catalogue) -> Words:
    """Those of a catalogue."""
    return Words(catalogue.document_words, catalogue.names)


def parts(values: Any, kind: type[P], path: Steps) -> Iterator[tuple[Steps, P]]:
    """Those of the values that have the shape of this part, each with its path."""
    for index, value in enumerate(values if isinstance(values, list) else ()):
        read = part(value, kind)
        if read is not None:
            yield (*path, index), read


def part(value: Any, kind: type[P]) -> P | None:
    """The value as this part of the language; None if it is not one."""
    try:
        return None if value is None else convert(value, kind)
    except msgspec.ValidationError:
        return None


def holds_wrong(path: Steps, wrong: Collection[Steps]) -> bool:
    """Whether something in the part at ``path`` was complained of already."""
    return any(each[: len(path)] == path for each in wrong)


def unread(read: Callable[[str], Any], text: str | None, path: Steps) -> Iterator[Found]:
    """The complaint of a reader about a text; empty texts are not read."""
    if not text:
        return
    try:
        read(text)
    except ValueError as error:
        yield path, str(error)


def unknown_word(word: str, known: Collection[str], what: str, path: Steps) -> Iterator[Found]:
    """A complaint unless the word is one of these, in any case."""
    if word.casefold() not in {each.casefold() for each in known}:
        yield path, f"there is no {what} '{word}'{did_you_mean(word, sorted(known))}"


def _not_one_of(word: str, known: Sequence[str], path: Steps) -> Iterator[Found]:
    """A complaint unless the word is one of these."""
    if word not in known:
        listed = sorted(known)
        yield path, f"{short(word)} is not one of {', '.join(listed)}{like_listed(word, listed)}"


def unknown_preset(text: str, path: Steps) -> Iterator[Found]:
    """A complaint about a reason that looks like a preset's name and is none."""
    yield from unread(read_reason, text, path)


_STEP_COUNTRY = re.compile(r"[A-Z]{2}")

FILE_ENDINGS = (".pdf", ".png")


def step_mistakes(
    data: Mapping[str, Any],
    wrong: Collection[Steps],
    words: Words,
    machine: Machine,
) -> Iterator[Found]:
    """Steps that do nothing or two things, files of unknown documents, names of no application.

    Names are only looked at when the shape of every step is right.
    """
    steps = list(parts(data.get("steps"), StepEntry, ("steps",)))
    for path, step in steps:
        yield from _entry_mistakes(step, path)
        yield from _document_mistakes(step.submit, (*path, "submit"), words)
        yield from _document_mistakes(step.correct, (*path, "correct"), words)
        yield from unread(parse_duration, step.advance, (*path, "advance"))
    end = part(data.get("expect"), Expect)
    expectations = [((*path, "expect"), step.expect) for path, step in steps if step.expect]
    for path, expect in [*expectations, *([(("expect",), end)] if end is not None else [])]:
        yield from _expect_mistakes(expect, path)
        yield from _word_mistakes(expect, path, machine)
    if not holds_wrong(("steps",), wrong) and len(steps) == len(data.get("steps") or ()):
        yield from _name_mistakes(steps, end)


def _entry_mistakes(step: StepEntry, path: Steps) -> Iterator[Found]:
    given = [name for name in StepEntry.__struct_fields__ if getattr(step, name) is not None]
    if len(given) != 1 or step.advance == "":
        yield path, f"give one of {', '.join(StepEntry.__struct_fields__)}"


def _document_mistakes(step: Correct | None, path: Steps, words: Words) -> Iterator[Found]:
    if step is None:
        return
    if isinstance(step, Submit) and not _STEP_COUNTRY.fullmatch(step.country):
        text = f"'{step.country}' is no country code of two capital letters"
        yield (*path, "country"), text + like_country(step.country, words.countries)
    for word, name in step.files.items():
        here = (*path, "files", word)
        yield from unknown_word(word, words.documents, "document type", here)
        if not name.lower().endswith(FILE_ENDINGS):
            yield here, f"'{name}' must end in {' or '.join(FILE_ENDINGS)}"


def _country_mistakes(text: str, words: Words, path: Steps) -> Iterator[Found]:
    """A complaint about what is the code of no country: such a condition never holds."""
    if not _COUNTRY.fullmatch(text):
        told = f"'{text}' is no country code of two letters"
        yield path, told + like_country(text, words.countries)
    elif text.upper() not in words.countries and not is_country(text.upper()):
        yield path, f"there is no country '{text}'{like_country(text, words.countries)}"


def _expect_mistakes(expect: Expect, path: Steps) -> Iterator[Found]:
    if expect == Expect():
        yield path, "expects nothing"
    for app, reasons in expect.reasons.items():
        for index, reason in enumerate(reasons):
            yield from unknown_preset(reason, (*path, "reasons", app, index))


def _word_mistakes(expect: Expect, path: Steps, machine: Machine) -> Iterator[Found]:
    words = words_of(machine)
    for app, status in expect.status.items():
        yield from _not_one_of(status, words["ends"], (*path, "status", app))
    for app, timeline in expect.timeline.items():
        for index, status in enumerate(timeline):
            yield from _not_one_of(status, words["statuses"], (*path, "timeline", app, index))
    for index, status in enumerate(expect.callbacks or ()):
        yield from _not_one_of(status, words["callbacks"], (*path, "callbacks", index))


def _name_mistakes(steps: list[tuple[Steps, StepEntry]], end: Expect | None) -> Iterator[Found]:
    """Applications that no step before has submitted."""
    submitted: list[str] = []
    for path, step in steps:
        if step.submit is not None:
            submitted.append(step.submit.app)
        elif step.correct is not None:
            yield from _unfiled(step.correct.app, submitted, (*path, "correct", "app"))
        elif step.get is not None:
            yield from _unfiled(step.get, submitted, (*path, "get"))
        elif step.expect is not None:
            yield from _unfiled_in(step.expect, submitted, (*path, "expect"))
    if end is not None and not steps:
        yield ("expect",), "there are no steps that could lead to it"
    elif end is not None:
        yield from _unfiled_in(end, submitted, ("expect",))


def _unfiled_in(expect: Expect, submitted: list[str], path: Steps) -> Iterator[Found]:
    for name in ("status", "timeline", "reasons"):
        for app in getattr(expect, name):
            yield from _unfiled(app, submitted, (*path, name, app))


def _unfiled(app: str, submitted: list[str], path: Steps) -> Iterator[Found]:
    if app not in submitted:
        yield path, f"no step before submits '{app}'{did_you_mean(app, submitted)}"


APIS = ("new", "legacy", "atoms")

FAULT_APIS = (*APIS, "numbers", "plivo-for-atoms")

OPERATIONS = tuple(
    f"{api}.{what}"
    for api, names in {
        "atoms": "refresh requirements resubmit status submit",
        "compliance": "create delete download get list numbers.link requirements update",
        "legacy": "create_application create_document create_end_user delete_application"
        " delete_document delete_end_user get_application get_document get_document_type"
        " get_end_user get_requirement list_applications list_document_types list_documents"
        " list_end_users look_up_requirement submit_application update_application"
        " update_document update_end_user",
        "numbers": "get list release rent search update",
    }.items()
    for what in names.split()
)
"""What the imitated APIs can be asked to do, as faults name it."""

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

_WORDS: dict[str, tuple[str, ...]] = {
    "number_type": tuple(NumberType),
    "user_type": tuple(UserType),
    "api": APIS,
    "dialect": tuple(Origin),
}

_COUNTED = ("attempt", "submission")

_COUNTRY = re.compile(r"[A-Za-z]{2}")


def mistakes_of(
    data: Any, wrong: Collection[Steps], words: Words, machine: Machine
) -> Iterator[Found]:
    """The mistakes in what ``data`` says, out of which the keys of ``wrong`` were taken."""
    if not isinstance(data, Mapping):
        return
    rules = list(parts(data.get("rules"), Rule, ("rules",)))
    for path, rule in rules:
        yield from _decision_mistakes(rule, path, wrong, words, machine)
        yield from _when_mistakes(rule.when, (*path, "when"), words)
    yield from _regexes_together(rules)
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
        yield from _not_one_of(decision.decide, machine.outcomes, (*path, "decide"))
    if isinstance(decision.after, str):
        yield from unread(parse_duration, decision.after, (*path, "after"))
    elif decision.after is not None:
        yield from _delay_mistakes(decision.after, (*path, "after"))
    if not holds_wrong(path, wrong):
        yield from _idle_keys(decision, path, machine)
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


def _idle_keys(decision: Decision, path: Steps, machine: Machine) -> Iterator[Found]:
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
        unknown = list(_not_one_of(then.status, machine.following, (*here, "status")))
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


# --- conditions ------------------------------------------------------------------------------


def _when_mistakes(when: When, path: Steps, words: Words, depth: int = 0) -> Iterator[Found]:
    if depth > limits.CONDITION_DEPTH.most:
        yield path, f"is nested too deeply: {limits.CONDITION_DEPTH}"
        return
    for name in When.__struct_fields__:
        test = getattr(when, name)
        if test is None or name in ("any", "all", "not_", "data_fields"):
            continue
        yield from _test_mistakes(test, (*path, name))
        for value in _values(test):
            yield from _value_mistakes(name, value, (*path, name), words)
    for key, test in (when.data_fields or {}).items():
        yield from _test_mistakes(test, (*path, "data_fields", key))
    for name in ("any", "all"):
        inner = getattr(when, name)
        if inner == []:
            yield (*path, name), "is empty"
        for index, each in enumerate(inner or ()):
            yield from _when_mistakes(each, (*path, name, index), words, depth + 1)
    if when.not_ is not None:
        yield from _when_mistakes(when.not_, (*path, "not"), words, depth + 1)


def _regexes_together(rules: Sequence[tuple[Steps, Rule]]) -> Iterator[Found]:
    """A complaint about the rule with which the regexes of all are too much for one submission."""
    steps = 0
    for path, rule in rules:
        steps += sum(map(_size_of, _regexes_of(rule.when)))
        if steps > limits.ALL_REGEX_STEPS.most:
            yield path, f"the regexes up to here have {steps} steps: {limits.ALL_REGEX_STEPS}"
            return


def _regexes_of(when: When) -> Iterator[str]:
    tests = [getattr(when, name) for name in When.__struct_fields__]
    for test in (*tests, *(when.data_fields or {}).values()):
        if isinstance(test, Comparison) and test.regex is not None:
            yield test.regex
    for each in (*(when.any or ()), *(when.all or ()), *((when.not_,) if when.not_ else ())):
        yield from _regexes_of(each)


def _size_of(text: str) -> int:
    try:
        return regex(text).size
    except ValueError:
        return 0


def _test_mistakes(test: Any, path: Steps) -> Iterator[Found]:
    if test == []:
        yield path, "an empty list matches nothing"
    for text in _texts(test):
        if len(text) > limits.GLOB.most:
            yield path, f"a text of {len(text)} characters: {limits.GLOB}"
    if not isinstance(test, Comparison):
        return
    if test == Comparison():
        yield path, "compares with nothing"
    if test.one_of == []:
        yield (*path, "one_of"), "an empty list matches nothing"
    yield from unread(regex, test.regex, (*path, "regex"))
    if test.at_least is not None and test.at_most is not None and test.at_least > test.at_most:
        yield path, f"nothing is at least {test.at_least:g} and at most {test.at_most:g}"


def _texts(test: Any) -> Iterator[str]:
    """Every text that a test compares with, the regex apart."""
    if isinstance(test, Comparison):
        test = [test.is_, test.glob, test.has, *(test.one_of or ())]
    return (each for each in (test if isinstance(test, list) else [test]) if isinstance(each, str))


def _values(test: Any) -> Iterator[Scalar]:
    """The plain values that a test compares with, globs apart."""
    if isinstance(test, Comparison):
        values = [*([test.is_] if test.is_ is not None else ()), *(test.one_of or ())]
    else:
        values = test if isinstance(test, list) else [test]
    return (value for value in values if not (isinstance(value, str) and is_glob(value)))


def _value_mistakes(name: str, value: Scalar, path: Steps, words: Words) -> Iterator[Found]:
    """A value that this fact can never have."""
    text = str(value)
    if name in _WORDS:
        yield from unknown_word(text, _WORDS[name], name.replace("_", " "), path)
    elif name == "document_types":
        yield from unknown_word(text, words.documents, "document type", path)
    elif name == "country":
        yield from _country_mistakes(text, words, path)
    elif name in _COUNTED and not (text.isascii() and text.isdecimal() and int(text) >= 1):
        yield path, f"{text} is no {name}; they count from 1"


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
    for name in _FACTS:
        yield from unknown_in_calls(name, getattr(fault, name), (*path, name))
    if not fault.path.startswith(("/", "*", "?", "[")):
        yield (*path, "path"), "can match nothing: paths begin with /"


_FACTS = {"api": FAULT_APIS, "operation": OPERATIONS, "method": METHODS}


def unknown_in_calls(name: str, wanted: str, path: Steps) -> Iterator[Found]:
    """A complaint about a word or a glob that no call can have for its ``api``, ``operation`` or
    ``method``."""
    known = _FACTS[name]
    if not is_glob(wanted):
        yield from unknown_word(wanted, known, name, path)
    elif not any(map(glob(wanted), known)):
        yield path, f"'{wanted}' matches no {name}{did_you_mean(wanted, known)}"
