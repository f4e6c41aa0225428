"""The journal of one account's last exchanges: bounded, in memory, no state.

What is kept is bounded (no uploaded bytes, the start of long bodies and answers), holds no secret,
and is only made readable when somebody asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from sys import getsizeof
from typing import Annotated, Any

import msgspec
from flask import Response
from msgspec import Meta
from msgspec.structs import replace
from werkzeug.datastructures import EnvironHeaders

from plivo_sim.account.account import Account
from plivo_sim.account.clock import wall_s
from plivo_sim.account.interfaces import State, Wrote
from plivo_sim.domain.records import Count
from plivo_sim.domain.secrets import (
    MASK,
    is_secret,
    masked_bytes,
    masked_json,
    masked_query,
    masked_text,
    without_secrets,
)
from plivo_sim.domain.typed import Instant
from plivo_sim.domain.urls import base_url
from plivo_sim.simulator import Simulator
from plivo_sim.web.access import OWN, accounts_named, masked_login
from plivo_sim.web.calls import Call, JsonResponse
from plivo_sim.web.framework import BareRequest
from plivo_sim.web.kept_bodies import KEPT_TEXT, KeptBody, keep_body, masked_body

KEPT_END = 400
"""So many bytes of the end of an answer are kept, too, where a fault has spoilt it."""
NO_HOST = "unreadable.invalid"
"""Stands for a host that no URL can have (RFC 2606)."""
OVERHEAD_BYTES = 2000
"""What an exchange takes beside its texts, about."""


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One call and its answer. ``at`` is simulated; ``arrived_s``: real seconds since 1970.
    ``environ``: the texts of the WSGI environment, secrets masked; ``sent``: the body, if there was
    one.

    ``answer``: the start of an answer in JSON, secrets masked, and ``answer_end`` the end of one
    that a fault has spoilt; ``answer_size``: how many bytes it has, None for those of a stream.
    ``is_spoilt``, ``wrote``: see ``Call``, what it wrote to its account. ``delayed_ms``: how much
    of the time that it took was a fault's latency, with all done and only the answer to be sent.
    """

    id: str
    at: Instant
    arrived_s: Annotated[float, Meta(ge=-(2**35), le=2**37)]  # in years that a date can have
    environ: dict[str, str]
    sent: KeptBody | None
    status: Annotated[int, Meta(ge=100, le=999)]
    answer: bytes
    answer_end: bytes
    answer_size: Count | None
    answer_headers: tuple[tuple[str, str], ...]
    dialect: str
    operation: str
    fault: str
    why: str
    took_ms: Annotated[float, Meta(ge=0, le=2**40)]
    is_spoilt: bool = False
    wrote: Wrote | None = None
    delayed_ms: Annotated[float, Meta(ge=0, le=2**40)] = 0.0

    @property
    def method(self) -> str:
        return self.environ["REQUEST_METHOD"]

    @property
    def url(self) -> str:
        try:
            return BareRequest(dict(self.environ)).url
        except ValueError:  # its host is none that a URL can have
            path, query = self.environ.get("PATH_INFO", ""), self.environ.get("QUERY_STRING", "")
            return f"{base_url('http', NO_HOST)}{path}{'?' if query else ''}{query}"

    @property
    def content_type(self) -> str:
        """That of the request."""
        return self.environ.get("CONTENT_TYPE", "")

    @property
    def size_bytes(self) -> int:
        """About how much memory this takes."""
        texts = (*self.environ.values(), self.answer, self.answer_end, self.why)
        body = 0 if self.sent is None else self.sent.memory_bytes
        return OVERHEAD_BYTES + sum(map(getsizeof, texts)) + body

    def shown(self) -> dict[str, Any]:
        """As plain values."""
        sent, content_type = self.sent, self.content_type
        return {
            "id": self.id,
            "at": self.at.isoformat(),
            "arrived": datetime.fromtimestamp(self.arrived_s, UTC).isoformat(),
            "method": self.method,
            "url": self.url,
            "headers": dict(EnvironHeaders(self.environ).items()),
            "body": None if sent is None else sent.value(content_type),
            "sent": None if sent is None else sent.shown(content_type),
            "status": self.status,
            "answer": self.answer.decode("utf-8", "replace"),
            "answer_end": self.answer_end.decode("utf-8", "replace"),
            "answer_size": self.answer_size,
            "answer_type": dict(self.answer_headers).get("Content-Type", ""),
            "answer_headers": [list(each) for each in self.answer_headers],
            "dialect": self.dialect,
            "operation": self.operation,
            "fault": self.fault or None,
            "why": self.why,
            "took_ms": round(self.took_ms, 2),
        }


def keep_exchange(
    sim: Simulator,
    account: Account,
    exchange: Exchange,
    size_bytes: int,
    until: tuple[str, State] | None = None,
) -> None:
    """Put an exchange into its account's journal, and among what happened. ``until``: what stays
    known of it, see ``steering.wrote_until``."""
    account.exchanges.append(exchange, size_bytes, until)
    sim.events.add("request", account, exchange, size_bytes)


def note_unmatched(call: Call, environ: dict[str, Any], response: Response, took_ms: float) -> None:
    """Put an exchange that is of no account into the list of those, and among what happened; its
    instant is real. One of an imitated API is shown with the requests of the accounts that it
    named, too."""
    now = datetime.fromtimestamp(wall_s(), UTC)
    exchange = exchange_of(call, environ, response, took_ms, now)
    call.sim.unmatched.append(exchange, exchange.size_bytes)
    call.sim.events.add("unmatched", None, exchange, exchange.size_bytes)
    named = [] if call.dialect in OWN else accounts_named(call.request, call.dialect)
    for account in filter(None, map(call.sim.known, named)):
        operation = call.request.endpoint or ""
        refused = replace(exchange, at=account.clock.now(), operation=operation)
        account.refused.append(refused, refused.size_bytes)


