"""Whether the simulator lives, and whether it is ready: for whoever starts and stops it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from flask import Response

from plivo_sim.dialects.calls import current_call

PROBE_BYTES = 4096


def live() -> Response:
    """It answers: nothing else is asked of it."""
    return current_call().answer({"status": "ok"})


def ready() -> Response:
    """200 while it takes calls and keeps what they write; 503 with the reasons while it does not.

    Before a kept state is recovered it does not listen at all.
    """
    call = current_call()
    reasons = ["is shutting down"] if call.sim.stopping else []
    reasons += _disk_problems(call.sim.settings.state)
    call.why = "; ".join(reasons)
    told = {"status": "unready" if reasons else "ready", "reasons": reasons}
    return call.answer(told, 503 if reasons else 200)


def _disk_problems(state: Path | None) -> list[str]:
    """Why nothing can be written where the state is kept."""
    if state is None:
        return []
    probe = state / f".ready-{os.getpid()}"
    try:
        try:
            probe.write_bytes(bytes(PROBE_BYTES))
        finally:
            probe.unlink(missing_ok=True)
    except OSError as error:
        return [f"cannot write to {state}: {error.strerror}"]
    return []


ROUTES: list[tuple[str, str, Callable[..., Response]]] = [
    ("GET", "/health/live", live),
    ("GET", "/health/ready", ready),
]
