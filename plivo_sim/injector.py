"""Puts faults into calls: before the work, or after it ("applied, answer lost").

Request hooks, so they know account, dialect and operation. A fault never corrupts state: it
either keeps the call from happening or spoils the answer of one that did.
"""

from __future__ import annotations

import fnmatch
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from flask import Response, request

from plivo_sim.connections import CONNECTION_KEY, cut_connection
from plivo_sim.dialects.calls import Call
from plivo_sim.errors import Cut, Injected, RateLimited, SimError, Unauthenticated
from plivo_sim.faults.model import FaultRule
from plivo_sim.ids import draw_fraction
from plivo_sim.services.policies import faults_of
from plivo_sim.world import World

CUT_KEY = "plivo_sim.cut"
CUTTING = frozenset({"reset", "empty"})
SPOILING = frozenset({"truncated", "invalid_json", "wrong_content_type"})
DEFAULT_RETRY_AFTER_S = 60
_MESSAGES = {
    "error": "The simulator was told to fail here",
    "unavailable": "Service unavailable",
}


class Injector:
    """Matches faults against calls. What it counts is no state: it lives in memory only."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str], deque[float]] = {}

    def before(self, call: Call) -> None:
        """Apply the faults that keep a call from happening: raises, or marks the call for
        ``after``. Latency is real time."""
        if call.world is None:
            return
        hit = self._strike(call, call.world)
        if hit is None:
            return
        id, fault = hit
        call.fault = f"{id}: {fault.effect}"
        if fault.latency_s:
            time.sleep(fault.latency_s)
        if fault.effect == "slow":
            return
        cuts = fault.effect in CUTTING
        applied = cuts if fault.applied is None else fault.applied
        if applied or fault.effect in SPOILING:
            call.spoil = fault
        elif cuts:
            raise Cut(fault.effect)
        else:
            if fault.effect in ("rate_limited", "unavailable") or fault.retry_after_s is not None:
                wait_s = fault.retry_after_s
                call.headers["Retry-After"] = str(
                    DEFAULT_RETRY_AFTER_S if wait_s is None else wait_s
                )
            raise error_of(fault)

    def after(self, call: Call, response: Response) -> Response:
        """Spoil the answer of a call that was served."""
        fault = call.spoil
        if fault is None:
            return response
        call.spoil = None
        if fault.effect in CUTTING or fault.effect == "truncated":
            request.environ[CUT_KEY] = fault.effect
            return response
        if fault.effect == "invalid_json":
            response.set_data(response.get_data()[:-1] + b',"')
            return response
        if fault.effect == "wrong_content_type":
            response.headers["Content-Type"] = "text/html; charset=utf-8"
            return response
        return call.refuse(error_of(fault))

    def _strike(self, call: Call, world: World) -> tuple[str, FaultRule] | None:
        """The first fault that hits this call. Its count goes up with every call it matches."""
        with world.lock:
            for id, fault in faults_of(world):
                if _matches(fault, call) and self._due(id, fault, world):
                    return id, fault
        return None

    def _due(self, id: str, fault: FaultRule, world: World) -> bool:
        hits = world.fault_hits
        nth = hits[id] = hits.get(id, 0) + 1
        struck = hits.get(f"{id}/struck", 0)
        if nth <= fault.skip or (fault.times is not None and struck >= fault.times):
            return False
        if (nth - fault.skip - 1) % fault.every != 0:
            return False
        if draw_fraction(world.settings.seed, "fault", id, nth) >= fault.probability:
            return False
        if fault.quota is not None and not self._over_quota(world, id, fault):
            return False
        hits[f"{id}/struck"] = struck + 1
        return True

    def _over_quota(self, world: World, id: str, fault: FaultRule) -> bool:
        assert fault.quota is not None
        now = time.time()
        window = self._windows.setdefault((world.auth_id, id), deque())
        while window and window[0] <= now - fault.quota.per_s:
            window.popleft()
        if len(window) >= fault.quota.calls:
            return True
        window.append(now)
        return False


def error_of(fault: FaultRule) -> SimError:
    """The error that a fault answers with."""
    if fault.effect == "expired_credentials":
        return Unauthenticated(fault.message or "the auth token has expired")
    if fault.effect == "rate_limited":
        return RateLimited(60, fault.retry_after_s or DEFAULT_RETRY_AFTER_S)
    status = 503 if fault.effect == "unavailable" else fault.status
    return Injected(status, fault.message or _MESSAGES.get(fault.effect, "Injected fault"))


def _matches(fault: FaultRule, call: Call) -> bool:
    view_args: dict[str, Any] = request.view_args or {}
    told = {
        "api": call.api,
        "operation": call.operation,
        "method": request.method,
        "path": request.path,
        "application": str(view_args.get("id", "")),
    }
    return all(
        wanted == "*" or fnmatch.fnmatchcase(told[name].casefold(), wanted.casefold())
        for name, wanted in (
            ("api", fault.api),
            ("operation", fault.operation),
            ("method", fault.method),
            ("path", fault.path),
            ("application", fault.application),
        )
    )


class CuttingApp:
    """WSGI wrapper that cuts the connection of answers marked for it.

    In process, where there is no connection, the caller gets ConnectionResetError.
    """

    def __init__(self, app: Callable[..., Any]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        body = self._app(environ, start_response)
        how = environ.get(CUT_KEY)
        if how is None:
            return body
        content = b"".join(body)
        if hasattr(body, "close"):
            body.close()
        if CONNECTION_KEY not in environ:
            raise ConnectionResetError(f"connection cut by a fault: {how}")
        return self._cut(environ, how, content)

    def _cut(self, environ: dict[str, Any], how: str, content: bytes) -> Any:
        if how == "truncated":
            yield content[: max(len(content) // 2, 1)]
        cut_connection(environ, "close" if how == "empty" else "reset")
        yield b""
