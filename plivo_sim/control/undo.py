"""What can be undone: moments from before something was done, the last of each account. Invented.

The console keeps one before each of its actions; whoever wants the same from a script keeps one
first. They are no snapshots: they have no names, and the oldest go by themselves.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from flask import Response

from plivo_sim.account.account import Account
from plivo_sim.account.clock import wall_s
from plivo_sim.account.interfaces import UndoPoint
from plivo_sim.apis.words import microseconds
from plivo_sim.control import presenters
from plivo_sim.control.inputs import (
    ACCOUNT,
    IN_BODY,
    account_named,
    flag_of,
    invalid,
    json_object,
    takes,
    text_of,
)
from plivo_sim.domain import limits
from plivo_sim.domain.errors import NotFound, WouldLose
from plivo_sim.services.document_sets import sweep
from plivo_sim.web.calls import current_call
from plivo_sim.web.endpoints import endpoint
from plivo_sim.web.request_log import Exchange
from plivo_sim.web.steering import Steering, is_button, lost_since, may_lose_more, points_of

if TYPE_CHECKING:  # a start needs none
    from plivo_sim.control.answers import LostOut, UndoPointOut

SHOWN_LOST = 20


@endpoint(
    "GET", "/undo", "What can be undone in an account.", query=(ACCOUNT,),
    answers={200: "UndoOut"},
)  # fmt: skip
def list_undo_points() -> Response:
    """The points to which ``POST /_sim/undo`` goes back, oldest first, each with what it would
    undo beside its own action."""
    account = account_named()
    with account.lock:
        shown = [point_of(account, each) for each in points_of(account)]
        forgotten = account.undo_count - len(account.undo_points)
    told = {"account": account.auth_id, "points": shown, "forgotten": forgotten}
    return current_call().answer(told)


@endpoint(
    "POST", "/undo/points", "Keep this moment, so that what follows can be undone.",
    **takes("what", what="string: what follows, for people", account=IN_BODY),
    answers={201: "UndoPointOut"},
)  # fmt: skip
def keep_undo_point() -> Response:
    """``{"what": …}``: in memory only, the last 20 of an account. One after which nothing was
    written is replaced. Writes nothing, and does not create the account."""
    data = json_object("what", "account")
    account, what = account_named(data), text_of(data, "what")
    if not what:
        raise invalid("what", "is required")
    if len(what) > limits.UNDO_TEXT.most:
        raise invalid("what", f"is too long: {limits.UNDO_TEXT}")
    with account.lock:
        return current_call().answer(point_of(account, keep(account, what)), 201)


@endpoint(
    "POST", "/undo", "Go back to before something was done.",
    **takes(
        point={"type": "integer", "description": "its number; default: the last"},
        sure={"type": "boolean", "description": "also undo what others have done since"},
        account=IN_BODY,
    ),
    answers={200: "UndoneOut"}, errors=(404, 409), is_moment=True,
)  # fmt: skip
def undo() -> Response:
    """``{"point": number, "sure": true}``: 409 ``would_lose`` when it would undo more than the one
    action, and ``sure`` is not true. What is undone cannot be done again: later points go. What is
    made afterwards, callbacks too, gets the ids of what was undone: same calls, same ids."""
    data = json_object("point", "sure", "account")
    number, sure = data.get("point"), flag_of(data, "sure")
    if number is not None and type(number) is not int:
        raise invalid("point", "must be a whole number")
    call, account = current_call(), account_named(data, due=False)
    with account.lock:
        point = _point(account, number)
        lost = lost_since(account, point)
        more = may_lose_more(account, point)
        if (lost or more) and not sure:
            raise WouldLose(_told(point, lost, more))
        until, last = account.state, account.undo_count
        call.sim.restore(account, point.mark)  # it lets others in while it waits for receivers
        kept = [p for p in account.undo_points if not point.number <= p.number <= last]
        account.undo_points.clear()
        account.undo_points.extend(kept)
        account.undone.append((point.state, until))
        if len(account.store.ledger):
            sweep(account)
        else:
            gone, forgotten = account.taken_back.kept()  # which this is no reset for
            call.sim.remove(account, undoable=True)
            for each in gone:
                account.taken_back.append(each, each.size_bytes)
            account.taken_back.forgotten += forgotten
        call.why = f"undone: {point.what}"
        told = {**presenters.account_of(account), "undone": point.what, "lost": len(lost)}
        return call.answer(told)


def keep(account: Account, what: str) -> UndoPoint:
    """A point of this moment. Caller holds the lock."""
    points = account.undo_points
    if points and points[-1].state == account.state:
        points.pop()
    account.undo_count += 1
    is_full = len(points) == points.maxlen
    point = UndoPoint(
        number=account.undo_count,
        what=what,
        at=account.now(),
        made_s=wall_s(),
        state=account.state,
        mark=account.moment(),
    )
    points.append(point)
    if is_full and account.loose_files:
        account.any_file_loose = True  # those that only the oldest point needed
        sweep(account)
    return point


def _point(account: Account, number: int | None) -> UndoPoint:
    found = points_of(account)
    if number is None and found:
        return found[-1]
    for each in found:
        if each.number == number:
            return each
    raise NotFound("undo point", "last" if number is None else str(number))


def _told(point: UndoPoint, lost: list[Steering | Exchange], may_be_more: bool) -> str:
    if may_be_more:
        known = f"{len(lost)} of them are" if len(lost) != 1 else "1 of them is"
        return (
            f"{point.what!r} was followed by other calls, which would be undone too; {known} still"
            " known"
        )
    calls = "; ".join(f"{each.method} {_target(each)}" for each in lost[:3])
    more = f" and {len(lost) - 3} more" if len(lost) > 3 else ""
    count = "1 other call" if len(lost) == 1 else f"{len(lost)} other calls"
    return f"{point.what!r} was followed by {count}, which would be undone too: {calls}{more}"


def _target(made: Steering | Exchange) -> str:
    return made.target if isinstance(made, Steering) else made.environ.get("PATH_INFO", "")


def point_of(account: Account, point: UndoPoint) -> UndoPointOut:
    """As it is shown. Caller holds the lock."""
    lost = lost_since(account, point)
    return {
        "point": point.number,
        "what": point.what,
        "now": microseconds(point.at),
        "made": datetime.fromtimestamp(point.made_s, UTC).isoformat(),
        "lost": [_lost(each) for each in lost[:SHOWN_LOST]],
        "lost_count": len(lost),
        "may_lose_more": may_lose_more(account, point),
    }


def _lost(made: Steering | Exchange) -> LostOut:
    by: Literal["api", "control", "console"] = "api"
    if is_button(made):
        by = "console"
    elif isinstance(made, Steering) and made.target.startswith("/_sim/"):
        by = "control"
    return {"by": by, "method": made.method, "path": _target(made), "now": microseconds(made.at)}
