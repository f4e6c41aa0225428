"""The control calls that steered an account: bounded, in memory, no state. With the requests of the
APIs they are what somebody did by hand, or would undo."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
from flask import Request

from plivo_sim.account.account import Account
from plivo_sim.account.clock import wall_s
from plivo_sim.account.interfaces import State, UndoPoint, Wrote
from plivo_sim.domain.secrets import masked_json, masked_query
from plivo_sim.web.calls import SAFE, Call
from plivo_sim.web.kept_bodies import KEPT_BODY_BYTES
from plivo_sim.web.request_log import OVERHEAD_BYTES, Exchange

ACTION_KEY = "plivo_sim.action"
"""In the environment of a call that the console makes: what its button did. No client can set it:
what clients send has other names."""
CONSOLE_AGENT = "plivo-sim console"
"""The user agent of the calls of an imitated API that a button of the console makes."""
BESIDES = frozenset(
    {
        "settle", "evaluate", "check_scenario", "dry_run", "verify_signature", "snapshot",
        "drop_snapshot", "receive_post", "empty_inbox", "clear_coverage", "keep_undo_point",
    }
)  # fmt: skip
"""Control calls that are no reads and change nothing that can be gone back from."""
_BUTTONS, _OTHERS = "button", "other"
NOT_ANSWERED = 102
"""The status of a call that is not answered yet."""


class Steering(msgspec.Struct, frozen=True, kw_only=True):
    """One such call. ``began`` and ``at``: the simulated time before and after it; ``ended_s``: in
    real seconds since 1970. ``body``: its JSON text, secrets masked; None if there was none, or a
    large one. ``why``: one clause about what came of it, or of why it was refused. ``action``: the
    console's, if it made it. ``wrote``: see ``Call``, what it wrote to the account."""

    id: str
    operation: str
    method: str
    target: str
    body: bytes | None
    status: int
    began: datetime
    at: datetime
    ended_s: float
    why: str
    action: Any
    wrote: Wrote | None

    @property
    def size_bytes(self) -> int:
        action = 0 if self.action is None else self.action.size_bytes
        return OVERHEAD_BYTES + 2 * len(self.body or b"") + len(self.target) + action


def note_steering(call: Call, status: int) -> None:
    """Keep a control call, if it changes something in an account, or was to do so."""
    account, operation = call.account_or_none, operation_of(call.request)
    if call.is_read or account is None or operation in BESIDES:
        return
    if operation == "reset" and not account.undo_points:
        return  # nothing is left that it would be a part of
    steering = _steering_of(call, account, status)
    account.steering.append(steering, steering.size_bytes, wrote_until(steering))


def _steering_of(call: Call, account: Account, status: int) -> Steering:
    request = call.request
    return Steering(
        id=call.id_of_answer(),
        operation=operation_of(request),
        method=request.method,
        target=_target(request),
        body=_body(call),
        status=status,
        began=call.moved_from or account.now(),
        at=account.now(),
        ended_s=wall_s(),
        why=call.why,
        action=request.environ.get(ACTION_KEY),
        wrote=call.wrote_in(account),
    )


def operation_of(request: Request) -> str:
    return (request.endpoint or "").rpartition(".")[2]


def _target(request: Request) -> str:
    query = masked_query(request.query_string.decode("utf-8", "replace"))
    return f"{request.path}?{query}" if query else request.path


def _body(call: Call) -> bytes | None:
    if call.body is None or call.body.kind != "json" or len(call.body.raw) > KEPT_BODY_BYTES:
        return None
    return masked_json(call.body.raw)


def ended_s(made: Steering | Exchange) -> float:
    """When it was done, in real seconds since 1970."""
    if isinstance(made, Steering):
        return made.ended_s
    return made.arrived_s + (made.took_ms - made.delayed_ms) / 1000


def is_button(made: Steering | Exchange) -> bool:
    """Whether a button of the console made it."""
    if isinstance(made, Steering):
        return made.action is not None
    return made.environ.get("HTTP_USER_AGENT") == CONSOLE_AGENT


def is_write(made: Steering | Exchange) -> bool:
    """Whether it was one that changes something, and was not refused."""
    return made.method not in SAFE and made.status < 400


def wrote_until(made: Steering | Exchange) -> tuple[str, State] | None:
    """What stays known of a call that is no longer kept: whose it was, and up to which state it
    wrote; None of one that undoes nothing of others."""
    if made.wrote is None or not is_write(made) or made.operation == "undo":
        return None
    return (_BUTTONS if is_button(made) else _OTHERS), made.wrote[1]


def is_undone(account: Account, made: Steering | Exchange) -> bool:
    """Whether the account went back to before it."""
    if made.wrote is None:
        return False
    first, last = made.wrote
    return any(since < first and last <= until for since, until in account.undone)


def made_since(account: Account, since: State) -> Iterator[Steering | Exchange]:
    """The calls that wrote to the account behind that state and are not undone: those that were
    answered, oldest first, as far as they are kept, and those that are not answered yet. Caller
    holds the lock."""
    unanswered = [
        _steering_of(each, account, NOT_ANSWERED)
        for each in tuple(account.unanswered)  # they leave it without the lock
        if operation_of(each.request) not in BESIDES
    ]
    ids = {each.id for each in unanswered}  # one that is just being answered is in both
    for each in [*(each for each in everything(account) if each.id not in ids), *unanswered]:
        wrote = each.wrote is not None and each.wrote[1] > since
        if wrote and is_write(each) and not is_undone(account, each):
            yield each


def everything(account: Account) -> list[Steering | Exchange]:
    """What is kept of the calls of the account, in the order in which they were answered."""
    made: list[Steering | Exchange] = [*account.steering, *account.exchanges]
    return sorted(made, key=ended_s)


# --- undo -----------------------------------------------------------------------------------


def points_of(account: Account) -> list[UndoPoint]:
    """Those behind which something was written, oldest first. Caller holds the lock."""
    return [each for each in account.undo_points if each.state != account.state]


def lost_since(account: Account, point: UndoPoint) -> list[Steering | Exchange]:
    """What going back would undo beside the action that the point was kept for: the calls of
    others, and the console's behind the next point. Caller holds the lock."""
    until = _own_until(account, point)
    return [each for each in made_since(account, point.state) if not _is_own(each, until)]


def may_lose_more(account: Account, point: UndoPoint) -> bool:
    """Whether going back may also undo calls that are not kept any more. Caller holds the lock."""
    until = {_OTHERS: point.state, _BUTTONS: _own_until(account, point)}
    return any(
        moment > until[kind]
        for log in (account.steering, account.exchanges)
        for kind, moment in log.forgot_until.items()
    )


def _own_until(account: Account, point: UndoPoint) -> State:
    """Up to which state the console's calls are the action that the point was kept for."""
    later = (each.state for each in account.undo_points if each.number > point.number)
    return next(later, account.state)


def _is_own(made: Steering | Exchange, until: State) -> bool:
    """Whether it is what the point before was kept for, or an undo, which is not to be lost."""
    is_its = made.wrote is not None and made.wrote[1] <= until
    return made.operation == "undo" or (is_button(made) and is_its)
