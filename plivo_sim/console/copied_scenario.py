"""What became of an account's applications, as a scenario: a rule for each submission decides it as
it was decided, by whoever, after the same time; the steps submit and correct at the same times.

Made of the applications' timelines, so it needs no call to be known. Steps say what a correction
sends anew, not what it changed; who decided is a rule, not a hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from plivo_sim.account.account import Account
from plivo_sim.domain import limits
from plivo_sim.domain.durations import LONGEST_S, Duration
from plivo_sim.domain.machine import NOTHING, Machine
from plivo_sim.domain.records import Application, Change, EndUser
from plivo_sim.domain.text import encode_json, printable, values_in
from plivo_sim.machines import default_machine
from plivo_sim.scenarios.loader import ScenarioError, load_scenario_data
from plivo_sim.services.policies import faults_of

MOST_APPLICATIONS = 50
MAGIC = "SIM-"
"""What begins a magic value, which would come before the rules."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """What a copy needs of an account, by reference: records do not change. ``applications``: the
    last of those that were submitted, oldest first; ``count``: how many were; ``end_users``: by
    id; ``has_faults``: whether one is on, or struck a call that is kept."""

    auth_id: str
    now: datetime
    machine: Machine
    applications: tuple[Application, ...]
    count: int
    end_users: Mapping[str, EndUser]
    has_faults: bool


def take_submitted(account: Account) -> Submitted:
    """Caller holds the lock."""
    every = [each for each in account.store.applications.every() if each.submitted_at]
    last = tuple(every[-MOST_APPLICATIONS:])
    found = (account.store.end_users.fetch(each.end_user_id) for each in last)
    return Submitted(
        auth_id=account.auth_id,
        now=account.now(),
        machine=account.machine,
        applications=last,
        count=len(every),
        end_users={each.id: each for each in found if each is not None},
        has_faults=bool(faults_of(account)) or any(each.fault for each in account.exchanges),
    )


@dataclass(frozen=True, slots=True)
class _Submission:
    """One submission and what followed until the next: ``changes`` of reviewer and hand."""

    at: datetime
    seq: int
    app: str
    application: Application
    is_first: bool
    changes: tuple[Change, ...]


@dataclass(slots=True)
class _Copy:
    account: Submitted
    notes: list[str] = field(default_factory=list)


def scenario_file(account: Submitted, *, most: int = MOST_APPLICATIONS) -> str:
    """The YAML text, which ``plivo-sim replay`` plays; where that would be too long for a scenario,
    of fewer applications."""
    import yaml  # here because a start needs none

    copy = _Copy(account, ["faults: no call of it fails"] if account.has_faults else [])
    if account.count > most:
        copy.notes.append(f"{account.count - most} applications: only the last {most} are here")
    applications = account.applications[max(0, len(account.applications) - most) :]
    named = {f"app{n}": each for n, each in enumerate(applications, 1)}
    submissions = sorted(
        (each for app, found in named.items() for each in _submissions(account, app, found)),
        key=lambda each: (each.at, each.seq),
    )
    rules = [_rule(copy, n, each) for n, each in enumerate(submissions, 1)]
    data: dict[str, Any] = {
        "scenario": f"What was decided in {account.auth_id}, as it was decided.",
        **_machine(account),
        "rules": [each for each in rules if each],
        "default": {"decide": NOTHING},
        "steps": list(_steps(copy, submissions)),
        "expect": {
            "status": {app: each.status for app, each in named.items()},
            "timeline": {
                app: [change.status for change in each.timeline] for app, each in named.items()
            },
        },
    }
    if most and (_is_too_large(data) or not _is_right(copy, data)):
        return scenario_file(account, most=most // 2)
    expect = {key: each for key, each in data.pop("expect").items() if each}
    data |= {"expect": expect} if expect else {}
    data = {key: each for key, each in data.items() if each}
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)
    head = _head(account, copy.notes, has_steps="steps" in data)
    if len(text) + sum(map(len, head)) > limits.SCENARIO_TEXT.most and most:
        return scenario_file(account, most=most // 2)
    return "".join(f"# {line}\n" for line in head) + text


def _is_too_large(data: Mapping[str, Any]) -> bool:
    """For a scenario, seen before it is checked and written, which takes far longer."""
    text = encode_json(data).decode()
    return (
        len(data["rules"]) > limits.RULES.most
        or len(data["steps"]) > limits.STEPS.most
        or len(text) > limits.SCENARIO_TEXT.most
        or values_in(text) > 2 * limits.SCENARIO_VALUES.most  # which counts those of texts, too
    )


def _head(account: Submitted, notes: Sequence[str], *, has_steps: bool) -> list[str]:
    lines = [f"Made by the console of plivo-sim from the account {account.auth_id}."]
    if has_steps:
        lines += [
            "To play it: plivo-sim replay FILE. Each rule decides one submission, by its number.",
            "Steps submit what the applications hold now; the contents of files are samples.",
        ]
    else:
        lines.append("It has no steps: there is no submission in it.")
    listed = [f"- {printable(note)}" for note in notes]
    return [*lines, "Not carried over:", *listed] if listed else lines


def _machine(account: Submitted) -> dict[str, Any]:
    if account.machine == default_machine():
        return {}
    return {"machine": msgspec.to_builtins(account.machine.file)}


def _submissions(account: Submitted, app: str, application: Application) -> Iterator[_Submission]:
    """Where the client sent it, and what others made of it then."""
    machine = account.machine
    starts = [
        index
        for index, change in enumerate(application.timeline)
        if change.by == "client" and change.status == machine.submitted
    ]
    for n, index in enumerate(starts):
        end = starts[n + 1] if n + 1 < len(starts) else len(application.timeline)
        changes = application.timeline[index + 1 : end]
        yield _Submission(
            at=application.timeline[index].at,
            seq=application.seq,
            app=app,
            application=application,
            is_first=n == 0,
            changes=tuple(each for each in changes if each.by in ("reviewer", "hand")),
        )


def _after(before: datetime, at: datetime) -> str:
    """To the microsecond: order is kept."""
    passed = at - before
    whole = str(Duration(seconds=passed.days * 86400 + passed.seconds))
    return f"{whole}{passed.microseconds / 1000:g}ms" if passed.microseconds else whole


def _advances(now: datetime, at: datetime) -> Iterator[dict[str, Any]]:
    """Steps of at most the longest duration that there is."""
    longest = timedelta(seconds=LONGEST_S)
    while at - now > longest:
        yield {"advance": str(Duration(seconds=LONGEST_S))}
        now += longest
    yield {"advance": _after(now, at)}


def _rule(copy: _Copy, number: int, submission: _Submission) -> dict[str, Any] | None:
    """The rule that decides this submission; None: nobody decided it."""
    if not submission.changes:
        return None
    first, *rest = submission.changes
    rule: dict[str, Any] = {
        "name": f"{submission.app}, submission {number}: {first.status} by {first.by}",
        "when": {"submission": number},
        "decide": first.status,
        "after": _after(submission.at, first.at),
    }
    rule |= {"reason": first.reason} if first.reason else {}
    before, following = first, []
    for each in rest:
        step: dict[str, Any] = {"status": each.status, "after": _after(before.at, each.at)}
        following.append(step | ({"reason": each.reason} if each.reason else {}))
        before = each
    return rule | ({"then": following} if following else {})


def _steps(copy: _Copy, submissions: Sequence[_Submission]) -> Iterator[dict[str, Any]]:
    if not submissions:
        return
    now = submissions[0].at
    for each in submissions:
        if each.at > now:
            yield from _advances(now, each.at)
            now = each.at
        if each.is_first:
            yield {"submit": {"app": each.app, **_submitted(copy, each.application)}}
        else:
            yield {"correct": {"app": each.app}}
    if copy.account.now > now:
        yield from _advances(now, copy.account.now)


def _submitted(copy: _Copy, application: Application) -> dict[str, Any]:
    end_user = copy.account.end_users.get(application.end_user_id)
    given = {
        "country": application.country_iso,
        "number_type": application.number_type.value,
        "user_type": application.user_type.value,
        "alias": _plain(copy, application.alias),
        "name": _plain(copy, end_user.name if end_user else ""),
        "registration_number": (end_user.registration_number if end_user else "") or "",
    }
    return {key: value for key, value in given.items() if value}


def _plain(copy: _Copy, text: str) -> str:
    if MAGIC not in text.upper():
        return text
    note = "magic values in aliases and names: the rules decide instead"
    if note not in copy.notes:
        copy.notes.append(note)
    at = text.upper().index(MAGIC)
    return f"{text[:at]}{text[at + len(MAGIC) :]}" or "case"


def _is_right(copy: _Copy, data: dict[str, Any]) -> bool:
    """Whether it can be played, without the rules that no reviewer could make, such as a suspension
    before a decision: they are left out, and then what was to be expected of their applications."""
    try:
        load_scenario_data(data, machine=copy.account.machine)
    except ScenarioError as error:
        wrong = {_index(each.path) for each in error.mistakes} - {None}
        for index in sorted((each for each in wrong if each is not None), reverse=True):
            rule = data["rules"].pop(index)
            app = rule["name"].partition(",")[0]
            copy.notes.append(f"{rule['name']}: no reviewer can decide that")
            for part in data["expect"].values():
                part.pop(app, None)
        return bool(wrong) and _is_right(copy, data)
    return True


def _index(path: str) -> int | None:
    """The rule that a mistake is in."""
    inside = path.removeprefix("rules[").partition("]")[0]
    return int(inside) if path.startswith("rules[") and inside.isdigit() else None
