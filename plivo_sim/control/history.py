"""What was done in an account, in order, by the APIs, by control calls and by buttons of the
console; and as a file that does it again. Invented."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from flask import Response, current_app, request

from plivo_sim.account.account import Account
from plivo_sim.account.interfaces import UndoPoint
from plivo_sim.apis.words import microseconds
from plivo_sim.control.inputs import ACCOUNT, account_named, word_of
from plivo_sim.domain.durations import span_of
from plivo_sim.domain.text import decode_json, printable
from plivo_sim.web.calls import current_call
from plivo_sim.web.endpoints import Query, endpoint
from plivo_sim.web.request_log import Exchange
from plivo_sim.web.steering import (
    Steering,
    ended_s,
    everything,
    is_button,
    is_undone,
    is_write,
    lost_since,
    points_of,
)

if TYPE_CHECKING:  # a start needs none
    from plivo_sim.control.answers import CallMadeOut, HistoryOut

Made = Steering | Exchange
SHOW = Query(
    name="show", enum=("changes", "all", "console", "failed"),
    description="changes: what changed something, and failures (default); all: reads, too;"
    " console: what its buttons did; failed: failures only.",
)  # fmt: skip
AS = Query(
    name="as", enum=("pytest", "scenario"),
    description="pytest (default): a test that makes the same calls; scenario: rules that decide"
    " what was decided, and steps that submit the same.",
)  # fmt: skip
MOST_NAMES = 3
LONGEST = 200
"""Characters of what a call did."""
WORDS = {
    "advance": "Clock advanced by {span}",
    "set_clock": "Clock moved by {span}, to {at}",
    "pause": "Clock paused",
    "resume": "Clock started",
    "set_rate": "Clock set to {rate} simulated seconds per second",
    "decide": "Set to {status} by hand",
    "replay_webhook": "Callback {last_but_one} sent again",
    "set_webhook_policy": "Callbacks disturbed",
    "drop_webhook_policy": "The account's own policy for callbacks dropped",
    "make_account": "Account made, or its settings changed",
    "reset": "Account emptied",
    "restore": "Returned to the snapshot {name}",
    "undo": "{why}",
    "use_scenario": "Scenario in use: {why}",
    "drop_scenario": "Scenario dropped",
    "next_outcome": "Outcome of the next submission queued: {decide}",
    "clear_next_outcomes": "Queued outcomes taken back",
    "use_machine": "Status machine in use: {why}",
    "drop_machine": "The account's own status machine dropped",
    "add_fault": "Fault switched on: {effect}",
    "remove_fault": "Fault {last} switched off",
    "clear_faults": "All faults switched off",
    "resend_request": "Request {last_but_one} sent again",
    "take_over": "Account taken over from another server",
}
"""Operation -> what it did, where its summary does not say it so; of its body, and of the call."""
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Item:
    """A call as it is listed. ``by``: whose it was; ``what``: in words, or its URL; ``about``: what
    people call the records that it was about. ``point``: what the button that made it can be undone
    by; ``lost``: how many other calls that undoes."""

    made: Made
    by: Literal["api", "control", "console"]
    what: str
    about: str
    is_undone: bool
    point: UndoPoint | None
    lost: int

    @property
    def is_refused(self) -> bool:
        return self.made.status >= 400

    @property
    def path(self) -> str:
        return path_of(self.made)

    @property
    def real(self) -> datetime:
        return datetime.fromtimestamp(ended_s(self.made), UTC)


@endpoint(
    "GET", "/history", "What was done in an account.", query=(ACCOUNT, SHOW),
    answers={200: "HistoryOut"},
)  # fmt: skip
def history() -> Response:
    """Oldest first, as far as it is kept: the last calls of the APIs and of the control API. What a
    button of the console did can be undone by its ``point`` (``POST /_sim/undo``)."""
    shown = word_of(request.args, "show", SHOW.enum) if request.args.get("show") else "changes"
    account = account_named()
    with account.lock:
        calls = [_shown(each) for each in items_of(account) if is_shown(each, shown)]
        told: HistoryOut = {
            "account": account.auth_id,
            "calls": calls,
            "forgotten": account.steering.forgotten + account.exchanges.forgotten,
        }
    return current_call().answer(told)


@endpoint(
    "GET", "/history/copy", "What was done in an account, as a file that does it again.",
    query=(ACCOUNT, AS), answers={200: "text/plain"},
)  # fmt: skip
def copy_history() -> Response:
    """A test for the pytest plugin, or a scenario to play; its head says what could not be carried
    over."""
    kind = word_of(request.args, "as", AS.enum) if request.args.get("as") else "pytest"
    text: str = current_app.extensions["copy_of_history"](account_named(), kind)
    return Response(text, content_type="text/plain; charset=utf-8")


def items_of(account: Account) -> list[Item]:
    """All that is kept, oldest first. Caller holds the lock."""
    items, unclaimed = [], points_of(account)
    for made in everything(account):
        point = None
        if is_button(made) and is_write(made):
            before = [each for each in unclaimed if each.made_s <= ended_s(made)]
            point = before[-1] if before else None
            unclaimed = [each for each in unclaimed if each.made_s > ended_s(made)]
        items.append(_item(account, made, point))
    return items


def is_shown(item: Item, chosen: str) -> bool:
    """``chosen``: a word of ``SHOW``; any other is the first of them."""
    if chosen == "failed":
        return item.is_refused
    if chosen == "console":
        return item.by == "console"
    return chosen == "all" or item.is_refused or is_write(item.made)


def _item(account: Account, made: Made, point: UndoPoint | None) -> Item:
    by: Literal["api", "control", "console"] = "api"
    if is_button(made):
        by = "console"
    elif isinstance(made, Steering):
        by = "control"
    what = f"{made.method} {path_of(made).removeprefix(f'/v1/Account/{account.auth_id}')}"
    if isinstance(made, Steering):
        told = getattr(made.action, "message", "") if made.status < 400 else ""
        what = told or _in_words(made)
    elif point is not None:
        what = point.what
    return Item(
        made=made,
        by=by,
        what=what,
        about=", ".join(_names(account, made)),
        is_undone=is_undone(account, made),
        point=point,
        lost=len(lost_since(account, point)) if point is not None else 0,
    )


def _in_words(made: Steering) -> str:
    """What a control call did; of one that was refused, what it was to do."""
    rows = current_app.extensions["surfaces"]["control"].endpoints
    row = next((each for each in rows if each.name == made.operation), None)
    summary = row.summary.partition(";")[0].rstrip(".") if row is not None else made.operation
    words = WORDS.get(made.operation, "")
    if made.status >= 400 or not words:
        return summary
    given = _body_of(made)
    facts = {name: str(each) for name, each in given.items() if isinstance(each, str | int | float)}
    facts |= {"span": span_of(made.at - made.began), "at": f"{made.at:%Y-%m-%d %H:%M:%S} UTC"}
    facts |= {"why": made.why}
    facts |= dict(zip(("last", "last_but_one"), path_of(made).split("/")[::-1], strict=False))
    told = words.format_map(_Facts(facts))
    settings = given.get("settings")
    if isinstance(settings, dict) and settings:
        told += f": {', '.join(f'{name} {value}' for name, value in settings.items())}"
    return printable(told)[:LONGEST]


class _Facts(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "?"


def _body_of(made: Steering) -> dict[str, Any]:
    """Empty where it had none, or its text is not kept."""
    try:
        found = decode_json(made.body) if made.body else None
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {}


def path_of(made: Made) -> str:
    """The path of its URL."""
    if isinstance(made, Steering):
        return made.target.partition("?")[0]
    return made.environ.get("PATH_INFO", "")


def _names(account: Account, made: Made) -> Iterator[str]:
    """What it was about: of the ids in its URL, else in its answer, those of records that have a
    name."""
    text = path_of(made)
    if isinstance(made, Exchange) and _ID.search(text) is None:
        text = made.answer.decode("utf-8", "replace")
    found = [name for id in dict.fromkeys(_ID.findall(text)) if (name := _name(account, id))]
    yield from dict.fromkeys(found[:MOST_NAMES])


def _name(account: Account, id: str) -> str:
    store = account.store
    if (application := store.applications.fetch(id)) is not None:
        return printable(application.alias)
    if (end_user := store.end_users.fetch(id)) is not None:
        return printable(end_user.name)
    document = store.documents.fetch(id)
    return printable(document.file.name) if document is not None and document.file else ""


def _shown(item: Item) -> CallMadeOut:
    made = item.made
    return {
        "id": made.id,
        "by": item.by,
        "method": made.method,
        "path": path_of(made),
        "what": item.what,
        "about": item.about,
        "status": made.status,
        "why": made.why,
        "now": microseconds(made.at),
        "made": item.real.isoformat(),
        "undone": item.is_undone,
        "point": item.point.number if item.point is not None else None,
    }
