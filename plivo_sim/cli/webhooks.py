"""``plivo-sim webhooks``: the callbacks of an account, each with every attempt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from plivo_sim.cli.shared import (
    Asked,
    WrongFile,
    asks,
    asks_account,
    id_argument,
    instant,
    makes_account,
    not_empty,
    page_options,
    problems_of,
    table,
    text_of_file,
    values,
)
from plivo_sim.domain.records import DeliveryState

PAGE = 500


_STATES = click.Choice(list(map(str, DeliveryState)))


@click.group()
def webhooks() -> None:
    """Look at callbacks, send them again, make trouble for them."""


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


# --- what happens on the way -----------------------------------------------------------------


@webhooks.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--drop", is_flag=True, help="Go back to the scenario's policy, or none.")
@makes_account
def policy(asked: Asked, file: Path | None, drop: bool) -> None:
    """Show, set or drop what happens to callbacks on their way.

    FILE says it as the webhooks of a scenario file do, in YAML or JSON, with or without that word
    above. It stands in for the policy of the active scenario.
    """
    if file and drop:
        raise click.UsageError("give one of FILE, --drop")
    if file is None:
        asked.show(asked.ask("DELETE" if drop else "GET", "/webhooks/policy"), _policy)
        return
    body = _read_policy(file)
    with problems_of(file, asked.as_json):
        asked.show(asked.post("/webhooks/policy", body), _policy)


def _read_policy(file: Path) -> dict[str, Any]:
    from plivo_sim.catalogue.yaml_text import plain_yaml  # here because it needs YAML

    try:
        told = plain_yaml(text_of_file(file))
    except ValueError as error:
        raise WrongFile(f"{file}: {error}") from None
    if isinstance(told, dict) and list(told) == ["webhooks"]:
        told = told["webhooks"]
    if not isinstance(told, dict):
        raise WrongFile(f"{file}: write 'delay: 10m' and so on")
    return told


def _policy(answer: dict[str, Any]) -> str:
    """As a file says it."""
    import yaml  # here because a start needs none

    text: str = yaml.safe_dump({"webhooks": answer}, sort_keys=False, allow_unicode=True)
    return text.rstrip()


@webhooks.command()
@click.argument("name", callback=not_empty)
@click.option("--clear", is_flag=True, help="Forget what it holds.")
@asks
def inbox(asked: Asked, name: str, clear: bool) -> None:
    """Show what the built-in inbox NAME received.

    URL/_sim/inbox/NAME is its address, a callback_url for whoever has no receiver. All accounts
    share it.
    """
    method = "DELETE" if clear else "GET"
    asked.show(asked.ask(method, f"/inbox/{name}/messages"), _messages)


def _messages(answer: dict[str, Any]) -> str:
    rows = [
        (number, each["method"], each["url"], each["body"])
        for number, each in enumerate(answer["messages"], 1)
    ]
    return table(("message", "method", "url", "body"), rows)
