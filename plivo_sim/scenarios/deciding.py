"""From a decision in the language to a plan of steps. Pure; dice are drawn, never rolled."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime

from plivo_sim.domain.models import Step
from plivo_sim.domain.review import Plan, Submission
from plivo_sim.domain.statuses import Status
from plivo_sim.durations import Duration, parse_duration
from plivo_sim.ids import draw_fraction
from plivo_sim.scenarios.model import Decision, Delay
from plivo_sim.scenarios.presets import reason_of
from plivo_sim.settings import read_instant

Fraction = Callable[[str], float]


def dice_for(seed: int, rule: str, submission: Submission) -> Fraction:
    """Dice for one submission, drawn from what was submitted (DECISIONS 6)."""
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
