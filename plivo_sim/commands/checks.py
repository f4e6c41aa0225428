"""``plivo-sim evaluate``, ``requests`` and ``coverage``: questions that change nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from plivo_sim.client import Client
from plivo_sim.commands.asking import Asked, WrongFile, asks, asks_account, text_of_file
from plivo_sim.commands.tables import instant, table, values

File = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.argument("data", type=File)
@click.option("--file", "files", type=File, multiple=True, help="Of a document, in their order.")
@asks_account
def evaluate(asked: Asked, data: Path, files: tuple[Path, ...]) -> None:
    """Tell what would happen to an application, and why.

    Nothing of it is kept. DATA is a file with the JSON of the SDK's ``data``.
    """
    text = text_of_file(data)
    try:
        json.loads(text)
    except ValueError as error:
        raise WrongFile(f"{data}: {error}") from None
    form: Any = [("data", text)]
    form += [
        (f"documents[{index}].file", (file.name, file.read_bytes()))
        for index, file in enumerate(files)
    ]
    if asked.account:
        asked.check_account()
    client = Client(asked.client.url, asked.account or "")
    asked.show(client.evaluate(form), _evaluated)


def _evaluated(answer: dict[str, Any]) -> str:
    if answer["would"] == "refused":
        head = values([("would be", "refused"), ("with", answer["status"])])
        rows = [(each["path"], each["message"]) for each in answer["problems"]]
        return f"{head}\n\n{table(('path', 'problem'), rows)}"
    told = [("would be", answer["would"]), ("by", answer["by"])]
    told += [(f"after {each['after']}", each["status"]) for each in answer["steps"]]
    rules = [(each["rule"], each["matched"], each["why"]) for each in answer["rules"]]
    return values(told) + (f"\n\n{table(('rule', 'matched', 'why'), rules)}" if rules else "")


@click.command("requests")
@click.option("--id", "api_id", help="One exchange, by its api_id.")
@asks_account
def requests_(asked: Asked, api_id: str | None) -> None:
    """List the last exchanges, and the fault that hit them."""
    answer = asked.client.control("GET", "/requests", account=asked.account, id=api_id)
    if asked.account and not answer["requests"]:  # who only reads has requests, and no account
        asked.check_account()
    asked.show(answer, _requests)


def _requests(answer: dict[str, Any]) -> str:
    rows = [
        (instant(each["at"]), each["method"], each["url"], each["status"], each["fault"],
         each["why"])
        for each in answer["requests"]
    ]  # fmt: skip
    return table(("at", "method", "url", "status", "fault", "why"), rows)


@click.command()
@click.option("--clear", is_flag=True, help="Begin a new run: forget what was exercised.")
@asks
def coverage(asked: Asked, clear: bool) -> None:
    """Show what this run has exercised.

    Statuses, transitions, reasons, errors, what became of callbacks, faults.
    """
    asked.show(asked.ask("DELETE" if clear else "GET", "/coverage"), _coverage)


def _coverage(answer: dict[str, Any]) -> str:
    arrows = [
        ("transition", f"{each['from']} -> {each['to']}", each["count"])
        for each in answer["transitions"]
    ]
    reasons = answer["rejection_reasons"]
    rows = [
        *(("status", name, "seen" if seen else "-") for name, seen in answer["statuses"].items()),
        *arrows,
        *(("reason", name, count) for name, count in reasons["presets"].items()),
        *(("other reason", text[:60], count) for text, count in reasons["others"].items()),
        *(("error", status, count) for status, count in answer["errors"].items()),
        *(("callback", state, count) for state, count in answer["callbacks"].items()),
        *(("fault", name, count) for name, count in answer["faults"].items()),
    ]
    return table(("what", "which", "times"), rows)
