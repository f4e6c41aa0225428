"""``plivo-sim undo``: back to before something was done."""

from __future__ import annotations

from typing import Any

import click

from plivo_sim.cli.numbers import IntRange
from plivo_sim.cli.shared import Target, instant, table, with_new_account


@click.command()
@click.argument("point", type=IntRange(1), required=False)
@click.option("--sure", is_flag=True, help="Also undo what others have done since.")
@click.option("--list", "list_", is_flag=True, help="List what can be undone, oldest first.")
@click.option("--keep", metavar="WHAT", help="Keep this moment; WHAT says what follows it.")
@with_new_account
def undo(target: Target, point: int | None, sure: bool, list_: bool, keep: str | None) -> None:
    """Go back to before something was done.

    To POINT, or to the last one. The console keeps a point before each of its actions, and --keep
    keeps one: the last 20 of each account, until the simulator stops. What is undone cannot be done
    again. Where others have written since, it says what would be lost, and does nothing without
    --sure.
    """
    if sum((point is not None or sure, list_, keep is not None)) > 1:
        raise click.UsageError("give one of POINT, --list, --keep")
    if list_:
        target.show(target.get("/undo"), lambda answer: _points(answer, target.where))
    elif keep is not None:
        kept = target.post("/undo/points", {"what": keep})
        target.show(kept, lambda each: f"point {each['point']} at {instant(each['now'])}")
    else:
        body: dict[str, Any] = {"sure": True} if sure else {}
        body |= {} if point is None else {"point": point}
        target.show(target.post("/undo", body), _undone)


def _points(answer: dict[str, Any], where: str) -> str:
    rows = [
        (each["point"], instant(each["now"]), _others(each), each["what"])
        for each in answer["points"]
    ]
    return table(("point", "at", "others since", "what"), rows, f"nothing to undo of {where}")


def _others(point: dict[str, Any]) -> str:
    """How many calls of others would be undone, too."""
    return f"{point['lost_count']}{' or more' if point['may_lose_more'] else ''}"


def _undone(answer: dict[str, Any]) -> str:
    lost = f", and {_calls(answer['lost'])}" if answer["lost"] else ""
    return f"undone: {answer['undone']}{lost}; {answer['auth_id']} is at {instant(answer['now'])}"


def _calls(count: int) -> str:
    return f"{count} other call{'' if count == 1 else 's'}"
