"""Does a rule match a submission, and if not, why not. Pure.

From a decision in the language to a plan of steps. Pure; dice are drawn, never rolled.
"""

from __future__ import annotations

import fnmatch
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from plivo_sim.domain.durations import Duration, parse_duration
from plivo_sim.domain.ids import draw_fraction
from plivo_sim.domain.records import Origin, Step
from plivo_sim.domain.review import Plan, Submission
from plivo_sim.domain.statuses import Status
from plivo_sim.scenarios.language import Comparison, Decision, Delay, Scalar, When
from plivo_sim.scenarios.magic import reason_of
from plivo_sim.settings import read_instant

Fraction = Callable[[str], float]


def dice_for(seed: int, rule: str, submission: Submission) -> Fraction:
    """Dice for one submission, drawn from what was submitted (decision "Seeded ids and dice")."""
    application = submission.application
    return lambda purpose: draw_fraction(
        seed,
        rule,
        purpose,
        application.alias,
        submission.end_user.name,
        application.country_iso,
        application.number_type,
        application.user_type,
        application.attempt,
    )


def plan_of(
    decision: Decision, decided_by: str, default: Duration, now: datetime, dice: Fraction
) -> Plan:
    """The steps that a decision leads to. ``default``: the delay when it names none."""
    if decision.decide == "nothing":
        return Plan(steps=(), decided_by=decided_by)
    first = Step(
        after=delay_of(decision, default, now, dice),
        status=Status(decision.decide),
        reason=reason_text(decision),
        why=decided_by,
        documents=tuple(
            (word, reason_of(verdict.reason) if verdict.status == "rejected" else "")
            for word, verdict in decision.documents.items()
        ),
    )
    following = tuple(
        Step(
            after=parse_duration(then.after),
            status=Status(then.status),
            reason=reason_of(then.reason) or None,
            why=decided_by,
        )
        for then in decision.then
    )
    return Plan(steps=(first, *following), decided_by=decided_by)


def reason_text(decision: Decision) -> str | None:
    """All the reasons as one text; those of rejected documents when none is given."""
    given = [text for text in (decision.reason, *decision.reasons) if text]
    if not given:
        given = [v.reason for v in decision.documents.values() if v.reason]
    return " ".join(reason_of(text) for text in given) or None


def delay_of(decision: Decision, default: Duration, now: datetime, dice: Fraction) -> Duration:
    """How long after the submission the decision falls."""
    after = decision.after
    if after is None:
        return default
    if isinstance(after, str):
        return parse_duration(after)
    if after.at is not None:
        ahead_s = (read_instant(after.at) - now).total_seconds()
        return Duration(seconds=max(ahead_s, 0.0))
    return Duration(seconds=spread_s(after, dice))


def spread_s(spread: Delay, dice: Fraction) -> float:
    """Seconds: even between two durations, or normal about one (never negative)."""
    if spread.between is not None:
        low, high = (parse_duration(text).seconds for text in spread.between)
        return low + (high - low) * dice("delay")
    mean = parse_duration(spread.about or "0").seconds
    deviation = parse_duration(spread.give_or_take or "0").seconds
    # Box-Muller, from two drawn fractions
    radius = math.sqrt(-2 * math.log(1 - dice("radius")))
    return max(mean + deviation * radius * math.cos(2 * math.pi * dice("angle")), 0.0)


Facts = Mapping[str, Any]


_APIS = {Origin.LEGACY: "legacy", Origin.ATOMS: "atoms"}


_LEAVES = tuple(
    name for name in When.__struct_fields__ if name not in ("any", "all", "not_", "data_fields")
)


