"""``plivo-sim serve``: the simulator itself."""

from __future__ import annotations

import gc
import os
import shlex
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from plivo_sim import __version__
from plivo_sim.commands.asking import WrongFile, why_unusable
from plivo_sim.errors import StateUnreadable
from plivo_sim.settings import Settings, read_flag, read_setting
from plivo_sim.urls import authority
from plivo_sim.variables import is_of_platform, of_platform, unread

if TYPE_CHECKING:
    from plivo_sim.live import LiveSimulator

F = TypeVar("F", bound=Callable[..., Any])


class SettingOption(click.Option):
    """An option whose variable may be a platform's (see ``variables``): then it is not set."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        text = super().resolve_envvar_value(ctx)
        is_set = text is not None and not is_of_platform(str(self.envvar), text)
        return text if is_set else None


_REPEATED = {"credentials": "credential"}


def setting_options(command: F) -> F:
    """An option and a PLIVO_SIM_* variable for every setting."""
    for each in reversed(fields(Settings)):
        name, env = each.name, f"PLIVO_SIM_{each.name.upper()}"
        flag = f"--{_REPEATED.get(name, name).replace('_', '-')}"
        shown: dict[str, Any] = {"help": each.metadata["help"], "envvar": env, "show_envvar": True}
        shown["cls"] = SettingOption
        if each.metadata["read"] is read_flag:
            option = click.option(f"{flag}/--no-{flag[2:]}", name, default=None, **shown)
        elif name in _REPEATED:
            option = click.option(flag, name, multiple=True, metavar="ID:TOKEN", **shown)
        else:
            option = click.option(flag, name, metavar="TEXT", **shown)
        command = option(command)
    return command


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
    """Say on stderr which ``PLIVO_SIM_*`` variables have no effect."""
    passed_over = of_platform(variables)
    if passed_over:
        told = "set by the platform (Kubernetes names a service's address so), and passed over"
        click.echo(f"{', '.join(passed_over)}: {told}", err=True)
    for name, hint in unread(variables):
        click.echo(f"{name} is set, and nothing reads it; {hint}", err=True)


@click.command()
@setting_options
@click.option(
    "--ready-file",
    type=click.Path(path_type=Path),
    envvar="PLIVO_SIM_READY_FILE",
    help="File to write the URL into once requests are answered.",
)
def serve(ready_file: Path | None, **given: Any) -> None:
    """Start the simulator and answer until interrupted."""
    note_variables(os.environ)
    settings = settings_of(given)
    stopped = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: stopped.set())
    gc.disable()  # what is loaded stays: to look for garbage in it is a twelfth of the start
    try:
        from plivo_sim.live import LiveSimulator
        from plivo_sim.logs import configure_logging

        configure_logging(settings.log_format)
        live = LiveSimulator(settings).start()
    except (OSError, StateUnreadable, ValueError) as error:
        raise click.ClickException(start_failure(error, settings)) from None
    finally:
        gc.freeze()
        gc.enable()
    try:
        _greet(live, settings)
        if ready_file is not None:
            _write_whole(ready_file, live.url)
        stopped.wait()
        click.echo("stopping")
    finally:
        live.stop()


def start_failure(error: Exception, settings: Settings) -> str:
    if isinstance(error, OSError) and error.filename:
        return why_unusable(error)
    if isinstance(error, OSError):
        told = error.strerror or str(error)
        return f"cannot listen on {authority(settings.host, settings.port)}: {told}; try --port 0"
    return str(error)


def _write_whole(path: Path, text: str) -> None:
    """So that whoever waits for the file never reads half of it."""
    try:
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        aside.write_text(text)
        aside.replace(path)
    except (OSError, ValueError) as error:
        told = error.strerror if isinstance(error, OSError) else error
        raise WrongFile(f"--ready-file {path}: {told}") from None


def _greet(live: LiveSimulator, settings: Settings) -> None:
    click.echo(_greeting(live.url, settings))
    for damage in live.sim.damages:
        click.echo(f"  DAMAGED STATE     {damage}")
    if live.authority is not None:
        click.echo(_trust_hint(live.authority))


def _greeting(url: str, settings: Settings) -> str:
    where = "in memory, gone when this stops" if settings.state is None else str(settings.state)
    delay = settings.review_delay or "the requirement's own days"
    advance = shlex.quote(f"{url}/_sim/clock/advance")
    return f"""plivo-sim {__version__}
  Point an SDK at   {url}/v1/Account
  In a browser      {url}/
  State             {where}
  A review takes    {delay}
  Move time         curl -X POST {advance} -H 'Content-Type: application/json' \
-d '{{"by": "3d"}}'
  First steps       plivo-sim try --url {shlex.quote(url)}"""


def _trust_hint(authority: Path) -> str:
    return f"""  Trust it with     NODE_EXTRA_CA_CERTS={authority}  (Node)
                    SSL_CERT_FILE={authority}  (smallestai)
                    cat {authority} >> "$(python -m certifi)"  (plivo for Python, which does not
                    read REQUESTS_CA_BUNDLE; in a container or a virtual environment of its own)"""
