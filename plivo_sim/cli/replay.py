"""``plivo-sim replay``: plays a scenario, tells what happened, checks what it promises."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from plivo_sim.cli.shared import WrongFile, as_json, exit_codes, instant, table

if TYPE_CHECKING:
    from plivo_sim.client.replay import Told
    from plivo_sim.client.watch import Check, Event
    from plivo_sim.scenarios.language import Scenario

DOES_NOT_HOLD = 1


LONGEST_ANSWER = 60


OK = 200


@click.command()
@click.argument("source", metavar="NAME|FILE")
@click.option(
    "--url",
    default="",
    envvar="PLIVO_SIM_URL",
    show_envvar=True,
    help="A running simulator to play it on; without it, one is started for the replay.",
)
@click.option(
    "--against",
    default="",
    metavar="URL",
    help="Webhook endpoint of your own application: callbacks go there, its answers are told.",
)
@click.option("--json", "as_json_", is_flag=True, help="Print JSON and nothing else.")
def replay(source: str, url: str, against: str, as_json_: bool) -> None:
    """Play a scenario, tell what happened and whether it holds.

    It files what the scenario files and moves time; the scenario is one that ships, or a file.
    It plays in an account of its own, which is emptied first and stays to be looked at.

    Exit codes: 0 what the scenario expects holds, 1 it does not, 2 a wrong scenario,
    3 nobody answers.
    """
    from plivo_sim.client.replay import WrongScenario
    from plivo_sim.client.replay import replay as play

    if against and not against.startswith(("http://", "https://")):
        raise click.UsageError(f"--against {against!r}: write http://127.0.0.1:8000/webhook")
    with exit_codes(as_json_):
        scenario = _read(source, url)
        with _running(url) as base:
            try:
                told = play(base, source, scenario, against)
            except WrongScenario as error:
                raise WrongFile(f"{source}: {error}") from None
    click.echo(as_json(_plain(told)) if as_json_ else "\n".join(lines_of(told)))
    if not told.holds:
        raise click.exceptions.Exit(DOES_NOT_HOLD)


def _read(name: str, url: str) -> Scenario:
    """The scenario, with steps. The simulator at ``url`` may know documents of its own."""
    from plivo_sim.scenarios.loader import ScenarioError, find_scenario, shipped_words

    words = set(shipped_words()) | (_words_at(url) if url else set())
    try:
        scenario = find_scenario(name, words)
    except ScenarioError as error:
        for mistake in error.mistakes:
            click.echo(str(mistake), err=True)
        raise click.exceptions.Exit(WrongFile.exit_code) from None
    except UnicodeDecodeError:
        raise WrongFile(f"{name}: not UTF-8 text") from None
    except OSError as error:
        raise WrongFile(f"{name}: {error.strerror}") from None
    if not scenario.steps:
        raise WrongFile(f"{name}: steps: there are none, so there is nothing to replay")
    return scenario


def _words_at(url: str) -> set[str]:
    from plivo_sim.client import Client

    return {
        type_["word"]
        for requirement in Client(url).control("GET", "/requirements")["requirements"]
        for demand in requirement["documents"]
        for type_ in demand["any_of"]
    }


@contextmanager
def _running(url: str) -> Iterator[str]:
    """The simulator at ``url``, or one of our own for the time being."""
    if url:
        yield url
        return
    from plivo_sim.assembly import LiveSimulator
    from plivo_sim.settings import Settings

    try:
        simulator = LiveSimulator(Settings(port=0, paused=True, review_delay=None))
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    with simulator as live:
        yield live.url


# --- telling ---------------------------------------------------------------------------------


def _plain(told: Told) -> dict[str, Any]:
    return {
        "scenario": told.scenario,
        "account": told.account,
        "holds": told.holds,
        "events": [_plain_event(event) for event in told.events],
        "checks": [dataclasses.asdict(check) for check in told.checks],
    }


def _plain_event(event: Event) -> dict[str, Any]:
    return {"at": event.at, "type": event.type, "app": event.app, **event.facts}


def lines_of(told: Told) -> Iterator[str]:
    yield told.scenario
    yield f"account {told.account}\n"
    words = {"request": _request, "transition": _transition, "callback": _callback}
    rows = [
        (instant(event.at), event.type, event.app, words[event.type](event.facts))
        for event in told.events
    ]
    yield table(("simulated time", "what", "app", ""), rows)
    yield ""
    for check in told.checks:
        yield from _checked(check)
    failed = sum(not check.ok for check in told.checks)
    if failed:
        yield f"the scenario does not hold: {failed} of {len(told.checks)} expectations failed"
    else:
        yield "the scenario holds" if told.checks else "the scenario expects nothing"


def _request(facts: Mapping[str, Any]) -> str:
    text = f"{facts['method']} {facts['path']} -> {facts['status']}"
    told = facts.get("error") or facts.get("shown")
    return f"{text} {told}" if told else text


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
    return (
        f"{facts['status']}, attempt {facts['attempt']}{signed} -> {answer}{cut}, {facts['state']}"
    )


def _checked(check: Check) -> Iterator[str]:
    if check.ok:
        yield f"ok      {check.name}: {_shown(check.expected)}"
        return
    yield f"FAILED  {check.name}"
    yield f"          expected  {_shown(check.expected)}"
    yield f"          found     {_shown(check.found)}"


def _shown(value: Any) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)