def facts_of(submission: Submission, account: str, nth: int) -> Facts:
    """What a rule can ask about. ``nth``: which submission of the account this is, from 1."""
    application, requirement = submission.application, submission.requirement
    words = {type_.id: type_.word for type_ in requirement.document_types}
    return {
        "country": application.country_iso,
        "number_type": application.number_type.value,
        "user_type": application.user_type.value,
        "api": _APIS.get(submission.via, "new"),
        "dialect": submission.via.value,
        "alias": application.alias,
        "name": submission.end_user.name,
        "registration_number": submission.end_user.registration_number,
        "document_types": [
            words.get(d.document_type_id, d.document_type_id) for d in submission.documents
        ],
        "file_names": [d.file.name for d in submission.documents if d.file is not None],
        "data_fields": {k: v for d in submission.documents for k, v in d.data_fields},
        "account": account,
        "application": application.id,
        "attempt": application.attempt,
        "submission": nth,
    }


def check(when: When, facts: Facts) -> tuple[bool, str, int]:
    """Whether every condition holds, the first that does not, and how many held before it."""
    met = 0
    for holds, told in _conditions(when, facts):
        if not holds:
            return False, told, met
        met += 1
    return True, "every condition holds" if met else "it has no conditions", met


def _conditions(when: When, facts: Facts) -> Sequence[tuple[bool, str]]:
    found: list[tuple[bool, str]] = []
    for name in _LEAVES:
        test = getattr(when, name)
        if test is not None:
            found.append(_leaf(name, test, facts[name]))
    for key, test in (when.data_fields or {}).items():
        found.append(_leaf(f"data field {key}", test, facts["data_fields"].get(key)))
    if when.any is not None:
        told = "; ".join(check(each, facts)[1] for each in when.any)
        found.append((any(check(each, facts)[0] for each in when.any), f"none of any: {told}"))
    for each in when.all or ():
        holds, told, _ = check(each, facts)
        found.append((holds, told))
    if when.not_ is not None:
        found.append((not check(when.not_, facts)[0], "what must not hold does"))
    return found


def _leaf(name: str, test: Any, value: Any) -> tuple[bool, str]:
    shown = ", ".join(map(str, value)) if isinstance(value, list) else value
    return _holds(test, value), f"{name} is {_quoted(shown)}, wanted {wanted_text(test)}"


def _holds(test: Any, value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    if isinstance(test, Comparison):
        return _compares(test, values)
    tests = test if isinstance(test, list) else [test]
    return any(_equals(each, one) for each in tests for one in values)


def _equals(test: Scalar, value: Any) -> bool:
    """Text compares without case, and as a glob; numbers as numbers."""
    if isinstance(test, str) and isinstance(value, str):
        return fnmatch.fnmatchcase(value.casefold(), test.casefold())
    if value is None:
        return False
    return bool(str(test) == str(value))


def _compares(test: Comparison, values: list[Any]) -> bool:
    given = [value for value in values if value not in (None, "")]
    checks = [
        test.missing is None or test.missing is (not given),
        test.is_ is None or any(str(test.is_).casefold() == str(v).casefold() for v in given),
        test.glob is None or any(_equals(test.glob, value) for value in given),
        test.regex is None or any(re.search(test.regex, str(value)) for value in given),
        test.one_of is None or any(_equals(t, value) for t in test.one_of for value in given),
        test.has is None or any(test.has.casefold() in str(value).casefold() for value in given),
        test.at_least is None or any(_number(v) >= test.at_least for v in given),
        test.at_most is None or any(_number(v) <= test.at_most for v in given),
    ]
    return all(checks)


def _number(value: Any) -> float:
    try:
        return float(value)
    except ValueError:
        return float("nan")


def wanted_text(test: Any) -> str:
    """A condition as a person would read it."""
    if isinstance(test, Comparison):
        parts = msgspec.to_builtins(test)
        return " and ".join(_part_text(key, value) for key, value in parts.items())
    if isinstance(test, list):
        return " or ".join(_quoted(each) for each in test)
    return _quoted(test)


def _part_text(key: str, value: Any) -> str:
    if key == "missing":
        return "missing" if value else "given"
    if isinstance(value, list):
        value = wanted_text(value)
    return f"{key.replace('_', ' ')} {f'{value:g}' if isinstance(value, float) else value}"


def _quoted(value: Any) -> str:
    return "missing" if value in (None, "") else f"'{value}'" if isinstance(value, str) else (
        str(value)
    )  # fmt: skip
