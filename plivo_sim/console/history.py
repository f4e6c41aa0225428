"""History: what was done in an account, in the order in which it was done, with the points to which
it can be undone; and what was done by hand as a test, as a scenario, as a script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from flask import Response, request

from plivo_sim.account.account import KEPT_EXCHANGES, KEPT_STEERING, Account
from plivo_sim.account.interfaces import UndoPoint
from plivo_sim.apis.reading import name_file
from plivo_sim.console.actions import Action, curl
from plivo_sim.console.copied_scenario import scenario_file
from plivo_sim.console.copied_test import pytest_file
from plivo_sim.console.pages import base_url, guard, open_account, show
from plivo_sim.control.undo import lost_since, points_of
from plivo_sim.web.request_log import Exchange
from plivo_sim.web.steering import Steering, ended_s, everything, is_undone, is_write

Made = Steering | Exchange
SHOWN = {
    "": "what changed something, and failures",
    "all": "everything, reads too",
    "console": "this console only",
    "failed": "failures only",
}
"""``?show=``."""
COPIES = {"pytest": ("test_by_hand.py", "text/x-python"), "scenario": ("by_hand.yaml", "text/yaml")}
"""``?as=`` -> the name of the file, and its type."""
KEY = 8
"""Characters of an id by which a call is chosen: ``?pick=``."""


@dataclass(frozen=True, slots=True)
class Item:
    """A call as the page lists it. ``by``: whose it was; ``what``: in words, or its URL. ``point``:
    what the button that made it can be undone by; ``lost``: how many other calls that undoes."""

    made: Made
    at: datetime
    real: datetime
    by: str
    what: str
    is_refused: bool
    is_undone: bool
    is_picked: bool
    href: str
    point: UndoPoint | None
    lost: int

    @property
    def key(self) -> str:
        return self.made.id[:KEY]


def history_page(auth_id: str) -> Response:
    """Newest first. What is ticked can be copied as a test."""
    account = open_account(auth_id)
    chosen = request.args.get("show", "")
    with account.lock:
        items = [each for each in _items(account) if _is_shown(each, chosen)]
        points = {each.number: each for each in points_of(account)}
        forgotten = account.steering.forgotten + account.exchanges.forgotten
    base = base_url()
    script = [
        each.made for each in items if isinstance(each.made, Steering) and not each.is_refused
    ]
    return show(
        "history.html",
        account=account,
        items=items[::-1],
        shown=SHOWN,
        chosen=chosen if chosen in SHOWN else "",
        points=points,
        forgotten=forgotten,
        account_calls=KEPT_EXCHANGES,
        control_calls=KEPT_STEERING,
        script_cli="\n".join(_as_command(each, base) or _as_curl(each, base) for each in script),
        script_curl="\n".join(_as_curl(each, base) for each in script),
    )


def _is_shown(item: Item, chosen: str) -> bool:
    if chosen == "failed":
        return item.is_refused
    if chosen == "console":
        return item.by == "console"
    return chosen == "all" or item.is_refused or is_write(item.made)


def _items(account: Account) -> list[Item]:
    """Oldest first. Caller holds the lock."""
    points = points_of(account)
    picked = {id(each) for each in effective(account)}
    items, unclaimed = [], points
    for made in everything(account):
        point = None
        if isinstance(made, Steering) and made.action is not None and is_write(made):
            before = [each for each in unclaimed if each.made_s <= made.ended_s]
            point = before[-1] if before else None  # those before are of buttons that call an API
            unclaimed = [each for each in unclaimed if each.made_s > made.ended_s]
        items.append(_item(account, made, point, id(made) in picked))
    return items


def _item(account: Account, made: Made, point: UndoPoint | None, is_picked: bool) -> Item:
    home = f"/console/{account.auth_id}"
    if isinstance(made, Exchange):
        path = made.environ.get("PATH_INFO", "")
        by, what = "API", f"{made.method} {path.removeprefix(f'/v1/Account/{account.auth_id}')}"
        href = f"{home}/requests/{made.id}"
    else:
        by = "control" if made.action is None else "console"
        is_told = isinstance(made.action, Action) and made.action.message and made.status < 400
        what = made.action.message if is_told else f"{made.method} {made.target.partition('?')[0]}"
        href = ""
    return Item(
        made=made,
        at=made.at,
        real=datetime.fromtimestamp(ended_s(made), UTC),
        by=by,
        what=what,
        is_refused=made.status >= 400,
        is_undone=is_undone(account, made),
        is_picked=is_picked,
        href=href,
        point=point,
        lost=len(lost_since(account, point)) if point is not None else 0,
    )


def effective(account: Account) -> list[Made]:
    """The calls that made the account what it is, as far as they are kept, oldest first: those that
    changed something, were not undone, and came after the last reset. Caller holds the lock."""
    found: list[Made] = []
    for each in everything(account):
        if not is_write(each) or is_undone(account, each):
            continue
        if isinstance(each, Steering) and each.operation == "reset":
            found.clear()
        elif not (isinstance(each, Steering) and each.operation == "undo"):
            found.append(each)
    return found


# --- copies ----------------------------------------------------------------------------------


def copy_page(auth_id: str) -> Response:
    """What was picked, as a file to copy or to save; ``?as=pytest`` or ``scenario``."""
    account = open_account(auth_id)
    kind = "scenario" if request.args.get("as") == "scenario" else "pytest"
    text = _copied(account, kind)
    picks = [("as", kind), *(("pick", each) for each in request.args.getlist("pick"))]
    return show(
        "copy.html", account=account, kind=kind, text=text, file=COPIES[kind][0],
        query=urlencode(picks), others=[each for each in COPIES if each != kind],
        other_query=urlencode(picks[1:]),
    )  # fmt: skip


def copy_file(auth_id: str) -> Response:
    """The same as a file."""
    account = open_account(auth_id)
    kind = "scenario" if request.args.get("as") == "scenario" else "pytest"
    name, media_type = COPIES[kind]
    answer = Response(_copied(account, kind), content_type=f"{media_type}; charset=utf-8")
    name_file(answer, name)
    guard(answer, "default-src 'none'; sandbox")
    return answer


def _copied(account: Account, kind: str) -> str:
    with account.lock:
        if kind == "scenario":
            return scenario_file(account)
        picks = set(request.args.getlist("pick"))
        whole = effective(account)
        chosen: Sequence[Made] = whole
        if picks:
            chosen = [each for each in everything(account) if each.id[:KEY] in picks]
        is_whole = {id(each) for each in whole} <= {id(each) for each in chosen}
        forgotten = account.steering.forgotten + account.exchanges.forgotten
        return pytest_file(account, chosen, whole=is_whole, forgotten=forgotten)


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
    ("/history/copy", copy_page),
    ("/history/copy.txt", copy_file),
]
