"""The request of an attempt: method, URL, headers with the signature, body."""

from __future__ import annotations

from email.utils import format_datetime
from urllib.parse import urlencode, urlsplit, urlunsplit

from plivo_sim import __version__
from plivo_sim.account.account import Account
from plivo_sim.account.interfaces import Outgoing
from plivo_sim.domain.durations import parse_duration
from plivo_sim.domain.records import Delivery, Pairs
from plivo_sim.domain.text import draw_uuid, encode_json
from plivo_sim.domain.urls import as_called, basic, credentials_in
from plivo_sim.scenarios.language import WebhookPolicy
from plivo_sim.services.policies import webhook_policy
from plivo_sim.webhooks.signatures import Tokens, signature_headers, tokens_of

DELIVERY_HEADER = "X-Plivo-Sim-Delivery"
"""Which callback a request is, whichever attempt."""
WARNING_HEADER = "X-Plivo-Sim-Warning"
_FORM = "application/x-www-form-urlencoded"


def compose(account: Account, delivery: Delivery) -> Outgoing:
    """The HTTP request of the next attempt: POST carries the fields, GET puts them in the query.

    Source: ``callback_method`` GET or POST (documented); the encodings are inferred. Credentials in
    the URL go as Basic credentials (inferred: so does every HTTP client).
    """
    number = len(delivery.attempts) + 1
    url, body, content_type = delivery.url, b"", ""
    params = delivery.payload
    if delivery.method == "GET":
        url, params = _with_query(delivery.url, delivery.payload), ()
    elif account.settings.callback_encoding == "form":
        body, content_type = urlencode(delivery.payload).encode(), _FORM
    else:
        body, content_type = encode_json(dict(delivery.payload)), "application/json"
        params = params if account.settings.callback_json_signed else ()
    policy = webhook_policy(account)
    headers = [
        ("User-Agent", f"plivo-sim/{__version__}"),
        ("Accept", "*/*"),
        *authorization(delivery),
        *_signed(account, policy, delivery, url, params),
        (DELIVERY_HEADER, delivery.repeats or delivery.id),
        ("X-Plivo-Sim-Attempt", str(number)),
    ]
    if policy.age:
        sent_at = parse_duration(policy.age).before(account.now())
        headers.append(("Date", format_datetime(sent_at, usegmt=True)))
    if content_type:
        headers.append(("Content-Type", content_type))
    return Outgoing(
        method=delivery.method,
        url=as_called(url),
        headers=tuple(headers),
        body=body,
        timeout_s=policy.timeout_s or account.settings.callback_timeout_s,
        allowed_hosts=account.settings.allow_callback_hosts,
        way=account.settings.way,
        account=account.auth_id,
    )


def authorization(delivery: Delivery) -> Pairs:
    """The header for the credentials in a delivery's URL, if there are any."""
    credentials = credentials_in(delivery.url)
    return (("Authorization", basic(*credentials)),) if credentials else ()


def _signed(
    account: Account, policy: WebhookPolicy, delivery: Delivery, url: str, params: Pairs
) -> Pairs:
    """The signature headers of the next attempt: right, wrong on purpose, or none; a header that
    says why where there is no token."""
    if policy.signature == "missing":
        return ()
    tokens = tokens_of(account, account.store.applications.fetch(delivery.application_id))
    if policy.signature == "wrong":
        tokens = Tokens(*(f"{token}-wrong" for token in tokens or ("", "")))
    if tokens is None:
        return ((WARNING_HEADER, f"not signed: no token of {account.auth_id} is known yet"),)
    nonce = _nonce(account, delivery, len(delivery.attempts) + 1)
    return signature_headers(tokens, delivery.method, url, nonce, params)


def _nonce(account: Account, delivery: Delivery, number: int) -> str:
    """20 digits, as the SDKs' own test vectors have."""
    drawn = draw_uuid(account.settings.seed, delivery.id, "nonce", number)
    return str(int(drawn.replace("-", ""), 16))[:20].zfill(20)


def _with_query(url: str, fields: Pairs) -> str:
    parts = urlsplit(url)
    query = "&".join(part for part in (parts.query, urlencode(fields)) if part)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))
