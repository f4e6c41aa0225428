"""``plivo-sim record``, ``tape`` and ``verify``: what a real account answers, kept and held against
the simulator's answers.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click
from click.core import ParameterSource

from plivo_sim.cli.shared import (
    STOP_SIGNALS,
    RefusedBySimulator,
    WrongFile,
    as_json,
    exit_codes,
    read_existing_country,
    read_option,
    say,
    table,
    why_unusable,
)
from plivo_sim.domain.text import printable, shell_word
from plivo_sim.domain.urls import authority, is_loopback, read_host
from plivo_sim.settings import Settings, read_base_url, read_hosts

if TYPE_CHECKING:
    from plivo_sim.client.verify import Probe
    from plivo_sim.recording.playback import Compared
    from plivo_sim.recording.tapes import Exchange, Header

NAP_S = 0.25
LAST_PORT = 65535


def _base_url(_: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    if text is None:
        return None
    return read_option(parameter, read_base_url, text).rstrip("/")


def _service_url(
    context: click.Context, parameter: click.Parameter, text: str | None
) -> str | None:
    """Without the ``/v1`` that the paths of the APIs begin with."""
    url = _base_url(context, parameter, text)
    return url and url.removesuffix("/v1").rstrip("/")


def _address(_: click.Context, parameter: click.Parameter, text: str) -> tuple[str, int]:
    host, port = text.rpartition(":")[::2]
    if not host or not port.isdecimal() or int(port) > LAST_PORT:
        raise click.BadParameter("write HOST:PORT, such as 127.0.0.1:8701", param=parameter)
    return read_option(parameter, read_host, host.strip("[]")), int(port)


ca_option = click.option(
    "--ca",
    type=click.Path(exists=True, dir_okay=False),
    help="File of certificates to trust in place of the system's.",
)


# --- record ----------------------------------------------------------------------------------


@click.command()
@click.option(
    "--upstream",
    required=True,
    callback=_service_url,
    help="The real service: https://api.plivo.com",
)
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The tape."
)
@click.option(
    "--listen",
    default="127.0.0.1:8701",
    show_default=True,
    callback=_address,
    metavar="HOST:PORT",
    help="Where your application calls it; port 0 is a free one.",
)
@click.option("--listen-anywhere", is_flag=True, help="Let --listen name more than loopback.")
@click.option(
    "--allowed-hosts",
    default="",
    envvar="PLIVO_SIM_ALLOWED_HOSTS",
    show_envvar=True,
    callback=lambda _, parameter, text: read_option(parameter, read_hosts, text),
    metavar="TEXT",
    help="Hosts, beyond loopback, whose web pages and names browsers may use here.",
)
@click.option("--allow-writes", is_flag=True, help="Hand on what changes the account, too.")
@click.option(
    "--callbacks-to", callback=_base_url, help="Your receiver: callbacks are handed on to it."
)
@ca_option
@click.option("--force", is_flag=True, help="Replace the tape, if there is one.")
def record(
    upstream: str,
    out: Path,
    listen: tuple[str, int],
    listen_anywhere: bool,
    allowed_hosts: tuple[str, ...],
    allow_writes: bool,
    callbacks_to: str | None,
    ca: str | None,
    force: bool,
) -> None:
    """Hand calls on to the real service, and keep them on a tape.

    Your application calls it in place of the service. Nothing is sent to anybody but the upstream,
    and callbacks to --callbacks-to. Credentials, names, ids, texts and files are replaced by
    stand-ins before anything is written.
    """
    from plivo_sim.client import Http
    from plivo_sim.recording.masks import Masks
    from plivo_sim.recording.passing import Recorder
    from plivo_sim.recording.tapes import CALLBACKS, Tape
    from plivo_sim.web.server import make_server

    if not is_loopback(listen[0]) and not listen_anywhere:
        text = f"--listen: {listen[0]} is not loopback; whoever reaches it calls the real service"
        raise click.UsageError(f"{text}; --listen-anywhere if that is meant")
    masks = Masks()
    service = Http(upstream, authority=ca)
    with _made(out):
        tape = Tape(out, masks.host(urlsplit(upstream).hostname or ""), replaces=force)
    receiver = None if callbacks_to is None else Http(callbacks_to)
    recorder = Recorder(
        service, tape, masks, receiver=receiver, allows_writes=allow_writes,
        settings=Settings(host=listen[0], allowed_hosts=allowed_hosts),
    )  # fmt: skip
    server = make_server(recorder, host=listen[0], port=listen[1])
    stopped = _stopped_by_signal()
    try:
        server.start()
    except OSError as error:
        raise click.ClickException(f"cannot listen on {authority(*listen)}: {error}") from None
    lines = [
        f"recording {upstream} on {out}",
        f"  Point your application at   {server.url}",
        f"  It may                      {'change the account' if allow_writes else 'only read'}",
    ]
    if receiver is not None:
        lines.append(f"  Callbacks come to           {server.url}{CALLBACKS}")
    click.echo("\n".join(lines))
    while not stopped.wait(NAP_S):
        pass  # a signal that comes just before the wait, or to another thread, ends none
    server.stop()
    recorder.close()
    tape.close()
    lost = f"; {recorder.lost} were not kept, and the log says why" if recorder.lost else ""
    click.echo(f"{tape.count} exchanges are on {out}{lost}")


def _stopped_by_signal() -> threading.Event:
    """Set by Ctrl-C, or by whoever ends the process."""
    stopped = threading.Event()
    for each in STOP_SIGNALS:
        signal.signal(each, lambda *_: stopped.set())
    return stopped


@contextmanager
def _made(out: Path) -> Iterator[None]:
    """While a file is made: what may go wrong, as a sentence."""
    try:
        yield
    except FileExistsError:
        raise WrongFile(f"{out} exists; --force replaces it") from None
    except OSError as error:
        raise WrongFile(why_unusable(error)) from None


# --- learn -----------------------------------------------------------------------------------


@click.command()
@click.option("--auth-id", required=True, envvar="PLIVO_AUTH_ID", show_envvar=True)
@click.option(
    "--auth-token",
    envvar="PLIVO_AUTH_TOKEN",
    show_envvar=True,
    prompt=True,
    hide_input=True,
    help="Asked for, where it is not given.",
)
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The catalogue."
)
@click.option(
    "--base-url",
    default="https://api.plivo.com",
    show_default=True,
    callback=_service_url,
    help="The service; /v1 at its end may be left out.",
)
@click.option(
    "--country",
    "countries",
    multiple=True,
    default=("IN",),
    show_default=True,
    metavar="XX",
    callback=lambda _, parameter, given: [
        read_option(parameter, read_existing_country, each) for each in given
    ],
    help="Two letters; may be repeated.",
)
@ca_option
@click.option("--force", is_flag=True, help="Replace the file, if there is one.")
def learn(
    auth_id: str,
    auth_token: str,
    out: Path,
    base_url: str,
    countries: list[str],
    ca: str | None,
    force: bool,
) -> None:
    """Write what a real account requires as a catalogue.

    Reads only: requirements, legacy requirements and document types, with their real ids.
    serve --catalogue FILE then answers as that account does. Credentials are written nowhere.
    """
    from plivo_sim.catalogue import load_catalogue
    from plivo_sim.catalogue.output_files import SHARED, write_whole
    from plivo_sim.client import Http
    from plivo_sim.recording.learning import Learner, as_yaml

    if out.exists() and not force:
        raise WrongFile(f"{out} exists; --force replaces it")
    today = datetime.now(UTC).date()
    with exit_codes():
        try:
            learner = Learner(Http(base_url, authority=ca), auth_id, auth_token)
            learned = learner.learn(dict.fromkeys(countries), today)
        except ValueError as error:
            raise RefusedBySimulator(str(error)) from None
    told_of = {each["country"] for each in learned.catalogue["requirements"]}
    if silent := [each for each in countries if each not in told_of]:
        learned.notes.append(f"{base_url} told nothing about requirements of {', '.join(silent)}")
    if not told_of:
        raise RefusedBySimulator("\n".join([*learned.notes, f"{out} is not written"]))
    text = as_yaml(learned, urlsplit(base_url).hostname or base_url, today)
    with _made(out):
        write_whole(out, text.encode(), mode=SHARED, replaces=force)
    try:
        load_catalogue(0, out)
    except ValueError as error:
        raise RefusedBySimulator(f"serve will not take it before it is edited: {error}") from None
    for note in learned.notes:
        say(note, err=True)
    known, types = (learned.catalogue[key] for key in ("requirements", "document_types"))
    told = f"{len(known)} combinations and {len(types)} document types of {', '.join(countries)}"
    click.echo(f"{told} are in {out}, read with {learned.calls} calls")
    click.echo(f"plivo-sim serve --catalogue {shell_word(str(out))}")


# --- tape ------------------------------------------------------------------------------------


@click.group()
def tape() -> None:
    """Look at a tape that record made."""


@tape.command("show")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--json", "shows_json", is_flag=True, help="Print JSON.")
def show_tape(file: Path, shows_json: bool) -> None:
    """List the exchanges and callbacks on a tape."""
    header, exchanges = _read(file)
    if shows_json:
        import msgspec

        click.echo(as_json(msgspec.to_builtins({"tape": header, "exchanges": exchanges})))
        return
    rows = [
        (each.line, f"{each.after_s:.3f}", each.kind, each.request.method, each.request.target,
         each.answer.status)
        for each in exchanges
    ]  # fmt: skip
    told = f"recorded on {header.on} from {header.upstream} by {header.made_by}"
    say(printable(told))
    heads = ("line", "after s", "kind", "method", "target", "status")
    click.echo(table(heads, rows, "nothing was recorded"))


def _read(file: Path) -> tuple[Header, list[Exchange]]:
    from plivo_sim.recording.tapes import WrongTape, read_tape

    try:
        return read_tape(file)
    except WrongTape as error:
        raise WrongFile(str(error)) from None
    except OSError as error:
        raise WrongFile(why_unusable(error)) from None


# --- verify ----------------------------------------------------------------------------------


@click.command()
@click.option(
    "--tape",
    "tape_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Play this tape to a simulator and compare with what was recorded.",
)
@click.option(
    "--base-url",
    callback=_service_url,
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
    --auth-token, read-only unless --life-cycle is given. Exit code 1 when something differs, 2 when
    the tape cannot be used or the server refuses.
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

    _, exchanges = _read(file)
    with _apart_from_drift():
        if base_url is not None:
            for auth_id, token in credentials_on(exchanges).items():
                check_credentials(Client(base_url, auth_id, token))
            return list(Player(base_url).play(exchanges))
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
            return list(Player(live.url).play(exchanges))


class NotCompared(click.ClickException):
    """The server refused a call that ``verify`` needs."""

    exit_code = 2


@contextmanager
def _apart_from_drift() -> Iterator[None]:
    """As ``exit_codes``, but no error ends with the code that means drift."""
    try:
        with exit_codes():
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
    with _apart_from_drift():
        check_credentials(Client(base_url, auth_id, auth_token))
        return [*verifier.read_only(), *(verifier.life_cycle() if life_cycle else ())]


def _told(probes: list[Probe]) -> list[dict[str, Any]]:
    return [{"probe": each.name, "differences": each.differences} for each in probes]


def _probe_lines(probes: list[Probe]) -> str:
    lines = []
    for probe in probes:
        lines.append(f"{'differs' if probe.differences else 'ok':<8} {probe.name}")
        lines += [f"         {difference}" for difference in probe.differences]
    return "\n".join(lines)
