"""``plivo-sim serve``: the simulator itself."""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import click

from plivo_sim import __version__
from plivo_sim.errors import StateUnreadable
from plivo_sim.settings import Settings, read_flag, read_setting

F = TypeVar("F", bound=Callable[..., Any])
_REPEATED = {"credentials": "credential"}


def setting_options(command: F) -> F:
    """An option and a PLIVO_SIM_* variable for every setting."""
    for each in reversed(fields(Settings)):
        name, env = each.name, f"PLIVO_SIM_{each.name.upper()}"
        flag = f"--{_REPEATED.get(name, name).replace('_', '-')}"
        shown: dict[str, Any] = {"help": each.metadata["help"], "envvar": env, "show_envvar": True}
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
    click.echo(_greeting(live.url, settings))
    for damage in live.sim.damages:
        click.echo(f"  DAMAGED STATE     {damage}")
    if live.authority is not None:
        click.echo(_trust_hint(live.authority))
    if ready_file is not None:
        _write_whole(ready_file, live.url)
    stopped.wait()
    click.echo("stopping")
    live.stop()


def start_failure(error: Exception, settings: Settings) -> str:
    if isinstance(error, OSError):
        told = error.strerror or str(error)
        return f"cannot listen on {settings.host}:{settings.port}: {told}; try --port 0"
    return str(error)


def _write_whole(path: Path, text: str) -> None:
    """So that whoever waits for the file never reads half of it."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(text)
    aside.replace(path)


def _greeting(url: str, settings: Settings) -> str:
    where = "in memory, gone when this stops" if settings.state is None else str(settings.state)
    delay = settings.review_delay or "the requirement's own days"
    return f"""plivo-sim {__version__}
  Point an SDK at   {url}/v1/Account
  In a browser      {url}/
  State             {where}
  A review takes    {delay}
  Move time         curl -X POST {url}/_sim/clock/advance -H 'Content-Type: application/json' \
-d '{{"by": "3d"}}'
  First steps       plivo-sim try --url {url}"""


def _trust_hint(authority: Path) -> str:
    return f"""  Trust it with     NODE_EXTRA_CA_CERTS={authority}  (Node)
                    SSL_CERT_FILE={authority}  (smallestai)
                    cat {authority} >> "$(python -m certifi)"  (plivo for Python, which does not
                    read REQUESTS_CA_BUNDLE; in a container or a virtual environment of its own)"""
