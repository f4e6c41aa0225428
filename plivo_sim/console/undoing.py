"""Undo: the point that is kept before a button does its work, and the button that goes back."""

from __future__ import annotations

from collections.abc import Iterable

from plivo_sim.account.account import Account
from plivo_sim.console.actions import Action, Build, Done, Form
from plivo_sim.console.doing import perform
from plivo_sim.domain.limits import UNDO_TEXT
from plivo_sim.simulator import Simulator, is_account

NOT_UNDONE = frozenset(
    {"undo", "take-snapshot", "empty-inbox", "clear-coverage", "pause", "rate", "use-inbox"}
)
"""Buttons that change nothing which an undo takes back, or that are their own opposite."""


AT_ONCE = frozenset({"begin-play", "next-step", "play-all"})
"""Buttons whose calls are made while they are put together."""


def keep_points(
    sim: Simulator, name: str, form: Form, actions: Iterable[Action | Done]
) -> dict[str, int]:
    """Keep this moment of each account that a button is about, unless there is nothing to undo, by
    a control call as a script makes it. Returns the number of each account's point. What a
    generator will do is not known yet."""
    known = [each for each in actions if isinstance(each, Action)] if _is_list(actions) else []
    if name in NOT_UNDONE or (known and all(action.wrong for action in known)):
        return {}
    what = _what(name, known)
    bodies = [action.body or {} for action in known]
    accounts = [form.get("account", "")]
    if any(body.get("account") == "all" for body in bodies):
        accounts = [each.auth_id for each in sim.accounts()]
    points = {}
    for account in filter(is_account, accounts):
        action = Action(
            message="", operation="keep_undo_point", body={"what": what, "account": account}
        )
        done = perform(action)
        if done.ok:
            points[account] = int(done.answer["point"])
    return points


def _is_list(actions: Iterable[Action | Done]) -> bool:
    return isinstance(actions, list | tuple)


def _what(name: str, actions: list[Action]) -> str:
    first = (actions and actions[0].message) or name.replace("-", " ").capitalize() + "."
    more = f" And {len(actions) - 1} more." if len(actions) > 1 else ""
    most = UNDO_TEXT.most - len(more)
    return (first if len(first) <= most else f"{first[: most - 1]}…") + more


def may_undo(account: Account, point: int) -> bool:
    """Whether it is the last one, and something was written behind it. Caller holds the lock."""
    points = account.undo_points
    return bool(points) and points[-1].number == point and points[-1].state != account.state


def undo(form: Form) -> list[Action]:
    """``sure``: though others have written since."""
    account, point = form.get("account", ""), form.get("point", "")
    is_number = point.isascii() and point.isdigit() and len(point) < 10
    sure = form.get("sure") == "yes"
    return [
        Action(
            message="Undone.",
            operation="undo",
            body={
                "point": int(point) if is_number else point,
                **({"sure": True} if sure else {}),
                "account": account,
            },
            cli=("undo", point, *(("--sure",) if sure else ()), "--account", account),
        )
    ]


ACTIONS: dict[str, Build] = {"undo": undo}
