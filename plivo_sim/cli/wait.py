"""``plivo-sim wait``: until a simulator that was started elsewhere is ready."""

from __future__ import annotations

import time

import click

from plivo_sim.cli.numbers import FloatRange
from plivo_sim.cli.shared import NothingAnswers, Target, with_simulator

ASK_AGAIN_S = 0.1
LONGEST_ANSWER_S = 5.0
"""An attempt is given up after this, so that a port that accepts and is silent costs no more."""


@click.command()
@click.option(
    "--timeout",
    "timeout_s",
    metavar="SECONDS",
    type=FloatRange(0),
    default=30.0,
    show_default=True,
    help="Give up after this long; 0 asks once.",
)
@with_simulator
def wait(target: Target, timeout_s: float) -> None:
    """Wait until a simulator is ready for calls.

    For scripts that start one in the background, or in a container. Exit code 3: it was not ready
    in time; why is on the error output.
    """
    from plivo_sim.client import Client, NoUrl, Unreachable

    until = time.monotonic() + timeout_s
    client = Client(target.client.url, timeout_s=min(max(timeout_s, 1.0), LONGEST_ANSWER_S))
    while True:
        try:
            answer = client.ready()
            break
        except NoUrl:
            raise
        except Unreachable as error:
            why = str(error)
        if time.monotonic() >= until:
            raise NothingAnswers(f"not ready within {timeout_s:g} s: {why}")
        time.sleep(ASK_AGAIN_S)
    target.show(answer, lambda answer: f"{client.url} is {answer['status']}")
