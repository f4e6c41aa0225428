"""``plivo-sim doctor``: what is wrong with the set-up, and how to repair it."""

from __future__ import annotations

import os
import platform
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import click

from plivo_sim import __version__
from plivo_sim.account.store.directory import in_use
from plivo_sim.cli.shared import as_json, read_option, say, table, url_option
from plivo_sim.domain.urls import is_uncallable, with_scheme
from plivo_sim.settings import read_hosts
from plivo_sim.simulator import AUTH_ID
from plivo_sim.variables import of_platform, unread

if TYPE_CHECKING:
    from plivo_sim.client import Client

State = Literal["ok", "look", "broken"]
LIBRARIES = ("flask", "werkzeug", "marshmallow", "tinydb", "msgspec", "cheroot", "click")
CONNECT_S = 3.0
OLDEST_PYTHON = (3, 11)
EARLIEST = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``do`` says what to do, if anything."""

    what: str
    state: State
    told: str
    do: str = ""


@click.command()
@url_option
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    envvar="PLIVO_SIM_STATE",
    show_envvar=True,
    help="The state directory to look at.",
)
@click.option("--callback-url", default="", help="A receiver; can callbacks reach it?")
@click.option(
    "--allow-callback-hosts",
    default="",
    callback=lambda _, parameter, text: read_option(parameter, read_hosts, text),
    envvar="PLIVO_SIM_ALLOW_CALLBACK_HOSTS",
    show_envvar=True,
    help="The same as for serve.",
)
@click.option("--json", "shows_json", is_flag=True, help="Print the findings as JSON.")
def doctor(
    url: str,
    state: Path | None,
    callback_url: str,
    allow_callback_hosts: tuple[str, ...],
    shows_json: bool,
) -> None:
    """Check the set-up and say what to do.

    Exits with 1 when something is broken. Nothing is changed; a receiver is connected to, but
    nothing is sent to it.
    """
    found = [*versions(), *simulator(url), *environment(os.environ)]
    if state is not None:
        found += state_directory(state)
    if callback_url:
        found += receiver(callback_url, allow_callback_hosts)
    say(as_json([asdict(each) for each in found]) if shows_json else _as_text(found))
    if any(each.state == "broken" for each in found):
        click.get_current_context().exit(1)


def _as_text(found: list[Finding]) -> str:
    rows = [(each.state, each.what, each.told) for each in found]
    advice = [f"{each.what}: {each.do}" for each in found if each.do]
    return "\n".join([table(("", "what", "found"), rows), "", *(advice or ["nothing to do"])])


def versions() -> Iterator[Finding]:
    """Python, this package and what it stands on; the machine's clock."""
    old = sys.version_info[:2] < OLDEST_PYTHON
    text = f"{platform.python_version()} at {sys.executable}"
    yield Finding("Python", "broken" if old else "ok", text, "install 3.11 or newer" * old)
    libraries = ", ".join(f"{name} {metadata.version(name)}" for name in LIBRARIES)
    yield Finding("plivo-sim", "ok", f"{__version__} with {libraries}")
    now = datetime.now(UTC)
    wrong = now < EARLIEST
    advice = "set the machine's clock: TLS and new accounts begin with it" * wrong
    yield Finding("clock", "broken" if wrong else "ok", f"{now:%Y-%m-%d %H:%M:%S} UTC", advice)


def simulator(url: str) -> Iterator[Finding]:
    """What answers at the URL, if anything does."""
    from plivo_sim.client import Client, NoUrl, Refused, Unreachable

    try:
        health = Client(url).control("GET", "/health")
    except Refused as error:
        text = f"{url} answers {error.status}: {error}"
        advice = "another program has the port, or the host is not allowed: serve --port, --url"
        yield Finding("simulator", "broken", text, advice)
        return
    except NoUrl as error:
        yield Finding("simulator", "broken", str(error), "--url takes the URL that serve printed")
        return
    except (Unreachable, ValueError) as error:
        yield _unanswered(url, str(error))
        return
    if not isinstance(health, Mapping) or "version" not in health:
        advice = "another program has the port: plivo-sim serve --port 0 finds a free one"
        yield Finding("simulator", "broken", f"{url} is not plivo-sim", advice)
        return
    other = health["version"] != __version__
    text = f"{url} is plivo-sim {health['version']}, state: {health.get('state')}"
    advice = f"this command is {__version__}: restart the simulator" * other
    yield Finding("simulator", "look" if other else "ok", text, advice)
    damages = health.get("damages")
    for damage in damages if isinstance(damages, list) else ():
        if isinstance(damage, Mapping):
            advice = f"what could not be read is kept in {damage.get('kept_in')}"
            yield Finding("state", "broken", f"{damage.get('file')} was damaged", advice)
    yield from _receivers(Client(url))


def _receivers(client: Client) -> Iterator[Finding]:
    """The accounts whose callbacks go nowhere, as no request can have their URL."""
    from plivo_sim.client import Refused, Unreachable

    try:
        accounts = client.control("GET", "/accounts")["accounts"]
        found = [(each["auth_id"], each["settings"].get("callback_url", "")) for each in accounts]
        wrong = [(id, url) for id, url in found if is_uncallable(url)]
    except (Refused, Unreachable, LookupError, TypeError, AttributeError):
        return  # told above, or a server that does not tell of them
    for id, url in wrong:
        advice = f"plivo-sim account set callback_url=URL --account {id}"
        text = f"no request can have the callback_url {url!r} of {id}: its callbacks go nowhere"
        yield Finding("callbacks", "broken", text, advice)


