"""``plivo-sim report``: what happened, to show to somebody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from plivo_sim.cli.ids import RecordId
from plivo_sim.cli.shared import Document, Target, as_json, say, with_account


@click.command()
@click.argument("id", type=RecordId("application"), required=False)
@click.option("--html", is_flag=True, help="As an HTML file that needs nothing else.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write it to this file; default: print it.",
)
@with_account
def report(target: Target, id: str | None, html: bool, out: Path | None) -> None:
    """Tell what happened to the application ID, or in an account.

    Where each application stands, its timeline, its callbacks and requests. With --html it is a
    file to show to somebody: styles and uploaded pictures are in it, no script, and secrets are
    masked.
    """
    if html and target.as_json:
        raise click.UsageError("give one of --html, --json")
    if target.account:
        target.check_account()
    query = {"account": target.account, "application": id or ""}
    if html:
        content = target.client.document("/report", format="html", **query)
    else:
        answer = target.client.control("GET", "/report", **query)
        told = _words(answer)  # with --json, too: see ``Target.show``
        content = (as_json(answer) if target.as_json else told).encode()
    if out is None:
        said = content.decode("utf-8", "replace")
        say(Document(said) if html or target.as_json else said)
        return
    from plivo_sim.catalogue.output_files import write_whole

    write_whole(out, content + b"\n" * (not html))
    if not target.as_json:
        say(f"{out}: the report of {f'application {id}' if id else target.where}")


def _words(answer: dict[str, Any]) -> str:
    return "\n".join(answer["lines"])
