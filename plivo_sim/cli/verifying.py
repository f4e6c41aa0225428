"""``plivo-sim verify``: what a server answers, or a tape has, held against the simulator's
answers.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click
from click.core import ParameterSource

from plivo_sim.cli.services import read_tape_of, service_url_of
from plivo_sim.cli.shared import (
    RefusedBySimulator,
    WrongFile,
    as_json,
    exit_codes,
    say,
    shape_of_answers,
    table,
)
from plivo_sim.domain.urls import is_loopback
from plivo_sim.settings import Settings

if TYPE_CHECKING:
    from plivo_sim.client.verify import Probe
    from plivo_sim.recording.playback import Compared


@click.command()
@click.option(
    "--tape",
    "tape_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Play this tape to a simulator and compare with what was recorded.",
)
@click.option(
    "--base-url",
    callback=service_url_of,
    help="The server, such as https://api.plivo.com; with --tape, a running simulator in place of"
    " one of its own.",
)
@click.option("--auth-id", envvar="PLIVO_AUTH_ID", show_envvar=True)
@click.option("--auth-token", envvar="PLIVO_AUTH_TOKEN", show_envvar=True)
@click.option(
    "--life-cycle",
    is_flag=True,
    help="Also create, update and delete an application. On the live service that is a real one.",
)
@click.option(
    "--catalogue",
    type=click.Path(path_type=Path, dir_okay=False),
    help="With --tape: a catalogue of your own, such as learn writes.",
)
@click.option(
    "--machine",
    metavar="NAME|FILE",
    default="default",
    envvar="PLIVO_SIM_MACHINE",
    show_envvar=True,
    help="With --tape: the status machine, one that ships or a file of your own.",
)
@click.option(
    "--allow-remote", is_flag=True, help="Let --base-url name more than loopback with --tape."
)
@click.option("--json", "shows_json", is_flag=True, help="Print JSON.")
def verify(
    tape_file: Path | None,
    base_url: str | None,
    auth_id: str | None,
    auth_token: str | None,
    life_cycle: bool,
    catalogue: Path | None,
    machine: str,
    allow_remote: bool,
    shows_json: bool,
) -> None:
    """Compare what a server answers with what the simulator answers.

    With --tape, what was recorded: each call is made to a simulator that begins empty, with
    --catalogue and --machine, and status, shape, words and headers are compared; one at --base-url
    has its own. Else --base-url is asked now, as --auth-id with
    --auth-token, read-only unless --life-cycle is given; what the account has no record of is
    not compared, and named. Exit code 1 when something differs, 2 when the tape cannot be used or
    the server refuses.
    """
    _check_pairs()
    if tape_file is not None:
        if base_url and not is_loopback(urlsplit(base_url).hostname or "") and not allow_remote:
            text = f"--base-url: {base_url} is not loopback, and a tape is played with its writes"
            raise click.UsageError(f"{text}; --allow-remote if that is meant")
        compared = _played(tape_file, base_url, catalogue, machine)
        if not compared:
            raise WrongFile(f"{tape_file} has no exchange: nothing was compared")
        say(as_json(_drift(compared)) if shows_json else _drift_table(compared))
        sys.exit(1 if any(each.differences for each in compared) else 0)
    given = {"--base-url": base_url, "--auth-id": auth_id, "--auth-token": auth_token}
    missing = [name for name, value in given.items() if not value]
    if base_url is None or auth_id is None or auth_token is None or missing:
        raise click.UsageError(f"Missing option '{missing[0]}'; or give --tape")
    probes = _probed(base_url, auth_id, auth_token, life_cycle)
    say(as_json(_told(probes)) if shows_json else _probe_lines(probes))
    sys.exit(1 if any(probe.differences for probe in probes) else 0)


def _check_pairs() -> None:
    """Raises UsageError for an option that was typed and that has no effect beside another one."""
    context = click.get_current_context()

    def is_typed(name: str) -> bool:
        return context.get_parameter_source(name) is ParameterSource.COMMANDLINE

    names = {each.name: each.opts[0] for each in context.command.params if each.name}
    if is_typed("tape_file"):
        useless, why = ["auth_id", "auth_token", "life_cycle"], "--tape has calls of its own"
        if is_typed("base_url"):
            useless += ["machine", "catalogue"]
            why = "a simulator at --base-url has its own, and the tape its own calls"
    else:
        useless, why = ["machine", "catalogue", "allow_remote"], "it is for --tape"
    for name in filter(is_typed, useless):
        raise click.UsageError(f"{names[name]} would have no effect: {why}")


def _played(
    file: Path, base_url: str | None, catalogue: Path | None, machine: str
) -> list[Compared]:
    """Every exchange of a tape, compared with what a simulator answers."""
    from plivo_sim.assembly import LiveSimulator
    from plivo_sim.client import Client
    from plivo_sim.client.verify import check_credentials
    from plivo_sim.recording.playback import Player, credentials_on, hosts_on
    from plivo_sim.webhooks.transport import MemoryTransport

    _, exchanges = read_tape_of(file)
    with _apart_from_drift(base_url or "the simulator of this command"):
        if base_url is not None:
            for auth_id, token in credentials_on(exchanges).items():
                check_credentials(Client(base_url, auth_id, token))
            return list(Player(base_url, begins_empty=False).play(exchanges))
        settings = Settings(
            port=0, paused=True, review_delay=None, magic=False, catalogue=catalogue,
            machine=machine, credentials=credentials_on(exchanges),
            allow_callback_hosts=hosts_on(exchanges),
        )  # fmt: skip
        try:
            simulator = LiveSimulator(settings, transport=MemoryTransport())
        except ValueError as error:
            raise WrongFile(str(error)) from None
        with simulator as live:
            return list(Player(live.url, begins_empty=True).play(exchanges))


class NotCompared(click.ClickException):
    """The server refused a call that ``verify`` needs."""

    exit_code = 2


@contextmanager
def _apart_from_drift(url: str) -> Iterator[None]:
    """As ``exit_codes``, but no error ends with the code that means drift."""
    try:
        with exit_codes(), shape_of_answers(url):
            yield
    except RefusedBySimulator as error:
        raise NotCompared(f"nothing was compared: {error.message}") from None


def _drift(compared: list[Compared]) -> dict[str, Any]:
    return {
        "compared": len(compared),
        "drift": [
            {"line": each.line, "call": each.call, **found.told()}
            for each in compared
            for found in each.differences
        ],
        "by_schema_only": [
            {"line": each.line, "call": each.call, "why": each.played}
            for each in compared
            if each.played
        ],
    }


def _drift_table(compared: list[Compared]) -> str:
    rows = [
        (each.line, each.call, found.where, found.recorded, found.here)
        for each in compared
        for found in each.differences
    ]
    told = [table(("line", "call", "where", "recorded", "here"), rows, "no drift")]
    only = [each for each in compared if each.played]
    told.append(f"{len(compared)} compared, {len(only)} of them with the schema only")
    told += [f"  line {each.line}: {each.played}" for each in only]
    return "\n".join(told)


def _probed(base_url: str, auth_id: str, auth_token: str, life_cycle: bool) -> list[Probe]:
    from plivo_sim.client import Client
    from plivo_sim.client.verify import Verifier, check_credentials

    verifier = Verifier(base_url, auth_id, auth_token)
    with _apart_from_drift(base_url):
        check_credentials(Client(base_url, auth_id, auth_token))
        return [*verifier.read_only(), *(verifier.life_cycle() if life_cycle else ())]


def _told(probes: list[Probe]) -> list[dict[str, Any]]:
    return [
        {
            "probe": each.name,
            "differences": each.differences,
            "not_compared": each.not_compared,
            "not_made": each.not_made or None,
        }
        for each in probes
    ]


def _probe_lines(probes: list[Probe]) -> str:
    lines = []
    for probe in probes:
        if probe.not_made:
            lines.append(f"not made {probe.name}: {probe.not_made}")
            continue
        lines.append(f"{'differs' if probe.differences else 'ok':<8} {probe.name}")
        lines += [f"         {difference}" for difference in probe.differences]
        lines += [
            f"         {path} is empty: no entry of it was compared" for path in probe.not_compared
        ]
    not_made = sum(bool(probe.not_made) for probe in probes)
    lines.append(f"{len(probes) - not_made} compared, {not_made} not made")
    return "\n".join(lines)
