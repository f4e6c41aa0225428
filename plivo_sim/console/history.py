"""History: what was done in an account, in the order in which it was done, with the points to which
it can be undone; and what was done by hand as a test, as a scenario, as a script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Response, request

from plivo_sim.account.account import KEPT_EXCHANGES, KEPT_STEERING, Account
from plivo_sim.apis.reading import name_file
from plivo_sim.console.actions import Action, curl
from plivo_sim.console.copied_faults import strike_on
from plivo_sim.console.copied_file import take
from plivo_sim.console.copied_scenario import scenario_file, take_submitted
from plivo_sim.console.copied_test import pytest_file
from plivo_sim.console.pages import base_url, guard, open_account, show
from plivo_sim.control.history import Made, is_shown, items_of
from plivo_sim.web.long_work import long_work
from plivo_sim.web.steering import Steering, everything, is_undone, is_write

SHOWN = {
    "": "what changed something, and failures",
    "all": "everything, reads too",
    "console": "this console only",
    "failed": "failures only",
}
"""``?show=``."""
COPIES = {"pytest": ("test_by_hand.py", "text/x-python"), "scenario": ("by_hand.yaml", "text/yaml")}
"""``?as=`` -> the name of the file, and its type."""
FEW_COPIED = 20
"""Calls, or applications, of which a copy is written without waiting for others that work for
long."""
KEY = 8
"""Characters of an id by which a call is chosen: ``?pick=``."""


def history_page(auth_id: str) -> Response:
    """Newest first. What is ticked can be copied as a test; ``?as=`` shows the copy."""
    account = open_account(auth_id)
    chosen = request.args.get("show", "")
    kind = request.args.get("as", "")
    picks = set(request.args.getlist("pick"))
    with account.lock:
        items = [each for each in items_of(account) if is_shown(each, chosen)]
        ticked = picks or {each.id[:KEY] for each in effective(account)}
        forgotten = account.steering.forgotten + account.exchanges.forgotten
    copy = _copy(account, kind, sorted(picks)) if kind in COPIES else None
    base = base_url()
    script = [
        each.made for each in items if isinstance(each.made, Steering) and not each.is_refused
    ]
    return show(
        "history.html",
        rows=len(items),
        account=account,
        items=[(each, each.made.id[:KEY]) for each in reversed(items)],
        links={
            each.made.id: f"/console/{auth_id}/requests/{each.made.id}"
            for each in items
            if not isinstance(each.made, Steering)
        },
        ticked=ticked,
        copy=copy,
        shown=SHOWN,
        chosen=chosen if chosen in SHOWN else "",
        forgotten=forgotten,
        account_calls=KEPT_EXCHANGES,
        control_calls=KEPT_STEERING,
        script_cli="\n".join(_as_command(each, base) or _as_curl(each, base) for each in script),
        script_curl="\n".join(_as_curl(each, base) for each in script),
    )


def effective(account: Account) -> list[Made]:
    """The calls that made the account what it is, as far as they are kept, oldest first: those that
    changed something, or that a fault made fail, were not undone, and came after the last reset.
    Caller holds the lock."""
    found: list[Made] = []
    for each in everything(account):
        if not (is_write(each) or strike_on(each)) or is_undone(account, each):
            continue
        if isinstance(each, Steering) and each.operation == "reset":
            found.clear()
        elif not (isinstance(each, Steering) and each.operation == "undo"):
            found.append(each)
    return found


# --- copies ----------------------------------------------------------------------------------


def _copy(account: Account, kind: str, picks: Sequence[str]) -> dict[str, Any]:
    """What the page shows of a copy."""
    return {
        "kind": kind,
        "file": COPIES[kind][0],
        "text": copied(account, kind, picks),
        "query": urlencode([("as", kind), *(("pick", each) for each in picks)]),
    }


def copy_file(auth_id: str) -> Response:
    """What was picked, as a file to save; ``?as=pytest`` or ``scenario``."""
    account = open_account(auth_id)
    kind = "scenario" if request.args.get("as") == "scenario" else "pytest"
    name, media_type = COPIES[kind]
    text = copied(account, kind, request.args.getlist("pick"))
    answer = Response(text, content_type=f"{media_type}; charset=utf-8")
    name_file(answer, name)
    guard(answer, "default-src 'none'; sandbox")
    return answer


def copied(account: Account, kind: str, picks: Sequence[str] = ()) -> str:
    """What was done, as a test or as a scenario. ``picks``: only these, by the start of their
    ids. It is written when the account is free again."""
    if kind == "scenario":
        with account.lock:
            submitted = take_submitted(account)
        with long_work(len(submitted.applications), FEW_COPIED):
            return scenario_file(submitted)
    with account.lock:
        whole = effective(account)
        chosen: Sequence[Made] = whole
        if picks:
            chosen = [each for each in everything(account) if each.id[:KEY] in picks]
        is_whole = {id(each) for each in whole} <= {id(each) for each in chosen}
        forgotten = account.steering.forgotten + account.exchanges.forgotten
        taken = take(account)
    with long_work(len(chosen), FEW_COPIED):
        return pytest_file(taken, chosen, whole=is_whole, forgotten=forgotten)


def _as_curl(made: Steering, base: str) -> str:
    if isinstance(made.action, Action):
        return made.action.as_curl(base)
    headers = {"Content-Type": "application/json"} if made.body else {}
    body = ["-d", made.body.decode("utf-8", "replace")] if made.body else []
    return curl(made.method, f"{base}{made.target}", headers, body)


def _as_command(made: Steering, base: str) -> str:
    return made.action.as_command(base) if isinstance(made.action, Action) else ""


PAGES: list[tuple[str, Callable[..., Response]]] = [
    ("/history", history_page),
    ("/history/copy.txt", copy_file),
]
