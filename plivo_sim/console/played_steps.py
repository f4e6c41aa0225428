"""What the page shows of a step of a play: what it does, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from plivo_sim.account.account import Account
from plivo_sim.console.pages import readable, row_of
from plivo_sim.console.plays import Play
from plivo_sim.control.presenters import explained
from plivo_sim.domain.records import standing
from plivo_sim.scenarios.language import Expect, StepEntry
from plivo_sim.services import reviews

if TYPE_CHECKING:
    from plivo_sim.client.observations import Check, Event
    from plivo_sim.client.replay import Played

MOST_RULES = 10


def step_in_words(step: StepEntry) -> str:
    """What a step does, in a sentence."""
    if step.advance is not None:
        return f"Let {step.advance} pass"
    if step.get is not None:
        return f"Read {step.get}, as its owner would"
    if step.expect is not None:
        return f"Check: {'; '.join(expected_in_words(step.expect))}"
    sent = step.submit or step.correct
    assert sent is not None
    given = msgspec.to_builtins(sent)
    details = [_detail(key, value) for key, value in given.items() if key != "app"]
    if step.correct is not None and not details:
        return f"Submit {sent.app} again as it was"
    verb = "Submit" if step.submit is not None else "Correct"
    return f"{verb} {sent.app}" + (f": {'; '.join(details)}" if details else "")


def _detail(key: str, value: Any) -> str:
    told = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
    return f"{key.replace('_', ' ')} {told}"


def expected_in_words(expect: Expect) -> list[str]:
    """What is expected, a clause each."""
    return [_expected(key, value) for key, value in msgspec.to_builtins(expect).items()]


def _expected(key: str, value: Any) -> str:
    if isinstance(value, dict):
        told = ", ".join(f"{name} {_listed(each)}" for name, each in value.items())
    else:
        told = _listed(value)
    return f"{key} {told}"


def _listed(value: Any) -> str:
    return (", ".join(map(str, value)) or "none") if isinstance(value, list) else str(value)


def shown(account: Account, play: Play, done: Played) -> dict[str, Any]:
    """What the page shows of a step that was played, as plain values."""
    index = len(play.shown)
    steps = play.scenario.steps
    made = [each for each in account.exchanges if each.id not in play.known]
    return {
        "title": step_in_words(steps[index]) if index < len(steps) else "At the end",
        "now": account.now(),
        "calls": [_call(row_of(each)) for each in made if each.url and "/v1/" in each.url],
        "changes": [_fact(each) for each in done.events if each.type == "transition"],
        "callbacks": [_fact(each) for each in done.events if each.type == "callback"],
        "failures": [
            each.facts["error"]
            for each in done.events
            if each.type == "request" and "error" in each.facts
        ],
        "checks": list(map(_check, done.checks)),
        "ok": all(each.ok for each in done.checks),
        "decided": list(_decided(account, play)),
    }


def _call(row: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: row[key] for key in ("id", "method", "target", "status", "fault")}
    return kept | {"answer": readable(row["answer"])}


def _fact(event: Event) -> dict[str, Any]:
    facts = dict(event.facts)
    if event.type == "callback" and facts["attempt"]:
        facts |= {"state": standing(facts["state"], facts["attempt"], facts["retries"])}
    return {"at": event.at, "app": event.app, **facts}


def _check(check: Check) -> dict[str, Any]:
    expected, found = _listed(check.expected), _listed(check.found)
    name = check.name.partition("].")[2] or check.name  # without the step's own
    return {"name": name, "expected": expected, "found": found, "ok": check.ok}


def _decided(account: Account, play: Play) -> Iterator[dict[str, Any]]:
    """Who decides the submissions of this step, and the rules that nearly did."""
    with account.lock:
        for app, id in play.replay.ids.items():
            for each in reviews.explanations_of(account, id):
                if each.id not in play.seen:
                    play.seen.add(each.id)
                    told = explained(each)
                    nearly = told["near_misses"]
                    others = [r for r in told["rules"] if not r["matched"] and r not in nearly]
                    yield {"app": app, **told, "rules": [*nearly, *others][:MOST_RULES]}
