"""``plivo-sim history``: what was done in an account, and as a file that does it again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from plivo_sim.cli.shared import Document, Target, instant, say, table, with_account

SHOW = ("changes", "all", "console", "failed")


@click.command()
@click.option(
    "--show",
    type=click.Choice(SHOW),
    help="changes: what changed something, and failures (default); all: reads, too; console: what"
    " its buttons did; failed: failures only.",
)
@click.option(
    "--as",
    "as_",
    type=click.Choice(("pytest", "scenario")),
    help="Instead of a list: a test that does it again, or a scenario that decides it again.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write that to this file; default: print it.",
)
@with_account
def history(target: Target, show: str | None, as_: str | None, out: Path | None) -> None:
    """Tell what was done in an account, oldest first.

    By the APIs, by control calls, and by the console's buttons. What has a number under UNDO is
    taken back by `plivo-sim undo NUMBER`. With --as it is a file: for pytest, or for `plivo-sim
    replay`.
    """
    if as_ is None:
        if out is not None:
            raise click.UsageError("--out needs --as")
        answer = target.get("/history", **({"show": show} if show else {}))
        target.show(answer, lambda told: _listed(told, target.where))
        return
    if show is not None or target.as_json:
        raise click.UsageError("give one of --as, --show, --json")
    if target.account:
        target.check_account()
    query = {"account": target.account} if target.account else {}
    content = target.client.document("/history/copy", **{"as": as_}, **query)
    if out is None:
        say(Document(content.decode("utf-8", "replace").rstrip("\n")))
        return
    from plivo_sim.catalogue.output_files import write_whole

    write_whole(out, content)
    say(f"{out}: what was done in {target.where}, as {as_}")


def _listed(answer: dict[str, Any], where: str) -> str:
    rows = [
        (
            instant(each["now"]),
            each["by"],
            each["status"],
            each["what"] + (f": {each['about']}" if each["about"] else ""),
            "undone" if each["undone"] else each["point"] or "",
        )
        for each in answer["calls"]
    ]
    told = table(("at", "by", "status", "what", "undo"), rows, f"nothing was done in {where}")
    gone = answer["forgotten"]
    return told + (f"\n{gone} earlier calls are forgotten" if gone else "")
