"""Callbacks: the list, replays, the policy, the check of a signature; and the inboxes: a built-in
receiver, for those who have none yet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import msgspec
from flask import Response, request

from plivo_sim.account.account import Account
from plivo_sim.account.clock import wall_s
from plivo_sim.apis.words import JsonObject
from plivo_sim.control import presenters
from plivo_sim.control.inputs import (
    ACCOUNT,
    HOLDER,
    IN_BODY,
    PAGE,
    account_holding,
    account_named,
    account_text,
    invalid,
    json_object,
    page_asked,
    read_part,
    takes,
    text_of,
    word_of,
)
from plivo_sim.domain.errors import NotFound
from plivo_sim.domain.limits import INBOX_BODY, INBOX_NAME
from plivo_sim.domain.records import Delivery, DeliveryState
from plivo_sim.domain.secrets import MASK, is_secret
from plivo_sim.domain.urls import place_of
from plivo_sim.scenarios.language import WebhookPolicy
from plivo_sim.services import policies
from plivo_sim.web.access import is_ours
from plivo_sim.web.bodies import read_start
from plivo_sim.web.calls import current_call
from plivo_sim.web.endpoints import JSON, Query, endpoint
from plivo_sim.web.framework import base_url_of
from plivo_sim.web.long_work import long_work, work_on_texts
from plivo_sim.webhooks import outbox
from plivo_sim.webhooks.signatures import tokens_known

if TYPE_CHECKING:  # a start needs none
    from plivo_sim.control.answers import InboxOut, MessageOut


WAIT = Query(
    name="wait", enum=("yes", "no"),
    description="no: as it is now; what is due is not made to happen and waited for.",
)  # fmt: skip


TAKEN_BACK = Query(
    name="taken_back", enum=("yes", "no"),
    description="yes: instead, the last that were sent and that an undo or a restore took back.",
)  # fmt: skip


@endpoint(
    "GET", "/webhooks", "Callbacks with every attempt.",
    query=(ACCOUNT, *PAGE, Query(name="application"),
           Query(name="state", enum=tuple(DeliveryState)), WAIT, TAKEN_BACK),
    answers={200: "WebhooksOut"}, errors=(404,),
)  # fmt: skip
def list_webhooks() -> Response:
    """Deliveries, oldest first; ``application`` and ``state`` filter; ``forgotten``: how many are
    not kept any more. 404 for an application that the account does not have and that has no
    callback. With ``taken_back=yes`` those that went out, but are no records any more; they are
    known until the account is reset or the server ends."""
    if request.args.get("state"):
        word_of(request.args, "state", DeliveryState)
    for each in (WAIT, TAKEN_BACK):
        if request.args.get(each.name):
            word_of(request.args, each.name, each.enum)
    waits = request.args.get("wait") != "no"
    account = account_named(sends=waits, due=waits)
    where = {
        field: (request.args[name],)
        for name, field in (("application", "application_id"), ("state", "state"))
        if request.args.get(name)
    }
    offset, limit = page_asked()
    if request.args.get("taken_back") == "yes":
        return _taken_back(account, where, offset, limit)
    with account.lock:
        page = account.store.deliveries.page(where, offset=offset, limit=limit)
        retries = outbox.retries_of(account)
        forgotten = outbox.forgotten(account)
        id = request.args.get("application")
        if id and not page.total_count and not forgotten and not _is_known(account, id):
            raise NotFound("application", id)
    with long_work(len(page.records)):
        shown = [presenters.delivery_of(each, retries) for each in page.records]
        answer = {"total_count": page.total_count, "webhooks": shown, "forgotten": forgotten}
        return current_call().answer(answer)


def _taken_back(
    account: Account, where: dict[str, tuple[str]], offset: int, limit: int
) -> Response:
    with account.lock:
        gone, forgotten = account.sent_and_gone()
        retries = outbox.retries_of(account)
    found = [each for each in gone if all(getattr(each, k) in v for k, v in where.items())]
    page = found[offset : offset + limit]
    with long_work(len(page)):
        shown = [presenters.delivery_of(each, retries) for each in page]
        answer = {"total_count": len(found), "webhooks": shown, "forgotten": forgotten}
        return current_call().answer(answer)


def _is_known(account: Account, id: str) -> bool:
    """Whether it is an application, or was one that had callbacks. Caller holds the lock."""
    store = account.store
    return (
        store.applications.fetch(id) is not None
        or store.deliveries.how_many("application_id", id) > 0
    )


@endpoint(
    "GET", "/webhooks/{id}", "One callback.", query=(HOLDER,),
    answers={200: "WebhookOut"}, errors=(404,),
)  # fmt: skip
def get_webhook(id: str) -> Response:
    account = account_holding("deliveries", "webhook", id, sends=True)
    with account.lock:
        delivery, retries = _delivery(account, id), outbox.retries_of(account)
    return current_call().answer(presenters.delivery_of(delivery, retries))


@endpoint(
    "POST", "/webhooks/{id}/replay", "Send a callback again.", **takes(account=IN_BODY),
    answers={202: "WebhookOut"}, errors=(404,),
)  # fmt: skip
def replay_webhook(id: str) -> Response:
    """Send a delivery again, as a new one; 202 with the new record."""
    call = current_call()
    data = json_object("account")
    account = account_holding("deliveries", "webhook", id, data, sends=True)
    with account.transaction():
        again = call.sim.replay(account, _delivery(account, id))
    call.account = account
    return call.answer(presenters.delivery_of(again, outbox.retries_of(account)), 202)


def _delivery(account: Account, id: str) -> Delivery:
    delivery = account.store.deliveries.fetch(id)
    if delivery is None:
        raise NotFound("webhook", id)
    return delivery


@endpoint(
    "GET", "/webhooks/policy", "What happens to callbacks on their way.", query=(ACCOUNT,),
    answers={200: "WebhookPolicy"},
)  # fmt: skip
def get_webhook_policy() -> Response:
    account = account_named()
    with account.lock:
        return current_call().answer(msgspec.to_builtins(policies.webhook_policy(account)))


@endpoint(
    "POST", "/webhooks/policy", "Disturb callbacks on their way.", query=(ACCOUNT,),
    bodies={JSON: "webhook_policy_body"}, body_required=False, answers={200: "WebhookPolicy"},
)  # fmt: skip
def set_webhook_policy() -> Response:
    """A webhook policy in the scenario language, which replaces that of the scenario."""
    data = json_object()
    account = data.pop("account", None)
    policy: WebhookPolicy = read_part("webhooks", data).webhooks
    policies.set_webhook_policy(account_named({"account": account}), policy)
    return current_call().answer(msgspec.to_builtins(policy))


@endpoint(
    "DELETE", "/webhooks/policy", "Take the account's own policy away.", query=(ACCOUNT,),
    answers={200: "WebhookPolicy"},
)  # fmt: skip
def drop_webhook_policy() -> Response:
    account = account_named()
    policies.set_webhook_policy(account, None)
    with account.lock:
        return current_call().answer(msgspec.to_builtins(policies.webhook_policy(account)))


@endpoint(
    "POST", "/webhooks/verify-signature", "Which part of a receiver's check is wrong.",
    **takes("url", "headers", method="string", url="string", body="string", token="string",  # noqa: S106 (a type)
            headers={"type": "object", "additionalProperties": {"type": "string"}}),
    answers={200: "SignaturesOut"},
)  # fmt: skip
def verify_signature() -> Response:
    """``{"method", "url", "headers", "body", "token"}`` as a receiver saw them; without a token,
    those of the account are used: the main account's, and its subaccount's for V2 and V3. Says of
    each signature whether it is valid, what it covers, and which part of the check is wrong."""
    from plivo_sim.webhooks import diagnosis  # here: few ask, and it is large

    data = json_object("method", "url", "headers", "body", "token", "account")
    headers = data.get("headers")
    if not isinstance(headers, Mapping) or not all(isinstance(v, str) for v in headers.values()):
        raise invalid("headers", "must be an object of strings")
    url, token = text_of(data, "url"), text_of(data, "token")
    if not url:
        raise invalid("url", "is required")
    known: tuple[tuple[str, str], ...] = ()
    sent = None
    if token is None or account_text(data) or len(current_call().sim.accounts()) == 1:
        account = account_named(data)
        with account.lock:
            known = tokens_known(account)
            sent = diagnosis.sent_with_nonce(account, headers)
        if token is None and not known:
            raise invalid("token", f"is required: none of {account.auth_id} is known yet")
    seen = diagnosis.ReceivedRequest(
        method=(text_of(data, "method") or "POST").upper(),
        url=url,
        headers=headers,
        body=text_of(data, "body") or "",
        tokens=tuple(each for _, each in known) if token is None else (token,),
        main_token=known[0][1] if token is None else token,
        known=known,
        sent=sent,
    )
    try:
        return current_call().answer(diagnosis.diagnose(seen))
    except ValueError as error:
        raise invalid("url", str(error)) from None


# --- inboxes ---------------------------------------------------------------------------------


@endpoint(
    "GET",
    "/inbox/{name}",
    "Receive a callback into an inbox.",
    name="receive_get",
    answers={200: "ReceivedOut"},
)
@endpoint(
    "POST", "/inbox/{name}", "Receive a callback into an inbox.", name="receive_post",
    query=(ACCOUNT,), bodies={JSON: JsonObject}, body_required=False, answers={200: "ReceivedOut"},
)  # fmt: skip
def receive(name: str) -> Response:
    """Answer 200 and keep what came."""
    _check_name(name)
    body = read_start(request, INBOX_BODY.most).decode("utf-8", "replace")
    message: MessageOut = {
        "method": request.method,
        "url": request.url,
        "headers": {
            name: MASK if is_secret(name) else value for name, value in request.headers.items()
        },
        "query": request.args.to_dict(),
        "body": body,
        "arrived": datetime.fromtimestamp(wall_s(), UTC).isoformat(),
    }
    current_call().sim.inboxes.keep(name, message)
    return current_call().answer({"received": True})


@endpoint("GET", "/inbox/{name}/messages", "What an inbox has received.", answers={200: "InboxOut"})
def read_inbox(name: str) -> Response:
    """The callbacks that this inbox has received, oldest first. "No callback came" is proved by no
    ``messages`` only where ``forgotten`` and ``uncertain`` are 0."""
    _check_name(name)
    sim, path, is_here = current_call().sim, f"/_sim/inbox/{name}", _own_places()
    sim.runner.catch_up_all(
        sim.stirring(), lambda url: unquote(urlsplit(url).path).endswith(path) and is_here(url)
    )
    return _shown(name)


def _shown(name: str) -> Response:
    received = current_call().sim.inboxes.received(name)
    with work_on_texts(len(each["body"]) for each in received.messages):
        answer: InboxOut = {
            "name": name,
            "messages": received.messages,
            "forgotten": received.forgotten,
            "uncertain": received.uncertain,
        }
        return current_call().answer(answer)


def _check_name(name: str) -> None:
    """Raises Invalid."""
    if len(name) > INBOX_NAME.most:
        raise invalid("name", f"is longer than an inbox's: {INBOX_NAME}")


def _own_places() -> Callable[[str], bool]:
    """Whether a URL leads to this server: where the caller reached it, its public URL, and its port
    at this machine, at a host of the settings, or at a bare name, such as that of a service."""
    settings = current_call().sim.settings
    known = {place_of(each) for each in (base_url_of(request), settings.public_url)}
    own_port = request.server[1] if request.server is not None else None

    def is_here(url: str) -> bool:
        host, port = place_of(url)
        is_near = is_ours(host, settings) or not {".", ":"} & {*host}
        return (host, port) in known or (port == own_port and is_near)

    return is_here


@endpoint(
    "DELETE", "/inbox/{name}/messages", "Empty an inbox.", query=(ACCOUNT,),
    answers={200: "InboxOut"},
)  # fmt: skip
def empty_inbox(name: str) -> Response:
    """What it has received from then on is certain, until it goes."""
    _check_name(name)
    current_call().sim.inboxes.clear(name)
    return _shown(name)
