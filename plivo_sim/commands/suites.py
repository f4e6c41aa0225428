"""``plivo-sim run`` and ``verify``: for test suites in any language, and against drift."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import click

from plivo_sim.commands.asking import read_option
from plivo_sim.commands.serve import note_variables, setting_options, settings_of, start_failure
from plivo_sim.errors import StateUnreadable
from plivo_sim.settings import read_base_url

UNREACHABLE = 3


@click.command(context_settings={"ignore_unknown_options": False})
@setting_options
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(command: tuple[str, ...], **given: Any) -> None:
    """Start a simulator, run COMMAND beside it, stop.

    It answers on a free port unless --port or PLIVO_SIM_PORT names one. The exit code is that of
    COMMAND, which finds PLIVO_SIM_URL,
    PLIVO_SIM_API, PLIVO_SIM_ATOMS, PLIVO_AUTH_ID and PLIVO_AUTH_TOKEN in its environment. Write
    -- before it: plivo-sim run -- npm test
    """
    from plivo_sim import running

    note_variables(os.environ)
    settings = settings_of({**given, "port": "0" if given["port"] is None else given["port"]})
    try:
        code = running.run(command, settings, os.environ)
    except (OSError, StateUnreadable, ValueError) as error:
        raise click.ClickException(start_failure(error, settings)) from None
    if code == running.NOT_FOUND:
        click.echo(f"Error: cannot run {command[0]!r}", err=True)
    sys.exit(code)


@click.command()
@click.option(
    "--base-url",
    required=True,
    callback=lambda _, parameter, text: read_option(parameter, read_base_url, text),
    help="The server, such as https://api.plivo.com.",
)
@click.option("--auth-id", required=True, envvar="PLIVO_AUTH_ID", show_envvar=True)
@click.option("--auth-token", required=True, envvar="PLIVO_AUTH_TOKEN", show_envvar=True)
@click.option(
    "--life-cycle",
    is_flag=True,
    help="Also create, update and delete an application. On the live service that is a real one.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(base_url: str, auth_id: str, auth_token: str, life_cycle: bool, as_json: bool) -> None:
    """Compare the shapes of a server's answers with the simulator's.

    Read-only unless --life-cycle is given. Exit code 1 when a shape differs.
    """
    from plivo_sim.verify import Unreachable, Verifier

    verifier = Verifier(base_url, auth_id, auth_token)
    try:
        probes = [*verifier.read_only(), *(verifier.life_cycle() if life_cycle else ())]
    except Unreachable as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(UNREACHABLE)
    if as_json:
        told = [{"probe": each.name, "differences": each.differences} for each in probes]
        click.echo(json.dumps(told, indent=2))
    else:
        for probe in probes:
            click.echo(f"{'differs' if probe.differences else 'ok':<8} {probe.name}")
            for difference in probe.differences:
                click.echo(f"         {difference}")
    sys.exit(1 if any(probe.differences for probe in probes) else 0)
