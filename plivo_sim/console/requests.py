"""Requests in full: those of an account's journal, and those that reached no account; coverage."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from flask import Response, request

from plivo_sim.account.account import Account
from plivo_sim.console.actions import Action, Build, Form
from plivo_sim.console.bodies import as_curl, shown_body
from plivo_sim.console.pages import Paged, newest_of, open_account, readable, row_of, show
from plivo_sim.console.traffic_list import tone_of, traffic_of
from plivo_sim.control.unmatched import nearest_path, unmatched_of
from plivo_sim.domain.errors import NotFound
from plivo_sim.services import reviews
from plivo_sim.simulator import is_account
from plivo_sim.web.calls import current_call
from plivo_sim.web.kept_bodies import KEPT_TEXT
from plivo_sim.web.request_log import login_in

Shown = dict[str, Any]
MOST_ABOUT = 20
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


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
        traffic=traffic_of(account, id),
        at_id=id,
        nearest=nearest_path(exchange.environ.get("PATH_INFO", ""))
        if found["status"] == 404
        else None,
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


# --- calls that reached no account -----------------------------------------------------------


def unmatched_count() -> int:
    """How many calls are known that reached no account."""
    return len(current_call().sim.unmatched)


def unmatched_page() -> Response:
    """Those of the whole server, newest first."""
    kept = current_call().sim.unmatched
    found = newest_of(list(kept))
    rows = [{**row_of(each), **unmatched_of(each), "at": each.at} for each in found.items]
    for row in rows:
        row["login"] = login_in(row["headers"].get("Authorization", ""))
    return show(
        "unmatched.html",
        account=_from(),
        found=Paged([{**each, "tone": tone_of(each["status"])} for each in rows], found.number,
                    found.total),
        forgotten=kept.forgotten,
        most=kept.most,
    )  # fmt: skip


def unmatched_call_page(id: str) -> Response:
    """One of them in full."""
    exchange = next((each for each in current_call().sim.unmatched if each.id == id), None)
    if exchange is None:
        raise NotFound("request", id)
    found = {**row_of(exchange), "nearest": unmatched_of(exchange)["nearest"]}
    return show(
        "unmatched_call.html",
        account=_from(),
        each=found,
        about=(),
        nearest=found["nearest"],
        answer=readable(found["answer"]),
        answer_is_cut=len(found["answer"].encode()) >= KEPT_TEXT,
        body=shown_body(exchange, found),
        as_curl=as_curl(exchange, found, ""),
        kept_text=KEPT_TEXT,
    )


def _from() -> Account | None:
    """The account from which somebody came to a page of none."""
    auth_id = request.args.get("account", "")
    return open_account(auth_id) if is_account(auth_id) else None


def resend(form: Form) -> list[Action]:
    """Make the same call once more."""
    id, account = form.get("id", ""), form.get("account", "")
    return [
        Action(
            message=f"Sent {id} again; the new call is the newest in Traffic.",
            operation="resend_request",
            ids={"id": id},
            query={"account": account},
            cli=("requests", "--id", id, "--again", "--account", account),
        )
    ]


def clear_unmatched(form: Form) -> list[Action]:
    return [
        Action(
            message="Forgot the calls that reached no account.",
            operation="clear_unmatched",
            cli=("requests", "--unmatched", "--clear"),
        )
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
    return show(
        "coverage.html",
        account=account,
        rows=total,
        tables=tables,
        seen=seen,
        total=total,
        forgotten=report["forgotten"],
    )


def clear_coverage(form: Form) -> list[Action]:
    return [
        Action(
            message="A new run begins: nothing is covered.",
            operation="clear_coverage",
            cli=("coverage", "--clear"),
        )
    ]


PAGES: list[tuple[str, Callable[..., Response]]] = [
    ("/requests/<id>", request_page),
    ("/account/coverage", coverage_page),
]

OF_SERVER: list[tuple[str, Callable[..., Response]]] = [
    ("/unmatched", unmatched_page),
    ("/unmatched/<id>", unmatched_call_page),
]
"""Pages of no account."""

ACTIONS: dict[str, Build] = {
    "clear-coverage": clear_coverage,
    "clear-unmatched": clear_unmatched,
    "resend": resend,
}
