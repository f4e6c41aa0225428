"""The journal of one account's last exchanges: bounded, in memory, no state.

What is kept is small (no uploaded bytes, the start of long answers), holds no secret, and is only
made readable when somebody asks.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from sys import getsizeof
from typing import Any

import msgspec
from flask import Response
from werkzeug.datastructures import EnvironHeaders

from plivo_sim.account.clock import wall_s
from plivo_sim.domain.secrets import (
    MASK,
    is_secret,
    masked_json,
    masked_query,
    masked_text,
    without_secrets,
)
from plivo_sim.domain.text import decode_json
from plivo_sim.web.bodies import Body, begins_json
from plivo_sim.web.calls import Call, JsonResponse
from plivo_sim.web.framework import BareRequest
from plivo_sim.web.parts import Part

KEPT_TEXT = 4000
KEPT_BODY_BYTES = 32 * 1024
OVERHEAD_BYTES = 2000
"""What an exchange takes beside its texts, about."""


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One call and its answer. ``at`` is simulated; ``arrived_s``: real seconds since 1970.
    ``environ``: the texts of the WSGI environment, secrets masked.

    ``sent`` is what the body was: JSON text, secrets masked, or a summary of it.
    """

    id: str
    at: datetime
    arrived_s: float
    environ: dict[str, str]
    sent: Any
    status: int
    answer: bytes
    answer_type: str
    dialect: str
    operation: str
    fault: str
    why: str
    took_ms: float

    @property
    def method(self) -> str:
        return self.environ["REQUEST_METHOD"]

    @property
    def url(self) -> str:
        return BareRequest(dict(self.environ)).url

    @property
    def size_bytes(self) -> int:
        """About how much memory this takes."""
        texts = sum(map(getsizeof, (*self.environ.values(), self.answer, self.why)))
        if isinstance(self.sent, list):
            return OVERHEAD_BYTES + texts + sum(_size_of(part) for part in self.sent)
        return OVERHEAD_BYTES + texts + getsizeof(self.sent)

    def shown(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "id": self.id,
            "at": self.at.isoformat(),
            "arrived": datetime.fromtimestamp(self.arrived_s, UTC).isoformat(),
            "method": self.method,
            "url": self.url,
            "headers": dict(EnvironHeaders(self.environ).items()),
            "body": decode_json(self.sent) if isinstance(self.sent, bytes) else self.sent,
            "status": self.status,
            "answer": self.answer.decode("utf-8", "replace"),
            "answer_type": self.answer_type,
            "dialect": self.dialect,
            "operation": self.operation,
            "fault": self.fault or None,
            "why": self.why,
            "took_ms": round(self.took_ms, 2),
        }


def note_exchange(call: Call, environ: dict[str, Any], response: Response, took_ms: float) -> None:
    """Put an exchange into its account's journal, and among what happened."""
    account = call.account
    exchange = Exchange(
        id=call.api_id,
        at=account.now(),
        arrived_s=wall_s() - took_ms / 1000,
        environ=_texts(environ),
        sent=None if call.body is None else _summary(call.body),
        status=response.status_code,
        answer=_start_of(response),
        answer_type=response.content_type or "",
        dialect=call.dialect,
        operation=call.operation,
        fault=call.fault,
        why=call.why,
        took_ms=took_ms,
    )
    account.exchanges.append(exchange, exchange.size_bytes)
    call.sim.events.add("request", account, exchange, exchange.size_bytes)


def _texts(environ: dict[str, Any]) -> dict[str, str]:
    names, secret = _names_of(tuple(environ), tuple(map(type, environ.values())))
    texts = {name: environ[name] for name in names}
    texts.update(secret)
    texts["QUERY_STRING"] = masked_query(texts["QUERY_STRING"])
    for name, text in texts.items():
        if text.startswith(("{", "[", '"')):
            texts[name] = masked_text(text)
        elif "?" in text or "@" in text:  # the target once more, the page before, and the like
            texts[name] = without_secrets(text)
    if "@" in (host := texts.get("HTTP_HOST", "")):
        texts["HTTP_HOST"] = f"{MASK}@{host.rpartition('@')[2]}"
    return texts


@lru_cache(maxsize=32)
def _names_of(names: tuple[str, ...], types: tuple[type, ...]) -> tuple[list[str], dict[str, str]]:
    """Which of these are texts, and masks for those of them that are secret."""
    texts = [name for name, type_ in zip(names, types, strict=True) if type_ is str]
    named = {n: n.removeprefix("HTTP_") for n in texts if n.startswith("HTTP_")}
    return texts, {n: MASK for n, header in named.items() if is_secret(header)}


def _start_of(response: Response) -> bytes:
    """Of an answer in JSON; it may repeat what was sent."""
    if not isinstance(response, JsonResponse):
        return b""
    return masked_json(response.content, KEPT_TEXT)[:KEPT_TEXT]


def _summary(body: Body) -> Any:
    if body.kind in ("empty", "other"):
        return None
    if body.kind == "json":
        if len(body.raw) > KEPT_BODY_BYTES:
            return f"({len(body.raw)} bytes of JSON, not kept)"
        return masked_json(body.raw)
    return [
        {"name": part.name[:KEPT_TEXT], "filename": part.filename, "size_bytes": len(part.content)}
        if part.is_file
        else {"name": part.name[:KEPT_TEXT], "text": _text(part)}
        for part in body.parts
    ]


def _text(part: Part) -> str:
    if is_secret(part.name):
        return MASK
    if begins_json(part.content):
        return masked_json(part.content, KEPT_TEXT)[:KEPT_TEXT].decode("utf-8", "replace")
    return masked_text(part.content[:KEPT_TEXT].decode("utf-8", "replace"))


def _size_of(part: dict[str, Any]) -> int:
    texts = (part["name"], part.get("text", ""), part.get("filename") or "")
    return 400 + sum(map(getsizeof, texts))
