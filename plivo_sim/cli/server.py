"""``plivo-sim serve``: the simulator itself.

``plivo-sim run -- COMMAND``: a simulator while one command runs, for test suites in any language.
"""

from __future__ import annotations

import errno
import gc
import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import Field, fields
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

import click

from plivo_sim import __version__
from plivo_sim.cli.shared import HANGUPS, STOP_SIGNALS, WrongFile, heard, say, why_unusable
from plivo_sim.cli.words import MACHINES, Words
from plivo_sim.domain.errors import StateUnreadable
from plivo_sim.domain.text import shell_word
from plivo_sim.domain.urls import ANY_ADDRESS, authority, base_url
from plivo_sim.settings import OneOf, Settings, read_flag, read_path, read_setting, text_of
from plivo_sim.variables import is_of_platform, of_platform

if TYPE_CHECKING:
    from plivo_sim.assembly import LiveSimulator

F = TypeVar("F", bound=Callable[..., Any])


class SettingOption(click.Option):
    """An option whose variable may be a platform's (see ``variables``): then it is not set."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        text = super().resolve_envvar_value(ctx)
        is_set = text is not None and not is_of_platform(str(self.envvar), text)
        return text if is_set else None


LONGEST_NAP_S = 0.25
HEALTH_TIMEOUT_S = 2.0
_REPEATED = {"credentials": "credential"}


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
    ready = None if ready_file is None else _ReadyFile(ready_file)
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
        live.stop()
    _end(out)


def _end(out: Any) -> None:
    """End now if a thread still waits for a receiver: Python waits for every thread of a pool."""
    from plivo_sim.simulator.logs import finish

    finish(out)
    if any(each.name.startswith("plivo-sim-") for each in threading.enumerate()):
        logging.shutdown()
        os._exit(0)


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


LONGEST_URL_BYTES = 300
_URL = re.compile(rb"https?://[^\s/]{1,290}/?\s{0,2}")


class _ReadyFile:
    """The file that says where requests are answered, for a script that waits for it.

    A regular file is there only while they are: one that an earlier server left is removed. What
    else exists at the path (a device, a FIFO, /dev/stdout) is written to and stays.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._url = ""
        with self._named():
            from plivo_sim.catalogue.output_files import is_stream

            self._is_stream = is_stream(path)
            if not self._is_stream:
                self._path = path.resolve()
                if self._path.is_file():
                    self._refuse_other_content()
                self._path.unlink(missing_ok=True)

    def _refuse_other_content(self) -> None:
        """A name that was mistyped deletes nobody's file."""
        from plivo_sim.catalogue.user_files import bytes_in

        found = bytes_in(self._path, LONGEST_URL_BYTES + 1)
        if found and not _URL.fullmatch(found):
            raise ValueError("has something else in it than the URL that a server left there")

    def write(self, url: str) -> None:
        """At once: a reader that waits for it never sees half of it. Raises WrongFile."""
        self._url = url
        if self._path.is_fifo():  # to open it waits for a reader, and a signal must not wait
            threading.Thread(target=self._write_stream, daemon=True).start()
            return
        with self._named():
            if self._is_stream:
                self._write_stream()
                return
            from plivo_sim.catalogue.output_files import SHARED, replace_file

            replace_file(self._path, url.encode(), SHARED)

    def _write_stream(self) -> None:
        with (
            suppress(BrokenPipeError),
            self._path.open("a", encoding="utf-8", newline="\n") as stream,
        ):
            stream.write(self._url)

    def remove(self) -> None:
        """Unless another server has written its own meanwhile."""
        if not self._is_stream:
            with suppress(OSError, ValueError):
                from plivo_sim.catalogue.user_files import bytes_in

                if bytes_in(self._path, len(self._url)).decode() == self._url:
                    self._path.unlink()

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise WrongFile(f"--ready-file {self._path}: {reason}") from None


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

    with LiveSimulator(settings) as live, _handing_on() as hand_to:
        try:
            added = {**variables(live.url), **without_proxy(environment)}
            words = [_program(command[0]), *command[1:]]
            child = subprocess.Popen(words, env={**environment, **added})  # noqa: S603
        except (FileNotFoundError, PermissionError):
            return NOT_FOUND
        hand_to(child)
        code = child.wait()
    return code if code >= 0 else 128 - code


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
