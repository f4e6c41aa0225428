"""``plivo-sim snapshot``: a moment of an account, kept by name or in a file."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import click

from plivo_sim.commands.asking import Asked, WrongFile, asks_account, makes_account
from plivo_sim.commands.tables import instant

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def snapshot() -> None:
    """Keep a moment of an account, and come back to it."""


@snapshot.command()
@click.argument("name", required=False)
@click.option("--file", type=_FILE, help="Also write it there, whole: records and files.")
@asks_account
def save(asked: Asked, name: str | None, file: Path | None) -> None:
    """Remember this moment under NAME.

    The simulator forgets it when it stops. With --file it is written there too. Without NAME it
    is called by the file, or snapshot-N.
    """
    wanted = name or (file.stem if file else None)
    answer = asked.post("/snapshot", {"name": wanted} if wanted else {})
    if file is not None:
        file.write_text(json.dumps(asked.get(f"/snapshot/{answer['name']}")), "utf-8")
    where = f" and in {file}" if file else ""
    asked.show(
        answer,
        lambda made: f"{made['account']} at {instant(made['now'])} is {made['name']}{where}",
    )


@snapshot.command()
@click.argument("name", required=False)
@click.option("--file", type=_FILE, help="One that save --file wrote.")
@makes_account
def load(asked: Asked, name: str | None, file: Path | None) -> None:
    """Make the moment NAME, or the one in a file, the present again.

    A file goes into the account that it was made in, unless --account says otherwise.
    """
    if bool(name) == (file is not None):
        raise click.UsageError("give one of NAME, --file")
    body: dict[str, Any] = {"name": name}
    if file is not None:
        document = _read(file)
        asked = dataclasses.replace(asked, account=asked.account or str(document.get("account")))
        body = {"snapshot": document}
    answer = asked.post("/restore", body)
    asked.show(answer, lambda told: f"{told['auth_id']} is back at {instant(told['now'])}")


def _read(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise WrongFile(f"{file}: not valid JSON: {error}") from None
    if not isinstance(document, dict) or "plivo_sim_snapshot" not in document:
        raise WrongFile(f"{file}: no snapshot; plivo-sim snapshot save --file makes one")
    return document
