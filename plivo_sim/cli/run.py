"""``plivo-sim run -- COMMAND``: a simulator while one command runs, for test suites in any
language.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any

import click

from plivo_sim.cli.shared import say
from plivo_sim.cli.starting import (
    STOP_SIGNALS,
    STOPS_WITHIN_S,
    ending_within,
    heard,
    note_variables,
    setting_options,
    settings_of,
    start_failure,
)
from plivo_sim.domain.errors import StateUnreadable
from plivo_sim.settings import Settings

AUTH_ID = "MARUNRUNRUNRUNRUNRUN"
AUTH_TOKEN = "run-token"  # noqa: S105  # not a secret: any token is taken
NOT_FOUND = 127
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def variables(url: str) -> dict[str, str]:
    """What the command finds in its environment.

    The two ``PLIVO_AUTH_*`` are those that the Python, Ruby, PHP, Go and Java SDKs read.
    """
    return {
        "PLIVO_SIM_URL": url,
        "PLIVO_SIM_API": f"{url}/v1/Account",
        "PLIVO_SIM_ATOMS": f"{url}/atoms/v1",
        "PLIVO_AUTH_ID": AUTH_ID,
        "PLIVO_AUTH_TOKEN": AUTH_TOKEN,
    }


def without_proxy(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables by which a command that has a proxy calls this machine without it."""
    direct = {}
    for name in ("NO_PROXY", "no_proxy"):
        given = environment.get(name) or environment.get(name.swapcase(), "")
        direct[name] = ",".join(filter(None, (given, *LOOPBACK)))
    return direct


def run_beside(command: Sequence[str], settings: Settings, environment: Mapping[str, str]) -> int:
    """Start a simulator, run the command, stop; returns the command's exit code.

    127 when there is no such command, as a shell says it; 128 + n when signal n ended it. Raises
    what starting a simulator raises.
    """
    from plivo_sim.assembly import LiveSimulator

    with ExitStack() as until_over, LiveSimulator(settings) as live, _handing_on() as hand_to:
        try:
            added = {**variables(live.url), **without_proxy(environment)}
            words = [_program(command[0]), *command[1:]]
            child = subprocess.Popen(words, env={**environment, **added})  # noqa: S603
        except (FileNotFoundError, PermissionError):
            return NOT_FOUND
        hand_to(child)
        code = child.wait()
        code = code if code >= 0 else 128 - code
        until_over.enter_context(ending_within(settings.drain_s + STOPS_WITHIN_S, code))
    return code


@contextmanager
def _handing_on() -> Iterator[Callable[[subprocess.Popen[bytes]], None]]:
    """Signals go to the child that is named, each once; those that come before it is named are kept
    for it."""
    early: list[int] = []
    children: list[subprocess.Popen[bytes]] = []

    def forward(number: int, frame: FrameType | None) -> None:
        if not children:
            early.append(number)
        elif number == signal.SIGTERM or not _shares_terminal(children[0].pid):
            children[0].send_signal(number)

    def hand_to(child: subprocess.Popen[bytes]) -> None:
        children.append(child)
        while early:
            forward(early.pop(0), None)

    before = {number: signal.signal(number, forward) for number in heard(_HANDED_ON)}
    try:
        yield hand_to
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


if sys.platform == "win32":
    _HANDED_ON = STOP_SIGNALS

    def _shares_terminal(pid: int) -> bool:
        """A console's signals come to all that use it, and to no other process."""
        return True

    def _program(name: str) -> str:
        """``npm`` is the file ``npm.cmd``, which is found by its whole name only."""
        return shutil.which(name) or name

else:
    _HANDED_ON = [*STOP_SIGNALS, signal.SIGQUIT]

    def _shares_terminal(pid: int) -> bool:
        """Whether a process gets the terminal's own signals (Ctrl-C): those go to every process of
        the group in the foreground, and a second one would make the command give up."""
        try:
            with open(os.ctermid(), "rb", buffering=0) as terminal:
                return os.getpgid(pid) == os.getpgrp() == os.tcgetpgrp(terminal.fileno())
        except OSError:  # no terminal, or the command is gone
            return False

    def _program(name: str) -> str:
        return name


@click.command(context_settings={"ignore_unknown_options": False})
@setting_options
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(command: tuple[str, ...], **given: Any) -> None:
    """Start a simulator, run COMMAND beside it, stop.

    It answers on a free port unless --port or PLIVO_SIM_PORT names one. The exit code is that of
    COMMAND, which finds PLIVO_SIM_URL, PLIVO_SIM_API, PLIVO_SIM_ATOMS, PLIVO_AUTH_ID and
    PLIVO_AUTH_TOKEN in its environment. Write -- before it: plivo-sim run -- npm test
    """
    from plivo_sim.simulator.logs import configure_logging

    note_variables(os.environ)
    settings = settings_of({**given, "port": "0" if given["port"] is None else given["port"]})
    configure_logging(settings.log_format, logging.WARNING)
    try:
        code = run_beside(command, settings, os.environ)
    except (OSError, StateUnreadable, ValueError) as error:
        raise start_failure(error, settings) from None
    if code == NOT_FOUND:
        say(f"Error: cannot run {command[0]!r}", err=True)
    sys.exit(code)
