"""Requests: the journal of an account's last exchanges, each of them in full; and coverage."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from flask import Response, request

from plivo_sim.account.account import Account
from plivo_sim.console.actions import Action, Build, Form
from plivo_sim.console.bodies import as_curl, shown_body
from plivo_sim.console.pages import newest_of, open_account, readable, row_of, show
from plivo_sim.domain.errors import NotFound
from plivo_sim.services import reviews
from plivo_sim.web.calls import current_call
from plivo_sim.web.kept_bodies import KEPT_TEXT

Shown = dict[str, Any]
CLASSES = {"2": "2xx, done", "4": "4xx, refused", "5": "5xx, failed"}
ANY_FAULT = "any"
FILTERS = ("dialect", "operation", "status", "fault")
MOST_ABOUT = 20
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def list_page(auth_id: str) -> Response:
    """Newest first; filters by dialect, operation, class of status, and fault."""
    account = open_account(auth_id)
    chosen = {name: request.args.get(name, "") for name in FILTERS}
    every = [row_of(each) for each in account.exchanges]
    return show(
        "requests.html",
        account=account,
        found=newest_of([each for each in every if _matches(each, chosen)]),
        chosen=chosen,
        choices=_choices(every, chosen),
        any_at_all=bool(every),
        most=account.exchanges.most,
    )


def _matches(each: Shown, chosen: dict[str, str]) -> bool:
    fault = each["fault"] or ""
    return (
        chosen["dialect"] in ("", each["dialect"])
        and chosen["operation"] in ("", each["operation"])
        and str(each["status"]).startswith(chosen["status"])
        and (chosen["fault"] in ("", fault) or (chosen["fault"] == ANY_FAULT and bool(fault)))
    )


def _choices(every: list[Shown], chosen: dict[str, str]) -> dict[str, list[tuple[str, str]]]:
    """What each filter offers: what there is, and what is chosen, even if there is none of it."""
    seen = {
        name: sorted({each[name] for each in every if each[name]} | {chosen[name]} - {""})
        for name in ("dialect", "operation", "fault")
    }
    offered = {name: [(each, each) for each in words] for name, words in seen.items()}
    offered["fault"] = [
        (ANY_FAULT, "any fault"), *(pair for pair in offered["fault"] if pair[0] != ANY_FAULT)
    ]  # fmt: skip
    return offered | {"status": list(CLASSES.items())}


def request_page(auth_id: str, id: str) -> Response:
    """One exchange: what came, what was answered, what touched it."""
    account = open_account(auth_id)
    exchange = next((each for each in account.exchanges if each.id == id), None)
    if exchange is None:
        raise NotFound("request", id)
    found = row_of(exchange)
    return show(
        "request.html",
        account=account,
        each=found,
        about=_about(account, found),
        answer=readable(found["answer"]),
        answer_is_cut=len(found["answer"].encode()) >= KEPT_TEXT,
        body=shown_body(exchange, found),
        as_curl=as_curl(exchange, found, account.auth_id),
        kept_text=KEPT_TEXT,
    )


def _about(account: Account, each: Shown) -> list[dict[str, Any]]:
    """The account's applications that the URL, the outcome or the answer names, with what decided
    their last attempt."""
    ids = dict.fromkeys(_UUID.findall(f"{each['url']} {each['why']} {each['answer']}"))
    with account.lock:
        known = [account.store.applications.fetch(id) for id in ids]
        return [
            {
                "application": application,
                "explained": reviews.explanations_of(account, application.id),
            }
            for application in known[:MOST_ABOUT]
            if application is not None
        ]


# --- coverage --------------------------------------------------------------------------------


def coverage_page(auth_id: str) -> Response:
    """What this run has exercised, in all accounts."""
    account = open_account(auth_id)
    sim = current_call().sim
    report = sim.coverage.report(account.machine)
    reasons = report["rejection_reasons"]
    tables = {
        "Statuses": report["statuses"],
        "Transitions": {f"{e['from']} → {e['to']}": e["count"] for e in report["transitions"]},
        "Reasons: presets": reasons["presets"],
        "Reasons: others": reasons["others"],
        "Error answers": report["errors"],
        "Callbacks": report["callbacks"],
        "Faults": report["faults"],
    }
    seen = sum(bool(count) for rows in tables.values() for count in rows.values())
    total = sum(map(len, tables.values()))
    return show("coverage.html", account=account, tables=tables, seen=seen, total=total)


def clear_coverage(form: Form) -> list[Action]:
    return [
        Action(
            message="A new run begins: nothing is covered.",
            operation="clear_coverage",
            cli=("coverage", "--clear"),
        )
    ]


PAGES: list[tuple[str, Callable[..., Response]]] = [
    ("/requests", list_page),
    ("/requests/<id>", request_page),
    ("/account/coverage", coverage_page),
]

ACTIONS: dict[str, Build] = {"clear-coverage": clear_coverage}
