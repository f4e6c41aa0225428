"""``plivo-sim learn``: what a real account requires, as a catalogue."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import click

from plivo_sim.cli.services import ca_option, made, service_url_of
from plivo_sim.cli.shared import (
    RefusedBySimulator,
    WrongFile,
    exit_codes,
    read_existing_country,
    read_option,
    say,
)
from plivo_sim.domain.text import shell_word


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
    callback=service_url_of,
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
    from plivo_sim.catalogue import check_text
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
    wrong = ""
    try:
        check_text(text, str(out))
    except ValueError as error:
        wrong = f"serve will not take it before it is edited: {error}"
    if wrong and out.exists():
        raise RefusedBySimulator(f"{out} is left as it was; write to another --out, as {wrong}")
    with made(out):
        write_whole(out, text.encode(), mode=SHARED, replaces=force)
    if wrong:
        raise RefusedBySimulator(wrong)
    for note in learned.notes:
        say(note, err=True)
    known, types = (learned.catalogue[key] for key in ("requirements", "document_types"))
    told = f"{len(known)} combinations and {len(types)} document types of {', '.join(countries)}"
    say(f"{told} are in {out}, read with {learned.calls} calls")
    say(f"plivo-sim serve --catalogue {shell_word(str(out))}")
