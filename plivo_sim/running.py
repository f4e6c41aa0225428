"""``plivo-sim run -- COMMAND``: a simulator for the time that one command runs."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from types import FrameType

from plivo_sim.live import LiveSimulator
from plivo_sim.settings import Settings

AUTH_ID = "MARUNRUNRUNRUNRUNRUN"
AUTH_TOKEN = "run-token"  # noqa: S105  # not a secret: any token is taken
NOT_FOUND = 127
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_HANDED_ON = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM)


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


def run(command: Sequence[str], settings: Settings, environment: Mapping[str, str]) -> int:
    """Start a simulator, run the command, stop; returns the command's exit code.

    127 when there is no such command, as a shell says it; 128 + n when signal n ended it. Raises
    what starting a simulator raises.
    """
    with LiveSimulator(settings) as live:
        try:
            told = {**variables(live.url), **without_proxy(environment)}
            child = subprocess.Popen(command, env={**environment, **told})  # noqa: S603
        except (FileNotFoundError, PermissionError):
            return NOT_FOUND

        def forward(number: int, frame: FrameType | None) -> None:
            if number == signal.SIGTERM or not _has_the_terminal_s(child.pid):
                child.send_signal(number)

        before = {number: signal.signal(number, forward) for number in _HANDED_ON}
        try:
            code = child.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
    return code if code >= 0 else 128 - code


def _has_the_terminal_s(pid: int) -> bool:
    """Whether a process gets the terminal's own signals (Ctrl-C): those go to every process of the
    group in the foreground, and a second one would make the command give up."""
    try:
        with open(os.ctermid(), "rb", buffering=0) as terminal:
            return os.getpgid(pid) == os.getpgrp() == os.tcgetpgrp(terminal.fileno())
    except OSError:  # no terminal, or the command is gone
        return False
