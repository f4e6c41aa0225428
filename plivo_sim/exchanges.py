"""The journal of one account's last exchanges: a ring in memory, no state.

What is kept is small (no uploaded bytes, the start of long answers) and is only made readable
when somebody asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Request, Response, g

from plivo_sim.dialects.bodies import Body
from plivo_sim.dialects.calls import Call

KEPT_TEXT = 4000
KEPT_BODY_BYTES = 32 * 1024
_SECRET = frozenset({"authorization", "cookie", "proxy-authorization"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One call and its answer."""

    id: str
    at: datetime
    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: Any
    status: int
    answer: bytes
    answer_type: str
    dialect: str
    operation: str
    fault: str
    why: str
    took_ms: float

    def shown(self) -> dict[str, Any]:
        """As plain values, secrets masked."""
        return {
            "id": self.id,
            "at": self.at.isoformat(),
            "method": self.method,
            "url": self.url,
            "headers": {
                name: "***" if name.lower() in _SECRET else value for name, value in self.headers
            },
            "body": self.body,
            "status": self.status,
            "answer": self.answer.decode("utf-8", "replace"),
            "answer_type": self.answer_type,
            "dialect": self.dialect,
            "operation": self.operation,
            "fault": self.fault or None,
            "why": self.why,
            "took_ms": round(self.took_ms, 2),
        }


def note_exchange(call: Call, request: Request, response: Response, took_ms: float) -> None:
    """Put an exchange into its account's ring."""
    world = call.account
    is_text = response.mimetype == "application/json"
    world.exchanges.append(
        Exchange(
            id=call.api_id,
            at=world.now(),
            method=request.method,
            url=request.url,
            headers=tuple(request.headers.items()),
            body=_summary(request, g.get("body")),
            status=response.status_code,
            answer=response.get_data()[:KEPT_TEXT] if is_text else b"",
            answer_type=response.content_type or "",
            dialect=call.dialect,
            operation=call.operation,
            fault=call.fault,
            why=call.why,
            took_ms=took_ms,
        )
    )


def _summary(request: Request, body: Body | None) -> Any:
    if body is None or body.kind in ("empty", "other"):
        return None
    if body.kind == "json" and (request.content_length or 0) > KEPT_BODY_BYTES:
        return f"({request.content_length} bytes of JSON, not kept)"
    if body.kind == "json":
        return body.json
    return [
        {"name": part.name, "filename": part.filename, "size_bytes": len(part.content)}
        if part.is_file
        else {"name": part.name, "text": part.content[:KEPT_TEXT].decode("utf-8", "replace")}
        for part in body.parts
    ]
