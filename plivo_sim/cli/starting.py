"""What the commands that start a server share: its settings as options, the signals that end it,
and why it did not start.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import Field, fields
from typing import Any, TypeVar

import click

from plivo_sim.cli.shared import WrongFile, say, why_unusable
from plivo_sim.cli.words import MACHINES, Words
from plivo_sim.domain.errors import StateUnreadable
from plivo_sim.domain.urls import authority
from plivo_sim.settings import OneOf, Settings, read_flag, read_path, read_setting, text_of
from plivo_sim.variables import is_of_platform, of_platform

F = TypeVar("F", bound=Callable[..., Any])

_REPEATED = {"credentials": "credential"}

STOPS_WITHIN_S = 25.0
"""Behind the calls that it still takes (``drain_s``): Kubernetes kills after 30 s."""
STOP_SIGNALS = [signal.SIGINT, signal.SIGTERM]
if sys.platform == "win32":
    STOP_SIGNALS.append(signal.SIGBREAK)  # Ctrl-Break, and how another process asks it to end
    HANGUPS: list[signal.Signals] = []
else:
    HANGUPS = [signal.SIGHUP]  # the terminal is closed
    STOP_SIGNALS += HANGUPS


def heard(signals: Sequence[signal.Signals]) -> list[signal.Signals]:
    """Those of them that are to be handled: who ignores the end of the terminal goes on doing so,
    for that is what ``nohup`` asks for."""
    ignored = [each for each in HANGUPS if signal.getsignal(each) is signal.SIG_IGN]
    return [each for each in signals if each not in ignored]


@contextmanager
def ending_within(seconds: float, code: int = 0) -> Iterator[None]:
    """For what ends a server: where that takes longer (a disk that stalls, say), the process ends
    with this code, as hard as a kill, which loses nothing that was acknowledged."""
    from plivo_sim.account.threads import NONE_TO_BE_HAD, Thread

    is_over = threading.Event()

    def watch() -> None:
        if not is_over.wait(seconds):
            os._exit(code)

    with suppress(*NONE_TO_BE_HAD):
        Thread(watch, name="stopping").start()
    try:
        yield
    finally:
        is_over.set()


class SettingOption(click.Option):
    """An option whose variable may be a platform's (see ``variables``): then it is not set."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        text = super().resolve_envvar_value(ctx)
        is_set = text is not None and not is_of_platform(str(self.envvar), text)
        return text if is_set else None


def setting_options(command: F, only: Collection[str] = ()) -> F:
    """An option and a PLIVO_SIM_* variable for every setting, or for those that are named."""
    for each in reversed(fields(Settings)):
        if only and each.name not in only:
            continue
        name, env = each.name, f"PLIVO_SIM_{each.name.upper()}"
        flag = f"--{_REPEATED.get(name, name).replace('_', '-')}"
        default = text_of(getattr(Settings(), name))
        help = each.metadata["help"] + (f" Default: {default}." if default else "")
        shown: dict[str, Any] = {"help": help, "envvar": env, "show_envvar": True}
        shown["cls"] = SettingOption
        if each.metadata["read"] is read_flag:
            option = click.option(f"{flag}/--no-{flag[2:]}", name, default=None, **shown)
        elif name in _REPEATED:
            option = click.option(flag, name, multiple=True, metavar="ID:TOKEN", **shown)
        else:
            option = click.option(flag, name, type=_type_of(each), metavar="TEXT", **shown)
        command = option(command)
    return command


def _type_of(setting: Field[Any]) -> click.ParamType[Any]:
    """What a shell offers for it; what it takes is seen when it is read."""
    read = setting.metadata["read"]
    if setting.name == "machine":
        return MACHINES
    if isinstance(read, OneOf):
        return Words(lambda: read.words)
    return Words(tuple, or_file=True) if read is read_path else click.STRING


def settings_of(given: dict[str, Any]) -> Settings:
    """The settings of options and variables. Exits with a usage error that names the option."""
    chosen: dict[str, Any] = {}
    for name, value in given.items():
        if value is None or value == ():
            continue
        text = " ".join(value) if isinstance(value, tuple) else str(value)
        try:
            chosen[name] = read_setting(name, text)
        except ValueError as error:
            raise click.UsageError(str(error)) from None
    return Settings(**chosen)


def note_variables(variables: Mapping[str, str]) -> None:
    """Say on stderr which ``PLIVO_SIM_*`` variables a platform has set, to no effect."""
    passed_over = of_platform(variables)
    if passed_over:
        text = "set by the platform (Kubernetes names a service's address so), and passed over"
        say(f"{', '.join(passed_over)}: {text}", err=True)


def start_failure(error: Exception, settings: Settings) -> click.ClickException:
    """Why it did not start: a catalogue or a machine is wrong, or it cannot."""
    from plivo_sim.assembly import NoGlobalLock
    from plivo_sim.web.tls import TlsUnavailable

    if not isinstance(error, OSError):
        is_file = not isinstance(error, StateUnreadable | TlsUnavailable | NoGlobalLock)
        return (WrongFile if is_file else click.ClickException)(str(error))
    if error.filename:
        return click.ClickException(why_unusable(error))
    text = error.strerror or str(error)
    is_host = isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL
    if error.errno == errno.EMFILE:
        return click.ClickException(text)
    hint = "--host takes an address of this machine" if is_host else "try --port 0"
    where = authority(settings.host, settings.port)
    return click.ClickException(f"cannot listen on {where}: {text}; {hint}")
