"""``plivo-sim webhooks``: the callbacks of an account, each with every attempt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from plivo_sim.commands.asking import Asked, asks_account, id_argument, page_options
from plivo_sim.commands.tables import instant, table, values
from plivo_sim.domain.models import DeliveryState

PAGE = 500
_STATES = click.Choice(list(map(str, DeliveryState)))


@click.group()
def webhooks() -> None:
    """Look at callbacks and send them again."""


@webhooks.command("list")
@click.option("--application", metavar="ID", help="Only this application's.")
@click.option("--state", type=_STATES, help="Only those in this state.")
@page_options
@asks_account
def list_(
    asked: Asked, application: str | None, state: str | None, limit: int, offset: int
) -> None:
    """List callbacks, oldest first."""
    answer = asked.get(
        "/webhooks", application=application, state=state, limit=limit, offset=offset
    )
    asked.show(answer, _list)


def _list(answer: dict[str, Any]) -> str:
    shown, total = answer["webhooks"], answer["total_count"]
    more = f"\n{len(shown)} of {total}; see --limit and --offset" if total > len(shown) else ""
    return _table(shown) + more


def _table(deliveries: list[dict[str, Any]]) -> str:
    rows = [
        (
            each["id"],
            instant(each["created_at"]),
            each["state"],
            len(each["attempts"]),
            each["attempts"][-1]["status"] if each["attempts"] else None,
            each["application"],
            each["url"],
        )
        for each in deliveries
    ]
    return table(("id", "made", "state", "attempts", "answer", "application", "url"), rows)


@webhooks.command()
@id_argument
@asks_account
def show(asked: Asked, id: str) -> None:
    """Show what was sent, and what each attempt met with."""
    asked.show(asked.get(f"/webhooks/{id}"), _delivery)


def _delivery(answer: dict[str, Any]) -> str:
    attempts = answer["attempts"]
    head = values(
        [
            ("id", answer["id"]),
            ("application", answer["application"]),
            ("target", f"{answer['method']} {answer['url']}"),
            ("state", answer["state"]),
            ("why", answer["why"]),
            *((f"payload {name}", text) for name, text in answer["payload"].items()),
        ]
    )
    rows = [
        (
            instant(each["at"]),
            each["status"] or each["error"],
            f"{each['latency_s'] * 1000:.0f} ms",
            each["answer"],
        )
        for each in attempts
    ]
    parts = [head, table(("attempt at", "answer", "took", "body"), rows)]
    if attempts:
        parts.append(table(("header sent last", "value"), attempts[-1]["headers"].items()))
    return "\n\n".join(parts)


@webhooks.command()
@click.argument("id", required=False)
@click.option("--all", "all_", is_flag=True, help="Every callback of the account.")
@click.option("--application", metavar="ID", help="With --all: only this application's.")
@click.option("--state", type=_STATES, help="With --all: only those in this state.")
@asks_account
def replay(
    asked: Asked, id: str | None, all_: bool, application: str | None, state: str | None
) -> None:
    """Send a callback again, as a new one; or all of them."""
    if bool(id) == all_:
        raise click.UsageError("give one of ID, --all")
    if not all_ and (application or state):
        raise click.UsageError("--application and --state go with --all")
    if id:
        asked.show(asked.post(f"/webhooks/{id}/replay"), lambda made: _table([made]))
        return
    found = list(_every(asked, application, state))
    made = [asked.post(f"/webhooks/{each['id']}/replay") for each in found]
    asked.show({"webhooks": made}, lambda answer: _table(answer["webhooks"]))


def _every(asked: Asked, application: str | None, state: str | None) -> Iterator[dict[str, Any]]:
    """All the callbacks of a filter, page by page."""
    offset = 0
    while True:
        answer = asked.get(
            "/webhooks", application=application, state=state, limit=PAGE, offset=offset
        )
        yield from answer["webhooks"]
        offset += PAGE
        if offset >= answer["total_count"]:
            return
