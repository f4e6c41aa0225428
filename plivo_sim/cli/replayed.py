"""A replay in words and as JSON, and who got its callbacks."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from plivo_sim.cli.shared import instant, table
from plivo_sim.domain.records import standing
from plivo_sim.domain.secrets import without_secrets

if TYPE_CHECKING:
    from plivo_sim.client.observations import Check, Event
    from plivo_sim.client.replay import ScenarioResult

LONGEST_ANSWER = 60
OK = 200
NOTHING = "expects nothing"
"""What is told of a scenario of which no expectation was checked: it neither holds nor fails."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who gets the callbacks; ``url`` empty: the built-in inbox. ``token``: what they are signed
    with; ``whence``: that in words, which show no token that was given."""

    url: str
    token: str = field(repr=False)
    whence: str


NOBODY = Receiver("", "", "")


def plain(result: ScenarioResult, receiver: Receiver) -> dict[str, Any]:
    told = {"against": without_secrets(receiver.url), "signed_with": receiver.whence}
    return {
        "scenario": result.scenario,
        "account": result.account,
        **(told if receiver.url else {}),
        **({"webhook_calls": _calls(result)} if receiver.url else {}),
        "holds": result.holds if result.checks else None,
        "events": [_plain_event(event) for event in result.events],
        "checks": [dataclasses.asdict(check) for check in result.checks],
    }


def _plain_event(event: Event) -> dict[str, Any]:
    return {"at": event.at, "type": event.type, "app": event.app, **event.facts}


def lines_of(result: ScenarioResult, receiver: Receiver = NOBODY) -> Iterator[str]:
    yield result.scenario
    yield f"account {result.account}"
    if receiver.url:
        yield f"callbacks to {without_secrets(receiver.url)}, signed with {receiver.whence}"
    yield ""
    words = {"request": _request, "transition": _transition, "callback": _callback}
    rows = [
        (instant(event.at), event.type, event.app, words[event.type](event.facts))
        for event in result.events
    ]
    yield table(("simulated time", "what", "app", ""), rows)
    yield ""
    for check in result.checks:
        yield from checked(check)
    if receiver.url and not _calls(result):
        yield "your webhook was not called: no callback went out, so nothing of it was tested"
    failed = sum(not check.ok for check in result.checks)
    if failed:
        yield f"the scenario does not hold: {failed} of {len(result.checks)} expectations failed"
    else:
        yield "the scenario holds" if result.checks else f"the scenario {NOTHING}"


def _calls(result: ScenarioResult) -> int:
    """How often the receiver was called."""
    return sum(each.type == "callback" and each.facts["attempt"] > 0 for each in result.events)


def _request(facts: Mapping[str, Any]) -> str:
    text = f"{facts['method']} {facts['path']} -> {facts['status']}"
    detail = facts.get("error") or facts.get("shown")
    return f"{text} {detail}" if detail else text


def _transition(facts: Mapping[str, Any]) -> str:
    arrow = f"{facts['from']} -> {facts['to']}" if facts["from"] else facts["to"]
    reason = f": {facts['reason']}" if facts["reason"] else ""
    return f"{arrow} ({facts['by']}: {facts['why']}){reason}"


def _callback(facts: Mapping[str, Any]) -> str:
    if not facts["attempt"]:
        return f"{facts['status']}, {facts['state']} ({facts['why']})"
    answer = facts["answer"] or facts["error"]
    body = (facts["answer_body"] or "").strip()
    cut = f" {body[:LONGEST_ANSWER]}" if body and facts["answer"] != OK else ""
    signed = "" if facts["signature"] == "valid" else f", signature {facts['signature']}"
    state = standing(facts["state"], facts["attempt"], facts["retries"])
    return f"{facts['status']}, attempt {facts['attempt']}{signed} -> {answer}{cut}, {state}"


def checked(check: Check) -> Iterator[str]:
    if check.ok:
        yield f"ok      {check.name}: {_shown(check.expected)}"
        return
    yield f"FAILED  {check.name}"
    yield f"          expected  {_shown(check.expected)}"
    yield f"          found     {_shown(check.found)}"


def _shown(value: Any) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)
