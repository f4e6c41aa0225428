"""Ids of records where commands take them: the beginning of one is enough, and a shell completes
them. A simulator knows which there are.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from plivo_sim.domain.text import printable
from plivo_sim.settings import DEFAULT_URL

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from plivo_sim.client import Client

    _Text = click.ParamType[str]
else:  # click has generic types since 8.2 only
    _Text = click.ParamType

WHOLE = {"application": 36, "webhook": 36, "request": 36, "account": 20}
"""How long an id of a kind is; a shorter text is the beginning of one."""
MOST_TOLD = 5
ABOUT_LENGTH = 60
COMPLETE_WITHIN_S = 2.0


class RecordId(_Text):
    """The id of a record of this kind, or its beginning; of a ``snapshot``, its name as it is."""

    name = "text"

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """What the simulator has; nothing when it does not answer at once."""
        from click.shell_completion import CompletionItem  # here: only a shell needs it

        from plivo_sim.client import Client

        url = ctx.params.get("url") or os.environ.get("PLIVO_SIM_URL") or DEFAULT_URL
        account = ctx.params.get("account") or ""
        if not account and self.kind != "account":
            account = os.environ.get("PLIVO_SIM_ACCOUNT", "")
        try:
            found = _found(Client(url, timeout_s=COMPLETE_WITHIN_S), self.kind, incomplete, account)
            return [CompletionItem(each["id"], help=_about(each)) for each in found["ids"]]
        except Exception:  # whatever it is, a message would stand in the command line
            return []


def whole(client: Client, kind: str, text: str, account: str) -> str:
    """The id that a text is, or is the beginning of; as it is if there is none or nothing answers,
    so that the command itself says what is wrong. Raises UsageError that names those that begin so.
    """
    from plivo_sim.client import Refused, Unreachable

    if not text.strip() or len(text) >= WHOLE.get(kind, len(text) + 1) or not text.isascii():
        return text
    try:
        found = _found(client, kind, text, account)
    except (Refused, Unreachable):
        return text
    ids = list(dict.fromkeys(str(each["id"]) for each in found["ids"]))
    if not ids or text in ids:
        return text
    if len(ids) == 1:
        return ids[0]
    told = [f"  {each['id']}  {_about(each)}" for each in found["ids"][:MOST_TOLD]]
    if found["total_count"] > len(told):
        told.append(f"  and {found['total_count'] - len(told)} more")
    head = f"'{text}' is the beginning of {found['total_count']} ids; write more of the one:"
    raise click.UsageError("\n".join([head, *told]))


def whole_ones(client: Client, account: str, given: dict[str, Any]) -> None:
    """Complete the ids that a command was given, by the types of its parameters."""
    for each in click.get_current_context().command.params:
        name = each.name or ""
        if isinstance(each.type, RecordId) and each.type.kind != "snapshot" and given.get(name):
            given[name] = whole(client, each.type.kind, given[name], account)


def _found(client: Client, kind: str, prefix: str, account: str) -> dict[str, Any]:
    answer: dict[str, Any] = client.control(
        "GET", "/ids", kind=kind, prefix=prefix, account=account
    )
    return answer


def _about(found: dict[str, Any]) -> str:
    text = f"{found['about']} {found['account']}".strip() if found["about"] else found["account"]
    return printable(text)[:ABOUT_LENGTH]
