"""What the commands share that call a real service: its URL, whom to trust, tapes, new files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plivo_sim.cli.shared import WrongFile, read_option, why_unusable
from plivo_sim.domain.urls import has_user
from plivo_sim.settings import read_base_url

if TYPE_CHECKING:
    from plivo_sim.recording.tapes import Exchange, Header


def base_url_of(_: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    """Raises BadParameter, too for a user name or a password, which nothing would send."""
    if text is None:
        return None
    if has_user(text):
        raise click.BadParameter("it must have no user name or password", param=parameter)
    return read_option(parameter, read_base_url, text).rstrip("/")


def service_url_of(
    context: click.Context, parameter: click.Parameter, text: str | None
) -> str | None:
    """Without the ``/v1`` that the paths of the APIs begin with."""
    url = base_url_of(context, parameter, text)
    return url and url.removesuffix("/v1").rstrip("/")


ca_option = click.option(
    "--ca",
    type=click.Path(exists=True, dir_okay=False),
    help="File of certificates to trust in place of the system's.",
)


@contextmanager
def made(out: Path) -> Iterator[None]:
    """While a file is made: what may go wrong, as a sentence."""
    try:
        yield
    except FileExistsError:
        raise WrongFile(f"{out} exists; --force replaces it") from None
    except OSError as error:
        raise WrongFile(why_unusable(error)) from None


def read_tape_of(file: Path) -> tuple[Header, list[Exchange]]:
    from plivo_sim.recording.tapes import WrongTape, read_tape

    try:
        return read_tape(file)
    except WrongTape as error:
        raise WrongFile(str(error)) from None
    except OSError as error:
        raise WrongFile(why_unusable(error)) from None
