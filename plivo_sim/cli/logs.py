"""``plivo-sim logs``: what happens, as one stream."""

from __future__ import annotations

import json
import os
import select
import stat
import sys
from contextlib import suppress
from threading import Thread
from time import sleep
from typing import Any

import click

from plivo_sim.cli import UNREAD
from plivo_sim.cli.numbers import IntRange
from plivo_sim.cli.shared import Document, Target, account_option, instant, say, with_simulator
from plivo_sim.cli.words import OPERATIONS, STATUSES
from plivo_sim.domain.records import standing
from plivo_sim.domain.text import printable

KINDS = click.Choice(["request", "transition", "callback", "clock", "unmatched"])
WAIT_S = 20
"""How long a call of ``--follow`` waits for an event."""
PAUSE_S = 0.5
"""After a call that brought none: a server that does not wait is not called without end."""


@click.command()
@click.option("--follow", "-f", is_flag=True, help="Go on until Ctrl-C.")
@click.option("--tail", type=IntRange(0), metavar="N", help="Begin with the last N only.")
@click.option("--kind", type=KINDS, multiple=True, help="Only these.")
@account_option("Only of this account; default: of every account.")
@click.option(
    "--operation", metavar="GLOB", type=OPERATIONS, help="Only requests of these: compliance.*"
)
@click.option(
    "--status",
    metavar="STATUS",
    type=STATUSES,
    help="HTTP status, 4xx, or status of an application.",
)
@with_simulator
def logs(target: Target, follow: bool, tail: int | None, **filters: Any) -> None:
    """Show what happened, in all accounts.

    Requests, transitions, callbacks, moves of clocks, and calls that reached no account, in the
    order in which they happened; the time is that of the account, and real where there is none. The
    simulator keeps the last 2000, and says how many it has forgotten. With --json one object a
    line. It changes nothing.
    """
    if follow:
        _end_when_unread()
    filters["account"] = target.account
    answer = target.client.control("GET", "/events", **filters)
    shown = answer["events"]
    if answer["forgotten"] and tail is None:
        say(f"{answer['forgotten']:,} older ones were forgotten", err=True)
    _print(shown if tail is None else shown[len(shown) - min(tail, len(shown)) :], target.as_json)
    while follow:
        answer = target.client.control(
            "GET", "/events", after=answer["next"], wait=WAIT_S, **filters
        )
        if answer["missed"]:
            say(f"{answer['missed']} were too many to be kept, and are missing", err=True)
        _print(answer["events"], target.as_json)
        if not answer["events"]:
            sleep(PAUSE_S)


def _end_when_unread() -> None:
    """End when nobody reads what is printed any more, though nothing happens: where the output is
    a pipe, and the system tells of that."""
    if sys.platform == "win32":
        return
    with suppress(OSError, ValueError, AttributeError, RuntimeError):  # no output, no thread
        output = sys.stdout.fileno()
        if stat.S_ISFIFO(os.fstat(output).st_mode):
            Thread(target=_end_after, args=(output,), daemon=True).start()


def _end_after(output: int) -> None:
    if sys.platform != "win32":
        looks = select.poll()
        looks.register(output, 0)  # an error, or the other end is closed
        looks.poll()
        os._exit(UNREAD)


def _print(events: list[dict[str, Any]], as_json: bool) -> None:
    for event in events:
        line = _line(event)  # with --json, too: see ``Target.show``
        say(Document(json.dumps(event)) if as_json else line)


def _line(event: dict[str, Any]) -> str:
    words = {
        "request": _request, "transition": _transition, "callback": _callback, "clock": _clock,
        "unmatched": _unmatched,
    }  # fmt: skip
    head = f"{instant(event['at'])}  {event['account'] or 'no account':<20}  {event['kind']:<10}"
    return printable(f"{head}  {words[event['kind']](event)}")


def _request(event: dict[str, Any]) -> str:
    fault = f" (fault {event['fault']})" if event["fault"] else ""
    why = f": {event['why']}" if event["why"] else ""
    done = f"{event['method']} {event['url']} -> {event['status']}"
    return f"{done} {event['operation']}, {event['took_ms']:.0f} ms{fault}{why}"


def _unmatched(event: dict[str, Any]) -> str:
    meant = f"; did you mean {event['nearest']}?" if event["nearest"] else ""
    return f"{event['method']} {event['url']} -> {event['status']}: {event['why']}{meant}"


def _transition(event: dict[str, Any]) -> str:
    reason = f": {event['reason']}" if event["reason"] else ""
    return f"{event['application']} {event['from']} -> {event['to']} ({event['why']}){reason}"


def _callback(event: dict[str, Any]) -> str:
    about = f"{event['application']} {event['told']} -> {event['method']} {event['url']}"
    if not event["attempt"]:
        return f"{about}: {event['state']} ({event['why']})"
    answer = event["status"] or event["error"]
    state = standing(event["state"], event["attempt"], event["retries"])
    return f"{about}, attempt {event['attempt']}: {answer}, {state}"


def _clock(event: dict[str, Any]) -> str:
    runs = "paused" if event["paused"] else f"runs, {event['rate']:g} s per second"
    return f"{instant(event['from'])} -> {instant(event['to'])}, {runs}"