def _unanswered(url: str, text: str) -> Finding:
    """Nothing answers: is the port free, or does something listen there that is not HTTP?"""
    parts = urlsplit(with_scheme(url))
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((parts.hostname or "", port), CONNECT_S):
            pass
    except OSError:
        return Finding(
            "simulator", "look", f"nothing answers at {url}", "start it: plivo-sim serve"
        )
    advice = "another program has the port, or one side speaks TLS: https:// in --url, --port"
    return Finding("simulator", "broken", f"{url} takes calls, but: {text}", advice)


def environment(variables: Mapping[str, str]) -> Iterator[Finding]:
    """What SDKs read, and what would keep them from a simulator on this machine."""
    auth_id, token = variables.get("PLIVO_AUTH_ID"), variables.get("PLIVO_AUTH_TOKEN")
    if auth_id is None and token is None:
        yield Finding("credentials", "ok", "PLIVO_AUTH_ID and PLIVO_AUTH_TOKEN are not set")
    elif not token or not AUTH_ID.fullmatch(auth_id or ""):
        advice = "set both; the id is MA and 18 letters or digits, the token is not empty"
        yield Finding("credentials", "broken", "PLIVO_AUTH_ID, PLIVO_AUTH_TOKEN do not fit", advice)
    else:
        yield Finding("credentials", "ok", f"PLIVO_AUTH_ID is {auth_id}, a token is set")
    yield _sdk(variables)
    yield _proxy(variables)
    for name, hint in unread(variables):
        yield Finding("variable", "look", f"{name} is set, and nothing reads it", hint)
    if passed_over := of_platform(variables):
        text = f"{', '.join(passed_over)}: set by the platform, and passed over"
        yield Finding("variable", "ok", text)
    unknown = sorted(set(variables) & {"PLIVO_BASE_URL", "PLIVO_API_URL", "PLIVO_BASE_URI"})
    if unknown:
        advice = "no SDK reads it; docs/sdks.md has what each one does read"
        yield Finding("SDK", "look", f"{', '.join(unknown)} is set", advice)


def _sdk(variables: Mapping[str, str]) -> Finding:
    """Where the Python SDK of this environment goes by itself: to the real service."""
    try:
        version = metadata.version("plivo")
    except metadata.PackageNotFoundError:
        return Finding("SDK", "ok", "plivo for Python is not installed here")
    url = variables.get("PLIVO_SIM_URL") or variables.get("PLIVO_SIM_API")
    text = f"plivo {version} calls api.plivo.com unless the program points it elsewhere"
    if url:
        return Finding("SDK", "ok", f"{text}; PLIVO_SIM_URL offers {url}")
    return Finding("SDK", "look", text, "point it as docs/sdks.md shows, or use plivo-sim run")


def _proxy(variables: Mapping[str, str]) -> Finding:
    set_ = [name for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY") if variables.get(name)]
    direct = variables.get("NO_PROXY", "") + variables.get("no_proxy", "")
    if not set_ or any(word in direct for word in ("127.0.0.1", "localhost", "*")):
        return Finding("proxy", "ok", "no proxy is between this command and this machine")
    advice = "add 127.0.0.1,localhost to NO_PROXY: the proxy would get the calls"
    return Finding("proxy", "look", f"{', '.join(set_)} is set", advice)


def state_directory(state: Path) -> Iterator[Finding]:
    """Whether it is there, can be written, and is free."""
    nearest = next(each for each in (state, *state.absolute().parents) if each.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        advice = f"make {nearest} a directory that this user may write, or choose another"
        yield Finding("state", "broken", f"cannot write to {nearest}", advice)
    elif nearest != state:
        yield Finding("state", "ok", f"{state} does not exist; serve makes it")
    elif (holder := in_use(state)) is not None:
        advice = "that is right if it is the simulator above; a second one needs its own directory"
        who = f"a running plivo-sim{holder and f' ({holder})'}"
        yield Finding("state", "ok", f"{state} is in use by {who}", advice)
    else:
        yield Finding("state", "ok", f"{state} can be written and is free")


def receiver(url: str, allowed: tuple[str, ...]) -> Iterator[Finding]:
    """Whether a callback would get there: allowed, its name resolves, and something listens."""
    from plivo_sim.domain.urls import check_callback_url
    from plivo_sim.webhooks.transport import HttpTransport

    problem = check_callback_url(url, ("callback_url",), https_only=False, allowed=allowed)
    if problem is not None:
        yield Finding("receiver", "broken", f"{url} {problem.text}", "write http://host:port/path")
        return
    error = HttpTransport().why_unreachable(url, allowed, CONNECT_S)
    if error is None:
        yield Finding("receiver", "ok", f"{url} takes connections")
        return
    advice = "see the sentence above" if "blocked" in error else "check the host's name"
    if error == "connection refused":
        advice = "start the receiver; in a container, 127.0.0.1 is the container"
    elif error.startswith("timed out after"):
        advice = "a firewall, or a wrong host"
    yield Finding("receiver", "broken", f"{url}: {error}", advice)
