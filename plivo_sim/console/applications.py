"""Applications: the list, and decisions about those that are ticked. One of them: ``case``."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from flask import Response, request

from plivo_sim.account.account import Account
from plivo_sim.console.actions import Action, Build, Form, too_many
from plivo_sim.console.pages import Paged, newest, newest_of, open_account, show
from plivo_sim.control.presenters import timers_of
from plivo_sim.domain.machine import ByHand
from plivo_sim.domain.records import Application, Origin
from plivo_sim.machines import default_machine
from plivo_sim.scenarios.rules import PRESETS
from plivo_sim.simulator import is_account
from plivo_sim.web.calls import current_call

Where = dict[str, list[str]]


def list_page(auth_id: str) -> Response:
    """Newest first; filters and a search that looks into ids, aliases and applicants' names."""
    account = open_account(auth_id)
    machine = account.machine
    where = {
        name: values
        for name in ("status", "origin", "country_iso")
        if (values := [each for each in request.args.getlist(name) if each])
    }
    text = request.args.get("q", "").strip()
    if text:
        found = _search(account, where, text)
    else:
        with account.lock:
            found = newest(account.store.applications, where)
    with account.lock:
        rows = [_row(account, each) for each in found.items]
        countries = sorted({r.country_iso for r in account.catalogue.requirements})
        any_at_all = len(account.store.applications) > 0
    return show(
        "applications.html",
        account=account,
        found=Paged(rows, found.number, found.total),
        where=where,
        q=text,
        statuses=list(machine.statuses),
        origins=list(Origin),
        countries=countries,
        decisions={status: machine.ways_to(status)[0] for status in machine.decidable},
        presets=PRESETS,
        any_at_all=any_at_all,
    )


def _search(account: Account, where: Where, text: str) -> Paged[Application]:
    """A scan: only people search, and for words that no index has. Records never change, so the
    account is held only while they are listed."""
    with account.lock:
        every = list(account.store.applications.every())
    wanted = text.casefold()
    return newest_of(
        [
            each
            for each in every
            if all(getattr(each, name) in values for name, values in where.items())
            and _says(account, each, wanted)
        ]
    )


def _says(account: Account, application: Application, wanted: str) -> bool:
    if wanted in application.id.casefold() or wanted in (application.alias or "").casefold():
        return True
    end_user = account.store.end_users.fetch(application.end_user_id)
    return end_user is not None and wanted in f"{end_user.name} {end_user.last_name}".casefold()


def _row(account: Account, application: Application) -> dict[str, Any]:
    timers = timers_of(account, application.id)
    return {
        "application": application,
        "end_user": account.store.end_users.fetch(application.end_user_id),
        "next": timers[0] if timers else None,
    }


def decide(form: Form) -> list[Action]:
    """One decision for every application that was ticked."""
    status, ids, account = form.get("status", ""), form.getlist("id"), form.get("account", "")
    sim = current_call().sim
    machine = sim.account(account).machine if is_account(account) else sim.machine
    if status not in machine.decidable:
        return [_not_decided("choose a decision")]
    if not ids:
        return [_not_decided("tick the applications that it is for")]
    if wrong := too_many(ids):
        return [_not_decided(wrong)]
    ways = machine.ways_to(status)
    how = next((each for each in ways if each.command == form.get("verb")), ways[0])
    written = form.get("reason", "").strip() or form.get("preset", "")
    reasonless = bool(written) and not machine.statuses[status].reason
    wrong = f"{status} goes without a reason" if reasonless else ""
    return [replace(_decision(account, id, status, how, written), wrong=wrong) for id in ids]


def _decision(account: str, id: str, status: str, how: ByHand, reason: str) -> Action:
    named = ("--account", account) if account else ()
    said = ("--reason", reason) if reason else ()
    words = (how.command, id) if how.command in _commands(status) else ("decide", id, status)
    return Action(
        message=f"{how.done} {id}.",
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


PAGES: list[tuple[str, Callable[..., Response]]] = [
    ("/applications", list_page),
]

ACTIONS: dict[str, Build] = {"decide": decide}
