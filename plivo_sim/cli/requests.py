"""``plivo-sim evaluate``, ``requests`` and ``coverage``: questions that change nothing."""

from __future__ import annotations

from typing import Any

import click

from plivo_sim.cli.shared import Asked, asks, asks_account, instant, table


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
