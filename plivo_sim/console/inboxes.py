"""The built-in inbox: a receiver that needs no setting up. All accounts share it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from flask import Response

from plivo_sim.console.deeds import Build, Deed, Form
from plivo_sim.console.pages import (
    Paged,
    newest_of,
    open_world,
    readable,
    show,
)
from plivo_sim.control.inbox import MOST_MESSAGES, Message, inboxes
from plivo_sim.world import World

FIRST_NAME = "mine"
"""The inbox that is proposed to whoever has none."""
SHOWN_TEXT = 8000
DELIVERY_HEADER = "X-Plivo-Sim-Delivery"


def list_page(account: str) -> Response:
    """The inboxes that have received something, the latest begun first."""
    world = open_world(account)
    return show("inboxes.html", world=world, sizes=inboxes().sizes(), name=FIRST_NAME)


def inbox_page(account: str, name: str) -> Response:
    """What one of them has received, newest first."""
    world = open_world(account)
    found = newest_of(list(enumerate(inboxes().messages(name), 1)))
    with world.lock:
        shown = [_shown(world, *each) for each in found.items]
    return show(
        "inbox.html",
        world=world,
        name=name,
        found=Paged(shown, found.number, found.total),
        most=MOST_MESSAGES,
    )


def _shown(world: World, number: int, message: Message) -> dict[str, Any]:
    """A message with its place in the inbox and the callback of this account that it is."""
    headers = message["headers"]
    delivery = world.store.deliveries.fetch(headers.get(DELIVERY_HEADER, ""))
    body = message["body"]
    return {
        **message,
        "number": number,
        "delivery": delivery,
        "attempt": headers.get("X-Plivo-Sim-Attempt", ""),
        "body": readable(body[:SHOWN_TEXT]),
        "body_is_cut": len(body) > SHOWN_TEXT,
    }


def empty(form: Form) -> list[Deed]:
    """Forget what an inbox holds."""
    name = form.get("name", "")
    return [
        Deed(
            told=f"Emptied the inbox {name}.",
            method="DELETE",
            path=f"/inbox/{quote(name, safe='')}/messages",
            cli=("webhooks", "inbox", "--clear"),
            named=name,
        )
    ]


def use(form: Form) -> list[Deed]:
    """Make an inbox the receiver of all the account's applications that name none."""
    account, url = form.get("account", ""), form.get("url", "")
    return [
        Deed(
            told=f"Applications without a callback URL now call {url}.",
            method="POST",
            path="/accounts",
            body={"auth_id": account, "settings": {"callback_url": url}},
            cli=("account", "set", f"callback_url={url}", "--account", account),
        )
    ]


PAGES: list[tuple[str, Callable[..., Response]]] = [
    ("/inbox", list_page),
    ("/inbox/<name>", inbox_page),
]
DEEDS: dict[str, Build] = {"empty-inbox": empty, "use-inbox": use}
