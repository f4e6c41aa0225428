"""``plivo-sim clock``: an account's simulated time."""

from __future__ import annotations

from typing import Any

import click

from plivo_sim.cli.ids import RecordId
from plivo_sim.cli.numbers import Float
from plivo_sim.cli.shared import Target, instant, table, values, with_account
from plivo_sim.cli.words import STATUSES
from plivo_sim.domain.limits import CLOCK_ENDS
from plivo_sim.domain.records import standing


@click.group()
def clock() -> None:
    """Move an account's simulated time."""


@clock.command()
@with_account
def show(target: Target) -> None:
    """Show the time, whether it runs, and what is due next."""
    target.show(target.get("/clock"), _clock)


@clock.command()
@click.argument("duration", nargs=-1)
@click.option("--to", metavar="INSTANT", help="Until this time: 2026-03-01T09:00:00Z.")
@click.option(
    "--until", metavar="STATUS", type=STATUSES, help="Until the application has this status."
)
@click.option(
    "--application", type=RecordId("application"), metavar="ID", help="The application for --until."
)
@with_account
def advance(
    target: Target,
    duration: tuple[str, ...],
    to: str | None,
    until: str | None,
    application: str | None,
) -> None:
    """Move time on and show what happened: 3d, 36h, 2 business days.

    Each event happens at its own time; its callbacks are sent before this answers.
    """
    if sum((bool(duration), to is not None, until is not None)) != 1:
        raise click.UsageError("give one of DURATION, --to, --until")
    if (until is None) != (application is None):
        raise click.UsageError("--until and --application go together")
    body: dict[str, Any] = {"by": " ".join(duration)} if duration else {"to": to}
    if until is not None:
        body = {"until": {"application": application, "status": until}}
    target.show(target.post("/clock/advance", body), _advanced)


@clock.command("set")
@click.argument("instant")
@with_account
def set_(target: Target, instant: str) -> None:
    """Move time on to INSTANT (2026-03-01T09:00:00Z); never back."""
    target.show(target.post("/clock/set", {"to": instant}), _advanced)


@clock.command()
@with_account
def pause(target: Target) -> None:
    """Stop the clock."""
    target.show(target.post("/clock/pause"), _clock)


@clock.command()
@with_account
def resume(target: Target) -> None:
    """Let the clock run again."""
    target.show(target.post("/clock/resume"), _clock)


@clock.command()
@click.argument("rate", type=Float())
@with_account
def rate(target: Target, rate: float) -> None:
    """Set how fast time runs: simulated seconds per real second.

    86400 is a day per second.
    """
    target.show(target.post("/clock/rate", {"rate": rate}), _clock)


def _clock(answer: dict[str, Any]) -> str:
    never = answer.get("due_never", False)
    runs = "paused" if answer["paused"] else f"runs, {answer['rate']:g} s per second"
    return values(
        [
            ("account", answer["account"]),
            ("now", instant(answer["now"])),
            ("clock", runs),
            ("next due", f"never: {CLOCK_ENDS}" if never else instant(answer["next_due"])),
            ("due", answer["due_count"]),
        ]
    )


def _advanced(answer: dict[str, Any]) -> str:
    happened = table(
        ("at", "application", "what"),
        [(instant(h["at"]), h["application"], _happening(h)) for h in answer["happenings"]],
        "nothing was due in that time",
    )
    carries_on = "; not finished yet, it goes on in the background" if answer["pending"] else ""
    return f"{happened}\nnow {instant(answer['now'])}{carries_on}"


def _happening(happening: dict[str, Any]) -> str:
    if happening["type"] == "transition":
        reason = f": {happening['reason']}" if happening["reason"] else ""
        return f"{happening['from']} -> {happening['to']}{reason}"
    got = happening["status"] or happening["error"] or "not sent"
    state = standing(happening["state"], happening["attempt"], happening["retries"])
    return f"callback {state}, attempt {happening['attempt']}: {got}"
