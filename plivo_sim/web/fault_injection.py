"""Puts faults into calls: before the work, or after it ("applied, answer lost").

Request hooks, so they know account, dialect and operation. A fault never corrupts state: it
either keeps the call from happening or spoils the answer of one that did. Its latency is that of
the answer: what a call does is done, and in the logs, before that waits, whether or not its client
waits with it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from flask import Response
from werkzeug.http import HTTP_STATUS_CODES

from plivo_sim.account.account import Account
from plivo_sim.domain.errors import SimError
from plivo_sim.domain.text import draw_fraction
from plivo_sim.scenarios.language import CUTTING, FaultRule
from plivo_sim.services.policies import armed_faults, faults_of, is_spent
from plivo_sim.web.calls import Call, Cut, Injected, RateLimited, Unauthenticated
from plivo_sim.web.streams import (
    CONNECTION_KEY,
    CUT_KEY,
    REQUEST_THREAD,
    Delay,
    delay_answer,
)

DEFAULT_RETRY_AFTER_S = 60
DEFAULT_LIMIT = 60  # what a 429 of an API without rate limits says

CallFacts = Mapping[str, str]
"""What a fault may look at in a call: its api, operation, method, path and application."""


class Injector:
    """Matches faults against calls. What they count is not written down, see ``FaultCounts``."""

    def before(self, call: Call) -> None:
        """Apply the faults that keep a call from happening: raises, or marks the call for
        ``after``."""
        if not self._any(call.account):
            return
        fault = self._strike(call, _facts_of(call))
        if fault is None:
            return
        if fault.strikes_late:
            call.spoil = fault
        elif fault.effect in CUTTING:
            raise Cut(fault.effect)
        else:
            raise _refusal(call, fault)

    def within(self, call: Call, facts: CallFacts) -> FaultRule | None:
        """The fault that hits a call which an API makes to another one while it serves this one.

        Only a fault that names the other API hits it.
        """
        return self._strike(call, facts, by_name=True)

    def after(self, call: Call, fault: FaultRule, response: Response) -> Response:
        """Spoil the answer of a call that was served, as the fault says."""
        call.spoil, call.is_spoilt = None, True
        if fault.effect in CUTTING or fault.effect == "truncated":
            call.request.environ[CUT_KEY] = fault.effect
            return response
        if fault.effect == "invalid_json":
            response.set_data(response.get_data()[:-1] + b',"')
            return response
        if fault.effect == "wrong_content_type":
            response.headers["Content-Type"] = "text/html; charset=utf-8"
            return response
        return call.refuse(_refusal(call, fault))

    def _any(self, account: Account) -> bool:
        with account.lock:
            return bool(faults_of(account))

    def _strike(self, call: Call, facts: CallFacts, *, by_name: bool = False) -> FaultRule | None:
        """The first fault that hits this call; None if all it does is to have the answer wait.

        Its count goes up with every call it matches.
        """
        call.strikes_met += 1
        if call.strikes_met > len(call.strikes):
            call.strikes.append(self._first(call, facts, by_name))
        told, fault = call.strikes[call.strikes_met - 1]
        call.fault = told or call.fault
        return None if fault is None or fault.effect == "slow" else fault

    def _first(self, call: Call, facts: CallFacts, by_name: bool) -> tuple[str, FaultRule | None]:
        """What the log says of it, and it. ``by_name``: only faults that name the call's API
        themselves."""
        account = call.account
        with account.lock:
            for id, fault, globs in armed_faults(account):
                if by_name and fault.api.casefold() != facts["api"]:
                    continue
                if all(fits(facts[name]) for name, fits in globs) and self._due(id, fault, account):
                    return f"{id}: {fault.effect}", fault
        return "", None

    def _due(self, id: str, fault: FaultRule, account: Account) -> bool:
        counts = account.faults
        nth = counts.hits[id] = counts.hits.get(id, 0) + 1
        if nth <= fault.skip or is_spent(account, id, fault):
            return False
        if (nth - fault.skip - 1) % fault.every != 0:
            return False
        if draw_fraction(account.settings.seed, "fault", id, nth) >= fault.probability:
            return False
        if fault.quota is not None and not self._over_quota(account, id, fault):
            return False
        counts.struck[id] = counts.struck.get(id, 0) + 1
        return True

    def _over_quota(self, account: Account, id: str, fault: FaultRule) -> bool:
        assert fault.quota is not None
        now, per_s = time.time(), fault.quota.per_s
        window = account.faults.windows.setdefault(id, deque())
        while window and not -per_s < now - window[0] < per_s:  # the clock may be set back
            window.popleft()
        if len(window) >= fault.quota.calls:
            return True
        window.append(now)
        return False


def latency_s_of(call: Call) -> float:
    """How long the answer to a call waits, for the faults that hit it. That of a call which another
    one makes within the server (a request that is sent again, a button, a play) does not: it would
    keep a thread that others need."""
    is_inner = CONNECTION_KEY not in call.request.environ
    if is_inner and threading.current_thread().name == REQUEST_THREAD:
        return 0.0
    return sum(fault.latency_s for _, fault in call.strikes if fault is not None)


def delay(call: Call, delay: Delay) -> None:
    """Have the answer wait, by the server where it came from one: then nobody waits with it."""
    if CONNECTION_KEY in call.request.environ:
        delay_answer(call.request.environ, delay)
    else:
        time.sleep(delay.wait_s)


def _refusal(call: Call, fault: FaultRule) -> SimError:
    """The error that a call answers with; the headers then say how long to wait, and of a 429, by
    whatever effect, that nothing is left. Without a message it is what the API says of itself with
    that status (invented)."""
    status, is_expired = _status_of(call, fault), fault.effect == "expired_credentials"
    wait_s = fault.retry_after_s
    if wait_s is None and (status == 429 or fault.effect == "unavailable"):
        wait_s = DEFAULT_RETRY_AFTER_S
    if wait_s is not None:
        call.headers["Retry-After"] = str(wait_s)
    if status == 429 and call.window is not None:
        answered_s = time.time() + latency_s_of(call)
        call.window = call.window.exhausted(answered_s, wait_s or 0)
    if status == 401 and (is_expired or not fault.message):
        usual = "the auth token has expired" if is_expired else "the auth token is wrong"
        return Unauthenticated(fault.message or usual)
    if status == 429 and not fault.message:
        return RateLimited(call.window.limit if call.window is not None else DEFAULT_LIMIT)
    usual = HTTP_STATUS_CODES.get(503 if fault.effect == "unavailable" else status, "Error")
    return Injected(status, fault.message or usual.capitalize())


def _status_of(call: Call, fault: FaultRule) -> int:
    match fault.effect:
        case "expired_credentials":
            return 401
        case "rate_limited":
            return 429
        case "unavailable":
            return 502 if call.api == "atoms" else 503
    return fault.status


def _facts_of(call: Call) -> CallFacts:
    request = call.request
    view_args: dict[str, Any] = request.view_args or {}
    return {
        "api": call.api,
        "operation": call.operation,
        "method": request.method,
        "path": request.path,
        "application": str(view_args.get("id") or view_args.get("compliance_id", "")),
    }
