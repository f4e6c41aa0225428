"""``plivo-sim serve``: the simulator itself. ``plivo-sim healthcheck``: whether it is ready."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import threading
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from plivo_sim import __version__
from plivo_sim.cli.ready_file import ReadyFile
from plivo_sim.cli.shared import say
from plivo_sim.cli.starting import (
    HANGUPS,
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
from plivo_sim.domain.text import shell_word
from plivo_sim.domain.urls import ANY_ADDRESS, base_url
from plivo_sim.settings import Settings

if TYPE_CHECKING:
    from plivo_sim.assembly import LiveSimulator

LONGEST_NAP_S = 0.25
HEALTH_TIMEOUT_S = 2.0


@click.command()
@setting_options
@click.option(
    "--ready-file",
    type=click.Path(path_type=Path),
    envvar="PLIVO_SIM_READY_FILE",
    help="File to write the URL into once requests are answered; it is removed at the end.",
)
def serve(ready_file: Path | None, **given: Any) -> None:
    """Start the simulator and answer until interrupted."""
    note_variables(os.environ)
    settings = settings_of(given)
    ready = None if ready_file is None else ReadyFile(ready_file)
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        if stopped.is_set() and number not in HANGUPS:  # a terminal that closes may send several
            os._exit(128 + number)  # somebody will not wait: as hard as a kill, which loses nothing
        stopped.set()

    for each in heard(STOP_SIGNALS):
        signal.signal(each, stop)
    gc.disable()  # what is loaded stays: to look for garbage in it is a twelfth of the start
    try:
        from plivo_sim.account.descriptors import allow_many
        from plivo_sim.assembly import LiveSimulator
        from plivo_sim.simulator.logs import configure_logging, unwaited

        allow_many()
        configure_logging(settings.log_format)
        out = unwaited(sys.stdout)
        live = LiveSimulator(settings).start()
    except (OSError, StateUnreadable, ValueError) as error:
        raise start_failure(error, settings) from None
    finally:
        gc.freeze()
        gc.enable()
    try:
        _greet(live, settings, out)
        if ready is not None:
            ready.write(live.url)
        while not stopped.wait(LONGEST_NAP_S):
            pass  # a signal that comes just before the wait, or to another thread, ends none
        say("stopping", file=out)
    finally:
        if ready is not None:
            ready.remove()
        with ending_within(settings.drain_s + STOPS_WITHIN_S):
            live.stop()
    _end(out)


def _end(out: Any) -> None:
    """End now if a thread still waits for a receiver: Python waits for every thread of a pool."""
    from plivo_sim.simulator.logs import finish

    finish(out)
    if any(each.name.startswith("plivo-sim-") for each in threading.enumerate()):
        logging.shutdown()
        os._exit(0)


def _greet(live: LiveSimulator, settings: Settings, out: Any = None) -> None:
    from plivo_sim.simulator.logs import finish

    machine = _machine(live.sim.machine.name, settings)
    say(_greeting(live.url, settings, machine, live.authority), file=out)
    for damage in live.sim.damages:
        say(f"  DAMAGED STATE     {damage}", file=out)
    if live.authority is not None:
        say(_trust_hint(live.authority), file=out)
    finish(out)


def _machine(name: str, settings: Settings) -> str:
    """The line about the status machine, unless it is the default one."""
    if settings.machine == Settings().machine:
        return ""
    where = "" if name == settings.machine else f", from {settings.machine}"
    return f"\n  Status machine    {name}{where}"


def _greeting(url: str, settings: Settings, machine: str, trusted: Path | None = None) -> str:
    where = "in memory, lost when this stops" if settings.state is None else str(settings.state)
    delay = settings.review_delay or "the requirement's own days"
    if settings.require_account:
        steps = f"\n  Accounts          {settings.serves or 'all'}; calls come through a proxy"
    else:
        advance = shell_word(f"{url}/_sim/clock/advance")
        trust = "" if trusted is None else f"SSL_CERT_FILE={shell_word(str(trusted))} "
        ca = "" if trusted is None else f"--cacert {shell_word(str(trusted))} "
        steps = f"""
  First steps       {trust}plivo-sim try --url {shell_word(url)}
  Then move time    curl {ca}-X POST {advance} -H 'Content-Type: application/json' \
-d '{{"by": "3d"}}'"""
    return f"""plivo-sim {__version__}
  Point an SDK at   {url}/v1/Account
  In a browser      {url}/
  State             {where}{machine}
  A review takes    {delay}{steps}"""


def _trust_hint(authority: Path) -> str:
    return f"""  Trust it with     NODE_EXTRA_CA_CERTS={authority}  (Node)
                    SSL_CERT_FILE={authority}  (smallestai, commands of plivo-sim)
                    cat {authority} >> "$(python -m certifi)"  (plivo for Python, which does not
                    read REQUESTS_CA_BUNDLE; in a container or a virtual environment of its own)"""


@click.command()
@partial(setting_options, only=("host", "port", "tls", "tls_dir"))
def healthcheck(**given: Any) -> None:
    """Tell whether the server of this container is ready.

    For the health check of a container: it takes the same PLIVO_SIM_* variables as serve, asks this
    machine and no proxy, and speaks TLS if the server does. Exit code 3: it is not ready.
    """
    from plivo_sim.cli.shared import exit_codes
    from plivo_sim.client import Client, Http

    settings = settings_of(given)
    scheme, authority_file = "http", None
    if settings.tls:
        from plivo_sim.web.certificates import default_folder

        scheme, authority_file = "https", str((settings.tls_dir or default_folder()) / "ca.pem")
    host = ANY_ADDRESS.get(settings.host, settings.host)
    url = base_url(scheme, host, settings.port)
    with exit_codes():
        transport = Http(url, timeout_s=HEALTH_TIMEOUT_S, authority=authority_file)
        say(f"{url} is {Client(url, transport=transport).ready()['status']}")
