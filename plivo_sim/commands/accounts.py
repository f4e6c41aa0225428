"""``plivo-sim account``: accounts, and the settings that are their own."""

from __future__ import annotations

from typing import Any

import click

from plivo_sim.commands.asking import Asked, asks, makes_account
from plivo_sim.commands.tables import instant, table, values

COUNTED = ("applications", "end_users", "documents", "numbers")


@click.group()
def account() -> None:
    """Look at accounts and change their settings."""


@account.command("list")
@asks
def list_(asked: Asked) -> None:
    """List accounts, each with its own settings."""
    asked.show(asked.get("/accounts"), lambda told: accounts_table(told["accounts"]))


def accounts_table(accounts: list[dict[str, Any]]) -> str:
    """A line for each."""
    rows = [
        (
            each["auth_id"],
            instant(each["now"]),
            *(each[name] for name in COUNTED),
            " ".join(f"{name}={text}" for name, text in each["settings"].items()),
        )
        for each in accounts
    ]
    heads = ("account", "now", "apps", "end users", "documents", "numbers", "settings")
    return table(heads, rows)


@account.command("set")
@click.argument("settings", metavar="NAME=VALUE...", nargs=-1)
@makes_account
def set_(asked: Asked, settings: tuple[str, ...]) -> None:
    """Change settings of one account.

    NAME is that of the server's setting, with underscores: review_delay=3d. The account that
    --account names is made if it does not exist; without NAME=VALUE that is all.
    """
    if not (settings or asked.account):
        raise click.UsageError("give NAME=VALUE, or --account to make one")
    given = dict(map(_setting, settings))
    auth_id = asked.account or asked.get("/clock")["account"]
    asked.show(asked.post("/accounts", {"auth_id": auth_id, "settings": given}), _account)


def _setting(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not name or not sign:
        raise click.UsageError(f"{text!r} is not NAME=VALUE")
    return name, value


def _account(told: dict[str, Any]) -> str:
    return values([("account", told["auth_id"]), *told["settings"].items()])
