"""Overview: an account's first page. What there is, what happened last, what needs attention."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response

from plivo_sim.console.pages import open_account, show


def overview_page(auth_id: str) -> Response:
    """How many applications have each status."""
    account = open_account(auth_id)
    with account.lock:
        rows, machine = account.store.applications, account.machine
        counts = {status: rows.how_many("status", status) for status in machine.statuses}
        total = len(rows)
    return show("overview.html", account=account, counts=counts, total=total)


PAGES: list[tuple[str, Callable[..., Response]]] = [("/", overview_page)]
