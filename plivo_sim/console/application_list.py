"""The list of applications: which there are, and one decision for many of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, request

from plivo_sim.account.account import Account
from plivo_sim.console import selection
from plivo_sim.console.pages import Paged, newest, newest_of, open_account, show
from plivo_sim.console.selection import Asked
from plivo_sim.control.presenters import timers_of
from plivo_sim.domain.records import Application, DeliveryState, NumberType, Origin, UserType
from plivo_sim.scenarios.rules import PRESETS

COLUMNS = {
    "status": "Status", "alias": "Alias", "applicant": "Applicant", "reason": "Reason",
    "callbacks": "Callbacks", "next": "Next", "changed": "Changed", "for": "For",
    "origin": "Made through",
}  # fmt: skip


def list_page(auth_id: str) -> Response:
    """Newest first, or in the order that is asked for; see ``selection``."""
    account = open_account(auth_id)
    machine, asked = account.machine, selection.asked_in(request.args)
    if asked.is_indexed:
        with account.lock:
            found = newest(account.store.applications, asked.where)
            counts: Mapping[str, int] = selection.counts_of(account, asked)
    else:
        every = selection.find(account, asked)
        found, counts = newest_of(every.applications), every.counts
    with account.lock:
        rows = [_row(account, each) for each in found.items]
        countries = sorted({r.country_iso for r in account.catalogue.requirements})
        any_at_all = len(account.store.applications) > 0
    return show(
        "applications.html",
        account=account,
        found=Paged(rows, found.number, found.total),
        asked=asked,
        counts=counts,
        columns=_columns(asked),
        choices={
            "origin": ("Made through", list(Origin)),
            "country_iso": ("Country", countries),
            "number_type": ("Number", list(NumberType)),
            "user_type": ("Applicant", list(UserType)),
        },
        healths=selection.HEALTHS,
        decisions={status: machine.ways_to(status)[0] for status in machine.decidable},
        presets=PRESETS,
        any_at_all=any_at_all,
    )


def _columns(asked: Asked) -> list[dict[str, str]]:
    """Each with how the list is sorted by it now, and the query that sorts by it, or the other way
    round."""
    rest = asked.without("sort")
    columns = []
    for name, label in COLUMNS.items():
        order = {name: "ascending", f"-{name}": "descending"}.get(asked.sort, "")
        then = f"-{name}" if order == "ascending" else name
        columns.append({"label": label, "order": order, "query": f"{rest}sort={then}"})
    return columns


def _row(account: Account, application: Application) -> dict[str, Any]:
    timers = timers_of(account, application.id)
    deliveries = account.store.deliveries.having("application_id", application.id)
    latest = selection.latest_callbacks(deliveries).get(application.id)
    return {
        "application": application,
        "end_user": account.store.end_users.fetch(application.end_user_id),
        "next": timers[0] if timers else None,
        "health": selection.health(latest),
        "tries": len(latest.attempts) if latest else 0,
        "failed": sum(each.state is DeliveryState.FAILED for each in deliveries),
    }


PAGES: list[tuple[str, Callable[..., Response]]] = [("/applications", list_page)]
