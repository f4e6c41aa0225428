"""``plivo-sim record`` and ``tape``: what a real account answers, kept."""

from __future__ import annotations

import logging
import re
import signal
import threading
from pathlib import Path
from urllib.parse import urlsplit

import click

from plivo_sim.cli.services import base_url_of, ca_option, made, read_tape_of, service_url_of
from plivo_sim.cli.shared import as_json, read_option, say, table
from plivo_sim.cli.starting import STOP_SIGNALS, heard
from plivo_sim.domain.text import printable
from plivo_sim.domain.urls import authority, is_loopback, read_host
from plivo_sim.settings import Settings, read_hosts

NAP_S = 0.25
LAST_PORT = 65535


def _address(_: click.Context, parameter: click.Parameter, text: str) -> tuple[str, int]:
    host, port = text.rpartition(":")[::2]
    if not host or not re.fullmatch("[0-9]{1,5}", port) or int(port) > LAST_PORT:
        raise click.BadParameter("write HOST:PORT, such as 127.0.0.1:8701", param=parameter)
    return read_option(parameter, read_host, host.strip("[]")), int(port)


# --- record ----------------------------------------------------------------------------------


@click.command()
@click.option(
    "--upstream",
    required=True,
    callback=service_url_of,
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
    "--callbacks-to", callback=base_url_of, help="Your receiver: callbacks are handed on to it."
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
    from plivo_sim.account.descriptors import allow_many
    from plivo_sim.client import Http
    from plivo_sim.recording.masks import Masks
    from plivo_sim.recording.passing import Recorder
    from plivo_sim.recording.tapes import CALLBACKS, Tape
    from plivo_sim.simulator.logs import configure_logging
    from plivo_sim.web.server import make_server

    if not is_loopback(listen[0]) and not listen_anywhere:
        text = f"--listen: {listen[0]} is not loopback; whoever reaches it calls the real service"
        raise click.UsageError(f"{text}; --listen-anywhere if that is meant")
    allow_many()
    configure_logging("text", logging.WARNING)
    masks = Masks()
    service = Http(upstream, authority=ca)
    with made(out):
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
    say("\n".join(lines))
    while not stopped.wait(NAP_S):
        pass  # a signal that comes just before the wait, or to another thread, ends none
    server.stop()
    recorder.close()
    tape.close()
    lost = f"; {recorder.lost} were not kept, and the log says why" if recorder.lost else ""
    say(f"{tape.count} exchanges are on {out}{lost}")


def _stopped_by_signal() -> threading.Event:
    """Set by Ctrl-C, or by whoever ends the process."""
    stopped = threading.Event()
    for each in heard(STOP_SIGNALS):
        signal.signal(each, lambda *_: stopped.set())
    return stopped


# --- tape ------------------------------------------------------------------------------------


@click.group()
def tape() -> None:
    """Look at a tape that record made."""


@tape.command("show")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--json", "shows_json", is_flag=True, help="Print JSON.")
def show_tape(file: Path, shows_json: bool) -> None:
    """List the exchanges and callbacks on a tape."""
    header, exchanges = read_tape_of(file)
    if shows_json:
        import msgspec

        say(as_json(msgspec.to_builtins({"tape": header, "exchanges": exchanges})))
        return
    rows = [
        (each.line, f"{each.after_s:.3f}", each.kind, each.request.method, each.request.target,
         each.answer.status)
        for each in exchanges
    ]  # fmt: skip
    told = f"recorded on {header.on} from {header.upstream} by {header.made_by}"
    say(printable(told))
    heads = ("line", "after s", "kind", "method", "target", "status")
    say(table(heads, rows, "nothing was recorded"))
