"""What was done in an account, in order, by the APIs, by control calls and by buttons of the
console; and as a file that does it again. Invented."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from flask import Response, current_app, request

from plivo_sim.account.account import Account
from plivo_sim.account.interfaces import UndoPoint
from plivo_sim.apis.words import microseconds
from plivo_sim.control.inputs import ACCOUNT, account_named, word_of
from plivo_sim.domain.text import printable
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
    told = getattr(made.action, "message", "") if isinstance(made, Steering) else ""
    if told and made.status < 400:
        what = told
    elif point is not None and isinstance(made, Exchange):
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
