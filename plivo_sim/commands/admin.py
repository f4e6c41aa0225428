"""``plivo-sim status``, ``reset`` and ``export``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from plivo_sim.commands.accounts import accounts_table
from plivo_sim.commands.asking import Asked, as_json, asks, asks_account
from plivo_sim.commands.tables import values


@click.command()
@asks
def status(asked: Asked) -> None:
    """Show whether it answers, and its accounts."""
    answer = {
        "health": asked.get("/health"),
        "accounts": asked.get("/accounts")["accounts"],
    }
    asked.show(answer, lambda told: _status(asked.client.url, told))


def _status(url: str, answer: dict[str, Any]) -> str:
    health = answer["health"]
    head = values(
        [
            ("url", url),
            ("status", health["status"]),
            ("version", health["version"]),
            ("state", health["state"]),
            *(("DAMAGED", _damage(each)) for each in health["damages"]),
        ]
    )
    return f"{head}\n\n{accounts_table(answer['accounts'])}"


def _damage(told: dict[str, Any]) -> str:
    where = f"line {told['line']}, byte {told['offset']}"
    return f"{told['file']} at {where}; the rest is in {told['kept_in']}"


@click.command()
@click.option("--all", "all_", is_flag=True, help="Every account.")
@asks_account
def reset(asked: Asked, all_: bool) -> None:
    """Forget everything that an account holds.

    It does not exist afterwards, until something is written to it.
    """
    said = click.get_current_context().get_parameter_source("account")
    if all_ and said is click.core.ParameterSource.COMMANDLINE:
        raise click.UsageError("give one of --all, --account")
    answer = asked.post("/reset", {"account": "all"} if all_ else {})
    asked.show(answer, lambda told: f"reset {', '.join(told['reset']) or 'nothing'}")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@asks_account
def export(asked: Asked, file: Path) -> None:
    """Write an account's records to a TinyDB file.

    FILE may be - for the standard output. tinydb.TinyDB(FILE).table("applications").all() lists
    the applications. The account's token is left out.
    """
    answer = asked.get("/export")
    if asked.as_json or str(file) == "-":
        click.echo(as_json(answer))
    if str(file) == "-":
        return
    file.write_text(as_json(answer), "utf-8")
    if not asked.as_json:
        counts = ", ".join(f"{len(rows)} {name}" for name, rows in answer.items())
        click.echo(f"{file}: {counts or 'nothing'}")
