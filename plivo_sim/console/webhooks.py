"""Webhooks: every callback with its attempts, the policy for their way, replays; and the built-in
inboxes, which receive callbacks without any set-up and are shared by all accounts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec
from flask import Response

from plivo_sim.account.account import Account
from plivo_sim.console.actions import Action, Build, Form, curl, just_refused, too_many
from plivo_sim.console.pages import Paged, newest_of, open_account, readable, show
from plivo_sim.console.pictures import waterfall
from plivo_sim.console.pictures.waterfall import Line
from plivo_sim.console.traffic_list import (
    ATTEMPT_HEADER,
    attempt_tone,
    callback_row,
    says,
    traffic_of,
)
from plivo_sim.domain.errors import NotFound
from plivo_sim.domain.limits import INBOX_MESSAGES
from plivo_sim.domain.records import Attempt, Delivery
from plivo_sim.scenarios.language import WebhookPolicy
from plivo_sim.services import policies
from plivo_sim.web.calls import current_call
from plivo_sim.webhooks.composing import DELIVERY_HEADER, authorization
from plivo_sim.webhooks.diagnosis import ReceivedRequest, diagnose
from plivo_sim.webhooks.outbox import waits_of
from plivo_sim.webhooks.signatures import tokens_known

if TYPE_CHECKING:  # a start needs none
    from plivo_sim.control.answers import MessageOut

FIRST_NAME = "mine"
"""The inbox that the page suggests."""
SHOWN_TEXT = 8000

REPLAY_OF = "replay of "
POLICY_FILE = "policy.yaml"
NUMBERS = ("drop", "duplicate", "timeout_s")
TEXTS = ("delay", "age")
LISTS = ("retries", "success")


def policy_page(auth_id: str) -> Response:
    """What happens to callbacks on their way, and how to disturb them."""
    account = open_account(auth_id)
    with account.lock:
        policy = _policy(account)
    return show("webhook_policy.html", account=account, settings=account.settings, **policy)


def _policy(account: Account) -> dict[str, Any]:
    """The policy in force, where it comes from, and how a scenario file would write it."""
    policy = policies.webhook_policy(account)
    given = msgspec.to_builtins(policy)
    scenario = policies.scenario_of(account)
    own = account.store.policies.fetch("webhooks") is not None
    lines = [f"  {name}: {msgspec.json.encode(value).decode()}" for name, value in given.items()]
    refused = just_refused("set_webhook_policy")
    return {
        "policy": policy,
        "fill": refused[0].action.body if refused else given,
        "given": given,
        "policy_is_own": own,
        "policy_scenario": scenario.scenario if scenario and given and not own else "",
        "as_yaml": "\n".join(["webhooks:", *lines]),
    }


def webhook_page(auth_id: str, id: str) -> Response:
    """One callback: its payload, each attempt as it was sent, and what the receiver answered."""
    account = open_account(auth_id)
    with account.lock:
        delivery = account.store.deliveries.fetch(id)
        if delivery is None:
            raise NotFound("webhook", id)
        cause, _, note = delivery.why.partition("; ")
        first = delivery.repeats or _replayed(delivery)
        row = callback_row(account, delivery)
        lines = [Line("callback", "→ webhook", "#tries", row.marks)]
        return show(
            "webhook.html",
            account=account,
            traffic=traffic_of(account, id),
            at_id=id,
            row=row,
            delivery=delivery,
            says=says(delivery),
            application=account.store.applications.fetch(delivery.application_id),
            cause=cause,
            note=note,
            next_at=row.next_at,
            waits=[str(each) for each in waits_of(account, policies.webhook_policy(account))],
            tries=[_try(account, delivery, each) for each in delivery.attempts],
            first=first,
            first_is_known=first is not None and account.store.deliveries.fetch(first) is not None,
            copies=account.store.deliveries.having("repeats", delivery.id),
            picture=waterfall.draw(lines) + waterfall.draw(lines, narrow=True),
        )


def _replayed(delivery: Delivery) -> str | None:
    """The id of the delivery that was sent again, if this is a replay."""
    cause = delivery.why.partition("; ")[0]
    return cause.removeprefix(REPLAY_OF) if cause.startswith(REPLAY_OF) else None


def _try(account: Account, delivery: Delivery, attempt: Attempt) -> dict[str, Any]:
    """One attempt, with whether its signature holds and the calls that ask and repeat it."""
    headers = {**dict(attempt.headers), **dict(authorization(delivery))}
    known = tokens_known(account)
    seen = ReceivedRequest(
        method=delivery.method,
        url=attempt.url,
        headers={name: value for name, value in headers.items() if "Signature" in name},
        body=attempt.body,
        tokens=tuple(token for _, token in known),
        main_token=known[0][1] if known else "",
    )
    received = {"method": seen.method, "url": seen.url, "headers": seen.headers, "body": seen.body}
    body = ["--data-raw", attempt.body] if attempt.body else []
    return {
        "attempt": attempt,
        "tone": attempt_tone(account, attempt.status),
        "verdicts": _verdicts(seen) if known else {},
        "check": Action(
            message="",
            operation="verify_signature",
            body={**received, "account": account.auth_id},
        ),
        "again": curl(delivery.method, attempt.url, headers, body),
    }


def _verdicts(seen: ReceivedRequest) -> dict[str, Any]:
    try:
        return diagnose(seen)
    except ValueError:  # a URL that cannot be taken apart
        return {}


# --- buttons ---------------------------------------------------------------------------------


def replay(form: Form) -> list[Action]:
    """Send every callback that was ticked once more."""
    ids = [each for each in form.getlist("id") if each]
    wrong = too_many(ids) if ids else "tick the callbacks that are to go out again"
    if wrong:
        return [Action(message="", operation="replay_webhook", wrong=wrong)]
    account = form.get("account", "")
    return [
        Action(
            message=f"Sent {id} again.",
            operation="replay_webhook",
            ids={"id": id},
            query={"account": account} if account else {},
            cli=("webhooks", "replay", id, *(("--account", account) if account else ())),
        )
        for id in ids
    ]


def set_policy(form: Form) -> list[Action]:
    """A policy from the fields; an empty field is left out."""
    texts = {name: text for name in WebhookPolicy.__struct_fields__ if (text := _text(form, name))}
    body: dict[str, Any] = {name: texts[name] for name in TEXTS if name in texts}
    body |= {name: _number(texts[name]) for name in NUMBERS if name in texts}
    body |= {name: _list(texts[name]) for name in LISTS if name in texts}
    body |= {"reorder": True} if "reorder" in texts else {}
    body |= {"signature": texts["signature"]} if texts.get("signature", "valid") != "valid" else {}
    account = form.get("account", "")
    rules = ", ".join(f"{name} {value}" for name, value in body.items())
    return [
        Action(
            message=f"Callbacks from now on: {rules or 'as the settings say'}.",
            operation="set_webhook_policy",
            body={**body, "account": account},
            cli=("webhooks", "policy", POLICY_FILE, "--account", account),
            written=(POLICY_FILE, _as_file(body)),
        )
    ]


def _as_file(policy: dict[str, Any]) -> str:
    """The policy as it stands in a scenario file, or in a file of its own."""
    import yaml  # here because a start needs none

    text: str = yaml.safe_dump({"webhooks": policy}, sort_keys=False, allow_unicode=True)
    return text


def drop_policy(form: Form) -> list[Action]:
    account = form.get("account", "")
    return [
        Action(
            message="The account's own webhook policy is gone.",
            operation="drop_webhook_policy",
            query={"account": account},
            cli=("webhooks", "policy", "--drop", "--account", account),
        )
    ]


def _text(form: Form, name: str) -> str:
    return form.get(name, "").strip()


def _number(text: str) -> Any:
    """A number if it is one; else the text, which the control call refuses in its own words."""
    if re.fullmatch(r"-?[0-9]{1,9}", text):
        return int(text)
    return float(text) if re.fullmatch(r"[0-9]{1,9}\.[0-9]{1,9}", text) else text


def _list(text: str) -> list[Any]:
    """The items between commas; ``none`` is an empty list."""
    if text.casefold() == "none":
        return []
    return [_number(each.strip()) for each in text.split(",")]


# --- inboxes ---------------------------------------------------------------------------------


def inboxes_page(auth_id: str) -> Response:
    """The inboxes that have received something, the one that was used last first."""
    account, sizes = open_account(auth_id), current_call().sim.inboxes.sizes()
    found = newest_of([*sizes.items()])
    return show("inboxes.html", account=account, found=found, name=FIRST_NAME)


def inbox_page(auth_id: str, name: str) -> Response:
    """What an inbox has received, newest first."""
    account = open_account(auth_id)
    received = current_call().sim.inboxes.received(name)
    found = newest_of(received.numbered)
    with account.lock:
        shown = [_message(account, *each) for each in found.items]
    return show(
        "inbox.html",
        account=account,
        name=name,
        found=Paged(shown, found.number, found.total),
        most=INBOX_MESSAGES.most,
        forgotten=received.forgotten,
        uncertain=received.uncertain,
    )


def message_page(auth_id: str, name: str, number: str) -> Response:
    """One message of an inbox; ``number``: its place in it, from 1."""
    account = open_account(auth_id)
    numbered = current_call().sim.inboxes.received(name).numbered
    found = next((message for nth, message in numbered if str(nth) == number), None)
    if found is None:
        raise NotFound("message", f"{name}/{number}")
    with account.lock:
        shown = _message(account, int(number), found)
    place = f"{quote(name, safe='')}/{number}"
    return show(
        "message.html", account=account, name=name, each=shown, traffic=traffic_of(account, place),
        at_id=place,
    )  # fmt: skip


def _message(account: Account, number: int, message: MessageOut) -> dict[str, Any]:
    """A message with its place in the inbox and the callback of this account that it is."""
    headers = message["headers"]
    delivery = account.store.deliveries.fetch(headers.get(DELIVERY_HEADER, ""))
    body = message["body"]
    return {
        **message,
        "number": number,
        "delivery": delivery,
        "attempt": headers.get(ATTEMPT_HEADER, ""),
        "body": readable(body[:SHOWN_TEXT]),
        "body_is_cut": len(body) > SHOWN_TEXT,
    }


def empty_inbox(form: Form) -> list[Action]:
    """Empty an inbox."""
    name = form.get("name", "")
    return [
        Action(
            message=f"Emptied the inbox {name}.",
            operation="empty_inbox",
            ids={"name": name},
            cli=("webhooks", "inbox", "--clear"),
            named=name,
        )
    ]


def use_inbox(form: Form) -> list[Action]:
    """Make an inbox the receiver of all the account's applications that have no URL."""
    account, url = form.get("account", ""), form.get("url", "")
    return [
        Action(
            message=f"Applications without a callback URL now call {url}.",
            operation="make_account",
            body={"auth_id": account, "settings": {"callback_url": url}},
            cli=("account", "set", f"callback_url={url}", "--account", account),
        )
    ]


PAGES: list[tuple[str, Callable[..., Response]]] = [
    ("/webhooks/policy", policy_page),
    ("/webhooks/<id>", webhook_page),
    ("/inbox", inboxes_page),
    ("/inbox/<name>", inbox_page),
    ("/inbox/<name>/<number>", message_page),
]

ACTIONS: dict[str, Build] = {
    "replay": replay,
    "webhook-policy": set_policy,
    "drop-webhook-policy": drop_policy,
    "empty-inbox": empty_inbox,
    "use-inbox": use_inbox,
}
