"""Applications: the list, and decisions about one or many. One of them: ``case``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from flask import Response, request
from werkzeug.datastructures import MultiDict

from plivo_sim.account.account import Account
from plivo_sim.console import selection
from plivo_sim.console.actions import MOST_AT_ONCE, Action, Build, Form, too_many
from plivo_sim.console.pages import Paged, newest, newest_of, open_account, show
from plivo_sim.console.selection import Asked
from plivo_sim.control.presenters import timers_of
from plivo_sim.domain.machine import ByHand
from plivo_sim.domain.records import Application, DeliveryState, NumberType, Origin, UserType
from plivo_sim.machines import default_machine
from plivo_sim.scenarios.rules import PRESETS
from plivo_sim.simulator import is_account
from plivo_sim.web.calls import current_call
from plivo_sim.webhooks.outbox import standing_of

COLUMNS = {
    "status": "Status", "alias": "Alias", "applicant": "Applicant", "reason": "Reason",
    "callbacks": "Callbacks", "next": "Next", "changed": "Changed", "for": "For",
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
        rows=len(rows),
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
        "standing": standing_of(account, latest) if latest else "",
        "failed": sum(each.state is DeliveryState.FAILED for each in deliveries),
    }


def decide(form: Form) -> list[Action]:
    """One decision for every application that was ticked, or for all that a list has (``all``, and
    the list's query as ``match``)."""
    status, id, sim = form.get("status", ""), form.get("account", ""), current_call().sim
    account = sim.account(id) if is_account(id) else None
    machine = account.machine if account is not None else sim.machine
    ids, left = form.getlist("id"), ""
    if status not in machine.decidable:
        return [_not_decided("choose a decision")]
    if account is not None and form.get("all"):
        ids, left = _matching(account, form.get("match", ""), status)
    if not ids:
        return [_not_decided(left or "tick the applications that it is for")]
    if wrong := too_many(ids):
        return [_not_decided(wrong)]
    ways = machine.ways_to(status)
    how = next((each for each in ways if each.command == form.get("verb")), ways[0])
    written = form.get("reason", "").strip() or form.get("preset", "")
    reasonless = bool(written) and not machine.statuses[status].reason
    wrong = f"{status} goes without a reason" if reasonless else ""
    made = [replace(_decision(id, each, status, how, written), wrong=wrong) for each in ids]
    if account is not None:
        made = [replace(each, name=_name(account, each.ids["id"])) for each in made]
    return [*made, _not_decided(left)] if left else made


def _matching(account: Account, query: str, status: str) -> tuple[list[str], str]:
    """The ids of all that a list has and that may be decided so, newest first, and what to say of
    the others."""
    asked = selection.asked_in(MultiDict(parse_qsl(query)))
    every = selection.find(account, asked).applications[::-1]
    may = [each.id for each in every if status in account.machine.open_to(each.status)]
    if len(may) > MOST_AT_ONCE:
        more, most = len(may) - MOST_AT_ONCE, MOST_AT_ONCE
        return may[:most], f"at most {most:,} go at once, and {more:,} more match: decide again"
    not_so = len(every) - len(may)
    return may, f"{not_so:,} that match cannot become {status} as they are" if not_so else ""


def _name(account: Account, id: str) -> str:
    application = account.store.applications.fetch(id)
    return (application and application.alias) or id


def _decision(account: str, id: str, status: str, how: ByHand, reason: str) -> Action:
    named = ("--account", account) if account else ()
    said = ("--reason", reason) if reason else ()
    words = (how.command, id) if how.command in _commands(status) else ("decide", id, status)
    return Action(
        message=f"{how.done} {id}.",
        did=how.done,
        operation="decide",
        ids={"id": id},
        query={"account": account} if account else {},
        body={"status": status, **({"reason": reason} if reason else {})},
        cli=("apps", *words, *said, *named),
    )


def _commands(status: str) -> Collection[str]:
    """Those that ``plivo-sim apps`` has wherever it is called."""
    known = default_machine()
    return {each.command for each in known.ways_to(status)} if status in known.statuses else ()


def _not_decided(wrong: str) -> Action:
    return Action(message="", operation="decide", wrong=wrong)


PAGES: list[tuple[str, Callable[..., Response]]] = [("/applications", list_page)]

ACTIONS: dict[str, Build] = {"decide": decide}