def requests_of(account: Account) -> list[Exchange]:
    """The last requests of an account, those that named it and were not let in among them, oldest
    first."""
    came: list[Exchange] = [*account.exchanges, *account.refused]
    return sorted(came, key=lambda each: each.arrived_s)


def exchange_of(
    call: Call,
    environ: dict[str, Any],
    response: Response,
    took_ms: float,
    at: datetime,
    delayed_ms: float = 0.0,
) -> Exchange:
    """What is kept of a call that is done, ``took_ms`` after it came, and of its answer, which
    waits for ``delayed_ms`` from now on."""
    answer, answer_end, answer_size = _kept_answer(response, is_spoilt=bool(call.fault))
    return Exchange(
        id=call.api_id,
        at=at,
        arrived_s=wall_s() - took_ms / 1000,
        environ=masked_environ(environ),
        sent=keep_body(call),
        status=response.status_code,
        answer=answer,
        answer_end=answer_end,
        answer_size=answer_size,
        answer_headers=masked_headers(response.headers),
        dialect=call.dialect,
        operation=call.operation,
        fault=call.fault,
        why=call.why,
        took_ms=took_ms + delayed_ms,
        is_spoilt=call.is_spoilt,
        wrote=call.wrote_in(call.account_or_none),
        delayed_ms=delayed_ms,
    )


def masked_environ(environ: Mapping[str, Any]) -> dict[str, str]:
    """The texts of a WSGI environment as they may be shown; of those, the same again."""
    names, secret = _names_of(tuple(environ), tuple(map(type, environ.values())))
    texts = {name: environ[name] for name in names}
    texts.update(secret)
    if "HTTP_AUTHORIZATION" in secret:
        texts["HTTP_AUTHORIZATION"] = masked_login(environ["HTTP_AUTHORIZATION"])
    query = texts["QUERY_STRING"]
    texts["QUERY_STRING"] = shown = _masked_value(without_secrets(f"?{masked_query(query)}")[1:])
    for name, text in texts.items():
        if name == "QUERY_STRING":
            continue
        path = text.removesuffix(f"?{query}")
        if path != text and _PLAIN.fullmatch(path):
            texts[name] = f"{path}?{shown}"  # the target once more: its query is masked once
        elif (masked := _masked_value(text)) is not text:
            texts[name] = masked
    if "@" in (host := texts.get("HTTP_HOST", "")):
        texts["HTTP_HOST"] = f"{MASK}@{host.rpartition('@')[2]}"
    return texts


def masked_again(exchange: Exchange) -> Exchange:
    """One that another server kept, as it may be shown here; the same if that masked it, and kept
    as little of the answer."""
    sent, environ = exchange.sent, exchange.environ
    return replace(
        exchange,
        environ=masked_environ(environ),
        sent=sent and masked_body(sent, environ.get("CONTENT_TYPE", "")),
        answer=masked_json(exchange.answer[:KEPT_TEXT]),
        answer_end=masked_bytes(exchange.answer_end[:KEPT_END]),
        answer_headers=masked_headers(exchange.answer_headers),
    )


def login_in(header: str) -> str:
    """The user name in an Authorization header as it is kept; empty if it is not known."""
    scheme, _, login = header.partition(" ")
    return login.removesuffix(f":{MASK}") if scheme == "Basic" else ""


_PLAIN = re.compile(r"[A-Za-z0-9/._~:-]*")
"""A path, or a URL, that ends before its query, and in which nothing can be secret."""
_OURS = frozenset(
    {
        "Content-Type", "Content-Length", "X-Request-Id", "X-Plivo-Sim-Dialect", "Vary", "Allow",
        "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After",
    }
)  # fmt: skip
"""Headers of answers in which nothing stands that a client has sent."""


def masked_headers(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Those of an answer, as they may be shown."""
    return tuple([each if each[0] in _OURS else _masked_header(*each) for each in headers])


def _masked_header(name: str, text: str) -> tuple[str, str]:
    return name, MASK if is_secret(name) else _masked_value(text)


def _masked_value(text: str) -> str:
    if text.startswith(("{", "[", '"')):
        return masked_text(text)
    if "?" in text or "@" in text:  # the target once more, the page before, and the like
        return without_secrets(text)
    return text


@lru_cache(maxsize=32)
def _names_of(names: tuple[str, ...], types: tuple[type, ...]) -> tuple[list[str], dict[str, str]]:
    """Which of these are texts (but for the client's port, which nobody asks for), and masks for
    those of them that are secret."""
    texts = [name for name, type_ in zip(names, types, strict=True) if type_ is str]
    texts = [name for name in texts if name != "REMOTE_PORT"]
    named = {n: n.removeprefix("HTTP_") for n in texts if n.startswith("HTTP_")}
    return texts, {n: MASK for n, header in named.items() if is_secret(header)}


def _kept_answer(response: Response, *, is_spoilt: bool) -> tuple[bytes, bytes, int | None]:
    """Start, end and size of an answer in JSON, which may repeat what was sent; of others the
    size."""
    if not isinstance(response, JsonResponse):
        return b"", b"", response.content_length
    content = response.content
    if not is_spoilt or len(content) <= KEPT_TEXT:
        return masked_json(content, KEPT_TEXT)[:KEPT_TEXT], b"", len(content)
    masked = masked_json(content)
    return masked[:KEPT_TEXT], masked[KEPT_TEXT:][-KEPT_END:], len(content)
