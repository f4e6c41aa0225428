"""What a move of the clock did, in a sentence, with links to what it changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

MOVES = frozenset({"advance", "set_clock"})
_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60))


def sentence(answer: Mapping[str, Any]) -> str:
    """Of an ``AdvanceOut``: "Moved 3 days, to …: 4 accepted, 7 callbacks: 1 failed."."""
    began, now = (datetime.fromisoformat(answer[key]) for key in ("began", "now"))
    return f"Moved {_long(now - began)}, to {now:%a %Y-%m-%d %H:%M:%S} UTC: {_happened(answer)}."


def _happened(answer: Mapping[str, Any]) -> str:
    statuses = answer["transitions"]
    parts = [f"{count} {status.replace('_', ' ')}" for status, count in statuses.items()]
    if callbacks := answer["callbacks"]:
        total = sum(callbacks.values())
        troubles = {"failed": "failed", "pending": "to be tried again"}
        told = [f"{callbacks[state]} {word}" for state, word in troubles.items()
                if callbacks.get(state)]  # fmt: skip
        parts.append(f"{_count(total, 'callback')}{': ' if told else ''}{', '.join(told)}")
    return ", ".join(parts) or "nothing was due"


def _long(duration: timedelta) -> str:
    """In days, hours and minutes; a short one in seconds."""
    left, parts = duration.total_seconds(), []
    for name, size in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(_count(int(count), name))
    if left >= 0.001 or not parts:
        seconds = f"{left:.3f}".rstrip("0").rstrip(".")
        parts.append(f"{seconds} second{'' if seconds == '1' else 's'}")
    return " ".join(parts)


def _count(count: int, name: str) -> str:
    return f"{count:,} {name}{'' if count == 1 else 's'}"


def links(answer: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What to look at then: a label, and a path below the account's pages."""
    for status in answer.get("transitions", {}):
        yield status.replace("_", " "), f"applications?status={status}"
    for state in answer.get("callbacks", {}):
        yield f"{state} callbacks", f"webhooks?state={state}"
